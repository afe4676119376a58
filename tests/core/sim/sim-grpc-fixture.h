/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A simulated server with a gRPC front, a client of it, inference requests and what came back. */
#pragma once

#include "test-utils.h"

#include "grpc-peer.h"

#include "api/proto/grpc_service.pb-c.h"
#include "api/tacho-http-message.h"
#include "base/tacho-error.h"
#include "sim/tacho-sim-server.h"

#include <string.h>

#define TINY "sim-tiny-1b-q8_0"
#define OIP "/inference.GRPCInferenceService/"
#define MCP "/mcp.ryzanstein.InferenceService/"

typedef struct
{
  TachoSimServer *server;
  Peer peer;
} Fixture;

static inline void
start_with (Fixture *fixture, TachoSimFamily family, TachoSimConfig *config)
{
  const TachoSimFront front = { .family = family, .grpc = TRUE };
  g_autoptr (GError) error = NULL;

  g_array_set_size (config->fronts, 0);
  tacho_sim_config_add_front (config, &front);
  fixture->server = tacho_sim_server_new (config);
  tacho_sim_config_free (config);
  tacho_sim_server_start (fixture->server, 0, &error);
  g_assert_no_error (error);
  g_assert_true (
      g_str_has_prefix (tacho_sim_server_get_url (fixture->server), "grpc://127.0.0.1:"));
  peer_open (&fixture->peer, tacho_sim_server_get_url (fixture->server));
}

static inline void
start (Fixture *fixture, TachoSimFamily family)
{
  start_with (fixture, family, tacho_sim_config_new ("fast", NULL));
}

static inline void
finish (Fixture *fixture)
{
  peer_close (&fixture->peer);
  tacho_sim_server_stop (fixture->server);
  g_assert_finalize_object (fixture->server);
}

static inline void
add_fault (Fixture *fixture, const char *spec)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoSimFault) fault = tacho_sim_fault_parse (spec, &error);

  g_assert_no_error (error);
  tacho_sim_server_add_fault (fixture->server, fault);
}

static inline void
get_counters (Fixture *fixture, TachoSimCounters *counters)
{
  tacho_sim_server_get_counters (fixture->server, counters);
}

/* --- requests --------------------------------------------------------------------------------- */

#define MAX_INPUTS 12

typedef struct
{
  Inference__ModelInferRequest message;
  Inference__ModelInferRequest__InferInputTensor inputs[MAX_INPUTS], *pointers[MAX_INPUTS];
  ProtobufCBinaryData raw[MAX_INPUTS];
  gint64 shape[2];
  Inference__ModelInferRequest__ParametersEntry entry, *entries;
  Inference__InferParameter value;
} Request;

static inline void
request_init (Request *request, const char *model, const char *id, guint rank)
{
  memset (request, 0, sizeof *request);
  inference__model_infer_request__init (&request->message);
  request->message.model_name = (char *) model;
  request->message.id = (char *) id;
  request->message.inputs = request->pointers;
  request->message.raw_input_contents = request->raw;
  request->shape[0] = request->shape[1] = 1;
  request->message.n_inputs = 0;
  request->entries = &request->entry;
  for (guint i = 0; i < MAX_INPUTS; i++)
    {
      inference__model_infer_request__infer_input_tensor__init (&request->inputs[i]);
      request->inputs[i].n_shape = rank;
      request->inputs[i].shape = request->shape;
      request->pointers[i] = &request->inputs[i];
    }
}

static inline void
request_clear (Request *request)
{
  for (gsize i = 0; i < request->message.n_inputs; i++)
    g_free (request->raw[i].data);
}

static inline void
request_add (Request *request, const char *name, const char *type, gconstpointer data, gsize size)
{
  gsize n = request->message.n_inputs++;

  g_assert_cmpuint (n, <, MAX_INPUTS);
  request->inputs[n].name = (char *) name;
  request->inputs[n].datatype = (char *) type;
  request->raw[n].data = g_memdup2 (data, size);
  request->raw[n].len = size;
  request->message.n_raw_input_contents = request->message.n_inputs;
}

static inline void
request_add_text (Request *request, const char *name, const char *text)
{
  guint32 length = GUINT32_TO_LE ((guint32) strlen (text));
  g_autoptr (GByteArray) raw = g_byte_array_new ();

  g_byte_array_append (raw, (const guint8 *) &length, sizeof length);
  g_byte_array_append (raw, (const guint8 *) text, (guint) strlen (text));
  request_add (request, name, "BYTES", raw->data, raw->len);
}

static inline void
request_add_bool (Request *request, const char *name, gboolean value)
{
  guint8 byte = value ? 1 : 0;

  request_add (request, name, "BOOL", &byte, 1);
}

static inline void
request_ask_empty_final (Request *request)
{
  inference__infer_parameter__init (&request->value);
  request->value.parameter_choice_case = INFERENCE__INFER_PARAMETER__PARAMETER_CHOICE_BOOL_PARAM;
  request->value.bool_param = TRUE;
  inference__model_infer_request__parameters_entry__init (&request->entry);
  request->entry.key = (char *) "triton_enable_empty_final_response";
  request->entry.value = &request->value;
  request->message.n_parameters = 1;
  request->message.parameters = &request->entries;
}

