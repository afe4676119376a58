/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ModelInfer and ModelStreamInfer: from tensors to a generation, and back. Several requests may
 * share a stream; an error of one of them is told in the stream, or ends it where the client asked
 * for that (`triton_grpc_error`). */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-grpc-oip.h"

#include "base/tacho-json.h"

#include <string.h>

#define VLLM_MAX_TOKENS 16 /* vLLM's SamplingParams, if nothing is said */

typedef struct
{
  TachoSimRun *run;
  const TachoSimBackend *backend;
  char *id;
  char *prompt; /* what is said before the output; or NULL */
  char **wanted;
  gboolean stream;    /* deltas */
  gsize n_streamed;   /* bytes of the text that deltas were */
  gboolean in_stream; /* asked by ModelStreamInfer */
  gboolean empty_final;
  gboolean finish_reason, logprob, logprobs, n_input, n_output;
} Infer;

/* What a stream holds. */
typedef struct
{
  GPtrArray *infers;
  guint n_running;
  gboolean half_closed;
} Stream;

static void
infer_free (gpointer data)
{
  Infer *infer = data;

  tacho_sim_run_free (infer->run);
  g_free (infer->id);
  g_free (infer->prompt);
  g_strfreev (infer->wanted);
  g_free (infer);
}

/* --- replies ---------------------------------------------------------------------------------- */

static TachoSimSend
send_in_stream (TachoSimRpc *rpc, Inference__ModelInferResponse *message)
{
  Inference__ModelStreamInferResponse response = INFERENCE__MODEL_STREAM_INFER_RESPONSE__INIT;

  response.infer_response = message;
  return tacho_sim_rpc_send (rpc, &response.base);
}

static gboolean
has_no_final (TachoSimRun *run)
{
  return tacho_sim_rpc_has_fault (run->rpc, "grpc-no-final");
}

/* The words and what was asked for beside them. */
static void
fill (TachoSimAnswer *answer, TachoSimRun *run, const char *text)
{
  const Infer *infer = run->user_data;
  const char *reason = has_no_final (run) ? NULL : run->generation->finish_reason;
  Inference__DataType type = infer->backend->sampling_json ? INFERENCE__DATA_TYPE__TYPE_UINT32
                                                           : INFERENCE__DATA_TYPE__TYPE_INT32;
  guint n = tacho_sim_run_take_tokens (run);

  tacho_sim_answer_add_text (answer, "text_output", text);
  if (infer->finish_reason)
    tacho_sim_answer_add_text (answer, "finish_reason", reason ? reason : "None");
  if (infer->logprob)
    tacho_sim_answer_add_float (answer, "cumulative_logprob",
                                -0.5f * (float) run->generation->sequence->n_decoded);
  if (infer->logprobs)
    tacho_sim_answer_add_text (answer, "logprobs", "null");
  if (run->rpc->play.no_usage)
    return;
  if (infer->n_input)
    tacho_sim_answer_add_count (answer, "num_input_tokens", type,
                                run->generation->sequence->prompt->len);
  if (infer->n_output)
    tacho_sim_answer_add_count (answer, "num_output_tokens", type, n);
}

static void
answer_init (TachoSimAnswer *answer, TachoSimRun *run)
{
  const Infer *infer = run->user_data;

  tacho_sim_answer_init (answer, run->rpc->grpc, infer->backend, run->runtime->model->id, infer->id,
                         infer->wanted);
}

static TachoSimSend
send_words (TachoSimRun *run, const char *text, gboolean final)
{
  const Infer *infer = run->user_data;
  TachoSimAnswer answer;
  TachoSimSend sent;

  answer_init (&answer, run);
  fill (&answer, run, text);
  if (infer->backend->decoupled)
    tacho_sim_answer_set_final (&answer, final && !has_no_final (run));
  sent = send_in_stream (run->rpc, tacho_sim_answer_end (&answer));
  tacho_sim_answer_clear (&answer);
  tacho_sim_grpc_get_stats (run->rpc->grpc, run->runtime->model->id)->responses++;
  return sent;
}

static TachoSimSend
send_empty_final (TachoSimRun *run)
{
  TachoSimAnswer answer;
  TachoSimSend sent;

  answer_init (&answer, run);
  tacho_sim_answer_set_final (&answer, TRUE);
  sent = send_in_stream (run->rpc, tacho_sim_answer_end (&answer));
  tacho_sim_answer_clear (&answer);
  tacho_sim_grpc_get_stats (run->rpc->grpc, run->runtime->model->id)->empty++;
  return sent;
}

