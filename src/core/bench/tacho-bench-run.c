/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run as an object: the engine's thread on one side, the caller's main context on the other. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "bench/tacho-bench-run.h"

#include "base/tacho-clock.h"
#include "bench/tacho-bench-watch.h"
#include "bench/tacho-bench-words.h"
#include "bench/tacho-load-engine.h"

struct _TachoBenchRun
{
  GObject parent_instance;

  TachoClientManager *manager;
  TachoBenchPlan *plan;
  TachoLoadEngine *engine; /* made by start; used by the thread until it has ended */
  GThread *thread;
  GMainContext *context;
  TachoBenchState state;
  TachoBenchResult *result; /* filled by the thread, seen once the state is ENDED */
  GArray *timeline; /* of TachoBenchPoint: this reader's copy; its last point is in progress */
  GError *error;
  gboolean keep_chunks;
  GCancellable *preparing; /* the server is asked what the model takes, or counts words */
  TachoBenchWatch *watch;  /* of server and host, or NULL */
  GPtrArray *words;        /* that are one token each, or NULL */
};

#define PREPARE_TOTAL_S 10.0

G_DEFINE_FINAL_TYPE (TachoBenchRun, tacho_bench_run, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_STATE,
  N_PROPS
};
enum
{
  SIGNAL_SNAPSHOT,
  SIGNAL_ENDED,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

static void
set_state (TachoBenchRun *self, TachoBenchState state)
{
  if (self->state == state)
    return;
  self->state = state;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
}

/* --- from the engine's thread to the caller's context --- */

typedef struct
{
  TachoBenchRun *run;
  TachoSnapshotMessage *message; /* NULL: the run has ended */
} Delivery;

static void
delivery_free (gpointer data)
{
  Delivery *delivery = data;

  g_object_unref (delivery->run);
  tacho_snapshot_message_free (delivery->message);
  g_free (delivery);
}

static void
take_snapshot (TachoBenchRun *self, TachoSnapshotMessage *message)
{
  GArray *points = message->new_points;

  /* The point in progress gives way to what it became. */
  if (self->timeline->len > 0)
    g_array_set_size (self->timeline, self->timeline->len - 1);
  if (points->len > 0)
    g_array_append_vals (self->timeline, points->data, points->len);
  g_array_append_val (self->timeline, message->current);
  message->values.timeline = (const TachoBenchPoint *) (gconstpointer) self->timeline->data;
  if (self->watch != NULL)
    tacho_bench_watch_fill (self->watch, &message->values);
  message->values.n_timeline = message->values.elapsed_s > 0 ? self->timeline->len : 0;
  set_state (self, message->values.state);
  g_signal_emit (self, signals[SIGNAL_SNAPSHOT], 0, &message->values);
}

static void
watched_cb (gpointer user_data)
{
  TachoBenchRun *self = user_data;

  g_clear_object (&self->watch);
  set_state (self, TACHO_BENCH_ENDED);
  g_signal_emit (self, signals[SIGNAL_ENDED], 0);
  g_object_unref (self); /* the thread's */
}

static void
take_end (TachoBenchRun *self)
{
  g_clear_pointer (&self->thread, g_thread_join);
  g_clear_pointer (&self->engine, tacho_load_engine_free);
  if (self->watch != NULL)
    tacho_bench_watch_finish (self->watch, self->result, watched_cb, self);
  else
    watched_cb (self);
}

static gboolean
deliver_cb (gpointer data)
{
  Delivery *delivery = data;

  if (delivery->message != NULL)
    take_snapshot (delivery->run, delivery->message);
  else
    take_end (delivery->run);
  return G_SOURCE_REMOVE;
}

static void
deliver (TachoBenchRun *self, TachoSnapshotMessage *message)
{
  Delivery *delivery = g_new (Delivery, 1);
  g_autoptr (GSource) source = g_idle_source_new ();

  delivery->run = g_object_ref (self);
  delivery->message = message;
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, deliver_cb, delivery, delivery_free);
  g_source_attach (source, self->context);
}

static void
snapshot_func (TachoSnapshotMessage *message, gpointer user_data)
{
  deliver (user_data, message);
}

static gpointer
thread_func (gpointer data)
{
  TachoBenchRun *self = data;

  tacho_load_engine_run (self->engine, snapshot_func, self, self->result);
  deliver (self, NULL);
  return NULL;
}

/* --- the object --- */

static void
tacho_bench_run_dispose (GObject *object)
{
  TachoBenchRun *self = TACHO_BENCH_RUN (object);

  /* A run that goes on holds itself: here the thread has ended or was never started. */
  g_clear_pointer (&self->engine, tacho_load_engine_free);
  g_clear_object (&self->watch);
  g_clear_object (&self->manager);

  G_OBJECT_CLASS (tacho_bench_run_parent_class)->dispose (object);
}

