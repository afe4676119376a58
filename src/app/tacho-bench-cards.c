/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A card: what, how much, and how sure that is. */
#define G_LOG_DOMAIN "tacho-bench-cards"

#include "config.h"

#include "app/tacho-bench-cards.h"
#include "app/tacho-display.h"

#include <glib/gi18n.h>
#include <math.h>

struct _TachoBenchCards
{
  AdwBin parent_instance;
  GtkBox *row;
};

G_DEFINE_FINAL_TYPE (TachoBenchCards, tacho_bench_cards, ADW_TYPE_BIN)

static void
tacho_bench_cards_class_init (TachoBenchCardsClass *klass)
{
}

static void
tacho_bench_cards_init (TachoBenchCards *self)
{
  self->row = GTK_BOX (gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 9));
  gtk_box_set_homogeneous (self->row, TRUE);
  adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (self->row));
}

static GtkWidget *
add_label (GtkWidget *box, const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  gtk_widget_add_css_class (label, css_class);
  gtk_widget_add_css_class (label, "numeric");
  gtk_box_append (GTK_BOX (box), label);
  return label;
}

static void
add_card (TachoBenchCards *self, const char *name, const char *value, const char *sure)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *label;

  gtk_widget_add_css_class (box, "figure-card");
  gtk_widget_add_css_class (add_label (box, name, "caption"), "dim-label");
  label = add_label (box, value, "figure");
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (label), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, name,
                                  -1);
  label = add_label (box, sure, "caption");
  gtk_widget_add_css_class (label, "dim-label");
  gtk_widget_set_tooltip_text (label, sure);
  gtk_box_append (self->row, box);
}

/* "4.08 to 5.73 ms": a unit that both have is said once. */
static char *
make_range (const char *low, const char *high)
{
  const char *unit_low = strrchr (low, ' '), *unit_high = strrchr (high, ' ');
  g_autofree char *bare = unit_low != NULL && g_strcmp0 (unit_low, unit_high) == 0
                              ? g_strndup (low, (gsize) (unit_low - low))
                              : g_strdup (low);

  /* Translators: lower and upper bound of a value. */
  return g_strdup_printf (_ ("95 %%: %s to %s"), bare, high);
}

static void
add_percentile (TachoBenchCards *self,
                const char *name,
                const TachoDistribution *distribution,
                int percentile)
{
  const TachoPercentile *p = &distribution->percentiles[percentile];
  g_autofree char *value = tacho_display_ms (p->value);
  g_autofree char *shown = p->enough ? g_strdup (value) : g_strconcat ("~ ", value, NULL);
  g_autofree char *low = tacho_display_ms (p->low);
  g_autofree char *high = tacho_display_ms (p->high);
  g_autofree char *sure = NULL;

  if (!isfinite (p->value))
    return;
  if (!p->enough)
    sure = g_strdup (_ ("too few samples"));
  else
    sure = make_range (low, high);
  add_card (self, name, shown, sure);
}

static void
add_rates (TachoBenchCards *self, const TachoBenchResult *result)
{
  g_autofree char *tokens = tacho_display_number (result->output_tokens_per_s);
  g_autofree char *shown =
      result->tokens_from_chunks > 0 ? g_strconcat ("≈ ", tokens, NULL) : g_strdup (tokens);
  g_autofree char *requests = tacho_display_number (result->requests_per_s);
  g_autofree char *good = tacho_display_number (result->goodput_per_s);
  g_autofree char *sure = g_strdup_printf (_ ("%s requests/s"), requests);
  double share = result->goodput_per_s / result->requests_per_s;
  g_autofree char *met = isfinite (share)
                             ? g_strdup_printf (_ ("%.0f %% of the answered"), share * 100)
                             : g_strdup ("");

  add_card (self, _ ("Output tokens/s"), shown, sure);
  if (isfinite (result->goodput_per_s))
    add_card (self, _ ("Good requests/s"), good, met);
}

/**
 * tacho_bench_cards_set_result:
 * @self: the cards
 * @result: a run that ended
 */
void
tacho_bench_cards_set_result (TachoBenchCards *self, const TachoBenchResult *result)
{
  const TachoDistribution *latency = result->latency;
  GtkWidget *child;

  g_return_if_fail (TACHO_IS_BENCH_CARDS (self));

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->row))) != NULL)
    gtk_box_remove (self->row, child);
  add_rates (self, result);
  add_percentile (self, _ ("TTFT p50"), &latency[TACHO_METRIC_TTFT], TACHO_P50);
  add_percentile (self, _ ("TTFT p95"), &latency[TACHO_METRIC_TTFT], TACHO_P95);
  add_percentile (self, _ ("Token gap p50"), &latency[TACHO_METRIC_ITL], TACHO_P50);
  add_percentile (self, _ ("Whole request p50"), &latency[TACHO_METRIC_E2E], TACHO_P50);
}
