/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chart widget: its properties, series and input. The picture is in tacho-chart-draw.c. */

#define G_LOG_DOMAIN "tacho-chart"

#include "config.h"

#include "chart/tacho-chart-private.h"

#include <math.h>

#define MIN_WIDTH 240
#define MIN_HEIGHT 140
#define NATURAL_WIDTH 420
#define NATURAL_HEIGHT 200

G_DEFINE_FINAL_TYPE (TachoChart, tacho_chart, GTK_TYPE_WIDGET)

enum
{
  PROP_0,
  PROP_TITLE,
  PROP_UNIT,
  PROP_X_UNIT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void
entry_free (gpointer data)
{
  TachoChartEntry *entry = data;

  tacho_series_unref (entry->series);
  g_clear_pointer (&entry->node, gsk_render_node_unref);
  g_free (entry->latest);
  g_free (entry);
}

static void
redraw (TachoChart *self)
{
  tacho_chart_forget_nodes (self);
  gtk_widget_queue_draw (GTK_WIDGET (self));
}

static void
motion_cb (TachoChart *self, double x, double y)
{
  double at;

  self->pointer_inside = TRUE;
  self->pointer_x = x;
  self->cursor_shown = FALSE;
  if (!self->has_data)
    return;
  if (!tacho_chart_get_cursor (self, &at))
    at = NAN;
  tacho_chart_group_set_cursor (self->group, at);
}

static void
leave_cb (TachoChart *self)
{
  self->pointer_inside = FALSE;
  tacho_chart_group_set_cursor (self->group, NAN);
}

static gboolean
key_pressed_cb (TachoChart *self, guint keyval, guint keycode, GdkModifierType state)
{
  if (tacho_chart_view_key (self, keyval, state))
    return GDK_EVENT_STOP;
  if (!tacho_chart_move_cursor (self, keyval, state))
    return GDK_EVENT_PROPAGATE;
  if (self->cursor_shown)
    tacho_chart_reveal (self, self->cursor_x);
  tacho_chart_group_set_cursor (self->group, self->cursor_shown ? self->cursor_x : NAN);
  gtk_widget_queue_draw (GTK_WIDGET (self));
  tacho_chart_describe (self);
  return GDK_EVENT_STOP;
}

static void
focus_left_cb (TachoChart *self)
{
  if (!self->cursor_shown)
    return;
  self->cursor_shown = FALSE;
  tacho_chart_group_set_cursor (self->group, NAN);
  tacho_chart_describe (self);
}

static void
tacho_chart_measure (GtkWidget *widget,
                     GtkOrientation orientation,
                     int for_size,
                     int *minimum,
                     int *natural,
                     int *minimum_baseline,
                     int *natural_baseline)
{
  gboolean horizontal = orientation == GTK_ORIENTATION_HORIZONTAL;

  *minimum = horizontal ? MIN_WIDTH : MIN_HEIGHT;
  *natural = horizontal ? NATURAL_WIDTH : NATURAL_HEIGHT;
}

static void
tacho_chart_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  tacho_chart_forget_nodes (TACHO_CHART (widget));
}

static void
tacho_chart_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  TachoChart *self = TACHO_CHART (widget);

  tacho_chart_draw (self, snapshot);
  if (gtk_widget_has_visible_focus (widget))
    {
      GskRoundedRect outline;

      gsk_rounded_rect_init_from_rect (&outline,
                                       &GRAPHENE_RECT_INIT (-3, -3,
                                                            gtk_widget_get_width (widget) + 6,
                                                            gtk_widget_get_height (widget) + 6),
                                       6);
      gtk_snapshot_append_border (
          snapshot, &outline, (float[4]){ 2, 2, 2, 2 },
          (GdkRGBA[4]){ self->accent, self->accent, self->accent, self->accent });
    }
}

static void
tacho_chart_css_changed (GtkWidget *widget, GtkCssStyleChange *change)
{
  GTK_WIDGET_CLASS (tacho_chart_parent_class)->css_changed (widget, change);
  tacho_chart_read_style (TACHO_CHART (widget));
  redraw (TACHO_CHART (widget));
}

static void
tacho_chart_system_setting_changed (GtkWidget *widget, GtkSystemSetting setting)
{
  GTK_WIDGET_CLASS (tacho_chart_parent_class)->system_setting_changed (widget, setting);
  redraw (TACHO_CHART (widget));
}

