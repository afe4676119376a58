/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams and what they must become; shared by the decoder's tests. Captured ones are named so. */
#pragma once

#include "base/tacho-error.h"

typedef struct
{
  const char *name;
  const char *stream;
  int code; /* 0: whole; else a TACHO_ERROR */
  guint n_content;
  guint n_reasoning;
  guint n_tool;
  const char *text;     /* content, then reasoning in brackets */
  gint64 output_tokens; /* of the last usage, -1 none */
  const char *words;    /* in the error's message */
} StreamVector;

#define CHUNK(delta) "data: {\"id\":\"c1\",\"choices\":[{\"index\":0,\"delta\":" delta "}]}\n\n"
#define DONE "data: [DONE]\n\n"
#define LLAMA_TAIL                                                                                 \
  "\"created\":1795414418,\"id\":\"chatcmpl-HxtLTP30oPTeT6Y79HCemV04M622d32A\","                   \
  "\"model\":\"/models/tiny-a.gguf\",\"system_fingerprint\":\"b11669-Debian\","                    \
  "\"object\":\"chat.completion.chunk\""
#define LLAMA(choice) "data: {\"choices\":[" choice "]," LLAMA_TAIL "}\n\n"

static const StreamVector stream_vectors[] = {
  { "empty", "", TACHO_ERROR_TRUNCATED, 0, 0, 0, "", -1, "0 events" },
  { "done-only", DONE, 0, 0, 0, 0, "", -1, NULL },
  { "llamacpp-captured",
    "data: "
    "{\"choices\":[{\"finish_reason\":null,\"index\":0,\"delta\":{\"role\":\"assistant\","
    "\"content\":null}}]," LLAMA_TAIL ",\"prompt_progress\":{\"total\":38,\"cache\":0,"
    "\"processed\":38,\"time_ms\":1}}\n\n" LLAMA (
        "{\"finish_reason\":null,\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":"
        "null}}") LLAMA ("{\"finish_reason\":null,\"index\":0,\"delta\":{\"content\":\" token\"}}")
        LLAMA ("{\"finish_reason\":null,\"index\":0,\"delta\":{\"content\":\" "
               "token\"}}") LLAMA ("{\"finish_reason\":\"length\",\"index\":0,"
                                   "\"delta\":{}}") "data: {\"choices\":[]," LLAMA_TAIL
                                                    ",\"usage\":{\"completion_tokens\":"
                                                    "4,\"prompt_tokens\":38,"
                                                    "\"total_tokens\":42,\"prompt_"
                                                    "tokens_details\":{\"cached_"
                                                    "tokens\":0}},\"timings\":{\"cache_"
                                                    "n\":0,"
                                                    "\"prompt_n\":38,\"prompt_ms\":1."
                                                    "403,\"prompt_per_token_ms\":0."
                                                    "036921052631578945,"
                                                    "\"prompt_per_second\":27084."
                                                    "8182466144,\"predicted_n\":4,"
                                                    "\"predicted_ms\":0.584,"
                                                    "\"predicted_per_token_ms\":0."
                                                    "19466666666666665,\"predicted_per_"
                                                    "second\":5136.986301369863}}"
                                                    "\n\n" DONE,
    0, 2, 0, 0, " token token", 4, NULL },
  { "llamacpp-completion-captured",
    "data: "
    "{\"choices\":[{\"text\":\"5\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}],"
    "\"object\":\"text_completion\",\"id\":\"x\"}\n\n"
    "data: "
    "{\"choices\":[{\"text\":\"\",\"index\":0,\"logprobs\":null,\"finish_reason\":"
    "\"length\"}],"
    "\"object\":\"text_completion\",\"usage\":{\"completion_tokens\":3,\"prompt_tokens\":7,"
    "\"total_tokens\":10,\"prompt_tokens_details\":{\"cached_tokens\":2}},\"id\":\"x\"}"
    "\n\n" DONE,
    0, 1, 0, 0, "5", 3, NULL },
  { "role-and-empty-never-count",
    CHUNK ("{\"role\":\"assistant\",\"content\":\"\"}") CHUNK ("{\"content\":null}") CHUNK ("{}")
        CHUNK ("{\"role\":\"assistant\",\"tool_calls\":[]}") DONE,
    0, 0, 0, 0, "", -1, NULL },
  { "reasoning-content",
    CHUNK ("{\"reasoning_content\":\"hm\"}") CHUNK ("{\"content\":\"a\"}") DONE, 0, 1, 1, 0,
    "[hm]a", -1, NULL },
  { "reasoning", CHUNK ("{\"reasoning\":\"hm\",\"content\":\"\"}") DONE, 0, 0, 1, 0, "[hm]", -1,
    NULL },
  { "reasoning-both-not-the-sum",
    CHUNK ("{\"reasoning\":\"hm\",\"reasoning_content\":\"hm\"}") DONE, 0, 0, 1, 0, "[hm]", -1,
    NULL },
  { "reasoning-one-empty", CHUNK ("{\"reasoning\":\"hm\",\"reasoning_content\":\"\"}") DONE, 0, 0,
    1, 0, "[hm]", -1, NULL },
  { "reasoning-details",
    CHUNK ("{\"reasoning_details\":[{\"text\":\"hm\"}]}")
        CHUNK ("{\"reasoning_details\":null,\"content\":\"a\"}") DONE,
    0, 1, 1, 0, "[hm]a", -1, NULL },
  { "tools-by-index",
    CHUNK ("{\"tool_calls\":[{\"index\":1,\"id\":\"t\",\"function\":{\"name\":\"f\","
           "\"arguments\":\"\"}}]}")
        CHUNK ("{\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":\"{}\"}}]}")
            CHUNK ("{\"tool_calls\":[{\"index\":0,\"id\":\"u\"},{\"index\":1,\"id\":\"v\"}]}")
                CHUNK ("{\"tool_calls\":[{\"index\":0,\"id\":\"\"}]}") DONE,
    0, 0, 0, 4, "", -1, NULL },
  { "usage-null-then-zero-then-real",
    "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":null}\n\n"
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2}}\n\n"
    "data: "
    "{\"choices\":[],\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0}}\n\n" DONE,
    0, 1, 0, 0, "a", 2, NULL },
  { "usage-running-last-wins",
    "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\"usage\":{\"prompt_tokens\":5,"
    "\"completion_tokens\":1}}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"b\"}}],\"usage\":{\"prompt_tokens\":5,"
    "\"completion_tokens\":2,\"completion_tokens_details\":{\"reasoning_tokens\":1}}}"
    "\n\n" DONE,
    0, 2, 0, 0, "ab", 2, NULL },
  { "usage-groq",
    "data: {\"choices\":[],\"x_groq\":{\"usage\":{\"prompt_tokens\":5,"
    "\"completion_tokens\":7}}}\n\n" DONE,
    0, 0, 0, 0, "", 7, NULL },
  { "usage-odd-numbers",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5.0,"
    "\"completion_tokens\":-7,\"total_tokens\":\"x\"}}\n\n" DONE,
    0, 0, 0, 0, "", -1, NULL },
  { "done-prefix-and-after",
    "data:  [DONE]xyz\n\n" CHUNK ("{\"content\":\"late\"}") "data: {bad\n\n", 0, 0, 0, 0, "", -1,
    NULL },
  { "done-unterminated", CHUNK ("{\"content\":\"a\"}") "data: [DONE]", 0, 1, 0, 0, "a", -1, NULL },
  { "done-half-terminated", CHUNK ("{\"content\":\"a\"}") "data: [DONE]\n", 0, 1, 0, 0, "a", -1,
    NULL },
  { "no-done", CHUNK ("{\"content\":\"a\"}"), TACHO_ERROR_TRUNCATED, 1, 0, 0, "a", -1, "1 event" },
  { "cut-in-a-chunk", CHUNK ("{\"content\":\"a\"}") "data: {\"choices\":[{\"del",
    TACHO_ERROR_TRUNCATED, 1, 0, 0, "a", -1, "never said" },
  { "ollama-failure", CHUNK ("{\"content\":\"a\"}") CHUNK ("{\"content\":\"\"}"),
    TACHO_ERROR_TRUNCATED, 1, 0, 0, "a", -1, "never said" },
  { "comments-crlf-no-space",
    ": ping\r\n\r\n:\r\ndata:{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\n: x\r\n"
    "data:[DONE]\r\n\r\n",
    0, 1, 0, 0, "a", -1, NULL },
  { "bom",
    "\xef\xbb\xbf"
    "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n" DONE,
    0, 1, 0, 0, "a", -1, NULL },
  { "utf8-and-escapes",
    CHUNK ("{\"content\":\"\xd0\xb8\xf0\x9f\x98\x80\\n\\u00e9\\ud83d\\ude00\"}")
        CHUNK ("{\"content\":\"\\u0000\"}") CHUNK ("{\"content\":\"\\ud800\"}") DONE,
    0, 3, 0, 0, "\xd0\xb8\xf0\x9f\x98\x80\n\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd", -1,
    NULL },
  { "multi-line-data", "data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"a\"}}]}\n\n" DONE, 0,
    1, 0, 0, "a", -1, NULL },
  { "metadata-chunks",
    "data: {\"choices\":[],\"prompt_filter_results\":[{}]}\n\ndata: {}\n\n"
    "data: {\"choices\":null,\"error\":null}\n\n" DONE,
    0, 0, 0, 0, "", -1, NULL },
  { "escaped-and-repeated-names",
    "data: {\"choices\":[{\"delta\":{\"\\u0063ontent\":\"a\"}}],\"choices\":[{\"delta\":{"
    "\"content\":\"b\"}}]}\n\n" DONE,
    0, 1, 0, 0, "b", -1, NULL },
  { "error-vllm",
    CHUNK ("{\"content\":\"a\"}") "data: "
                                  "{\"error\":{\"message\":\"boom\",\"type\":\"x\","
                                  "\"param\":null,\"code\":500}}\n\n" DONE,
    TACHO_ERROR_IN_BAND, 1, 0, 0, "a", -1, "boom (x)" },
  { "error-llamacpp",
    "data: {\"error\":{\"code\":500,\"message\":\"boom\",\"type\":\"server_error\"}}\n\n",
    TACHO_ERROR_IN_BAND, 0, 0, 0, "", -1, "boom" },
  { "error-field",
    CHUNK ("{\"content\":\"a\"}") "error: {\"code\":500,\"message\":\"boom\"}\n\n" DONE,
    TACHO_ERROR_IN_BAND, 1, 0, 0, "a", -1, "boom" },
  { "error-field-unterminated", CHUNK ("{\"content\":\"a\"}") "error: {\"message\":\"boom\"}",
    TACHO_ERROR_IN_BAND, 1, 0, 0, "a", -1, "boom" },
  { "error-text", "data: {\"error\":\"boom\",\"error_type\":\"x\"}\n\n", TACHO_ERROR_IN_BAND, 0, 0,
    0, "", -1, "boom" },
  { "error-unterminated", "data: {\"error\":\"boom\"}", TACHO_ERROR_IN_BAND, 0, 0, 0, "", -1,
    "boom" },
  { "error-event",
    "event: error\ndata: {\"error\":{\"message\":\"boom\"},\"message\":\"boom\"}\n\n",
    TACHO_ERROR_IN_BAND, 0, 0, 0, "", -1, "boom" },
  { "error-event-text", "event: error\ndata: boom\n\n", TACHO_ERROR_IN_BAND, 0, 0, 0, "", -1,
    "boom" },
  { "error-type", "data: {\"type\":\"error\",\"message\":\"boom\"}\n\n", TACHO_ERROR_IN_BAND, 0, 0,
    0, "", -1, "boom" },
  { "error-flat", "data: {\"object\":\"error\",\"message\":\"boom\",\"code\":400}\n\n",
    TACHO_ERROR_IN_BAND, 0, 0, 0, "", -1, "boom" },
  { "error-openrouter",
    "data: {\"id\":\"g\",\"error\":{\"code\":502,\"message\":\"boom\"},\"choices\":[{"
    "\"delta\":{\"content\":\"\"},\"finish_reason\":\"error\"}]}\n\n" DONE,
    TACHO_ERROR_IN_BAND, 0, 0, 0, "", -1, "boom" },
  { "error-reason-alone",
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"error\"}]}\n\n" DONE,
    TACHO_ERROR_IN_BAND, 0, 0, 0, "", -1, "the reason" },
  { "error-document", "{\"error\":\"Unexpected endpoint\"}", TACHO_ERROR_IN_BAND, 0, 0, 0, "", -1,
    "Unexpected endpoint" },
  { "document", "{\"choices\":[]}", TACHO_ERROR_PROTOCOL, 0, 0, 0, "", -1, "document" },
  { "web-page", " <!DOCTYPE html><title>x</title>", TACHO_ERROR_PROTOCOL, 0, 0, 0, "", -1,
    "web page" },
  { "bad-json", CHUNK ("{\"content\":\"a\"}") "data: {\"choices\":[}\n\n" DONE,
    TACHO_ERROR_PROTOCOL, 1, 0, 0, "a", -1, "{\"choices\":[}" },
  { "bad-json-escape-in-message", "data: {\"\x1b[31m\"}\n\n", TACHO_ERROR_PROTOCOL, 0, 0, 0, "", -1,
    "" },
  { "bad-number", "data: {\"x\":01,\"choices\":[]}\n\n", TACHO_ERROR_PROTOCOL, 0, 0, 0, "", -1,
    "" },
  { "infinite-number", "data: {\"x\":1e999,\"choices\":[]}\n\n", TACHO_ERROR_PROTOCOL, 0, 0, 0, "",
    -1, "" },
  { "bad-utf8", "data: {\"x\":\"\xff\",\"choices\":[]}\n\n", TACHO_ERROR_PROTOCOL, 0, 0, 0, "", -1,
    "UTF-8" },
  { "trailing", "data: {} {}\n\n", TACHO_ERROR_PROTOCOL, 0, 0, 0, "", -1, "" },
  { "not-an-object", "data: [1]\n\n", TACHO_ERROR_PROTOCOL, 0, 0, 0, "", -1, "object" },
  { "plain-text", "data: hello\n\n", TACHO_ERROR_PROTOCOL, 0, 0, 0, "", -1, "hello" },
  { "type-choices", "data: {\"choices\":7}\n\n", TACHO_ERROR_PROTOCOL, 0, 0, 0, "", -1, "choices" },
  { "type-choice", "data: {\"choices\":[7]}\n\n", TACHO_ERROR_PROTOCOL, 0, 0, 0, "", -1,
    "choices" },
  { "type-delta", "data: {\"choices\":[{\"delta\":7}]}\n\n", TACHO_ERROR_PROTOCOL, 0, 0, 0, "", -1,
    "delta" },
  { "type-content", CHUNK ("{\"content\":7}"), TACHO_ERROR_PROTOCOL, 0, 0, 0, "", -1, "content" },
  { "type-tools", CHUNK ("{\"tool_calls\":[7]}"), TACHO_ERROR_PROTOCOL, 0, 0, 0, "", -1,
    "tool_calls" },
  { "type-usage", "data: {\"choices\":[],\"usage\":7}\n\n", TACHO_ERROR_PROTOCOL, 0, 0, 0, "", -1,
    "usage" },
};
