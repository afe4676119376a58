/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drives the Open Inference Protocol family over the gRPC client, for tests against a server that
 * was not written here: oip-client HOST:PORT triton|kserve OPERATION [MODEL [PROMPT]] */
#include "api/tacho-api-oip.h"
#include "api/tacho-stream-decoder.h"
#include "net/tacho-grpc-client.h"

#include <stdio.h>

static TachoApi *api;
static TachoTransport *transport;
static TachoStreamDecoder *decoder;
static GByteArray *body;

static void
store_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static GAsyncResult *
wait_for (GAsyncResult **result)
{
  while (*result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return *result;
}

static int
fail (GError *error)
{
  printf ("error %s %d: %s\n", g_quark_to_string (error->domain), error->code, error->message);
  return 1;
}

/* The reply to a call of its own, not streamed. */
static TachoHttpReply *
ask (TachoHttpRequest *request, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  TachoHttpReply *reply;

  tacho_transport_send_async (transport, request, 0, NULL, store_cb, &result);
  reply = tacho_transport_send_finish (transport, wait_for (&result), error);
  tacho_http_request_free (request);
  return reply;
}

static void
print_cb (const TachoStreamEvent *event, gpointer user_data)
{
  if (event->content != NULL)
    printf ("text %s\n", event->content);
  if (event->finish_reason != NULL)
    printf ("finish %s\n", event->finish_reason);
  if (event->has_usage)
    printf ("tokens %" G_GINT64_FORMAT "\n", event->usage.output_tokens);
  if (event->done)
    printf ("done\n");
}

static gboolean
data_cb (const char *data, gsize length, gint64 now_ns, gpointer user_data, GError **error)
{
  if (decoder != NULL)
    return tacho_stream_decoder_feed (decoder, data, length, print_cb, NULL, error);
  g_byte_array_append (body, (const guint8 *) data, (guint) length);
  return TRUE;
}

static void
sent_cb (gint64 now_ns, gboolean reused, gpointer user_data)
{
}

static gboolean
head_cb (const TachoHttpReply *head, gpointer user_data, GError **error)
{
  return TRUE;
}

static int
generate (const char *model, const char *prompt, gboolean stream)
{
  static const TachoStreamFuncs funcs = { sent_cb, head_cb, data_cb };
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new (model);
  g_autoptr (TachoHttpRequest) call = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (TachoHttpReply) head = NULL;
  g_autoptr (TachoHttpReply) whole = NULL;
  g_autoptr (TachoGenerateReply) reply = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  TachoHttpRequest *question;

  request->stream = stream;
  tacho_generate_request_add_message (request, TACHO_ROLE_USER, prompt);
  while ((question = tacho_api_build_prepare (api, request)) != NULL)
    {
      g_autoptr (TachoHttpReply) answer = ask (question, &error);

      if (answer == NULL || !tacho_api_parse_prepare (api, request, answer, &error))
        return fail (error);
    }
  call = tacho_api_build_generate (api, request, &error);
  if (call == NULL)
    return fail (error);
  printf ("call %s\n", call->path);
  if (stream || call->streaming)
    decoder = tacho_stream_decoder_new (api, TACHO_OP_CHAT, TACHO_DECODE_FULL);
  tacho_transport_stream_async (transport, call, &funcs, NULL, NULL, store_cb, &result);
  head = tacho_transport_stream_finish (transport, wait_for (&result), &error);
  if (head != NULL && (head->status != 200 || tacho_http_reply_get_header (head, "grpc-status")) &&
      g_strcmp0 (tacho_http_reply_get_header (head, "grpc-status"), "0") != 0)
    error = tacho_api_error_from_reply (head);
  if (error != NULL)
    return fail (error);
  if (decoder != NULL)
    return tacho_stream_decoder_finish (decoder, print_cb, NULL, &error) ? 0 : fail (error);
  bytes = g_bytes_new (body->data, body->len);
  whole = tacho_http_reply_new (200, bytes);
  reply = tacho_api_parse_generate (api, TACHO_OP_CHAT, whole, &error);
  if (reply == NULL)
    return fail (error);
  printf ("whole %s\n", reply->content);
  return 0;
}

static int
list (const TachoHttpReply *reply)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) models = tacho_api_parse_models (api, reply, &error);

  if (models == NULL)
    return fail (error);
  for (guint i = 0; i < models->len; i++)
    {
      const TachoModelInfo *info = g_ptr_array_index (models, i);

      printf ("model %s %s\n", info->id, tacho_model_status_to_string (info->status));
    }
  return 0;
}

