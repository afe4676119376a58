/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One chunk of a streamed reply, or the whole of one that was not: the full reading, by json-glib.
 * tacho-json-scan.c must agree with it on all that a measurement needs. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-openai-json.h"

#include <math.h>
#include <string.h>

#include "api/tacho-api-private.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

/**
 * tacho_openai_event_clear:
 * @event: (out caller-allocates): an event
 *
 * Makes a fresh event, which says nothing. What it held is not freed.
 */
void
tacho_openai_event_clear (TachoStreamEvent *event)
{
  memset (event, 0, sizeof *event);
  tacho_usage_clear (&event->usage);
  tacho_timings_clear (&event->timings);
  event->tool_index = -1;
  event->prompt_progress = NAN;
  event->prompt_total = -1;
}

static gboolean
wrong_type (const char *member, const char *wanted, GError **error)
{
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
               "The server's reply is not of the OpenAI shape: “%s” is not %s", member, wanted);
  return FALSE;
}

/* Text: absent and null are NULL, anything else but a string is not of this protocol. */
static gboolean
read_text (JsonObject *object, const char *member, const char **text, GError **error)
{
  *text = tacho_json_get_string (object, member, NULL);
  if (*text == NULL && tacho_json_has (object, member))
    return wrong_type (member, "text", error);
  if (*text != NULL && (*text)[0] == '\0')
    *text = NULL;
  return TRUE;
}

static gboolean
read_object (JsonObject *object, const char *member, JsonObject **child, GError **error)
{
  *child = tacho_json_get_object (object, member);
  if (*child == NULL && tacho_json_has (object, member))
    return wrong_type (member, "an object", error);
  return TRUE;
}

static gboolean
read_array (JsonObject *object, const char *member, JsonArray **child, GError **error)
{
  *child = tacho_json_get_array (object, member);
  if (*child == NULL && tacho_json_has (object, member))
    return wrong_type (member, "an array", error);
  return TRUE;
}

/**
 * tacho_openai_read_tool:
 * @tools: the tool calls of a delta
 * @index: which of them
 * @event: the event whose tool members are set; their strings belong to @tools
 * @error: return location
 *
 * Returns: %TRUE; or %FALSE with %TACHO_ERROR_PROTOCOL if it is not an object of the right shape
 */
gboolean
tacho_openai_read_tool (JsonArray *tools, guint index, TachoStreamEvent *event, GError **error)
{
  JsonObject *tool = tacho_json_array_get_object (tools, index);
  JsonObject *function;

  if (tool == NULL)
    return wrong_type ("tool_calls", "an array of objects", error);
  if (!read_object (tool, "function", &function, error) ||
      !read_text (tool, "id", &event->tool_id, error) ||
      !read_text (function, "name", &event->tool_name, error) ||
      !read_text (function, "arguments", &event->tool_arguments, error))
    return FALSE;
  event->tool_index = (int) CLAMP (tacho_json_get_int (tool, "index", (gint64) index), 0, G_MAXINT);
  event->has_tool =
      event->tool_id != NULL || event->tool_name != NULL || event->tool_arguments != NULL;
  return TRUE;
}

/* A usage of zeros, which Ollama puts into every chunk, says nothing: no prompt has no tokens. */
static void
read_usage (JsonObject *object, TachoStreamEvent *event)
{
  TachoUsage *usage = &event->usage;

  if (object == NULL)
    return;
  usage->prompt_tokens = tacho_api_get_count (object, "prompt_tokens", -1);
  usage->output_tokens = tacho_api_get_count (object, "completion_tokens", -1);
  usage->cached_tokens = tacho_api_get_count (
      tacho_json_get_object (object, "prompt_tokens_details"), "cached_tokens", -1);
  usage->reasoning_tokens = tacho_api_get_count (
      tacho_json_get_object (object, "completion_tokens_details"), "reasoning_tokens", -1);
  event->has_usage = usage->prompt_tokens > 0 || usage->output_tokens > 0;
  if (!event->has_usage)
    tacho_usage_clear (usage);
}

static double
read_ms (JsonObject *object, const char *member)
{
  double value = tacho_json_get_double (object, member, NAN);

  return value >= 0 ? value : NAN;
}

static void
read_timings (JsonObject *object, TachoStreamEvent *event)
{
  TachoTimings *timings = &event->timings;

  if (object == NULL)
    return;
  timings->prompt_n = tacho_api_get_count (object, "prompt_n", -1);
  timings->prompt_ms = read_ms (object, "prompt_ms");
  timings->cached_n = tacho_api_get_count (object, "cache_n", -1);
  timings->predicted_n = tacho_api_get_count (object, "predicted_n", -1);
  timings->predicted_ms = read_ms (object, "predicted_ms");
  event->has_timings = !isnan (timings->prompt_ms) || !isnan (timings->predicted_ms);
  if (!event->has_timings)
    tacho_timings_clear (timings);
}