static void
tacho_bench_run_finalize (GObject *object)
{
  TachoBenchRun *self = TACHO_BENCH_RUN (object);

  g_clear_pointer (&self->plan, tacho_bench_plan_free);
  g_clear_pointer (&self->context, g_main_context_unref);
  g_clear_pointer (&self->result, tacho_bench_result_unref);
  g_array_unref (self->timeline);
  g_clear_object (&self->preparing);
  g_clear_pointer (&self->words, g_ptr_array_unref);
  g_clear_error (&self->error);

  G_OBJECT_CLASS (tacho_bench_run_parent_class)->finalize (object);
}

static void
tacho_bench_run_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  TachoBenchRun *self = TACHO_BENCH_RUN (object);

  switch (id)
    {
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
tacho_bench_run_class_init (TachoBenchRunClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = tacho_bench_run_dispose;
  object_class->finalize = tacho_bench_run_finalize;
  object_class->get_property = tacho_bench_run_get_property;

  /**
   * TachoBenchRun:state:
   *
   * What the run is doing.
   */
  properties[PROP_STATE] =
      g_param_spec_enum ("state", NULL, NULL, TACHO_TYPE_BENCH_STATE, TACHO_BENCH_IDLE,
                         G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);

  /**
   * TachoBenchRun::snapshot:
   * @self: the run
   * @snapshot: (type gpointer): a TachoBenchSnapshot, valid during the emission
   *
   * A few times a second while the run goes on.
   */
  signals[SIGNAL_SNAPSHOT] = g_signal_new ("snapshot", TACHO_TYPE_BENCH_RUN, G_SIGNAL_RUN_LAST, 0,
                                           NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_POINTER);

  /**
   * TachoBenchRun::ended:
   * @self: the run
   *
   * Once, when the result is there.
   */
  signals[SIGNAL_ENDED] = g_signal_new ("ended", TACHO_TYPE_BENCH_RUN, G_SIGNAL_RUN_LAST, 0, NULL,
                                        NULL, NULL, G_TYPE_NONE, 0);
}

static void
tacho_bench_run_init (TachoBenchRun *self)
{
  self->timeline = g_array_new (FALSE, FALSE, sizeof (TachoBenchPoint));
}

static TachoEndpoint *
get_side (TachoClientManager *manager, const TachoBenchPlan *plan)
{
  return tacho_client_manager_get_side (manager, plan->protocol == TACHO_PROTOCOL_GRPC
                                                     ? TACHO_PROTOCOL_GRPC
                                                     : TACHO_PROTOCOL_REST);
}

/* A run measures one side, never a mixture. */
static TachoApi *
get_api (TachoBenchRun *self)
{
  TachoEndpoint *side = get_side (self->manager, self->plan);

  return side != NULL ? tacho_endpoint_get_api (side) : NULL;
}

/* A profile that has one side only is measured on that. */
static void
choose_side (TachoBenchRun *self)
{
  TachoProfile *profile = tacho_client_manager_get_profile (self->manager);
  TachoProtocol protocol = tacho_profile_get_protocol (profile);

  if (protocol != TACHO_PROTOCOL_HYBRID)
    self->plan->protocol = protocol;
  else if (self->plan->protocol != TACHO_PROTOCOL_GRPC)
    self->plan->protocol = TACHO_PROTOCOL_REST;
}

static gboolean
check_side (TachoBenchRun *self, GError **error)
{
  TachoProfile *profile = tacho_client_manager_get_profile (self->manager);
  gboolean grpc = self->plan->protocol == TACHO_PROTOCOL_GRPC;

  if (get_api (self) != NULL && !grpc && tacho_profile_get_pin (profile) != NULL)
    g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
                         "A benchmark over REST cannot hold a server to a pinned certificate: give "
                         "the certificate of its authority as CA instead");
  else if (get_api (self) != NULL && self->plan->http2 &&
           !g_str_has_prefix (tacho_profile_get_endpoint (profile), "https:"))
    g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                         "HTTP/2 is measured over TLS, where both sides agree on it: give an https "
                         "address");
  else if (get_api (self) != NULL)
    return TRUE;
  else if (tacho_client_manager_get_api (self->manager) == NULL)
    g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                         "The server is not known yet: probe it before a benchmark");
  else
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED,
                 "The benchmark is to measure over %s, and this server's %s side is not there",
                 grpc ? "gRPC" : "REST", grpc ? "gRPC" : "REST");
  return FALSE;
}

/**
 * tacho_bench_run_new:
 * @manager: a probed manager: its API builds the requests, its profile says where they go
 * @plan: what to do; copied
 * @error: return location
 *
 * Prepares a run.
 *
 * Returns: (transfer full): the run, or %NULL with %TACHO_ERROR_INVALID for a plan that cannot work
 */
