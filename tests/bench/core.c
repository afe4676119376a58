/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts that the rest stands on, each by itself: the SSE parser, the JSON scanner beside
 * json-glib, the histogram, the statistics of a large sample, the history. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-bench-report.h"

#include "api/tacho-api-openai.h"
#include "api/tacho-json-scan.h"
#include "api/tacho-stream-decoder.h"
#include "base/tacho-clock.h"
#include "bench/tacho-distribution.h"
#include "bench/tacho-random.h"
#include "store/tacho-history.h"
#include "stream/tacho-sse.h"

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024.0 * 1024.0)
#define READ_SIZE 16384

static guint rounds_wanted;
static volatile guint64 sink; /* what is measured has a use */

static const char chunk_format[] =
    "{\"id\":\"chatcmpl-0123456789abcdef01234567\",\"object\":\"chat.completion.chunk\","
    "\"created\":1760000000,\"model\":\"qwen2.5-7b-instruct\",\"choices\":[{\"index\":0,\"delta\":{"
    "\"content\":\"%s\"},\"logprobs\":null,\"finish_reason\":null}]}";
static const char *const words[] = {
  " the", " measurement", " of", " throughput", ",", " which", " is", " \\u00e9tait", " and", "\\n"
};

static double
seconds_since (gint64 begin_ns)
{
  return (double) (tacho_clock_now_ns () - begin_ns) / TACHO_NS_PER_S;
}

/* --- parsers --- */

static GString *
make_stream (guint events)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < events; i++)
    {
      g_string_append (text, "data: ");
      g_string_append_printf (text, chunk_format, words[i % G_N_ELEMENTS (words)]);
      g_string_append (text, "\n\n");
    }
  return text;
}

static void
count_event (const TachoSseEvent *event, gpointer user_data)
{
  sink += event->length;
}

/* In pieces as they are read from a socket. */
static void
measure_sse (TachoBenchReport *report, guint events)
{
  g_autoptr (GString) text = make_stream (events);
  TachoRounds rates = { 0 }, floor = { 0 };

  for (guint round = 0; round <= rounds_wanted; round++)
    {
      g_autoptr (TachoSseParser) parser = tacho_sse_parser_new ();
      gint64 begin_ns = tacho_clock_now_ns ();

      for (gsize at = 0; at < text->len; at += READ_SIZE)
        if (!tacho_sse_parser_feed (parser, text->str + at, MIN (READ_SIZE, text->len - at),
                                    count_event, NULL, NULL))
          g_error ("the parser refused its input");
      if (round > 0) /* the first warms up */
        tacho_rounds_add (&rates, (double) text->len / MIB / seconds_since (begin_ns));
      begin_ns = tacho_clock_now_ns ();
      for (const char *at = text->str; (at = strstr (at, "\n\n")) != NULL; at += 2)
        sink++;
      if (round > 0)
        tacho_rounds_add (&floor, (double) text->len / MIB / seconds_since (begin_ns));
    }
  tacho_bench_report_add (report, &(TachoFigure){ .name = "sse-parser",
                                                  .unit = "MiB/s",
                                                  .rounds = &rates,
                                                  .reference_name = "strstr alone",
                                                  .reference = &floor });
}

static void
scan_all (char **chunks, guint n)
{
  TachoStreamEvent event = { 0 };
  const char *id = NULL;
  gsize id_length = 0;

  for (guint i = 0; i < n; i++)
    {
      if (!tacho_json_scan_chunk (chunks[i], strlen (chunks[i]), &event, &id, &id_length))
        g_error ("the scanner left a chunk to the full reading");
      sink += event.has_content;
    }
}

static void
load_all (char **chunks, guint n)
{
  g_autoptr (JsonParser) parser = json_parser_new ();

  for (guint i = 0; i < n; i++)
    {
      JsonObject *root, *choice;

      if (!json_parser_load_from_data (parser, chunks[i], -1, NULL))
        g_error ("json-glib refused a chunk");
      root = json_node_get_object (json_parser_get_root (parser));
      choice = json_array_get_object_element (json_object_get_array_member (root, "choices"), 0);
      sink += *json_object_get_string_member (json_object_get_object_member (choice, "delta"),
                                              "content") != '\0';
    }
}

