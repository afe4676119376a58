/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One model in the browser: what it is, how it is, and the button to load or unload it. */
#define G_LOG_DOMAIN "tacho-model-row"

#include "config.h"

#include "app/tacho-model-row.h"
#include "app/tacho-accessible.h"
#include "app/tacho-display.h"
#include "app/tacho-model-actions.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>
#include <math.h>

#define MAX_NAME 200

struct _TachoModelRow
{
  AdwBin parent_instance;
  TachoConnection *connection;
  TachoModel *model;

  GtkImage *icon;
  GtkLabel *name;
  GtkLabel *summary;
  GtkLabel *status;
  GtkSpinner *spinner;
  GtkProgressBar *progress;
  GtkButton *details;
  GtkButton *change;
};

G_DEFINE_FINAL_TYPE (TachoModelRow, tacho_model_row, ADW_TYPE_BIN)

static guint details_signal;

/* Where more is to be found than a server tells. */
static gboolean
query_status_cb (TachoModelRow *self, int x, int y, gboolean keyboard, GtkTooltip *tooltip)
{
  const char *words = gtk_label_get_label (self->status);
  g_autofree char *text = NULL;

  if (self->model != NULL && tacho_model_get_status (self->model) == TACHO_MODEL_STATUS_FAILED)
    text = g_strdup_printf ("%s\n%s", words, _ ("The log of the server may say more."));
  gtk_tooltip_set_text (tooltip, text != NULL ? text : words);
  return TRUE;
}

static char *
make_words (TachoModelRow *self, TachoModelStatus status, gboolean changing)
{
  guint64 memory = tacho_model_get_info (self->model)->memory_bytes;
  g_autofree char *words = tacho_display_model_status (self->model);
  g_autofree char *bytes = NULL;
  gboolean loaded = status == TACHO_MODEL_STATUS_LOADED || status == TACHO_MODEL_STATUS_SLEEPING;

  if (changing && loaded)
    return g_strdup (_ ("Unloading…"));
  if (!loaded || memory == 0)
    return g_steal_pointer (&words);
  bytes = tacho_text_format_bytes (memory);
  /* Translators: state of a model and the memory that it takes: "Loaded · 6.1 GB in memory". */
  return g_strdup_printf (_ ("%s · %s in memory"), words, bytes);
}

static void
update (TachoModelRow *self)
{
  TachoModelStatus status;
  TachoDisplayState state;
  TachoModelOffer offer;
  g_autofree char *name = NULL;
  g_autofree char *summary = NULL;
  g_autofree char *words = NULL;
  g_autofree char *details = NULL;
  g_autofree char *item = NULL;
  gboolean changing, busy, known;
  double progress;

  if (self->model == NULL)
    return;
  status = tacho_model_get_status (self->model);
  state = tacho_display_model_state (status);
  progress = tacho_model_get_progress (self->model);
  name = tacho_text_sanitize_line (tacho_model_get_name (self->model), -1, MAX_NAME);
  summary = tacho_display_model_summary (self->model);
  changing = tacho_connection_is_changing (self->connection, tacho_model_get_id (self->model));
  words = make_words (self, status, changing);
  busy = changing || status == TACHO_MODEL_STATUS_LOADING;
  known = status == TACHO_MODEL_STATUS_LOADING && isfinite (progress);
  offer = tacho_model_actions_get_offer (self->connection, self->model);

  gtk_label_set_label (self->name, name);
  gtk_label_set_label (self->summary, summary);
  gtk_widget_set_visible (GTK_WIDGET (self->summary), summary[0] != '\0');
  gtk_label_set_label (self->status, words);
  gtk_image_set_from_icon_name (self->icon, state.icon);
  tacho_display_set_class (GTK_WIDGET (self->icon), state.css_class);
  tacho_display_set_class (GTK_WIDGET (self->status), state.css_class);
  gtk_widget_set_visible (GTK_WIDGET (self->progress), known);
  if (known)
    gtk_progress_bar_set_fraction (self->progress, CLAMP (progress, 0, 1));
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), busy && !known);
  gtk_spinner_set_spinning (self->spinner, busy && !known);
  tacho_model_actions_set_button (self->change, &offer, name);

  item = g_strdup_printf ("%s: %s. %s", name, words, summary);
  tacho_accessible_name_item (GTK_WIDGET (self), item);
  details = g_strdup_printf (_ ("Details of %s"), name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->details), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  details, -1);
}

