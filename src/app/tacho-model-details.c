/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page with everything that is known of a model, and what can be done with it. */
#define G_LOG_DOMAIN "tacho-model-details"

#include "config.h"

#include "app/tacho-model-details.h"
#include "app/tacho-display.h"
#include "app/tacho-model-actions.h"
#include "base/tacho-error.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>
#include <math.h>

#define MAX_VALUE 400  /* characters of a server's text */
#define MAX_TEXT 65536 /* bytes of a template */

struct _TachoModelDetails
{
  AdwBin parent_instance;
  TachoConnection *connection;
  TachoModel *model;
  GCancellable *cancellable;
  int n_rows;

  GtkLabel *title;
  GtkButton *back;
  GtkGrid *grid;
  GtkProgressBar *progress;
  GtkLabel *failure;
  GtkButton *change;
  GtkButton *remove;
  GtkExpander *template_expander;
  GtkTextView *template_view;
  GtkExpander *parameters_expander;
  GtkTextView *parameters_view;
};

G_DEFINE_FINAL_TYPE (TachoModelDetails, tacho_model_details, ADW_TYPE_BIN)

static guint back_signal;

/* Takes `value`; nothing is shown for what the server does not say. Rows are used again, so that
 * text which is selected stays so while a model loads. */
static void
add_row (TachoModelDetails *self, const char *label, char *value)
{
  g_autofree char *taken = value;
  g_autofree char *clean = NULL;
  g_autofree char *spoken = NULL;
  GtkWidget *name = gtk_grid_get_child_at (self->grid, 0, self->n_rows);
  GtkWidget *content = gtk_grid_get_child_at (self->grid, 1, self->n_rows);

  if (taken == NULL || taken[0] == '\0')
    return;
  clean = tacho_text_sanitize_line (taken, -1, MAX_VALUE);
  if (name == NULL)
    {
      name = gtk_label_new (NULL);
      gtk_label_set_xalign (GTK_LABEL (name), 0);
      gtk_label_set_wrap (GTK_LABEL (name), TRUE);
      gtk_widget_set_valign (name, GTK_ALIGN_START);
      gtk_widget_add_css_class (name, "dim-label");
      content = gtk_label_new (NULL);
      gtk_label_set_xalign (GTK_LABEL (content), 0);
      gtk_label_set_selectable (GTK_LABEL (content), TRUE);
      gtk_label_set_wrap (GTK_LABEL (content), TRUE);
      gtk_label_set_wrap_mode (GTK_LABEL (content), PANGO_WRAP_WORD_CHAR);
      gtk_widget_set_hexpand (content, TRUE);
      gtk_widget_add_css_class (content, "numeric");
      gtk_grid_attach (self->grid, name, 0, self->n_rows, 1, 1);
      gtk_grid_attach (self->grid, content, 1, self->n_rows, 1, 1);
    }
  if (strcmp (gtk_label_get_label (GTK_LABEL (name)), label) != 0)
    gtk_label_set_label (GTK_LABEL (name), label);
  if (strcmp (gtk_label_get_label (GTK_LABEL (content)), clean) != 0)
    gtk_label_set_label (GTK_LABEL (content), clean);
  spoken = g_strdup_printf ("%s: %s", label, clean);
  gtk_accessible_update_property (GTK_ACCESSIBLE (content), GTK_ACCESSIBLE_PROPERTY_LABEL, spoken,
                                  -1);
  self->n_rows++;
}

static char *
format_tokens (gint64 tokens)
{
  return tokens > 0 ? g_strdup_printf (_ ("%'lld tokens"), (long long) tokens) : NULL;
}

static char *
format_time (gint64 unix_seconds)
{
  g_autoptr (GDateTime) time =
      unix_seconds > 0 ? g_date_time_new_from_unix_local (unix_seconds) : NULL;

  return time != NULL ? g_date_time_format (time, "%x %X") : NULL;
}

static char *
format_bytes (guint64 bytes)
{
  return bytes > 0 ? tacho_text_format_bytes (bytes) : NULL;
}

static char *
format_capabilities (char **capabilities)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);

  for (gsize i = 0; capabilities != NULL && capabilities[i] != NULL; i++)
    g_ptr_array_add (words, tacho_display_model_kind (capabilities[i]));
  g_ptr_array_add (words, NULL);
  return g_strjoinv (", ", (char **) words->pdata);
}

