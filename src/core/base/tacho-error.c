/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why an operation with a server failed. */
#define G_LOG_DOMAIN "tacho"

#include "base/tacho-error.h"

G_DEFINE_QUARK (tacho_error_quark, tacho_error)

static const char *const class_names[] = {
  [TACHO_ERROR_REFUSED] = "refused",
  [TACHO_ERROR_CONNECT] = "connect",
  [TACHO_ERROR_TLS] = "tls",
  [TACHO_ERROR_TIMEOUT_CONNECT] = "timeout_connect",
  [TACHO_ERROR_TIMEOUT_FIRST] = "timeout_first",
  [TACHO_ERROR_TIMEOUT_IDLE] = "timeout_idle",
  [TACHO_ERROR_TIMEOUT_TOTAL] = "timeout_total",
  [TACHO_ERROR_HTTP_4XX] = "http_4xx",
  [TACHO_ERROR_HTTP_429] = "http_429",
  [TACHO_ERROR_HTTP_5XX] = "http_5xx",
  [TACHO_ERROR_GRPC] = "grpc",
  [TACHO_ERROR_PROTOCOL] = "protocol",
  [TACHO_ERROR_IN_BAND] = "in_band",
  [TACHO_ERROR_TRUNCATED] = "truncated",
  [TACHO_ERROR_CANCELLED] = "cancelled",
};

/**
 * tacho_error_class:
 * @code: a code of %TACHO_ERROR
 *
 * Returns: the name that metrics and files use, such as "http_5xx"; "other" for a code that is no
 * class
 */
const char *
tacho_error_class (TachoErrorCode code)
{
  switch (code)
    {
    case TACHO_ERROR_INVALID:
      return "invalid";
    case TACHO_ERROR_UNSUPPORTED:
      return "unsupported";
    case TACHO_ERROR_NOT_FOUND:
      return "not_found";
    case TACHO_ERROR_MODEL_FAILED:
      return "model_failed";
    case TACHO_ERROR_UNKNOWN_SERVER:
      return "unknown_server";
    case TACHO_ERROR_IO:
      return "io";
    default:
      if ((int) code > 0 && (gsize) code < G_N_ELEMENTS (class_names))
        return class_names[code];
      return "other";
    }
}

/**
 * tacho_error_class_from_string:
 * @name: a class, such as "timeout_idle"
 * @code: (out): the code
 *
 * Returns: whether @name is one of the classes of the metrics
 */
gboolean
tacho_error_class_from_string (const char *name, TachoErrorCode *code)
{
  for (gsize i = 1; i < G_N_ELEMENTS (class_names); i++)
    if (g_strcmp0 (name, class_names[i]) == 0)
      {
        *code = (TachoErrorCode) i;
        return TRUE;
      }
  return FALSE;
}

/**
 * tacho_error_is_unreachable:
 * @error: (nullable): an error
 *
 * Returns: whether nothing at all could be reached: the request never got to a server
 */
gboolean
tacho_error_is_unreachable (const GError *error)
{
  return g_error_matches (error, TACHO_ERROR, TACHO_ERROR_REFUSED) ||
         g_error_matches (error, TACHO_ERROR, TACHO_ERROR_CONNECT) ||
         g_error_matches (error, TACHO_ERROR, TACHO_ERROR_TLS) ||
         g_error_matches (error, TACHO_ERROR, TACHO_ERROR_TIMEOUT_CONNECT);
}
