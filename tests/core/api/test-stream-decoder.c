/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every stream whole, split at every byte and byte by byte, in both modes; and both modes against
 * each other on mutated input. */
#include "api/tacho-stream-decoder.h"

#include <string.h>

#include "api/tacho-api-llamacpp.h"
#include "api/tacho-api-openai.h"
#include "api-vectors.h"
#include "test-utils.h"

typedef struct
{
  GString *text;
  GString *log; /* what both modes must agree on */
  guint n_content;
  guint n_reasoning;
  guint n_tool;
  guint n_after;
  gboolean ended;
  gint64 output_tokens;
} Seen;

static void
event_cb (const TachoStreamEvent *event, gpointer user_data)
{
  Seen *seen = user_data;

  g_assert_false (seen->ended);
  seen->ended = event->done || event->error != NULL;
  seen->n_content += event->has_content ? 1 : 0;
  seen->n_reasoning += event->has_reasoning ? 1 : 0;
  seen->n_tool += event->has_tool ? 1 : 0;
  if (event->reasoning != NULL)
    g_string_append_printf (seen->text, "[%s]", event->reasoning);
  if (event->content != NULL)
    g_string_append (seen->text, event->content);
  if (event->has_usage)
    seen->output_tokens = event->usage.output_tokens;
  g_string_append_printf (
      seen->log,
      "%d%d%d%d id=%s usage=%d %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
      " %" G_GINT64_FORMAT " timings=%d %" G_GINT64_FORMAT " %.17g %" G_GINT64_FORMAT
      " %" G_GINT64_FORMAT " %.17g error=%s\n",
      event->has_content, event->has_reasoning, event->has_tool, event->done,
      event->response_id != NULL ? event->response_id : "-", event->has_usage,
      event->usage.prompt_tokens, event->usage.output_tokens, event->usage.cached_tokens,
      event->usage.reasoning_tokens, event->has_timings, event->timings.prompt_n,
      event->timings.prompt_ms, event->timings.cached_n, event->timings.predicted_n,
      event->timings.predicted_ms, event->error != NULL ? event->error->message : "-");
}

static void
seen_reset (Seen *seen)
{
  if (seen->text == NULL)
    {
      seen->text = g_string_new (NULL);
      seen->log = g_string_new (NULL);
    }
  g_string_truncate (seen->text, 0);
  g_string_truncate (seen->log, 0);
  seen->n_content = seen->n_reasoning = seen->n_tool = 0;
  seen->ended = FALSE;
  seen->output_tokens = -1;
}

static void
seen_clear (Seen *seen)
{
  g_string_free (seen->text, TRUE);
  g_string_free (seen->log, TRUE);
}

/* Feeds `data` cut at `cut`, or byte by byte where `cut` is G_MAXSIZE; the error stays the
 * error. */
static void
run (TachoStreamDecoder *decoder,
     const char *data,
     gsize length,
     gsize cut,
     Seen *seen,
     GError **error)
{
  gsize at = 0;

  seen_reset (seen);
  tacho_stream_decoder_reset (decoder);
  while (at < length)
    {
      gsize n = cut == G_MAXSIZE ? 1 : at < cut ? cut - at : length - at;
      /* A copy of just the size, so that a sanitiser sees a read beyond it. */
      g_autofree char *piece = g_memdup2 (data + at, n);
      g_autoptr (GError) local = NULL;

      if (!tacho_stream_decoder_feed (decoder, piece, n, event_cb, seen, &local))
        g_assert_nonnull (local);
      at += n;
    }
  if (tacho_stream_decoder_finish (decoder, event_cb, seen, error))
    g_assert_true (tacho_stream_decoder_is_done (decoder));
  g_string_append_printf (seen->log, "%s\n",
                          error != NULL && *error != NULL ? (*error)->message : "whole");
}

