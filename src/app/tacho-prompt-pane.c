/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A conversation with the chosen model, measured. */
#define G_LOG_DOMAIN "tacho-prompt-pane"

#include "config.h"

#include "app/tacho-prompt-pane.h"
#include "app/tacho-conversation.h"
#include "app/tacho-display.h"
#include "app/tacho-generation-words.h"
#include "app/tacho-model-chooser.h"
#include "app/tacho-prompt-settings.h"
#include "app/tacho-settings.h"
#include "app/tacho-transcript.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>
#include <math.h>

#define STATUS_INTERVAL_US (100 * 1000)

typedef enum
{
  PHASE_IDLE,
  PHASE_LOADING,
  PHASE_RUNNING,
} Phase;

struct _TachoPromptPane
{
  AdwBin parent_instance;
  TachoConnection *connection;
  TachoConversation *conversation;
  Phase phase;
  TachoModel *model;           /* of the turn under way */
  TachoGeneration *generation; /* running or the last one */
  GCancellable *loading;       /* the load that a turn waits for */
  char *stats;                 /* of the last answer, not yet in the transcript */
  double progress;
  guint tick_id;
  gint64 status_us;

  TachoModelChooser *chooser;
  GtkToggleButton *settings_button;
  GtkLabel *summary;
  TachoPromptSettings *settings;
  GtkStack *stack;
  AdwStatusPage *welcome;
  TachoTranscript *transcript;
  GtkWidget *status_row;
  GtkSpinner *spinner;
  GtkLabel *status;
  GtkWidget *copy_button;
  GtkButton *retry_button;
  GtkTextView *editor;
  GtkLabel *placeholder;
  GtkButton *send_button;
};

G_DEFINE_FINAL_TYPE (TachoPromptPane, tacho_prompt_pane, ADW_TYPE_BIN)

static char *
get_prompt (TachoPromptPane *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->editor);
  GtkTextIter begin, end;

  gtk_text_buffer_get_bounds (buffer, &begin, &end);
  return gtk_text_buffer_get_text (buffer, &begin, &end, FALSE);
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
  const char *obstacle = get_obstacle (self);

  if (self->phase == PHASE_RUNNING)
    {
      g_autofree char *words = tacho_generation_words_phase (
          self->generation, self->progress, tacho_connection_is_simulated (self->connection));

      gtk_label_set_label (self->status, words);
    }
  else if (self->phase == PHASE_LOADING)
    {
      g_autofree char *name = tacho_text_sanitize_line (tacho_model_get_name (self->model), -1, 80);
      double progress = tacho_model_get_progress (self->model);
      g_autofree char *words = isfinite (progress)
                                   ? g_strdup_printf (_ ("Loading %s first · %d %%"), name,
                                                      (int) (CLAMP (progress, 0, 1) * 100))
                                   : g_strdup_printf (_ ("Loading %s first…"), name);

      gtk_label_set_label (self->status, words);
    }
  else if (self->stats != NULL)
    gtk_label_set_label (self->status, self->stats);
  else
    gtk_label_set_label (self->status, obstacle != NULL ? obstacle : "");
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

