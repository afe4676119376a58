/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TACHO_ERROR: why an operation with a server failed. Codes 1..99 are the `error` classes of the
 * metrics (DESIGN section 6); the rest never appear in a benchmark's counts. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define TACHO_ERROR (tacho_error_quark ())
GQuark tacho_error_quark (void);

typedef enum
{
  TACHO_ERROR_REFUSED = 1, /* connection refused, reset before a byte, no such host */
  TACHO_ERROR_CONNECT,     /* any other failure before the request was on the wire */
  TACHO_ERROR_TLS,
  TACHO_ERROR_TIMEOUT_CONNECT,
  TACHO_ERROR_TIMEOUT_FIRST,
  TACHO_ERROR_TIMEOUT_IDLE,
  TACHO_ERROR_TIMEOUT_TOTAL,
  TACHO_ERROR_HTTP_4XX,
  TACHO_ERROR_HTTP_429,
  TACHO_ERROR_HTTP_5XX,
  TACHO_ERROR_GRPC,
  TACHO_ERROR_PROTOCOL,  /* not HTTP, bad framing, bad JSON, wrong types, a limit was passed */
  TACHO_ERROR_IN_BAND,   /* the server reported an error inside a 200 reply */
  TACHO_ERROR_TRUNCATED, /* the stream ended without its terminal marker */
  TACHO_ERROR_CANCELLED,

  TACHO_ERROR_INVALID = 100,  /* bad argument, value or plan; nothing was sent */
  TACHO_ERROR_UNSUPPORTED,    /* this server family has no such operation */
  TACHO_ERROR_NOT_FOUND,      /* no such model */
  TACHO_ERROR_MODEL_FAILED,   /* the server says that loading or unloading failed */
  TACHO_ERROR_UNKNOWN_SERVER, /* something answers, but no known API is spoken there */
  TACHO_ERROR_IO,             /* a local file could not be read or written */
} TachoErrorCode;

#define TACHO_ERROR_N_CLASSES ((int) TACHO_ERROR_CANCELLED + 1) /* index 0 is unused */

/* "refused", "http_5xx", …: the contract's names. */
const char *tacho_error_class (TachoErrorCode code);
gboolean tacho_error_class_from_string (const char *name, TachoErrorCode *code);
gboolean tacho_error_is_unreachable (const GError *error); /* exit status 3 of tacho-cli */

G_END_DECLS