static int
show (const char *model, const TachoHttpReply *reply)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) models =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_model_info_free);
  TachoModelInfo *info = tacho_api_parse_model (api, model, reply, &error);
  TachoHttpRequest *more;

  if (info == NULL)
    return fail (error);
  g_ptr_array_add (models, info);
  for (guint step = 1;
       (more = tacho_api_build_more (api, TACHO_OP_SHOW_MODEL, model, step, models)) != NULL;
       step++)
    {
      g_autoptr (TachoHttpReply) answer = ask (more, &error);

      if (answer == NULL ||
          !tacho_api_parse_more (api, TACHO_OP_SHOW_MODEL, step, answer, models, &error))
        return fail (error);
    }
  printf ("family %s memory %" G_GUINT64_FORMAT "\n", info->family, info->memory_bytes);
  return 0;
}

static int
operate (const char *name, const char *model)
{
  TachoOperation operation = g_str_equal (name, "list")     ? TACHO_OP_LIST_MODELS
                             : g_str_equal (name, "show")   ? TACHO_OP_SHOW_MODEL
                             : g_str_equal (name, "load")   ? TACHO_OP_LOAD_MODEL
                             : g_str_equal (name, "unload") ? TACHO_OP_UNLOAD_MODEL
                                                            : TACHO_OP_HEALTH;
  g_autoptr (GError) error = NULL;
  TachoHttpRequest *request = tacho_api_build (api, operation, model, &error);
  g_autoptr (TachoHttpReply) reply = request != NULL ? ask (request, &error) : NULL;
  TachoHealth health;

  if (reply == NULL)
    return fail (error);
  if (operation == TACHO_OP_LIST_MODELS)
    return list (reply);
  if (operation == TACHO_OP_SHOW_MODEL)
    return show (model, reply);
  if (operation == TACHO_OP_HEALTH)
    {
      if (!tacho_api_parse_health (api, reply, &health, &error))
        return fail (error);
      printf ("health %d\n", health);
    }
  else if (!tacho_api_parse_change (api, operation, model, reply, &error))
    return fail (error);
  printf ("ok\n");
  return 0;
}

int
main (int argc, char **argv)
{
  static const char *const triton[] = { "model_repository", NULL };
  static const char *const kserve[] = { "model_repository_extension", NULL };
  TachoGrpcOptions options = { .timeout_connect = 10, .timeout_first = 20, .timeout_total = 60 };
  g_autoptr (GError) error = NULL;
  int status;

  if (argc < 4)
    return 2;
  options.target = argv[1];
  api = tacho_api_oip_new (TACHO_PROTOCOL_GRPC, g_str_equal (argv[2], "kserve") ? kserve : triton,
                           NULL, NULL);
  transport = tacho_grpc_client_new (&options, &error);
  if (transport == NULL)
    return fail (error);
  body = g_byte_array_new ();
  if (argc == 6)
    status = generate (argv[4], argv[5], g_str_equal (argv[3], "stream"));
  else
    status = operate (argv[3], argc > 4 ? argv[4] : NULL);
  tacho_transport_close (transport);
  g_object_unref (transport);
  g_clear_pointer (&decoder, tacho_stream_decoder_free);
  g_byte_array_unref (body);
  g_object_unref (api);
  return status;
}
