/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a request to its prompt's tokens. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-prompt.h"

#include "base/tacho-json.h"
#include "sim/tacho-sim-text.h"

#define MAX_MESSAGES 10000

static void
append_template (GArray *tokens, guint32 what)
{
  guint32 hash = what * 2654435761u;

  g_array_append_val (tokens, hash);
}

static gboolean
tokenize_content (JsonObject *message, GArray *tokens)
{
  const char *text = tacho_json_get_string (message, "content", NULL);
  JsonArray *parts = tacho_json_get_array (message, "content");

  if (text != NULL)
    tacho_sim_tokenize (text, tokens);
  for (guint i = 0; parts != NULL && i < json_array_get_length (parts); i++)
    {
      const char *part =
          tacho_json_get_string (tacho_json_array_get_object (parts, i), "text", NULL);

      if (part == NULL)
        return FALSE;
      tacho_sim_tokenize (part, tokens);
    }
  return text != NULL || parts != NULL || !tacho_json_has (message, "content");
}

/* The chat template's own tokens: three before a message, one after it, three for the reply's
 * begin. */
static const char *
tokenize_messages (JsonArray *messages, GArray *tokens)
{
  guint n = messages ? json_array_get_length (messages) : 0;

  if (n > MAX_MESSAGES)
    return "there are too many messages";
  for (guint i = 0; i < n; i++)
    {
      JsonObject *message = tacho_json_array_get_object (messages, i);
      const char *role = tacho_json_get_string (message, "role", NULL);

      if (role == NULL)
        return "each of 'messages' must be an object with a 'role'";
      append_template (tokens, 1);
      append_template (tokens, g_str_hash (role));
      append_template (tokens, 2);
      if (!tokenize_content (message, tokens))
        return "the 'content' of a message must be text or an array of text parts";
      append_template (tokens, 3);
    }
  append_template (tokens, 1);
  append_template (tokens, g_str_hash ("assistant"));
  append_template (tokens, 2);
  return NULL;
}

/* Messages, or bare parts of text as LM Studio takes them. */
static const char *
tokenize_input (JsonArray *input, GArray *tokens)
{
  JsonObject *first = tacho_json_array_get_object (input, 0);

  if (tacho_json_has (first, "role"))
    return tokenize_messages (input, tokens);
  append_template (tokens, g_str_hash ("user"));
  for (guint i = 0; i < MIN (json_array_get_length (input), MAX_MESSAGES); i++)
    {
      JsonObject *part = tacho_json_array_get_object (input, i);
      const char *text =
          tacho_json_get_string (part, "content", tacho_json_get_string (part, "text", NULL));

      if (text == NULL)
        return "each part of 'input' must be an object with text";
      tacho_sim_tokenize (text, tokens);
    }
  append_template (tokens, g_str_hash ("assistant"));
  return NULL;
}

/**
 * tacho_sim_prompt_from_chat:
 * @request: a chat request
 * @tokens: (element-type guint32): gets its tokens, the template's included
 *
 * Returns: (nullable): what is wrong with it
 */
const char *
tacho_sim_prompt_from_chat (JsonObject *request, GArray *tokens)
{
  JsonArray *messages = tacho_json_get_array (request, "messages");

  if (messages == NULL || json_array_get_length (messages) == 0)
    return "'messages' must be an array of messages, and not be empty";
  return tokenize_messages (messages, tokens);
}

/**
 * tacho_sim_prompt_from_input:
 * @request: a request with an `input`: text, or an array of messages
 * @tokens: (element-type guint32): gets its tokens, the template's included
 *
 * Returns: (nullable): what is wrong with it
 */
const char *
tacho_sim_prompt_from_input (JsonObject *request, GArray *tokens)
{
  const char *text = tacho_json_get_string (request, "input", NULL);
  JsonArray *input = tacho_json_get_array (request, "input");
  const char *system = tacho_json_get_string (
      request, "instructions", tacho_json_get_string (request, "system_prompt", NULL));

  if (text == NULL && (input == NULL || json_array_get_length (input) == 0))
    return "'input' must be text, or an array of messages, and not be empty";
  if (system != NULL)
    {
      append_template (tokens, g_str_hash ("system"));
      tacho_sim_tokenize (system, tokens);
    }
  if (text == NULL)
    return tokenize_input (input, tokens);
  append_template (tokens, g_str_hash ("user"));
  tacho_sim_tokenize (text, tokens);
  append_template (tokens, g_str_hash ("assistant"));
  return NULL;
}

/**
 * tacho_sim_prompt_from_completion:
 * @request: a completion request
 * @tokens: (element-type guint32): gets its tokens
 *
 * Returns: (nullable): what is wrong with it
 */
const char *
tacho_sim_prompt_from_completion (JsonObject *request, GArray *tokens)
{
  const char *prompt = tacho_json_get_string (request, "prompt", NULL);
  JsonArray *parts = tacho_json_get_array (request, "prompt");

  append_template (tokens, 4);
  if (prompt != NULL)
    {
      tacho_sim_tokenize (prompt, tokens);
      return NULL;
    }
  if (parts == NULL || json_array_get_length (parts) != 1 ||
      !JSON_NODE_HOLDS_VALUE (json_array_get_element (parts, 0)) ||
      json_node_get_value_type (json_array_get_element (parts, 0)) != G_TYPE_STRING)
    return "'prompt' must be text (the simulated server takes one at a time)";
  tacho_sim_tokenize (json_array_get_string_element (parts, 0), tokens);
  return NULL;
}
