/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One server as the window uses it. */
#define G_LOG_DOMAIN "tacho-connection"

#include "config.h"

#include "app/tacho-connection.h"
#include "app/tacho-display.h"
#include "app/tacho-engine.h"
#include "app/tacho-servers.h"
#include "app/tacho-settings.h"
#include "base/tacho-error.h"
#include "sim/tacho-sim-server.h"

#include <glib/gi18n.h>

#define WATCH_SECONDS 5

struct _TachoConnection
{
  GObject parent_instance;
  TachoProfile *profile;
  TachoSimServer *sim;
  TachoClientManager *manager;
  TachoModelService *models;
  TachoInferenceService *inference;
  TachoModel *model;
  GHashTable *changes; /* model id -> GCancellable of its load or unload */
  GCancellable *cancellable;
  char *name;
  TachoConnectionState state; /* the last one seen */
};

G_DEFINE_FINAL_TYPE (TachoConnection, tacho_connection, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_MODEL,
  N_PROPS
};

enum
{
  SIGNAL_CHANGES,
  SIGNAL_NOTICE,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

/* The model of last time, else the first loaded one, else the first. */
static void
choose_model (TachoConnection *self)
{
  g_autofree char *last = tacho_settings_get_string (tacho_settings_get_default (), "last-model");
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->models));
  g_autoptr (TachoModel) best = NULL;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (G_LIST_MODEL (self->models), i);
      gboolean chosen = g_str_equal (tacho_model_get_id (model), last);

      if (chosen || best == NULL ||
          (tacho_connection_needs_load (self, best) && !tacho_connection_needs_load (self, model)))
        g_set_object (&best, model);
      if (chosen)
        break;
    }
  tacho_connection_set_model (self, best);
}

static void
items_changed_cb (TachoConnection *self)
{
  if (self->model != NULL &&
      tacho_model_service_lookup (self->models, tacho_model_get_id (self->model)) == self->model)
    return;
  choose_model (self);
}

static void
list_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  /* The service keeps the error as a property, which the browser shows. */
  tacho_model_service_list_finish (TACHO_MODEL_SERVICE (source), result, NULL);
}

static gboolean
is_usable (TachoConnectionState state)
{
  return state == TACHO_CONNECTION_CONNECTED || state == TACHO_CONNECTION_DEGRADED;
}

static void
state_cb (TachoConnection *self)
{
  TachoConnectionState state = tacho_client_manager_get_state (self->manager);
  gboolean was_usable = is_usable (self->state);
  g_autofree char *address = tacho_servers_make_address (self->profile);

  self->state = state;
  if (!is_usable (state) || was_usable)
    return;
  tacho_model_service_list_async (self->models, TRUE, self->cancellable, list_cb, NULL);
  if (!tacho_engine_is_at (address)) /* another one at the next start */
    tacho_settings_note_server (tacho_settings_get_default (), address);
}

static void
probe_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  /* The manager's state and last error say it. */
  tacho_client_manager_probe_finish (TACHO_CLIENT_MANAGER (source), result, NULL);
}

static GCancellable *
begin_change (TachoConnection *self, const char *id)
{
  GCancellable *cancellable = g_hash_table_lookup (self->changes, id);

  if (cancellable != NULL)
    return cancellable;
  cancellable = g_cancellable_new ();
  g_hash_table_insert (self->changes, g_strdup (id), cancellable);
  g_signal_emit (self, signals[SIGNAL_CHANGES], 0);
  return cancellable;
}

static void
end_change (TachoConnection *self, const char *id)
{
  g_hash_table_remove (self->changes, id);
  g_signal_emit (self, signals[SIGNAL_CHANGES], 0);
}

static void
load_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  TachoConnection *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;
  gboolean loaded = tacho_model_service_load_finish (TACHO_MODEL_SERVICE (source), result, &error);

  end_change (self, g_task_get_task_data (task));
  if (loaded)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static gboolean
