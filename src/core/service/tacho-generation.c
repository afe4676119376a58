/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One generation: its text, its stamps and its state. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-generation-private.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "service/tacho-tool-calls.h"

#include <math.h>

#define MAX_TEXT ((gsize) 64 * 1024 * 1024) /* text, reasoning and tools together */
struct _TachoGeneration
{
  GObject parent_instance;

  gboolean streamed;
  TachoGenerationState state;
  GCancellable *cancellable;
  GString *text;
  GString *reasoning;
  TachoToolCalls *tools;
  char *finish_reason;
  char *response_id;
  GError *error;
  GPtrArray *attempts; /* of TachoAttempt */

  gint64 start_ns;
  gint64 first_ns;
  gint64 last_ns;
  gint64 end_ns;
  gint64 chunks;
  guint http_status;
  gboolean reused;
  gboolean has_usage;
  TachoUsage usage;
  gboolean has_timings;
  TachoTimings timings;
};

G_DEFINE_FINAL_TYPE (TachoGeneration, tacho_generation, G_TYPE_OBJECT)

G_DEFINE_ENUM_TYPE (TachoGenerationState,
                    tacho_generation_state,
                    G_DEFINE_ENUM_VALUE (TACHO_GENERATION_WAITING, "waiting"),
                    G_DEFINE_ENUM_VALUE (TACHO_GENERATION_READING, "reading"),
                    G_DEFINE_ENUM_VALUE (TACHO_GENERATION_GENERATING, "generating"),
                    G_DEFINE_ENUM_VALUE (TACHO_GENERATION_DONE, "done"),
                    G_DEFINE_ENUM_VALUE (TACHO_GENERATION_TRUNCATED, "truncated"),
                    G_DEFINE_ENUM_VALUE (TACHO_GENERATION_FAILED, "failed"),
                    G_DEFINE_ENUM_VALUE (TACHO_GENERATION_CANCELLED, "cancelled"))

enum
{
  PROP_0,
  PROP_STATE,
  PROP_ERROR,
  PROP_FINISH_REASON,
  N_PROPS
};

enum
{
  DELTA,
  PROGRESS,
  ATTEMPT,
  ENDED,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPS];
static guint signals[N_SIGNALS];

static void
set_state (TachoGeneration *self, TachoGenerationState state)
{
  if (self->state == state)
    return;
  self->state = state;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
}

static void
end (TachoGeneration *self, TachoGenerationState state, const GError *error)
{
  if (tacho_generation_is_ended (self))
    return;
  g_object_ref (self);
  if (error != NULL)
    {
      self->error = g_error_copy (error);
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_ERROR]);
    }
  set_state (self, state);
  g_signal_emit (self, signals[ENDED], 0);
  g_object_unref (self);
}

static void
set_finish_reason (TachoGeneration *self, const char *reason)
{
  if (reason == NULL || g_strcmp0 (self->finish_reason, reason) == 0)
    return;
  g_free (self->finish_reason);
  self->finish_reason = g_strdup (reason);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_FINISH_REASON]);
}

static gboolean
has_room (TachoGeneration *self, const char *more)
{
  g_autoptr (GError) error = NULL;
  gsize size = self->text->len + self->reasoning->len + tacho_tool_calls_get_size (self->tools);

  if (size + strlen (more) <= MAX_TEXT)
    return TRUE;
  error =
      g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The answer grew past %d MiB, which is more than Tacho takes: it was stopped",
                   (int) (MAX_TEXT / 1024 / 1024));
  end (self, TACHO_GENERATION_FAILED, error);
  g_cancellable_cancel (self->cancellable);
  return FALSE;
}

static void
append (TachoGeneration *self, GString *where, const char *delta)
{
  if (delta == NULL || *delta == '\0' || tacho_generation_is_ended (self) ||
      !has_room (self, delta))
    return;
  g_string_append (where, delta);
  g_signal_emit (self, signals[DELTA], 0, delta, where == self->reasoning);
}

static void
take_usage (TachoGeneration *self,
            gboolean has_usage,
            const TachoUsage *usage,
            gboolean has_timings,
            const TachoTimings *timings)
{
  if (has_usage)
    {
      self->has_usage = TRUE;
      self->usage = *usage;
    }
  if (has_timings)
    {
      self->has_timings = TRUE;
      self->timings = *timings;
    }
}

