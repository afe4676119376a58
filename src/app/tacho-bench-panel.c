/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pages of the benchmark panel, and what one hands to another. Each is made when it is first
 * wanted: with their charts they would be a third of the time to the window's first frame. */
#define G_LOG_DOMAIN "tacho-bench-panel"

#include "config.h"

#include "app/tacho-bench-panel.h"
#include "app/tacho-bench-compare-page.h"
#include "app/tacho-bench-history-page.h"
#include "app/tacho-bench-run-page.h"
#include "bench/tacho-bench-result.h"

struct _TachoBenchPanel
{
  AdwBin parent_instance;
  GtkStack *stack;
  AdwBin *run_place;
  AdwBin *history_place;
  AdwBin *compare_place;
  TachoBenchRunPage *run_page;         /* NULL: not wanted yet */
  TachoBenchComparePage *compare_page; /* NULL: not wanted yet */
  TachoConnection *connection;
};

G_DEFINE_FINAL_TYPE (TachoBenchPanel, tacho_bench_panel, ADW_TYPE_BIN)

enum
{
  SIGNAL_ENDED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
ended_cb (TachoBenchPanel *self, const char *words)
{
  g_signal_emit (self, signals[SIGNAL_ENDED], 0, words);
}

static void
make_run_page (TachoBenchPanel *self)
{
  if (self->run_page != NULL)
    return;
  self->run_page = g_object_new (TACHO_TYPE_BENCH_RUN_PAGE, NULL);
  g_signal_connect_object (self->run_page, "ended", G_CALLBACK (ended_cb), self, G_CONNECT_SWAPPED);
  adw_bin_set_child (self->run_place, GTK_WIDGET (self->run_page));
  tacho_bench_run_page_set_connection (self->run_page, self->connection);
}

static void
make_compare_page (TachoBenchPanel *self)
{
  if (self->compare_page != NULL)
    return;
  self->compare_page = g_object_new (TACHO_TYPE_BENCH_COMPARE_PAGE, NULL);
  adw_bin_set_child (self->compare_place, GTK_WIDGET (self->compare_page));
}

static void
run_again_cb (TachoBenchPanel *self, TachoBenchResult *result)
{
  make_run_page (self);
  gtk_stack_set_visible_child_name (self->stack, "run");
  tacho_bench_run_page_run_again (self->run_page, result->plan, result->target_url);
}

static void
compare_cb (TachoBenchPanel *self, GPtrArray *results)
{
  make_compare_page (self);
  tacho_bench_compare_page_set_results (self->compare_page, results);
  gtk_stack_set_visible_child_name (self->stack, "compare");
}

static void
make_history_page (TachoBenchPanel *self)
{
  GtkWidget *page;

  if (adw_bin_get_child (self->history_place) != NULL)
    return;
  page = g_object_new (TACHO_TYPE_BENCH_HISTORY_PAGE, NULL);
  g_signal_connect_object (page, "run-again", G_CALLBACK (run_again_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (page, "compare", G_CALLBACK (compare_cb), self, G_CONNECT_SWAPPED);
  adw_bin_set_child (self->history_place, page);
}

static void
page_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  gtk_stack_set_visible_child_name (TACHO_BENCH_PANEL (widget)->stack,
                                    g_variant_get_string (parameter, NULL));
}

static void
tacho_bench_panel_dispose (GObject *object)
{
  TachoBenchPanel *self = TACHO_BENCH_PANEL (object);

  self->run_page = NULL;
  self->compare_page = NULL;
  g_clear_object (&self->connection);
  adw_bin_set_child (ADW_BIN (object), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (object), TACHO_TYPE_BENCH_PANEL);

  G_OBJECT_CLASS (tacho_bench_panel_parent_class)->dispose (object);
}

static void
tacho_bench_panel_class_init (TachoBenchPanelClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_bench_panel_dispose;
  signals[SIGNAL_ENDED] = g_signal_new ("ended", TACHO_TYPE_BENCH_PANEL, G_SIGNAL_RUN_LAST, 0, NULL,
                                        NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-bench-panel.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, stack);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, run_place);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, history_place);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPanel, compare_place);
  gtk_widget_class_bind_template_callback (widget_class, make_run_page);
  gtk_widget_class_bind_template_callback (widget_class, make_history_page);
  gtk_widget_class_bind_template_callback (widget_class, make_compare_page);
  gtk_widget_class_install_action (widget_class, "bench.page", "s", page_cb);
}

static void
tacho_bench_panel_init (TachoBenchPanel *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

/**
 * tacho_bench_panel_set_connection:
 * @self: the panel
 * @connection: (nullable): the server in use
 *
 * A run on the old server is stopped; what it has measured is kept.
 */
void
tacho_bench_panel_set_connection (TachoBenchPanel *self, TachoConnection *connection)
{
  g_return_if_fail (TACHO_IS_BENCH_PANEL (self));

  g_set_object (&self->connection, connection);
  if (self->run_page != NULL)
    tacho_bench_run_page_set_connection (self->run_page, connection);
}

/**
 * tacho_bench_panel_run:
 * @self: the panel
 *
 * Starts a run of what the form says.
 */
void
tacho_bench_panel_run (TachoBenchPanel *self)
{
  g_return_if_fail (TACHO_IS_BENCH_PANEL (self));

  make_run_page (self);
  gtk_stack_set_visible_child_name (self->stack, "run");
  tacho_bench_run_page_run (self->run_page);
}

/**
 * tacho_bench_panel_stop:
 * @self: the panel
 *
 * Stops a run; what it has measured is kept. Nothing happens when none is live.
 */
void
tacho_bench_panel_stop (TachoBenchPanel *self)
{
  g_return_if_fail (TACHO_IS_BENCH_PANEL (self));

  if (self->run_page != NULL)
    tacho_bench_run_page_stop (self->run_page);
}

/**
 * tacho_bench_panel_is_running:
 * @self: the panel
 *
 * Returns: %TRUE while a run is live or its model is being loaded
 */
gboolean
tacho_bench_panel_is_running (TachoBenchPanel *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_PANEL (self), FALSE);

  return self->run_page != NULL && tacho_bench_run_page_is_running (self->run_page);
}
