/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which API is this? The probe itself; what is asked and concluded is in -rest.c and -grpc.c. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-probe-private.h"

#include <string.h>

#include "api/tacho-api-private.h"
#include "base/tacho-error.h"
#include "base/tacho-text.h"

static const char *const families[] = { "auto",     "openai",     "openai-responses",
                                        "llamacpp", "ollama",     "lmstudio",
                                        "vllm",     "sglang",     "tgi",
                                        "oip",      "ryzanstein", NULL };

/**
 * tacho_api_families:
 *
 * Returns: (transfer none) (array zero-terminated=1): "auto", then the names of all families
 */
const char *const *
tacho_api_families (void)
{
  return families;
}

TachoApiProbe *
tacho_api_probe_alloc (const char *family, GError **error)
{
  TachoApiProbe *probe;

  if (family == NULL || !g_strv_contains (families, family))
    {
      g_autofree char *name = tacho_text_sanitize_line (family != NULL ? family : "", -1, 60);
      g_autofree char *list = g_strjoinv (", ", (char **) families);

      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "There is no API family “%s”; known are %s", name, list);
      return NULL;
    }
  probe = g_new0 (TachoApiProbe, 1);
  probe->family = strcmp (family, "auto") != 0 ? g_strdup (family) : NULL;
  probe->health = TACHO_HEALTH_UNHEALTHY;
  probe->evidence = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (probe->evidence, NULL);
  return probe;
}

/**
 * tacho_api_probe_new:
 * @family: "auto", or the name of the family to be confirmed
 * @error: return location
 *
 * Returns: (transfer full): a probe over REST; or %NULL with %TACHO_ERROR_INVALID for a name that
 *   is not known
 */
TachoApiProbe *
tacho_api_probe_new (const char *family, GError **error)
{
  TachoApiProbe *probe = tacho_api_probe_alloc (family, error);

  if (probe != NULL)
    tacho_api_probe_rest_begin (probe);
  return probe;
}

/**
 * tacho_api_probe_free:
 * @probe: (nullable) (transfer full): a probe
 */
void
tacho_api_probe_free (TachoApiProbe *probe)
{
  if (probe == NULL)
    return;
  g_free (probe->family);
  g_ptr_array_unref (probe->evidence);
  g_clear_object (&probe->api);
  g_clear_error (&probe->error);
  g_free (probe->version);
  g_free (probe);
}

/**
 * tacho_api_probe_next:
 * @probe: a probe
 *
 * Returns: (transfer full) (nullable): what to send, its reply to be fed; %NULL when it is decided
 */
TachoHttpRequest *
tacho_api_probe_next (TachoApiProbe *probe)
{
  g_return_val_if_fail (probe != NULL, NULL);

  if (probe->step == TACHO_PROBE_DECIDED)
    return NULL;
  if (probe->step >= TACHO_PROBE_GRPC_HEALTH)
    return tacho_api_probe_grpc_next (probe);
  return tacho_http_request_new ("GET", tacho_api_probe_rest_path (probe->step));
}

void
tacho_api_probe_note (TachoApiProbe *probe, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_insert (probe->evidence, (int) probe->evidence->len - 1,
                      g_strdup_vprintf (format, args));
  va_end (args);
}

void
tacho_api_probe_decide (TachoApiProbe *probe, TachoApi *api, TachoHealth health)
{
  probe->api = api;
  probe->health = health;
  probe->step = TACHO_PROBE_DECIDED;
}

void
tacho_api_probe_set_version (TachoApiProbe *probe, const char *version)
{
  g_free (probe->version);
  probe->version =
      version != NULL && version[0] != '\0' ? tacho_text_sanitize_line (version, -1, 60) : NULL;
  /* gRPC has no Server header. */
  if (strstr (probe->version != NULL ? probe->version : "", "tacho-sim") != NULL &&
      !probe->simulated)
    {
      probe->simulated = TRUE;
      tacho_api_probe_note (probe, "The version says %s: a simulated server", probe->version);
    }
}

static void
read_server_header (TachoApiProbe *probe, const TachoHttpReply *reply)
{
  const char *server = tacho_http_reply_get_header (reply, "Server");
  const char *powered = tacho_http_reply_get_header (reply, "X-Powered-By");
  g_autofree char *line = NULL;

  if (g_strcmp0 (powered, "Express") == 0)
    probe->says_lmstudio = TRUE; /* a hint at what to ask, no verdict */
  if (server == NULL)
    return;
  line = tacho_text_sanitize_line (server, -1, 60);
  if (g_str_has_prefix (line, "tacho-sim/") && !probe->simulated)
    {
      probe->simulated = TRUE;
      tacho_api_probe_note (probe, "The Server header says %s: a simulated server", line);
    }
  else if (strcmp (line, "llama.cpp") == 0 && !probe->says_llamacpp)
    {
      probe->says_llamacpp = TRUE;
      tacho_api_probe_note (probe, "The Server header says llama.cpp");
    }
}

