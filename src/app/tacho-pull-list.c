/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The models that a server is fetching: asked for in a dialog, followed in a row each. */
#define G_LOG_DOMAIN "tacho-pull-list"

#include "config.h"

#include "app/tacho-pull-list.h"
#include "app/tacho-display.h"
#include "app/tacho-pull.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>
#include <math.h>

#define MAX_NAME 120
#define MAX_ID 512 /* bytes */

struct _TachoPullList
{
  AdwBin parent_instance;
  TachoConnection *connection;
  GtkBox *box;
};

G_DEFINE_FINAL_TYPE (TachoPullList, tacho_pull_list, ADW_TYPE_BIN)

/* What a row shows; freed with the row. */
typedef struct
{
  TachoPullList *list;
  TachoPull *pull;
  GtkWidget *root;
  GtkImage *icon;
  GtkLabel *words;
  GtkProgressBar *bar;
  GtkButton *act;     /* cancels, or tries again */
  GtkButton *dismiss; /* once it has failed */
} Row;

/* --- rows --- */

static void
row_free (gpointer data)
{
  Row *row = data;

  g_signal_handlers_disconnect_by_data (row->pull, row);
  tacho_pull_cancel (row->pull);
  g_object_unref (row->pull);
  g_free (row);
}

static void
remove_row (Row *row)
{
  TachoPullList *self = row->list;

  gtk_box_remove (self->box, row->root);
  gtk_widget_set_visible (GTK_WIDGET (self),
                          gtk_widget_get_first_child (GTK_WIDGET (self->box)) != NULL);
}

static void
update_row (Row *row)
{
  gboolean failed = tacho_pull_get_state (row->pull) == TACHO_PULL_FAILED;
  double fraction = tacho_pull_get_fraction (row->pull);
  g_autofree char *words = tacho_pull_describe (row->pull);
  g_autofree char *name = tacho_text_sanitize_line (tacho_pull_get_id (row->pull), -1, MAX_NAME);
  g_autofree char *label =
      g_strdup_printf (failed ? _ ("Try again to fetch %s") : _ ("Stop fetching %s"), name);

  gtk_image_set_from_icon_name (row->icon, failed ? "tacho-status-failed-symbolic"
                                                  : "folder-download-symbolic");
  tacho_display_set_class (GTK_WIDGET (row->icon), failed ? "error" : "accent");
  tacho_display_set_class (GTK_WIDGET (row->words), failed ? "error" : "dim-label");
  gtk_label_set_label (row->words, words);
  gtk_widget_set_visible (GTK_WIDGET (row->bar), !failed && isfinite (fraction));
  if (isfinite (fraction))
    gtk_progress_bar_set_fraction (row->bar, fraction);
  gtk_button_set_label (row->act, failed ? _ ("Retry") : _ ("Cancel"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (row->act), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                  -1);
  gtk_widget_set_visible (GTK_WIDGET (row->dismiss), failed);
}

static void
changed_cb (Row *row)
{
  TachoPullState state = tacho_pull_get_state (row->pull);
  g_autofree char *name = tacho_text_sanitize_line (tacho_pull_get_id (row->pull), -1, MAX_NAME);
  g_autofree char *words = NULL;

  if (state != TACHO_PULL_DONE && state != TACHO_PULL_CANCELLED)
    {
      update_row (row);
      return;
    }
  if (state == TACHO_PULL_DONE)
    words = g_strdup_printf (_ ("“%s” is on the server"), name);
  else
    words = tacho_pull_describe (row->pull); /* whether the server was told */
  g_signal_emit_by_name (row->list->connection, "notice", words);
  remove_row (row);
}

static void
act_cb (Row *row)
{
  if (tacho_pull_get_state (row->pull) == TACHO_PULL_RUNNING)
    tacho_pull_cancel (row->pull);
  else
    tacho_pull_start (row->pull);
}

static GtkWidget *
make_button (const char *label, GCallback callback, Row *row)
{
  GtkWidget *button = gtk_button_new_with_label (label);

  gtk_widget_add_css_class (button, "row-button");
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  g_signal_connect_swapped (button, "clicked", callback, row);
  return button;
}

static GtkWidget *
make_label (const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_set_hexpand (label, TRUE);
  gtk_widget_add_css_class (label, css_class);
  return label;
}

static void
fill_row (Row *row, const char *name)
{
  GtkGrid *grid = GTK_GRID (row->root);
  g_autofree char *dismiss = g_strdup_printf (_ ("Dismiss the failure of %s"), name);
  g_autofree char *progress = g_strdup_printf (_ ("Fetching %s"), name);
  GtkWidget *title = make_label (name, "model-name");
  GtkWidget *buttons = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);

  row->icon = GTK_IMAGE (gtk_image_new ());
  row->words = GTK_LABEL (make_label (NULL, "caption"));
  row->bar = GTK_PROGRESS_BAR (gtk_progress_bar_new ());
  row->act = GTK_BUTTON (make_button ("", G_CALLBACK (act_cb), row));
  row->dismiss = GTK_BUTTON (make_button (_ ("Dismiss"), G_CALLBACK (remove_row), row));
  gtk_label_set_ellipsize (GTK_LABEL (title), PANGO_ELLIPSIZE_MIDDLE);
  gtk_widget_set_tooltip_text (title, name);
  gtk_label_set_wrap (row->words, TRUE);
  gtk_label_set_wrap_mode (row->words, PANGO_WRAP_WORD_CHAR);
  gtk_widget_add_css_class (GTK_WIDGET (row->words), "numeric");
  gtk_accessible_update_property (GTK_ACCESSIBLE (row->dismiss), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  dismiss, -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row->bar), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  progress, -1);
  gtk_box_append (GTK_BOX (buttons), GTK_WIDGET (row->act));
  gtk_box_append (GTK_BOX (buttons), GTK_WIDGET (row->dismiss));
  gtk_grid_attach (grid, GTK_WIDGET (row->icon), 0, 0, 1, 1);
  gtk_grid_attach (grid, title, 1, 0, 1, 1);
  gtk_grid_attach (grid, buttons, 2, 0, 1, 1);
  gtk_grid_attach (grid, GTK_WIDGET (row->words), 1, 1, 2, 1);
  gtk_grid_attach (grid, GTK_WIDGET (row->bar), 1, 2, 2, 1);
}

