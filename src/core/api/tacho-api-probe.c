/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which API is this? Judged by the shape of bodies and by headers, never by a status alone: some
 * servers answer unknown paths with 200, some everything with 401. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-probe.h"

#include <string.h>

#include "api/tacho-api-llamacpp.h"
#include "api/tacho-api-lmstudio.h"
#include "api/tacho-api-ollama.h"
#include "api/tacho-api-openai.h"
#include "api/tacho-api-private.h"
#include "api/tacho-openai-json.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"
#include "base/tacho-text.h"

typedef enum
{
  STEP_OLLAMA,
  STEP_LMSTUDIO,
  STEP_LMSTUDIO_V0,
  STEP_PROPS,
  STEP_MODELS,
  STEP_DECIDED,
} Step;

struct _TachoApiProbe
{
  char *family; /* NULL: to be found */
  Step step;
  GPtrArray *evidence; /* of char *, NULL-terminated */
  TachoApi *api;
  GError *error; /* the best reason for failure so far */
  char *version;
  gboolean simulated;
  gboolean says_llamacpp; /* its Server header does */
  TachoHealth health;
};

static const struct
{
  const char *family;
  Step step; /* where its probing begins */
} families[] = { { "auto", STEP_PROPS },
                 { "llamacpp", STEP_PROPS },
                 { "lmstudio", STEP_LMSTUDIO },
                 { "ollama", STEP_OLLAMA },
                 { "openai", STEP_MODELS } };

static const char *const paths[] = {
  [STEP_OLLAMA] = "/api/version",        [STEP_LMSTUDIO] = "/api/v1/models",
  [STEP_LMSTUDIO_V0] = "/api/v0/models", [STEP_PROPS] = "/props",
  [STEP_MODELS] = "/v1/models",
};

/**
 * tacho_api_probe_new:
 * @family: "auto", or the name of the family to be confirmed
 * @error: return location
 *
 * Returns: (transfer full): a probe; or %NULL with %TACHO_ERROR_INVALID for a name that is not
 *   known
 */
TachoApiProbe *
tacho_api_probe_new (const char *family, GError **error)
{
  TachoApiProbe *probe;
  gsize i = 0;

  while (i < G_N_ELEMENTS (families) && g_strcmp0 (family, families[i].family) != 0)
    i++;
  if (i == G_N_ELEMENTS (families))
    {
      g_autofree char *name = tacho_text_sanitize_line (family != NULL ? family : "", -1, 60);

      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "There is no API family “%s”; known are auto, llamacpp, lmstudio, ollama and "
                   "openai",
                   name);
      return NULL;
    }
  probe = g_new0 (TachoApiProbe, 1);
  probe->family = strcmp (family, "auto") != 0 ? g_strdup (family) : NULL;
  probe->step = families[i].step;
  probe->health = TACHO_HEALTH_UNHEALTHY;
  probe->evidence = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (probe->evidence, NULL);
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

  if (probe->step == STEP_DECIDED)
    return NULL;
  return tacho_http_request_new ("GET", paths[probe->step]);
}

static void G_GNUC_PRINTF (2, 3) note (TachoApiProbe *probe, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_insert (probe->evidence, (int) probe->evidence->len - 1,
                      g_strdup_vprintf (format, args));
  va_end (args);
}

static void
decide (TachoApiProbe *probe, TachoApi *api, TachoHealth health)
{
  probe->api = api;
  probe->health = health;
  probe->step = STEP_DECIDED;
}

static void
read_server_header (TachoApiProbe *probe, const TachoHttpReply *reply)
{
  const char *server = tacho_http_reply_get_header (reply, "Server");
  g_autofree char *line = NULL;

  if (server == NULL)
    return;
  line = tacho_text_sanitize_line (server, -1, 60);
  if (g_str_has_prefix (line, "tacho-sim/") && !probe->simulated)
    {
      probe->simulated = TRUE;
      note (probe, "The Server header says %s: a simulated server", line);
    }
  else if (strcmp (line, "llama.cpp") == 0 && !probe->says_llamacpp)
    {
      probe->says_llamacpp = TRUE;
      note (probe, "The Server header says llama.cpp");
    }
}

/* What the reply was, if not what was hoped for. A refused key outlives other reasons. */
static void
note_refusal (TachoApiProbe *probe, const char *what, const TachoHttpReply *reply)
{
  g_autoptr (GError) reason = NULL;

  if (reply->status >= 200 && reply->status < 300)
    {
      gsize length;
      const char *text = g_bytes_get_data (reply->body, &length);
      g_autofree char *excerpt = tacho_api_excerpt (text != NULL ? text : "", MIN (length, 320));

      note (probe, "%s answered %u with something else: %s", what, reply->status,
            excerpt[0] == '\0' ? "nothing" : excerpt);
      return;
    }
  reason = tacho_api_error_from_reply (reply);
  note (probe, "%s answered %s", what, reason->message);
  if (probe->error != NULL && (probe->error->code == TACHO_ERROR_HTTP_4XX || reply->status == 404))
    return;
  if (reply->status == 401 || reply->status == 403 || reply->status == 429 || reply->status >= 500)
    {
      g_clear_error (&probe->error);
      probe->error = g_steal_pointer (&reason);
    }
}

