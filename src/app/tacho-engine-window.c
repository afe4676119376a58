/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starts, watches and stops the llama-server of this computer. */
#define G_LOG_DOMAIN "tacho-engine-window"

#include "config.h"

#include "app/tacho-engine-window.h"
#include "app/tacho-display.h"
#include "app/tacho-engine-log.h"
#include "app/tacho-engine.h"
#include "app/tacho-settings.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_ERROR 2000 /* bytes, with the server's last words */

struct _TachoEngineWindow
{
  AdwWindow parent_instance;
  TachoLocalEngine *engine;
  GtkFileChooserNative *chooser;
  GCancellable *counting; /* the models of the folder */
  gboolean is_filling;

  AdwEntryRow *models_row;
  AdwExpanderRow *options_row;
  AdwEntryRow *program_row;
  GtkSpinButton *context_spin;
  GtkSpinButton *layers_spin;
  GtkButton *choose_button;
  AdwActionRow *state_row;
  GtkImage *state_icon;
  GtkButton *use_button;
  GtkButton *start_button;
  GtkLabel *error_label;
  TachoEngineLog *log;
  char *models_words; /* "3 models", or what is wrong with the folder */
  gboolean can_start;
};

G_DEFINE_FINAL_TYPE (TachoEngineWindow, tacho_engine_window, ADW_TYPE_WINDOW)

static gboolean
is_running (TachoEngineWindow *self)
{
  TachoLocalEngineState state = tacho_local_engine_get_state (self->engine);

  return state == TACHO_LOCAL_ENGINE_STARTING || state == TACHO_LOCAL_ENGINE_READY ||
         state == TACHO_LOCAL_ENGINE_STOPPING;
}

static TachoDisplayState
describe (TachoEngineWindow *self)
{
  switch (tacho_local_engine_get_state (self->engine))
    {
    case TACHO_LOCAL_ENGINE_STARTING:
      return (TachoDisplayState){ "tacho-status-busy-symbolic",
                                  tacho_local_engine_get_loading (self->engine)
                                      ? _ ("Loading its model…")
                                      : _ ("Starting…"),
                                  "accent" };
    case TACHO_LOCAL_ENGINE_READY:
      return (TachoDisplayState){ "tacho-status-on-symbolic", _ ("Running"), "success" };
    case TACHO_LOCAL_ENGINE_STOPPING:
      return (TachoDisplayState){ "tacho-status-busy-symbolic", _ ("Stopping…"), "accent" };
    case TACHO_LOCAL_ENGINE_FAILED:
      return (TachoDisplayState){ "tacho-status-failed-symbolic", _ ("Failed"), "error" };
    case TACHO_LOCAL_ENGINE_STOPPED:
    default:
      return (TachoDisplayState){ "tacho-status-off-symbolic", _ ("Not running"), "dim-label" };
    }
}

static void
show_error (TachoEngineWindow *self, const GError *error)
{
  g_autofree char *text =
      error != NULL
          ? tacho_text_sanitize (error->message, (gssize) strnlen (error->message, MAX_ERROR))
          : NULL;

  gtk_label_set_label (self->error_label, text != NULL ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (self->error_label), text != NULL);
}

static void
update (TachoEngineWindow *self)
{
  TachoDisplayState state = describe (self);
  gboolean running = is_running (self);
  gboolean ready = tacho_local_engine_get_state (self->engine) == TACHO_LOCAL_ENGINE_READY;
  g_autofree char *words = tacho_text_escape_markup (
      running ? tacho_local_engine_get_url (self->engine) : self->models_words, 300);

  gtk_image_set_from_icon_name (self->state_icon, state.icon);
  tacho_display_set_class (GTK_WIDGET (self->state_icon), state.css_class);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->state_row), state.words);
  adw_action_row_set_subtitle (self->state_row, words);
  gtk_widget_set_visible (GTK_WIDGET (self->use_button), ready);
  gtk_button_set_label (self->start_button, running ? _ ("Stop") : _ ("Start"));
  gtk_widget_set_sensitive (GTK_WIDGET (self->start_button),
                            running ? tacho_local_engine_get_state (self->engine) !=
                                          TACHO_LOCAL_ENGINE_STOPPING
                                    : self->can_start);
  if (running)
    gtk_widget_remove_css_class (GTK_WIDGET (self->start_button), "suggested-action");
  else
    gtk_widget_add_css_class (GTK_WIDGET (self->start_button), "suggested-action");
  /* GTK 4.8 warns of a field that loses its focus by being switched off. */
  if (running && gtk_window_get_focus (GTK_WINDOW (self)) != NULL)
    gtk_widget_grab_focus (GTK_WIDGET (self->start_button));
  gtk_widget_set_sensitive (GTK_WIDGET (self->models_row), !running);
  gtk_widget_set_sensitive (GTK_WIDGET (self->options_row), !running);
}