is_cancelled (const GError *error)
{
  return g_error_matches (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
}

static void
load_row_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TachoConnection *self = TACHO_CONNECTION (source);
  g_autofree char *id = user_data;
  g_autoptr (GError) error = NULL;
  TachoModel *model;

  if (tacho_connection_load_finish (self, result, &error) || is_cancelled (error))
    return;
  /* The row shows a failed model's reason; only what it cannot show becomes a notice. */
  model = tacho_model_service_lookup (self->models, id);
  if (model == NULL || tacho_model_get_status (model) != TACHO_MODEL_STATUS_FAILED)
    g_signal_emit (self, signals[SIGNAL_NOTICE], 0, error->message);
}

static void
unload_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  TachoConnection *self = g_task_get_source_object (task);
  g_autoptr (GError) error = NULL;

  end_change (self, g_task_get_task_data (task));
  if (!tacho_model_service_unload_finish (TACHO_MODEL_SERVICE (source), result, &error) &&
      !is_cancelled (error))
    g_signal_emit (self, signals[SIGNAL_NOTICE], 0, error->message);
  g_task_return_boolean (task, error == NULL);
}

static void
tacho_connection_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  TachoConnection *self = TACHO_CONNECTION (object);

  if (id == PROP_MODEL)
    g_value_set_object (value, self->model);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
tacho_connection_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_MODEL)
    tacho_connection_set_model (TACHO_CONNECTION (object), g_value_get_object (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
tacho_connection_dispose (GObject *object)
{
  TachoConnection *self = TACHO_CONNECTION (object);

  tacho_connection_close (self);
  g_clear_object (&self->model);
  g_clear_object (&self->inference);
  g_clear_object (&self->models);
  g_clear_object (&self->manager);
  g_clear_object (&self->sim);
  g_clear_object (&self->profile);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->changes, g_hash_table_unref);
  g_clear_pointer (&self->name, g_free);

  G_OBJECT_CLASS (tacho_connection_parent_class)->dispose (object);
}

static void
tacho_connection_class_init (TachoConnectionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = tacho_connection_get_property;
  object_class->set_property = tacho_connection_set_property;
  object_class->dispose = tacho_connection_dispose;

  properties[PROP_MODEL] =
      g_param_spec_object ("model", NULL, NULL, TACHO_TYPE_MODEL,
                           G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);

  signals[SIGNAL_CHANGES] = g_signal_new ("changes", TACHO_TYPE_CONNECTION, G_SIGNAL_RUN_LAST, 0,
                                          NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_NOTICE] = g_signal_new ("notice", TACHO_TYPE_CONNECTION, G_SIGNAL_RUN_LAST, 0,
                                         NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void
tacho_connection_init (TachoConnection *self)
{
  self->cancellable = g_cancellable_new ();
  self->changes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_object_unref);
}

/**
 * tacho_connection_new:
 * @profile: where the server is and how to talk to it
 * @error: return location
 *
 * Returns: (transfer full): a connection that has not sent anything yet, or %NULL if the simulated
 *   server did not start
 */
TachoConnection *
tacho_connection_new (TachoProfile *profile, GError **error)
{
  g_autoptr (TachoConnection) self = g_object_new (TACHO_TYPE_CONNECTION, NULL);
  g_autoptr (GError) local = NULL;

  self->profile = g_object_ref (profile);
  self->sim = tacho_sim_server_host_profile (self->profile, &local);
  if (local != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local));
      return NULL;
    }
  self->name = tacho_servers_make_title (profile);
  self->manager = tacho_client_manager_new (self->profile);
  self->models = tacho_model_service_new (self->manager);
  self->inference = tacho_inference_service_new (self->manager);
  g_signal_connect_object (self->manager, "notify::state", G_CALLBACK (state_cb), self,
                           G_CONNECT_SWAPPED);
  /* After the lists of the window have taken the change in: they are told to select an item. */
  g_signal_connect_object (self->models, "items-changed", G_CALLBACK (items_changed_cb), self,
                           G_CONNECT_SWAPPED | G_CONNECT_AFTER);
  return g_steal_pointer (&self);
}