/* As vLLM's backend takes it: so many tokens, streamed, with all counts. */
static inline void
request_init_vllm (Request *request, const char *id, guint n, gboolean stream)
{
  g_autofree char *sampling = g_strdup_printf ("{\"max_tokens\":\"%u\",\"ignore_eos\":true}", n);

  request_init (request, TINY, id, 1);
  request_add_text (request, "text_input", "one two three");
  request_add_bool (request, "stream", stream);
  request_add_text (request, "sampling_parameters", sampling);
  request_add_bool (request, "return_finish_reason", TRUE);
  request_add_bool (request, "return_num_input_tokens", TRUE);
  request_add_bool (request, "return_num_output_tokens", TRUE);
}

static inline void
call_stream (Fixture *fixture,
             PeerCall *call,
             guint n,
             gboolean stream,
             const char *const *metadata,
             double seconds)
{
  Request request;

  request_init_vllm (&request, "r1", n, stream);
  peer_call (&fixture->peer, call, OIP "ModelStreamInfer", &request.message.base, metadata,
             seconds);
  request_clear (&request);
}

/* --- replies ---------------------------------------------------------------------------------- */

static inline const ProtobufCBinaryData *
find_output (const Inference__ModelInferResponse *response, const char *name)
{
  g_assert_cmpuint (response->n_outputs, ==, response->n_raw_output_contents);
  for (gsize i = 0; i < response->n_outputs; i++)
    if (g_str_equal (response->outputs[i]->name, name))
      return &response->raw_output_contents[i];
  return NULL;
}

static inline char *
get_text (const Inference__ModelInferResponse *response, const char *name)
{
  const ProtobufCBinaryData *raw = find_output (response, name);
  guint32 length;

  if (raw == NULL)
    return NULL;
  memcpy (&length, raw->data, sizeof length);
  g_assert_cmpuint (GUINT32_FROM_LE (length) + 4, ==, raw->len);
  return g_strndup ((const char *) raw->data + 4, raw->len - 4);
}

static inline guint
get_count (const Inference__ModelInferResponse *response, const char *name)
{
  const ProtobufCBinaryData *raw = find_output (response, name);
  guint32 value;

  if (raw == NULL)
    return 0;
  g_assert_cmpuint (raw->len, ==, sizeof value);
  memcpy (&value, raw->data, sizeof value);
  return GUINT32_FROM_LE (value);
}

static inline gboolean
is_final (const Inference__ModelInferResponse *response)
{
  g_assert_cmpuint (response->n_parameters, ==, 1);
  g_assert_cmpstr (response->parameters[0]->key, ==, "triton_final_response");
  return response->parameters[0]->value->bool_param;
}

/* What a stream told. */
typedef struct
{
  GString *text;
  guint n_messages, n_tokens, n_prompt, n_final, n_empty, n_errors;
  char *finish_reason;
  char *error;
} Told;

static inline void
told_read (Told *told, PeerCall *call, const char *id)
{
  *told = (Told){ .text = g_string_new (NULL) };
  for (guint i = 0; i < call->messages->len; i++)
    {
      Inference__ModelStreamInferResponse *message =
          peer_message (call, i, &inference__model_stream_infer_response__descriptor);
      const Inference__ModelInferResponse *response = message->infer_response;
      g_autofree char *text = NULL;

      g_assert_nonnull (response);
      if (*message->error_message != '\0')
        {
          told->n_errors++;
          g_free (told->error);
          told->error = g_strdup (message->error_message);
        }
      else if (g_str_equal (response->id, id))
        {
          told->n_messages++;
          text = get_text (response, "text_output");
          g_string_append (told->text, text ? text : "");
          told->n_tokens += get_count (response, "num_output_tokens");
          told->n_prompt = MAX (told->n_prompt, get_count (response, "num_input_tokens"));
          told->n_final += is_final (response);
          told->n_empty += response->n_outputs == 0;
          if (response->n_outputs > 0)
            {
              g_free (told->finish_reason);
              told->finish_reason = get_text (response, "finish_reason");
            }
        }
      tacho_protobuf_free (message);
    }
}

static inline void
told_clear (Told *told)
{
  g_string_free (told->text, TRUE);
  g_free (told->finish_reason);
  g_free (told->error);
}

static inline void
check_status (Fixture *fixture,
              const char *path,
              const ProtobufCMessage *request,
              grpc_status_code status,
              const char *words)
{
  PeerCall call;

  peer_call (&fixture->peer, &call, path, request, NULL, PEER_LIMIT_S);
  g_assert_cmpint (call.status, ==, status);
  if (strstr (call.words, words) == NULL)
    g_error ("“%s” is not in “%s”", words, call.words);
  g_assert_cmpuint (call.messages->len, ==, status == GRPC_STATUS_OK ? 1 : 0);
  peer_clear (&call);
}
