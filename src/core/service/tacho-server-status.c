/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks at a server: its slots and metrics, and its list where that is all that tells of memory. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-server-status.h"

#include <math.h>

#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "service/tacho-client-manager-private.h"

#define INTERVAL_MS 2000
#define LIMIT_S 1.5
/* A router is asked for each model that it has loaded. */
#define MAX_MODELS 8
/* A server that tells nothing but its list is asked for that, at a slower pace, if it is short. */
#define LIST_EVERY 5
#define MAX_LISTED 1000

static const TachoOperation operations[] = { TACHO_OP_SLOTS, TACHO_OP_METRICS };

struct _TachoServerStatus
{
  GObject parent_instance;

  TachoModelService *models;
  GCancellable *cancellable;
  GSource *timer;
  gboolean active, told, looked;
  gboolean refused[G_N_ELEMENTS (operations)]; /* the server does not tell, and said so */
  guint n_looks;
  guint asking; /* replies that are awaited */
  TachoServerFigures figures;
  TachoServerFigures next; /* of the look that goes on */
  GError *error;
  GError *next_error;
  gboolean answered; /* in the look that goes on */
  gint64 figures_ns; /* when the totals were told; 0: never */
};

G_DEFINE_FINAL_TYPE (TachoServerStatus, tacho_server_status, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_ACTIVE,
  PROP_TOLD,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];
static guint changed_signal;

typedef struct
{
  TachoServerStatus *self;
  TachoApi *api;
  GCancellable *cancellable;
  guint index;    /* of operations */
  gboolean whole; /* the server was meant, not one of its models */
} Question;

static void
question_free (Question *question)
{
  g_object_unref (question->self);
  g_object_unref (question->api);
  g_object_unref (question->cancellable);
  g_free (question);
}

/* --- figures --- */

static void
figures_clear (TachoServerFigures *figures)
{
  *figures = (TachoServerFigures){ .prompt_rate = NAN, .output_rate = NAN };
  tacho_server_metrics_clear (&figures->metrics);
}

static void
add (double *sum, double value)
{
  if (!isnan (value))
    *sum = isnan (*sum) ? value : *sum + value;
}

static void
raise_to (double *most, double value)
{
  if (!isnan (value))
    *most = isnan (*most) ? value : MAX (*most, value);
}

/* Requests of several models add up; memory and caches are those of one machine. */
static void
add_metrics (TachoServerMetrics *all, const TachoServerMetrics *one)
{
  add (&all->requests_running, one->requests_running);
  add (&all->requests_waiting, one->requests_waiting);
  add (&all->prompt_tokens_total, one->prompt_tokens_total);
  add (&all->output_tokens_total, one->output_tokens_total);
  add (&all->prefix_cache_queries_total, one->prefix_cache_queries_total);
  add (&all->prefix_cache_hits_total, one->prefix_cache_hits_total);
  add (&all->preemptions_total, one->preemptions_total);
  add (&all->queue_seconds_total, one->queue_seconds_total);
  add (&all->slots, one->slots);
  raise_to (&all->kv_cache_usage, one->kv_cache_usage);
  raise_to (&all->gpu_memory_used, one->gpu_memory_used);
  raise_to (&all->gpu_memory_total, one->gpu_memory_total);
  raise_to (&all->gpu_utilization, one->gpu_utilization);
}

static double
rate (double now, double before, double seconds)
{
  return seconds > 0 && now >= before ? (now - before) / seconds : NAN;
}

static void
count_models (TachoServerStatus *self, TachoServerFigures *figures)
{
  GListModel *list = G_LIST_MODEL (self->models);
  guint n = g_list_model_get_n_items (list);

  figures->models_loaded = 0;
  figures->models_memory = 0;
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (list, i);

      if (tacho_model_get_status (model) != TACHO_MODEL_STATUS_LOADED)
        continue;
      figures->models_loaded++;
      figures->models_memory += tacho_model_get_info (model)->memory_bytes;
    }
}

