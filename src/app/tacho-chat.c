/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One conversation at work: its messages and the store that keeps them. */
#define G_LOG_DOMAIN "tacho-chat"

#include "config.h"

#include "app/tacho-chat-private.h"
#include "app/tacho-generation-words.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>
#include <math.h>

G_DEFINE_FINAL_TYPE (TachoChat, tacho_chat, G_TYPE_OBJECT)

static void
free_message (gpointer data)
{
  tacho_conversation_message_free (data);
}

static void
clear_generation (gpointer data)
{
  if (data != NULL)
    g_object_unref (data);
}

static void
tacho_chat_dispose (GObject *object)
{
  TachoChat *self = TACHO_CHAT (object);

  tacho_chat_set_connection (self, NULL);
  g_clear_handle_id (&self->save_id, g_source_remove);
  g_clear_object (&self->generation);
  g_clear_object (&self->loading);
  g_clear_object (&self->model);
  g_clear_object (&self->info);
  g_clear_object (&self->store);

  G_OBJECT_CLASS (tacho_chat_parent_class)->dispose (object);
}

static void
tacho_chat_finalize (GObject *object)
{
  TachoChat *self = TACHO_CHAT (object);

  g_ptr_array_unref (self->messages);
  g_ptr_array_unref (self->generations);
  tacho_generate_request_free (self->parameters);
  g_free (self->system_prompt);
  g_free (self->base);
  g_free (self->base_reasoning);

  G_OBJECT_CLASS (tacho_chat_parent_class)->finalize (object);
}