static void
measure_json (TachoBenchReport *report, guint n)
{
  g_autoptr (GPtrArray) chunks = g_ptr_array_new_with_free_func (g_free);
  TachoRounds scan = { 0 }, full = { 0 };

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (chunks, g_strdup_printf (chunk_format, words[i % G_N_ELEMENTS (words)]));
  for (guint round = 0; round <= rounds_wanted; round++)
    {
      gint64 begin_ns = tacho_clock_now_ns ();

      scan_all ((char **) chunks->pdata, n);
      if (round > 0)
        tacho_rounds_add (&scan, 1e6 * seconds_since (begin_ns) / n);
      begin_ns = tacho_clock_now_ns ();
      load_all ((char **) chunks->pdata, n);
      if (round > 0)
        tacho_rounds_add (&full, 1e6 * seconds_since (begin_ns) / n);
    }
  tacho_bench_report_add (report, &(TachoFigure){ .name = "json-scan",
                                                  .unit = "us/event",
                                                  .rounds = &scan,
                                                  .reference_name = "json-glib",
                                                  .reference = &full });
}

static void
count_stream_event (const TachoStreamEvent *event, gpointer user_data)
{
  sink += event->has_content;
}

/* Framing and JSON together, as a stream of the load engine and one of the window have them. */
static void
measure_decoder (TachoBenchReport *report, guint events)
{
  g_autoptr (GString) text = make_stream (events);
  g_autoptr (TachoApi) api = tacho_api_openai_new ();
  TachoRounds times[2] = { 0 };

  for (guint round = 0; round <= rounds_wanted; round++)
    for (guint mode = 0; mode < 2; mode++)
      {
        g_autoptr (TachoStreamDecoder) decoder = tacho_stream_decoder_new (
            api, TACHO_OP_CHAT, mode == 0 ? TACHO_DECODE_MEASURE : TACHO_DECODE_FULL);
        gint64 begin_ns = tacho_clock_now_ns ();

        for (gsize at = 0; at < text->len; at += READ_SIZE)
          if (!tacho_stream_decoder_feed (decoder, text->str + at, MIN (READ_SIZE, text->len - at),
                                          count_stream_event, NULL, NULL))
            g_error ("the decoder refused its input");
        if (round > 0)
          tacho_rounds_add (&times[mode], 1e6 * seconds_since (begin_ns) / events);
      }
  tacho_bench_report_add (report, &(TachoFigure){ .name = "stream-decoder/measure",
                                                  .unit = "us/event",
                                                  .rounds = &times[0],
                                                  .reference_name = "the full reading",
                                                  .reference = &times[1] });
}

/* --- statistics --- */

/* Gaps as a run has them: about 20 ms, some far more. */
static double *
make_samples (guint n)
{
  TachoRandom random = tacho_random_new (1, 1);
  double *samples = g_new (double, n);

  for (guint i = 0; i < n; i++)
    samples[i] = 20 - 4 * log (1 - tacho_random_unit (&random));
  return samples;
}

static void
measure_histogram (TachoBenchReport *report, guint n)
{
  g_autofree double *samples = make_samples (n);
  TachoRounds times = { 0 };

  for (guint round = 0; round <= rounds_wanted; round++)
    {
      g_autoptr (TachoHistogram) histogram = tacho_histogram_new ();
      gint64 begin_ns = tacho_clock_now_ns ();

      for (guint i = 0; i < n; i++)
        tacho_histogram_record (histogram, (gint64) (samples[i] * TACHO_NS_PER_MS));
      if (round > 0)
        tacho_rounds_add (&times, 1e9 * seconds_since (begin_ns) / n);
      sink += tacho_histogram_get_count (histogram);
    }
  tacho_bench_report_add (
      report, &(TachoFigure){ .name = "histogram-record", .unit = "ns", .rounds = &times });
}