static void
state_cb (TachoEngineWindow *self)
{
  show_error (self, tacho_local_engine_get_state (self->engine) == TACHO_LOCAL_ENGINE_FAILED
                        ? tacho_local_engine_get_error (self->engine)
                        : NULL);
  update (self);
}

/* --- what would be started --- */

static void
say_models (TachoEngineWindow *self, const char *words, gboolean can_start)
{
  g_free (self->models_words);
  self->models_words = g_strdup (words);
  self->can_start = can_start;
  update (self);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoEngineWindow) self = user_data;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) models = tacho_local_engine_list_models_finish (result, &error);
  g_autofree char *words = NULL;
  guint n;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || self->models_row == NULL)
    return;
  n = models != NULL ? g_strv_length (models) : 0;
  if (error != NULL)
    say_models (self, error->message, FALSE);
  else if (n == 0)
    say_models (self, _ ("There are no GGUF files in that folder"), FALSE);
  else
    {
      /* Translators: how many models a folder has. */
      words = g_strdup_printf (ngettext ("%u model", "%u models", n), n);
      say_models (self, words, TRUE);
    }
}

static gboolean
has_program (void)
{
  g_autofree char *given =
      tacho_settings_get_string (tacho_settings_get_default (), "engine-program");
  g_autofree char *program = tacho_local_engine_find_program (given[0] != '\0' ? given : NULL);

  return program != NULL;
}

/* What is missing is said before Start is pressed. */
static void
check (TachoEngineWindow *self)
{
  TachoSettings *settings = tacho_settings_get_default ();
  g_autofree char *models = tacho_settings_get_string (settings, "engine-models");
  g_autofree char *given = tacho_settings_get_string (settings, "engine-program");

  if (self->counting != NULL)
    g_cancellable_cancel (self->counting);
  g_clear_object (&self->counting);
  if (!has_program ())
    say_models (self,
                given[0] != '\0'
                    ? _ ("There is no such program: see Options")
                    : _ ("llama-server is not installed: install llama.cpp, or say in Options "
                         "where it is"),
                FALSE);
  else if (models[0] == '\0')
    say_models (self, _ ("Choose a folder of GGUF files"), FALSE);
  else if (g_file_test (models, G_FILE_TEST_IS_REGULAR))
    say_models (self, _ ("One model"), TRUE);
  else
    {
      say_models (self, _ ("Looking into the folder…"), FALSE);
      self->counting = g_cancellable_new ();
      tacho_local_engine_list_models_async (models, self->counting, listed_cb, g_object_ref (self));
    }
}

static char *
get_path (AdwEntryRow *row)
{
  g_autofree char *text = g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (row))));

  if (text[0] == '~' && (text[1] == '/' || text[1] == '\0'))
    return g_build_filename (g_get_home_dir (), text + 1, NULL);
  return g_steal_pointer (&text);
}

static void
models_changed_cb (TachoEngineWindow *self)
{
  g_autofree char *path = get_path (self->models_row);

  if (self->is_filling)
    return;
  tacho_settings_set_string (tacho_settings_get_default (), "engine-models", path);
  check (self);
}

static void
options_changed_cb (TachoEngineWindow *self)
{
  TachoSettings *settings = tacho_settings_get_default ();
  g_autofree char *program = get_path (self->program_row);

  if (self->is_filling)
    return;
  tacho_settings_set_string (settings, "engine-program", program);
  tacho_settings_set_int (settings, "engine-context",
                          gtk_spin_button_get_value_as_int (self->context_spin));
  tacho_settings_set_int (settings, "engine-gpu-layers",
                          gtk_spin_button_get_value_as_int (self->layers_spin));
  check (self);
}

static void
fill (TachoEngineWindow *self)
{
  TachoSettings *settings = tacho_settings_get_default ();
  g_autofree char *models = tacho_settings_get_string (settings, "engine-models");
  g_autofree char *program = tacho_settings_get_string (settings, "engine-program");

  self->is_filling = TRUE;
  gtk_editable_set_text (GTK_EDITABLE (self->models_row), models);
  gtk_editable_set_text (GTK_EDITABLE (self->program_row), program);
  gtk_spin_button_set_value (self->context_spin,
                             tacho_settings_get_int (settings, "engine-context"));
  gtk_spin_button_set_value (self->layers_spin,
                             tacho_settings_get_int (settings, "engine-gpu-layers"));
  self->is_filling = FALSE;
}

