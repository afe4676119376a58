/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the services cost that the window and the command line use: requests a second beside bare
 * libsoup on the same server, lists of models, connections new and kept, and a long stream. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-bench-client.h"
#include "tacho-bench-report.h"
#include "tacho-reference-responder.h"

#include "base/tacho-clock.h"

#include <string.h>

#define GOAL_RATE_RATIO 0.7
#define GOAL_FLATNESS 1.2

static TachoResponder keeps, closes;
static guint stream_events;

/* --- requests a second --- */

typedef struct
{
  const char *name; /* "infer/8-at-a-time" */
  guint n, in_flight;
  TachoBenchStart start;
  gboolean post;
  gboolean is_goal;
  const TachoResponder *server;
} RateCase;

static void
run_rate (guint n,
          guint in_flight,
          TachoBenchStart start,
          gpointer user_data,
          TachoRounds *rate,
          TachoRounds *cpu)
{
  gint64 cpu_ns;

  tacho_bench_run_many (n / 10, in_flight, start, user_data); /* warm-up */
  cpu_ns = tacho_bench_process_cpu_ns ();
  tacho_rounds_add (rate, n / tacho_bench_run_many (n, in_flight, start, user_data));
  tacho_rounds_add (cpu, (double) (tacho_bench_process_cpu_ns () - cpu_ns) / 1e3 / n);
}

static void
measure_rate (TachoBenchReport *report, const RateCase *at)
{
  guint n_rounds = tacho_bench_report_choose (report, 6, 2);
  guint n = tacho_bench_report_is_quick (report) ? MAX (at->n / 25, 20) : at->n;
  g_autofree char *cpu_name = g_strconcat (at->name, "/cpu", NULL);
  TachoRounds rates[2] = { 0 }, cpu[2] = { 0 };

  for (guint round = 0; round < n_rounds; round++)
    {
      g_autoptr (SoupSession) session = tacho_bench_soup_new ();
      TachoBenchSoup soup = { session, at->server->url, at->post };
      TachoBenchClient client;

      tacho_bench_client_open (&client, at->server->url, NULL);
      /* Who is first changes, for the second finds what the first leaves. */
      for (guint i = 0; i < 2; i++)
        if ((i + round) % 2 == 0)
          run_rate (n, at->in_flight, at->start, &client, &rates[0], &cpu[0]);
        else
          run_rate (n, at->in_flight, tacho_bench_start_soup, &soup, &rates[1], &cpu[1]);
      tacho_bench_client_close (&client);
    }
  tacho_bench_report_add (
      report, &(TachoFigure){ .name = at->name,
                              .unit = "1/s",
                              .rounds = &rates[0],
                              .reference_name = "bare libsoup",
                              .reference = &rates[1],
                              .goal = at->is_goal ? TACHO_GOAL_RATIO_AT_LEAST : TACHO_GOAL_NONE,
                              .limit = GOAL_RATE_RATIO });
  tacho_bench_report_add (report, &(TachoFigure){ .name = cpu_name,
                                                  .unit = "us",
                                                  .rounds = &cpu[0],
                                                  .reference_name = "bare libsoup",
                                                  .reference = &cpu[1],
                                                  .note = "CPU of one request" });
}

/* --- one after the other --- */

/* Milliseconds from nothing (no connection, no API known) to a list; of a list anew; of one that is
 * still fresh. */
static void
cached_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  if (tacho_model_service_list_finish (TACHO_MODEL_SERVICE (source), result, NULL))
    tacho_bench_many_ended (user_data);
}

static void
start_cached (TachoBenchMany *many, gpointer client)
{
  const TachoBenchClient *self = client;

  tacho_model_service_list_async (self->models, FALSE, NULL, cached_cb, many);
}

static void
add_ms (TachoBenchReport *report, const char *name, const TachoRounds *rounds, const char *note)
{
  tacho_bench_report_add (
      report, &(TachoFigure){ .name = name, .unit = "ms", .rounds = rounds, .note = note });
}

