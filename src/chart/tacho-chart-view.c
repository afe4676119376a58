/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Zoom and pan: by pointer, touchpad, fingers and keys. A drag over the whole chooses a part, a
 * drag over a part moves it, a double click shows the whole again. */

#define G_LOG_DOMAIN "tacho-chart"

#include "config.h"

#include "chart/tacho-chart-group.h"
#include "chart/tacho-chart-private.h"

#include <math.h>

#define ZOOM_STEP 1.5
#define SCROLL_STEP 1.15
#define PAN_STEP 0.2
#define MIN_PART 1e-4 /* of the whole */
#define MIN_DRAG 6.0  /* logical pixels: less is a click */

/* The whole, as the axis shows it. */
static gboolean
get_whole (TachoChart *self, double *low, double *high)
{
  double first;

  if (!tacho_chart_group_get_extent (self->group, &first, high))
    return FALSE;
  *low = MIN (first, 0.0);
  *high = MAX (*high, tacho_chart_is_time (self) ? TACHO_CHART_MIN_TIME_SPAN : *high);
  return *high > *low;
}

static void
set_view (TachoChart *self, double low, double high)
{
  double first, last, span = high - low;

  if (!get_whole (self, &first, &last))
    return;
  span = CLAMP (span, (last - first) * MIN_PART, last - first);
  if (span >= last - first)
    {
      tacho_chart_group_set_view (self->group, NAN, NAN);
      return;
    }
  low = CLAMP (low, first, last - span);
  tacho_chart_group_set_view (self->group, low, low + span);
}

/**
 * tacho_chart_zoom:
 * @self: a chart
 * @factor: above 1: closer
 * @around: the position that keeps its place; NaN: the crosshair's, or the middle
 */
void
tacho_chart_zoom (TachoChart *self, double factor, double around)
{
  double low = self->x.low, high = self->x.high, share;

  g_return_if_fail (TACHO_IS_CHART (self));

  if (!self->has_data || !(high > low) || !(factor > 0))
    return;
  if (isnan (around))
    around = tacho_chart_group_get_cursor (self->group);
  if (!(around >= low && around <= high))
    around = (low + high) / 2;
  share = (around - low) / (high - low);
  set_view (self, around - (high - low) / factor * share,
            around + (high - low) / factor * (1 - share));
}

/**
 * tacho_chart_pan:
 * @self: a chart
 * @share: of what is shown; above 0: towards the end
 */
void
tacho_chart_pan (TachoChart *self, double share)
{
  double low, high, shift;

  g_return_if_fail (TACHO_IS_CHART (self));

  if (!tacho_chart_group_get_view (self->group, &low, &high))
    return;
  shift = (high - low) * share;
  set_view (self, low + shift, high + shift);
}

/**
 * tacho_chart_show_all:
 * @self: a chart
 *
 * Ends the zoom.
 */
void
tacho_chart_show_all (TachoChart *self)
{
  g_return_if_fail (TACHO_IS_CHART (self));

  tacho_chart_group_set_view (self->group, NAN, NAN);
}

/* A crosshair that a key has moved out of the part moves the part. */
void
tacho_chart_reveal (TachoChart *self, double x)
{
  double low, high;

  if (!tacho_chart_group_get_view (self->group, &low, &high))
    return;
  if (x < low)
    set_view (self, x, x + (high - low));
  else if (x > high)
    set_view (self, x - (high - low), x);
}

/* TRUE if the key was one of ours. */
gboolean
tacho_chart_view_key (TachoChart *self, guint keyval, GdkModifierType state)
{
  double low, high;

  if (state & (GDK_ALT_MASK | GDK_SUPER_MASK))
    return FALSE;
  switch (keyval)
    {
    case GDK_KEY_plus:
    case GDK_KEY_equal:
    case GDK_KEY_KP_Add:
      tacho_chart_zoom (self, ZOOM_STEP, NAN);
      return TRUE;
    case GDK_KEY_minus:
    case GDK_KEY_KP_Subtract:
      tacho_chart_zoom (self, 1 / ZOOM_STEP, NAN);
      return TRUE;
    case GDK_KEY_0:
    case GDK_KEY_KP_0:
      tacho_chart_show_all (self);
      return TRUE;
    case GDK_KEY_Left:
    case GDK_KEY_Right:
      if (!(state & GDK_SHIFT_MASK) || !tacho_chart_group_get_view (self->group, &low, &high))
        return FALSE;
      tacho_chart_pan (self, keyval == GDK_KEY_Left ? -PAN_STEP : PAN_STEP);
      return TRUE;
    default:
      return FALSE;
    }
}

double
tacho_chart_x_at (TachoChart *self, double pointer_x)
{
  double fraction =
      (pointer_x - (double) self->plot.origin.x) / (double) MAX (self->plot.size.width, 1.0f);

  return self->x.low + fraction * (self->x.high - self->x.low);
}

static gboolean
scroll_cb (GtkEventControllerScroll *controller, double dx, double dy, TachoChart *self)
{
  GdkModifierType state =
      gtk_event_controller_get_current_event_state (GTK_EVENT_CONTROLLER (controller));
  double low, high;

  if (state & GDK_CONTROL_MASK)
    {
      tacho_chart_zoom (self, pow (SCROLL_STEP, -dy),
                        self->pointer_inside ? tacho_chart_x_at (self, self->pointer_x) : NAN);
      return GDK_EVENT_STOP;
    }
  if (state & GDK_SHIFT_MASK)
    dx = dx != 0 ? dx : dy;
  else if (fabs (dx) <= fabs (dy))
    return GDK_EVENT_PROPAGATE; /* the page scrolls */
  if (!tacho_chart_group_get_view (self->group, &low, &high))
    return GDK_EVENT_PROPAGATE;
  tacho_chart_pan (self, dx * PAN_STEP / 2);
  return GDK_EVENT_STOP;
}

