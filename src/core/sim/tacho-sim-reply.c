/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every family's generation has in common on its way to an HTTP client. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-reply.h"

static void
reply_free (gpointer data)
{
  TachoSimReply *reply = data;

  tacho_sim_generation_free (reply->generation);
  g_free (reply->model);
  g_free (reply->id);
  g_string_free (reply->content, TRUE);
  g_string_free (reply->reasoning, TRUE);
  g_string_free (reply->scratch, TRUE);
  g_free (reply);
}

/* --- what the generation says ----------------------------------------------------------------- */

static void
admitted_cb (gpointer user_data)
{
  TachoSimReply *reply = user_data;

  if (!reply->stream)
    return;
  tacho_sim_exchange_begin_stream (reply->exchange, reply->format->type);
  if (reply->format->begin != NULL)
    reply->format->begin (reply);
}

static void
progress_cb (gpointer user_data)
{
  TachoSimReply *reply = user_data;

  if (reply->stream && reply->format->progress != NULL)
    reply->format->progress (reply);
}

static TachoSimSend
text_cb (gpointer user_data, const char *text, gboolean reasoning)
{
  TachoSimReply *reply = user_data;

  g_string_append (reasoning ? reply->reasoning : reply->content, text);
  return reply->stream ? reply->format->text (reply, text, reasoning) : TACHO_SIM_SENT;
}

static void
end_cb (gpointer user_data)
{
  TachoSimReply *reply = user_data;
  TachoSimExchange *exchange = reply->exchange;
  GString *json;

  if (reply->stream)
    {
      reply->format->end (reply);
      if (exchange->ended)
        return; /* by a fault */
      TACHO_SIM_COUNT (exchange->host->engine, completed, 1);
      tacho_sim_exchange_end_stream (exchange);
      return;
    }
  json = g_string_new (NULL);
  reply->format->whole (reply, json);
  if (!exchange->play.has_stream_fault)
    TACHO_SIM_COUNT (exchange->host->engine, completed, 1);
  tacho_sim_exchange_reply_json (exchange, json);
}

static void
failed_cb (gpointer user_data, const char *reason)
{
  TachoSimReply *reply = user_data;
  TachoSimExchange *exchange = reply->exchange;

  if (exchange->head_sent && !exchange->ended)
    {
      g_autofree char *event = tacho_sim_error_event (exchange, reason);

      tacho_sim_exchange_send (exchange, event);
      tacho_sim_exchange_end_stream (exchange);
    }
  else
    tacho_sim_exchange_error (exchange, 500, "server_error", "model name=%s failed to load: %s",
                              reply->model, reason);
}

static const TachoSimGenerationFuncs generation_funcs = { admitted_cb, progress_cb, text_cb, end_cb,
                                                          failed_cb };

/**
 * tacho_sim_reply_new:
 * @exchange: a generation request, which gets the reply
 * @runtime: the model
 * @format: how it is written
 *
 * Returns: (transfer none): a reply that has not started
 */
TachoSimReply *
tacho_sim_reply_new (TachoSimExchange *exchange,
                     TachoSimRuntime *runtime,
                     const TachoSimFormat *format)
{
  TachoSimReply *reply = g_new0 (TachoSimReply, 1);

  reply->exchange = exchange;
  reply->runtime = runtime;
  reply->format = format;
  reply->model = g_strdup (runtime->model->id);
  reply->created = g_get_real_time () / G_USEC_PER_SEC;
  reply->content = g_string_new (NULL);
  reply->reasoning = g_string_new (NULL);
  reply->scratch = g_string_sized_new (512);
  exchange->generation = reply;
  exchange->generation_cancel = reply_free;
  return reply;
}

