/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which API is this, over HTTP? Judged by the shape of bodies and by headers, never by a status
 * alone: some servers answer unknown paths with 200, some everything with 401. The list of models
 * comes early, as most name their maker there, and a hint is then confirmed by a route that only
 * that server has. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-probe-private.h"

#include <string.h>

#include "api/tacho-api-llamacpp.h"
#include "api/tacho-api-lmstudio.h"
#include "api/tacho-api-oip.h"
#include "api/tacho-api-ollama.h"
#include "api/tacho-api-openai.h"
#include "api/tacho-api-private.h"
#include "api/tacho-api-responses.h"
#include "api/tacho-api-ryzanstein.h"
#include "api/tacho-openai-json.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

#define MAX_EXTENSIONS 64

static const char *const paths[] = {
  [TACHO_PROBE_PROPS] = "/props",
  [TACHO_PROBE_MODELS] = "/v1/models",
  [TACHO_PROBE_V2] = "/v2",
  [TACHO_PROBE_OLLAMA] = "/api/version",
  [TACHO_PROBE_SGLANG] = "/get_model_info",
  [TACHO_PROBE_LMSTUDIO] = "/api/v1/models",
  [TACHO_PROBE_LMSTUDIO_V0] = "/api/v0/models",
  [TACHO_PROBE_TGI] = "/info",
  [TACHO_PROBE_VLLM] = "/version",
  [TACHO_PROBE_RYZANSTEIN] = "/health",
};

static const struct
{
  const char *name;
  TachoProbeStep first;
  TachoProbeStep second; /* asked if the first did not tell; TACHO_PROBE_DECIDED: none */
} plans[] = {
  { "openai", TACHO_PROBE_MODELS, TACHO_PROBE_DECIDED },
  { "openai-responses", TACHO_PROBE_MODELS, TACHO_PROBE_DECIDED },
  { "llamacpp", TACHO_PROBE_PROPS, TACHO_PROBE_MODELS },
  { "ollama", TACHO_PROBE_OLLAMA, TACHO_PROBE_DECIDED },
  { "lmstudio", TACHO_PROBE_LMSTUDIO, TACHO_PROBE_LMSTUDIO_V0 },
  { "vllm", TACHO_PROBE_VLLM, TACHO_PROBE_MODELS },
  { "sglang", TACHO_PROBE_SGLANG, TACHO_PROBE_MODELS },
  { "tgi", TACHO_PROBE_TGI, TACHO_PROBE_DECIDED },
  { "oip", TACHO_PROBE_V2, TACHO_PROBE_DECIDED },
  { "ryzanstein", TACHO_PROBE_MODELS, TACHO_PROBE_RYZANSTEIN },
};

static gboolean
wants (const TachoApiProbe *probe, const char *family)
{
  return probe->family == NULL || strcmp (probe->family, family) == 0;
}

static gboolean
insists (const TachoApiProbe *probe, const char *family)
{
  return probe->family != NULL && strcmp (probe->family, family) == 0;
}

static gboolean
was_asked (const TachoApiProbe *probe, TachoProbeStep step)
{
  return (probe->asked & (1u << step)) != 0;
}

const char *
tacho_api_probe_rest_path (TachoProbeStep step)
{
  return paths[step];
}

void
tacho_api_probe_rest_begin (TachoApiProbe *probe)
{
  probe->step = TACHO_PROBE_PROPS;
  for (gsize i = 0; i < G_N_ELEMENTS (plans); i++)
    if (insists (probe, plans[i].name))
      probe->step = plans[i].first;
}

/* The object of a success, else NULL: an error in a 200 reply is no answer either. */
static JsonObject *
parse_object (const TachoHttpReply *reply, JsonNode **root)
{
  *root = reply->status >= 200 && reply->status < 300 ? tacho_api_parse_reply (reply, NULL) : NULL;
  return *root != NULL && JSON_NODE_HOLDS_OBJECT (*root) ? json_node_get_object (*root) : NULL;
}