static void
read_progress (JsonObject *object, TachoStreamEvent *event)
{
  gint64 total = tacho_api_get_count (object, "total", -1);
  gint64 processed = tacho_api_get_count (object, "processed", -1);

  if (total <= 0 || processed < 0)
    return;
  event->prompt_total = total;
  event->prompt_progress = CLAMP ((double) processed / (double) total, 0.0, 1.0);
}

/* OpenRouter's third form: pieces of text or of a summary, joined where there are several. The
 * joined text becomes a member of `delta`, which so owns it. */
static const char *
read_reasoning_details (JsonObject *delta, JsonArray *details)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < json_array_get_length (details); i++)
    {
      JsonObject *detail = tacho_json_array_get_object (details, i);
      const char *piece = tacho_json_get_string (detail, "text", NULL);

      g_string_append (text, piece != NULL ? piece : tacho_json_get_string (detail, "summary", ""));
    }
  if (text->len == 0)
    return NULL;
  json_object_set_string_member (delta, "reasoning", text->str);
  return tacho_json_get_string (delta, "reasoning", NULL);
}

/* `reasoning_content` or `reasoning`: some servers send both with the same text, so never the sum.
 * A chat's delta, a completion's text and a whole reply's message differ only in where text
 * stands. */
static gboolean
read_choice (JsonObject *choice, TachoStreamEvent *event, JsonArray **tools, GError **error)
{
  const char *other = NULL;
  JsonObject *delta = NULL;
  JsonArray *details = NULL;

  if (!read_object (choice, "delta", &delta, error) ||
      (delta == NULL && !read_object (choice, "message", &delta, error)) ||
      !read_text (delta, "content", &event->content, error) ||
      !read_text (choice, "text", &other, error))
    return FALSE;
  if (event->content == NULL)
    event->content = other;
  if (!read_text (delta, "reasoning_content", &event->reasoning, error) ||
      !read_text (delta, "reasoning", &other, error) ||
      !read_array (delta, "reasoning_details", &details, error) ||
      !read_array (delta, "tool_calls", tools, error))
    return FALSE;
  if (event->reasoning == NULL)
    event->reasoning = other;
  if (event->reasoning == NULL && details != NULL)
    event->reasoning = read_reasoning_details (delta, details);
  event->role = tacho_json_get_string (delta, "role", NULL);
  event->finish_reason = tacho_json_get_string (choice, "finish_reason", NULL);
  event->has_content = event->content != NULL;
  event->has_reasoning = event->reasoning != NULL;
  if (*tools != NULL && json_array_get_length (*tools) == 0)
    *tools = NULL;
  return *tools == NULL || tacho_openai_read_tool (*tools, 0, event, error);
}

/**
 * tacho_openai_read_chunk:
 * @root: one chunk
 * @event: (out caller-allocates): what it says; the strings belong to @root, the error to the
 *   caller
 * @tools: (out) (transfer none) (nullable): the array of tool calls, whose first is in @event
 *   already; the others are read with tacho_openai_read_tool(). %NULL if there are none
 * @error: return location
 *
 * Reads one chunk of the OpenAI shape. An error that the server reports in the chunk is put into
 * the error of @event, and the chunk counts as read.
 *
 * Returns: %TRUE; or %FALSE with %TACHO_ERROR_PROTOCOL for a member of a wrong type
 */
gboolean
tacho_openai_read_chunk (JsonObject *root,
                         TachoStreamEvent *event,
                         JsonArray **tools,
                         GError **error)
{
  g_autofree char *words = tacho_api_in_band_words (root);
  JsonArray *choices;
  JsonObject *usage;

  *tools = NULL;
  tacho_openai_event_clear (event);
  event->response_id = tacho_json_get_string (root, "id", NULL);
  if (words != NULL)
    {
      event->error =
          g_error_new (TACHO_ERROR, TACHO_ERROR_IN_BAND, "The server reported an error: %s", words);
      return TRUE;
    }
  if (!read_array (root, "choices", &choices, error) || !read_object (root, "usage", &usage, error))
    return FALSE;
  if (choices != NULL && json_array_get_length (choices) > 0)
    {
      JsonObject *choice = tacho_json_array_get_object (choices, 0);

      if (choice == NULL)
        return wrong_type ("choices", "an array of objects", error);
      if (!read_choice (choice, event, tools, error))
        return FALSE;
    }
  if (usage == NULL)
    usage = tacho_json_get_object (tacho_json_get_object (root, "x_groq"), "usage");
  read_usage (usage, event);
  read_timings (tacho_json_get_object (root, "timings"), event);
  read_progress (tacho_json_get_object (root, "prompt_progress"), event);
  if (g_strcmp0 (event->finish_reason, "error") == 0)
    event->error =
        g_error_new (TACHO_ERROR, TACHO_ERROR_IN_BAND,
                     "The server ended the reply with the reason “error” and no message");
  return TRUE;
}