static void
set_text (GtkExpander *expander, GtkTextView *view, const char *text)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (view);
  g_autofree char *clean = NULL;
  gsize length;

  gtk_widget_set_visible (GTK_WIDGET (expander), text != NULL && text[0] != '\0');
  if (text == NULL)
    {
      gtk_text_buffer_set_text (buffer, "", 0);
      return;
    }
  length = strlen (text);
  clean = tacho_text_sanitize (text, (gssize) MIN (length, MAX_TEXT));
  gtk_text_buffer_set_text (buffer, clean, -1);
}

static void
update_grid (TachoModelDetails *self)
{
  const TachoModelInfo *info = tacho_model_get_info (self->model);
  GtkWidget *child;

  self->n_rows = 0;
  add_row (self, _ ("Status"), tacho_display_model_status (self->model));
  add_row (self, _ ("Loaded at"), format_time (tacho_model_get_loaded_at (self->model)));
  add_row (self, _ ("Id"), g_strdup (info->id));
  add_row (self, _ ("Architecture"), g_strdup (info->family));
  add_row (self, _ ("Kind"), info->kind != NULL ? tacho_display_model_kind (info->kind) : NULL);
  add_row (self, _ ("Quantisation"), g_strdup (info->quantization));
  add_row (self, _ ("Parameters"),
           info->n_params > 0 ? tacho_text_format_count (info->n_params) : NULL);
  add_row (self, _ ("Size on disk"), format_bytes (info->size_bytes));
  add_row (self, _ ("Size in memory"), format_bytes (info->memory_bytes));
  add_row (self, _ ("Context in use"), format_tokens (info->context_window));
  add_row (self, _ ("Context trained for"), format_tokens (info->context_trained));
  add_row (self, _ ("Longest reply"), format_tokens (info->max_output));
  add_row (self, _ ("Abilities"), format_capabilities (info->capabilities));
  add_row (self, _ ("Owner"), g_strdup (info->owner));
  add_row (self, _ ("Created"), format_time (info->created));
  while ((child = gtk_grid_get_child_at (self->grid, 0, self->n_rows)) != NULL)
    gtk_grid_remove_row (self->grid, self->n_rows);
}

static void
update (TachoModelDetails *self)
{
  const TachoModelInfo *info;
  TachoModelOffer offer;
  const char *why_not;
  g_autofree char *name = NULL;
  gboolean known;

  if (self->model == NULL)
    return;
  info = tacho_model_get_info (self->model);
  name = tacho_text_sanitize_line (tacho_model_get_name (self->model), -1, MAX_VALUE);
  offer = tacho_model_actions_get_offer (self->connection, self->model);
  why_not = tacho_model_actions_why_no_delete (self->connection, self->model);
  known = info->status == TACHO_MODEL_STATUS_LOADING && isfinite (info->progress);

  gtk_label_set_label (self->title, name);
  update_grid (self);
  gtk_widget_set_visible (GTK_WIDGET (self->progress), known);
  if (known)
    gtk_progress_bar_set_fraction (self->progress, CLAMP (info->progress, 0, 1));
  tacho_model_actions_set_button (self->change, &offer, name);
  gtk_widget_set_visible (GTK_WIDGET (self->remove),
                          tacho_model_actions_server_has (self->connection, TACHO_OP_DELETE_MODEL));
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "details.delete", why_not == NULL);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->remove), why_not);
}

static void
update_texts (TachoModelDetails *self)
{
  const TachoModelInfo *info = tacho_model_get_info (self->model);

  set_text (self->template_expander, self->template_view, info->chat_template);
  set_text (self->parameters_expander, self->parameters_view, info->parameters);
}

static void
show_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoModelDetails) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoModel) model =
      tacho_model_service_show_finish (TACHO_MODEL_SERVICE (source), result, &error);

  if (self->cancellable == NULL || g_task_get_cancellable (G_TASK (result)) != self->cancellable)
    return; /* another model is shown by now */
  if (model != NULL)
    update_texts (self);
  else if (!g_error_matches (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED))
    {
      gtk_label_set_label (self->failure, error->message);
      gtk_widget_set_visible (GTK_WIDGET (self->failure), TRUE);
    }
}

static void
go_back (TachoModelDetails *self)
{
  g_signal_emit (self, back_signal, 0);
}

/* A model that the server no longer lists cannot be looked at. */
static void
items_changed_cb (TachoModelDetails *self)
{
  TachoModelService *models = tacho_connection_get_models (self->connection);

  if (tacho_model_service_lookup (models, tacho_model_get_id (self->model)) != self->model)
    go_back (self);
}

static void
back_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  go_back (TACHO_MODEL_DETAILS (widget));
}

static void
copy_id_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoModelDetails *self = TACHO_MODEL_DETAILS (widget);

  if (self->model != NULL)
    tacho_model_actions_copy_id (widget, self->connection, self->model);
}

