/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads prompts: {"prompt"}, {"messages"}, ShareGPT's {"conversations"}, and the traces of Mooncake
 * ({"timestamp","input_length","output_length"}), one object a line or all in one array. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-prompts-file.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

#include <math.h>
#include <string.h>

#define MAX_BYTES ((goffset) 1024 * 1024 * 1024)
#define MAX_TOKENS 1000000

typedef struct
{
  const char *path;
  guint line;
  gboolean array;
} Place;

static void
message_free_cb (gpointer data)
{
  TachoMessage *message = data;

  g_free (message->content);
  g_free (message);
}

static void
turn_free_cb (gpointer data)
{
  TachoPromptTurn *turn = data;

  g_ptr_array_unref (turn->messages);
  g_free (turn);
}

static void
entry_free_cb (gpointer data)
{
  TachoPromptEntry *entry = data;

  g_ptr_array_unref (entry->turns);
  g_free (entry);
}

static gboolean
fail (const Place *place, GError **error, const char *what)
{
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "%s, %s %u: %s", place->path,
               place->array ? "element" : "line", place->line, what);
  return FALSE;
}

static TachoPromptTurn *
add_turn (TachoPromptEntry *entry)
{
  TachoPromptTurn *turn = g_new0 (TachoPromptTurn, 1);

  turn->messages = g_ptr_array_new_with_free_func (message_free_cb);
  g_ptr_array_add (entry->turns, turn);
  return turn;
}

static void
add_message (TachoPromptTurn *turn, TachoRole role, const char *content)
{
  TachoMessage *message = g_new0 (TachoMessage, 1);

  message->role = role;
  message->content = g_strdup (content);
  g_ptr_array_add (turn->messages, message);
}

static gboolean
role_of (const char *name, TachoRole *role)
{
  static const struct
  {
    const char *name;
    TachoRole role;
  } roles[] = {
    { "system", TACHO_ROLE_SYSTEM },       { "developer", TACHO_ROLE_SYSTEM },
    { "user", TACHO_ROLE_USER },           { "human", TACHO_ROLE_USER },
    { "assistant", TACHO_ROLE_ASSISTANT }, { "gpt", TACHO_ROLE_ASSISTANT },
    { "chatgpt", TACHO_ROLE_ASSISTANT },   { "bing", TACHO_ROLE_ASSISTANT },
    { "bard", TACHO_ROLE_ASSISTANT },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (roles); i++)
    if (g_strcmp0 (name, roles[i].name) == 0)
      {
        *role = roles[i].role;
        return TRUE;
      }
  return FALSE;
}

/* {"messages"}: one request with all of them. */
static gboolean
read_messages (const Place *place, JsonArray *array, TachoPromptEntry *entry, GError **error)
{
  TachoPromptTurn *turn = add_turn (entry);
  TachoRole role = TACHO_ROLE_ASSISTANT;

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonObject *object = tacho_json_array_get_object (array, i);
      const char *content =
          object != NULL ? tacho_json_get_string (object, "content", NULL) : NULL;

      if (content == NULL || *content == '\0' ||
          !role_of (tacho_json_get_string (object, "role", NULL), &role))
        return fail (place, error,
                     "each of “messages” needs a role (system, user, assistant) and a content");
      add_message (turn, role, content);
    }
  if (role != TACHO_ROLE_USER)
    return fail (place, error, "the last of “messages” must be the user's");
  return TRUE;
}

/* {"conversations"}: a turn for each of the user's messages, with what stands before it. A reply
 * at the end is nothing to ask for. */
static gboolean
read_conversation (const Place *place, JsonArray *array, TachoPromptEntry *entry, GError **error)
{
  TachoPromptTurn *turn = NULL;

  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonObject *object = tacho_json_array_get_object (array, i);
      const char *value = object != NULL ? tacho_json_get_string (object, "value", NULL) : NULL;
      TachoRole role;

      if (value == NULL || !role_of (tacho_json_get_string (object, "from", NULL), &role))
        return fail (place, error, "each of “conversations” needs “from” (human, gpt) and “value”");
      if (*value == '\0')
        continue;
      if (turn == NULL)
        turn = add_turn (entry);
      add_message (turn, role, value);
      if (role == TACHO_ROLE_USER)
        turn = NULL;
    }
  if (turn != NULL)
    g_ptr_array_remove_index (entry->turns, entry->turns->len - 1);
  return entry->turns->len > 0 || fail (place, error, "the conversation has no message of a user");
}

static gint64
first_count (JsonObject *object, const char *const *names)
{
  for (; *names != NULL; names++)
    if (tacho_json_has (object, *names))
      return tacho_json_get_int (object, *names, -1);
  return 0;
}