/**
 * tacho_connection_open:
 * @self: a connection
 *
 * Probes the server; on success its models are listed. Health is watched from now on.
 */
void
tacho_connection_open (TachoConnection *self)
{
  g_return_if_fail (TACHO_IS_CONNECTION (self));

  tacho_client_manager_probe_async (self->manager, self->cancellable, probe_cb, NULL);
  tacho_client_manager_watch (self->manager, WATCH_SECONDS);
}

/**
 * tacho_connection_refresh:
 * @self: a connection
 *
 * Lists the models anew; probes instead when the server was not reached.
 */
void
tacho_connection_refresh (TachoConnection *self)
{
  g_return_if_fail (TACHO_IS_CONNECTION (self));

  if (tacho_connection_is_usable (self))
    tacho_model_service_list_async (self->models, TRUE, self->cancellable, list_cb, NULL);
  else
    tacho_client_manager_probe_async (self->manager, self->cancellable, probe_cb, NULL);
}

/**
 * tacho_connection_close:
 * @self: a connection
 *
 * Cancels what is under way, closes the wire and stops the simulated server, if this hosts one.
 */
void
tacho_connection_close (TachoConnection *self)
{
  g_return_if_fail (TACHO_IS_CONNECTION (self));

  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  if (self->changes != NULL)
    {
      /* Cancelling may end a change at once, which takes it out of the table. */
      g_autolist (GCancellable) running = NULL;
      GHashTableIter iter;
      gpointer cancellable;

      g_hash_table_iter_init (&iter, self->changes);
      while (g_hash_table_iter_next (&iter, NULL, &cancellable))
        running = g_list_prepend (running, g_object_ref (cancellable));
      for (GList *l = running; l != NULL; l = l->next)
        g_cancellable_cancel (l->data);
    }
  if (self->inference != NULL)
    tacho_inference_service_cancel_all (self->inference);
  if (self->manager != NULL)
    {
      tacho_client_manager_watch (self->manager, 0);
      tacho_client_manager_close (self->manager);
    }
  if (self->sim != NULL)
    tacho_sim_server_stop (self->sim);
}

/**
 * tacho_connection_get_profile:
 * @self: a connection
 *
 * Returns: (transfer none): where the server is
 */
TachoProfile *
tacho_connection_get_profile (TachoConnection *self)
{
  return self->profile;
}

/**
 * tacho_connection_get_manager:
 * @self: a connection
 *
 * Returns: (transfer none): the owner of the endpoints
 */
TachoClientManager *
tacho_connection_get_manager (TachoConnection *self)
{
  return self->manager;
}

/**
 * tacho_connection_get_models:
 * @self: a connection
 *
 * Returns: (transfer none): the server's models
 */
TachoModelService *
tacho_connection_get_models (TachoConnection *self)
{
  return self->models;
}

/**
 * tacho_connection_get_inference:
 * @self: a connection
 *
 * Returns: (transfer none): what runs prompts
 */
TachoInferenceService *
tacho_connection_get_inference (TachoConnection *self)
{
  return self->inference;
}

/**
 * tacho_connection_get_name:
 * @self: a connection
 *
 * Returns: (transfer none): short name of the server
 */
const char *
tacho_connection_get_name (TachoConnection *self)
{
  return self->name;
}

/**
 * tacho_connection_is_simulated:
 * @self: a connection
 *
 * Returns: %TRUE if what this server answers is simulated, here or elsewhere
 */
gboolean
tacho_connection_is_simulated (TachoConnection *self)
{
  return tacho_profile_is_sim (self->profile) || tacho_client_manager_get_simulated (self->manager);
}

/**
 * tacho_connection_is_usable:
 * @self: a connection
 *
 * Returns: %TRUE if a request makes sense now
 */
