/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The models of a server as a list that keeps its objects. Loading is in tacho-model-change.c. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-model-service-private.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"

#define CACHE_NS (300 * TACHO_NS_PER_S)

struct _TachoModelService
{
  GObject parent_instance;

  TachoClientManager *manager;
  GPtrArray *models; /* of TachoModel, sorted */
  guint busy;
  gboolean listed;
  gboolean can_load;
  gboolean stale;
  gint64 listed_ns;
  GError *error;

  GPtrArray *waiters; /* of GTask: callers that share the listing under way */
  GCancellable *list_cancellable;
  GHashTable *loading; /* ids whose load is under way, and the list does not tell */
};

static void list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoModelService,
                               tacho_model_service,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

enum
{
  PROP_0,
  PROP_BUSY,
  PROP_ERROR,
  PROP_LISTED,
  PROP_CAN_LOAD,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

void
tacho_model_service_push_busy (TachoModelService *self)
{
  if (self->busy++ == 0)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BUSY]);
}

void
tacho_model_service_pop_busy (TachoModelService *self)
{
  if (--self->busy == 0)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_BUSY]);
}

void
tacho_model_service_hold_loading (TachoModelService *self, const char *id)
{
  g_hash_table_add (self->loading, g_strdup (id));
}

void
tacho_model_service_drop_loading (TachoModelService *self, const char *id)
{
  g_hash_table_remove (self->loading, id);
}

static void
set_error (TachoModelService *self, const GError *error)
{
  if (self->error == NULL && error == NULL)
    return;
  g_clear_error (&self->error);
  self->error = error != NULL ? g_error_copy (error) : NULL;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ERROR]);
}

/* --- the list --- */

/* Removes the models that *keep* does not hold, a run at a time, from the end. */
static void
remove_absent (TachoModelService *self, GHashTable *keep)
{
  guint end = self->models->len;

  while (end > 0)
    {
      guint begin = end;

      while (begin > 0 &&
             !g_hash_table_contains (keep, g_ptr_array_index (self->models, begin - 1)))
        begin--;
      if (begin < end)
        {
          g_ptr_array_remove_range (self->models, begin, end - begin);
          g_list_model_items_changed (G_LIST_MODEL (self), begin, end - begin, 0);
        }
      end = begin > 0 ? begin - 1 : 0;
    }
}

/* What is left of the old list is a subsequence of *target*: fills the gaps, a run at a time. */
static void
insert_new (TachoModelService *self, GPtrArray *target)
{
  guint i = 0;

  while (i < target->len)
    {
      guint begin = i;
      gpointer next = i < self->models->len ? g_ptr_array_index (self->models, i) : NULL;

      while (i < target->len && g_ptr_array_index (target, i) != next)
        {
          g_ptr_array_insert (self->models, (int) i, g_object_ref (g_ptr_array_index (target, i)));
          i++;
        }
      if (i > begin)
        g_list_model_items_changed (G_LIST_MODEL (self), begin, 0, i - begin);
      else
        i++;
    }
}

/* Takes the server's list: objects keep their identity, only what came or went is announced. A
 * model whose place changes because its name did is taken out and put back. */
static void
merge (TachoModelService *self, GPtrArray *infos)
{
  g_autoptr (GHashTable) old = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) keep = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) target = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) target_infos = g_ptr_array_new (); /* beside target */

  for (guint i = 0; i < self->models->len; i++)
    {
      TachoModel *model = g_ptr_array_index (self->models, i);

      g_hash_table_insert (old, (gpointer) tacho_model_get_id (model), model);
    }
  g_ptr_array_sort (infos, tacho_model_service_compare_infos);
  for (guint i = 0; i < infos->len; i++)
    {
      const TachoModelInfo *info = g_ptr_array_index (infos, i);
      TachoModel *model = g_hash_table_lookup (old, info->id);

      if (!g_hash_table_add (seen, info->id))
        continue; /* a server may list an id twice; the first stands */
      g_ptr_array_add (target_infos, (gpointer) info);
      if (model == NULL)
        g_ptr_array_add (target, tacho_model_new (info));
      else
        {
          if (g_str_equal (tacho_model_get_name (model), tacho_model_service_name_of (info)))
            g_hash_table_add (keep, model);
          g_ptr_array_add (target, g_object_ref (model));
        }
    }
  remove_absent (self, keep);
  for (guint i = 0; i < target->len; i++)
    tacho_model_update (g_ptr_array_index (target, i), g_ptr_array_index (target_infos, i));
  insert_new (self, target);
}