static void
delete_action (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoModelDetails *self = TACHO_MODEL_DETAILS (widget);

  if (self->model != NULL)
    tacho_model_actions_ask_delete (widget, self->connection, self->model);
}

static void
change_cb (TachoModelDetails *self)
{
  if (self->model != NULL)
    tacho_model_actions_change (self->connection, self->model);
}

static void
tacho_model_details_dispose (GObject *object)
{
  TachoModelDetails *self = TACHO_MODEL_DETAILS (object);

  tacho_model_details_set_model (self, NULL, NULL);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_MODEL_DETAILS);

  G_OBJECT_CLASS (tacho_model_details_parent_class)->dispose (object);
}

static void
tacho_model_details_class_init (TachoModelDetailsClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_model_details_dispose;
  back_signal = g_signal_new ("back", TACHO_TYPE_MODEL_DETAILS, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                              NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-model-details.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoModelDetails, title);
  gtk_widget_class_bind_template_child (widget_class, TachoModelDetails, back);
  gtk_widget_class_bind_template_child (widget_class, TachoModelDetails, grid);
  gtk_widget_class_bind_template_child (widget_class, TachoModelDetails, progress);
  gtk_widget_class_bind_template_child (widget_class, TachoModelDetails, failure);
  gtk_widget_class_bind_template_child (widget_class, TachoModelDetails, change);
  gtk_widget_class_bind_template_child (widget_class, TachoModelDetails, remove);
  gtk_widget_class_bind_template_child (widget_class, TachoModelDetails, template_expander);
  gtk_widget_class_bind_template_child (widget_class, TachoModelDetails, template_view);
  gtk_widget_class_bind_template_child (widget_class, TachoModelDetails, parameters_expander);
  gtk_widget_class_bind_template_child (widget_class, TachoModelDetails, parameters_view);
  gtk_widget_class_bind_template_callback (widget_class, change_cb);
  gtk_widget_class_install_action (widget_class, "details.back", NULL, back_action);
  gtk_widget_class_install_action (widget_class, "details.copy-id", NULL, copy_id_action);
  gtk_widget_class_install_action (widget_class, "details.delete", NULL, delete_action);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "details.back", NULL);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Left, GDK_ALT_MASK, "details.back",
                                       NULL);
}

static void
tacho_model_details_init (TachoModelDetails *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

static void
forget_model (TachoModelDetails *self)
{
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  if (self->model != NULL)
    {
      TachoModelService *models = tacho_connection_get_models (self->connection);

      g_signal_handlers_disconnect_by_data (self->model, self);
      g_signal_handlers_disconnect_by_data (self->connection, self);
      g_signal_handlers_disconnect_by_data (models, self);
      g_signal_handlers_disconnect_by_data (tacho_connection_get_manager (self->connection), self);
    }
  g_clear_object (&self->model);
  g_clear_object (&self->connection);
}

/**
 * tacho_model_details_set_model:
 * @self: the page
 * @connection: (nullable): the server in use
 * @model: (nullable): a model of it
 *
 * Shows what is known of the model, and asks the server for the rest.
 */
void
tacho_model_details_set_model (TachoModelDetails *self,
                               TachoConnection *connection,
                               TachoModel *model)
{
  g_return_if_fail (TACHO_IS_MODEL_DETAILS (self));
  g_return_if_fail ((connection == NULL) == (model == NULL));

  forget_model (self);
  if (model == NULL)
    return;
  self->connection = g_object_ref (connection);
  self->model = g_object_ref (model);
  self->cancellable = g_cancellable_new ();
  g_signal_connect_object (model, "notify", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (connection, "changes", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (tacho_connection_get_manager (connection), "notify::state",
                           G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (tacho_connection_get_models (connection), "items-changed",
                           G_CALLBACK (items_changed_cb), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  gtk_widget_set_visible (GTK_WIDGET (self->failure), FALSE);
  gtk_expander_set_expanded (self->template_expander, FALSE);
  gtk_expander_set_expanded (self->parameters_expander, FALSE);
  update (self);
  update_texts (self);
  tacho_model_service_show_async (tacho_connection_get_models (connection),
                                  tacho_model_get_id (model), self->cancellable, show_cb,
                                  g_object_ref (self));
}

/**
 * tacho_model_details_focus:
 * @self: the page
 *
 * Puts the focus on the way back.
 */
void
tacho_model_details_focus (TachoModelDetails *self)
{
  g_return_if_fail (TACHO_IS_MODEL_DETAILS (self));

  gtk_widget_grab_focus (GTK_WIDGET (self->back));
}