static gboolean
feed_props (TachoApiProbe *probe, const TachoHttpReply *reply, JsonObject *object)
{
  if (tacho_json_get_object (object, "default_generation_settings") != NULL)
    {
      gboolean router = g_strcmp0 (tacho_json_get_string (object, "role", NULL), "router") == 0;

      tacho_api_probe_set_version (probe, tacho_json_get_string (object, "build_info", NULL));
      tacho_api_probe_note (probe,
                            "GET /props answered with default_generation_settings: llama.cpp%s",
                            router ? ", a router" : "");
      tacho_api_probe_decide (probe, tacho_api_llamacpp_new (router, probe->version),
                              TACHO_HEALTH_OK);
      return TRUE;
    }
  if (!tacho_api_llamacpp_reply_says_loading (reply))
    return FALSE;
  tacho_api_probe_note (probe, "GET /props answered 503 “Loading model”: llama.cpp, not ready yet");
  tacho_api_probe_decide (probe, tacho_api_llamacpp_new (FALSE, NULL), TACHO_HEALTH_LOADING);
  return TRUE;
}

/* The maker's name in the list is a hint at which route to ask next, and no more. */
static void
follow_owner (TachoApiProbe *probe, const char *owner)
{
  if (g_strcmp0 (owner, "vllm") == 0)
    {
      probe->says_vllm = TRUE;
      probe->step = TACHO_PROBE_VLLM;
    }
  else if (g_strcmp0 (owner, "sglang") == 0)
    probe->step = TACHO_PROBE_SGLANG;
  else if (g_strcmp0 (owner, "library") == 0)
    probe->step = TACHO_PROBE_OLLAMA;
  else if (owner != NULL && g_str_has_prefix (owner, "organization"))
    {
      probe->says_lmstudio = TRUE;
      probe->step = TACHO_PROBE_LMSTUDIO;
    }
}

static TachoApi *
new_listed (TachoApiProbe *probe, const char *owner, guint n_models)
{
  if (insists (probe, "vllm") || insists (probe, "sglang"))
    {
      TachoOpenaiDialect dialect =
          insists (probe, "vllm") ? TACHO_OPENAI_DIALECT_VLLM : TACHO_OPENAI_DIALECT_SGLANG;

      if (g_strcmp0 (owner, probe->family) != 0)
        return NULL;
      tacho_api_probe_note (probe, "GET /v1/models answered with models owned by %s",
                            probe->family);
      return tacho_api_openai_new_dialect (dialect, NULL);
    }
  if (insists (probe, "openai") || insists (probe, "openai-responses"))
    {
      tacho_api_probe_note (
          probe, "GET /v1/models answered with a list of %u models: OpenAI-compatible", n_models);
      return insists (probe, "openai") ? tacho_api_openai_new () : tacho_api_responses_new ();
    }
  return NULL;
}

static gboolean
is_ryzanstein (JsonObject *first)
{
  return g_strcmp0 (tacho_json_get_string (first, "owned_by", NULL), "ryzanstein-llm") == 0 ||
         (tacho_json_has (first, "context_window") && tacho_json_has (first, "max_output_tokens") &&
          !tacho_json_has (first, "object") && !tacho_json_has (first, "owned_by"));
}

/* OpenAI itself, whom nobody imitates to the maker's name and yet has routes of its own. */
static gboolean
is_openai_itself (const char *owner)
{
  return g_strcmp0 (owner, "openai") == 0 || g_strcmp0 (owner, "openai-internal") == 0 ||
         g_strcmp0 (owner, "system") == 0;
}