static void
return_waiters (TachoModelService *self, const GError *error)
{
  g_autoptr (GPtrArray) waiters = g_steal_pointer (&self->waiters);

  self->waiters = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < waiters->len; i++)
    {
      GTask *task = g_ptr_array_index (waiters, i);
      GSource *source = g_task_get_task_data (task);

      if (source != NULL)
        g_source_destroy (source);
      tacho_model_service_pop_busy (self);
      if (error != NULL)
        g_task_return_error (task, g_error_copy (error));
      else
        g_task_return_boolean (task, TRUE);
    }
}

static void
list_end (TachoModelService *self, GPtrArray *infos, const GError *error)
{
  g_clear_object (&self->list_cancellable);
  if (infos != NULL)
    {
      for (guint i = 0; i < infos->len; i++)
        {
          TachoModelInfo *info = g_ptr_array_index (infos, i);

          if (info->status != TACHO_MODEL_STATUS_LOADED &&
              g_hash_table_contains (self->loading, info->id))
            info->status = TACHO_MODEL_STATUS_LOADING;
        }
      merge (self, infos);
      self->listed_ns = tacho_clock_now_ns ();
      self->stale = FALSE;
      if (!self->listed)
        {
          self->listed = TRUE;
          g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LISTED]);
        }
    }
  if (!g_error_matches (error, TACHO_ERROR, TACHO_ERROR_CANCELLED))
    set_error (self, error);
  return_waiters (self, error);
}

static void
list_complete_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TachoModelService *self = TACHO_MODEL_SERVICE (source);
  g_autoptr (GPtrArray) infos = tacho_model_service_complete_finish (self, result);

  if (g_task_get_cancellable (G_TASK (result)) == self->list_cancellable)
    list_end (self, infos, NULL);
}

static void
list_reply_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoModelService) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply = NULL;
  g_autoptr (GPtrArray) infos = NULL;
  g_autoptr (TachoApi) api = NULL;
  TachoClientManager *manager = TACHO_CLIENT_MANAGER (source);

  reply = tacho_client_manager_operate_finish (manager, result, &api, &error);
  if (g_task_get_cancellable (G_TASK (result)) != self->list_cancellable)
    return; /* everyone gave up, and perhaps another listing has begun */
  if (reply != NULL)
    infos = tacho_api_parse_models (api, reply, &error);
  if (infos == NULL)
    list_end (self, NULL, error);
  else
    tacho_model_service_complete_async (self, api, TACHO_OP_LIST_MODELS, NULL, infos,
                                        self->list_cancellable, list_complete_cb, NULL);
}

static gboolean
waiter_cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (user_data);
  g_autoptr (TachoModelService) self = g_object_ref (g_task_get_source_object (task));

  if (!g_ptr_array_remove (self->waiters, task))
    return G_SOURCE_REMOVE;
  tacho_model_service_pop_busy (self);
  g_task_return_new_error (task, TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled");
  if (self->waiters->len == 0 && self->list_cancellable != NULL)
    {
      g_autoptr (GCancellable) ours = g_steal_pointer (&self->list_cancellable);

      g_cancellable_cancel (ours);
    }
  return G_SOURCE_REMOVE;
}

static void
destroy_source (gpointer data)
{
  g_source_destroy (data);
  g_source_unref (data);
}

