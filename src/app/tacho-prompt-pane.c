/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conversations with the models of a server: one in sight, any number running. */
#define G_LOG_DOMAIN "tacho-prompt-pane"

#include "config.h"

#include "app/tacho-prompt-pane.h"
#include "app/tacho-chat-view.h"
#include "app/tacho-composer.h"
#include "app/tacho-model-chooser.h"
#include "app/tacho-prompt-draft.h"
#include "app/tacho-prompt-settings.h"
#include "app/tacho-settings.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define STATUS_INTERVAL_US (100 * 1000)
#define MAX_VIEWS 8 /* conversations that stay laid out; those that run are never closed */

struct _TachoPromptPane
{
  AdwBin parent_instance;
  TachoConnection *connection;
  TachoConversations *store; /* NULL: not (yet) there */
  GPtrArray *views;          /* of TachoChatView, owned by the stack; the last is the newest */
  TachoChatView *view;       /* in sight */
  TachoPromptDraft *draft;   /* NULL: the pane is going */
  guint tick_id;
  gint64 status_us;

  TachoModelChooser *chooser;
  GtkLabel *summary;
  TachoPromptSettings *settings;
  GtkStack *stack;
  AdwStatusPage *welcome;
  GtkWidget *status_row;
  GtkLabel *status;
  TachoComposer *composer;
};

G_DEFINE_FINAL_TYPE (TachoPromptPane, tacho_prompt_pane, ADW_TYPE_BIN)

static TachoChat *
get_chat (TachoPromptPane *self)
{
  return self->view != NULL ? tacho_chat_view_get_chat (self->view) : NULL;
}

/* Why nothing can be sent now; NULL: it can. */
static const char *
get_obstacle (TachoPromptPane *self)
{
  if (self->connection == NULL)
    return _ ("No server");
  switch (tacho_client_manager_get_state (tacho_connection_get_manager (self->connection)))
    {
    case TACHO_CONNECTION_OFFLINE:
      return _ ("The server is offline");
    case TACHO_CONNECTION_DISCONNECTED:
    case TACHO_CONNECTION_PROBING:
      return _ ("Connecting to the server");
    case TACHO_CONNECTION_LOADING:
      return _ ("The server is loading its model");
    case TACHO_CONNECTION_CONNECTED:
    case TACHO_CONNECTION_DEGRADED:
    default:
      return tacho_connection_get_model (self->connection) == NULL ? _ ("Choose a model") : NULL;
    }
}

static void
update_status (TachoPromptPane *self)
{
  g_autofree char *words = tacho_chat_describe_phase (get_chat (self));

  gtk_label_set_label (self->status, words);
}

static void
update_welcome (TachoPromptPane *self)
{
  const char *obstacle = get_obstacle (self);
  TachoModel *model =
      self->connection != NULL ? tacho_connection_get_model (self->connection) : NULL;
  g_autofree char *text = NULL;
  g_autofree char *escaped = NULL;

  if (obstacle != NULL)
    text = g_strdup (obstacle);
  else
    text = g_strdup_printf (tacho_connection_needs_load (self->connection, model)
                                ? _ ("%s will be loaded when you send a prompt. Its answer streams "
                                     "in here, with the time to the first token and the speed.")
                                : _ ("%s is ready. Its answer streams in here, with the time to "
                                     "the first token and the "
                                     "speed."),
                            tacho_model_get_name (model));
  escaped = tacho_text_escape_markup (text, 400);
  adw_status_page_set_description (self->welcome, escaped);
}

static gboolean
tick_cb (GtkWidget *widget, GdkFrameClock *clock, gpointer user_data)
{
  TachoPromptPane *self = TACHO_PROMPT_PANE (widget);
  gint64 now = gdk_frame_clock_get_frame_time (clock);

  if (now - self->status_us >= STATUS_INTERVAL_US)
    {
      self->status_us = now;
      update_status (self);
    }
  return G_SOURCE_CONTINUE;
}

static void
update (TachoPromptPane *self)
{
  TachoChat *chat = get_chat (self);
  gboolean running = chat != NULL && tacho_chat_get_phase (chat) != TACHO_CHAT_IDLE;
  gboolean empty = chat == NULL || tacho_chat_get_messages (chat)->len == 0;
  const char *obstacle = get_obstacle (self);

  tacho_composer_set_running (self->composer, running);
  tacho_composer_set_obstacle (self->composer, obstacle);
  for (guint i = 0; i < self->views->len; i++)
    tacho_chat_view_set_obstacle (g_ptr_array_index (self->views, i), obstacle);
  gtk_widget_set_visible (self->status_row, running);
  if (running && self->tick_id == 0)
    self->tick_id = gtk_widget_add_tick_callback (GTK_WIDGET (self), tick_cb, NULL, NULL);
  else if (!running && self->tick_id != 0)
    {
      gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->tick_id);
      self->tick_id = 0;
    }
  if (running)
    update_status (self);
  if (empty)
    {
      update_welcome (self);
      gtk_stack_set_visible_child (self->stack, GTK_WIDGET (self->welcome));
    }
  else
    gtk_stack_set_visible_child (self->stack, GTK_WIDGET (self->view));
}