/* A stream's status is OK, whatever was said in it. */
static void
maybe_end_stream (TachoSimRpc *rpc)
{
  const Stream *stream = rpc->data;

  if (stream == NULL || (stream->half_closed && stream->n_running == 0))
    tacho_sim_rpc_finish (rpc, GRPC_STATUS_OK, "%s", "");
}

static void
say_in_stream (TachoSimRpc *rpc, const char *id, const char *text)
{
  Inference__ModelInferResponse empty = INFERENCE__MODEL_INFER_RESPONSE__INIT;
  Inference__ModelStreamInferResponse response = INFERENCE__MODEL_STREAM_INFER_RESPONSE__INIT;
  g_autofree char *words =
      g_strdup_printf ("[request id: %s] %s", *id != '\0' ? id : "<id_unknown>", text);

  empty.id = (char *) id;
  response.error_message = words;
  response.infer_response = &empty;
  tacho_sim_rpc_send (rpc, &response.base);
}

static void
fail_in_stream (TachoSimRpc *rpc, const char *id, grpc_status_code status, const char *text)
{
  if (g_strcmp0 (tacho_sim_rpc_get_header (rpc, "triton_grpc_error"), "true") == 0)
    tacho_sim_rpc_finish (rpc, status, "%s", text);
  else
    say_in_stream (rpc, id, text);
}

/**
 * tacho_sim_oip_stream_error:
 * @rpc: a call of ModelStreamInfer
 * @message: what is wrong
 *
 * Says it to the oldest request that runs.
 */
void
tacho_sim_oip_stream_error (TachoSimRpc *rpc, const char *message)
{
  const Stream *stream = rpc->data;
  const char *id = "";

  for (guint i = stream ? stream->infers->len : 0; i > 0; i--)
    {
      const Infer *infer = g_ptr_array_index (stream->infers, i - 1);

      if (infer->run != NULL && !infer->run->over)
        id = infer->id;
    }
  say_in_stream (rpc, id, message);
}

/* --- what the generation says ----------------------------------------------------------------- */

static TachoSimSend
text_cb (TachoSimRun *run, const char *text)
{
  Infer *infer = run->user_data;

  if (!infer->stream || run->generation->finish_reason != NULL)
    return TACHO_SIM_SENT; /* the last words go with the end */
  infer->n_streamed = run->text->len;
  return send_words (run, text, FALSE);
}

static void
end_stream_run (TachoSimRun *run, const char *text)
{
  const Infer *infer = run->user_data;
  TachoSimRpc *rpc = run->rpc;
  Stream *stream = rpc->data;

  stream->n_running--;
  if (send_words (run, text, !infer->empty_final) == TACHO_SIM_CUT ||
      (infer->empty_final && !has_no_final (run) && send_empty_final (run) == TACHO_SIM_CUT))
    return;
  TACHO_SIM_COUNT (rpc->grpc->host->engine, completed, 1);
  maybe_end_stream (rpc);
}

static void
end_cb (TachoSimRun *run)
{
  Infer *infer = run->user_data;
  g_autofree char *whole = g_strconcat (infer->prompt ? infer->prompt : "", run->text->str, NULL);
  TachoSimAnswer answer;

  if (infer->in_stream)
    {
      end_stream_run (run, infer->stream ? run->text->str + infer->n_streamed : whole);
      return;
    }
  answer_init (&answer, run);
  fill (&answer, run, whole);
  if (!run->rpc->play.has_stream_fault)
    TACHO_SIM_COUNT (run->rpc->grpc->host->engine, completed, 1);
  tacho_sim_rpc_reply (run->rpc, &tacho_sim_answer_end (&answer)->base);
  tacho_sim_answer_clear (&answer);
  tacho_sim_grpc_get_stats (run->rpc->grpc, run->runtime->model->id)->responses++;
}

static void
failed_cb (TachoSimRun *run, const char *reason)
{
  const Infer *infer = run->user_data;
  Stream *stream = run->rpc->data;

  if (!infer->in_stream)
    {
      tacho_sim_rpc_finish (run->rpc, GRPC_STATUS_UNAVAILABLE, "%s", reason);
      return;
    }
  stream->n_running--;
  fail_in_stream (run->rpc, infer->id, GRPC_STATUS_UNAVAILABLE, reason);
  maybe_end_stream (run->rpc);
}

static const TachoSimRunFuncs run_funcs = { text_cb, end_cb, failed_cb };

/* --- the request ------------------------------------------------------------------------------ */

/* vLLM's backend takes its values as text too. */
static double
get_sampling (JsonObject *object, const char *name, double fallback)
{
  const char *text = tacho_json_get_string (object, name, NULL);

  return text ? g_ascii_strtod (text, NULL) : tacho_json_get_double (object, name, fallback);
}

