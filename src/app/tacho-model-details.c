/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A popover with everything that is known of a model. */
#define G_LOG_DOMAIN "tacho-model-details"

#include "config.h"

#include "app/tacho-model-details.h"
#include "app/tacho-display.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_VALUE 400 /* characters of a server's text */

struct _TachoModelDetails
{
  GtkPopover parent_instance;
  TachoConnection *connection;
  TachoModel *model;
  GCancellable *cancellable;
  int n_rows;

  GtkLabel *title;
  GtkGrid *grid;
  GtkLabel *failure;
};

G_DEFINE_FINAL_TYPE (TachoModelDetails, tacho_model_details, GTK_TYPE_POPOVER)

/* Takes `value`; nothing is shown for what the server does not say. */
static void
add_row (TachoModelDetails *self, const char *label, char *value)
{
  g_autofree char *taken = value;
  g_autofree char *clean = NULL;
  GtkWidget *name, *content;

  if (taken == NULL || taken[0] == '\0')
    return;
  clean = tacho_text_sanitize_line (taken, -1, MAX_VALUE);
  name = gtk_label_new (label);
  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_widget_set_valign (name, GTK_ALIGN_START);
  gtk_widget_add_css_class (name, "dim-label");
  content = gtk_label_new (clean);
  gtk_label_set_xalign (GTK_LABEL (content), 0);
  gtk_label_set_selectable (GTK_LABEL (content), TRUE);
  /* Else the popover would open with a text cursor in its first value. */
  gtk_widget_set_focusable (content, FALSE);
  gtk_label_set_wrap (GTK_LABEL (content), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (content), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_max_width_chars (GTK_LABEL (content), 36);
  gtk_widget_add_css_class (content, "numeric");
  gtk_accessible_update_relation (GTK_ACCESSIBLE (content), GTK_ACCESSIBLE_RELATION_LABELLED_BY,
                                  name, NULL, -1);
  gtk_grid_attach (self->grid, name, 0, self->n_rows, 1, 1);
  gtk_grid_attach (self->grid, content, 1, self->n_rows, 1, 1);
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

static void
update (TachoModelDetails *self)
{
  const TachoModelInfo *info = tacho_model_get_info (self->model);
  g_autofree char *name =
      tacho_text_sanitize_line (tacho_model_get_name (self->model), -1, MAX_VALUE);
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->grid))) != NULL)
    gtk_grid_remove (self->grid, child);
  self->n_rows = 0;
  gtk_label_set_label (self->title, name);
  add_row (self, _ ("Status"), tacho_display_model_status (self->model));
  add_row (self, _ ("Loaded at"), format_time (tacho_model_get_loaded_at (self->model)));
  add_row (self, _ ("Id"), g_strdup (info->id));
  add_row (self, _ ("Architecture"), g_strdup (info->family));
  add_row (self, _ ("Kind"), g_strdup (info->kind));
  add_row (self, _ ("Quantisation"), g_strdup (info->quantization));
  add_row (self, _ ("Parameters"),
           info->n_params > 0 ? tacho_text_format_count (info->n_params) : NULL);
  add_row (self, _ ("Size on disk"),
           info->size_bytes > 0 ? tacho_text_format_bytes (info->size_bytes) : NULL);
  add_row (self, _ ("Size in memory"),
           info->memory_bytes > 0 ? tacho_text_format_bytes (info->memory_bytes) : NULL);
  add_row (self, _ ("Context in use"), format_tokens (info->context_window));
  add_row (self, _ ("Context trained for"), format_tokens (info->context_trained));
  add_row (self, _ ("Longest reply"), format_tokens (info->max_output));
  add_row (self, _ ("Capabilities"),
           info->capabilities != NULL ? g_strjoinv (", ", info->capabilities) : NULL);
  add_row (self, _ ("Owner"), g_strdup (info->owner));
  add_row (self, _ ("Created"), format_time (info->created));
}

static void
show_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoModelDetails) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoModel) model =
      tacho_model_service_show_finish (TACHO_MODEL_SERVICE (source), result, &error);

  if (model != NULL || self->cancellable == NULL ||
      g_cancellable_is_cancelled (self->cancellable) ||
      g_error_matches (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED))
    return;
  gtk_label_set_label (self->failure, error->message);
  gtk_widget_set_visible (GTK_WIDGET (self->failure), TRUE);
}

static void
tacho_model_details_dispose (GObject *object)
{
  TachoModelDetails *self = TACHO_MODEL_DETAILS (object);

  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->model);
  g_clear_object (&self->connection);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_MODEL_DETAILS);

  G_OBJECT_CLASS (tacho_model_details_parent_class)->dispose (object);
}

static void
tacho_model_details_class_init (TachoModelDetailsClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_model_details_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-model-details.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoModelDetails, title);
  gtk_widget_class_bind_template_child (widget_class, TachoModelDetails, grid);
  gtk_widget_class_bind_template_child (widget_class, TachoModelDetails, failure);
}

static void
tacho_model_details_init (TachoModelDetails *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->cancellable = g_cancellable_new ();
}

/**
 * tacho_model_details_new:
 * @connection: the server in use
 * @model: a model of it
 *
 * Returns: (transfer floating): a popover about @model
 */
GtkWidget *
tacho_model_details_new (TachoConnection *connection, TachoModel *model)
{
  TachoModelDetails *self = g_object_new (TACHO_TYPE_MODEL_DETAILS, NULL);

  self->connection = g_object_ref (connection);
  self->model = g_object_ref (model);
  g_signal_connect_object (model, "notify", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  update (self);
  tacho_model_service_show_async (tacho_connection_get_models (connection),
                                  tacho_model_get_id (model), self->cancellable, show_cb,
                                  g_object_ref (self));
  return GTK_WIDGET (self);
}
