/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A conversation from JSON, which anyone may have written. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-conversation-document.h"

#include "base/tacho-error.h"
#include "base/tacho-json.h"
#include "base/tacho-text.h"

#include <string.h>

#define SCHEMA_PREFIX "tacho.conversation/"
#define MAX_NAME_CHARS 200

static void
take_text (char **field, JsonObject *object, const char *member)
{
  g_free (*field);
  *field = g_strdup (tacho_json_get_string (object, member, ""));
}

static void
take_line (char **field, JsonObject *object, const char *member)
{
  g_free (*field);
  *field =
      tacho_text_sanitize_line (tacho_json_get_string (object, member, ""), -1, MAX_NAME_CHARS);
  g_strstrip (*field);
}

/* NULL where there is none. */
static char *
dup_json (JsonObject *object, const char *member)
{
  const char *text = tacho_json_get_string (object, member, NULL);

  if (text != NULL)
    return g_strdup (text);
  if (!tacho_json_has (object, member))
    return NULL;
  return tacho_json_to_string (json_object_get_member (object, member), FALSE);
}

/* GLib reads the fraction as a double and would lose a microsecond of it. */
static gint64
get_time (JsonObject *object, const char *member)
{
  const char *text = tacho_json_get_string (object, member, "");
  const char *dot = strchr (text, '.');
  gsize digits = dot != NULL ? strspn (dot + 1, "0123456789") : 0;
  g_autofree char *whole = NULL;
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autoptr (GDateTime) time = NULL;
  gint64 fraction = 0;

  if (dot == NULL)
    whole = g_strdup (text);
  else
    whole = g_strdup_printf ("%.*s%s", (int) MIN (dot - text, 64), text, dot + 1 + digits);
  for (gsize i = 0; i < 6; i++)
    fraction = fraction * 10 + (i < digits ? dot[1 + i] - '0' : 0);
  time = g_date_time_new_from_iso8601 (whole, utc);
  return time != NULL ? g_date_time_to_unix (time) * G_USEC_PER_SEC + fraction : 0;
}

static gboolean
invalid (GError **error, guint number, const char *what)
{
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "This conversation cannot be read: message %u %s", number, what);
  return FALSE;
}

static gboolean
read_attachments (TachoConversationMessage *message,
                  JsonObject *object,
                  guint number,
                  GError **error)
{
  JsonArray *array = tacho_json_get_array (object, "attachments");

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    {
      JsonObject *file = tacho_json_array_get_object (array, i);
      const char *text = tacho_json_get_string (file, "text", "");

      if (file == NULL)
        return invalid (error, number, "has an attachment that is no object");
      if (!tacho_conversation_message_attach (message, tacho_json_get_string (file, "name", ""),
                                              text, strlen (text), error))
        return FALSE;
    }
  return TRUE;
}

static char *
dup_nullable (JsonObject *object, const char *member)
{
  return g_strdup (tacho_json_get_string (object, member, NULL));
}

/* @known: ids of the messages before. Without ids and `follows` each follows the one before it. */
static gboolean
read_message (TachoConversationDocument *self,
              JsonObject *object,
              GHashTable *known,
              GError **error)
{
  guint number = self->messages->len + 1;
  const char *text = tacho_json_get_string (object, "text", NULL);
  TachoConversationMessage *message, *before;

  if (object == NULL)
    return invalid (error, number, "is no object");
  if (text == NULL)
    return invalid (error, number, "has no text");
  before = number > 1 ? g_ptr_array_index (self->messages, number - 2) : NULL;
  message = tacho_conversation_message_new (TACHO_ROLE_USER, text);
  g_ptr_array_add (self->messages, message);
  message->id = tacho_json_get_int (object, "id", number);
  message->follows = tacho_json_get_int (object, "follows", before != NULL ? before->id : 0);
  message->active = tacho_json_get_boolean (object, "active", TRUE);
  message->created = get_time (object, "created");
  message->model = dup_nullable (object, "model");
  message->failure = dup_nullable (object, "failure");
  message->reasoning = dup_nullable (object, "reasoning");
  message->stats = dup_json (object, "stats");
  if (!tacho_role_from_string (tacho_json_get_string (object, "role", NULL), &message->role))
    return invalid (error, number, "has no role of system, user or assistant");
  if (tacho_json_has (object, "state") &&
      !tacho_message_state_from_string (tacho_json_get_string (object, "state", NULL),
                                        &message->state))
    return invalid (error, number, "has a state that is not known");
  if (message->state == TACHO_MESSAGE_STREAMING)
    message->state = TACHO_MESSAGE_INTERRUPTED; /* nobody will go on with it */
  if (message->follows != 0 && !g_hash_table_contains (known, &message->follows))
    return invalid (error, number, "follows one that is not before it");
  if (message->id == 0 || !g_hash_table_add (known, &message->id))
    return invalid (error, number, "has the id of another");
  return read_attachments (message, object, number, error);
}

static gboolean
check_schema (JsonObject *object, GError **error)
{
  const char *schema = tacho_json_get_string (object, "schema", "");

  if (g_str_equal (schema, TACHO_CONVERSATION_SCHEMA))
    return TRUE;
  if (g_str_has_prefix (schema, SCHEMA_PREFIX))
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
                 "This conversation is of the schema %.40s, which this Tacho does not know: "
                 "use a newer one",
                 schema);
  else
    g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                         "This is no conversation that Tacho exported (its schema is not "
                         "“" TACHO_CONVERSATION_SCHEMA "”)");
  return FALSE;
}

/**
 * tacho_conversation_document_from_json:
 * @text: (array length=length): what tacho_conversation_document_to_json() made, or a program that
 *   knows the schema
 * @length: bytes of @text
 * @error: return location
 *
 * Only `schema`, `messages` and of each message `role` and `text` must be there. A reply that still
 * grew counts as interrupted.
 *
 * Returns: (transfer full): the conversation, or %NULL
 */
TachoConversationDocument *
tacho_conversation_document_from_json (const char *text, gsize length, GError **error)
{
  g_autoptr (TachoConversationDocument) self = tacho_conversation_document_new ();
  g_autoptr (JsonNode) node = tacho_json_parse_object (text, length, error);
  g_autoptr (GHashTable) known = g_hash_table_new (g_int64_hash, g_int64_equal);
  JsonObject *object = node != NULL ? json_node_get_object (node) : NULL;
  JsonArray *messages = tacho_json_get_array (object, "messages");
  char *settings;

  if (object == NULL || !check_schema (object, error))
    return NULL;
  if (messages == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "This conversation cannot be read: it has no list of messages");
      return NULL;
    }
  take_line (&self->title, object, "title");
  take_line (&self->model, object, "model");
  take_line (&self->server, object, "server");
  take_text (&self->system_prompt, object, "system_prompt");
  settings = dup_json (object, "settings");
  if (settings != NULL)
    {
      g_free (self->settings);
      self->settings = settings;
    }
  self->pinned = tacho_json_get_boolean (object, "pinned", FALSE);
  self->created = get_time (object, "created");
  self->updated = get_time (object, "updated");
  for (guint i = 0; i < json_array_get_length (messages); i++)
    if (!read_message (self, tacho_json_array_get_object (messages, i), known, error))
      return NULL;
  return g_steal_pointer (&self);
}