static void
start (TachoPullList *self, const char *id)
{
  g_autofree char *name = tacho_text_sanitize_line (id, -1, MAX_NAME);
  Row *row = g_new0 (Row, 1);

  row->list = self;
  row->pull = tacho_pull_new (self->connection, id);
  row->root = gtk_grid_new ();
  gtk_grid_set_column_spacing (GTK_GRID (row->root), 9);
  gtk_grid_set_row_spacing (GTK_GRID (row->root), 3);
  gtk_widget_add_css_class (row->root, "model-row");
  gtk_widget_add_css_class (row->root, "pull-row");
  fill_row (row, name);
  g_object_set_data_full (G_OBJECT (row->root), "tacho-pull-row", row, row_free);
  g_signal_connect_swapped (row->pull, "changed", G_CALLBACK (changed_cb), row);
  gtk_box_append (self->box, row->root);
  gtk_widget_set_visible (GTK_WIDGET (self), TRUE);
  update_row (row);
}

/* --- the dialog --- */

static void
entry_changed_cb (AdwMessageDialog *dialog, GParamSpec *pspec, GtkEditable *entry)
{
  g_autofree char *text = g_strstrip (g_strdup (gtk_editable_get_text (entry)));

  adw_message_dialog_set_response_enabled (dialog, "pull",
                                           text[0] != '\0' && strlen (text) <= MAX_ID);
}

static void
response_cb (AdwMessageDialog *dialog, const char *response, TachoPullList *self)
{
  GtkWidget *entry = adw_message_dialog_get_extra_child (dialog);
  g_autofree char *id = g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (entry))));

  if (strcmp (response, "pull") == 0 && self->connection != NULL && id[0] != '\0')
    start (self, id);
}

static const char *
get_example (TachoConnection *connection)
{
  TachoApi *api = tacho_client_manager_get_api (tacho_connection_get_manager (connection));
  const char *family = api != NULL ? tacho_api_get_family (api) : "";

  if (strcmp (family, "llamacpp") == 0)
    return "ggml-org/Qwen3-0.6B-GGUF:Q4_0";
  if (strcmp (family, "lmstudio") == 0)
    return "qwen/qwen3-4b";
  return "qwen3:0.6b";
}

static void
tacho_pull_list_dispose (GObject *object)
{
  TachoPullList *self = TACHO_PULL_LIST (object);

  if (self->box != NULL)
    tacho_pull_list_set_connection (self, NULL);
  self->box = NULL;
  adw_bin_set_child (ADW_BIN (self), NULL);

  G_OBJECT_CLASS (tacho_pull_list_parent_class)->dispose (object);
}

static void
tacho_pull_list_class_init (TachoPullListClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_pull_list_dispose;
}

static void
tacho_pull_list_init (TachoPullList *self)
{
  self->box = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, 0));
  adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (self->box));
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}

/**
 * tacho_pull_list_set_connection:
 * @self: the list
 * @connection: (nullable): the server in use
 *
 * Pulls of another connection are ended: what they say could not be seen any more.
 */
void
tacho_pull_list_set_connection (TachoPullList *self, TachoConnection *connection)
{
  GtkWidget *child;

  g_return_if_fail (TACHO_IS_PULL_LIST (self));

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->box))) != NULL)
    gtk_box_remove (self->box, child);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
  g_set_object (&self->connection, connection);
}

/**
 * tacho_pull_list_ask:
 * @self: the list
 *
 * Asks for the name of a model and has the server fetch it.
 */
void
tacho_pull_list_ask (TachoPullList *self)
{
  GtkWidget *dialog, *entry;

  g_return_if_fail (TACHO_IS_PULL_LIST (self));

  if (self->connection == NULL)
    return;
  dialog = adw_message_dialog_new (
      GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))), _ ("Pull a Model"),
      _ ("The server fetches it from its registry and keeps it on its own disk."));
  entry = gtk_entry_new ();
  gtk_entry_set_placeholder_text (GTK_ENTRY (entry), get_example (self->connection));
  gtk_entry_set_activates_default (GTK_ENTRY (entry), TRUE);
  gtk_entry_set_input_hints (GTK_ENTRY (entry), GTK_INPUT_HINT_NO_SPELLCHECK);
  gtk_accessible_update_property (GTK_ACCESSIBLE (entry), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Name of the model"), -1);
  adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (dialog), entry);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _ ("_Cancel"), "pull",
                                    _ ("_Pull"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "pull",
                                              ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "pull");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  adw_message_dialog_set_response_enabled (ADW_MESSAGE_DIALOG (dialog), "pull", FALSE);
  g_signal_connect_object (entry, "notify::text", G_CALLBACK (entry_changed_cb), dialog,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (dialog, "response", G_CALLBACK (response_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
  gtk_widget_grab_focus (entry);
}
