/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Load, unload, delete: what is offered, what is asked first, what is done. */
#define G_LOG_DOMAIN "tacho-model-actions"

#include "config.h"

#include "app/tacho-model-actions.h"
#include "base/tacho-error.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_NAME 120

/* --- load and unload --- */

static TachoModelChange
change_of (TachoModelStatus status)
{
  switch (status)
    {
    case TACHO_MODEL_STATUS_UNLOADED:
      return TACHO_MODEL_CHANGE_LOAD;
    case TACHO_MODEL_STATUS_FAILED:
      return TACHO_MODEL_CHANGE_RETRY;
    case TACHO_MODEL_STATUS_LOADED:
    case TACHO_MODEL_STATUS_SLEEPING:
      return TACHO_MODEL_CHANGE_UNLOAD;
    case TACHO_MODEL_STATUS_LOADING:
      return TACHO_MODEL_CHANGE_CANCEL;
    case TACHO_MODEL_STATUS_UNKNOWN:
    default:
      return TACHO_MODEL_CHANGE_NONE;
    }
}

/**
 * tacho_model_actions_get_offer:
 * @connection: the server in use
 * @model: a model of it
 *
 * Returns: what the model's button does now, and if it cannot, why
 */
TachoModelOffer
tacho_model_actions_get_offer (TachoConnection *connection, TachoModel *model)
{
  TachoModelOffer offer = { TACHO_MODEL_CHANGE_NONE, NULL };

  if (!tacho_model_service_get_can_load (tacho_connection_get_models (connection)))
    return offer;
  if (tacho_connection_is_changing (connection, tacho_model_get_id (model)))
    offer.change = TACHO_MODEL_CHANGE_CANCEL;
  else
    offer.change = change_of (tacho_model_get_status (model));
  if (offer.change != TACHO_MODEL_CHANGE_CANCEL && !tacho_connection_is_usable (connection))
    offer.reason = _ ("The server does not answer at the moment");
  return offer;
}

/**
 * tacho_model_actions_set_button:
 * @button: a model's button
 * @offer: what it does
 * @name: the model's name, sanitised
 */
void
tacho_model_actions_set_button (GtkButton *button, const TachoModelOffer *offer, const char *name)
{
  const char *label = NULL;
  g_autofree char *accessible = NULL;

  switch (offer->change)
    {
    case TACHO_MODEL_CHANGE_LOAD:
      label = C_ ("bring a model into memory", "Load");
      accessible = g_strdup_printf (_ ("Load %s"), name);
      break;
    case TACHO_MODEL_CHANGE_RETRY:
      label = _ ("Retry");
      accessible = g_strdup_printf (_ ("Try again to load %s"), name);
      break;
    case TACHO_MODEL_CHANGE_UNLOAD:
      label = _ ("Unload");
      accessible = g_strdup_printf (_ ("Unload %s"), name);
      break;
    case TACHO_MODEL_CHANGE_CANCEL:
      label = _ ("Cancel");
      accessible = g_strdup_printf (_ ("Cancel the change of %s"), name);
      break;
    case TACHO_MODEL_CHANGE_NONE:
    default:
      break;
    }
  gtk_widget_set_visible (GTK_WIDGET (button), label != NULL);
  if (label == NULL)
    return;
  if (g_strcmp0 (gtk_button_get_label (button), label) != 0)
    gtk_button_set_label (button, label);
  gtk_widget_set_sensitive (GTK_WIDGET (button), offer->reason == NULL);
  if (g_strcmp0 (gtk_widget_get_tooltip_text (GTK_WIDGET (button)), offer->reason) != 0)
    gtk_widget_set_tooltip_text (GTK_WIDGET (button), offer->reason);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  accessible, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  offer->reason != NULL ? offer->reason : "", -1);
}

/**
 * tacho_model_actions_change:
 * @connection: the server in use
 * @model: a model of it
 *
 * Does what is offered, if it can be done.
 */