static void
refuse_too_long (TachoSimReply *reply, guint n)
{
  TachoSimExchange *exchange = reply->exchange;
  gint64 context = reply->runtime->model->context_window;
  GString *json;

  if (exchange->family != TACHO_SIM_FAMILY_LLAMACPP && exchange->family != TACHO_SIM_FAMILY_ALL)
    {
      tacho_sim_exchange_error (exchange, exchange->family == TACHO_SIM_FAMILY_TGI ? 422 : 400,
                                "invalid_request_error",
                                "This model's maximum context length is %" G_GINT64_FORMAT
                                " tokens, but the request has %u tokens. Make the prompt shorter.",
                                context, n);
      return;
    }
  json = g_string_new (NULL);
  tacho_sim_json_add (json,
                      "{'error':{'code':400,'message':'the request (%u tokens) exceeds the "
                      "available context size (%i tokens), try increasing it',"
                      "'type':'exceed_context_size_error','n_prompt_tokens':%u,'n_ctx':%i}}",
                      n, context, n, context);
  tacho_sim_exchange_reply (exchange, 400, TACHO_SIM_JSON_TYPE, g_string_free (json, FALSE));
}

/**
 * tacho_sim_reply_start:
 * @reply: a reply that has not started
 * @prompt: (transfer full) (element-type guint32): its tokens
 * @options: what is taken over; left empty
 *
 * Queues the generation, or refuses a prompt that is longer than the model's context.
 */
void
tacho_sim_reply_start (TachoSimReply *reply, GArray *prompt, TachoSimGenerationOptions *options)
{
  TachoSimExchange *exchange = reply->exchange;
  const char *prefix = reply->chat ? "chatcmpl" : "cmpl";
  const guint32 begin = 4;

  if (prompt->len == 0)
    g_array_append_val (prompt, begin);
  if (prompt->len >= reply->runtime->model->context_window)
    {
      refuse_too_long (reply, prompt->len);
      g_array_unref (prompt);
      return;
    }
  options->factor = exchange->play.factor;
  options->bundle = exchange->play.bundle;
  reply->generation = tacho_sim_generation_new (exchange->host->engine, reply->runtime, prompt,
                                                options, &generation_funcs, reply);
  if (reply->no_thoughts)
    tacho_sim_generation_no_thoughts (reply->generation);
  reply->id = g_strdup_printf ("%s-sim-%016" G_GINT64_MODIFIER "x", prefix,
                               tacho_sim_mix (reply->generation->seed + exchange->number));
  tacho_sim_generation_start (reply->generation);
  exchange->n_generation = reply->generation->sequence->id_task + 1;
}

/**
 * tacho_sim_reply_send_scratch:
 * @reply: a reply that is streamed
 *
 * Returns: whether the stream goes on
 */
TachoSimSend
tacho_sim_reply_send_scratch (TachoSimReply *reply)
{
  return tacho_sim_exchange_send (reply->exchange, reply->scratch->str);
}

/**
 * tacho_sim_reply_get_times:
 * @reply: a reply whose generation has ended
 * @times: (out caller-allocates): its counts, exact, and its times by the engine's schedule
 */
void
tacho_sim_reply_get_times (const TachoSimReply *reply, TachoSimTimes *times)
{
  const TachoSimSequence *sequence = reply->generation->sequence;

  times->n_prompt = sequence->prompt->len;
  times->n_cached = sequence->n_cached;
  times->n_output = sequence->n_decoded;
  times->queue_ms = (double) (sequence->admitted_ns - reply->generation->created_ns) / 1e6;
  times->queue_ms = MAX (times->queue_ms, 0);
  times->prompt_ms = (double) (sequence->prompt_done_ns - sequence->admitted_ns) / 1e6;
  times->decode_ms = (double) (sequence->last_token_ns - sequence->prompt_done_ns) / 1e6;
  times->total_ms = times->queue_ms + times->prompt_ms + times->decode_ms;
}

/**
 * tacho_sim_rfc3339:
 * @out: gets a quoted time stamp
 * @unix_time_us: microseconds since 1970
 */
void
tacho_sim_rfc3339 (GString *out, gint64 unix_time_us)
{
  g_autoptr (GDateTime) seconds = g_date_time_new_from_unix_utc (unix_time_us / G_USEC_PER_SEC);
  g_autofree char *text = g_date_time_format (seconds, "%Y-%m-%dT%H:%M:%S");

  g_string_append_printf (out, "\"%s.%06dZ\"", text, (int) (unix_time_us % G_USEC_PER_SEC));
}