static void
notice_cb (TachoPromptPane *self, const char *text)
{
  g_signal_emit_by_name (self, "notice", text);
}

static void
take_parameters (TachoPromptPane *self)
{
  g_autoptr (TachoGenerateRequest) parameters = tacho_generate_request_new (NULL);
  g_autofree char *system_prompt = tacho_prompt_settings_dup_system_prompt (self->settings);

  tacho_prompt_settings_apply (self->settings, parameters);
  tacho_chat_set_parameters (get_chat (self), parameters, system_prompt);
  tacho_chat_set_connection (get_chat (self), self->connection);
  tacho_settings_set_string (
      tacho_settings_get_default (), "last-model",
      tacho_model_get_id (tacho_connection_get_model (self->connection)));
}

static void
edit_cb (TachoPromptPane *self, guint index)
{
  GPtrArray *messages = tacho_chat_get_messages (get_chat (self));

  if (index >= messages->len)
    return;
  tacho_prompt_draft_keep (self->draft);
  tacho_composer_edit (self->composer, (int) index, g_ptr_array_index (messages, index));
  tacho_composer_focus (self->composer);
}

static void
ended_cb (TachoChat *chat, TachoPromptPane *self)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));

  if (chat != get_chat (self) || !gtk_widget_get_mapped (GTK_WIDGET (self)) ||
      (root != NULL && !gtk_window_is_active (GTK_WINDOW (root))))
    g_signal_emit_by_name (self, "replied", chat);
}

/* Conversations that were in sight longest ago make room. */
static void
close_old_views (TachoPromptPane *self)
{
  for (guint i = 0; i < self->views->len && self->views->len > MAX_VIEWS;)
    {
      TachoChatView *view = g_ptr_array_index (self->views, i);

      if (view == self->view ||
          tacho_chat_get_phase (tacho_chat_view_get_chat (view)) != TACHO_CHAT_IDLE)
        i++;
      else
        {
          g_ptr_array_remove_index (self->views, i);
          gtk_stack_remove (self->stack, GTK_WIDGET (view));
        }
    }
}

static void
show_view (TachoPromptPane *self, TachoChatView *view)
{
  gboolean other = self->view != view;

  if (other)
    {
      tacho_prompt_draft_keep (self->draft);
      tacho_composer_clear (self->composer);
    }
  /* A page that is not shown is not there for a screen reader either. */
  if (self->view != NULL)
    gtk_widget_set_visible (GTK_WIDGET (self->view), FALSE);
  gtk_widget_set_visible (GTK_WIDGET (view), TRUE);
  self->view = view;
  if (other)
    tacho_prompt_draft_show (self->draft, self->store, get_chat (self));
  g_ptr_array_remove (self->views, view);
  g_ptr_array_add (self->views, view);
  close_old_views (self);
  update (self);
  g_signal_emit_by_name (self, "conversation");
}

/* A reply is asked for once more. */
static void
ask_cb (TachoPromptPane *self)
{
  take_parameters (self);
  tacho_prompt_draft_asked (self->draft);
}

