/* SPDX-License-Identifier: GPL-3.0-or-later */
/* System prompt and sampling parameters; what is not ticked is not sent. */
#define G_LOG_DOMAIN "tacho-prompt-settings"

#include "config.h"

#include "app/tacho-prompt-settings.h"
#include "app/tacho-prompt-parameters.h"
#include "app/tacho-prompt-presets.h"
#include "app/tacho-servers.h"
#include "base/tacho-json.h"

#include <glib/gi18n.h>
#include <math.h>

enum
{
  KEPT_SYSTEM_PROMPT,
  KEPT_TEMPERATURE,
  KEPT_TOP_P,
  KEPT_MAX_TOKENS,
  N_KEPT
};

static const char *const kept_keys[N_KEPT] = { "system-prompt", "temperature", "top-p",
                                               "max-tokens" };

struct _TachoPromptSettings
{
  AdwBin parent_instance;
  char *summary;
  char *defaults[N_KEPT]; /* of the configuration file, as the widgets show them; NULL: not set */

  GtkTextView *system_prompt;
  GtkCheckButton *temperature_check;
  GtkSpinButton *temperature;
  GtkCheckButton *top_p_check;
  GtkSpinButton *top_p;
  GtkCheckButton *max_tokens_check;
  GtkSpinButton *max_tokens;
  GtkCheckButton *seed_check;
  GtkSpinButton *seed;
  GtkCheckButton *stop_check;
  GtkEntry *stop;
  GtkCheckButton *raw_check;
  GtkMenuButton *presets;
};

G_DEFINE_FINAL_TYPE (TachoPromptSettings, tacho_prompt_settings, ADW_TYPE_BIN)

enum
{
  PROP_0,
  PROP_SUMMARY,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

/* Separated by commas, with C's escapes; NULL: none. */
static char **
dup_stop (TachoPromptSettings *self)
{
  g_auto (GStrv) written = g_strsplit (gtk_editable_get_text (GTK_EDITABLE (self->stop)), ",", -1);
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  gboolean any = FALSE;

  for (guint i = 0; written[i] != NULL; i++)
    {
      g_autofree char *text = g_strcompress (written[i]);

      if (text[0] == '\0' || !g_utf8_validate (text, -1, NULL))
        continue;
      g_strv_builder_add (builder, text);
      any = TRUE;
    }
  return any ? g_strv_builder_end (builder) : NULL;
}

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
  if (gtk_check_button_get_active (self->stop_check) &&
      gtk_editable_get_text (GTK_EDITABLE (self->stop))[0] != '\0')
    g_ptr_array_add (parts, g_strdup (_ ("stop strings")));
  if (gtk_check_button_get_active (self->raw_check))
    g_ptr_array_add (parts, g_strdup (_ ("raw completion")));
  g_ptr_array_add (parts, NULL);
  summary = parts->len > 1 ? g_strjoinv (" · ", (char **) parts->pdata)
                           : g_strdup (_ ("server defaults"));
  if (g_strcmp0 (summary, self->summary) == 0)
    return;
  g_free (self->summary);
  self->summary = g_steal_pointer (&summary);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SUMMARY]);
}

static char *
dup_number (GtkCheckButton *check, GtkSpinButton *spin)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  if (!gtk_check_button_get_active (check))
    return NULL;
  return g_strdup (g_ascii_formatd (text, sizeof text, "%.10g", gtk_spin_button_get_value (spin)));
}

/* What the widgets say, as the file would. */
static char *
dup_kept (TachoPromptSettings *self, guint which)
{
  switch (which)
    {
    case KEPT_SYSTEM_PROMPT:
      return tacho_prompt_settings_dup_system_prompt (self);
    case KEPT_TEMPERATURE:
      return dup_number (self->temperature_check, self->temperature);
    case KEPT_TOP_P:
      return dup_number (self->top_p_check, self->top_p);
    case KEPT_MAX_TOKENS:
    default:
      return dup_number (self->max_tokens_check, self->max_tokens);
    }
}

/* Presets. */

static void
show_value (GtkCheckButton *check, GtkSpinButton *spin, gboolean is_set, double value)
{
  gtk_check_button_set_active (check, is_set);
  if (is_set)
    gtk_spin_button_set_value (spin, value);
}

static void
show_stop (TachoPromptSettings *self, char **stop)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; stop != NULL && stop[i] != NULL; i++)
    {
      g_autofree char *escaped = g_strescape (stop[i], NULL);
      g_autoptr (GString) one = g_string_new (escaped);

      g_string_replace (one, ",", "\\054", 0);
      g_string_append_printf (text, "%s%s", i > 0 ? "," : "", one->str);
    }
  gtk_check_button_set_active (self->stop_check, stop != NULL);
  gtk_editable_set_text (GTK_EDITABLE (self->stop), text->str);
}

static void
show_system_prompt (TachoPromptSettings *self, const char *text)
{
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->system_prompt),
                            text != NULL ? text : "", -1);
}

