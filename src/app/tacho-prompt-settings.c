/* SPDX-License-Identifier: GPL-3.0-or-later */
/* System prompt and sampling parameters; what is not ticked is not sent. */
#define G_LOG_DOMAIN "tacho-prompt-settings"

#include "config.h"

#include "app/tacho-prompt-settings.h"
#include "app/tacho-settings.h"

#include <glib/gi18n.h>

struct _TachoPromptSettings
{
  AdwBin parent_instance;
  char *summary;

  GtkTextView *system_prompt;
  GtkCheckButton *temperature_check;
  GtkSpinButton *temperature;
  GtkCheckButton *top_p_check;
  GtkSpinButton *top_p;
  GtkCheckButton *max_tokens_check;
  GtkSpinButton *max_tokens;
  GtkCheckButton *seed_check;
  GtkSpinButton *seed;
};

G_DEFINE_FINAL_TYPE (TachoPromptSettings, tacho_prompt_settings, ADW_TYPE_BIN)

enum
{
  PROP_0,
  PROP_SUMMARY,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void
changed_cb (TachoPromptSettings *self)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *system_prompt = tacho_prompt_settings_dup_system_prompt (self);
  g_autofree char *summary = NULL;

  if (system_prompt != NULL)
    g_ptr_array_add (parts, g_strdup (_ ("system prompt")));
  if (gtk_check_button_get_active (self->temperature_check))
    g_ptr_array_add (parts, g_strdup_printf (_ ("temperature %.2f"),
                                             gtk_spin_button_get_value (self->temperature)));
  if (gtk_check_button_get_active (self->top_p_check))
    g_ptr_array_add (parts,
                     g_strdup_printf (_ ("top-p %.2f"), gtk_spin_button_get_value (self->top_p)));
  if (gtk_check_button_get_active (self->max_tokens_check))
    g_ptr_array_add (parts, g_strdup_printf (_ ("at most %d tokens"),
                                             gtk_spin_button_get_value_as_int (self->max_tokens)));
  if (gtk_check_button_get_active (self->seed_check))
    g_ptr_array_add (
        parts, g_strdup_printf (_ ("seed %d"), gtk_spin_button_get_value_as_int (self->seed)));
  g_ptr_array_add (parts, NULL);
  summary = parts->len > 1 ? g_strjoinv (" · ", (char **) parts->pdata)
                           : g_strdup (_ ("server defaults"));
  if (g_strcmp0 (summary, self->summary) == 0)
    return;
  g_free (self->summary);
  self->summary = g_steal_pointer (&summary);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SUMMARY]);
}

static void
load (TachoPromptSettings *self)
{
  TachoSettings *settings = tacho_settings_get_default ();
  g_autofree char *system_prompt = tacho_settings_get_string (settings, "system-prompt");
  double temperature = tacho_settings_get_double (settings, "temperature");
  double top_p = tacho_settings_get_double (settings, "top-p");
  int max_tokens = tacho_settings_get_int (settings, "max-tokens");

  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->system_prompt), system_prompt, -1);
  gtk_check_button_set_active (self->temperature_check, temperature >= 0);
  gtk_spin_button_set_value (self->temperature, temperature >= 0 ? temperature : 0.7);
  gtk_check_button_set_active (self->top_p_check, top_p >= 0);
  gtk_spin_button_set_value (self->top_p, top_p >= 0 ? top_p : 0.95);
  gtk_check_button_set_active (self->max_tokens_check, max_tokens > 0);
  gtk_spin_button_set_value (self->max_tokens, max_tokens > 0 ? max_tokens : 512);
}

static void
tacho_prompt_settings_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  if (id == PROP_SUMMARY)
    g_value_set_string (value, TACHO_PROMPT_SETTINGS (object)->summary);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
tacho_prompt_settings_dispose (GObject *object)
{
  TachoPromptSettings *self = TACHO_PROMPT_SETTINGS (object);

  g_clear_pointer (&self->summary, g_free);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_PROMPT_SETTINGS);

  G_OBJECT_CLASS (tacho_prompt_settings_parent_class)->dispose (object);
}

static void
tacho_prompt_settings_class_init (TachoPromptSettingsClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->get_property = tacho_prompt_settings_get_property;
  object_class->dispose = tacho_prompt_settings_dispose;
  properties[PROP_SUMMARY] =
      g_param_spec_string ("summary", NULL, NULL, NULL,
                           G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-prompt-settings.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoPromptSettings, system_prompt);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptSettings, temperature_check);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptSettings, temperature);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptSettings, top_p_check);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptSettings, top_p);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptSettings, max_tokens_check);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptSettings, max_tokens);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptSettings, seed_check);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptSettings, seed);
  gtk_widget_class_bind_template_callback (widget_class, changed_cb);
}

static void
tacho_prompt_settings_init (TachoPromptSettings *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  load (self);
  g_signal_connect_object (gtk_text_view_get_buffer (self->system_prompt), "changed",
                           G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  changed_cb (self);
}

/**
 * tacho_prompt_settings_dup_system_prompt:
 * @self: the settings
 *
 * Returns: (transfer full) (nullable): the system prompt, or %NULL if none is to be sent
 */
char *
tacho_prompt_settings_dup_system_prompt (TachoPromptSettings *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->system_prompt);
  GtkTextIter begin, end;
  g_autofree char *text = NULL;

  gtk_text_buffer_get_bounds (buffer, &begin, &end);
  text = g_strstrip (gtk_text_buffer_get_text (buffer, &begin, &end, FALSE));
  return text[0] != '\0' ? g_steal_pointer (&text) : NULL;
}

/**
 * tacho_prompt_settings_apply:
 * @self: the settings
 * @request: a request
 *
 * Sets the parameters that are ticked; the system prompt is a message, not a parameter.
 */
void
tacho_prompt_settings_apply (TachoPromptSettings *self, TachoGenerateRequest *request)
{
  if (gtk_check_button_get_active (self->temperature_check))
    request->temperature = gtk_spin_button_get_value (self->temperature);
  if (gtk_check_button_get_active (self->top_p_check))
    request->top_p = gtk_spin_button_get_value (self->top_p);
  if (gtk_check_button_get_active (self->max_tokens_check))
    request->max_tokens = gtk_spin_button_get_value_as_int (self->max_tokens);
  if (gtk_check_button_get_active (self->seed_check))
    request->seed = gtk_spin_button_get_value_as_int (self->seed);
}

/**
 * tacho_prompt_settings_save:
 * @self: the settings
 *
 * Remembers them for the next start; a seed is for this session.
 */
void
tacho_prompt_settings_save (TachoPromptSettings *self)
{
  TachoSettings *settings = tacho_settings_get_default ();
  g_autofree char *system_prompt = tacho_prompt_settings_dup_system_prompt (self);

  tacho_settings_set_string (settings, "system-prompt", system_prompt != NULL ? system_prompt : "");
  tacho_settings_set_double (settings, "temperature",
                             gtk_check_button_get_active (self->temperature_check)
                                 ? gtk_spin_button_get_value (self->temperature)
                                 : -1);
  tacho_settings_set_double (settings, "top-p",
                             gtk_check_button_get_active (self->top_p_check)
                                 ? gtk_spin_button_get_value (self->top_p)
                                 : -1);
  tacho_settings_set_int (settings, "max-tokens",
                          gtk_check_button_get_active (self->max_tokens_check)
                              ? gtk_spin_button_get_value_as_int (self->max_tokens)
                              : 0);
}
