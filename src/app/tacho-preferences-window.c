/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person may choose about the program itself. Each choice holds at once. */
#define G_LOG_DOMAIN "tacho-preferences-window"

#include "config.h"

#include "app/tacho-preferences-window.h"
#include "app/tacho-settings.h"
#include "base/tacho-text.h"

#define MAX_PATH_CHARS 300

struct _TachoPreferencesWindow
{
  AdwPreferencesWindow parent_instance;
  char *data;
  char *config;

  AdwComboRow *color_scheme;
  AdwComboRow *send_key;
  GtkSwitch *notify;
  AdwActionRow *data_row;
  AdwActionRow *config_row;
};

G_DEFINE_FINAL_TYPE (TachoPreferencesWindow, tacho_preferences_window, ADW_TYPE_PREFERENCES_WINDOW)

static const char *const schemes[] = { "default", "light", "dark" };
static const char *const send_keys[] = { "enter", "ctrl-enter" };

static guint
find (const char *const *names, guint n, const char *key)
{
  g_autofree char *value = tacho_settings_get_string (tacho_settings_get_default (), key);

  for (guint i = 0; i < n; i++)
    if (g_strcmp0 (names[i], value) == 0)
      return i;
  return 0;
}

static void
color_scheme_cb (TachoPreferencesWindow *self)
{
  guint selected =
      MIN (adw_combo_row_get_selected (self->color_scheme), G_N_ELEMENTS (schemes) - 1);

  gtk_widget_activate_action (GTK_WIDGET (self), "app.color-scheme", "s", schemes[selected]);
}

static void
send_key_cb (TachoPreferencesWindow *self)
{
  guint selected = MIN (adw_combo_row_get_selected (self->send_key), G_N_ELEMENTS (send_keys) - 1);

  tacho_settings_set_string (tacho_settings_get_default (), "send-key", send_keys[selected]);
}

static void
notify_cb (TachoPreferencesWindow *self)
{
  tacho_settings_set_boolean (tacho_settings_get_default (), "notify",
                              gtk_switch_get_active (self->notify));
}

static void
open_folder (TachoPreferencesWindow *self, const char *path)
{
  g_autoptr (GFile) folder = g_file_new_for_path (path);
  g_autofree char *uri = g_file_get_uri (folder);

  /* It may hold nothing yet. A folder that cannot be made cannot be opened either, which is said by
   * the file manager. */
  g_mkdir_with_parents (path, 0700);
  gtk_show_uri (GTK_WINDOW (self), uri, GDK_CURRENT_TIME);
}

static void
open_data_cb (TachoPreferencesWindow *self)
{
  open_folder (self, self->data);
}

static void
open_config_cb (TachoPreferencesWindow *self)
{
  open_folder (self, self->config);
}

static void
show_path (AdwActionRow *row, const char *path)
{
  g_autofree char *escaped = tacho_text_escape_markup (path, MAX_PATH_CHARS);

  adw_action_row_set_subtitle (row, escaped);
}

static void
tacho_preferences_window_dispose (GObject *object)
{
  TachoPreferencesWindow *self = TACHO_PREFERENCES_WINDOW (object);

  g_clear_pointer (&self->data, g_free);
  g_clear_pointer (&self->config, g_free);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_PREFERENCES_WINDOW);

  G_OBJECT_CLASS (tacho_preferences_window_parent_class)->dispose (object);
}

static void
tacho_preferences_window_class_init (TachoPreferencesWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_preferences_window_dispose;
  gtk_widget_class_set_template_from_resource (
      widget_class, "/io/github/tacho/Tacho/tacho-preferences-window.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoPreferencesWindow, color_scheme);
  gtk_widget_class_bind_template_child (widget_class, TachoPreferencesWindow, send_key);
  gtk_widget_class_bind_template_child (widget_class, TachoPreferencesWindow, notify);
  gtk_widget_class_bind_template_child (widget_class, TachoPreferencesWindow, data_row);
  gtk_widget_class_bind_template_child (widget_class, TachoPreferencesWindow, config_row);
  gtk_widget_class_bind_template_callback (widget_class, open_data_cb);
  gtk_widget_class_bind_template_callback (widget_class, open_config_cb);
}

static void
tacho_preferences_window_init (TachoPreferencesWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->data = g_build_filename (g_get_user_data_dir (), "tacho", NULL);
  self->config = g_build_filename (g_get_user_config_dir (), "tacho", NULL);
  show_path (self->data_row, self->data);
  show_path (self->config_row, self->config);
  adw_combo_row_set_selected (self->color_scheme,
                              find (schemes, G_N_ELEMENTS (schemes), "color-scheme"));
  adw_combo_row_set_selected (self->send_key,
                              find (send_keys, G_N_ELEMENTS (send_keys), "send-key"));
  gtk_switch_set_active (self->notify,
                         tacho_settings_get_boolean (tacho_settings_get_default (), "notify"));
  g_signal_connect_swapped (self->color_scheme, "notify::selected", G_CALLBACK (color_scheme_cb),
                            self);
  g_signal_connect_swapped (self->send_key, "notify::selected", G_CALLBACK (send_key_cb), self);
  g_signal_connect_swapped (self->notify, "notify::active", G_CALLBACK (notify_cb), self);
}

/**
 * tacho_preferences_window_new:
 * @parent: (nullable): the window that it stands before
 *
 * Returns: (transfer none): the preferences, not shown yet
 */
TachoPreferencesWindow *
tacho_preferences_window_new (GtkWindow *parent)
{
  return g_object_new (TACHO_TYPE_PREFERENCES_WINDOW, "transient-for", parent, NULL);
}