/* What the reply was, if not what was hoped for. A refused key outlives other reasons. */
void
tacho_api_probe_note_refusal (TachoApiProbe *probe, const char *what, const TachoHttpReply *reply)
{
  g_autoptr (GError) reason = NULL;

  if (reply->status >= 200 && reply->status < 300)
    {
      gsize length;
      const char *text = g_bytes_get_data (reply->body, &length);
      g_autofree char *excerpt = tacho_api_excerpt (text != NULL ? text : "", MIN (length, 320));

      tacho_api_probe_note (probe, "%s answered %u with something else: %s", what, reply->status,
                            excerpt[0] == '\0' ? "nothing" : excerpt);
      return;
    }
  reason = tacho_api_error_from_reply (reply);
  tacho_api_probe_note (probe, "%s answered %s", what, reason->message);
  if (probe->error != NULL && (probe->error->code == TACHO_ERROR_HTTP_4XX || reply->status == 404))
    return;
  if (reply->status == 401 || reply->status == 403 || reply->status == 429 || reply->status >= 500)
    {
      g_clear_error (&probe->error);
      probe->error = g_steal_pointer (&reason);
    }
}

/**
 * tacho_api_probe_feed:
 * @probe: a probe
 * @reply: the reply to the last request from tacho_api_probe_next()
 *
 * Learns from it. Without effect once it is decided.
 */
void
tacho_api_probe_feed (TachoApiProbe *probe, const TachoHttpReply *reply)
{
  g_return_if_fail (probe != NULL);
  g_return_if_fail (reply != NULL);

  if (probe->step == TACHO_PROBE_DECIDED)
    return;
  read_server_header (probe, reply);
  probe->asked |= 1u << probe->step;
  if (probe->step >= TACHO_PROBE_GRPC_HEALTH)
    tacho_api_probe_grpc_feed (probe, reply);
  else
    tacho_api_probe_rest_feed (probe, reply);
}

/**
 * tacho_api_probe_finish:
 * @probe: a probe
 * @error: return location
 *
 * Returns: (transfer full): the API that is spoken there; or %NULL, with %TACHO_ERROR_HTTP_4XX if
 *   the server wants an API key, another class of it refused otherwise, else
 *   %TACHO_ERROR_UNKNOWN_SERVER with what was seen
 */
TachoApi *
tacho_api_probe_finish (TachoApiProbe *probe, GError **error)
{
  g_autofree char *seen = NULL;

  g_return_val_if_fail (probe != NULL, NULL);

  if (probe->api != NULL)
    return g_object_ref (probe->api);
  if (probe->error != NULL)
    {
      g_propagate_error (error, g_error_copy (probe->error));
      return NULL;
    }
  seen = g_strjoinv ("; ", (char **) probe->evidence->pdata);
  if (probe->family != NULL)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNKNOWN_SERVER,
                 "The server does not speak the API “%s”: %s", probe->family, seen);
  else
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNKNOWN_SERVER,
                 "The server speaks no API that is known: %s", seen);
  return NULL;
}

/**
 * tacho_api_probe_get_version:
 * @probe: a probe
 *
 * Returns: (nullable): what the server calls its version
 */
const char *
tacho_api_probe_get_version (TachoApiProbe *probe)
{
  g_return_val_if_fail (probe != NULL, NULL);

  return probe->version;
}

/**
 * tacho_api_probe_get_simulated:
 * @probe: a probe
 *
 * Returns: whether the server says that it is simulated
 */
gboolean
tacho_api_probe_get_simulated (TachoApiProbe *probe)
{
  g_return_val_if_fail (probe != NULL, FALSE);

  return probe->simulated;
}

/**
 * tacho_api_probe_get_evidence:
 * @probe: a probe
 *
 * Returns: (transfer none) (array zero-terminated=1): what was found, a line each
 */
const char *const *
tacho_api_probe_get_evidence (TachoApiProbe *probe)
{
  g_return_val_if_fail (probe != NULL, NULL);

  return (const char *const *) probe->evidence->pdata;
}

/**
 * tacho_api_probe_get_health:
 * @probe: a probe
 *
 * Returns: how the server was, as far as probing tells
 */
TachoHealth
tacho_api_probe_get_health (TachoApiProbe *probe)
{
  g_return_val_if_fail (probe != NULL, TACHO_HEALTH_UNHEALTHY);

  return probe->health;
}