static gboolean
tells (const TachoServerFigures *figures)
{
  const TachoServerMetrics *metrics = &figures->metrics;

  return figures->slots_total > 0 || figures->models_memory > 0 ||
         !isnan (metrics->requests_running) || !isnan (metrics->requests_waiting) ||
         !isnan (metrics->kv_cache_usage) || !isnan (metrics->gpu_memory_used) ||
         !isnan (metrics->gpu_utilization) || !isnan (metrics->output_tokens_total);
}

static void
set_told (TachoServerStatus *self, gboolean told)
{
  if (self->told == told)
    return;
  self->told = told;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TOLD]);
}

/* --- one look --- */

static void
end_look (TachoServerStatus *self)
{
  const TachoServerMetrics *before = &self->figures.metrics;
  const TachoServerMetrics *metrics = &self->next.metrics;
  gint64 now = tacho_clock_now_ns ();
  double seconds = self->figures_ns > 0 ? (double) (now - self->figures_ns) / TACHO_NS_PER_S : 0;

  count_models (self, &self->next);
  if (self->next.slots_total == 0 && metrics->slots > 0)
    {
      self->next.slots_total = (guint) MIN (metrics->slots, G_MAXINT);
      self->next.slots_busy = (guint) MIN (fmax (metrics->requests_running, 0), metrics->slots);
    }
  self->next.prompt_rate =
      rate (metrics->prompt_tokens_total, before->prompt_tokens_total, seconds);
  self->next.output_rate =
      rate (metrics->output_tokens_total, before->output_tokens_total, seconds);
  g_clear_error (&self->error);
  self->error = g_steal_pointer (&self->next_error);
  /* What was told last stays until the server says something new. */
  if (self->answered || self->error == NULL)
    {
      self->figures = self->next;
      self->figures_ns = now;
      set_told (self, tells (&self->figures));
    }
  g_signal_emit (self, changed_signal, 0);
}

static gboolean
is_refusal (const GError *error, gboolean whole)
{
  return g_error_matches (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED) ||
         (whole && (g_error_matches (error, TACHO_ERROR, TACHO_ERROR_HTTP_4XX) ||
                    g_error_matches (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND)));
}

static gboolean
read_reply (TachoServerStatus *self,
            const Question *question,
            const TachoHttpReply *reply,
            GError **error)
{
  g_autoptr (GArray) slots = NULL;
  TachoServerMetrics metrics;

  if (operations[question->index] == TACHO_OP_METRICS)
    {
      if (!tacho_api_parse_metrics (question->api, reply, &metrics, error))
        return FALSE;
      add_metrics (&self->next.metrics, &metrics);
      return TRUE;
    }
  slots = tacho_api_parse_slots (question->api, reply, error);
  for (guint i = 0; slots != NULL && i < slots->len; i++)
    {
      self->next.slots_total++;
      if (g_array_index (slots, TachoSlot, i).busy)
        self->next.slots_busy++;
    }
  return slots != NULL;
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Question *question = user_data;
  TachoServerStatus *self = question->self;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply =
      tacho_client_manager_send_finish (TACHO_CLIENT_MANAGER (source), result, &error);

  if (question->cancellable == self->cancellable)
    {
      if (reply != NULL && read_reply (self, question, reply, &error))
        self->answered = TRUE;
      else if (is_refusal (error, question->whole))
        self->refused[question->index] = TRUE;
      else if (self->next_error == NULL)
        self->next_error = g_steal_pointer (&error);
      if (--self->asking == 0)
        end_look (self);
    }
  question_free (question);
}

static void
ask (TachoServerStatus *self, TachoApi *api, guint index, TachoHttpRequest *request, gboolean whole)
{
  Question *question = g_new0 (Question, 1);

  question->self = g_object_ref (self);
  question->api = g_object_ref (api);
  question->cancellable = g_object_ref (self->cancellable);
  question->index = index;
  question->whole = whole;
  self->asking++;
  tacho_client_manager_send_async (tacho_model_service_get_manager (self->models), request, LIMIT_S,
                                   self->cancellable, answered_cb, question);
}