static gboolean
read_lengths (const Place *place, JsonObject *object, TachoPromptEntry *entry, GError **error)
{
  static const char *const inputs[] = { "input_length", "input_tokens", "prompt_tokens", NULL };
  static const char *const outputs[] = { "output_length", "output_tokens", "max_tokens", NULL };
  gint64 input = first_count (object, inputs);
  gint64 output = first_count (object, outputs);

  if (input < 0 || input > MAX_TOKENS || output < 0 || output > MAX_TOKENS)
    return fail (place, error, "lengths are between 1 and 1000000 tokens");
  if (entry->turns->len == 0)
    {
      if (input == 0)
        return fail (place, error,
                     "it needs a “prompt”, “messages”, “conversations” or an “input_length”");
      add_turn (entry)->input_tokens = (guint) input;
    }
  for (guint i = 0; i < entry->turns->len; i++)
    ((TachoPromptTurn *) g_ptr_array_index (entry->turns, i))->output_tokens = output;
  return TRUE;
}

static gboolean
read_entry (const Place *place, JsonObject *object, GPtrArray *entries, GError **error)
{
  TachoPromptEntry *entry = g_new0 (TachoPromptEntry, 1);
  const char *prompt = tacho_json_get_string (object, "prompt", NULL);
  JsonArray *messages = tacho_json_get_array (object, "messages");
  JsonArray *conversation = tacho_json_get_array (object, "conversations");
  double stamp_ms = tacho_json_get_double (object, "timestamp", NAN);

  g_ptr_array_add (entries, entry);
  entry->turns = g_ptr_array_new_with_free_func (turn_free_cb);
  entry->line = place->line;
  entry->due_ns =
      stamp_ms >= 0 && stamp_ms < 1e12 ? (gint64) (stamp_ms * TACHO_NS_PER_MS) : -1;
  if (prompt == NULL)
    prompt = tacho_json_get_string (object, "text", NULL);
  if (prompt != NULL && *prompt == '\0')
    return fail (place, error, "the prompt is empty");
  if (prompt != NULL)
    add_message (add_turn (entry), TACHO_ROLE_USER, prompt);
  else if (messages != NULL && !read_messages (place, messages, entry, error))
    return FALSE;
  else if (messages == NULL && conversation != NULL &&
           !read_conversation (place, conversation, entry, error))
    return FALSE;
  return read_lengths (place, object, entry, error);
}

static gboolean
read_array (Place *place, const char *text, gsize length, GPtrArray *entries, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) root = tacho_json_parse (text, length, &reason);
  JsonArray *array =
      root != NULL && JSON_NODE_HOLDS_ARRAY (root) ? json_node_get_array (root) : NULL;

  place->array = TRUE;
  if (array == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "%s is no JSON array: %s", place->path,
                   reason != NULL ? reason->message : "it is something else");
      return FALSE;
    }
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonObject *object = tacho_json_array_get_object (array, i);

      place->line = i + 1;
      if (object == NULL)
        return fail (place, error, "this is no JSON object");
      if (!read_entry (place, object, entries, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
read_lines (Place *place, const char *text, gsize length, GPtrArray *entries, GError **error)
{
  const char *end = text + length;

  for (const char *at = text; at < end;)
    {
      const char *stop = memchr (at, '\n', (gsize) (end - at));
      gsize n = stop != NULL ? (gsize) (stop - at) : (gsize) (end - at);
      g_autoptr (GError) reason = NULL;
      g_autoptr (JsonNode) node = NULL;

      place->line++;
      if (strspn (at, " \t\r") < n)
        {
          node = tacho_json_parse_object (at, n, &reason);
          if (node == NULL)
            return fail (place, error, reason->message);
          if (!read_entry (place, json_node_get_object (node), entries, error))
            return FALSE;
        }
      at += n + 1;
    }
  return TRUE;
}

/**
 * tacho_prompts_file_read:
 * @path: a file
 * @error: return location
 *
 * Reads a prompts file whole; one bad line refuses it all, before the first request.
 *
 * Returns: (transfer full) (element-type TachoPromptEntry): its conversations, at least one
 */
GPtrArray *
tacho_prompts_file_read (const char *path, GError **error)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func (entry_free_cb);
  g_autoptr (GError) reason = NULL;
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, &reason);
  Place place = { path, 0, FALSE };
  g_autofree char *text = NULL;
  gsize length;

  if (file == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "The prompts file cannot be read: %s",
                   reason->message);
      return NULL;
    }
  length = g_mapped_file_get_length (file);
  if ((goffset) length > MAX_BYTES)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "%s is larger than 1 GiB", path);
      return NULL;
    }
  /* Ends in NUL, which the mapping does not. */
  text = g_strndup (length > 0 ? g_mapped_file_get_contents (file) : "", length);
  if (strlen (text) != length || !g_utf8_validate (text, (gssize) length, NULL))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "%s is no UTF-8 text", path);
      return NULL;
    }
  if (text[strspn (text, " \t\r\n")] == '['
          ? !read_array (&place, text, length, entries, error)
          : !read_lines (&place, text, length, entries, error))
    return NULL;
  if (entries->len == 0)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "%s holds no prompt", path);
      return NULL;
    }
  return g_steal_pointer (&entries);
}