static void
tacho_generation_finalize (GObject *object)
{
  TachoGeneration *self = TACHO_GENERATION (object);

  g_clear_object (&self->cancellable);
  g_string_free (self->text, TRUE);
  g_string_free (self->reasoning, TRUE);
  tacho_tool_calls_free (self->tools);
  g_free (self->finish_reason);
  g_free (self->response_id);
  g_clear_error (&self->error);
  g_ptr_array_unref (self->attempts);

  G_OBJECT_CLASS (tacho_generation_parent_class)->finalize (object);
}

static void
tacho_generation_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  TachoGeneration *self = TACHO_GENERATION (object);

  switch (prop_id)
    {
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case PROP_ERROR:
      g_value_set_boxed (value, self->error);
      break;
    case PROP_FINISH_REASON:
      g_value_set_string (value, self->finish_reason);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tacho_generation_class_init (TachoGenerationClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->finalize = tacho_generation_finalize;
  object_class->get_property = tacho_generation_get_property;

  properties[PROP_STATE] = g_param_spec_enum ("state", NULL, NULL, TACHO_TYPE_GENERATION_STATE,
                                              TACHO_GENERATION_WAITING, flags);
  properties[PROP_ERROR] = g_param_spec_boxed ("error", NULL, NULL, G_TYPE_ERROR, flags);
  properties[PROP_FINISH_REASON] = g_param_spec_string ("finish-reason", NULL, NULL, NULL, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);

  /**
   * TachoGeneration::delta:
   * @self: the generation
   * @text: what was added, as the model said it: hostile text
   * @reasoning: whether it is of the thinking and not of the answer
   */
  signals[DELTA] =
      g_signal_new ("delta", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 2, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE, G_TYPE_BOOLEAN);
  /**
   * TachoGeneration::progress:
   * @self: the generation
   * @fraction: how much of the prompt the server has read, 0..1
   */
  signals[PROGRESS] = g_signal_new ("progress", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                    NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_DOUBLE);
  signals[ATTEMPT] =
      g_signal_new ("attempt", G_TYPE_FROM_CLASS (klass), 0, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[ENDED] = g_signal_new ("ended", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 0);
}

static void
tacho_generation_init (TachoGeneration *self)
{
  self->cancellable = g_cancellable_new ();
  self->text = g_string_new (NULL);
  self->reasoning = g_string_new (NULL);
  self->tools = tacho_tool_calls_new ();
  self->attempts = g_ptr_array_new_with_free_func (tacho_attempt_free);
  tacho_usage_clear (&self->usage);
  tacho_timings_clear (&self->timings);
}

TachoGeneration *
tacho_generation_new (gboolean streamed)
{
  TachoGeneration *self = g_object_new (TACHO_TYPE_GENERATION, NULL);

  self->streamed = streamed;
  return self;
}

GCancellable *
tacho_generation_get_cancellable (TachoGeneration *self)
{
  return self->cancellable;
}

static TachoAttempt *
last_attempt (TachoGeneration *self)
{
  return self->attempts->len > 0 ? g_ptr_array_index (self->attempts, self->attempts->len - 1)
                                 : NULL;
}

TachoAttempt *
tacho_generation_begin_attempt (TachoGeneration *self, TachoProtocol protocol, const char *target)
{
  TachoAttempt *attempt = g_new0 (TachoAttempt, 1);

  attempt->protocol = protocol;
  attempt->target = g_strdup (target);
  g_ptr_array_add (self->attempts, attempt);
  self->start_ns = 0;
  self->http_status = 0;
  g_signal_emit (self, signals[ATTEMPT], 0);
  return attempt;
}

void
tacho_generation_end_attempt (TachoGeneration *self,
                              TachoStage stage,
                              const GError *error,
                              const char *decision,
                              double wait_s)
{
  TachoAttempt *attempt = last_attempt (self);

  if (attempt == NULL || attempt->end_ns != 0)
    return;
  attempt->end_ns = tacho_clock_now_ns ();
  attempt->stage = stage;
  attempt->error = error != NULL ? g_strdup (error->message) : NULL;
  attempt->error_code = error != NULL ? error->code : 0;
  attempt->decision = g_strdup (decision);
  attempt->wait_s = wait_s;
  g_signal_emit (self, signals[ATTEMPT], 0);
}

void
tacho_generation_sent (TachoGeneration *self, gint64 now_ns, gboolean reused)
{
  TachoAttempt *attempt = last_attempt (self);

  self->start_ns = now_ns;
  self->reused = reused;
  if (attempt != NULL)
    attempt->start_ns = now_ns;
}

void
tacho_generation_set_http_status (TachoGeneration *self, guint status)
{
  TachoAttempt *attempt = last_attempt (self);

  self->http_status = status;
  if (attempt != NULL)
    attempt->http_status = status;
}

void
tacho_generation_take_event (TachoGeneration *self, const TachoStreamEvent *event, gint64 now_ns)
{
  if (tacho_generation_is_ended (self))
    return;
  g_object_ref (self);
  if (event->response_id != NULL && self->response_id == NULL)
    self->response_id = g_strdup (event->response_id);
  take_usage (self, event->has_usage, &event->usage, event->has_timings, &event->timings);
  if (event->has_content || event->has_reasoning || event->has_tool)
    {
      if (self->first_ns == 0)
        self->first_ns = now_ns;
      self->last_ns = now_ns;
      self->chunks++;
      set_state (self, TACHO_GENERATION_GENERATING);
      append (self, self->reasoning, event->reasoning);
      append (self, self->text, event->content);
    }
  else if (!isnan (event->prompt_progress) && self->state < TACHO_GENERATION_GENERATING)
    {
      set_state (self, TACHO_GENERATION_READING);
      g_signal_emit (self, signals[PROGRESS], 0, CLAMP (event->prompt_progress, 0, 1));
    }
  if (event->has_tool && !tacho_generation_is_ended (self) &&
      has_room (self, event->tool_arguments != NULL ? event->tool_arguments : ""))
    tacho_tool_calls_take (self->tools, event);
  set_finish_reason (self, event->finish_reason);
  if (event->error != NULL)
    end (self, TACHO_GENERATION_FAILED, event->error);
  else if (event->done && !tacho_generation_is_ended (self))
    {
      self->end_ns = now_ns;
      end (self, TACHO_GENERATION_DONE, NULL);
    }
  g_object_unref (self);
}

void
tacho_generation_take_reply (TachoGeneration *self, const TachoGenerateReply *reply, gint64 now_ns)
{
  if (tacho_generation_is_ended (self))
    return;
  g_object_ref (self);
  self->response_id = g_strdup (reply->response_id);
  take_usage (self, reply->has_usage, &reply->usage, reply->has_timings, &reply->timings);
  set_finish_reason (self, reply->finish_reason);
  append (self, self->reasoning, reply->reasoning);
  append (self, self->text, reply->content);
  if (!tacho_generation_is_ended (self))
    {
      self->end_ns = now_ns;
      end (self, TACHO_GENERATION_DONE, NULL);
    }
  g_object_unref (self);
}

void
tacho_generation_fail (TachoGeneration *self, const GError *error)
{
  TachoGenerationState state = TACHO_GENERATION_FAILED;

  if (g_error_matches (error, TACHO_ERROR, TACHO_ERROR_TRUNCATED))
    state = TACHO_GENERATION_TRUNCATED;
  else if (g_error_matches (error, TACHO_ERROR, TACHO_ERROR_CANCELLED))
    state = TACHO_GENERATION_CANCELLED;
  end (self, state, error);
}

/**
 * tacho_generation_get_state:
 * @self: a generation
 *
 * Returns: how far it has come
 */
TachoGenerationState
tacho_generation_get_state (TachoGeneration *self)
{
  g_return_val_if_fail (TACHO_IS_GENERATION (self), TACHO_GENERATION_FAILED);
  return self->state;
}

/**
 * tacho_generation_is_ended:
 * @self: a generation
 *
 * Returns: %TRUE if it is over, well or not; nothing changes any more
 */
gboolean
tacho_generation_is_ended (TachoGeneration *self)
{
  g_return_val_if_fail (TACHO_IS_GENERATION (self), TRUE);
  return self->state >= TACHO_GENERATION_DONE;
}

/**
 * tacho_generation_get_text:
 * @self: a generation
 *
 * Returns: (transfer none): the text so far, valid until more comes; kept after a failure
 */
const char *
tacho_generation_get_text (TachoGeneration *self)
{
  g_return_val_if_fail (TACHO_IS_GENERATION (self), NULL);
  return self->text->str;
}

/**
 * tacho_generation_get_reasoning:
 * @self: a generation
 *
 * Returns: (transfer none): the reasoning so far, valid until more comes; empty if there is none
 */
const char *
tacho_generation_get_reasoning (TachoGeneration *self)
{
  g_return_val_if_fail (TACHO_IS_GENERATION (self), NULL);
  return self->reasoning->str;
}

/**
 * tacho_generation_get_tool_calls:
 * @self: a generation
 *
 * Returns: (nullable): the tool calls so far as the text of a JSON array in OpenAI's form; %NULL if
 *   there are none
 */
const char *
tacho_generation_get_tool_calls (TachoGeneration *self)
{
  g_return_val_if_fail (TACHO_IS_GENERATION (self), NULL);
  return tacho_tool_calls_to_json (self->tools);
}

/**
 * tacho_generation_get_finish_reason:
 * @self: a generation
 *
 * Returns: (transfer none) (nullable): the server's word for why it ended, as `stop` or `length`;
 *   %NULL if it gave none
 */
const char *
tacho_generation_get_finish_reason (TachoGeneration *self)
{
  g_return_val_if_fail (TACHO_IS_GENERATION (self), NULL);
  return self->finish_reason;
}

/**
 * tacho_generation_get_response_id:
 * @self: a generation
 *
 * Returns: (transfer none) (nullable): the server's id of the reply, %NULL if it gave none
 */
const char *
tacho_generation_get_response_id (TachoGeneration *self)
{
  g_return_val_if_fail (TACHO_IS_GENERATION (self), NULL);
  return self->response_id;
}

/**
 * tacho_generation_get_error:
 * @self: a generation
 *
 * Returns: (transfer none) (nullable): why it did not end well, %NULL if nothing is wrong
 */
const GError *
tacho_generation_get_error (TachoGeneration *self)
{
  g_return_val_if_fail (TACHO_IS_GENERATION (self), NULL);
  return self->error;
}

/**
 * tacho_generation_get_attempts:
 * @self: a generation
 *
 * Returns: (transfer none) (element-type TachoAttempt): what was tried so far, the oldest first
 */
GPtrArray *
tacho_generation_get_attempts (TachoGeneration *self)
{
  g_return_val_if_fail (TACHO_IS_GENERATION (self), NULL);
  return self->attempts;
}

/**
 * tacho_generation_get_metrics:
 * @self: a generation, running or ended
 * @metrics: (out): what was measured
 *
 * The formulas are those of the program's contract: ttft = first - start, e2e = end - start,
 * itl = (last - first) / (N - 1), tpot = (e2e - ttft) / (N - 1). `end` is the terminal marker, so
 * that e2e and tpot are defined for a complete reply only. N is the server's own count; without it
 * the number of chunks, and `tokens_source` says so.
 */
void
tacho_generation_get_metrics (TachoGeneration *self, TachoGenerationMetrics *metrics)
{
  g_return_if_fail (TACHO_IS_GENERATION (self));
  g_return_if_fail (metrics != NULL);

  *metrics = (TachoGenerationMetrics){
    .start_ns = self->start_ns,
    .first_ns = self->first_ns,
    .last_ns = self->last_ns,
    .end_ns = self->end_ns,
    .chunks = self->chunks,
    .prompt_tokens = self->has_usage ? self->usage.prompt_tokens : -1,
    .http_status = self->http_status,
    .connection_reused = self->reused,
    .has_timings = self->has_timings,
    .timings = self->timings,
    .itl_ms = NAN,
    .tpot_ms = NAN,
    .tokens_per_s = NAN,
  };
  if (self->has_usage && self->usage.output_tokens >= 0)
    {
      metrics->output_tokens = self->usage.output_tokens;
      metrics->tokens_source = "usage";
    }
  else
    {
      /* A reply that came in one piece says nothing of its tokens by its number of pieces. */
      metrics->output_tokens = self->streamed ? self->chunks : -1;
      metrics->tokens_source = "chunks";
    }
  tacho_generation_metrics_derive (metrics);
}

/**
 * tacho_generation_cancel:
 * @self: a generation
 *
 * Ends it now and closes its connection. The text that came is kept. Does nothing to one that has
 * ended.
 */
void
tacho_generation_cancel (TachoGeneration *self)
{
  g_autoptr (GError) error = NULL;

  g_return_if_fail (TACHO_IS_GENERATION (self));

  if (tacho_generation_is_ended (self))
    return;
  g_object_ref (self);
  g_cancellable_cancel (self->cancellable);
  error = g_error_new_literal (TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled");
  end (self, TACHO_GENERATION_CANCELLED, error);
  g_object_unref (self);
}

/**
 * tacho_generation_state_to_string:
 * @state: a state
 *
 * Returns: (transfer none): its name as scripts see it, never translated; `unknown` for no state
 */
const char *
tacho_generation_state_to_string (TachoGenerationState state)
{
  static const char *const names[] = { "waiting",   "reading", "generating", "done",
                                       "truncated", "failed",  "cancelled" };

  return (guint) state < G_N_ELEMENTS (names) ? names[state] : "unknown";
}