static void
read_stops (JsonObject *object, TachoSimGenerationOptions *options)
{
  JsonArray *stops = tacho_json_get_array (object, "stop");

  tacho_sim_generation_options_add_stop (options, tacho_json_get_string (object, "stop", NULL));
  for (guint i = 0; stops != NULL && i < json_array_get_length (stops); i++)
    {
      JsonNode *node = json_array_get_element (stops, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
        tacho_sim_generation_options_add_stop (options, json_node_get_string (node));
    }
}

static gint64
to_count (double value)
{
  return (gint64) CLAMP (value, -1e15, 1e15);
}

static char *
read_vllm (const Inference__ModelInferRequest *request,
           Infer *infer,
           TachoSimGenerationOptions *options)
{
  g_autofree char *text = tacho_sim_oip_get_text (request, "sampling_parameters");
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonNode) root = NULL;
  JsonObject *object = NULL;
  gboolean exclude =
      tacho_sim_oip_get_number (request, "exclude_input_in_output", infer->stream) != 0;

  if (infer->stream && !exclude)
    return g_strdup ("When streaming, `exclude_input_in_output` = False is not allowed.");
  if (text != NULL && *text != '\0')
    {
      root = tacho_json_parse_object (text, strlen (text), &error);
      if (root == NULL)
        return g_strdup_printf ("sampling_parameters: %s", error->message);
      object = json_node_get_object (root);
    }
  infer->prompt = exclude ? NULL : tacho_sim_oip_get_text (request, "text_input");
  options->max_tokens = VLLM_MAX_TOKENS;
  if (object == NULL)
    return NULL;
  options->max_tokens = to_count (get_sampling (object, "max_tokens", VLLM_MAX_TOKENS));
  options->min_tokens = to_count (get_sampling (object, "min_tokens", 0));
  options->seed = to_count (get_sampling (object, "seed", -1));
  options->ignore_eos = tacho_json_get_boolean (object, "ignore_eos", FALSE) ||
                        g_strcmp0 (tacho_json_get_string (object, "ignore_eos", NULL), "true") == 0;
  read_stops (object, options);
  if (options->max_tokens < 1)
    return g_strdup_printf ("max_tokens must be at least 1, got %" G_GINT64_FORMAT ".",
                            options->max_tokens);
  if (get_sampling (object, "temperature", 1) < 0)
    return g_strdup ("temperature must be non-negative.");
  return NULL;
}

static char *
read_trtllm (const Inference__ModelInferRequest *request,
             Infer *infer,
             TachoSimGenerationOptions *options)
{
  g_autofree char *stop = tacho_sim_oip_get_text (request, "stop_words");

  if (infer->stream && !infer->backend->decoupled)
    return g_strdup ("Streaming is only supported if model is deployed using decoupled mode.");
  options->max_tokens = to_count (tacho_sim_oip_get_number (request, "max_tokens", 1));
  options->min_tokens = to_count (tacho_sim_oip_get_number (request, "min_tokens", 0));
  options->seed = to_count (tacho_sim_oip_get_number (request, "seed", -1));
  tacho_sim_generation_options_add_stop (options, stop);
  return options->max_tokens < 1 ? g_strdup ("max_tokens must be at least 1") : NULL;
}

static void
read_switches (const Inference__ModelInferRequest *request, Infer *infer)
{
  infer->id = g_strdup (request->id);
  infer->stream = tacho_sim_oip_get_number (request, "stream", 0) != 0;
  infer->empty_final =
      infer->backend->decoupled &&
      tacho_sim_oip_get_bool_parameter (request, "triton_enable_empty_final_response");
  infer->finish_reason = tacho_sim_oip_get_number (request, "return_finish_reason", 0) != 0;
  infer->logprob = tacho_sim_oip_get_number (request, "return_cumulative_logprob", 0) != 0;
  infer->logprobs = tacho_sim_oip_get_number (request, "return_logprobs", 0) != 0;
  infer->n_input = tacho_sim_oip_get_number (request, "return_num_input_tokens", 0) != 0;
  infer->n_output = tacho_sim_oip_get_number (request, "return_num_output_tokens", 0) != 0;
  if (request->n_outputs == 0)
    return;
  infer->wanted = g_new0 (char *, request->n_outputs + 1);
  for (gsize i = 0; i < request->n_outputs; i++)
    infer->wanted[i] = g_strdup (request->outputs[i]->name);
}

