/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams of OpenAI's two forms from many servers, split at every byte with each line end, in both
 * modes; and the bodies of errors in every shape. */
#include "api/tacho-stream-decoder.h"

#include <string.h>

#include "api/tacho-api-openai.h"
#include "api/tacho-api-responses.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"
#include "test-utils.h"

#define CHUNK(delta) "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":" delta "}]}\n\n"
#define DONE "data: [DONE]\n\n"
#define EVENT(type, rest) "event: " type "\ndata: {\"type\":\"" type "\"" rest "}\n\n"
#define DELTA(kind, text)                                                                          \
  EVENT ("response." kind ".delta", ",\"output_index\":0,\"delta\":\"" text "\"")
#define END(type, status, more)                                                                    \
  EVENT (type, ",\"response\":{\"id\":\"r\",\"status\":\"" status "\"" more "}")
#define USAGE                                                                                      \
  ",\"usage\":{\"input_tokens\":5,\"input_tokens_details\":{\"cached_tokens\":1},"                 \
  "\"output_tokens\":3,\"output_tokens_details\":{\"reasoning_tokens\":2}}"

typedef struct
{
  const char *name;
  gboolean responses;
  const char *stream;
  int code;         /* 0: whole */
  const char *seen; /* c: content, r: reasoning, t: tool, u: usage, d: done, e: error */
  const char *text; /* of content and [reasoning], in full mode */
  gint64 output_tokens;
  const char *words; /* in the error's message, or the finish reason */
} Vector;