static void
update (TachoPromptPane *self)
{
  gboolean running = self->phase != PHASE_IDLE;
  const char *obstacle = get_obstacle (self);
  g_autofree char *prompt = get_prompt (self);
  g_autofree char *stripped = g_strstrip (g_strdup (prompt));
  gboolean empty;

  gtk_widget_set_visible (GTK_WIDGET (self->placeholder), prompt[0] == '\0');
  gtk_button_set_label (self->send_button, running ? _ ("Stop") : _ ("Send"));
  if (running)
    {
      gtk_widget_remove_css_class (GTK_WIDGET (self->send_button), "suggested-action");
      gtk_widget_add_css_class (GTK_WIDGET (self->send_button), "destructive-action");
    }
  else
    {
      gtk_widget_remove_css_class (GTK_WIDGET (self->send_button), "destructive-action");
      gtk_widget_add_css_class (GTK_WIDGET (self->send_button), "suggested-action");
    }
  gtk_widget_set_sensitive (GTK_WIDGET (self->send_button),
                            running || (obstacle == NULL && stripped[0] != '\0'));
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->send_button), running ? _ ("Stop (Esc)")
                                                               : obstacle != NULL
                                                                   ? obstacle
                                                                   : _ ("Send (Enter)"));
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), running);
  gtk_spinner_set_spinning (self->spinner, running);
  gtk_widget_set_visible (self->copy_button,
                          tacho_conversation_get_answer (self->conversation) != NULL);
  gtk_widget_set_visible (GTK_WIDGET (self->retry_button),
                          !tacho_conversation_is_empty (self->conversation) && !running);
  gtk_widget_set_sensitive (GTK_WIDGET (self->retry_button), obstacle == NULL);
  gtk_button_set_label (self->retry_button,
                        self->generation != NULL && tacho_generation_get_state (self->generation) ==
                                                        TACHO_GENERATION_DONE
                            ? _ ("Ask Again")
                            : _ ("Retry"));
  empty = tacho_transcript_is_empty (self->transcript);
  gtk_stack_set_visible_child_name (self->stack, empty ? "welcome" : "transcript");
  gtk_widget_set_visible (self->status_row, !empty);
  update_welcome (self);
  update_status (self);
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
set_phase (TachoPromptPane *self, Phase phase)
{
  self->phase = phase;
  if (phase != PHASE_IDLE && self->tick_id == 0)
    self->tick_id = gtk_widget_add_tick_callback (GTK_WIDGET (self), tick_cb, NULL, NULL);
  else if (phase == PHASE_IDLE && self->tick_id != 0)
    {
      gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->tick_id);
      self->tick_id = 0;
    }
  update (self);
}

static void
delta_cb (TachoGeneration *generation, const char *text, gboolean reasoning, TachoPromptPane *self)
{
  tacho_transcript_append (self->transcript, text, reasoning);
}

static void
progress_cb (TachoGeneration *generation, double fraction, TachoPromptPane *self)
{
  self->progress = fraction;
}

static void
ended_cb (TachoGeneration *generation, TachoPromptPane *self)
{
  const char *text = tacho_generation_get_text (generation);
  TachoGenerationState state = tacho_generation_get_state (generation);
  g_autofree char *fault = tacho_generation_words_fault (generation);
  g_autofree char *attempts = tacho_generation_words_attempts (generation);

  if (generation != self->generation || self->phase != PHASE_RUNNING)
    return;
  tacho_transcript_end_reply (self->transcript);
  tacho_conversation_answer (self->conversation, text);
  if (attempts != NULL)
    tacho_transcript_add_note (self->transcript, TACHO_NOTE_WARNING, attempts);
  if (fault != NULL)
    tacho_transcript_add_note (
        self->transcript, state == TACHO_GENERATION_FAILED ? TACHO_NOTE_ERROR : TACHO_NOTE_WARNING,
        fault);
  g_free (self->stats);
  self->stats =
      tacho_generation_words_stats (generation, tacho_connection_is_simulated (self->connection));
  set_phase (self, PHASE_IDLE);
}

static void
fail (TachoPromptPane *self, const char *text)
{
  tacho_transcript_end_reply (self->transcript);
  tacho_transcript_add_note (self->transcript, TACHO_NOTE_ERROR, text);
  set_phase (self, PHASE_IDLE);
}

static void
generate (TachoPromptPane *self)
{
  g_autofree char *system_prompt = tacho_prompt_settings_dup_system_prompt (self->settings);
  g_autoptr (TachoGenerateRequest) request = tacho_conversation_make_request (
      self->conversation, tacho_model_get_id (self->model), system_prompt);
  g_autoptr (GError) error = NULL;

  request->return_progress = TRUE;
  tacho_prompt_settings_apply (self->settings, request);

  if (self->generation != NULL)
    g_signal_handlers_disconnect_by_data (self->generation, self);
  g_clear_object (&self->generation);
  self->progress = NAN;
  self->generation = tacho_inference_service_start (
      tacho_connection_get_inference (self->connection), request, &error);
  if (self->generation == NULL)
    {
      fail (self, error->message);
      return;
    }
  g_signal_connect_object (self->generation, "delta", G_CALLBACK (delta_cb), self, 0);
  g_signal_connect_object (self->generation, "progress", G_CALLBACK (progress_cb), self, 0);
  g_signal_connect_object (self->generation, "ended", G_CALLBACK (ended_cb), self, 0);
  set_phase (self, PHASE_RUNNING);
}