static void
tacho_chat_class_init (TachoChatClass *klass)
{
  GType type = TACHO_TYPE_CHAT;
  GType text = G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE;

  G_OBJECT_CLASS (klass)->dispose = tacho_chat_dispose;
  G_OBJECT_CLASS (klass)->finalize = tacho_chat_finalize;
  g_signal_new ("reset", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  g_signal_new ("added", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
  g_signal_new ("delta", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2, text,
                G_TYPE_BOOLEAN);
  g_signal_new ("ended", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  g_signal_new ("phase", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  g_signal_new ("notice", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, text);
}

static void
tacho_chat_init (TachoChat *self)
{
  self->messages = g_ptr_array_new_with_free_func (free_message);
  self->generations = g_ptr_array_new_with_free_func (clear_generation);
  self->parameters = tacho_generate_request_new (NULL);
  self->progress = NAN;
  self->thought_s = NAN;
  self->storing = TRUE;
}

static gboolean
load (TachoChat *self, GError **error)
{
  GPtrArray *messages =
      tacho_conversations_load (self->store, tacho_conversation_info_get_id (self->info), error);

  if (messages == NULL)
    return FALSE;
  g_ptr_array_unref (self->messages);
  self->messages = messages;
  g_ptr_array_set_size (self->generations, 0);
  g_ptr_array_set_size (self->generations, (int) messages->len);
  return TRUE;
}

/**
 * tacho_chat_new:
 * @store: (nullable): what keeps it; %NULL: for this session only
 * @info: (nullable): a conversation of the store; %NULL: a new one
 * @error: return location
 *
 * Returns: (transfer full): the conversation, or %NULL if it cannot be read
 */
TachoChat *
tacho_chat_new (TachoConversations *store, TachoConversationInfo *info, GError **error)
{
  g_autoptr (TachoChat) self = g_object_new (TACHO_TYPE_CHAT, NULL);

  g_set_object (&self->store, store);
  g_set_object (&self->info, info);
  if (info != NULL && !load (self, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * tacho_chat_get_info:
 * @self: a conversation
 *
 * Returns: (transfer none) (nullable): it in the list; %NULL until it is stored
 */
TachoConversationInfo *
tacho_chat_get_info (TachoChat *self)
{
  return self->info;
}

/**
 * tacho_chat_get_messages:
 * @self: a conversation
 *
 * Returns: (transfer none) (element-type TachoConversationMessage): what was said. The last one's
 *   text is whole only when the reply is over.
 */
GPtrArray *
tacho_chat_get_messages (TachoChat *self)
{
  return self->messages;
}

/**
 * tacho_chat_get_generation:
 * @self: a conversation
 * @index: of a message
 *
 * Returns: (transfer none) (nullable): how it came, if it came in this session
 */
TachoGeneration *
tacho_chat_get_generation (TachoChat *self, guint index)
{
  return index < self->generations->len ? g_ptr_array_index (self->generations, index) : NULL;
}

/**
 * tacho_chat_get_phase:
 * @self: a conversation
 *
 * Returns: what it does
 */
TachoChatPhase
tacho_chat_get_phase (TachoChat *self)
{
  return self->phase;
}

/**
 * tacho_chat_get_title:
 * @self: a conversation
 *
 * Returns: (transfer full): what to call it
 */
char *
tacho_chat_get_title (TachoChat *self)
{
  const char *title = self->info != NULL ? tacho_conversation_info_get_title (self->info) : "";

  return tacho_text_sanitize_line (title[0] != '\0' ? title : _ ("New Conversation"), -1, 80);
}

/**
 * tacho_chat_describe_phase:
 * @self: a conversation
 *
 * Returns: (transfer full): what it does now, in words; "" when it does nothing
 */
char *
tacho_chat_describe_phase (TachoChat *self)
{
  if (self->phase == TACHO_CHAT_RUNNING)
    return tacho_generation_words_phase (self->generation, self->progress,
                                         tacho_connection_is_simulated (self->connection));
  if (self->phase == TACHO_CHAT_LOADING)
    {
      g_autofree char *name = tacho_text_sanitize_line (tacho_model_get_name (self->model), -1, 80);
      double progress = tacho_model_get_progress (self->model);

      return isfinite (progress) ? g_strdup_printf (_ ("Loading %s first · %d %%"), name,
                                                    (int) (CLAMP (progress, 0, 1) * 100))
                                 : g_strdup_printf (_ ("Loading %s first…"), name);
    }
  return g_strdup ("");
}

TachoConversationMessage *
tacho_chat_get_last (TachoChat *self)
{
  return self->messages->len > 0 ? g_ptr_array_index (self->messages, self->messages->len - 1)
                                 : NULL;
}

/* Once, until something can be stored again: a full disk would else be told with every message. */
void
tacho_chat_store_failed (TachoChat *self, const GError *error)
{
  g_autofree char *text = NULL;

  if (!self->storing)
    return;
  self->storing = FALSE;
  text = g_strdup_printf (_ ("This conversation cannot be stored: %s"), error->message);
  g_signal_emit_by_name (self, "notice", text);
}

static gboolean
ensure_stored (TachoChat *self)
{
  g_autoptr (GError) error = NULL;

  if (self->store == NULL)
    return FALSE;
  if (self->info != NULL)
    return TRUE;
  self->info = tacho_conversations_create (
      self->store,
      self->connection != NULL ? tacho_model_get_id (tacho_connection_get_model (self->connection))
                               : NULL,
      self->connection != NULL ? tacho_connection_get_name (self->connection) : NULL, &error);
  if (self->info == NULL)
    tacho_chat_store_failed (self, error);
  return self->info != NULL;
}

/* Stores the messages that could not be, in their order: there may be room on the disk again. */
void
tacho_chat_store_missing (TachoChat *self)
{
  g_autoptr (GError) error = NULL;

  if (!ensure_stored (self))
    return;
  for (guint i = 0; i < self->messages->len; i++)
    {
      TachoConversationMessage *message = g_ptr_array_index (self->messages, i);

      if (message->id == 0 &&
          !tacho_conversations_append (self->store, tacho_conversation_info_get_id (self->info),
                                       message, &error))
        {
          tacho_chat_store_failed (self, error);
          return;
        }
    }
  self->storing = TRUE;
}

/* Takes the message; in place of another, of which it is then a version, or at the end. */
static void
add (TachoChat *self, TachoConversationMessage *message, gint64 of_message)
{
  g_autoptr (GError) error = NULL;

  if (of_message != 0 && ensure_stored (self) &&
      !tacho_conversations_add_version (self->store, of_message, message, &error))
    tacho_chat_store_failed (self, error);
  g_ptr_array_add (self->messages, message);
  g_ptr_array_add (self->generations, NULL);
  if (message->id == 0 && of_message == 0)
    tacho_chat_store_missing (self);
}

static TachoConversationMessage *
new_reply (TachoChat *self)
{
  TachoConversationMessage *message = tacho_conversation_message_new (TACHO_ROLE_ASSISTANT, "");
  TachoModel *model = tacho_connection_get_model (self->connection);

  message->state = TACHO_MESSAGE_STREAMING;
  message->model = g_strdup (tacho_model_get_name (model));
  return message;
}

/* What a conversation is with is what it was asked with last. A list that is behind is no reason to
 * stop a reply. */
static void
note_model (TachoChat *self)
{
  const char *model = tacho_model_get_id (tacho_connection_get_model (self->connection));
  const char *server = tacho_connection_get_name (self->connection);

  if (self->info != NULL &&
      (g_strcmp0 (model, tacho_conversation_info_get_model (self->info)) != 0 ||
       g_strcmp0 (server, tacho_conversation_info_get_server (self->info)) != 0))
    tacho_conversations_set_model (self->store, tacho_conversation_info_get_id (self->info), model,
                                   server, NULL);
}

static gboolean
may_start (TachoChat *self)
{
  return self->phase == TACHO_CHAT_IDLE && self->connection != NULL &&
         tacho_connection_get_model (self->connection) != NULL;
}

/**
 * tacho_chat_send:
 * @self: a conversation that is idle, on a server with a model
 * @prompt: (transfer full): what is asked
 *
 * Asks, and begins the reply.
 */
void
tacho_chat_send (TachoChat *self, TachoConversationMessage *prompt)
{
  g_return_if_fail (TACHO_IS_CHAT (self) && may_start (self));

  add (self, prompt, 0);
  g_signal_emit_by_name (self, "added", self->messages->len - 1);
  add (self, new_reply (self), 0);
  g_signal_emit_by_name (self, "added", self->messages->len - 1);
  note_model (self);
  tacho_chat_start (self);
}

static gint64
cut (TachoChat *self, guint index)
{
  gint64 id = ((TachoConversationMessage *) g_ptr_array_index (self->messages, index))->id;

  g_ptr_array_set_size (self->messages, (int) index);
  g_ptr_array_set_size (self->generations, (int) index);
  return id;
}

/**
 * tacho_chat_edit:
 * @self: a conversation that is idle, on a server with a model
 * @index: of a prompt
 * @prompt: (transfer full): what is asked in its place
 *
 * Asks anew from there. What was said is kept as another version.
 */
void
tacho_chat_edit (TachoChat *self, guint index, TachoConversationMessage *prompt)
{
  g_return_if_fail (TACHO_IS_CHAT (self) && may_start (self) && index < self->messages->len);

  add (self, prompt, cut (self, index));
  add (self, new_reply (self), 0);
  note_model (self);
  tacho_chat_start (self);
  g_signal_emit_by_name (self, "reset");
}

/**
 * tacho_chat_regenerate:
 * @self: a conversation that is idle, on a server with a model
 * @index: of a reply
 *
 * Asks for another reply to the same. The old one is kept as another version.
 */
void
tacho_chat_regenerate (TachoChat *self, guint index)
{
  g_return_if_fail (TACHO_IS_CHAT (self) && may_start (self) && index < self->messages->len);

  add (self, new_reply (self), cut (self, index));
  note_model (self);
  tacho_chat_start (self);
  g_signal_emit_by_name (self, "reset");
}

/**
 * tacho_chat_continue:
 * @self: a conversation that is idle and ends with a reply, on a server with a model
 *
 * Asks the model to go on where its last reply ends: the request ends with that reply, which
 * servers with prefill (llama.cpp, Ollama, vLLM and others) continue.
 */
void
tacho_chat_continue (TachoChat *self)
{
  TachoConversationMessage *last = tacho_chat_get_last (self);

  g_return_if_fail (TACHO_IS_CHAT (self) && may_start (self) && last != NULL);

  self->base = g_strdup (last->text);
  self->base_reasoning = g_strdup (last->reasoning);
  last->state = TACHO_MESSAGE_STREAMING;
  g_clear_pointer (&last->failure, g_free);
  note_model (self);
  tacho_chat_start (self);
  g_signal_emit_by_name (self, "reset");
}

/**
 * tacho_chat_choose_version:
 * @self: a conversation that is idle
 * @index: of a message
 * @version: from 1
 *
 * Shows another version of a message, and what followed it.
 */
void
tacho_chat_choose_version (TachoChat *self, guint index, guint version)
{
  TachoConversationMessage *message = g_ptr_array_index (self->messages, index);
  g_autoptr (GError) error = NULL;

  g_return_if_fail (TACHO_IS_CHAT (self) && self->phase == TACHO_CHAT_IDLE);

  if (!tacho_conversations_choose_version (self->store, message->id, version, &error) ||
      !load (self, &error))
    g_signal_emit_by_name (self, "notice", error->message);
  else
    g_signal_emit_by_name (self, "reset");
}

/**
 * tacho_chat_set_connection:
 * @self: a conversation
 * @connection: (nullable): the server in use
 *
 * A reply that comes from another one is stopped.
 */
void
tacho_chat_set_connection (TachoChat *self, TachoConnection *connection)
{
  g_return_if_fail (TACHO_IS_CHAT (self));

  if (self->connection != connection)
    tacho_chat_stop (self);
  g_set_object (&self->connection, connection);
}

/**
 * tacho_chat_set_parameters:
 * @self: a conversation
 * @parameters: what is asked with; its model and messages do not count
 * @system_prompt: (nullable): goes before all
 */
void
tacho_chat_set_parameters (TachoChat *self,
                           const TachoGenerateRequest *parameters,
                           const char *system_prompt)
{
  g_return_if_fail (TACHO_IS_CHAT (self));

  tacho_generate_request_free (self->parameters);
  self->parameters = tacho_generate_request_copy (parameters);
  g_free (self->system_prompt);
  self->system_prompt = g_strdup (system_prompt);
}