/* The model is there, and takes this call; or NULL, with what is wrong. */
static TachoSimRuntime *
find_model (TachoSimRpc *rpc,
            const Inference__ModelInferRequest *request,
            gboolean in_stream,
            grpc_status_code *status,
            char **message)
{
  TachoSimRuntime *runtime =
      tacho_sim_oip_find (rpc, request->model_name, request->model_version, TRUE, status, message);
  const TachoSimBackend *backend;

  if (runtime == NULL)
    return NULL;
  backend = tacho_sim_oip_get_backend (rpc->grpc, runtime->model);
  if (backend->decoupled && !in_stream)
    {
      *status = GRPC_STATUS_UNIMPLEMENTED;
      *message = g_strdup ("ModelInfer RPC doesn't support models with decoupled transaction "
                           "policy");
      return NULL;
    }
  *status = GRPC_STATUS_INVALID_ARGUMENT;
  *message = tacho_sim_oip_check (backend, request);
  return *message == NULL ? runtime : NULL;
}

static Infer *
start (TachoSimRpc *rpc,
       const Inference__ModelInferRequest *request,
       gboolean in_stream,
       grpc_status_code *status,
       char **message)
{
  TachoSimRuntime *runtime = find_model (rpc, request, in_stream, status, message);
  g_auto (TachoSimGenerationOptions) options = { 0 };
  g_autofree char *text = NULL;
  GArray *prompt;
  Infer *infer;

  if (runtime == NULL)
    return NULL;
  tacho_sim_generation_options_init (&options);
  infer = g_new0 (Infer, 1);
  infer->backend = tacho_sim_oip_get_backend (rpc->grpc, runtime->model);
  infer->in_stream = in_stream;
  read_switches (request, infer);
  *message = infer->backend->sampling_json ? read_vllm (request, infer, &options)
                                           : read_trtllm (request, infer, &options);
  infer->stream = infer->stream && in_stream;
  if (*message == NULL)
    {
      text = tacho_sim_oip_get_text (request, "text_input");
      prompt = g_array_new (FALSE, FALSE, sizeof (guint32));
      tacho_sim_tokenize (text ? text : "", prompt);
      infer->run = tacho_sim_run_start (rpc, runtime, prompt, &options, &run_funcs, infer, message);
    }
  if (infer->run == NULL)
    g_clear_pointer (&infer, infer_free);
  return infer;
}

/* --- the methods ------------------------------------------------------------------------------ */

/**
 * tacho_sim_oip_infer:
 * @rpc: a call
 * @request: a ModelInferRequest
 */
void
tacho_sim_oip_infer (TachoSimRpc *rpc, gpointer request)
{
  grpc_status_code status = GRPC_STATUS_INTERNAL;
  g_autofree char *message = NULL;
  Infer *infer = start (rpc, request, FALSE, &status, &message);

  if (infer != NULL)
    tacho_sim_rpc_set_data (rpc, infer, infer_free);
  else
    tacho_sim_rpc_finish (rpc, status, "%s", message);
}

static void
stream_free (gpointer data)
{
  Stream *stream = data;

  g_ptr_array_unref (stream->infers);
  g_free (stream);
}

/**
 * tacho_sim_oip_stream:
 * @rpc: a call
 * @request: one of its ModelInferRequests
 */
void
tacho_sim_oip_stream (TachoSimRpc *rpc, gpointer request)
{
  grpc_status_code status = GRPC_STATUS_INTERNAL;
  g_autofree char *message = NULL;
  Stream *stream = rpc->data;
  Infer *infer;

  if (stream == NULL)
    {
      stream = g_new0 (Stream, 1);
      stream->infers = g_ptr_array_new_with_free_func (infer_free);
      tacho_sim_rpc_set_data (rpc, stream, stream_free);
    }
  for (guint i = stream->infers->len; i > 0; i--)
    if (((Infer *) g_ptr_array_index (stream->infers, i - 1))->run->over)
      g_ptr_array_remove_index (stream->infers, i - 1);
  infer = start (rpc, request, TRUE, &status, &message);
  if (infer == NULL)
    {
      fail_in_stream (rpc, ((Inference__ModelInferRequest *) request)->id, status, message);
      return;
    }
  stream->n_running++;
  g_ptr_array_add (stream->infers, infer);
}

/**
 * tacho_sim_oip_stream_closed:
 * @rpc: a call of ModelStreamInfer whose client has sent all requests
 */
void
tacho_sim_oip_stream_closed (TachoSimRpc *rpc)
{
  Stream *stream = rpc->data;

  if (stream != NULL)
    stream->half_closed = TRUE;
  maybe_end_stream (rpc);
}