typedef struct
{
  TachoPromptPane *pane;
  GCancellable *loading; /* stopped or replaced meanwhile: the answer is stale */
} Load;

static void
load_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Load *load = user_data;
  g_autoptr (TachoPromptPane) self = load->pane;
  g_autoptr (GCancellable) loading = load->loading;
  g_autoptr (GError) error = NULL;
  gboolean loaded = tacho_connection_load_finish (TACHO_CONNECTION (source), result, &error);

  g_free (load);
  if (self->loading != loading || self->phase != PHASE_LOADING)
    return;
  g_clear_object (&self->loading);
  if (loaded)
    generate (self);
  else
    fail (self, error->message);
}

/* Begins the last turn, for the first time (prompt given) or again. */
static void
start (TachoPromptPane *self, const char *prompt)
{
  if (self->stats != NULL)
    {
      if (self->stats[0] != '\0')
        tacho_transcript_add_note (self->transcript, TACHO_NOTE_PLAIN, self->stats);
      g_clear_pointer (&self->stats, g_free);
    }
  g_set_object (&self->model, tacho_connection_get_model (self->connection));
  tacho_settings_set_string (tacho_settings_get_default (), "last-model",
                             tacho_model_get_id (self->model));
  if (prompt != NULL)
    tacho_transcript_add_prompt (self->transcript, prompt);
  tacho_transcript_begin_reply (self->transcript, tacho_model_get_name (self->model));
  if (tacho_connection_needs_load (self->connection, self->model))
    {
      Load *load = g_new0 (Load, 1);

      g_clear_object (&self->loading);
      self->loading = g_cancellable_new ();
      load->pane = g_object_ref (self);
      load->loading = g_object_ref (self->loading);
      set_phase (self, PHASE_LOADING);
      tacho_connection_load_async (self->connection, tacho_model_get_id (self->model), load_cb,
                                   load);
    }
  else
    generate (self);
}

static void
send_prompt (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoPromptPane *self = TACHO_PROMPT_PANE (widget);
  g_autofree char *prompt = g_strstrip (get_prompt (self));

  if (self->phase != PHASE_IDLE || prompt[0] == '\0' || get_obstacle (self) != NULL)
    return;
  tacho_conversation_ask (self->conversation, prompt);
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->editor), "", 0);
  start (self, prompt);
}

static void
stop (TachoPromptPane *self)
{
  if (self->phase == PHASE_LOADING)
    {
      g_clear_object (&self->loading);
      tacho_connection_cancel_change (self->connection, tacho_model_get_id (self->model));
      tacho_transcript_end_reply (self->transcript);
      tacho_transcript_add_note (self->transcript, TACHO_NOTE_WARNING,
                                 _ ("Stopped while the model was loading."));
      set_phase (self, PHASE_IDLE);
    }
  else if (self->phase == PHASE_RUNNING)
    {
      tacho_generation_cancel (self->generation);
      /* The state is final at once; the signal may come later. */
      if (tacho_generation_is_ended (self->generation))
        ended_cb (self->generation, self);
    }
}

static void
stop_prompt (GtkWidget *widget, const char *action, GVariant *parameter)
{
  stop (TACHO_PROMPT_PANE (widget));
}

static void
send_clicked_cb (TachoPromptPane *self)
{
  if (self->phase == PHASE_IDLE)
    send_prompt (GTK_WIDGET (self), NULL, NULL);
  else
    stop (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->editor));
}

static void
retry_cb (TachoPromptPane *self)
{
  if (self->phase == PHASE_IDLE && !tacho_conversation_is_empty (self->conversation) &&
      get_obstacle (self) == NULL)
    start (self, NULL);
}

static void
copy_cb (TachoPromptPane *self)
{
  const char *answer = tacho_conversation_get_answer (self->conversation);

  if (answer != NULL)
    gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), answer);
}