static void
tacho_chart_direction_changed (GtkWidget *widget, GtkTextDirection previous)
{
  GTK_WIDGET_CLASS (tacho_chart_parent_class)->direction_changed (widget, previous);
  redraw (TACHO_CHART (widget));
}

static void
tacho_chart_state_flags_changed (GtkWidget *widget, GtkStateFlags previous)
{
  GtkStateFlags changed = previous ^ gtk_widget_get_state_flags (widget);

  GTK_WIDGET_CLASS (tacho_chart_parent_class)->state_flags_changed (widget, previous);
  if (changed & (GTK_STATE_FLAG_FOCUSED | GTK_STATE_FLAG_FOCUS_VISIBLE))
    gtk_widget_queue_draw (widget);
}

static void
tacho_chart_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (tacho_chart_parent_class)->map (widget);
  gtk_widget_queue_draw (widget);
  tacho_chart_queue_describe (TACHO_CHART (widget));
}

static void
tacho_chart_unmap (GtkWidget *widget)
{
  TachoChart *self = TACHO_CHART (widget);

  g_clear_handle_id (&self->describe_source, g_source_remove);
  self->pointer_inside = FALSE;
  GTK_WIDGET_CLASS (tacho_chart_parent_class)->unmap (widget);
}

static void
set_text (TachoChart *self, char **field, const char *text, guint property)
{
  g_autofree char *valid = g_utf8_make_valid (text ? text : "", -1);

  if (g_strcmp0 (*field, valid) == 0)
    return;
  g_free (*field);
  *field = g_steal_pointer (&valid);
  if (property == PROP_TITLE)
    gtk_accessible_update_property (GTK_ACCESSIBLE (self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                    self->title, -1);
  redraw (self);
  g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

static void
tacho_chart_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  TachoChart *self = TACHO_CHART (object);

  switch (id)
    {
    case PROP_TITLE:
      set_text (self, &self->title, g_value_get_string (value), id);
      break;
    case PROP_UNIT:
      set_text (self, &self->unit, g_value_get_string (value), id);
      break;
    case PROP_X_UNIT:
      set_text (self, &self->x_unit, g_value_get_string (value), id);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
tacho_chart_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  TachoChart *self = TACHO_CHART (object);

  switch (id)
    {
    case PROP_TITLE:
      g_value_set_string (value, self->title);
      break;
    case PROP_UNIT:
      g_value_set_string (value, self->unit);
      break;
    case PROP_X_UNIT:
      g_value_set_string (value, self->x_unit);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
tacho_chart_dispose (GObject *object)
{
  TachoChart *self = TACHO_CHART (object);

  g_clear_handle_id (&self->describe_source, g_source_remove);
  tacho_chart_leave_group (self);
  G_OBJECT_CLASS (tacho_chart_parent_class)->dispose (object);
}

static void
tacho_chart_finalize (GObject *object)
{
  TachoChart *self = TACHO_CHART (object);

  tacho_chart_forget_nodes (self);
  g_ptr_array_unref (self->entries);
  g_ptr_array_unref (self->markers);
  g_free (self->title);
  g_free (self->unit);
  g_free (self->x_unit);
  G_OBJECT_CLASS (tacho_chart_parent_class)->finalize (object);
}

static void
tacho_chart_class_init (TachoChartClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  const GParamFlags flags = G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->set_property = tacho_chart_set_property;
  object_class->get_property = tacho_chart_get_property;
  object_class->dispose = tacho_chart_dispose;
  object_class->finalize = tacho_chart_finalize;
  widget_class->measure = tacho_chart_measure;
  widget_class->size_allocate = tacho_chart_size_allocate;
  widget_class->snapshot = tacho_chart_snapshot;
  widget_class->css_changed = tacho_chart_css_changed;
  widget_class->system_setting_changed = tacho_chart_system_setting_changed;
  widget_class->direction_changed = tacho_chart_direction_changed;
  widget_class->state_flags_changed = tacho_chart_state_flags_changed;
  widget_class->map = tacho_chart_map;
  widget_class->unmap = tacho_chart_unmap;

  /* Shown at the top, at the start edge. */
  properties[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, "", flags);
  /* Of the values, as a reader says it: "tokens/s". */
  properties[PROP_UNIT] = g_param_spec_string ("unit", NULL, NULL, "", flags);
  /* Of the positions; "s" makes a clock of the axis. */
  properties[PROP_X_UNIT] = g_param_spec_string ("x-unit", NULL, NULL, "s", flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);

  gtk_widget_class_set_css_name (widget_class, "tachochart");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
tacho_chart_init (TachoChart *self)
{
  GtkEventController *controller;
  g_autoptr (TachoChartGroup) group = NULL;

  self->title = g_strdup ("");
  self->unit = g_strdup ("");
  self->x_unit = g_strdup ("s");
  self->entries = g_ptr_array_new_with_free_func (entry_free);
  self->markers = g_ptr_array_new_with_free_func (tacho_chart_marker_free);
  group = tacho_chart_group_new ();
  tacho_chart_group_add (group, self);
  tacho_chart_read_style (self);
  gtk_widget_set_focusable (GTK_WIDGET (self), TRUE);
  g_signal_connect (self, "notify::scale-factor", G_CALLBACK (redraw), NULL);

  controller = gtk_event_controller_motion_new ();
  g_signal_connect_swapped (controller, "enter", G_CALLBACK (motion_cb), self);
  g_signal_connect_swapped (controller, "motion", G_CALLBACK (motion_cb), self);
  g_signal_connect_swapped (controller, "leave", G_CALLBACK (leave_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), controller);
  controller = gtk_event_controller_key_new ();
  g_signal_connect_swapped (controller, "key-pressed", G_CALLBACK (key_pressed_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), controller);
  controller = gtk_event_controller_focus_new ();
  g_signal_connect_swapped (controller, "leave", G_CALLBACK (focus_left_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), controller);
  tacho_chart_add_view_controllers (self);
}

/**
 * tacho_chart_new:
 * @title: what is shown, translated
 * @unit: unit of the values, translated; may be empty
 *
 * Returns: (transfer floating): an empty chart
 */
GtkWidget *
tacho_chart_new (const char *title, const char *unit)
{
  return g_object_new (TACHO_TYPE_CHART, "title", title, "unit", unit, NULL);
}

/**
 * tacho_chart_add_series:
 * @self: a chart
 * @series: its data; the chart holds a reference
 * @color_index: 0 to 5, wrapping: the hue
 */
void
tacho_chart_add_series (TachoChart *self, TachoSeries *series, guint color_index)
{
  TachoChartEntry *entry;

  g_return_if_fail (TACHO_IS_CHART (self));
  g_return_if_fail (series != NULL);

  entry = g_new0 (TachoChartEntry, 1);
  entry->series = tacho_series_ref (series);
  entry->color = color_index % TACHO_CHART_N_COLORS;
  g_ptr_array_add (self->entries, entry);
  tacho_chart_forget_nodes (self);
  tacho_chart_queue_update (self);
}

/**
 * tacho_chart_remove_all:
 * @self: a chart
 *
 * Removes all series; the axes start anew.
 */
void
tacho_chart_remove_all (TachoChart *self)
{
  g_return_if_fail (TACHO_IS_CHART (self));

  tacho_chart_forget_nodes (self);
  g_ptr_array_set_size (self->entries, 0);
  self->x = self->y = (TachoAxis){ 0 };
  self->y_reference = 0.0;
  self->has_data = FALSE;
  self->cursor_shown = FALSE;
  tacho_chart_queue_update (self);
}

/**
 * tacho_chart_queue_update:
 * @self: a chart
 *
 * To be called after the data of a series has changed. Cheap: there is one redraw per frame however
 * often it is called, and none while the chart is not mapped.
 */
void
tacho_chart_queue_update (TachoChart *self)
{
  g_return_if_fail (TACHO_IS_CHART (self));

  if (!gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  gtk_widget_queue_draw (GTK_WIDGET (self));
  tacho_chart_queue_describe (self);
}

/**
 * tacho_chart_get_title:
 * @self: a chart
 *
 * Returns: (transfer none): its title
 */
const char *
tacho_chart_get_title (TachoChart *self)
{
  g_return_val_if_fail (TACHO_IS_CHART (self), NULL);

  return self->title;
}

/**
 * tacho_chart_get_n_series:
 * @self: a chart
 *
 * Returns: how many series it has
 */
guint
tacho_chart_get_n_series (TachoChart *self)
{
  g_return_val_if_fail (TACHO_IS_CHART (self), 0);

  return self->entries->len;
}

/**
 * tacho_chart_get_series:
 * @self: a chart
 * @i: which
 *
 * Returns: (transfer none): its data
 */
TachoSeries *
tacho_chart_get_series (TachoChart *self, guint i)
{
  g_return_val_if_fail (TACHO_IS_CHART (self) && i < self->entries->len, NULL);

  return ((TachoChartEntry *) g_ptr_array_index (self->entries, i))->series;
}
