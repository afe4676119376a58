/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "app/tacho-adapter-dialog.h"
#include "base/tacho-error.h"
#include "base/tacho-text.h"

#include <adwaita.h>
#include <glib/gi18n.h>

#define MAX_NAME 80 /* characters of it in a message */

typedef struct
{
  TachoConnection *connection;
  char *name;
} Load;

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Load *load = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *words = NULL;

  if (tacho_model_service_load_from_finish (TACHO_MODEL_SERVICE (source), result, &error))
    /* Translators: %s is the name of a LoRA adapter. */
    words = g_strdup_printf (_ ("The adapter “%s” is loaded"), load->name);
  else if (!g_error_matches (error, TACHO_ERROR, TACHO_ERROR_CANCELLED))
    words = g_strdup (error->message);
  if (words != NULL)
    g_signal_emit_by_name (load->connection, "notice", words);
  g_object_unref (load->connection);
  g_free (load->name);
  g_free (load);
}

static char *
dup_text (gpointer dialog, const char *key)
{
  return g_strstrip (g_strdup (gtk_editable_get_text (g_object_get_data (G_OBJECT (dialog), key))));
}

static void
response_cb (AdwMessageDialog *dialog, const char *response, TachoConnection *connection)
{
  g_autofree char *name = dup_text (dialog, "name");
  g_autofree char *path = dup_text (dialog, "path");
  Load *load;

  if (strcmp (response, "load") != 0)
    return;
  load = g_new0 (Load, 1);
  load->connection = g_object_ref (connection);
  load->name = tacho_text_sanitize_line (name, -1, MAX_NAME);
  tacho_model_service_load_from_async (tacho_connection_get_models (connection), name, path, NULL,
                                       loaded_cb, load);
}

static void
changed_cb (AdwMessageDialog *dialog)
{
  g_autofree char *name = dup_text (dialog, "name");
  g_autofree char *path = dup_text (dialog, "path");

  adw_message_dialog_set_response_enabled (dialog, "load", name[0] != '\0' && path[0] != '\0');
}

static GtkWidget *
add_entry (GtkWidget *box, GtkWidget *dialog, const char *key, const char *label)
{
  GtkWidget *entry = gtk_entry_new ();

  gtk_entry_set_placeholder_text (GTK_ENTRY (entry), label);
  gtk_entry_set_activates_default (GTK_ENTRY (entry), TRUE);
  gtk_entry_set_input_hints (GTK_ENTRY (entry), GTK_INPUT_HINT_NO_SPELLCHECK);
  gtk_accessible_update_property (GTK_ACCESSIBLE (entry), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  gtk_box_append (GTK_BOX (box), entry);
  g_object_set_data (G_OBJECT (dialog), key, entry);
  g_signal_connect_object (entry, "notify::text", G_CALLBACK (changed_cb), dialog,
                           G_CONNECT_SWAPPED);
  return entry;
}

/**
 * tacho_adapter_dialog_is_offered:
 * @connection: the server in use
 *
 * Returns: whether any side of the server loads LoRA adapters
 */
gboolean
tacho_adapter_dialog_is_offered (TachoConnection *connection)
{
  GListModel *endpoints =
      tacho_client_manager_get_endpoints (tacho_connection_get_manager (connection));

  for (guint i = 0; i < g_list_model_get_n_items (endpoints); i++)
    {
      g_autoptr (TachoEndpoint) endpoint = g_list_model_get_item (endpoints, i);
      TachoApi *api = tacho_endpoint_get_api (endpoint);

      if (api != NULL && tacho_api_loads_adapters (api))
        return TRUE;
    }
  return FALSE;
}

/**
 * tacho_adapter_dialog_present:
 * @parent: whose window asks
 * @connection: the server in use
 *
 * Asks for a LoRA adapter, which the server then loads. How that went is told by the connection.
 */
void
tacho_adapter_dialog_present (GtkWidget *parent, TachoConnection *connection)
{
  GtkWidget *dialog = adw_message_dialog_new (
      GTK_WINDOW (gtk_widget_get_root (parent)), _ ("Load an Adapter"),
      _ ("A LoRA adapter becomes a model of its own on this server, from a folder that the server "
         "can read or a name in its registry."));
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *name = add_entry (box, dialog, "name", _ ("Name of the adapter"));

  add_entry (box, dialog, "path", _ ("Folder on the server"));
  adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (dialog), box);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _ ("_Cancel"), "load",
                                    _ ("_Load"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "load",
                                              ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "load");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  changed_cb (ADW_MESSAGE_DIALOG (dialog));
  g_signal_connect_object (dialog, "response", G_CALLBACK (response_cb), connection, 0);
  gtk_window_present (GTK_WINDOW (dialog));
  gtk_widget_grab_focus (name);
}
