/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row of large figures with their names below. */
#define G_LOG_DOMAIN "tacho-bench-counters"

#include "config.h"

#include "app/tacho-bench-counters.h"
#include "app/tacho-display.h"

#include <glib/gi18n.h>
#include <math.h>

enum
{
  ANSWERED,
  FAILED,
  TOKENS,
  TOKEN_RATE,
  REQUEST_RATE,
  IN_FLIGHT,
  TTFT,
  N_COUNTERS
};

static const struct
{
  const char *name;
  const char *tooltip;
} counters[N_COUNTERS] = {
  [ANSWERED] = { N_ ("Answered"), N_ ("Requests that ended well, warm-up left out") },
  [FAILED] = { N_ ("Failed"), N_ ("Errors, and replies that were cut short") },
  [TOKENS] = { N_ ("Output tokens"), N_ ("Of the answered requests") },
  [TOKEN_RATE] = { N_ ("Tokens/s"), N_ ("Live: over the last second. After: over the whole run") },
  [REQUEST_RATE] = { N_ ("Requests/s"), N_ ("Answered, over the whole run") },
  [IN_FLIGHT] = { N_ ("In flight"), N_ ("Requests that are being answered now") },
  [TTFT] = { N_ ("TTFT p50"), N_ ("Median time to first token so far") },
};

struct _TachoBenchCounters
{
  AdwBin parent_instance;
  GtkLabel *values[N_COUNTERS];
};

G_DEFINE_FINAL_TYPE (TachoBenchCounters, tacho_bench_counters, ADW_TYPE_BIN)

static void
tacho_bench_counters_class_init (TachoBenchCountersClass *klass)
{
}

static void
add_counter (TachoBenchCounters *self, GtkBox *row, guint i)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *value = gtk_label_new (NULL);
  GtkWidget *name = gtk_label_new (_ (counters[i].name));

  gtk_label_set_xalign (GTK_LABEL (value), 0);
  gtk_label_set_selectable (GTK_LABEL (value), TRUE);
  gtk_widget_add_css_class (value, "counter");
  gtk_widget_add_css_class (value, "numeric");
  gtk_accessible_update_property (GTK_ACCESSIBLE (value), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  _ (counters[i].name), -1);
  gtk_label_set_xalign (GTK_LABEL (name), 0);
  gtk_label_set_wrap (GTK_LABEL (name), TRUE);
  gtk_widget_add_css_class (name, "caption");
  gtk_widget_add_css_class (name, "dim-label");
  gtk_widget_set_tooltip_text (box, _ (counters[i].tooltip));
  gtk_box_append (GTK_BOX (box), value);
  gtk_box_append (GTK_BOX (box), name);
  gtk_box_append (row, box);
  self->values[i] = GTK_LABEL (value);
}

static void
tacho_bench_counters_init (TachoBenchCounters *self)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);

  gtk_box_set_homogeneous (GTK_BOX (row), TRUE);
  for (guint i = 0; i < N_COUNTERS; i++)
    add_counter (self, GTK_BOX (row), i);
  adw_bin_set_child (ADW_BIN (self), row);
  tacho_bench_counters_clear (self);
}

static void
set_count (TachoBenchCounters *self, guint at, guint64 count)
{
  g_autofree char *text = g_strdup_printf ("%'" G_GUINT64_FORMAT, count);

  gtk_label_set_label (self->values[at], text);
}

static void
set_rate (TachoBenchCounters *self, guint at, double rate)
{
  g_autofree char *text = tacho_display_number (rate);

  gtk_label_set_label (self->values[at], text);
}

static void
set_failed (TachoBenchCounters *self, guint64 failed)
{
  set_count (self, FAILED, failed);
  tacho_display_set_class (GTK_WIDGET (self->values[FAILED]), failed > 0 ? "error" : "");
}

static void
set_ms (TachoBenchCounters *self, guint at, double ms)
{
  g_autofree char *text = tacho_display_ms (ms);

  gtk_label_set_label (self->values[at], text);
}

/**
 * tacho_bench_counters_clear:
 * @self: the figures
 *
 * A dash each.
 */
void
tacho_bench_counters_clear (TachoBenchCounters *self)
{
  g_return_if_fail (TACHO_IS_BENCH_COUNTERS (self));

  for (guint i = 0; i < N_COUNTERS; i++)
    gtk_label_set_label (self->values[i], "—");
  tacho_display_set_class (GTK_WIDGET (self->values[FAILED]), "");
}

/**
 * tacho_bench_counters_show_snapshot:
 * @self: the figures
 * @snapshot: of a run that goes on
 */
void
tacho_bench_counters_show_snapshot (TachoBenchCounters *self, const TachoBenchSnapshot *snapshot)
{
  double elapsed = snapshot->elapsed_s;

  g_return_if_fail (TACHO_IS_BENCH_COUNTERS (self));

  set_count (self, ANSWERED, snapshot->ok);
  set_failed (self, snapshot->error + snapshot->truncated);
  set_count (self, TOKENS, snapshot->output_tokens);
  set_rate (self, TOKEN_RATE, snapshot->output_tokens_per_s);
  /* Of the run so far: in one second, few requests end. */
  set_rate (self, REQUEST_RATE, elapsed > 0 ? (double) snapshot->ok / elapsed : NAN);
  set_count (self, IN_FLIGHT, snapshot->in_flight);
  set_ms (self, TTFT, snapshot->ttft_ms_p50);
}

/**
 * tacho_bench_counters_show_result:
 * @self: the figures
 * @result: of a run that has ended
 */
void
tacho_bench_counters_show_result (TachoBenchCounters *self, const TachoBenchResult *result)
{
  g_return_if_fail (TACHO_IS_BENCH_COUNTERS (self));

  set_count (self, ANSWERED, result->ok);
  set_failed (self, result->error + result->truncated);
  set_count (self, TOKENS, result->output_tokens);
  set_rate (self, TOKEN_RATE, result->output_tokens_per_s);
  set_rate (self, REQUEST_RATE, result->requests_per_s);
  set_count (self, IN_FLIGHT, 0);
  set_ms (self, TTFT, result->latency[TACHO_METRIC_TTFT].percentiles[TACHO_P50].value);
}