gboolean
tacho_connection_is_usable (TachoConnection *self)
{
  return is_usable (tacho_client_manager_get_state (self->manager));
}

/**
 * tacho_connection_get_model:
 * @self: a connection
 *
 * Returns: (transfer none) (nullable): the chosen model
 */
TachoModel *
tacho_connection_get_model (TachoConnection *self)
{
  return self->model;
}

/**
 * tacho_connection_set_model:
 * @self: a connection
 * @model: (nullable): the model to use from now on
 */
void
tacho_connection_set_model (TachoConnection *self, TachoModel *model)
{
  g_return_if_fail (TACHO_IS_CONNECTION (self));

  if (g_set_object (&self->model, model))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_MODEL]);
}

/**
 * tacho_connection_needs_load:
 * @self: a connection
 * @model: a model of it
 *
 * Returns: %TRUE if the model has to be loaded, and can be, before it answers
 */
gboolean
tacho_connection_needs_load (TachoConnection *self, TachoModel *model)
{
  TachoModelStatus status = tacho_model_get_status (model);

  return tacho_model_service_get_can_load (self->models) &&
         (status == TACHO_MODEL_STATUS_UNLOADED || status == TACHO_MODEL_STATUS_FAILED ||
          status == TACHO_MODEL_STATUS_LOADING);
}

/**
 * tacho_connection_is_changing:
 * @self: a connection
 * @id: id of a model
 *
 * Returns: %TRUE while this window loads or unloads the model
 */
gboolean
tacho_connection_is_changing (TachoConnection *self, const char *id)
{
  return g_hash_table_contains (self->changes, id);
}

/**
 * tacho_connection_load_async:
 * @self: a connection
 * @id: id of a model
 * @callback: called when the model is loaded or has failed
 * @user_data: for @callback
 *
 * Loads a model; [method@Connection.cancel_change] stops that.
 */
void
tacho_connection_load_async (TachoConnection *self,
                             const char *id,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GCancellable *cancellable = begin_change (self, id);

  g_task_set_source_tag (task, tacho_connection_load_async);
  g_task_set_task_data (task, g_strdup (id), g_free);
  tacho_model_service_load_async (self->models, id, cancellable, load_cb, g_steal_pointer (&task));
}

/**
 * tacho_connection_load_finish:
 * @self: a connection
 * @result: what the callback got
 * @error: return location
 *
 * Returns: %TRUE if the model is loaded
 */
gboolean
tacho_connection_load_finish (TachoConnection *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * tacho_connection_load:
 * @self: a connection
 * @id: id of a model
 *
 * Loads a model on a person's behalf; the outcome is seen in its row.
 */
void
tacho_connection_load (TachoConnection *self, const char *id)
{
  if (!tacho_connection_is_changing (self, id))
    tacho_connection_load_async (self, id, load_row_cb, g_strdup (id));
}

/**
 * tacho_connection_unload:
 * @self: a connection
 * @id: id of a model
 *
 * Unloads a model; a failure becomes a notice.
 */
void
tacho_connection_unload (TachoConnection *self, const char *id)
{
  g_autoptr (GTask) task = NULL;

  if (tacho_connection_is_changing (self, id))
    return;
  task = g_task_new (self, NULL, NULL, NULL);
  g_task_set_source_tag (task, tacho_connection_unload);
  g_task_set_task_data (task, g_strdup (id), g_free);
  tacho_model_service_unload_async (self->models, id, begin_change (self, id), unload_cb,
                                    g_steal_pointer (&task));
}

/**
 * tacho_connection_cancel_change:
 * @self: a connection
 * @id: id of a model
 *
 * Stops a load or unload of this window.
 */
void
tacho_connection_cancel_change (TachoConnection *self, const char *id)
{
  g_cancellable_cancel (g_hash_table_lookup (self->changes, id)); /* NULL: does nothing */
}
