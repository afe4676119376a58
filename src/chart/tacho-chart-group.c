/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What charts that lie side by side share. */

#define G_LOG_DOMAIN "tacho-chart"

#include "config.h"

#include "chart/tacho-chart-group.h"
#include "chart/tacho-chart-private.h"

#include <math.h>

struct _TachoChartGroup
{
  GObject parent_instance;
  GPtrArray *charts; /* not held: each leaves when it goes */
  double cursor;
  double low, high;
};

G_DEFINE_FINAL_TYPE (TachoChartGroup, tacho_chart_group, G_TYPE_OBJECT)

static void
tacho_chart_group_finalize (GObject *object)
{
  g_ptr_array_unref (TACHO_CHART_GROUP (object)->charts);

  G_OBJECT_CLASS (tacho_chart_group_parent_class)->finalize (object);
}

static void
tacho_chart_group_class_init (TachoChartGroupClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_chart_group_finalize;
}

static void
tacho_chart_group_init (TachoChartGroup *self)
{
  self->charts = g_ptr_array_new ();
  self->cursor = self->low = self->high = NAN;
}

static void
redraw (TachoChartGroup *self)
{
  for (guint i = 0; i < self->charts->len; i++)
    gtk_widget_queue_draw (g_ptr_array_index (self->charts, i));
}

/**
 * tacho_chart_group_new:
 *
 * Returns: (transfer full): a group without charts
 */
TachoChartGroup *
tacho_chart_group_new (void)
{
  return g_object_new (TACHO_TYPE_CHART_GROUP, NULL);
}

void
tacho_chart_leave_group (TachoChart *chart)
{
  if (chart->group == NULL)
    return;
  g_ptr_array_remove_fast (chart->group->charts, chart);
  g_clear_object (&chart->group);
}

/**
 * tacho_chart_group_add:
 * @self: a group
 * @chart: a chart with the same horizontal axis
 *
 * Takes it out of the group that it was in.
 */
void
tacho_chart_group_add (TachoChartGroup *self, TachoChart *chart)
{
  g_return_if_fail (TACHO_IS_CHART_GROUP (self));
  g_return_if_fail (TACHO_IS_CHART (chart));

  tacho_chart_leave_group (chart);
  chart->group = g_object_ref (self);
  g_ptr_array_add (self->charts, chart);
  redraw (self);
}

/**
 * tacho_chart_group_set_cursor:
 * @self: a group
 * @x: where; NaN: nowhere
 */
void
tacho_chart_group_set_cursor (TachoChartGroup *self, double x)
{
  g_return_if_fail (TACHO_IS_CHART_GROUP (self));

  if (x == self->cursor || (isnan (x) && isnan (self->cursor)))
    return;
  self->cursor = x;
  redraw (self);
}

/**
 * tacho_chart_group_get_cursor:
 * @self: a group
 *
 * Returns: where the crosshair stands; NaN: nowhere
 */
double
tacho_chart_group_get_cursor (TachoChartGroup *self)
{
  g_return_val_if_fail (TACHO_IS_CHART_GROUP (self), NAN);

  return self->cursor;
}

/**
 * tacho_chart_group_set_view:
 * @self: a group
 * @low: first position to show; NaN: all of it
 * @high: last position to show
 */
void
tacho_chart_group_set_view (TachoChartGroup *self, double low, double high)
{
  g_return_if_fail (TACHO_IS_CHART_GROUP (self));

  self->low = low < high ? low : NAN;
  self->high = low < high ? high : NAN;
  redraw (self);
}

/**
 * tacho_chart_group_get_view:
 * @self: a group
 * @low: (out): first position
 * @high: (out): last position
 *
 * Returns: whether a part is shown; %FALSE: all of it
 */
gboolean
tacho_chart_group_get_view (TachoChartGroup *self, double *low, double *high)
{
  g_return_val_if_fail (TACHO_IS_CHART_GROUP (self), FALSE);

  *low = self->low;
  *high = self->high;
  return !isnan (self->low);
}

/**
 * tacho_chart_group_get_extent:
 * @self: a group
 * @first: (out): position of the first point
 * @last: (out): position of the last point
 *
 * Returns: whether there is any
 */
gboolean
tacho_chart_group_get_extent (TachoChartGroup *self, double *first, double *last)
{
  g_return_val_if_fail (TACHO_IS_CHART_GROUP (self), FALSE);

  *first = INFINITY;
  *last = -INFINITY;
  for (guint i = 0; i < self->charts->len; i++)
    {
      double f, l;

      if (!tacho_chart_get_x_range (g_ptr_array_index (self->charts, i), &f, &l))
        continue;
      *first = MIN (*first, f);
      *last = MAX (*last, l);
    }
  return *first <= *last;
}