static const Vector vectors[] = {
  { "openrouter", FALSE,
    ": OPENROUTER PROCESSING\n\n" CHUNK (
        "{\"reasoning\":\"hm\",\"reasoning_details\":[{\"type\":\"reasoning.text\","
        "\"text\":\"hm\"}]}") CHUNK ("{\"content\":\"a\"}") "data: "
                                                            "{\"choices\":[],\"usage\":{\"prompt_"
                                                            "tokens\":5,\"completion_tokens\":4,"
                                                            "\"cost\":0.01}}\n\n" DONE,
    0, "rcud", "[hm]a", 4, NULL },
  { "reasoning-details-alone", FALSE,
    CHUNK ("{\"content\":\"\",\"reasoning_details\":[{\"text\":\"h\"},{\"summary\":\"m\"},{"
           "\"data\":\"x\"}]}") CHUNK ("{\"reasoning_details\":[]}")
        CHUNK ("{\"reasoning_details\":[{\"type\":\"reasoning.encrypted\"}]}") DONE,
    0, "rd", "[hm]", -1, NULL },
  { "reasoning-details-wrong", FALSE, CHUNK ("{\"reasoning_details\":7}"), TACHO_ERROR_PROTOCOL, "",
    "", -1, "reasoning_details" },
  { "azure", FALSE,
    "data: "
    "{\"choices\":[],\"id\":\"\",\"prompt_filter_results\":[{\"prompt_index\":0}]}\n\n" CHUNK (
        "{\"content\":\"a\"}") DONE,
    0, "cd", "a", -1, NULL },
  { "vllm-both-and-running-usage", FALSE,
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}],\"usage\":"
    "{\"prompt_tokens\":5,\"completion_tokens\":0}}\n\n"
    "data: {\"choices\":[{\"delta\":{\"reasoning\":\"h\",\"reasoning_content\":\"h\"}}],\"usage\":"
    "{\"prompt_tokens\":5,\"completion_tokens\":1}}\n\n"
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\",\"stop_reason\":null}],"
    "\"usage\":null}\n\n" DONE,
    0, "urud", "[h]", 1, "stop" },
  { "sglang-nulls", FALSE,
    "data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"role\":null,\"content\":\"a\","
    "\"reasoning_content\":null,\"tool_calls\":null},\"logprobs\":null,\"finish_reason\":null,"
    "\"matched_stop\":null}],\"usage\":null}\n\n" DONE,
    0, "cd", "a", -1, NULL },
  { "tgi-no-space", FALSE,
    "data:{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"a\"}}]}\n\n"
    "data:{\"id\":\"\",\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":1}}\n\n"
    "data: [DONE]\n\n",
    0, "cud", "a", 1, NULL },
  { "tgi-chat-error", FALSE,
    "data: {\"error\":{\"message\":\"boom\",\"http_status_code\":422}}\n\n" DONE,
    TACHO_ERROR_IN_BAND, "e", "", -1, "boom" },
  { "tgi-error", FALSE, "data: {\"error\":\"boom\",\"error_type\":\"generation\"}\n\n",
    TACHO_ERROR_IN_BAND, "e", "", -1, "boom (generation)" },
  { "ryzanstein-error", FALSE, "data: {\"error\":\"engine is gone\"}\n\n", TACHO_ERROR_IN_BAND, "e",
    "", -1, "engine is gone" },
  { "tools-from-one", FALSE,
    CHUNK ("{\"tool_calls\":[{\"index\":1,\"id\":\"t\",\"function\":{\"name\":\"f\","
           "\"arguments\":\"{}\"}}]}") DONE,
    0, "td", "", -1, NULL },

  { "responses", TRUE,
    END ("response.created", "in_progress", "") EVENT (
        "response.output_item.added",
        ",\"output_index\":0,\"item\":{\"type\":\"message\",\"content\":[]}")
        DELTA ("reasoning_text", "hm") DELTA ("output_text", "Hel") DELTA ("output_text", "")
            DELTA ("output_text", "lo") EVENT ("response.output_text.done", ",\"text\":\"Hello\"")
                END ("response.completed", "completed", USAGE),
    0, "rccud", "[hm]Hello", 3, "stop" },
  { "responses-nameless", TRUE,
    "data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n"
    "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\"}}\n\n" DONE,
    0, "cd", "a", -1, "stop" },
  { "responses-length", TRUE,
    DELTA ("output_text", "a")
        END ("response.incomplete",
             "incomplete",
             ",\"incomplete_details\":{\"reason\":\"max_output_tokens\"}" USAGE),
    0, "cud", "a", 3, "length" },
  { "responses-summary", TRUE,
    DELTA ("reasoning_summary_text", "so") END ("response.completed", "completed", ""), 0, "rd",
    "[so]", -1, "stop" },
  { "responses-tool", TRUE,
    EVENT ("response.output_item.added",
           ",\"output_index\":1,\"item\":{\"type\":\"function_call\",\"call_id\":\"t\","
           "\"name\":\"f\",\"arguments\":\"\"}")
        EVENT ("response.function_call_arguments.delta", ",\"output_index\":1,\"delta\":\"{}\"")
            END ("response.completed", "completed", ""),
    0, "ttd", "", -1, "stop" },
  { "responses-failed", TRUE,
    DELTA ("output_text", "a") END ("response.failed",
                                    "failed",
                                    ",\"error\":{\"code\":\"server_error\",\"message\":\"boom\"}"),
    TACHO_ERROR_IN_BAND, "ce", "a", -1, "boom" },
  { "responses-error", TRUE,
    EVENT ("error", ",\"code\":\"x\",\"message\":\"boom\",\"param\":null,\"sequence_number\":1"),
    TACHO_ERROR_IN_BAND, "e", "", -1, "boom" },
  { "responses-gateway-error", TRUE, "data: {\"error\":{\"message\":\"boom\"}}\n\n",
    TACHO_ERROR_IN_BAND, "e", "", -1, "boom" },
  { "responses-cut", TRUE, DELTA ("output_text", "a"), TACHO_ERROR_TRUNCATED, "c", "a", -1,
    "never said" },
  { "responses-bad-delta", TRUE, "data: {\"type\":\"response.output_text.delta\",\"delta\":7}\n\n",
    TACHO_ERROR_PROTOCOL, "", "", -1, "delta" },
  { "responses-bad-json", TRUE, "data: {\"type\":}\n\n", TACHO_ERROR_PROTOCOL, "", "", -1, "type" },
};

typedef struct
{
  GString *seen;
  GString *text;
  char *finish_reason;
  gint64 output_tokens;
} Seen;

static void
event_cb (const TachoStreamEvent *event, gpointer user_data)
{
  Seen *seen = user_data;

  if (event->has_reasoning)
    g_string_append_c (seen->seen, 'r');
  if (event->has_content)
    g_string_append_c (seen->seen, 'c');
  if (event->has_tool)
    g_string_append_c (seen->seen, 't');
  if (event->has_usage)
    g_string_append_c (seen->seen, 'u');
  if (event->error != NULL)
    g_string_append_c (seen->seen, 'e');
  if (event->done)
    g_string_append_c (seen->seen, 'd');
  if (event->reasoning != NULL)
    g_string_append_printf (seen->text, "[%s]", event->reasoning);
  if (event->content != NULL)
    g_string_append (seen->text, event->content);
  if (event->finish_reason != NULL)
    {
      g_free (seen->finish_reason);
      seen->finish_reason = g_strdup (event->finish_reason);
    }
  if (event->has_usage)
    seen->output_tokens = event->usage.output_tokens;
}