static void
pinch_begin_cb (GtkGesture *gesture, GdkEventSequence *sequence, TachoChart *self)
{
  self->pinch_low = self->x.low;
  self->pinch_high = self->x.high;
}

static void
pinch_cb (GtkGestureZoom *gesture, double scale, TachoChart *self)
{
  double x, y, around, share;

  if (!self->has_data || !(scale > 0) ||
      !gtk_gesture_get_bounding_box_center (GTK_GESTURE (gesture), &x, &y))
    return;
  share = CLAMP ((x - (double) self->plot.origin.x) / (double) self->plot.size.width, 0.0, 1.0);
  around = self->pinch_low + (self->pinch_high - self->pinch_low) * share;
  set_view (self, around - (around - self->pinch_low) / scale,
            around + (self->pinch_high - around) / scale);
}

static gboolean
is_touch (GtkGesture *gesture)
{
  GdkDevice *device =
      gtk_event_controller_get_current_event_device (GTK_EVENT_CONTROLLER (gesture));

  return device != NULL && gdk_device_get_source (device) == GDK_SOURCE_TOUCHSCREEN;
}

static void
drag_begin_cb (GtkGestureDrag *gesture, double x, double y, TachoChart *self)
{
  gboolean part = tacho_chart_group_get_view (self->group, &self->drag_low, &self->drag_high);

  /* A finger on the whole scrolls the page. */
  if (!self->has_data || (!part && is_touch (GTK_GESTURE (gesture))))
    {
      gtk_gesture_set_state (GTK_GESTURE (gesture), GTK_EVENT_SEQUENCE_DENIED);
      return;
    }
  self->drag_moves = part;
  self->drag_from = self->drag_to = x;
}

static void
drag_update_cb (GtkGestureDrag *gesture, double dx, double dy, TachoChart *self)
{
  double per_pixel;

  if (fabs (dx) < MIN_DRAG && !self->dragging)
    return;
  self->dragging = TRUE;
  gtk_gesture_set_state (GTK_GESTURE (gesture), GTK_EVENT_SEQUENCE_CLAIMED);
  self->drag_to = self->drag_from + dx;
  if (self->drag_moves)
    {
      per_pixel = (self->drag_high - self->drag_low) / (double) MAX (self->plot.size.width, 1.0f);
      set_view (self, self->drag_low - dx * per_pixel, self->drag_high - dx * per_pixel);
    }
  else
    gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
drag_end_cb (GtkGestureDrag *gesture, double dx, double dy, TachoChart *self)
{
  double from = tacho_chart_x_at (self, MIN (self->drag_from, self->drag_to));
  double to = tacho_chart_x_at (self, MAX (self->drag_from, self->drag_to));

  if (self->dragging && !self->drag_moves)
    set_view (self, from, to);
  self->dragging = FALSE;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
cancel_cb (GtkGesture *gesture, GdkEventSequence *sequence, TachoChart *self)
{
  self->dragging = FALSE;
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
pressed_cb (GtkGestureClick *gesture, int n_press, double x, double y, TachoChart *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self));
  if (n_press == 2)
    tacho_chart_show_all (self);
}

void
tacho_chart_draw_selection (TachoChart *self, GtkSnapshot *snapshot)
{
  float from = (float) MIN (self->drag_from, self->drag_to);
  float to = (float) MAX (self->drag_from, self->drag_to);
  GdkRGBA color = self->accent;

  if (!self->dragging || self->drag_moves)
    return;
  from = MAX (from, self->plot.origin.x);
  to = MIN (to, self->plot.origin.x + self->plot.size.width);
  color.alpha *= 0.2f;
  if (to > from)
    gtk_snapshot_append_color (
        snapshot, &color,
        &GRAPHENE_RECT_INIT (from, self->plot.origin.y, to - from, self->plot.size.height));
}

void
tacho_chart_add_view_controllers (TachoChart *self)
{
  GtkEventController *controller;

  controller = gtk_event_controller_scroll_new (GTK_EVENT_CONTROLLER_SCROLL_BOTH_AXES);
  g_signal_connect (controller, "scroll", G_CALLBACK (scroll_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), controller);
  controller = GTK_EVENT_CONTROLLER (gtk_gesture_zoom_new ());
  g_signal_connect (controller, "begin", G_CALLBACK (pinch_begin_cb), self);
  g_signal_connect (controller, "scale-changed", G_CALLBACK (pinch_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), controller);
  controller = GTK_EVENT_CONTROLLER (gtk_gesture_drag_new ());
  g_signal_connect (controller, "drag-begin", G_CALLBACK (drag_begin_cb), self);
  g_signal_connect (controller, "drag-update", G_CALLBACK (drag_update_cb), self);
  g_signal_connect (controller, "drag-end", G_CALLBACK (drag_end_cb), self);
  g_signal_connect (controller, "cancel", G_CALLBACK (cancel_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), controller);
  controller = GTK_EVENT_CONTROLLER (gtk_gesture_click_new ());
  g_signal_connect (controller, "pressed", G_CALLBACK (pressed_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), controller);
}
