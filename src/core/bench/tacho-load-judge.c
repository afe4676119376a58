/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a request of the load ended: one class for each way to fail (docs/metrics.md). */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-load-stream.h"

#include <errno.h>
#include <string.h>

static TachoErrorCode
class_of_connect_failure (const TachoLoadStream *self)
{
  long code = 0;

  curl_easy_getinfo (self->easy, CURLINFO_OS_ERRNO, &code);
  return code == 0 || code == ECONNREFUSED ? TACHO_ERROR_REFUSED : TACHO_ERROR_CONNECT;
}

static TachoErrorCode
class_of_curl (const TachoLoadStream *self, CURLcode code)
{
  switch (code)
    {
    case CURLE_COULDNT_RESOLVE_HOST:
      return TACHO_ERROR_REFUSED;
    case CURLE_COULDNT_CONNECT:
      return class_of_connect_failure (self);
    case CURLE_OPERATION_TIMEDOUT:
      return TACHO_ERROR_TIMEOUT_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return TACHO_ERROR_TLS;
    case CURLE_ABORTED_BY_CALLBACK:
      return self->resent ? TACHO_ERROR_REFUSED : TACHO_ERROR_PROTOCOL;
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
      if (strstr (self->error_text, "chunk") != NULL)
        return TACHO_ERROR_PROTOCOL; /* framing, not the connection */
      return self->head_seen ? TACHO_ERROR_TRUNCATED : TACHO_ERROR_REFUSED;
    default:
      return TACHO_ERROR_PROTOCOL;
    }
}

static TachoErrorCode
class_of_status (guint status)
{
  if (status == 429)
    return TACHO_ERROR_HTTP_429;
  if (status >= 500)
    return TACHO_ERROR_HTTP_5XX;
  return status >= 400 ? TACHO_ERROR_HTTP_4XX : TACHO_ERROR_PROTOCOL;
}

static TachoErrorCode
class_of_verdict (const GError *verdict)
{
  if (verdict->domain == TACHO_ERROR && verdict->code < TACHO_ERROR_N_CLASSES)
    return (TachoErrorCode) verdict->code;
  return TACHO_ERROR_PROTOCOL;
}

/**
 * tacho_load_stream_judge:
 * @self: a stream whose transfer is over
 * @code: libcurl's result
 * @forced: a class that overrides it, or 0
 *
 * What ended the request. The terminal marker wins over whatever came after it.
 *
 * Returns: the class, 0: it ended well
 */
TachoErrorCode
tacho_load_stream_judge (TachoLoadStream *self, CURLcode code, TachoErrorCode forced)
{
  guint status = self->record->http_status;

  if (self->verdict != NULL)
    return class_of_verdict (self->verdict);
  if (tacho_stream_decoder_is_done (self->decoder))
    return (TachoErrorCode) 0;
  if (forced != 0)
    return forced;
  if (status != 0 && (status < 200 || status > 299))
    return class_of_status (status);
  if (code != CURLE_OK)
    return class_of_curl (self, code);
  if (!tacho_stream_decoder_finish (self->decoder, tacho_load_stream_event, self, &self->verdict))
    return class_of_verdict (self->verdict);
  return (TachoErrorCode) 0;
}

/**
 * tacho_load_status_of:
 * @error: a class, or 0
 *
 * Returns: the status of a request that ended so
 */
TachoRecordStatus
tacho_load_status_of (TachoErrorCode error)
{
  switch ((int) error)
    {
    case 0:
      return TACHO_RECORD_OK;
    case TACHO_ERROR_TRUNCATED:
      return TACHO_RECORD_TRUNCATED;
    case TACHO_ERROR_CANCELLED:
      return TACHO_RECORD_CANCELLED;
    default:
      return TACHO_RECORD_ERROR;
    }
}