static void
show_request (TachoPromptSettings *self, const TachoGenerateRequest *r)
{
  show_value (self->temperature_check, self->temperature, !isnan (r->temperature), r->temperature);
  show_value (self->top_p_check, self->top_p, !isnan (r->top_p), r->top_p);
  show_value (self->max_tokens_check, self->max_tokens, r->max_tokens > 0, (double) r->max_tokens);
  show_value (self->seed_check, self->seed, r->seed >= 0, (double) r->seed);
  show_stop (self, r->stop);
  gtk_check_button_set_active (self->raw_check, r->raw);
}

static void
apply_preset (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoPromptSettings *self = TACHO_PROMPT_SETTINGS (widget);
  g_autoptr (GPtrArray) presets = tacho_prompt_presets_load ();

  for (guint i = 0; i < presets->len; i++)
    {
      const TachoPromptPreset *preset = g_ptr_array_index (presets, i);

      if (g_str_equal (preset->name, g_variant_get_string (parameter, NULL)))
        {
          /* Those that come with the program leave a person's words alone. */
          if (preset->own)
            show_system_prompt (self, preset->system_prompt);
          show_request (self, preset->request);
        }
    }
}

static void fill_presets (TachoPromptSettings *self);

static void
delete_preset (GtkWidget *widget, const char *action, GVariant *parameter)
{
  tacho_prompt_presets_delete (g_variant_get_string (parameter, NULL));
  fill_presets (TACHO_PROMPT_SETTINGS (widget));
}

static void
save_response_cb (AdwMessageDialog *dialog, const char *response, TachoPromptSettings *self)
{
  const char *name =
      gtk_editable_get_text (GTK_EDITABLE (adw_message_dialog_get_extra_child (dialog)));
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new (NULL);
  g_autofree char *system_prompt = tacho_prompt_settings_dup_system_prompt (self);

  if (g_strcmp0 (response, "save") != 0 || name[strspn (name, " ")] == '\0')
    return;
  tacho_prompt_settings_apply (self, request);
  tacho_prompt_presets_save (name, system_prompt, request);
  fill_presets (self);
}

static void
save_preset (GtkWidget *widget, const char *action, GVariant *parameter)
{
  GtkWidget *dialog = adw_message_dialog_new (
      GTK_WINDOW (gtk_widget_get_root (widget)), _ ("Keep These Parameters"),
      _ ("System prompt and parameters are kept under a name."));
  GtkWidget *entry = gtk_entry_new ();

  gtk_entry_set_activates_default (GTK_ENTRY (entry), TRUE);
  gtk_entry_set_max_length (GTK_ENTRY (entry), 60);
  gtk_accessible_update_property (GTK_ACCESSIBLE (entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Name of the preset"), -1);
  adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (dialog), entry);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _ ("_Cancel"), "save",
                                    _ ("_Keep"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "save",
                                              ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "save");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_signal_connect_object (dialog, "response", G_CALLBACK (save_response_cb), widget, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

/* For the next new conversations, and for tacho-cli; seed, stop strings and raw completion are for
 * one conversation. */
static void
make_default (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoPromptSettings *self = TACHO_PROMPT_SETTINGS (widget);
  TachoConfig *config = tacho_servers_get_config ();
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < N_KEPT && error == NULL; i++)
    {
      g_autofree char *value = dup_kept (self, i);

      if (g_strcmp0 (value, self->defaults[i]) == 0)
        continue; /* what others changed in the file meanwhile stays */
      if (value != NULL)
        tacho_config_set_value (config, "inference", kept_keys[i], value, &error);
      else
        tacho_config_unset_value (config, "inference", kept_keys[i], &error);
      if (error == NULL)
        {
          g_free (self->defaults[i]);
          self->defaults[i] = g_steal_pointer (&value);
        }
    }
  g_signal_emit_by_name (self, "notice",
                         error != NULL ? error->message
                                       : _ ("New conversations begin with these parameters"));
}

static void
append_preset (GMenu *menu, const char *label, const char *action, const char *name)
{
  g_autoptr (GMenuItem) item = g_menu_item_new (label, NULL);

  g_menu_item_set_action_and_target (item, action, "s", name);
  g_menu_append_item (menu, item);
}

static void
fill_presets (TachoPromptSettings *self)
{
  g_autoptr (GPtrArray) presets = tacho_prompt_presets_load ();
  g_autoptr (GMenu) menu = g_menu_new ();
  g_autoptr (GMenu) ready = g_menu_new ();
  g_autoptr (GMenu) own = g_menu_new ();
  g_autoptr (GMenu) deletion = g_menu_new ();
  g_autoptr (GMenu) last = g_menu_new ();

  for (guint i = 0; i < presets->len; i++)
    {
      const TachoPromptPreset *preset = g_ptr_array_index (presets, i);

      append_preset (preset->own ? own : ready, preset->name, "preset.apply", preset->name);
      if (preset->own)
        append_preset (deletion, preset->name, "preset.delete", preset->name);
    }
  g_menu_append (last, _ ("_Keep These…"), "preset.save");
  g_menu_append (last, _ ("_Use for New Conversations"), "preset.make-default");
  if (g_menu_model_get_n_items (G_MENU_MODEL (deletion)) > 0)
    g_menu_append_submenu (last, _ ("_Delete"), G_MENU_MODEL (deletion));
  g_menu_append_section (menu, NULL, G_MENU_MODEL (ready));
  g_menu_append_section (menu, NULL, G_MENU_MODEL (own));
  g_menu_append_section (menu, NULL, G_MENU_MODEL (last));
  gtk_menu_button_set_menu_model (self->presets, G_MENU_MODEL (menu));
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
  for (guint i = 0; i < N_KEPT; i++)
    g_clear_pointer (&self->defaults[i], g_free);
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
  g_signal_new ("notice", TACHO_TYPE_PROMPT_SETTINGS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                G_TYPE_NONE, 1, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE);

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
  gtk_widget_class_bind_template_child (widget_class, TachoPromptSettings, stop_check);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptSettings, stop);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptSettings, raw_check);
  gtk_widget_class_bind_template_child (widget_class, TachoPromptSettings, presets);
  gtk_widget_class_bind_template_callback (widget_class, changed_cb);
  gtk_widget_class_install_action (widget_class, "preset.apply", "s", apply_preset);
  gtk_widget_class_install_action (widget_class, "preset.delete", "s", delete_preset);
  gtk_widget_class_install_action (widget_class, "preset.save", NULL, save_preset);
  gtk_widget_class_install_action (widget_class, "preset.make-default", NULL, make_default);
}