static void
check_vector (const StreamVector *v, const Seen *seen, const GError *error, TachoDecodeMode mode)
{
  if (v->code == 0)
    g_assert_no_error (error);
  else
    g_assert_error (error, TACHO_ERROR, v->code);
  if (v->words != NULL)
    g_assert_nonnull (strstr (error->message, v->words));
  if (error != NULL)
    {
      g_assert_cmpuint (strlen (error->message), <, 2500);
      g_assert_null (strchr (error->message, '\x1b'));
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
  g_assert_cmpuint (seen->n_content, ==, v->n_content);
  g_assert_cmpuint (seen->n_reasoning, ==, v->n_reasoning);
  g_assert_cmpuint (seen->n_tool, ==, v->n_tool);
  g_assert_cmpint (seen->output_tokens, ==, v->output_tokens);
  if (mode == TACHO_DECODE_FULL)
    g_assert_cmpstr (seen->text->str, ==, v->text);
}

static void
test_vector (gconstpointer data)
{
  const StreamVector *v = data;
  g_autoptr (TachoApi) api = tacho_api_openai_new ();
  gsize length = strlen (v->stream);
  g_autofree char *first = NULL;
  Seen seen = { 0 };

  for (int mode = TACHO_DECODE_FULL; mode <= (int) TACHO_DECODE_MEASURE; mode++)
    {
      g_autoptr (TachoStreamDecoder) decoder =
          tacho_stream_decoder_new (api, TACHO_OP_CHAT, (TachoDecodeMode) mode);

      for (gsize cut = 0; cut <= length + 1; cut++)
        {
          g_autoptr (GError) error = NULL;

          run (decoder, v->stream, length, cut <= length ? cut : G_MAXSIZE, &seen, &error);
          check_vector (v, &seen, error, (TachoDecodeMode) mode);
          if (first == NULL)
            first = g_strdup (seen.log->str);
          g_assert_cmpstr (seen.log->str, ==, first);
        }
    }
  seen_clear (&seen);
}

static void
mutate (GRand *rand, GString *text)
{
  static const char *const pieces[] = { "\"",
                                        "{",
                                        "}",
                                        "[",
                                        "]",
                                        ",",
                                        ":",
                                        "null",
                                        "\\u0063",
                                        "1e9",
                                        "-0",
                                        "0.5",
                                        "1e999",
                                        "\"id\":",
                                        "\"content\":",
                                        "\"error\":",
                                        "\n\n",
                                        "data: ",
                                        "\\",
                                        "\xc3",
                                        "true",
                                        "99999999999999999999",
                                        "\"usage\":",
                                        "\"tool_calls\":",
                                        "\"reasoning_details\":[{\"text\":\"x\"}],",
                                        "error: ",
                                        "[DONE]",
                                        "\t" };
  int n = g_rand_int_range (rand, 1, 4);

  for (int i = 0; i < n && text->len > 8; i++)
    {
      gssize at = g_rand_int_range (rand, 0, (gint32) text->len);
      gssize span = g_rand_int_range (rand, 1, 8);
      const char *piece = pieces[g_rand_int_range (rand, 0, G_N_ELEMENTS (pieces))];

      switch (g_rand_int_range (rand, 0, 4))
        {
        case 0:
          text->str[at] = (char) g_rand_int_range (rand, 1, 256);
          break;
        case 1:
          g_string_erase (text, at, MIN (span, (gssize) text->len - at));
          break;
        case 2:
          g_string_insert (text, at, piece);
          break;
        default:
          g_string_overwrite (text, (gsize) at, piece);
        }
    }
}

static void
test_differential (void)
{
  g_autoptr (TachoApi) api = tacho_api_llamacpp_new (FALSE, NULL);
  g_autoptr (TachoStreamDecoder) full =
      tacho_stream_decoder_new (api, TACHO_OP_CHAT, TACHO_DECODE_FULL);
  g_autoptr (TachoStreamDecoder) measure =
      tacho_stream_decoder_new (api, TACHO_OP_CHAT, TACHO_DECODE_MEASURE);
  g_autoptr (GRand) rand = g_rand_new_with_seed (20260212);
  g_autoptr (GString) text = g_string_new (NULL);
  Seen a = { 0 }, b = { 0 };
  guint n_whole = 0, n_failed = 0;

  for (guint i = 0; i < 40000; i++)
    {
      const StreamVector *v = &stream_vectors[i % G_N_ELEMENTS (stream_vectors)];
      g_autoptr (GError) error_a = NULL;
      g_autoptr (GError) error_b = NULL;

      g_string_assign (text, v->stream);
      mutate (rand, text);
      run (full, text->str, text->len, text->len, &a, &error_a);
      run (measure, text->str, text->len, text->len / 2, &b, &error_b);
      if (strcmp (a.log->str, b.log->str) != 0)
        g_test_message ("input: %s", text->str);
      g_assert_cmpstr (a.log->str, ==, b.log->str);
      *(error_a == NULL ? &n_whole : &n_failed) += 1;
    }
  /* Both kinds were met often enough to mean something. */
  g_assert_cmpuint (n_whole, >, 2000);
  g_assert_cmpuint (n_failed, >, 2000);
  seen_clear (&a);
  seen_clear (&b);
}

typedef struct
{
  TachoStreamEvent last;
  char *name;
  char *arguments;
  int index;
  double progress;
  gint64 total;
} Fields;

static void
fields_cb (const TachoStreamEvent *event, gpointer user_data)
{
  Fields *fields = user_data;

  if (event->tool_name != NULL)
    {
      fields->name = g_strdup (event->tool_name);
      fields->arguments = g_strdup (event->tool_arguments);
      fields->index = event->tool_index;
    }
  if (event->prompt_total >= 0)
    {
      fields->progress = event->prompt_progress;
      fields->total = event->prompt_total;
    }
}

static void
test_full_fields (void)
{
  static const char stream[] =
      "data: {\"choices\":[],\"prompt_progress\":{\"total\":40,\"cache\":0,\"processed\":10}}\n\n"
      "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":3,\"function\":{\"name\":\"f\","
      "\"arguments\":\"{}\"}}]}}]}\n\n" DONE;
  g_autoptr (TachoApi) api = tacho_api_llamacpp_new (FALSE, NULL);
  g_autoptr (TachoStreamDecoder) decoder =
      tacho_stream_decoder_new (api, TACHO_OP_CHAT, TACHO_DECODE_FULL);
  g_autoptr (GError) error = NULL;
  Fields fields = { 0 };

  g_assert_true (
      tacho_stream_decoder_feed (decoder, stream, strlen (stream), fields_cb, &fields, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (fields.name, ==, "f");
  g_assert_cmpstr (fields.arguments, ==, "{}");
  g_assert_cmpint (fields.index, ==, 3);
  g_assert_cmpfloat (fields.progress, ==, 0.25);
  g_assert_cmpint (fields.total, ==, 40);
  g_free (fields.name);
  g_free (fields.arguments);
}

static void
test_deep (void)
{
  g_autoptr (TachoApi) api = tacho_api_openai_new ();
  g_autoptr (GString) text = g_string_new ("data: {\"x\":");

  for (guint i = 0; i < 100000; i++)
    g_string_append_c (text, '[');
  g_string_append (text, "\n\n");
  for (int mode = TACHO_DECODE_FULL; mode <= (int) TACHO_DECODE_MEASURE; mode++)
    {
      g_autoptr (TachoStreamDecoder) decoder =
          tacho_stream_decoder_new (api, TACHO_OP_CHAT, (TachoDecodeMode) mode);
      g_autoptr (GError) error = NULL;

      g_assert_false (
          tacho_stream_decoder_feed (decoder, text->str, text->len, NULL, NULL, &error));
      g_assert_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL);
    }
}

/* The price of one event in the hot path: said, not judged. */
static void
test_speed (void)
{
  g_autoptr (TachoApi) api = tacho_api_llamacpp_new (FALSE, NULL);
  g_autoptr (TachoStreamDecoder) decoder =
      tacho_stream_decoder_new (api, TACHO_OP_CHAT, TACHO_DECODE_MEASURE);
  static const char chunk[] =
      "data: "
      "{\"id\":\"chatcmpl-7f2d1c0a9b\",\"object\":\"chat.completion.chunk\",\"created\":1770000000,"
      "\"model\":\"tiny\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" token\"},"
      "\"finish_reason\":null}]}\n\n";
  const guint n = 200000;
  gint64 start = g_get_monotonic_time ();

  for (guint i = 0; i < n; i++)
    g_assert_true (tacho_stream_decoder_feed (decoder, chunk, sizeof chunk - 1, NULL, NULL, NULL));
  g_test_minimized_result (
      (double) (g_get_monotonic_time () - start) * 1000.0 / n, "%.0f ns an event of %u bytes",
      (double) (g_get_monotonic_time () - start) * 1000.0 / n, (guint) sizeof chunk - 1);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (stream_vectors); i++)
    {
      g_autofree char *path = g_strconcat ("/api/decoder/vector/", stream_vectors[i].name, NULL);

      g_test_add_data_func (path, &stream_vectors[i], test_vector);
    }
  g_test_add_func ("/api/decoder/differential", test_differential);
  g_test_add_func ("/api/decoder/full-fields", test_full_fields);
  g_test_add_func ("/api/decoder/deep", test_deep);
  if (g_test_perf ())
    g_test_add_func ("/api/decoder/speed", test_speed);
  return g_test_run ();
}