void
tacho_model_actions_change (TachoConnection *connection, TachoModel *model)
{
  TachoModelOffer offer = tacho_model_actions_get_offer (connection, model);
  const char *id = tacho_model_get_id (model);

  if (offer.reason != NULL)
    return;
  switch (offer.change)
    {
    case TACHO_MODEL_CHANGE_LOAD:
    case TACHO_MODEL_CHANGE_RETRY:
      tacho_connection_load (connection, id);
      break;
    case TACHO_MODEL_CHANGE_UNLOAD:
      tacho_connection_unload (connection, id);
      break;
    case TACHO_MODEL_CHANGE_CANCEL:
      /* A load that another client began is stopped as a loaded model is unloaded. */
      if (tacho_connection_is_changing (connection, id))
        tacho_connection_cancel_change (connection, id);
      else
        tacho_connection_unload (connection, id);
      break;
    case TACHO_MODEL_CHANGE_NONE:
    default:
      break;
    }
}

/* --- all at once --- */

static gboolean
is_in_memory (TachoModelStatus status)
{
  return status == TACHO_MODEL_STATUS_LOADED || status == TACHO_MODEL_STATUS_SLEEPING ||
         status == TACHO_MODEL_STATUS_LOADING;
}

static void
unload_now (TachoConnection *connection)
{
  GListModel *list = G_LIST_MODEL (tacho_connection_get_models (connection));
  g_autoptr (GPtrArray) ids = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (list, i);

      if (is_in_memory (tacho_model_get_status (model)))
        g_ptr_array_add (ids, g_strdup (tacho_model_get_id (model)));
    }
  for (guint i = 0; i < ids->len; i++)
    tacho_connection_unload (connection, g_ptr_array_index (ids, i));
}

/**
 * tacho_model_actions_count_loaded:
 * @connection: the server in use
 * @known: (out) (optional): how many models there are whose state the server tells
 *
 * Returns: how many models are in memory, or on their way there
 */
guint
tacho_model_actions_count_loaded (TachoConnection *connection, guint *known)
{
  GListModel *list = G_LIST_MODEL (tacho_connection_get_models (connection));
  guint n = g_list_model_get_n_items (list), loaded = 0, told = 0;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (list, i);
      TachoModelStatus status = tacho_model_get_status (model);

      loaded += is_in_memory (status);
      told += status != TACHO_MODEL_STATUS_UNKNOWN;
    }
  if (known != NULL)
    *known = told;
  return loaded;
}

static GtkWidget *
make_dialog (GtkWidget *widget, const char *heading, const char *body, const char *label)
{
  GtkWidget *dialog =
      adw_message_dialog_new (GTK_WINDOW (gtk_widget_get_root (widget)), heading, body);

  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _ ("_Cancel"), "do",
                                    label, NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "do",
                                              ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  return dialog;
}

static void
unload_response_cb (AdwMessageDialog *dialog, const char *response, TachoConnection *connection)
{
  if (strcmp (response, "do") == 0)
    unload_now (connection);
}

/**
 * tacho_model_actions_unload_all:
 * @widget: whose window asks
 * @connection: the server in use
 *
 * Unloads every model that is in memory; asks first if that is more than one.
 */