static void
chosen_cb (GtkNativeDialog *dialog, int response, TachoEngineWindow *self)
{
  g_autoptr (GFile) file = NULL;

  if (response != GTK_RESPONSE_ACCEPT)
    return;
  file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  if (file != NULL && g_file_peek_path (file) != NULL)
    gtk_editable_set_text (GTK_EDITABLE (self->models_row), g_file_peek_path (file));
}

static void
choose_cb (TachoEngineWindow *self)
{
  if (self->chooser == NULL)
    {
      self->chooser =
          gtk_file_chooser_native_new (_ ("Folder of Models"), GTK_WINDOW (self),
                                       GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, NULL, NULL);
      g_signal_connect_object (self->chooser, "response", G_CALLBACK (chosen_cb), self, 0);
    }
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

/* --- starting and stopping --- */

static void
start_cb (TachoEngineWindow *self)
{
  g_autoptr (GError) error = NULL;

  if (is_running (self))
    tacho_local_engine_stop (self->engine);
  else if (!tacho_engine_start (&error))
    show_error (self, error);
}

static void
use_cb (TachoEngineWindow *self)
{
  GtkWindow *parent = gtk_window_get_transient_for (GTK_WINDOW (self));

  if (parent != NULL)
    gtk_widget_activate_action (GTK_WIDGET (parent), "win.open-url", "s",
                                tacho_local_engine_get_url (self->engine));
  gtk_window_close (GTK_WINDOW (self));
}

static void
tacho_engine_window_dispose (GObject *object)
{
  TachoEngineWindow *self = TACHO_ENGINE_WINDOW (object);

  if (self->counting != NULL)
    g_cancellable_cancel (self->counting);
  g_clear_object (&self->counting);
  if (self->chooser != NULL)
    gtk_native_dialog_destroy (GTK_NATIVE_DIALOG (self->chooser));
  g_clear_object (&self->chooser);
  if (self->engine != NULL)
    g_signal_handlers_disconnect_by_data (self->engine, self);
  g_clear_object (&self->engine);
  g_clear_pointer (&self->models_words, g_free);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_ENGINE_WINDOW);

  G_OBJECT_CLASS (tacho_engine_window_parent_class)->dispose (object);
}

static void
tacho_engine_window_class_init (TachoEngineWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_engine_window_dispose;
  g_type_ensure (TACHO_TYPE_ENGINE_LOG);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-engine-window.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoEngineWindow, models_row);
  gtk_widget_class_bind_template_child (widget_class, TachoEngineWindow, options_row);
  gtk_widget_class_bind_template_child (widget_class, TachoEngineWindow, program_row);
  gtk_widget_class_bind_template_child (widget_class, TachoEngineWindow, context_spin);
  gtk_widget_class_bind_template_child (widget_class, TachoEngineWindow, layers_spin);
  gtk_widget_class_bind_template_child (widget_class, TachoEngineWindow, choose_button);
  gtk_widget_class_bind_template_child (widget_class, TachoEngineWindow, state_row);
  gtk_widget_class_bind_template_child (widget_class, TachoEngineWindow, state_icon);
  gtk_widget_class_bind_template_child (widget_class, TachoEngineWindow, use_button);
  gtk_widget_class_bind_template_child (widget_class, TachoEngineWindow, start_button);
  gtk_widget_class_bind_template_child (widget_class, TachoEngineWindow, error_label);
  gtk_widget_class_bind_template_child (widget_class, TachoEngineWindow, log);
  gtk_widget_class_bind_template_callback (widget_class, models_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, options_changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, choose_cb);
  gtk_widget_class_bind_template_callback (widget_class, start_cb);
  gtk_widget_class_bind_template_callback (widget_class, use_cb);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
tacho_engine_window_init (TachoEngineWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->engine = g_object_ref (tacho_engine_get_default ());
  g_signal_connect_object (self->engine, "notify", G_CALLBACK (state_cb), self, G_CONNECT_SWAPPED);
  tacho_engine_log_set_engine (self->log, self->engine);
  fill (self);
  check (self);
  adw_expander_row_set_expanded (self->options_row, !has_program ());
  state_cb (self);
}

/**
 * tacho_engine_window_new:
 * @parent: the window that uses the engine
 *
 * Returns: (transfer none): the form of the llama-server of this computer
 */
TachoEngineWindow *
tacho_engine_window_new (GtkWindow *parent)
{
  return g_object_new (TACHO_TYPE_ENGINE_WINDOW, "transient-for", parent, "modal", TRUE, NULL);
}
