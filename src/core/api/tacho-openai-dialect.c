/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The routes of vLLM, SGLang and TGI beyond OpenAI's, as their sources have them in 2026. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-openai-dialect-private.h"

#include <string.h>

#include "api/tacho-api-private.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

/* SGLang tells its whole configuration, and more, in one document: of a huge one we take nothing.
 */
#define MAX_INFO ((gsize) 4 * 1024 * 1024)

static const TachoOpenaiDialectFacts facts[] = {
  [TACHO_OPENAI_DIALECT_PLAIN] = { .family = "openai", .title = "OpenAI-compatible server" },
  [TACHO_OPENAI_DIALECT_VLLM] = {
      .family = "vllm",
      .title = "vLLM",
      .flags = TACHO_OPENAI_IGNORE_EOS | TACHO_OPENAI_MIN_TOKENS,
      .own_routes = TRUE,
      .sleep_path = "/sleep?level=1",
      .wake_path = "/wake_up",
      .sleep_switch = "start vLLM with --enable-sleep-mode and VLLM_SERVER_DEV_MODE=1",
      .lora_load = "/v1/load_lora_adapter",
      .lora_unload = "/v1/unload_lora_adapter",
      .lora_switch = "start vLLM with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True",
  },
  [TACHO_OPENAI_DIALECT_SGLANG] = {
      .family = "sglang",
      .title = "SGLang",
      .flags = TACHO_OPENAI_IGNORE_EOS | TACHO_OPENAI_MIN_TOKENS,
      .own_routes = TRUE,
      .sleep_path = "/release_memory_occupation",
      .wake_path = "/resume_memory_occupation",
      .sleep_switch = "start an SGLang that has it, with --enable-memory-saver",
      .lora_load = "/load_lora_adapter",
      .lora_unload = "/unload_lora_adapter",
      .lora_switch = "start SGLang with --enable-lora",
      .metrics_switch = "start SGLang with --enable-metrics",
  },
  [TACHO_OPENAI_DIALECT_TGI] = {
      .family = "tgi",
      .title = "Text Generation Inference",
      .own_routes = TRUE,
  },
};

const TachoOpenaiDialectFacts *
tacho_openai_dialect_get_facts (TachoOpenaiDialect dialect)
{
  return &facts[(guint) dialect < G_N_ELEMENTS (facts) ? dialect : TACHO_OPENAI_DIALECT_PLAIN];
}

const char *
tacho_openai_dialect_more_path (TachoOpenaiDialect dialect, TachoOperation operation, guint step)
{
  switch (dialect)
    {
    case TACHO_OPENAI_DIALECT_VLLM:
      return step == 1 ? "/is_sleeping" : NULL;
    case TACHO_OPENAI_DIALECT_SGLANG:
      if (operation == TACHO_OP_SHOW_MODEL && step == 2)
        return "/get_server_info";
      return step == 1 ? "/get_model_info" : NULL;
    case TACHO_OPENAI_DIALECT_TGI:
      return step == 1 ? "/info" : NULL;
    case TACHO_OPENAI_DIALECT_PLAIN:
    default:
      return NULL;
    }
}

static void
set_text (char **member, const char *text)
{
  if (text == NULL || text[0] == '\0')
    return;
  g_free (*member);
  *member = g_strdup (text);
}

static void
set_count (gint64 *member, JsonObject *object, const char *name)
{
  gint64 count = tacho_api_get_count (object, name, 0);

  if (count > 0)
    *member = count;
}

static void
read_vllm (JsonObject *object, TachoModelInfo *info)
{
  /* The adapters stay listed, but nothing of the server answers while it sleeps. */
  if (tacho_json_has (object, "is_sleeping"))
    info->status = tacho_json_get_boolean (object, "is_sleeping", FALSE)
                       ? TACHO_MODEL_STATUS_SLEEPING
                       : TACHO_MODEL_STATUS_LOADED;
}

static void
read_sglang (JsonObject *object, TachoModelInfo *info)
{
  set_count (&info->context_window, object, "context_length");
  set_text (&info->quantization, tacho_json_get_string (object, "quantization", NULL));
  if (tacho_json_has (object, "is_generation"))
    set_text (&info->kind,
              tacho_json_get_boolean (object, "is_generation", TRUE) ? "chat" : "embedding");
}

static void
read_tgi (JsonObject *object, TachoModelInfo *info)
{
  const char *tag = tacho_json_get_string (object, "model_pipeline_tag", NULL);

  set_count (&info->context_window, object, "max_total_tokens");
  if (g_strcmp0 (tag, "text-generation") == 0)
    set_text (&info->kind, "chat");
  else if (g_strcmp0 (tag, "image-text-to-text") == 0)
    set_text (&info->kind, "vision");
  info->status = TACHO_MODEL_STATUS_LOADED;
}

void
tacho_openai_dialect_read_info (TachoOpenaiDialect dialect,
                                JsonObject *object,
                                TachoModelInfo *info)
{
  if (dialect == TACHO_OPENAI_DIALECT_VLLM)
    read_vllm (object, info);
  else if (dialect == TACHO_OPENAI_DIALECT_SGLANG)
    read_sglang (object, info);
  else if (dialect == TACHO_OPENAI_DIALECT_TGI)
    read_tgi (object, info);
}

/* What a server does not tell, because it is older, guarded or not switched on, is simply not
 * known; the list stands without it. */