static TachoChatView *
add_view (TachoPromptPane *self, TachoChat *chat)
{
  TachoChatView *view = tacho_chat_view_new (chat);

  tacho_chat_set_connection (chat, self->connection);
  gtk_widget_set_visible (GTK_WIDGET (view), FALSE);
  gtk_stack_add_child (self->stack, GTK_WIDGET (view));
  g_ptr_array_add (self->views, view);
  g_signal_connect_object (view, "edit", G_CALLBACK (edit_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (view, "ask", G_CALLBACK (ask_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (view, "notice", G_CALLBACK (notice_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (chat, "notice", G_CALLBACK (notice_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (chat, "phase", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (chat, "reset", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (chat, "ended", G_CALLBACK (ended_cb), self, 0);
  return view;
}

static void
ensure_view (TachoPromptPane *self)
{
  g_autoptr (TachoChat) chat = NULL;

  if (self->view != NULL)
    return;
  chat = tacho_chat_new (self->store, NULL, NULL);
  show_view (self, add_view (self, chat));
}

static TachoChatView *
find_view (TachoPromptPane *self, TachoConversationInfo *info)
{
  for (guint i = 0; i < self->views->len; i++)
    {
      TachoChatView *view = g_ptr_array_index (self->views, i);

      if (tacho_chat_get_info (tacho_chat_view_get_chat (view)) == info)
        return view;
    }
  return NULL;
}

static void
send_cb (TachoPromptPane *self, const TachoConversationMessage *message)
{
  int index = tacho_composer_get_index (self->composer);

  ensure_view (self);
  take_parameters (self);
  tacho_composer_clear (self->composer);
  if (index >= 0)
    {
      tacho_prompt_draft_restore_text (self->draft);
      tacho_chat_edit (get_chat (self), (guint) index, tacho_conversation_message_copy (message));
    }
  else
    {
      tacho_prompt_draft_keep (self->draft);
      tacho_chat_send (get_chat (self), tacho_conversation_message_copy (message));
    }
  tacho_prompt_draft_asked (self->draft);
  update (self);
  g_signal_emit_by_name (self, "conversation");
}

static void
stop_cb (TachoPromptPane *self)
{
  if (get_chat (self) != NULL)
    tacho_chat_stop (get_chat (self));
}

static void
stop_prompt (GtkWidget *widget, const char *action, GVariant *parameter)
{
  stop_cb (TACHO_PROMPT_PANE (widget));
}

static void
tacho_prompt_pane_dispose (GObject *object)
{
  TachoPromptPane *self = TACHO_PROMPT_PANE (object);

  if (self->composer != NULL)
    {
      tacho_prompt_draft_keep (self->draft);
      tacho_prompt_pane_set_connection (self, NULL);
    }
  g_clear_pointer (&self->draft, tacho_prompt_draft_free);
  if (self->tick_id != 0)
    gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->tick_id);
  self->tick_id = 0;
  g_clear_object (&self->store);
  g_ptr_array_set_size (self->views, 0);
  self->view = NULL;
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_PROMPT_PANE);

  G_OBJECT_CLASS (tacho_prompt_pane_parent_class)->dispose (object);
}

static void
tacho_prompt_pane_finalize (GObject *object)
{
  g_ptr_array_unref (TACHO_PROMPT_PANE (object)->views);

  G_OBJECT_CLASS (tacho_prompt_pane_parent_class)->finalize (object);
}

static void
tacho_prompt_pane_class_init (TachoPromptPaneClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GType type = TACHO_TYPE_PROMPT_PANE;

  G_OBJECT_CLASS (klass)->dispose = tacho_prompt_pane_dispose;
  G_OBJECT_CLASS (klass)->finalize = tacho_prompt_pane_finalize;
  g_signal_new ("notice", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE);
  g_signal_new ("conversation", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  g_signal_new ("replied", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                TACHO_TYPE_CHAT);

  g_type_ensure (TACHO_TYPE_COMPOSER);
  g_type_ensure (TACHO_TYPE_MODEL_CHOOSER);
  g_type_ensure (TACHO_TYPE_PROMPT_SETTINGS);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-prompt-pane.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, chooser);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, summary);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, settings);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, stack);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, welcome);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, status_row);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, status);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, composer);
  gtk_widget_class_bind_template_callback (widget_class, send_cb);
  gtk_widget_class_bind_template_callback (widget_class, stop_cb);
  gtk_widget_class_bind_template_callback (widget_class, notice_cb);
  gtk_widget_class_install_action (widget_class, "prompt.stop", NULL, stop_prompt);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "prompt.stop", NULL);
}

static void
tacho_prompt_pane_init (TachoPromptPane *self)
{
  self->views = g_ptr_array_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  self->draft = tacho_prompt_draft_new (self->composer, self->settings);
  tacho_prompt_draft_show (self->draft, NULL, NULL);
  update (self);
}

/**
 * tacho_prompt_pane_set_connection:
 * @self: the pane
 * @connection: (nullable): the server in use
 *
 * What runs on the old server is stopped; the conversations stay.
 */