TachoBenchRun *
tacho_bench_run_new (TachoClientManager *manager, const TachoBenchPlan *plan, GError **error)
{
  TachoBenchRun *self;

  g_return_val_if_fail (TACHO_IS_CLIENT_MANAGER (manager), NULL);

  if (!tacho_bench_plan_validate (plan, error))
    return NULL;
  self = g_object_new (TACHO_TYPE_BENCH_RUN, NULL);
  self->manager = g_object_ref (manager);
  self->plan = tacho_bench_plan_copy (plan);
  choose_side (self);
  if (!check_side (self, error) || !tacho_bench_plan_validate (self->plan, error))
    g_clear_object (&self);
  return self;
}

/**
 * tacho_bench_run_set_keep_chunks:
 * @self: a run that was not started
 * @keep: whether records keep the stamp of every chunk: eight bytes each, for a file of records
 */
void
tacho_bench_run_set_keep_chunks (TachoBenchRun *self, gboolean keep)
{
  g_return_if_fail (TACHO_IS_BENCH_RUN (self));

  self->keep_chunks = !!keep;
}

static TachoBenchResult *
make_result (TachoBenchRun *self)
{
  TachoBenchResult *result = tacho_bench_result_new (self->plan);
  TachoProfile *profile = tacho_client_manager_get_profile (self->manager);

  result->simulated = tacho_endpoint_get_simulated (get_side (self->manager, self->plan));
  result->target_url = g_strdup (self->plan->protocol == TACHO_PROTOCOL_GRPC ||
                                         tacho_profile_get_url (profile) == NULL
                                     ? tacho_profile_get_grpc_target (profile)
                                     : tacho_profile_get_url (profile));
  result->target_family = g_strdup (tacho_api_get_family (get_api (self)));
  result->target_description = g_strdup (tacho_client_manager_get_description (self->manager));
  result->target_version = g_strdup (tacho_client_manager_get_version (self->manager));
  result->host = tacho_bench_host_to_json ();
  result->server_is_local = tacho_bench_is_local (
      self->plan->protocol == TACHO_PROTOCOL_GRPC ? tacho_profile_get_grpc_endpoint (profile)
                                                  : tacho_profile_get_endpoint (profile));
  return result;
}

static void prepare (TachoBenchRun *self);

static gboolean
begin (TachoBenchRun *self)
{
  TachoLoadConfig *config;

  self->plan->exact_tokens = self->words != NULL;
  config = tacho_load_config_new (tacho_client_manager_get_profile (self->manager),
                                  get_api (self), self->plan);
  config->keep_chunks = self->keep_chunks;
  config->words = g_steal_pointer (&self->words);
  self->engine = tacho_load_engine_new (config, &self->error);
  if (self->engine == NULL)
    return FALSE;
  self->result = make_result (self);
  set_state (self, TACHO_BENCH_WARMUP);
  if (self->plan->watch_server)
    {
      TachoEndpoint *rest = tacho_client_manager_get_side (self->manager, TACHO_PROTOCOL_REST);
      TachoApi *api = rest != NULL ? tacho_endpoint_get_api (rest) : NULL;

      /* Metrics are told over REST, whichever side is measured. */
      self->watch = tacho_bench_watch_new (self->manager, api != NULL ? api : get_api (self),
                                           self->plan->model);
      tacho_bench_watch_start (self->watch);
    }
  self->thread = g_thread_new ("tacho-load", thread_func, g_object_ref (self));
  return TRUE;
}

static void
end_unstarted (TachoBenchRun *self)
{
  set_state (self, TACHO_BENCH_ENDED);
  g_signal_emit (self, signals[SIGNAL_ENDED], 0);
}

static TachoGenerateRequest *
sample_request (TachoBenchRun *self)
{
  TachoGenerateRequest *request = tacho_generate_request_new (self->plan->model);

  tacho_generate_request_add_message (request, TACHO_ROLE_USER, "x");
  return request;
}

static void
prepared_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoBenchRun) self = user_data;
  g_autoptr (TachoGenerateRequest) sample = sample_request (self);
  g_autoptr (TachoHttpReply) reply = NULL;
  TachoApi *api = get_api (self);

  reply = tacho_client_manager_send_finish (TACHO_CLIENT_MANAGER (source), result, &self->error);
  if (reply != NULL && api != NULL && tacho_api_parse_prepare (api, sample, reply, &self->error))
    prepare (self);
  else
    {
      if (self->error == NULL)
        self->error =
            g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "The connection was closed");
      g_clear_object (&self->preparing);
      end_unstarted (self);
    }
}

