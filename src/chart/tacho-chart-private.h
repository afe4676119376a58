/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Innards of TachoChart, shared by its state (tacho-chart.c), its drawing (tacho-chart-draw.c) and
 * its words (tacho-chart-text.c). */
#pragma once

#include "chart/tacho-chart.h"
#include "chart/tacho-axis.h"
#include "chart/tacho-chart-group.h"

G_BEGIN_DECLS

#define TACHO_CHART_N_COLORS 6
#define TACHO_CHART_MIN_TIME_SPAN 10.0

typedef struct
{
  double value;
  gboolean vertical; /* at a position; else at a value */
  char *label;
} TachoChartMarker;

typedef struct
{
  TachoSeries *series;
  guint color;
  guint64 node_revision; /* the revision of the data that `node` shows */
  GskRenderNode *node;   /* NULL: nothing to draw, or not yet made */
  guint64 legend_revision;
  char *latest;     /* the value in the legend, with unit */
  int latest_width; /* only grows, so that the legend does not jump */
} TachoChartEntry;

struct _TachoChart
{
  GtkWidget parent_instance;

  char *title, *unit, *x_unit;
  GPtrArray *entries; /* of TachoChartEntry */
  GPtrArray *markers; /* of TachoChartMarker */
  TachoChartGroup *group;

  /* Read from the style in css_changed. */
  GdkRGBA foreground, dim, grid, box, accent, ground;
  GdkRGBA colors[TACHO_CHART_N_COLORS];

  /* What is on the screen. The axes keep their state from one frame to the next. */
  TachoAxis x, y;
  double y_reference; /* the data maximum that `y` was chosen for */
  graphene_rect_t plot;
  float line; /* height of a line of text */
  float header_height;
  gboolean has_data;
  GskRenderNode *title_node, *legend_node, *y_node, *x_node;

  /* The crosshair: a pointer follows the screen, a key follows the data. */
  gboolean pointer_inside, cursor_shown;
  double pointer_x, cursor_x;
  gboolean picturing; /* a picture has no crosshair */

  /* A drag, in logical pixels, and what was shown when it or a pinch began. */
  gboolean dragging, drag_moves;
  double drag_from, drag_to, drag_low, drag_high, pinch_low, pinch_high;

  guint describe_source;
  gboolean describe_again;
};

/* tacho-chart-draw.c */
void tacho_chart_draw (TachoChart *self, GtkSnapshot *snapshot);
void tacho_chart_forget_nodes (TachoChart *self);
GskRenderNode *tacho_chart_finish_node (GtkSnapshot *snapshot);

/* tacho-chart-axes.c. TRUE if the data must be painted anew. */
gboolean tacho_chart_update_axes (TachoChart *self);

/* tacho-chart-style.c */
void tacho_chart_read_style (TachoChart *self);

/* tacho-chart-crosshair.c */
void tacho_chart_draw_crosshair (TachoChart *self, GtkSnapshot *snapshot);
gboolean tacho_chart_get_cursor (TachoChart *self, double *x);
gboolean tacho_chart_move_cursor (TachoChart *self, guint keyval, GdkModifierType state);
char *tacho_chart_describe_cursor (TachoChart *self);

/* tacho-chart-view.c */
void tacho_chart_add_view_controllers (TachoChart *self);
gboolean tacho_chart_view_key (TachoChart *self, guint keyval, GdkModifierType state);
void tacho_chart_reveal (TachoChart *self, double x);
double tacho_chart_x_at (TachoChart *self, double pointer_x);
void tacho_chart_draw_selection (TachoChart *self, GtkSnapshot *snapshot);

/* tacho-chart-group.c */
void tacho_chart_leave_group (TachoChart *chart);

/* tacho-chart-marker.c */
void tacho_chart_marker_free (gpointer data);
void tacho_chart_draw_markers (TachoChart *self, GtkSnapshot *snapshot);

/* tacho-chart-text.c */
PangoLayout *tacho_chart_make_text (TachoChart *self, const char *text, gboolean heading);
void tacho_chart_append_text (GtkSnapshot *snapshot,
                              PangoLayout *layout,
                              float x,
                              float y,
                              const GdkRGBA *color);
char *tacho_chart_format_value (TachoChart *self, double value, gboolean with_unit);
char *tacho_chart_format_point (TachoChart *self, const TachoSeries *series, gsize i);
char *tacho_chart_format_x (TachoChart *self, double x);
gboolean tacho_chart_is_time (TachoChart *self);
gboolean tacho_chart_get_x_range (TachoChart *self, double *first, double *last);
void tacho_chart_describe (TachoChart *self);
void tacho_chart_queue_describe (TachoChart *self);

G_END_DECLS
