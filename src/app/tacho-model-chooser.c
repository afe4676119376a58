/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drop-down over the models of a server, each with its state; follows the connection's choice. */
#define G_LOG_DOMAIN "tacho-model-chooser"

#include "config.h"

#include "app/tacho-model-chooser.h"
#include "app/tacho-accessible.h"
#include "app/tacho-display.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_NAME 120

struct _TachoModelChooser
{
  AdwBin parent_instance;
  TachoConnection *connection;
  gboolean syncing; /* the drop-down is being set, or its list is changing: not a person's choice */

  GtkDropDown *drop_down;
};

G_DEFINE_FINAL_TYPE (TachoModelChooser, tacho_model_chooser, ADW_TYPE_BIN)

static void
sync_choice (TachoModelChooser *self)
{
  TachoModel *current;
  GListModel *list;
  guint n;

  if (self->connection == NULL)
    return;
  current = tacho_connection_get_model (self->connection);
  list = G_LIST_MODEL (tacho_connection_get_models (self->connection));
  n = g_list_model_get_n_items (list);
  self->syncing = TRUE;
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (list, i);

      if (model == current)
        gtk_drop_down_set_selected (self->drop_down, i);
    }
  self->syncing = FALSE;
  gtk_widget_set_sensitive (GTK_WIDGET (self->drop_down), n > 0);
}

static void
items_begin_cb (TachoModelChooser *self)
{
  self->syncing = TRUE;
}

static void
selected_cb (TachoModelChooser *self)
{
  if (!self->syncing && self->connection != NULL)
    tacho_connection_set_model (self->connection,
                                gtk_drop_down_get_selected_item (self->drop_down));
}

static void
update_item (GtkListItem *item)
{
  TachoModel *model = gtk_list_item_get_item (item);
  GtkWidget *box = gtk_list_item_get_child (item);
  GtkWidget *icon = gtk_widget_get_first_child (box);
  GtkWidget *name = gtk_widget_get_next_sibling (icon);
  GtkWidget *status = gtk_widget_get_next_sibling (name);
  TachoDisplayState state;
  g_autofree char *clean = NULL;

  if (model == NULL)
    return;
  state = tacho_display_model_state (tacho_model_get_status (model));
  clean = tacho_text_sanitize_line (tacho_model_get_name (model), -1, MAX_NAME);
  gtk_image_set_from_icon_name (GTK_IMAGE (icon), state.icon);
  tacho_display_set_class (icon, state.css_class);
  gtk_label_set_label (GTK_LABEL (name), clean);
  gtk_label_set_label (GTK_LABEL (status), state.words);
}

static void
setup_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 8);
  GtkWidget *icon = gtk_image_new ();
  GtkWidget *name = gtk_label_new (NULL);
  GtkWidget *status = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_label_set_ellipsize (GTK_LABEL (name), PANGO_ELLIPSIZE_MIDDLE);
  gtk_label_set_max_width_chars (GTK_LABEL (name), 30);
  gtk_widget_set_hexpand (name, TRUE);
  gtk_widget_add_css_class (status, "dim-label");
  gtk_widget_add_css_class (status, "caption");
  gtk_box_append (GTK_BOX (box), icon);
  gtk_box_append (GTK_BOX (box), name);
  gtk_box_append (GTK_BOX (box), status);
  gtk_list_item_set_child (item, box);
}

static void
bind_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  g_signal_connect_object (gtk_list_item_get_item (item), "notify", G_CALLBACK (update_item), item,
                           G_CONNECT_SWAPPED);
  update_item (item);
}

static void
unbind_cb (GtkSignalListItemFactory *factory, GtkListItem *item, gpointer user_data)
{
  g_signal_handlers_disconnect_by_data (gtk_list_item_get_item (item), item);
}

static void
tacho_model_chooser_dispose (GObject *object)
{
  TachoModelChooser *self = TACHO_MODEL_CHOOSER (object);

  tacho_model_chooser_set_connection (self, NULL);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_MODEL_CHOOSER);

  G_OBJECT_CLASS (tacho_model_chooser_parent_class)->dispose (object);
}

static void
tacho_model_chooser_class_init (TachoModelChooserClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_model_chooser_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-model-chooser.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoModelChooser, drop_down);
  gtk_widget_class_bind_template_callback (widget_class, selected_cb);
  gtk_widget_class_bind_template_callback (widget_class, setup_cb);
  gtk_widget_class_bind_template_callback (widget_class, bind_cb);
  gtk_widget_class_bind_template_callback (widget_class, unbind_cb);
}

static void
tacho_model_chooser_init (TachoModelChooser *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  tacho_accessible_name_drop_down (self->drop_down);
}

/**
 * tacho_model_chooser_set_connection:
 * @self: the chooser
 * @connection: (nullable): the server in use
 *
 * The drop-down chooses an item of its own accord whenever its list changes; the handlers before
 * and after its own keep that from passing for a person's choice.
 */
void
tacho_model_chooser_set_connection (TachoModelChooser *self, TachoConnection *connection)
{
  g_return_if_fail (TACHO_IS_MODEL_CHOOSER (self));

  self->syncing = TRUE;
  if (self->connection != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->connection, self);
      g_signal_handlers_disconnect_by_data (tacho_connection_get_models (self->connection), self);
      gtk_drop_down_set_model (self->drop_down, NULL);
    }
  g_set_object (&self->connection, connection);
  if (connection != NULL)
    {
      TachoModelService *models = tacho_connection_get_models (connection);

      g_signal_connect_object (models, "items-changed", G_CALLBACK (items_begin_cb), self,
                               G_CONNECT_SWAPPED);
      gtk_drop_down_set_model (self->drop_down, G_LIST_MODEL (models));
      g_signal_connect_object (models, "items-changed", G_CALLBACK (sync_choice), self,
                               G_CONNECT_SWAPPED | G_CONNECT_AFTER);
      g_signal_connect_object (connection, "notify::model", G_CALLBACK (sync_choice), self,
                               G_CONNECT_SWAPPED);
    }
  self->syncing = FALSE;
  sync_choice (self);
}
