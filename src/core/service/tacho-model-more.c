/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lists, details and changes of models have in common: further questions, their order,
 * and waiting. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-model-service-private.h"

#define MORE_TOTAL_S 10.0
/* One question for each model of a large repository, and an end to a family that never stops. */
#define MAX_STEPS 256

typedef struct
{
  TachoApi *api;
  TachoOperation operation;
  char *id;
  GPtrArray *models;
  guint step;
} Complete;

static void
complete_free (gpointer data)
{
  Complete *complete = data;

  g_object_unref (complete->api);
  g_free (complete->id);
  g_ptr_array_unref (complete->models);
  g_free (complete);
}

static void next_step (GTask *task);

static void
step_reply_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  Complete *complete = g_task_get_task_data (task);
  TachoHttpReply *reply =
      tacho_client_manager_send_finish (TACHO_CLIENT_MANAGER (source), result, NULL);

  if (reply == NULL) /* a server that is gone need not be asked 256 times */
    complete->step = MAX_STEPS;
  else
    tacho_api_parse_more (complete->api, complete->operation, complete->step, reply,
                          complete->models, NULL);
  g_clear_pointer (&reply, tacho_http_reply_free);
  next_step (task);
}

static void
next_step (GTask *task)
{
  Complete *complete = g_task_get_task_data (task);
  TachoModelService *self = g_task_get_source_object (task);
  TachoClientManager *manager = tacho_model_service_get_manager (self);
  TachoHttpRequest *request = NULL;

  if (complete->step < MAX_STEPS && manager != NULL)
    request = tacho_api_build_more (complete->api, complete->operation, complete->id,
                                    ++complete->step, complete->models);
  if (request == NULL)
    {
      g_task_return_pointer (task, g_ptr_array_ref (complete->models),
                             (GDestroyNotify) g_ptr_array_unref);
      g_object_unref (task);
      return;
    }
  tacho_client_manager_send_async (manager, request, MORE_TOTAL_S, g_task_get_cancellable (task),
                                   step_reply_cb, task);
  tacho_http_request_free (request);
}

void
tacho_model_service_complete_async (TachoModelService *self,
                                    TachoApi *api,
                                    TachoOperation operation,
                                    const char *id,
                                    GPtrArray *models,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  Complete *complete = g_new0 (Complete, 1);

  complete->api = g_object_ref (api);
  complete->operation = operation;
  complete->id = g_strdup (id);
  complete->models = g_ptr_array_ref (models);
  g_task_set_source_tag (task, tacho_model_service_complete_async);
  g_task_set_check_cancellable (task, FALSE);
  g_task_set_task_data (task, complete, complete_free);
  next_step (task);
}

GPtrArray *
tacho_model_service_complete_finish (TachoModelService *self, GAsyncResult *result)
{
  return g_task_propagate_pointer (G_TASK (result), NULL);
}

/* --- the order of a list --- */

static int
compare_keys (const char *name_a, const char *id_a, const char *name_b, const char *id_b)
{
  g_autofree char *a = g_utf8_casefold (name_a, -1);
  g_autofree char *b = g_utf8_casefold (name_b, -1);
  int order = strcmp (a, b);

  return order != 0 ? order : strcmp (id_a, id_b);
}

const char *
tacho_model_service_name_of (const TachoModelInfo *info)
{
  return info->name != NULL ? info->name : info->id;
}

int
tacho_model_service_compare_infos (gconstpointer a, gconstpointer b)
{
  const TachoModelInfo *x = *(const TachoModelInfo *const *) a;
  const TachoModelInfo *y = *(const TachoModelInfo *const *) b;

  return compare_keys (tacho_model_service_name_of (x), x->id, tacho_model_service_name_of (y),
                       y->id);
}

/* --- waiting --- */

typedef struct
{
  GTask *task;
  GFunc func;
} Wait;

static gboolean
wait_over_cb (gpointer user_data)
{
  Wait *wait = user_data;

  wait->func (g_steal_pointer (&wait->task), NULL);
  return G_SOURCE_REMOVE;
}

static void
wait_free (gpointer data)
{
  Wait *wait = data;

  g_clear_object (&wait->task);
  g_free (wait);
}

void
tacho_model_service_wait (GTask *task, guint ms, gboolean until_cancelled, GFunc func)
{
  GSource *timer = g_timeout_source_new (ms);
  GCancellable *cancellable = until_cancelled ? g_task_get_cancellable (task) : NULL;
  Wait *wait = g_new (Wait, 1);

  *wait = (Wait){ task, func };
  if (cancellable != NULL)
    {
      GSource *cancelled = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (cancelled);
      g_source_add_child_source (timer, cancelled);
      g_source_unref (cancelled);
    }
  g_source_set_callback (timer, wait_over_cb, wait, wait_free);
  g_source_attach (timer, g_main_context_get_thread_default ());
  g_source_unref (timer);
}
