/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a finished run says: table of percentiles, errors, self-check; save and copy. */
#define G_LOG_DOMAIN "tacho-bench-results"

#include "config.h"

#include "app/tacho-bench-results.h"
#include "app/tacho-bench-cards.h"
#include "app/tacho-bench-findings.h"
#include "app/tacho-bench-save.h"
#include "app/tacho-display.h"
#include "base/tacho-text.h"
#include "bench/tacho-export-report.h"

#include <glib/gi18n.h>
#include <math.h>

struct _TachoBenchResults
{
  AdwBin parent_instance;
  TachoBenchResult *result;

  GtkWidget *simulated_badge;
  GtkWidget *stopped_badge;
  GtkLabel *summary;
  TachoBenchCards *cards;
  TachoBenchFindings *findings;
  GtkGrid *table;
  GtkLabel *errors;
  GtkWidget *warning_box;
  GtkLabel *warnings;
  GtkLabel *self_check;
  GtkMenuButton *save_button;
};

G_DEFINE_FINAL_TYPE (TachoBenchResults, tacho_bench_results, ADW_TYPE_BIN)

static const struct
{
  int metric;
  const char *name;
  const char *meaning;
} rows[] = {
  { TACHO_METRIC_TTFT, N_ ("Time to first token"),
    N_ ("From sending the request to the first token of any kind") },
  { TACHO_METRIC_ITL, N_ ("Inter-token latency"),
    N_ ("Per request: (last token − first token) / (tokens − 1)") },
  { TACHO_METRIC_TPOT, N_ ("Time per output token"),
    N_ ("Per request: (end − first token) / (tokens − 1)") },
  { TACHO_METRIC_CHUNK_GAP, N_ ("Gap between chunks"),
    N_ ("Between two content chunks of a stream, all streams pooled") },
  { TACHO_METRIC_E2E, N_ ("Whole request"), N_ ("From sending the request to its end mark") },
  { TACHO_METRIC_QUEUE, N_ ("Waiting to be sent"),
    N_ ("From when the request was due to when it was sent") },
  { TACHO_METRIC_TTFT_FROM_SCHEDULE, N_ ("First token, from when due"),
    N_ ("As time to first token, from when the request was due") },
  { TACHO_METRIC_E2E_FROM_SCHEDULE, N_ ("Whole request, from when due"),
    N_ ("As whole request, from when the request was due") },
};

static const struct
{
  int percentile;
  const char *name;
} columns[] = {
  { TACHO_P50, "p50" },
  { TACHO_P90, "p90" },
  { TACHO_P95, "p95" },
  { TACHO_P99, "p99" },
};

static GtkWidget *
add_cell (TachoBenchResults *self, int column, int row, const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), column == 0 ? 0 : 1);
  gtk_widget_set_hexpand (label, TRUE);
  gtk_widget_add_css_class (label, "numeric");
  if (css_class != NULL)
    gtk_widget_add_css_class (label, css_class);
  gtk_grid_attach (self->table, label, column, row, 1, 1);
  return label;
}

static void
add_header (TachoBenchResults *self, int column, const char *text)
{
  gtk_widget_add_css_class (add_cell (self, column, 0, text, "dim-label"), "caption-heading");
}

/* The value; "~" where the sample is too small for it; its interval as the tooltip. */
static void
add_percentile (TachoBenchResults *self, int column, int row, const TachoPercentile *percentile)
{
  g_autofree char *value = tacho_display_ms (percentile->value);
  g_autofree char *text = percentile->enough || !isfinite (percentile->value)
                              ? g_strdup (value)
                              : g_strdup_printf ("~ %s", value);
  g_autofree char *low = tacho_display_ms (percentile->low);
  g_autofree char *high = tacho_display_ms (percentile->high);
  g_autofree char *tooltip = NULL;
  GtkWidget *cell = add_cell (self, column, row, text, percentile->enough ? NULL : "dim-label");

  if (!isfinite (percentile->value))
    return;
  if (percentile->enough)
    /* Translators: lower and upper bound of a value. */
    tooltip = g_strdup_printf (_ ("95 %% interval: %s to %s"), low, high);
  else
    tooltip = g_strdup_printf (_ ("95 %% interval: %s to %s\n"
                                  "The sample is too small to rely on this percentile"),
                               low, high);
  gtk_widget_set_tooltip_text (cell, tooltip);
  gtk_accessible_update_property (GTK_ACCESSIBLE (cell), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  tooltip, -1);
}