static void
check (const Vector *v,
       TachoStreamDecoder *decoder,
       TachoDecodeMode mode,
       const char *data,
       gsize length,
       gsize cut)
{
  g_autofree char *first = g_memdup2 (data, cut);
  g_autofree char *second = g_memdup2 (data + cut, length - cut);
  Seen seen = { g_string_new (NULL), g_string_new (NULL), NULL, -1 };
  g_autoptr (GError) error = NULL;

  tacho_stream_decoder_reset (decoder);
  if (tacho_stream_decoder_feed (decoder, first, cut, event_cb, &seen, NULL))
    tacho_stream_decoder_feed (decoder, second, length - cut, event_cb, &seen, NULL);
  tacho_stream_decoder_finish (decoder, event_cb, &seen, &error);
  if (v->code == 0)
    g_assert_no_error (error);
  else
    g_assert_error (error, TACHO_ERROR, v->code);
  if (v->code != 0)
    g_assert_nonnull (strstr (error->message, v->words));
  g_assert_cmpstr (seen.seen->str, ==, v->seen);
  g_assert_cmpint (seen.output_tokens, ==, v->output_tokens);
  if (mode == TACHO_DECODE_FULL)
    {
      g_assert_cmpstr (seen.text->str, ==, v->text);
      if (v->code == 0)
        g_assert_cmpstr (seen.finish_reason, ==, v->words);
    }
  g_string_free (seen.seen, TRUE);
  g_string_free (seen.text, TRUE);
  g_free (seen.finish_reason);
}

static void
test_vector (gconstpointer data)
{
  static const char *const ends[] = { "\n", "\r", "\r\n" };
  const Vector *v = data;
  g_autoptr (TachoApi) api = v->responses ? tacho_api_responses_new () : tacho_api_openai_new ();

  for (gsize e = 0; e < G_N_ELEMENTS (ends); e++)
    for (int mode = TACHO_DECODE_FULL; mode <= (int) TACHO_DECODE_MEASURE; mode++)
      {
        g_autoptr (TachoStreamDecoder) decoder =
            tacho_stream_decoder_new (api, TACHO_OP_CHAT, (TachoDecodeMode) mode);
        g_autoptr (GString) stream = g_string_new (v->stream);

        g_string_replace (stream, "\n", ends[e], 0);
        for (gsize cut = 0; cut <= stream->len; cut++)
          check (v, decoder, (TachoDecodeMode) mode, stream->str, stream->len, cut);
      }
}

typedef struct
{
  const char *name;
  guint status;
  const char *body;
  int code;
  const char *words;
} ErrorVector;

static const ErrorVector errors[] = {
  { "openai", 400,
    "{\"error\":{\"message\":\"boom\",\"type\":\"invalid_request_error\",\"param\":null,"
    "\"code\":null}}",
    TACHO_ERROR_HTTP_4XX, "boom (invalid_request_error)" },
  { "openai-code-text", 404, "{\"error\":{\"message\":\"boom\",\"code\":\"model_not_found\"}}",
    TACHO_ERROR_HTTP_4XX, "boom" },
  { "text", 404, "{\"error\":\"boom\"}", TACHO_ERROR_HTTP_4XX, "boom" },
  { "tgi", 422, "{\"error\":\"boom\",\"error_type\":\"validation\"}", TACHO_ERROR_HTTP_4XX,
    "boom (validation)" },
  { "tgi-overloaded", 429, "{\"error\":\"Model is overloaded\",\"error_type\":\"overloaded\"}",
    TACHO_ERROR_HTTP_429, "overloaded" },
  { "flat", 400, "{\"object\":\"error\",\"message\":\"boom\",\"type\":\"BadRequest\",\"code\":400}",
    TACHO_ERROR_HTTP_4XX, "boom (BadRequest)" },
  { "detail", 503, "{\"detail\":\"boom\"}", TACHO_ERROR_HTTP_5XX, "boom" },
  { "detail-list", 422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"boom\",\"type\":\"missing\"}]}",
    TACHO_ERROR_HTTP_4XX, "boom" },
  { "ryzanstein", 500, "{\"code\":\"E1\",\"message\":\"boom\",\"details\":\"\"}",
    TACHO_ERROR_HTTP_5XX, "boom" },
  { "plain-text", 500, "boom", TACHO_ERROR_HTTP_5XX, "boom" },
  { "web-page", 502, "<html><head><title>502 Bad Gateway</title></head></html>",
    TACHO_ERROR_HTTP_5XX, "502 Bad Gateway" },
  { "empty", 401, "", TACHO_ERROR_HTTP_4XX, "API key" },
  { "empty-503", 503, "", TACHO_ERROR_HTTP_5XX, "503" },
  { "overloaded-529", 529, "{\"error\":{\"message\":\"Overloaded\"}}", TACHO_ERROR_HTTP_5XX,
    "Overloaded" },
  { "lmstudio-200", 200, "{\"error\":\"Unexpected endpoint or method. (POST /x)\"}",
    TACHO_ERROR_IN_BAND, "Unexpected endpoint" },
  { "json-is-a-page", 200, "<html><title>Login</title>", TACHO_ERROR_PROTOCOL, "Login" },
};