/**
 * tacho_model_service_list_async:
 * @self: a service
 * @refresh: ask the server even if the list is younger than five minutes
 * @cancellable: (nullable): gives up
 * @callback: called once
 * @user_data: for @callback
 *
 * Brings the list up to date. Callers that come while a listing is under way share it.
 */
void
tacho_model_service_list_async (TachoModelService *self,
                                gboolean refresh,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (TACHO_IS_MODEL_SERVICE (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, tacho_model_service_list_async);
  g_task_set_check_cancellable (task, FALSE);
  if (!refresh && self->listed && !self->stale &&
      tacho_clock_now_ns () - self->listed_ns < CACHE_NS)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }
  g_ptr_array_add (self->waiters, g_object_ref (task));
  if (cancellable != NULL)
    {
      GSource *source = g_cancellable_source_new (cancellable);

      g_source_set_callback (source, G_SOURCE_FUNC (waiter_cancelled_cb), task, NULL);
      g_source_attach (source, g_main_context_get_thread_default ());
      g_task_set_task_data (task, source, destroy_source);
    }
  if (self->list_cancellable == NULL)
    {
      self->list_cancellable = g_cancellable_new ();
      tacho_client_manager_operate_async (self->manager, TACHO_OP_LIST_MODELS, NULL,
                                          TACHO_MODEL_SERVICE_TOTAL_S, self->list_cancellable,
                                          list_reply_cb, g_object_ref (self));
    }
  tacho_model_service_push_busy (self);
}

/**
 * tacho_model_service_list_finish:
 * @self: a service
 * @result: the result
 * @error: return location
 *
 * Returns: %TRUE if the list is there; or %FALSE with a `TACHO_ERROR`, and the list as it was
 */
gboolean
tacho_model_service_list_finish (TachoModelService *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* --- following the manager --- */

static void
api_cb (TachoModelService *self)
{
  TachoApi *api = tacho_client_manager_get_api (self->manager);
  gboolean can_load = api != NULL && tacho_api_supports (api, TACHO_OP_LOAD_MODEL);

  self->stale = TRUE;
  if (self->can_load == can_load)
    return;
  self->can_load = can_load;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_CAN_LOAD]);
}

/* A server that was away or loading may have other models now. */
static void
state_cb (TachoModelService *self)
{
  if (tacho_client_manager_get_state (self->manager) != TACHO_CONNECTION_CONNECTED)
    self->stale = TRUE;
}

/* --- object --- */

static GType
get_item_type (GListModel *list)
{
  return TACHO_TYPE_MODEL;
}

static guint
get_n_items (GListModel *list)
{
  return TACHO_MODEL_SERVICE (list)->models->len;
}