static void
fill_table (TachoBenchResults *self)
{
  GtkWidget *child;
  int row = 0;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->table))) != NULL)
    gtk_grid_remove (self->table, child);
  add_header (self, 0, _ ("Metric"));
  /* Translators: size of a sample. */
  add_header (self, 1, _ ("n"));
  add_header (self, 2, _ ("Mean"));
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    add_header (self, 3 + i, columns[i].name);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      const TachoDistribution *distribution = &self->result->latency[rows[i].metric];
      g_autofree char *n = g_strdup_printf ("%'" G_GUINT64_FORMAT, distribution->n);
      g_autofree char *mean = tacho_display_ms (distribution->mean);

      if (!tacho_report_shows (self->result, (guint) rows[i].metric))
        continue;
      row++;
      gtk_widget_set_tooltip_text (add_cell (self, 0, row, _ (rows[i].name), NULL),
                                   _ (rows[i].meaning));
      add_cell (self, 1, row, n, "dim-label");
      add_cell (self, 2, row, mean, NULL);
      for (guint j = 0; j < G_N_ELEMENTS (columns); j++)
        add_percentile (self, 3 + j, row, &distribution->percentiles[columns[j].percentile]);
    }
}

static char *
make_load (const TachoBenchPlan *plan)
{
  if (plan->load == TACHO_LOAD_TRACE)
    return g_strdup (_ ("as in its trace"));
  if (tacho_bench_plan_is_open (plan))
    return g_strdup_printf (_ ("sent at %g requests/s (%s)"), plan->rate,
                            tacho_load_kind_to_string (plan->load));
  return g_strdup_printf (_ ("%u at a time"), plan->concurrency);
}

static char *
make_summary (const TachoBenchResult *result)
{
  g_autofree char *window = tacho_display_duration (result->window_s);
  g_autofree char *load = make_load (result->plan);
  g_autofree char *model = tacho_text_sanitize_line (result->plan->model, -1, 80);
  g_autofree char *name =
      tacho_display_url_name (result->target_url != NULL ? result->target_url : "");
  g_autofree char *url = tacho_text_sanitize_line (name, -1, 80);

  return g_strdup_printf (
      _ ("%s on %s: %'llu requests answered in %s, %s · %'llu prompt and %'llu output tokens · "
         "%'llu failed"),
      model, url, (unsigned long long) result->ok, window, load,
      (unsigned long long) result->prompt_tokens, (unsigned long long) result->output_tokens,
      (unsigned long long) (result->error + result->truncated));
}

static char *
make_errors (const TachoBenchResult *result)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (g_free);

  for (int code = 1; code < TACHO_ERROR_N_CLASSES; code++)
    if (result->errors[code] > 0)
      g_ptr_array_add (
          parts, g_strdup_printf ("%'" G_GUINT64_FORMAT " × %s (%s)", result->errors[code],
                                  tacho_display_error_class (code), tacho_error_class (code)));
  if (parts->len == 0)
    return g_strdup (_ ("No request failed."));
  g_ptr_array_add (parts, NULL);
  {
    g_autofree char *list = g_strjoinv (", ", (char **) parts->pdata);

    /* Translators: %s is a list of causes with their counts. */
    return g_strdup_printf (_ ("Not in the latency figures: %s"), list);
  }
}