static JsonNode *
parse_2xx (const TachoHttpReply *reply)
{
  return reply->status >= 200 && reply->status < 300 ? tacho_api_parse_reply (reply, NULL) : NULL;
}

static void
feed_props (TachoApiProbe *probe, const TachoHttpReply *reply)
{
  g_autoptr (JsonNode) root = parse_2xx (reply);
  JsonObject *object =
      root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;

  if (tacho_json_get_object (object, "default_generation_settings") != NULL)
    {
      gboolean router = g_strcmp0 (tacho_json_get_string (object, "role", NULL), "router") == 0;
      const char *build = tacho_json_get_string (object, "build_info", NULL);

      probe->version = build != NULL ? tacho_text_sanitize_line (build, -1, 60) : NULL;
      note (probe, "GET /props answered with default_generation_settings: llama.cpp%s",
            router ? ", a router" : "");
      decide (probe, tacho_api_llamacpp_new (router, probe->version), TACHO_HEALTH_OK);
    }
  else if (tacho_api_llamacpp_reply_says_loading (reply))
    {
      note (probe, "GET /props answered 503 “Loading model”: llama.cpp, not ready yet");
      decide (probe, tacho_api_llamacpp_new (FALSE, NULL), TACHO_HEALTH_LOADING);
    }
  else
    {
      note_refusal (probe, "GET /props", reply);
      probe->step = STEP_MODELS;
      /* llama.cpp asks for its key here but not for the list: without the key nothing else
       * works. */
      if (probe->says_llamacpp && (reply->status == 401 || reply->status == 403))
        probe->step = STEP_DECIDED;
    }
}

static void
feed_ollama (TachoApiProbe *probe, const TachoHttpReply *reply)
{
  g_autoptr (JsonNode) root = parse_2xx (reply);
  JsonObject *object =
      root != NULL && JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  const char *version = tacho_json_get_string (object, "version", NULL);

  if (version == NULL)
    {
      note_refusal (probe, "GET /api/version", reply);
      probe->step = STEP_DECIDED;
      return;
    }
  probe->version = tacho_text_sanitize_line (version, -1, 60);
  note (probe, "GET /api/version answered with a version: Ollama");
  decide (probe, tacho_api_ollama_new (probe->version), TACHO_HEALTH_OK);
}

/* It answers a path that it does not know with 200 and an error. */
static void
feed_lmstudio (TachoApiProbe *probe, const TachoHttpReply *reply)
{
  gboolean v1 = probe->step == STEP_LMSTUDIO;
  g_autoptr (TachoApi) api = tacho_api_lmstudio_new (v1);
  g_autoptr (GPtrArray) models = tacho_api_parse_models (api, reply, NULL);

  if (models != NULL)
    {
      note (probe, "GET %s answered with a list of models: LM Studio", paths[probe->step]);
      decide (probe, g_steal_pointer (&api), TACHO_HEALTH_OK);
      return;
    }
  note_refusal (probe, paths[probe->step], reply);
  probe->step = v1 ? STEP_LMSTUDIO_V0 : STEP_DECIDED;
}

static void
feed_models (TachoApiProbe *probe, const TachoHttpReply *reply)
{
  g_autoptr (JsonNode) root = parse_2xx (reply);
  g_autoptr (GPtrArray) models = root != NULL ? tacho_openai_list_objects (root, NULL) : NULL;
  JsonObject *first = models != NULL && models->len > 0 ? g_ptr_array_index (models, 0) : NULL;
  gboolean llamacpp = g_strcmp0 (tacho_json_get_string (first, "owned_by", NULL), "llamacpp") == 0;
  gboolean router = tacho_json_get_object (first, "status") != NULL;

  if (models == NULL)
    {
      note_refusal (probe, "GET /v1/models", reply);
      probe->step = STEP_DECIDED;
    }
  else if (g_strcmp0 (probe->family, "openai") != 0 && (llamacpp || probe->says_llamacpp))
    {
      note (probe, "GET /v1/models answered with a list of models of llama.cpp%s",
            router ? ", a router" : "");
      decide (probe, tacho_api_llamacpp_new (router, NULL), TACHO_HEALTH_OK);
    }
  else
    {
      note (probe, "GET /v1/models answered with a list of %u models: OpenAI-compatible",
            models->len);
      if (g_strcmp0 (probe->family, "llamacpp") == 0)
        probe->step = STEP_DECIDED;
      else
        decide (probe, tacho_api_openai_new (), TACHO_HEALTH_OK);
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

  if (probe->step == STEP_DECIDED)
    return;
  read_server_header (probe, reply);
  if (probe->step == STEP_OLLAMA)
    feed_ollama (probe, reply);
  else if (probe->step == STEP_LMSTUDIO || probe->step == STEP_LMSTUDIO_V0)
    feed_lmstudio (probe, reply);
  else if (probe->step == STEP_PROPS)
    feed_props (probe, reply);
  else
    feed_models (probe, reply);
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