static int
compare_doubles (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static void
measure_distribution (TachoBenchReport *report, guint n)
{
  g_autofree double *samples = make_samples (n);
  g_autofree char *name = g_strdup_printf ("distribution/%u-samples", n);
  TachoRounds times = { 0 }, sorts = { 0 };

  for (guint round = 0; round < rounds_wanted; round++)
    {
      g_autofree double *copy = g_memdup2 (samples, n * sizeof (double));
      g_autofree double *other = g_memdup2 (samples, n * sizeof (double));
      TachoDistribution distribution;
      gint64 begin_ns = tacho_clock_now_ns ();

      tacho_distribution_from_samples (&distribution, copy, n);
      tacho_rounds_add (&times, 1e3 * seconds_since (begin_ns));
      begin_ns = tacho_clock_now_ns ();
      qsort (other, n, sizeof *other, compare_doubles);
      tacho_rounds_add (&sorts, 1e3 * seconds_since (begin_ns));
    }
  tacho_bench_report_add (report, &(TachoFigure){ .name = name,
                                                  .unit = "ms",
                                                  .rounds = &times,
                                                  .reference_name = "qsort alone",
                                                  .reference = &sorts });
}

/* --- the history --- */

static TachoBenchResult *
make_result (guint records)
{
  g_autoptr (TachoBenchPlan) plan = tacho_bench_plan_new ();
  TachoBenchResult *result;

  plan->model = g_strdup ("qwen2.5-7b-instruct");
  result = tacho_bench_result_new (plan);
  result->target_url = g_strdup ("http://127.0.0.1:8000");
  result->window_s = 60;
  result->window_start_ns = 1000;
  for (guint i = 0; i < records; i++)
    {
      TachoBenchRecord *record = g_new0 (TachoBenchRecord, 1);

      record->id = i;
      record->response_id = g_strdup_printf ("chatcmpl-%024x", i);
      record->scheduled_ns = record->start_ns = 1000 + i * 1000000;
      record->first_ns = record->start_ns + 80000000 + i % 97 * 1000000;
      record->last_ns = record->end_ns = record->first_ns + 1200000000;
      record->chunks = record->chunks_in_window = 64;
      record->prompt_tokens = 128;
      record->output_tokens = 64;
      record->tokens_from_usage = TRUE;
      g_ptr_array_add (result->records, record);
      for (guint k = 0; k < 63; k++)
        tacho_histogram_record (result->chunk_gaps, 19000000 + (i + k) % 89 * 30000);
    }
  tacho_bench_result_summarise (result);
  return result;
}

static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      g_unlink (path);
    }
  g_rmdir (folder);
}

/* Every insert is on the disk when it returns, so the disk is most of it. */
static void
measure_history (TachoBenchReport *report, guint records, guint n)
{
  g_autofree char *folder = g_dir_make_tmp ("tacho-bench-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "history.db", NULL);
  g_autofree char *name = g_strdup_printf ("history-insert/%u-requests", records);
  g_autoptr (GError) error = NULL;
  g_autofree char *notice = NULL;
  g_autoptr (TachoHistory) history = tacho_history_open (path, &notice, &error);
  TachoRounds rates = { 0 };

  for (guint round = 0; history != NULL && error == NULL && round < rounds_wanted; round++)
    {
      double seconds = 0;

      for (guint i = 0; error == NULL && i < n; i++)
        {
          g_autoptr (TachoBenchResult) result = make_result (records);
          gint64 begin_ns = tacho_clock_now_ns ();

          tacho_history_finish (history, result, &error);
          seconds += seconds_since (begin_ns);
        }
      tacho_rounds_add (&rates, n / seconds);
    }
  if (error != NULL)
    g_error ("%s", error->message);
  tacho_bench_report_add (report, &(TachoFigure){ .name = name,
                                                  .unit = "runs/s",
                                                  .rounds = &rates,
                                                  .note = "SQLite with synchronous=FULL" });
  g_clear_object (&history);
  remove_folder (folder);
}

int
main (int argc, char **argv)
{
  TachoBenchReport *report = tacho_bench_report_new ("core", argc, argv);

  rounds_wanted = tacho_bench_report_choose (report, 9, 2);
  if (tacho_bench_report_wants (report, "sse-parser"))
    measure_sse (report, tacho_bench_report_choose (report, 200000, 5000));
  if (tacho_bench_report_wants (report, "json-scan"))
    measure_json (report, tacho_bench_report_choose (report, 50000, 2000));
  if (tacho_bench_report_wants (report, "stream-decoder"))
    measure_decoder (report, tacho_bench_report_choose (report, 50000, 2000));
  if (tacho_bench_report_wants (report, "histogram-record"))
    measure_histogram (report, tacho_bench_report_choose (report, 5000000, 100000));
  if (tacho_bench_report_wants (report, "distribution"))
    measure_distribution (report, tacho_bench_report_choose (report, 1000000, 20000));
  if (tacho_bench_report_wants (report, "history-insert"))
    {
      measure_history (report, 100, tacho_bench_report_choose (report, 50, 3));
      measure_history (report, 10000, tacho_bench_report_choose (report, 5, 1));
    }
  return tacho_bench_report_finish (report);
}