/* Of the server, or where it says nothing of itself of each model that it has loaded. */
static void
ask_all (TachoServerStatus *self, guint index)
{
  TachoClientManager *manager = tacho_model_service_get_manager (self->models);
  TachoEndpoint *endpoint = tacho_client_manager_route (manager, operations[index], NULL);
  GListModel *list = G_LIST_MODEL (self->models);
  g_autoptr (TachoHttpRequest) request = NULL;
  TachoApi *api;
  guint asked = 0;

  if (endpoint == NULL)
    return;
  api = tacho_endpoint_get_api (endpoint);
  request = tacho_api_build (api, operations[index], NULL, NULL);
  if (request != NULL)
    {
      ask (self, api, index, request, TRUE);
      return;
    }
  for (guint i = 0; i < g_list_model_get_n_items (list) && asked < MAX_MODELS; i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (list, i);
      g_autoptr (TachoHttpRequest) one = NULL;

      if (tacho_model_get_status (model) == TACHO_MODEL_STATUS_LOADED)
        one = tacho_api_build (api, operations[index], tacho_model_get_id (model), NULL);
      if (one == NULL)
        continue;
      ask (self, api, index, one, FALSE);
      asked++;
    }
}

static gboolean
is_reachable (TachoServerStatus *self)
{
  TachoClientManager *manager = tacho_model_service_get_manager (self->models);
  TachoConnectionState state = tacho_client_manager_get_state (manager);

  return tacho_client_manager_get_api (manager) != NULL &&
         (state == TACHO_CONNECTION_CONNECTED || state == TACHO_CONNECTION_DEGRADED);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  /* The list keeps its own error. */
  tacho_model_service_list_finish (TACHO_MODEL_SERVICE (source), result, NULL);
}

/* A look that the server has not answered yet is waited for. */
static void
look (TachoServerStatus *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->models));

  if (self->asking > 0 || !is_reachable (self))
    return;
  self->looked = TRUE;
  figures_clear (&self->next);
  g_clear_error (&self->next_error);
  self->answered = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    if (!self->refused[i])
      ask_all (self, i);
  if (self->asking > 0)
    return;
  end_look (self);
  if (self->active && n > 0 && n <= MAX_LISTED && ++self->n_looks % LIST_EVERY == 0)
    tacho_model_service_list_async (self->models, TRUE, self->cancellable, listed_cb, NULL);
}

static gboolean
timer_cb (gpointer user_data)
{
  look (user_data);
  return G_SOURCE_CONTINUE;
}

static void
forget_look (TachoServerStatus *self)
{
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
  self->asking = 0;
}

static void
stop_timer (TachoServerStatus *self)
{
  if (self->timer != NULL)
    g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

/* --- following the server --- */

/* Another API than before: what was told says nothing of it. */
static void
api_cb (TachoServerStatus *self)
{
  forget_look (self);
  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    self->refused[i] = FALSE;
  self->looked = FALSE;
  self->figures_ns = 0;
  figures_clear (&self->figures);
  set_told (self, FALSE);
  if (self->active)
    look (self);
}

/* A list has come, or a model was loaded or unloaded: what may be told changes by that alone. */
static void
busy_cb (TachoServerStatus *self)
{
  if (tacho_model_service_get_busy (self->models) || !tacho_model_service_get_listed (self->models))
    return;
  if (!self->looked || !self->told)
    {
      look (self);
      return;
    }
  count_models (self, &self->figures);
  set_told (self, tells (&self->figures));
  g_signal_emit (self, changed_signal, 0);
}

/* --- object --- */

static void
tacho_server_status_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  TachoServerStatus *self = TACHO_SERVER_STATUS (object);

  if (id == PROP_ACTIVE)
    g_value_set_boolean (value, self->active);
  else if (id == PROP_TOLD)
    g_value_set_boolean (value, self->told);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
tacho_server_status_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  if (id == PROP_ACTIVE)
    tacho_server_status_set_active (TACHO_SERVER_STATUS (object), g_value_get_boolean (value));
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
tacho_server_status_dispose (GObject *object)
{
  TachoServerStatus *self = TACHO_SERVER_STATUS (object);

  stop_timer (self);
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->models);

  G_OBJECT_CLASS (tacho_server_status_parent_class)->dispose (object);
}