static void
change_cb (TachoModelRow *self)
{
  if (self->model != NULL)
    tacho_model_actions_change (self->connection, self->model);
}

static void
details_cb (TachoModelRow *self)
{
  g_signal_emit (self, details_signal, 0);
}

static void
tacho_model_row_dispose (GObject *object)
{
  TachoModelRow *self = TACHO_MODEL_ROW (object);

  tacho_model_row_unbind (self);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_MODEL_ROW);

  G_OBJECT_CLASS (tacho_model_row_parent_class)->dispose (object);
}

static void
tacho_model_row_class_init (TachoModelRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_model_row_dispose;
  details_signal = g_signal_new ("details", TACHO_TYPE_MODEL_ROW, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 0);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-model-row.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoModelRow, icon);
  gtk_widget_class_bind_template_child (widget_class, TachoModelRow, name);
  gtk_widget_class_bind_template_child (widget_class, TachoModelRow, summary);
  gtk_widget_class_bind_template_child (widget_class, TachoModelRow, status);
  gtk_widget_class_bind_template_child (widget_class, TachoModelRow, spinner);
  gtk_widget_class_bind_template_child (widget_class, TachoModelRow, progress);
  gtk_widget_class_bind_template_child (widget_class, TachoModelRow, details);
  gtk_widget_class_bind_template_child (widget_class, TachoModelRow, change);
  gtk_widget_class_bind_template_callback (widget_class, change_cb);
  gtk_widget_class_bind_template_callback (widget_class, details_cb);
  gtk_widget_class_bind_template_callback (widget_class, query_status_cb);
}

static void
tacho_model_row_init (TachoModelRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  tacho_display_show_whole (self->name);
  tacho_display_show_whole (self->summary);
}

/**
 * tacho_model_row_new:
 *
 * Returns: (transfer floating): an empty row
 */
GtkWidget *
tacho_model_row_new (void)
{
  return g_object_new (TACHO_TYPE_MODEL_ROW, NULL);
}

/**
 * tacho_model_row_bind:
 * @self: a row
 * @connection: the server in use
 * @model: a model of it
 *
 * Shows @model until [method@ModelRow.unbind].
 */
void
tacho_model_row_bind (TachoModelRow *self, TachoConnection *connection, TachoModel *model)
{
  g_return_if_fail (TACHO_IS_MODEL_ROW (self));

  tacho_model_row_unbind (self);
  g_set_object (&self->connection, connection);
  g_set_object (&self->model, model);
  g_signal_connect_object (model, "notify", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (connection, "changes", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (tacho_connection_get_models (connection), "notify::can-load",
                           G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (tacho_connection_get_manager (connection), "notify::state",
                           G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  update (self);
}

/**
 * tacho_model_row_unbind:
 * @self: a row
 *
 * Forgets the model.
 */
void
tacho_model_row_unbind (TachoModelRow *self)
{
  g_return_if_fail (TACHO_IS_MODEL_ROW (self));

  if (self->model != NULL)
    g_signal_handlers_disconnect_by_data (self->model, self);
  if (self->connection != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->connection, self);
      g_signal_handlers_disconnect_by_data (tacho_connection_get_models (self->connection), self);
      g_signal_handlers_disconnect_by_data (tacho_connection_get_manager (self->connection), self);
    }
  g_clear_object (&self->model);
  g_clear_object (&self->connection);
}

/**
 * tacho_model_row_get_model:
 * @self: a row
 *
 * Returns: (transfer none) (nullable): what it shows
 */
TachoModel *
tacho_model_row_get_model (TachoModelRow *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL_ROW (self), NULL);
  return self->model;
}
