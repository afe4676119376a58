/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds: those of vLLM's time to first token; they reach from a millisecond to 40 minutes. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-histogram.h"

static const double bounds[TACHO_SIM_N_BUCKETS] = {
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75,
  1,     2.5,   5,    7.5,  10,   20,   40,   80,  160,  640, 2560,
};

/**
 * tacho_sim_histogram_add:
 * @histogram: a histogram
 * @seconds: what it took; not less than zero
 */
void
tacho_sim_histogram_add (TachoSimHistogram *histogram, double seconds)
{
  guint i = 0;

  while (i < TACHO_SIM_N_BUCKETS && seconds > bounds[i])
    i++;
  histogram->counts[i]++;
  histogram->sum += MAX (seconds, 0);
}

/**
 * tacho_sim_histogram_print:
 * @histogram: a histogram
 * @text: gets its HELP, its TYPE and its samples
 * @name: of the metric
 * @labels: as in the text format, without braces; may be empty
 * @help: one line
 */
void
tacho_sim_histogram_print (const TachoSimHistogram *histogram,
                           GString *text,
                           const char *name,
                           const char *labels,
                           const char *help)
{
  const char *comma = *labels != '\0' ? "," : "";
  g_autofree char *braces = *labels != '\0' ? g_strdup_printf ("{%s}", labels) : g_strdup ("");
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  guint64 below = 0;

  g_string_append_printf (text, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name);
  for (guint i = 0; i <= TACHO_SIM_N_BUCKETS; i++)
    {
      const char *bound = i < TACHO_SIM_N_BUCKETS
                              ? g_ascii_formatd (number, sizeof number, "%.15g", bounds[i])
                              : "+Inf";

      below += histogram->counts[i];
      g_string_append_printf (text, "%s_bucket{%s%sle=\"%s\"} %" G_GUINT64_FORMAT "\n", name,
                              labels, comma, bound, below);
    }
  g_string_append_printf (text, "%s_sum%s %s\n%s_count%s %" G_GUINT64_FORMAT "\n", name, braces,
                          g_ascii_formatd (number, sizeof number, "%.15g", histogram->sum), name,
                          braces, below);
}