/* Enter sends; with Shift it breaks the line. An input method that is composing comes first. */
static gboolean
key_pressed_cb (GtkEventControllerKey *controller,
                guint keyval,
                guint keycode,
                GdkModifierType modifiers,
                TachoPromptPane *self)
{
  if (keyval != GDK_KEY_Return && keyval != GDK_KEY_KP_Enter && keyval != GDK_KEY_ISO_Enter)
    return GDK_EVENT_PROPAGATE;
  if ((modifiers & (GDK_SHIFT_MASK | GDK_CONTROL_MASK | GDK_ALT_MASK)) != 0)
    return GDK_EVENT_PROPAGATE;
  if (gtk_text_view_im_context_filter_keypress (
          self->editor, gtk_event_controller_get_current_event (GTK_EVENT_CONTROLLER (controller))))
    return GDK_EVENT_STOP;
  send_prompt (GTK_WIDGET (self), NULL, NULL);
  return GDK_EVENT_STOP;
}

static void
tacho_prompt_pane_dispose (GObject *object)
{
  TachoPromptPane *self = TACHO_PROMPT_PANE (object);

  if (self->transcript != NULL)
    tacho_prompt_pane_set_connection (self, NULL);
  if (self->tick_id != 0)
    gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->tick_id);
  self->tick_id = 0;
  g_clear_object (&self->generation);
  g_clear_object (&self->loading);
  g_clear_object (&self->model);
  g_clear_pointer (&self->conversation, tacho_conversation_free);
  g_clear_pointer (&self->stats, g_free);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_PROMPT_PANE);

  G_OBJECT_CLASS (tacho_prompt_pane_parent_class)->dispose (object);
}

static void
tacho_prompt_pane_class_init (TachoPromptPaneClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_prompt_pane_dispose;

  g_type_ensure (TACHO_TYPE_MODEL_CHOOSER);
  g_type_ensure (TACHO_TYPE_PROMPT_SETTINGS);
  g_type_ensure (TACHO_TYPE_TRANSCRIPT);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-prompt-pane.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, chooser);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, settings_button);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, summary);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, settings);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, stack);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, welcome);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, transcript);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, status_row);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, spinner);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, status);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, copy_button);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, retry_button);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, editor);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, placeholder);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptPane, send_button);
  gtk_widget_class_bind_template_callback (widget_class, send_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, retry_cb);
  gtk_widget_class_bind_template_callback (widget_class, copy_cb);
  gtk_widget_class_bind_template_callback (widget_class, key_pressed_cb);
  gtk_widget_class_install_action (widget_class, "prompt.send", NULL, send_prompt);
  gtk_widget_class_install_action (widget_class, "prompt.stop", NULL, stop_prompt);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "prompt.stop", NULL);
}

static void
tacho_prompt_pane_init (TachoPromptPane *self)
{
  self->conversation = tacho_conversation_new ();
  self->progress = NAN;
  gtk_widget_init_template (GTK_WIDGET (self));
  g_signal_connect_object (gtk_text_view_get_buffer (self->editor), "changed", G_CALLBACK (update),
                           self, G_CONNECT_SWAPPED);
  update (self);
}

/**
 * tacho_prompt_pane_set_connection:
 * @self: the pane
 * @connection: (nullable): the server in use
 *
 * What runs on the old server is stopped; the conversation stays.
 */
void
tacho_prompt_pane_set_connection (TachoPromptPane *self, TachoConnection *connection)
{
  g_return_if_fail (TACHO_IS_PROMPT_PANE (self));

  if (self->connection != NULL)
    {
      stop (self);
      g_signal_handlers_disconnect_by_data (self->connection, self);
      g_signal_handlers_disconnect_by_data (tacho_connection_get_manager (self->connection), self);
    }
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
 * tacho_prompt_pane_new_conversation:
 * @self: the pane
 *
 * Stops what runs and forgets the conversation.
 */
void
tacho_prompt_pane_new_conversation (TachoPromptPane *self)
{
  g_return_if_fail (TACHO_IS_PROMPT_PANE (self));

  stop (self);
  tacho_conversation_clear (self->conversation);
  g_clear_pointer (&self->stats, g_free);
  tacho_transcript_clear (self->transcript);
  update (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->editor));
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
  gtk_widget_grab_focus (GTK_WIDGET (self->editor));
}

/**
 * tacho_prompt_pane_save:
 * @self: the pane
 *
 * Remembers the parameters for the next start.
 */
void
tacho_prompt_pane_save (TachoPromptPane *self)
{
  tacho_prompt_settings_save (self->settings);
}