gboolean
tacho_openai_dialect_read_more (TachoOpenaiDialect dialect,
                                const char *path,
                                const TachoHttpReply *reply,
                                GPtrArray *models,
                                GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *object;

  if (reply->status < 200 || reply->status >= 300 || g_bytes_get_size (reply->body) > MAX_INFO)
    return TRUE;
  root = tacho_api_parse_reply (reply, error);
  if (root == NULL)
    return FALSE;
  object = JSON_NODE_HOLDS_OBJECT (root) ? json_node_get_object (root) : NULL;
  if (object == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The server's reply to %s is not an object", path);
      return FALSE;
    }
  for (guint i = 0; i < models->len; i++)
    tacho_openai_dialect_read_info (dialect, object, g_ptr_array_index (models, i));
  return TRUE;
}

static TachoHttpRequest *
build_post (const char *path, const char *const *members)
{
  g_autoptr (JsonObject) object = json_object_new ();
  g_autoptr (JsonNode) root = json_node_new (JSON_NODE_OBJECT);
  TachoHttpRequest *request = tacho_http_request_new ("POST", path);

  for (; members[0] != NULL; members += 2)
    if (members[1] != NULL)
      json_object_set_string_member (object, members[0], members[1]);
  json_node_set_object (root, object);
  tacho_http_request_set_json (request, tacho_json_to_string (root, FALSE));
  return request;
}

TachoHttpRequest *
tacho_openai_dialect_build_tokenize (TachoOpenaiDialect dialect,
                                     const char *model_id,
                                     const char *text)
{
  const char *const tgi[] = { "inputs", text, NULL };
  const char *const others[] = { "prompt", text, "model", model_id, NULL };

  return build_post ("/tokenize", dialect == TACHO_OPENAI_DIALECT_TGI ? tgi : others);
}

/* vLLM and SGLang: {"count":n,"tokens":[…]}; TGI: an array of tokens. */
gint64
tacho_openai_dialect_parse_tokenize (const TachoHttpReply *reply, GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  JsonObject *object;
  gint64 count = -1;

  if (reply->status == 404)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
                   "This version of the server does not tokenize (there is no /tokenize)");
      return -1;
    }
  root = tacho_api_parse_reply (reply, error);
  if (root == NULL)
    return -1;
  if (JSON_NODE_HOLDS_ARRAY (root))
    return json_array_get_length (json_node_get_array (root));
  object = json_node_get_object (root);
  count = tacho_api_get_count (object, "count", -1);
  if (count < 0 && tacho_json_get_array (object, "tokens") != NULL)
    count = json_array_get_length (tacho_json_get_array (object, "tokens"));
  if (count < 0)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                 "The server's reply to /tokenize has no count");
  return count;
}

TachoHttpRequest *
tacho_openai_dialect_build_lora (TachoOpenaiDialect dialect, const char *name, const char *path)
{
  const char *const members[] = { "lora_name", name, "lora_path", path, NULL };

  return build_post (path != NULL ? facts[dialect].lora_load : facts[dialect].lora_unload, members);
}

/* SGLang refuses a POST without a JSON content type. */
TachoHttpRequest *
tacho_openai_dialect_build_sleep (TachoOpenaiDialect dialect, gboolean sleep)
{
  const char *const members[] = { NULL };
  const char *path = sleep ? facts[dialect].sleep_path : facts[dialect].wake_path;

  return dialect == TACHO_OPENAI_DIALECT_SGLANG ? build_post (path, members)
                                                : tacho_http_request_new ("POST", path);
}

gboolean
tacho_openai_dialect_no_route (const TachoHttpReply *reply)
{
  g_autoptr (JsonNode) root = NULL;
  const char *text;
  gsize length;

  if (reply->status == 405)
    return TRUE;
  if (reply->status != 404)
    return FALSE;
  text = g_bytes_get_data (reply->body, &length);
  if (length == 0)
    return TRUE;
  root = tacho_json_parse_object (text, length, NULL);
  return root != NULL &&
         g_strcmp0 (tacho_json_get_string (json_node_get_object (root), "detail", NULL),
                    "Not Found") == 0;
}

/* A success is plain text, an empty body, or JSON with `success`. */
static gboolean
says_failure (const TachoHttpReply *reply, GError **error)
{
  gsize length;
  const char *text = g_bytes_get_data (reply->body, &length);
  g_autoptr (JsonNode) root = length > 0 ? tacho_json_parse_object (text, length, NULL) : NULL;
  JsonObject *object = root != NULL ? json_node_get_object (root) : NULL;
  g_autofree char *words = NULL;

  if (object == NULL)
    return FALSE;
  words = tacho_api_in_band_words (object);
  if (words == NULL && !tacho_json_get_boolean (object, "success", TRUE))
    {
      const char *message = tacho_json_get_string (object, "error_message", "no message was given");

      words = tacho_api_excerpt (message, strlen (message));
    }
  if (words == NULL)
    return FALSE;
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_IN_BAND, "%s", words);
  return TRUE;
}

gboolean
tacho_openai_dialect_parse_change (TachoOpenaiDialect dialect,
                                   TachoOperation operation,
                                   const char *model_id,
                                   gboolean adapter,
                                   const TachoHttpReply *reply,
                                   GError **error)
{
  const TachoOpenaiDialectFacts *fact = tacho_openai_dialect_get_facts (dialect);
  const char *verb = operation == TACHO_OP_LOAD_MODEL ? "load" : "unload";
  g_autoptr (GError) reason = NULL;

  if (tacho_openai_dialect_no_route (reply))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED, "This server does not %s %s: %s",
                   verb, adapter ? "adapters while it runs" : "its model while it runs",
                   adapter ? fact->lora_switch : fact->sleep_switch);
      return FALSE;
    }
  if (!tacho_api_check_model_reply (model_id, reply, error))
    return FALSE;
  if (reply->status < 200 || reply->status >= 300)
    reason = tacho_api_error_from_reply (reply);
  else if (!says_failure (reply, &reason))
    return TRUE;
  return tacho_api_change_refused (verb, model_id, reply, reason, error);
}