static gboolean
feed_models (TachoApiProbe *probe, JsonNode *root)
{
  g_autoptr (GPtrArray) models = root != NULL ? tacho_openai_list_objects (root, NULL) : NULL;
  JsonObject *first = models != NULL && models->len > 0 ? g_ptr_array_index (models, 0) : NULL;
  const char *owner = tacho_json_get_string (first, "owned_by", NULL);
  gboolean router = tacho_json_get_object (first, "status") != NULL;
  TachoApi *api;

  if (models == NULL)
    return FALSE;
  api = new_listed (probe, owner, models->len);
  if (api == NULL && wants (probe, "llamacpp") &&
      (g_strcmp0 (owner, "llamacpp") == 0 || probe->says_llamacpp))
    {
      tacho_api_probe_note (probe, "GET /v1/models answered with a list of models of llama.cpp%s",
                            router ? ", a router" : "");
      api = tacho_api_llamacpp_new (router, NULL);
    }
  if (api == NULL && wants (probe, "ryzanstein") &&
      (is_ryzanstein (first) || (insists (probe, "ryzanstein") && models->len == 0)))
    {
      tacho_api_probe_note (probe, "GET /v1/models answered with a list of models of Ryzanstein");
      api = tacho_api_ryzanstein_new (TACHO_PROTOCOL_REST, NULL);
    }
  if (api == NULL && probe->family == NULL && is_openai_itself (owner))
    {
      tacho_api_probe_note (probe, "GET /v1/models answered with models of OpenAI's own");
      api = tacho_api_openai_new ();
    }
  if (api != NULL)
    {
      tacho_api_probe_decide (probe, api, TACHO_HEALTH_OK);
      return TRUE;
    }
  probe->lists = TRUE;
  tacho_api_probe_note (
      probe, "GET /v1/models answered with a list of %u models: OpenAI-compatible", models->len);
  if (probe->family == NULL)
    follow_owner (probe, owner);
  return TRUE;
}

