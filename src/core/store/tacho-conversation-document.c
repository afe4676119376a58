/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A conversation to JSON. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-conversation-document.h"

#include "base/tacho-json.h"

#include <string.h>

/**
 * tacho_conversation_document_new:
 *
 * Returns: (transfer full): a conversation without messages
 */
TachoConversationDocument *
tacho_conversation_document_new (void)
{
  TachoConversationDocument *self = g_new0 (TachoConversationDocument, 1);

  self->title = g_strdup ("");
  self->model = g_strdup ("");
  self->server = g_strdup ("");
  self->system_prompt = g_strdup ("");
  self->settings = g_strdup ("");
  self->messages =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_conversation_message_free);
  return self;
}

/**
 * tacho_conversation_document_free:
 * @self: (nullable): a conversation
 *
 * Frees it.
 */
void
tacho_conversation_document_free (TachoConversationDocument *self)
{
  if (self == NULL)
    return;
  g_free (self->title);
  g_free (self->model);
  g_free (self->server);
  g_free (self->system_prompt);
  g_free (self->settings);
  g_ptr_array_unref (self->messages);
  g_free (self);
}

static void
set_text (JsonObject *object, const char *member, const char *text)
{
  g_autofree char *valid = NULL;

  if (text == NULL || *text == '\0')
    return;
  valid = g_utf8_make_valid (text, -1);
  json_object_set_string_member (object, member, valid);
}

static void
set_time (JsonObject *object, const char *member, gint64 time_us)
{
  g_autoptr (GDateTime) whole = g_date_time_new_from_unix_utc (time_us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) time =
      whole != NULL ? g_date_time_add (whole, time_us % G_USEC_PER_SEC) : NULL;
  g_autofree char *text = time != NULL ? g_date_time_format_iso8601 (time) : NULL;

  if (time_us != 0 && text != NULL)
    json_object_set_string_member (object, member, text);
}

/* JSON as what it is; what is none, as a text. */
static void
set_json (JsonObject *object, const char *member, const char *text)
{
  JsonNode *node = NULL;

  if (text != NULL && *text != '\0')
    node = tacho_json_parse (text, strlen (text), NULL);
  if (node != NULL)
    json_object_set_member (object, member, node);
  else
    set_text (object, member, text);
}

static JsonArray *
attachments_to_json (const TachoConversationMessage *message)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < message->attachments->len; i++)
    {
      const TachoAttachment *file = g_ptr_array_index (message->attachments, i);
      JsonObject *object = json_object_new ();

      set_text (object, "name", file->name);
      set_text (object, "text", file->text);
      json_array_add_object_element (array, object);
    }
  return array;
}

static JsonObject *
message_to_json (const TachoConversationMessage *message, gint64 id, gint64 follows)
{
  JsonObject *object = json_object_new ();
  g_autofree char *text = g_utf8_make_valid (message->text, -1);

  json_object_set_int_member (object, "id", id);
  json_object_set_int_member (object, "follows", follows);
  json_object_set_boolean_member (object, "active", message->active);
  set_time (object, "created", message->created);
  json_object_set_string_member (object, "role", tacho_role_to_string (message->role));
  json_object_set_string_member (object, "state", tacho_message_state_to_string (message->state));
  set_text (object, "model", message->model);
  set_text (object, "failure", message->failure);
  set_text (object, "reasoning", message->reasoning);
  json_object_set_string_member (object, "text", text);
  if (message->attachments->len > 0)
    json_object_set_array_member (object, "attachments", attachments_to_json (message));
  set_json (object, "stats", message->stats);
  return object;
}

/**
 * tacho_conversation_document_to_json:
 * @self: a conversation
 *
 * Messages are numbered from 1, whatever their ids are in the store.
 *
 * Returns: (transfer full): an object of the schema %TACHO_CONVERSATION_SCHEMA
 */
JsonNode *
tacho_conversation_document_to_json (const TachoConversationDocument *self)
{
  JsonNode *node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();
  JsonArray *messages = json_array_new ();
  g_autoptr (GHashTable) numbers =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, g_free);

  json_object_set_string_member (object, "schema", TACHO_CONVERSATION_SCHEMA);
  set_text (object, "title", self->title);
  json_object_set_boolean_member (object, "pinned", self->pinned);
  set_time (object, "created", self->created);
  set_time (object, "updated", self->updated);
  set_text (object, "model", self->model);
  set_text (object, "server", self->server);
  set_text (object, "system_prompt", self->system_prompt);
  set_json (object, "settings", self->settings);
  for (guint i = 0; i < self->messages->len; i++)
    {
      const TachoConversationMessage *message = g_ptr_array_index (self->messages, i);
      const gint64 *follows = g_hash_table_lookup (numbers, &message->follows);
      gint64 number = i + 1;

      json_array_add_object_element (
          messages, message_to_json (message, number, follows != NULL ? *follows : 0));
      g_hash_table_insert (numbers, (gpointer) &message->id, g_memdup2 (&number, sizeof number));
    }
  json_object_set_array_member (object, "messages", messages);
  json_node_take_object (node, object);
  return node;
}