void
tacho_prompt_pane_set_connection (TachoPromptPane *self, TachoConnection *connection)
{
  g_return_if_fail (TACHO_IS_PROMPT_PANE (self));

  if (self->connection != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->connection, self);
      g_signal_handlers_disconnect_by_data (tacho_connection_get_manager (self->connection), self);
    }
  for (guint i = 0; i < self->views->len; i++)
    tacho_chat_set_connection (tacho_chat_view_get_chat (g_ptr_array_index (self->views, i)),
                               connection);
  g_set_object (&self->connection, connection);
  tacho_model_chooser_set_connection (self->chooser, connection);
  if (connection != NULL)
    {
      g_signal_connect_object (connection, "notify::model", G_CALLBACK (update), self,
                               G_CONNECT_SWAPPED);
      g_signal_connect_object (connection, "changes", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
      g_signal_connect_object (tacho_connection_get_manager (connection), "notify::state",
                               G_CALLBACK (update), self, G_CONNECT_SWAPPED);
    }
  update (self);
}

/**
 * tacho_prompt_pane_set_store:
 * @self: the pane
 * @store: (nullable): what keeps conversations from now on
 */
void
tacho_prompt_pane_set_store (TachoPromptPane *self, TachoConversations *store)
{
  g_return_if_fail (TACHO_IS_PROMPT_PANE (self));

  g_set_object (&self->store, store);
}

/**
 * tacho_prompt_pane_new_conversation:
 * @self: the pane
 *
 * Begins a conversation. One that runs goes on out of sight.
 */
void
tacho_prompt_pane_new_conversation (TachoPromptPane *self)
{
  g_autoptr (TachoChat) chat = NULL;

  g_return_if_fail (TACHO_IS_PROMPT_PANE (self));

  if (self->view == NULL || tacho_chat_get_messages (get_chat (self))->len > 0)
    {
      chat = tacho_chat_new (self->store, NULL, NULL);
      show_view (self, add_view (self, chat));
    }
  tacho_composer_focus (self->composer);
}

/**
 * tacho_prompt_pane_open:
 * @self: the pane
 * @info: a conversation of the store
 *
 * Shows it.
 */
void
tacho_prompt_pane_open (TachoPromptPane *self, TachoConversationInfo *info)
{
  TachoChatView *view;
  g_autoptr (TachoChat) chat = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (TACHO_IS_PROMPT_PANE (self));

  view = find_view (self, info);
  if (view == NULL)
    {
      chat = tacho_chat_new (self->store, info, &error);
      if (chat == NULL)
        {
          g_signal_emit_by_name (self, "notice", error->message);
          return;
        }
      view = add_view (self, chat);
    }
  show_view (self, view);
}

/**
 * tacho_prompt_pane_forget:
 * @self: the pane
 * @info: a conversation that was deleted
 *
 * Stops what runs of it, and shows it no longer.
 */
void
tacho_prompt_pane_forget (TachoPromptPane *self, TachoConversationInfo *info)
{
  TachoChatView *view = find_view (self, info);

  if (view == NULL)
    return;
  tacho_chat_stop (tacho_chat_view_get_chat (view));
  if (view == self->view)
    {
      self->view = NULL;
      tacho_composer_clear (self->composer);
      tacho_prompt_draft_show (self->draft, self->store, NULL);
    }
  g_ptr_array_remove (self->views, view);
  update (self);
  gtk_stack_remove (self->stack, GTK_WIDGET (view));
  g_signal_emit_by_name (self, "conversation");
}

/**
 * tacho_prompt_pane_get_chat:
 * @self: the pane
 *
 * Returns: (transfer none) (nullable): the conversation in sight
 */
TachoChat *
tacho_prompt_pane_get_chat (TachoPromptPane *self)
{
  return get_chat (self);
}

/**
 * tacho_prompt_pane_is_running:
 * @self: the pane
 * @info: (nullable): a conversation; %NULL: any
 *
 * Returns: whether a reply of it comes
 */
gboolean
tacho_prompt_pane_is_running (TachoPromptPane *self, TachoConversationInfo *info)
{
  for (guint i = 0; i < self->views->len; i++)
    {
      TachoChat *chat = tacho_chat_view_get_chat (g_ptr_array_index (self->views, i));

      if ((info == NULL || tacho_chat_get_info (chat) == info) &&
          tacho_chat_get_phase (chat) != TACHO_CHAT_IDLE)
        return TRUE;
    }
  return FALSE;
}

/**
 * tacho_prompt_pane_focus:
 * @self: the pane
 *
 * Puts the cursor into the editor.
 */
void
tacho_prompt_pane_focus (TachoPromptPane *self)
{
  tacho_composer_focus (self->composer);
}

/**
 * tacho_prompt_pane_save:
 * @self: the pane
 *
 * Remembers what is written and set for the next start.
 */
void
tacho_prompt_pane_save (TachoPromptPane *self)
{
  tacho_prompt_draft_keep (self->draft);
}