static gboolean
feed_v2 (TachoApiProbe *probe, JsonObject *object)
{
  JsonArray *array = tacho_json_get_array (object, "extensions");
  const char *name = tacho_json_get_string (object, "name", NULL);
  const char *version = tacho_json_get_string (object, "version", NULL);
  g_autoptr (GPtrArray) extensions = g_ptr_array_new_with_free_func (g_free);

  if (array == NULL || name == NULL)
    return FALSE;
  for (guint i = 0; i < MIN (json_array_get_length (array), MAX_EXTENSIONS); i++)
    {
      JsonNode *node = json_array_get_element (array, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        g_ptr_array_add (extensions, g_strdup (json_node_get_string (node)));
    }
  g_ptr_array_add (extensions, NULL);
  tacho_api_probe_set_version (probe, version);
  {
    g_autofree char *clean = tacho_api_excerpt (name, strlen (name));

    tacho_api_probe_note (probe,
                          "GET /v2 answered with the metadata of “%s”: Open Inference "
                          "Protocol",
                          clean);
    tacho_api_probe_decide (probe,
                            tacho_api_oip_new (TACHO_PROTOCOL_REST,
                                               (const char *const *) extensions->pdata, clean,
                                               probe->version),
                            TACHO_HEALTH_OK);
  }
  return TRUE;
}

static gboolean
feed_ollama (TachoApiProbe *probe, JsonObject *object)
{
  const char *version = tacho_json_get_string (object, "version", NULL);

  if (version == NULL)
    return FALSE;
  tacho_api_probe_set_version (probe, version);
  tacho_api_probe_note (probe, "GET /api/version answered with a version: Ollama");
  tacho_api_probe_decide (probe, tacho_api_ollama_new (probe->version), TACHO_HEALTH_OK);
  return TRUE;
}

static gboolean
feed_sglang (TachoApiProbe *probe, JsonObject *object)
{
  if (tacho_json_get_string (object, "model_path", NULL) == NULL)
    return FALSE;
  tacho_api_probe_note (probe, "GET /get_model_info answered with a model_path: SGLang");
  tacho_api_probe_decide (probe, tacho_api_openai_new_dialect (TACHO_OPENAI_DIALECT_SGLANG, NULL),
                          TACHO_HEALTH_OK);
  return TRUE;
}

/* An empty list says nothing, unless the server's manners did already. */
static gboolean
feed_lmstudio (TachoApiProbe *probe, JsonObject *object)
{
  gboolean v1 = probe->step == TACHO_PROBE_LMSTUDIO;
  JsonArray *array = tacho_json_get_array (object, v1 ? "models" : "data");
  JsonObject *first = tacho_json_array_get_object (array, 0);

  if (array == NULL)
    return FALSE;
  if (first == NULL ? json_array_get_length (array) > 0 ||
                          !(probe->says_lmstudio || insists (probe, "lmstudio"))
                    : tacho_json_get_string (first, v1 ? "key" : "state", NULL) == NULL)
    return FALSE;
  tacho_api_probe_note (probe, "GET %s answered with LM Studio's models", paths[probe->step]);
  tacho_api_probe_decide (probe, tacho_api_lmstudio_new (v1), TACHO_HEALTH_OK);
  return TRUE;
}

static gboolean
feed_tgi (TachoApiProbe *probe, JsonObject *object)
{
  if (tacho_json_get_string (object, "model_id", NULL) == NULL ||
      !(tacho_json_has (object, "router") || tacho_json_has (object, "max_total_tokens") ||
        tacho_json_has (object, "max_concurrent_requests")))
    return FALSE;
  tacho_api_probe_set_version (probe, tacho_json_get_string (object, "version", NULL));
  tacho_api_probe_note (
      probe, "GET /info answered with a model_id and its limits: Text Generation Inference");
  tacho_api_probe_decide (probe,
                          tacho_api_openai_new_dialect (TACHO_OPENAI_DIALECT_TGI, probe->version),
                          TACHO_HEALTH_OK);
  return TRUE;
}

/* Many servers have a version: it counts only for one that was said to be vLLM. */
static gboolean
feed_vllm (TachoApiProbe *probe, JsonObject *object)
{
  const char *version = tacho_json_get_string (object, "version", NULL);

  if (version == NULL || !(probe->says_vllm || insists (probe, "vllm")))
    return FALSE;
  tacho_api_probe_set_version (probe, version);
  tacho_api_probe_note (probe, "GET /version answered with a version: vLLM");
  tacho_api_probe_decide (probe,
                          tacho_api_openai_new_dialect (TACHO_OPENAI_DIALECT_VLLM, probe->version),
                          TACHO_HEALTH_OK);
  return TRUE;
}

static gboolean
feed_ryzanstein (TachoApiProbe *probe, JsonObject *object)
{
  const char *status = tacho_json_get_string (object, "status", NULL);
  gboolean distributed = tacho_json_has (object, "healthy_gpus");

  if (status == NULL || !(distributed || insists (probe, "ryzanstein")))
    return FALSE;
  tacho_api_probe_set_version (probe, tacho_json_get_string (object, "version", NULL));
  tacho_api_probe_note (probe, "GET /health answered as Ryzanstein does");
  tacho_api_probe_decide (probe, tacho_api_ryzanstein_new (TACHO_PROTOCOL_REST, probe->version),
                          strcmp (status, "initializing") == 0 ? TACHO_HEALTH_LOADING
                          : strcmp (status, "healthy") == 0 || strcmp (status, "ok") == 0
                              ? TACHO_HEALTH_OK
                              : TACHO_HEALTH_UNHEALTHY);
  return TRUE;
}

static gboolean
feed_step (TachoApiProbe *probe, const TachoHttpReply *reply, JsonNode *root, JsonObject *object)
{
  switch ((int) probe->step)
    {
    case TACHO_PROBE_PROPS:
      return feed_props (probe, reply, object);
    case TACHO_PROBE_MODELS:
      return feed_models (probe, root);
    case TACHO_PROBE_V2:
      return feed_v2 (probe, object);
    case TACHO_PROBE_OLLAMA:
      return feed_ollama (probe, object);
    case TACHO_PROBE_SGLANG:
      return feed_sglang (probe, object);
    case TACHO_PROBE_LMSTUDIO:
    case TACHO_PROBE_LMSTUDIO_V0:
      return feed_lmstudio (probe, object);
    case TACHO_PROBE_TGI:
      return feed_tgi (probe, object);
    case TACHO_PROBE_VLLM:
      return feed_vllm (probe, object);
    default:
      return feed_ryzanstein (probe, object);
    }
}

static gboolean
is_web_page (const TachoHttpReply *reply)
{
  gsize length;
  const char *text = g_bytes_get_data (reply->body, &length);

  while (length > 0 && g_ascii_isspace (*text))
    text++, length--;
  return length > 0 && *text == '<';
}

/* LM Studio answers any path, with 200 and these words. */
static gboolean
is_lmstudio_error (const TachoHttpReply *reply)
{
  gsize length;
  const char *text = g_bytes_get_data (reply->body, &length);

  return length > 0 &&
         g_strstr_len (text, (gssize) MIN (length, 4096), "Unexpected endpoint or method") != NULL;
}

/* Two such replies, and no more is asked: a gateway whose server is down, a web site, another
 * address. */
static gboolean
is_useless (const TachoHttpReply *reply)
{
  return reply->status >= 500 || reply->status == 429 ||
         (reply->status >= 300 && reply->status < 400) || is_web_page (reply);
}

static void
decide_plain (TachoApiProbe *probe)
{
  if (probe->lists && probe->family == NULL)
    tacho_api_probe_decide (probe, tacho_api_openai_new (), TACHO_HEALTH_OK);
  else
    probe->step = TACHO_PROBE_DECIDED;
}

static void
next_named (TachoApiProbe *probe)
{
  TachoProbeStep next = TACHO_PROBE_DECIDED;

  for (gsize i = 0; i < G_N_ELEMENTS (plans); i++)
    if (insists (probe, plans[i].name) && plans[i].second != TACHO_PROBE_DECIDED &&
        !was_asked (probe, plans[i].second))
      next = plans[i].second;
  /* llama.cpp asks for its key here but not for the list: without the key nothing else works. */
  if (probe->says_llamacpp && probe->error != NULL && probe->error->code == TACHO_ERROR_HTTP_4XX)
    next = TACHO_PROBE_DECIDED;
  probe->step = next;
}

static void
next_guessed (TachoApiProbe *probe, const TachoHttpReply *reply)
{
  static const TachoProbeStep order[] = { TACHO_PROBE_PROPS,  TACHO_PROBE_MODELS,
                                          TACHO_PROBE_V2,     TACHO_PROBE_OLLAMA,
                                          TACHO_PROBE_SGLANG, TACHO_PROBE_LMSTUDIO,
                                          TACHO_PROBE_TGI,    TACHO_PROBE_RYZANSTEIN };
  gboolean keyed = reply->status == 401 || reply->status == 403;

  if (keyed && (probe->step == TACHO_PROBE_MODELS ||
                (probe->step == TACHO_PROBE_PROPS && probe->says_llamacpp)))
    {
      probe->step = TACHO_PROBE_DECIDED; /* whatever it is, it wants its key */
      return;
    }
  probe->useless += is_useless (reply) ? 1 : 0;
  if (probe->useless >= 2 && !probe->lists)
    {
      probe->step = TACHO_PROBE_DECIDED;
      return;
    }
  if (probe->says_lmstudio && was_asked (probe, TACHO_PROBE_MODELS))
    {
      probe->step = !was_asked (probe, TACHO_PROBE_LMSTUDIO)      ? TACHO_PROBE_LMSTUDIO
                    : !was_asked (probe, TACHO_PROBE_LMSTUDIO_V0) ? TACHO_PROBE_LMSTUDIO_V0
                                                                  : probe->step;
      if (!was_asked (probe, probe->step))
        return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (order); i++)
    if (!was_asked (probe, order[i]) && !(order[i] == TACHO_PROBE_RYZANSTEIN && probe->lists))
      {
        probe->step = order[i];
        return;
      }
  decide_plain (probe);
}

void
tacho_api_probe_rest_feed (TachoApiProbe *probe, const TachoHttpReply *reply)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *object = parse_object (reply, &root);
  TachoProbeStep step = probe->step;
  gboolean told = feed_step (probe, reply, root, object);

  if (probe->step == TACHO_PROBE_DECIDED)
    return;
  if (!told)
    {
      g_autofree char *what = g_strconcat ("GET ", paths[step], NULL);

      tacho_api_probe_note_refusal (probe, what, reply);
    }
  if (is_lmstudio_error (reply))
    probe->says_lmstudio = TRUE;
  if (probe->step != step)
    return; /* a hint is followed */
  if (probe->family != NULL)
    next_named (probe);
  else
    next_guessed (probe, reply);
}