void
tacho_model_actions_unload_all (GtkWidget *widget, TachoConnection *connection)
{
  guint n = tacho_model_actions_count_loaded (connection, NULL);
  g_autofree char *heading = NULL;
  GtkWidget *dialog;

  if (n < 2)
    {
      unload_now (connection);
      return;
    }
  heading = g_strdup_printf (ngettext ("Unload %u Model?", "Unload %u Models?", n), n);
  dialog = make_dialog (widget, heading,
                        _ ("Requests that they are answering are broken off, whoever sent them."),
                        _ ("_Unload All"));
  g_signal_connect_object (dialog, "response", G_CALLBACK (unload_response_cb), connection, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

/* --- deletion --- */

/**
 * tacho_model_actions_server_has:
 * @connection: the server in use
 * @operation: what is wanted of it
 *
 * Returns: whether any side of the server offers it
 */
gboolean
tacho_model_actions_server_has (TachoConnection *connection, TachoOperation operation)
{
  GListModel *endpoints =
      tacho_client_manager_get_endpoints (tacho_connection_get_manager (connection));

  for (guint i = 0; i < g_list_model_get_n_items (endpoints); i++)
    {
      g_autoptr (TachoEndpoint) endpoint = g_list_model_get_item (endpoints, i);
      TachoApi *api = tacho_endpoint_get_api (endpoint);

      if (api != NULL && tacho_api_supports (api, operation) &&
          !tacho_endpoint_is_unimplemented (endpoint, operation))
        return TRUE;
    }
  return FALSE;
}

/**
 * tacho_model_actions_why_no_delete:
 * @connection: the server in use
 * @model: a model of it
 *
 * Returns: (nullable): why the model cannot be deleted now; %NULL if it can
 */
const char *
tacho_model_actions_why_no_delete (TachoConnection *connection, TachoModel *model)
{
  if (!tacho_model_actions_server_has (connection, TACHO_OP_DELETE_MODEL))
    return _ ("This server deletes no models on order");
  if (!tacho_connection_is_usable (connection))
    return _ ("The server does not answer at the moment");
  if (tacho_connection_is_changing (connection, tacho_model_get_id (model)) ||
      tacho_model_get_status (model) == TACHO_MODEL_STATUS_LOADING)
    return _ ("The model is being loaded or unloaded");
  return NULL;
}

typedef struct
{
  TachoConnection *connection;
  char *id;
  char *name;
} Deletion;

static void
deletion_free (gpointer data)
{
  Deletion *deletion = data;

  g_object_unref (deletion->connection);
  g_free (deletion->id);
  g_free (deletion->name);
  g_free (deletion);
}

static void
deletion_destroy (gpointer data, GClosure *closure)
{
  if (data != NULL)
    deletion_free (data);
}

static void
deleted_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Deletion *deletion = user_data;
  g_autoptr (GError) error = NULL;
  g_autofree char *words = NULL;

  if (tacho_model_service_delete_finish (TACHO_MODEL_SERVICE (source), result, &error))
    words = g_strdup_printf (_ ("“%s” was deleted from the server"), deletion->name);
  else if (!g_error_matches (error, TACHO_ERROR, TACHO_ERROR_CANCELLED))
    words = g_strdup (error->message);
  if (words != NULL)
    g_signal_emit_by_name (deletion->connection, "notice", words);
  deletion_free (deletion);
}

static void
delete_response_cb (AdwMessageDialog *dialog, const char *response, gpointer user_data)
{
  const Deletion *asked = user_data;
  Deletion *deletion;

  if (strcmp (response, "do") != 0)
    return;
  deletion = g_new0 (Deletion, 1);
  deletion->connection = g_object_ref (asked->connection);
  deletion->id = g_strdup (asked->id);
  deletion->name = g_strdup (asked->name);
  tacho_model_service_delete_async (tacho_connection_get_models (asked->connection), asked->id,
                                    NULL, deleted_cb, deletion);
}

/**
 * tacho_model_actions_ask_delete:
 * @widget: whose window asks
 * @connection: the server in use
 * @model: a model of it
 *
 * Deletes the model from the server's disk once the person has agreed to that.
 */
void
tacho_model_actions_ask_delete (GtkWidget *widget, TachoConnection *connection, TachoModel *model)
{
  guint64 size = tacho_model_get_info (model)->size_bytes;
  g_autofree char *name = tacho_text_sanitize_line (tacho_model_get_name (model), -1, MAX_NAME);
  g_autofree char *heading = g_strdup_printf (_ ("Delete “%s”?"), name);
  g_autofree char *bytes = size > 0 ? tacho_text_format_bytes (size) : NULL;
  g_autofree char *body = NULL;
  Deletion *deletion;
  GtkWidget *dialog;

  if (tacho_model_actions_why_no_delete (connection, model) != NULL)
    return;
  if (bytes != NULL)
    body = g_strdup_printf (_ ("This removes %s from the disk of the server, for everyone who uses "
                               "it. It cannot be undone; the model would have to be fetched anew."),
                            bytes);
  else
    body = g_strdup (_ ("This removes the model from the disk of the server, for everyone who uses "
                        "it. It cannot be undone; the model would have to be fetched anew."));
  dialog = make_dialog (widget, heading, body, _ ("_Delete"));
  deletion = g_new0 (Deletion, 1);
  deletion->connection = g_object_ref (connection);
  deletion->id = g_strdup (tacho_model_get_id (model));
  deletion->name = g_strdup (name);
  g_signal_connect_data (dialog, "response", G_CALLBACK (delete_response_cb), deletion,
                         deletion_destroy, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

/**
 * tacho_model_actions_copy_id:
 * @widget: whose clipboard
 * @connection: the server in use
 * @model: a model of it
 *
 * Copies the id that requests name the model by.
 */
void
tacho_model_actions_copy_id (GtkWidget *widget, TachoConnection *connection, TachoModel *model)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), tacho_model_get_id (model));
  g_signal_emit_by_name (connection, "notice", _ ("Model id copied"));
}