static gboolean
wants_words (TachoBenchRun *self)
{
  TachoApi *api = get_api (self);

  return self->plan->exact_tokens && self->plan->prompts_file == NULL &&
         self->plan->protocol == TACHO_PROTOCOL_REST && api != NULL &&
         tacho_api_supports (api, TACHO_OP_TOKENIZE);
}

/* Without an answer the prompts are about as long as was asked for, and the result says so. */
static void
words_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoBenchRun) self = user_data;
  g_autoptr (GError) error = NULL;
  gboolean stopped;

  self->words = tacho_bench_words_finish (result, &error);
  stopped = g_cancellable_is_cancelled (self->preparing);
  g_clear_object (&self->preparing);
  if (!begin (self))
    end_unstarted (self);
  else if (stopped)
    tacho_bench_run_stop (self); /* a run that was stopped has a result, empty as it may be */
}

/* Some servers must first say what a model takes; no request of the run may pay for that. */
static void
prepare (TachoBenchRun *self)
{
  g_autoptr (TachoGenerateRequest) sample = sample_request (self);
  g_autoptr (TachoHttpRequest) question = tacho_api_build_prepare (get_api (self), sample);

  if (question != NULL)
    {
      tacho_client_manager_send_async (self->manager, question, PREPARE_TOTAL_S, self->preparing,
                                       prepared_cb, g_object_ref (self));
      return;
    }
  if (wants_words (self))
    {
      tacho_bench_words_async (self->manager, get_api (self), self->plan->model, self->preparing,
                               words_cb, g_object_ref (self));
      return;
    }
  g_clear_object (&self->preparing);
  if (!begin (self))
    end_unstarted (self);
}

/**
 * tacho_bench_run_start:
 * @self: a run that was not started
 * @error: return location
 *
 * Starts the engine's thread. The run holds itself until it has ended; stop it to be rid of it
 * sooner. Signals come on the thread-default main context of the caller.
 *
 * Returns: whether it runs; else what is in the way
 */
gboolean
tacho_bench_run_start (TachoBenchRun *self, GError **error)
{
  g_autoptr (TachoGenerateRequest) sample = NULL;
  g_autoptr (TachoHttpRequest) question = NULL;

  g_return_val_if_fail (TACHO_IS_BENCH_RUN (self), FALSE);
  g_return_val_if_fail (self->state == TACHO_BENCH_IDLE && self->thread == NULL, FALSE);

  self->context = g_main_context_ref_thread_default ();
  sample = sample_request (self);
  question = tacho_api_build_prepare (get_api (self), sample);
  if (question != NULL || wants_words (self))
    {
      self->preparing = g_cancellable_new ();
      set_state (self, TACHO_BENCH_WARMUP);
      prepare (self);
      return TRUE;
    }
  if (begin (self))
    return TRUE;
  if (error != NULL)
    *error = g_error_copy (self->error);
  return FALSE;
}

/**
 * tacho_bench_run_stop:
 * @self: a run
 *
 * No new requests, those in flight are cancelled, what was measured is kept; "ended" follows. Does
 * nothing to a run that does not go on.
 */
void
tacho_bench_run_stop (TachoBenchRun *self)
{
  g_return_if_fail (TACHO_IS_BENCH_RUN (self));

  if (self->preparing != NULL)
    g_cancellable_cancel (self->preparing);
  if (self->thread == NULL)
    return;
  set_state (self, TACHO_BENCH_STOPPING);
  tacho_load_engine_stop (self->engine);
}

/**
 * tacho_bench_run_get_state:
 * @self: a run
 *
 * Returns: what it is doing
 */
TachoBenchState
tacho_bench_run_get_state (TachoBenchRun *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_RUN (self), TACHO_BENCH_IDLE);
  return self->state;
}

/**
 * tacho_bench_run_get_result:
 * @self: a run
 *
 * Returns: (transfer none) (nullable): the result, once the run has ended
 */
TachoBenchResult *
tacho_bench_run_get_result (TachoBenchRun *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_RUN (self), NULL);
  return self->state == TACHO_BENCH_ENDED ? self->result : NULL;
}

/**
 * tacho_bench_run_peek_result:
 * @self: a run
 *
 * While the run goes on only what was set before it began may be read: id, started, plan and
 * target.
 *
 * Returns: (transfer none) (nullable): the result to be, once the run has started
 */
const TachoBenchResult *
tacho_bench_run_peek_result (TachoBenchRun *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_RUN (self), NULL);
  return self->result;
}

/**
 * tacho_bench_run_get_error:
 * @self: a run
 *
 * Returns: (transfer none) (nullable): why the run could not start
 */
const GError *
tacho_bench_run_get_error (TachoBenchRun *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_RUN (self), NULL);
  return self->error;
}