static char *
make_self_check (const TachoBenchResult *result)
{
  const TachoSelfCheck *check = &result->self_check;
  g_autofree char *lag = tacho_display_ms (check->loop_lag_ms_p99);
  g_autofree char *tokens =
      result->tokens_from_chunks > 0
          ? g_strdup (_ ("tokens counted from chunks where the server gave no count"))
          : g_strdup (_ ("tokens as counted by the server"));

  return g_strdup_printf (
      _ ("This computer during the run: event loop late by %s (p99), %.0f %% of chunks in a read "
         "of their own, %.0f %% of a processor, %.0f %% of connections reused; %s; %'llu warm-up "
         "requests left out."),
      lag, check->own_read_share * 100, check->client_cpu_share * 100,
      check->connections_reused_share * 100, tokens, (unsigned long long) result->warmup);
}

static void
update (TachoBenchResults *self)
{
  TachoBenchResult *result = self->result;
  g_autofree char *summary = make_summary (result);
  g_autofree char *errors = make_errors (result);
  g_autofree char *self_check = make_self_check (result);
  g_autofree char *warnings =
      result->self_check.warnings != NULL ? g_strjoinv ("\n", result->self_check.warnings) : NULL;

  gtk_widget_set_visible (self->simulated_badge, result->simulated);
  gtk_widget_set_visible (self->stopped_badge, result->interrupted);
  gtk_label_set_label (self->summary, summary);
  gtk_label_set_label (self->errors, errors);
  gtk_label_set_label (self->self_check, self_check);
  gtk_label_set_label (self->warnings, warnings != NULL ? warnings : "");
  gtk_widget_set_visible (self->warning_box, warnings != NULL && warnings[0] != '\0');
  tacho_bench_cards_set_result (self->cards, result);
  fill_table (self);
}

static void
save (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoBenchResults *self = TACHO_BENCH_RESULTS (widget);

  if (self->result != NULL)
    tacho_bench_save_ask (widget, self->result, g_variant_get_string (parameter, NULL));
}

static void
copy (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoBenchResults *self = TACHO_BENCH_RESULTS (widget);
  g_autofree char *text = NULL;

  if (self->result == NULL)
    return;
  if (g_str_equal (g_variant_get_string (parameter, NULL), "markdown"))
    text = tacho_bench_save_format (self->result, "markdown");
  else
    text = tacho_bench_result_to_text (self->result);
  gdk_clipboard_set_text (gtk_widget_get_clipboard (widget), text);
  tacho_bench_say (widget, _ ("Copied"));
}

static void
tacho_bench_results_dispose (GObject *object)
{
  TachoBenchResults *self = TACHO_BENCH_RESULTS (object);

  g_clear_pointer (&self->result, tacho_bench_result_unref);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_BENCH_RESULTS);

  G_OBJECT_CLASS (tacho_bench_results_parent_class)->dispose (object);
}

static void
tacho_bench_results_class_init (TachoBenchResultsClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_bench_results_dispose;
  g_type_ensure (TACHO_TYPE_BENCH_CARDS);
  g_type_ensure (TACHO_TYPE_BENCH_FINDINGS);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-bench-results.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoBenchResults, simulated_badge);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchResults, stopped_badge);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchResults, summary);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchResults, cards);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchResults, findings);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchResults, table);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchResults, errors);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchResults, warning_box);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchResults, warnings);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchResults, self_check);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchResults, save_button);
  gtk_widget_class_install_action (widget_class, "results.save", "s", save);
  gtk_widget_class_install_action (widget_class, "results.copy", "s", copy);
}

static void
tacho_bench_results_init (TachoBenchResults *self)
{
  g_autoptr (GMenuModel) menu = tacho_bench_save_menu ("results.save");

  gtk_widget_init_template (GTK_WIDGET (self));
  gtk_menu_button_set_menu_model (self->save_button, menu);
}

/**
 * tacho_bench_results_set_result:
 * @self: the results
 * @result: (nullable): a run that ended
 */
void
tacho_bench_results_set_result (TachoBenchResults *self, TachoBenchResult *result)
{
  g_return_if_fail (TACHO_IS_BENCH_RESULTS (self));

  if (result != NULL)
    tacho_bench_result_ref (result);
  g_clear_pointer (&self->result, tacho_bench_result_unref);
  self->result = result;
  tacho_bench_findings_set_result (self->findings, result);
  if (result != NULL)
    update (self);
}