static void
measure_list (TachoBenchReport *report)
{
  guint n_rounds = tacho_bench_report_choose (report, 9, 2);
  guint n = tacho_bench_report_choose (report, 200, 10);
  TachoRounds cold = { 0 }, refreshed = { 0 }, cached = { 0 };

  for (guint round = 0; round < n_rounds; round++)
    {
      TachoBenchClient client;

      tacho_bench_client_open_cold (&client, keeps.url, NULL);
      tacho_rounds_add (&cold, 1e3 * tacho_bench_run_many (1, 1, tacho_bench_start_list, &client));
      tacho_rounds_add (&refreshed,
                        1e3 * tacho_bench_run_many (n, 1, tacho_bench_start_list, &client) / n);
      tacho_rounds_add (&cached, 1e3 * tacho_bench_run_many (n, 1, start_cached, &client) / n);
      tacho_bench_client_close (&client);
    }
  add_ms (report, "list-models/cold", &cold, "probe, connection and 40 models");
  add_ms (report, "list-models/refreshed", &refreshed, "40 models over a kept connection");
  add_ms (report, "list-models/cached", &cached, NULL);
}

static void
measure_pooling (TachoBenchReport *report)
{
  guint n_rounds = tacho_bench_report_choose (report, 5, 1);
  guint n = tacho_bench_report_choose (report, 1000, 50);
  TachoRounds times[2] = { 0 };

  for (guint round = 0; round < n_rounds; round++)
    for (guint i = 0; i < 2; i++)
      {
        TachoBenchClient client;

        tacho_bench_client_open (&client, i == 0 ? keeps.url : closes.url, NULL);
        tacho_bench_run_many (n / 10, 1, tacho_bench_start_generation, &client);
        tacho_rounds_add (&times[i],
                          1e3 * tacho_bench_run_many (n, 1, tacho_bench_start_generation, &client) /
                              n);
        tacho_bench_client_close (&client);
      }
  tacho_bench_report_add (report, &(TachoFigure){ .name = "connections/reused",
                                                  .unit = "ms",
                                                  .rounds = &times[0],
                                                  .reference_name = "a new one each",
                                                  .reference = &times[1],
                                                  .note = "one request after the other" });
}

/* --- a long stream --- */

typedef struct
{
  guint deltas, tenth;
  gint64 begin_ns, first_end_ns, last_begin_ns, end_ns; /* CPU of the thread */
} Stream;

static void
delta_cb (TachoGeneration *generation, const char *text, gboolean reasoning, gpointer user_data)
{
  Stream *self = user_data;

  self->deltas++;
  if (self->deltas == 1)
    self->begin_ns = tacho_bench_thread_cpu_ns ();
  else if (self->deltas == self->tenth)
    self->first_end_ns = tacho_bench_thread_cpu_ns ();
  else if (self->deltas == 9 * self->tenth)
    self->last_begin_ns = tacho_bench_thread_cpu_ns ();
  else if (self->deltas == 10 * self->tenth)
    self->end_ns = tacho_bench_thread_cpu_ns ();
}

static Stream
stream_once (TachoBenchClient *client)
{
  Stream stream = { .tenth = stream_events / 10 };
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoGeneration) generation = NULL;

  client->request->stream = TRUE;
  generation = tacho_inference_service_start (client->inference, client->request, &error);
  if (generation == NULL)
    g_error ("%s", error->message);
  g_signal_connect (generation, "delta", G_CALLBACK (delta_cb), &stream);
  while (!tacho_generation_is_ended (generation))
    g_main_context_iteration (NULL, TRUE);
  if (tacho_generation_get_state (generation) != TACHO_GENERATION_DONE ||
      stream.deltas != stream_events)
    g_error ("%u of %u events came", stream.deltas, stream_events);
  return stream;
}