static gpointer
get_item (GListModel *list, guint position)
{
  TachoModelService *self = TACHO_MODEL_SERVICE (list);

  if (position >= self->models->len)
    return NULL;
  return g_object_ref (g_ptr_array_index (self->models, position));
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

static void
tacho_model_service_dispose (GObject *object)
{
  TachoModelService *self = TACHO_MODEL_SERVICE (object);

  if (self->list_cancellable != NULL)
    g_cancellable_cancel (self->list_cancellable);
  g_clear_object (&self->list_cancellable);
  g_clear_object (&self->manager);

  G_OBJECT_CLASS (tacho_model_service_parent_class)->dispose (object);
}

static void
tacho_model_service_finalize (GObject *object)
{
  TachoModelService *self = TACHO_MODEL_SERVICE (object);

  g_ptr_array_unref (self->models);
  g_ptr_array_unref (self->waiters);
  g_hash_table_unref (self->loading);
  g_clear_error (&self->error);

  G_OBJECT_CLASS (tacho_model_service_parent_class)->finalize (object);
}

static void
tacho_model_service_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  TachoModelService *self = TACHO_MODEL_SERVICE (object);

  switch (prop_id)
    {
    case PROP_BUSY:
      g_value_set_boolean (value, self->busy > 0);
      break;
    case PROP_ERROR:
      g_value_set_boxed (value, self->error);
      break;
    case PROP_LISTED:
      g_value_set_boolean (value, self->listed);
      break;
    case PROP_CAN_LOAD:
      g_value_set_boolean (value, self->can_load);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tacho_model_service_class_init (TachoModelServiceClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->dispose = tacho_model_service_dispose;
  object_class->finalize = tacho_model_service_finalize;
  object_class->get_property = tacho_model_service_get_property;

  properties[PROP_BUSY] = g_param_spec_boolean ("busy", NULL, NULL, FALSE, flags);
  properties[PROP_ERROR] = g_param_spec_boxed ("error", NULL, NULL, G_TYPE_ERROR, flags);
  properties[PROP_LISTED] = g_param_spec_boolean ("listed", NULL, NULL, FALSE, flags);
  properties[PROP_CAN_LOAD] = g_param_spec_boolean ("can-load", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
tacho_model_service_init (TachoModelService *self)
{
  self->models = g_ptr_array_new_with_free_func (g_object_unref);
  self->waiters = g_ptr_array_new_with_free_func (g_object_unref);
  self->loading = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/**
 * tacho_model_service_new:
 * @manager: whose server's models these are
 *
 * Returns: (transfer full): an empty list; nothing is asked of the server yet
 */
TachoModelService *
tacho_model_service_new (TachoClientManager *manager)
{
  TachoModelService *self;

  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (manager), NULL);

  self = g_object_new (TACHO_TYPE_MODEL_SERVICE, NULL);
  self->manager = g_object_ref (manager);
  g_signal_connect_object (manager, "notify::api", G_CALLBACK (api_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (manager, "notify::state", G_CALLBACK (state_cb), self,
                           G_CONNECT_SWAPPED);
  api_cb (self);
  return self;
}

/**
 * tacho_model_service_get_manager:
 * @self: a service
 *
 * Returns: (transfer none): the manager of the server whose models these are
 */
TachoClientManager *
tacho_model_service_get_manager (TachoModelService *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL_SERVICE (self), NULL);
  return self->manager;
}

/**
 * tacho_model_service_get_busy:
 * @self: a service
 *
 * Returns: %TRUE while any operation of this service runs
 */
gboolean
tacho_model_service_get_busy (TachoModelService *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL_SERVICE (self), FALSE);
  return self->busy > 0;
}

/**
 * tacho_model_service_get_listed:
 * @self: a service
 *
 * Returns: %TRUE if the list is one that the server gave; %FALSE before the first
 */
gboolean
tacho_model_service_get_listed (TachoModelService *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL_SERVICE (self), FALSE);
  return self->listed;
}

/**
 * tacho_model_service_get_can_load:
 * @self: a service
 *
 * Returns: %TRUE if the server loads models on order
 */
gboolean
tacho_model_service_get_can_load (TachoModelService *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL_SERVICE (self), FALSE);
  return self->can_load;
}

/**
 * tacho_model_service_get_error:
 * @self: a service
 *
 * Returns: (transfer none) (nullable): why the last listing failed, %NULL if it went well
 */
const GError *
tacho_model_service_get_error (TachoModelService *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL_SERVICE (self), NULL);
  return self->error;
}

/**
 * tacho_model_service_lookup:
 * @self: a service
 * @id: the server's id of the model
 *
 * Returns: (transfer none) (nullable): the model, if the last list had it
 */
TachoModel *
tacho_model_service_lookup (TachoModelService *self, const char *id)
{
  g_return_val_if_fail (TACHO_IS_MODEL_SERVICE (self), NULL);
  g_return_val_if_fail (id != NULL, NULL);

  for (guint i = 0; i < self->models->len; i++)
    if (g_str_equal (tacho_model_get_id (g_ptr_array_index (self->models, i)), id))
      return g_ptr_array_index (self->models, i);
  return NULL;
}

GError *
tacho_model_service_not_found (TachoModelService *self, const char *id)
{
  return g_error_new (TACHO_ERROR, TACHO_ERROR_NOT_FOUND,
                      "The server has no model “%.100s”; it lists %u", id, self->models->len);
}