static void
tacho_prompt_settings_init (TachoPromptSettings *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  tacho_prompt_settings_show_defaults (self);
  fill_presets (self);
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
  request->raw = gtk_check_button_get_active (self->raw_check);
  g_strfreev (request->stop);
  request->stop = gtk_check_button_get_active (self->stop_check) ? dup_stop (self) : NULL;
}

/**
 * tacho_prompt_settings_dup_parameters:
 * @self: the settings
 *
 * Returns: (transfer full): what is ticked, as a JSON object
 */
char *
tacho_prompt_settings_dup_parameters (TachoPromptSettings *self)
{
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new (NULL);
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();

  tacho_prompt_settings_apply (self, request);
  tacho_prompt_parameters_write (request, object);
  json_node_take_object (node, object);
  return tacho_json_to_string (node, FALSE);
}

/**
 * tacho_prompt_settings_show:
 * @self: the settings
 * @system_prompt: (nullable): its text
 * @parameters: what tacho_prompt_settings_dup_parameters() gave
 *
 * Shows them, in place of what is there.
 */
void
tacho_prompt_settings_show (TachoPromptSettings *self,
                            const char *system_prompt,
                            JsonObject *parameters)
{
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new (NULL);

  tacho_prompt_parameters_read (request, parameters);
  show_system_prompt (self, system_prompt);
  show_request (self, request);
}

/**
 * tacho_prompt_settings_show_defaults:
 * @self: the settings
 *
 * Shows what the configuration file says, in place of what is there.
 */
void
tacho_prompt_settings_show_defaults (TachoPromptSettings *self)
{
  TachoConfig *config = tacho_servers_get_config ();
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new (NULL);
  char *values[N_KEPT];

  for (guint i = 0; i < N_KEPT; i++)
    values[i] = tacho_config_dup_inference (config, NULL, kept_keys[i], NULL);
  if (values[KEPT_TEMPERATURE] != NULL)
    request->temperature = g_ascii_strtod (values[KEPT_TEMPERATURE], NULL);
  if (values[KEPT_TOP_P] != NULL)
    request->top_p = g_ascii_strtod (values[KEPT_TOP_P], NULL);
  if (values[KEPT_MAX_TOKENS] != NULL)
    request->max_tokens = g_ascii_strtoll (values[KEPT_MAX_TOKENS], NULL, 10);
  show_system_prompt (self, values[KEPT_SYSTEM_PROMPT]);
  show_request (self, request);
  for (guint i = 0; i < N_KEPT; i++)
    {
      g_free (values[i]);
      g_free (self->defaults[i]);
      self->defaults[i] = dup_kept (self, i);
    }
}

/**
 * tacho_prompt_settings_is_default:
 * @self: the settings
 *
 * Returns: whether they are those with which a new conversation begins
 */
gboolean
tacho_prompt_settings_is_default (TachoPromptSettings *self)
{
  for (guint i = 0; i < N_KEPT; i++)
    {
      g_autofree char *value = dup_kept (self, i);

      if (g_strcmp0 (value, self->defaults[i]) != 0)
        return FALSE;
    }
  return !gtk_check_button_get_active (self->seed_check) &&
         !gtk_check_button_get_active (self->stop_check) &&
         !gtk_check_button_get_active (self->raw_check);
}