/* Bare libsoup: reads the same body and looks for the ends of its events. */
static double
stream_bare_us (void)
{
  g_autoptr (SoupSession) session = tacho_bench_soup_new ();
  g_autoptr (SoupMessage) message = tacho_bench_soup_post (keeps.url, TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (GInputStream) body = NULL;
  gint64 begin_ns = tacho_bench_thread_cpu_ns ();
  char data[16384];
  guint events = 0;
  gssize n;

  body = soup_session_send (session, message, NULL, &error);
  while (body != NULL && (n = g_input_stream_read (body, data, sizeof data, NULL, &error)) > 0)
    for (const char *at = data; (at = memmem (at, (gsize) (data + n - at), "\n\n", 2)) != NULL;
         at += 2)
      events++;
  if (error != NULL || events < stream_events)
    g_error ("%s", error != NULL ? error->message : "the stream is too short");
  return (double) (tacho_bench_thread_cpu_ns () - begin_ns) / 1e3 / stream_events;
}

static void
measure_stream (TachoBenchReport *report)
{
  guint n_rounds = tacho_bench_report_choose (report, 7, 2);
  TachoRounds first = { 0 }, last = { 0 }, all = { 0 }, bare = { 0 };

  for (guint round = 0; round < n_rounds; round++)
    {
      TachoBenchClient client;
      Stream stream;

      tacho_bench_client_open (&client, keeps.url, NULL);
      stream = stream_once (&client);
      tacho_rounds_add (&first,
                        (double) (stream.first_end_ns - stream.begin_ns) / 1e3 / stream.tenth);
      tacho_rounds_add (&last,
                        (double) (stream.end_ns - stream.last_begin_ns) / 1e3 / stream.tenth);
      tacho_rounds_add (&all, (double) (stream.end_ns - stream.begin_ns) / 1e3 / stream_events);
      tacho_rounds_add (&bare, stream_bare_us ());
      tacho_bench_client_close (&client);
    }
  tacho_bench_report_add (report, &(TachoFigure){ .name = "stream/last-tenth",
                                                  .unit = "us/event",
                                                  .rounds = &last,
                                                  .reference_name = "the first tenth",
                                                  .reference = &first,
                                                  .goal = TACHO_GOAL_RATIO_AT_MOST,
                                                  .limit = GOAL_FLATNESS,
                                                  .note = "of one long reply" });
  tacho_bench_report_add (report, &(TachoFigure){ .name = "stream/whole",
                                                  .unit = "us/event",
                                                  .rounds = &all,
                                                  .reference_name = "bare libsoup without JSON",
                                                  .reference = &bare });
}

int
main (int argc, char **argv)
{
  TachoBenchReport *report = tacho_bench_report_new ("services", argc, argv);
  const RateCase rates[] = {
    { "infer/1-at-a-time", 4000, 1, tacho_bench_start_generation, TRUE, FALSE, &keeps },
    { "infer/8-at-a-time", 10000, 8, tacho_bench_start_generation, TRUE, TRUE, &keeps },
    { "infer/32-at-a-time", 10000, 32, tacho_bench_start_generation, TRUE, TRUE, &keeps },
    { "list-models/rate", 2000, 1, tacho_bench_start_list, FALSE, FALSE, &keeps },
  };

  stream_events = tacho_bench_report_choose (report, 100000, 10000);
  tacho_responder_start (&keeps, stream_events, FALSE);
  tacho_responder_start (&closes, stream_events, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (rates); i++)
    if (tacho_bench_report_wants (report, rates[i].name))
      measure_rate (report, &rates[i]);
  if (tacho_bench_report_wants (report, "list-models"))
    measure_list (report);
  if (tacho_bench_report_wants (report, "connections"))
    measure_pooling (report);
  if (tacho_bench_report_wants (report, "stream"))
    measure_stream (report);
  tacho_responder_stop (&keeps);
  tacho_responder_stop (&closes);
  return tacho_bench_report_finish (report);
}