static void
test_error (gconstpointer data)
{
  const ErrorVector *v = data;
  g_autoptr (GBytes) body = g_bytes_new (v->body, strlen (v->body));
  g_autoptr (TachoHttpReply) reply = tacho_http_reply_new (v->status, body);

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (TachoApi) api = i == 0 ? tacho_api_openai_new () : tacho_api_responses_new ();
      g_autoptr (GError) error = NULL;
      g_autoptr (TachoGenerateReply) result =
          tacho_api_parse_generate (api, TACHO_OP_CHAT, reply, &error);

      g_assert_null (result);
      g_assert_error (error, TACHO_ERROR, v->code);
      g_assert_nonnull (strstr (error->message, v->words));
    }
}

static void
test_responses_whole (void)
{
  static const char body[] =
      "{\"id\":\"r\",\"model\":\"m\",\"status\":\"completed\",\"output\":[{\"type\":\"reasoning\","
      "\"summary\":[{\"type\":\"summary_text\",\"text\":\"short\"}],\"content\":"
      "[{\"type\":\"reasoning_text\",\"text\":\"long\"}]},{\"type\":\"message\",\"content\":"
      "[{\"type\":\"output_text\",\"text\":\"Hel\"},{\"type\":\"output_text\",\"text\":\"lo\"}]}"
      "]" USAGE "}";
  g_autoptr (TachoApi) api = tacho_api_responses_new ();
  g_autoptr (GBytes) bytes = g_bytes_new (body, strlen (body));
  g_autoptr (TachoHttpReply) reply = tacho_http_reply_new (200, bytes);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoGenerateReply) result =
      tacho_api_parse_generate (api, TACHO_OP_CHAT, reply, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (result->content, ==, "Hello");
  g_assert_cmpstr (result->reasoning, ==, "long");
  g_assert_cmpstr (result->finish_reason, ==, "stop");
  g_assert_cmpstr (result->response_id, ==, "r");
  g_assert_cmpint (result->usage.prompt_tokens, ==, 5);
  g_assert_cmpint (result->usage.cached_tokens, ==, 1);
  g_assert_cmpint (result->usage.output_tokens, ==, 3);
  g_assert_cmpint (result->usage.reasoning_tokens, ==, 2);
}

static void
test_responses_request (void)
{
  g_autoptr (TachoApi) api = tacho_api_responses_new ();
  g_autoptr (TachoGenerateRequest) generate = tacho_generate_request_new ("m");
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpRequest) request = NULL;
  g_autoptr (TachoHttpRequest) list = tacho_api_build (api, TACHO_OP_LIST_MODELS, NULL, NULL);
  const char *text;
  gsize length;

  tacho_generate_request_add_message (generate, TACHO_ROLE_USER, "Hi");
  generate->max_tokens = 9;
  generate->temperature = 0.5;
  generate->seed = 3;
  request = tacho_api_build_generate (api, generate, &error);
  g_assert_no_error (error);
  text = g_bytes_get_data (request->body, &length);
  g_assert_cmpstr (request->path, ==, "/v1/responses");
  g_assert_true (request->streaming);
  {
    g_autofree char *body = g_strndup (text, length);

    g_assert_cmpstr (body, ==,
                     "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
                     "\"max_output_tokens\":9,\"temperature\":0.5,\"stream\":true}");
  }
  g_assert_cmpstr (list->path, ==, "/v1/models");
  g_assert_false (tacho_api_supports (api, TACHO_OP_COMPLETION));
  generate->raw = TRUE;
  generate->prompt = g_strdup ("Hi");
  g_assert_null (tacho_api_build_generate (api, generate, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      g_autofree char *path = g_strconcat ("/api/openai-stream/", vectors[i].name, NULL);

      g_test_add_data_func (path, &vectors[i], test_vector);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_autofree char *path = g_strconcat ("/api/openai-error/", errors[i].name, NULL);

      g_test_add_data_func (path, &errors[i], test_error);
    }
  g_test_add_func ("/api/responses/whole", test_responses_whole);
  g_test_add_func ("/api/responses/request", test_responses_request);
  return g_test_run ();
}