static void
tacho_server_status_finalize (GObject *object)
{
  TachoServerStatus *self = TACHO_SERVER_STATUS (object);

  g_object_unref (self->cancellable);
  g_clear_error (&self->error);
  g_clear_error (&self->next_error);

  G_OBJECT_CLASS (tacho_server_status_parent_class)->finalize (object);
}

static void
tacho_server_status_class_init (TachoServerStatusClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->get_property = tacho_server_status_get_property;
  object_class->set_property = tacho_server_status_set_property;
  object_class->dispose = tacho_server_status_dispose;
  object_class->finalize = tacho_server_status_finalize;

  properties[PROP_ACTIVE] =
      g_param_spec_boolean ("active", NULL, NULL, FALSE, G_PARAM_READWRITE | flags);
  properties[PROP_TOLD] =
      g_param_spec_boolean ("told", NULL, NULL, FALSE, G_PARAM_READABLE | flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  changed_signal = g_signal_new ("changed", TACHO_TYPE_SERVER_STATUS, G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 0);
}

static void
tacho_server_status_init (TachoServerStatus *self)
{
  self->cancellable = g_cancellable_new ();
  figures_clear (&self->figures);
}

/**
 * tacho_server_status_new:
 * @models: the models of the server, whose manager carries the questions
 *
 * Returns: (transfer full): what the server tells of itself; asked for the first time as soon as it
 *   has listed its models
 */
TachoServerStatus *
tacho_server_status_new (TachoModelService *models)
{
  TachoServerStatus *self;

  g_return_val_if_fail (TACHO_IS_MODEL_SERVICE (models), NULL);

  self = g_object_new (TACHO_TYPE_SERVER_STATUS, NULL);
  self->models = g_object_ref (models);
  g_signal_connect_object (tacho_model_service_get_manager (models), "notify::api",
                           G_CALLBACK (api_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (models, "notify::busy", G_CALLBACK (busy_cb), self, G_CONNECT_SWAPPED);
  busy_cb (self);
  return self;
}

/**
 * tacho_server_status_set_active:
 * @self: a status
 * @active: whether someone looks at it
 *
 * While active the server is asked at once and every two seconds, each question with a limit of its
 * own that is shorter than that; a question that is not answered is not asked again meanwhile.
 */
void
tacho_server_status_set_active (TachoServerStatus *self, gboolean active)
{
  g_return_if_fail (TACHO_IS_SERVER_STATUS (self));

  active = active != FALSE;
  if (self->active == active)
    return;
  self->active = active;
  stop_timer (self);
  if (active)
    {
      /* Totals of an earlier time would give the mean rate since then. */
      self->figures_ns = 0;
      self->timer = g_timeout_source_new (INTERVAL_MS);
      g_source_set_callback (self->timer, timer_cb, self, NULL);
      g_source_attach (self->timer, g_main_context_get_thread_default ());
      look (self);
    }
  else
    forget_look (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ACTIVE]);
}

/**
 * tacho_server_status_get_active:
 * @self: a status
 *
 * Returns: whether the server is asked again and again
 */
gboolean
tacho_server_status_get_active (TachoServerStatus *self)
{
  g_return_val_if_fail (TACHO_IS_SERVER_STATUS (self), FALSE);
  return self->active;
}

/**
 * tacho_server_status_get_told:
 * @self: a status
 *
 * Returns: whether the server tells anything of how busy it is
 */
gboolean
tacho_server_status_get_told (TachoServerStatus *self)
{
  g_return_val_if_fail (TACHO_IS_SERVER_STATUS (self), FALSE);
  return self->told;
}

/**
 * tacho_server_status_get_figures:
 * @self: a status
 *
 * Returns: (transfer none): what was told last
 */
const TachoServerFigures *
tacho_server_status_get_figures (TachoServerStatus *self)
{
  g_return_val_if_fail (TACHO_IS_SERVER_STATUS (self), NULL);
  return &self->figures;
}

/**
 * tacho_server_status_get_error:
 * @self: a status
 *
 * Returns: (transfer none) (nullable): why the last look, or a part of it, brought nothing
 */
const GError *
tacho_server_status_get_error (TachoServerStatus *self)
{
  g_return_val_if_fail (TACHO_IS_SERVER_STATUS (self), NULL);
  return self->error;
}
