/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli bench --calibrate: how much this machine's client can measure. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-calibrate.h"

#include "base/tacho-error.h"
#include "bench/tacho-calibrate.h"

#include <glib/gstdio.h>
#include <math.h>

static void
add_step (JsonBuilder *builder, const TachoCalibration *step)
{
  json_builder_begin_object (builder);
  cli_json_count (builder, "streams", step->streams, -1);
  cli_json_double (builder, "planned_events_per_s", step->planned_events_per_s);
  cli_json_double (builder, "events_per_s", step->events_per_s);
  cli_json_double (builder, "stamp_error_us_p50", step->stamp_error_us_p50);
  cli_json_double (builder, "stamp_error_us_p99", step->stamp_error_us_p99);
  cli_json_double (builder, "own_read_share", step->own_read_share);
  cli_json_double (builder, "loop_lag_ms_p99", step->loop_lag_ms_p99);
  cli_json_double (builder, "client_cpu_share", step->client_cpu_share);
  cli_json_double (builder, "cpu_us_per_event", step->cpu_us_per_event);
  json_builder_set_member_name (builder, "clean");
  json_builder_add_boolean_value (builder, step->clean);
  json_builder_end_object (builder);
}

static void
print_json (CliSession *session, GArray *steps)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  cli_json_string (builder, "schema", "tacho.calibration/1");
  cli_json_count (builder, "tokens_per_s_of_a_stream", TACHO_CALIBRATE_TOKENS_PER_S, -1);
  cli_json_count (builder, "streams_without_distortion", tacho_calibrate_limit (steps), -1);
  json_builder_set_member_name (builder, "steps");
  json_builder_begin_array (builder);
  for (guint i = 0; i < steps->len; i++)
    add_step (builder, &g_array_index (steps, TachoCalibration, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  cli_session_print_json (session, builder);
}

static void
print_table (CliSession *session, GArray *steps)
{
  static const char *const head[] = {
    "streams", "events/s", "own reads", "lag p99, ms", "stamp p50, us", "p99, us", "CPU", "", NULL
  };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autofree char *table = NULL;
  g_autofree char *words = NULL;

  g_ptr_array_add (rows, g_strdupv ((char **) head));
  for (guint i = 0; i < steps->len; i++)
    {
      const TachoCalibration *step = &g_array_index (steps, TachoCalibration, i);
      char **row = g_new0 (char *, 9);

      row[0] = g_strdup_printf ("%u", step->streams);
      row[1] = g_strdup_printf ("%.0f", step->events_per_s);
      row[2] = g_strdup_printf ("%.1f %%", step->own_read_share * 100);
      row[3] = g_strdup_printf ("%.2f", step->loop_lag_ms_p99);
      row[4] = g_strdup_printf ("%.0f", step->stamp_error_us_p50);
      row[5] = g_strdup_printf ("%.0f", step->stamp_error_us_p99);
      row[6] = g_strdup_printf ("%.0f %%", step->client_cpu_share * 100);
      row[7] = g_strdup (step->clean ? "clean" : "distorted");
      g_ptr_array_add (rows, row);
    }
  table = cli_table_format (rows);
  cli_terminal_print (session->terminal, table);
  words = tacho_calibrate_limit (steps) > 0
              ? g_strdup_printf ("Up to %u streams of %d tokens/s were measured here without "
                                 "distortion, sender and client on one machine.\n",
                                 tacho_calibrate_limit (steps), TACHO_CALIBRATE_TOKENS_PER_S)
              : g_strdup ("Nothing could be measured here without distortion: the machine is too "
                          "busy.\n");
  cli_terminal_print (session->terminal, words);
}

int
cli_calibrate (CliSession *session, guint highest, double seconds)
{
  g_autoptr (GArray) steps = g_array_new (FALSE, FALSE, sizeof (TachoCalibration));

  for (guint i = 0; i < TACHO_N_CALIBRATE_STEPS; i++)
    {
      guint streams = tacho_calibrate_streams[i];
      g_autoptr (GError) error = NULL;
      TachoCalibration step;

      if (highest != 0 && streams > highest)
        break;
      if (session->interrupts > 0)
        return CLI_EXIT_INTERRUPTED;
      cli_terminal_say (session->terminal, "%u streams…", streams);
      if (!tacho_calibrate (streams, seconds > 0 ? seconds : TACHO_CALIBRATE_STEP_S, &step, &error))
        {
          /* Too many for this machine's limits: that is a limit too. */
          if (steps->len == 0)
            return cli_session_fail (session, error);
          cli_terminal_say (session->terminal, "%s", error->message);
          break;
        }
      g_array_append_val (steps, step);
      while (g_main_context_iteration (NULL, FALSE))
        ;
    }
  if (session->globals.json)
    print_json (session, steps);
  else
    print_table (session, steps);
  return CLI_EXIT_OK;
}
