/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A chart on a card. Its table is made when it is asked for, refreshed once a second at most. */
#define G_LOG_DOMAIN "tacho-chart-card"

#include "config.h"

#include "app/tacho-chart-card.h"
#include "app/tacho-bench-save.h"
#include "app/tacho-chart-table.h"

#include <glib/gi18n.h>
#include <math.h>

#define CHART_HEIGHT 170
#define ZOOM_STEP 1.5
#define PICTURE_SCALE 2
#define REFRESH_S 1

struct _TachoChartCard
{
  AdwBin parent_instance;
  TachoChart *chart;
  GtkStack *stack;
  GtkWidget *menu;
  TachoChartTable *table; /* NULL: not asked for */
  gboolean shows_table;
  guint refresh_source;
  GtkFileChooserNative *chooser;
};

G_DEFINE_FINAL_TYPE (TachoChartCard, tacho_chart_card, ADW_TYPE_BIN)

enum
{
  PROP_0,
  PROP_SHOWS_TABLE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void
set_shows_table (TachoChartCard *self, gboolean shows)
{
  if (self->shows_table == shows)
    return;
  self->shows_table = shows;
  if (shows && self->table == NULL)
    {
      GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 9);
      GtkWidget *title = gtk_label_new (tacho_chart_get_title (self->chart));

      gtk_label_set_xalign (GTK_LABEL (title), 0);
      gtk_widget_add_css_class (title, "caption-heading");
      self->table = TACHO_CHART_TABLE (tacho_chart_table_new (self->chart));
      gtk_widget_set_vexpand (GTK_WIDGET (self->table), TRUE);
      gtk_box_append (GTK_BOX (box), title);
      gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->table));
      gtk_stack_add_named (self->stack, box, "table");
    }
  else if (shows)
    tacho_chart_table_refresh (self->table);
  gtk_stack_set_visible_child_name (self->stack, shows ? "table" : "chart");
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SHOWS_TABLE]);
}

static void
zoom_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoChartCard *self = TACHO_CHART_CARD (widget);
  const char *how = g_variant_get_string (parameter, NULL);

  if (g_str_equal (how, "all"))
    tacho_chart_show_all (self->chart);
  else
    tacho_chart_zoom (self->chart, g_str_equal (how, "in") ? ZOOM_STEP : 1 / ZOOM_STEP, NAN);
}

static void
copy_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoChartCard *self = TACHO_CHART_CARD (widget);
  GdkClipboard *clipboard = gtk_widget_get_clipboard (widget);

  if (self->shows_table)
    {
      g_autofree char *text = tacho_chart_table_to_text (self->table);

      gdk_clipboard_set_text (clipboard, text);
      tacho_bench_say (widget, _ ("Copied as a table"));
    }
  else
    {
      g_autoptr (GdkTexture) texture = tacho_chart_to_texture (self->chart, PICTURE_SCALE);

      gdk_clipboard_set_texture (clipboard, texture);
      tacho_bench_say (widget, _ ("Copied as an image"));
    }
}

static GBytes *
make_picture (TachoChartCard *self, const char *path)
{
  g_autoptr (GdkTexture) texture = NULL;

  if (g_str_has_suffix (path, ".svg"))
    return tacho_chart_to_svg (self->chart);
  texture = tacho_chart_to_texture (self->chart, PICTURE_SCALE);
  return gdk_texture_save_to_png_bytes (texture);
}

static void
response_cb (GtkNativeDialog *dialog, int response, TachoChartCard *self)
{
  g_autoptr (GFile) file = response == GTK_RESPONSE_ACCEPT
                               ? gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog))
                               : NULL;
  g_autofree char *path = file != NULL ? g_file_get_path (file) : NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *message = NULL;

  if (path != NULL)
    {
      gsize length;
      const char *data;

      bytes = make_picture (self, path);
      data = g_bytes_get_data (bytes, &length);
      if (g_file_set_contents (path, data, (gssize) length, &error))
        message = g_strdup_printf (_ ("Saved as %s"), path);
      else
        message = g_strdup_printf (_ ("Not saved: %s"), error->message);
      tacho_bench_say (GTK_WIDGET (self), message);
    }
  g_clear_object (&self->chooser);
}

static void
save_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  TachoChartCard *self = TACHO_CHART_CARD (widget);
  g_autofree char *name = g_strdup_printf ("%s.%s", tacho_chart_get_title (self->chart),
                                           g_variant_get_string (parameter, NULL));

  if (self->chooser != NULL)
    return;
  g_strdelimit (name, "/:", '-');
  self->chooser =
      gtk_file_chooser_native_new (_ ("Save the Chart"), GTK_WINDOW (gtk_widget_get_root (widget)),
                                   GTK_FILE_CHOOSER_ACTION_SAVE, _ ("_Save"), NULL);
  gtk_file_chooser_set_current_name (GTK_FILE_CHOOSER (self->chooser), name);
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (response_cb), self, 0);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->chooser), TRUE);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static void
tacho_chart_card_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  switch (id)
    {
    case PROP_SHOWS_TABLE:
      g_value_set_boolean (value, TACHO_CHART_CARD (object)->shows_table);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
tacho_chart_card_set_property (GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  switch (id)
    {
    case PROP_SHOWS_TABLE:
      set_shows_table (TACHO_CHART_CARD (object), g_value_get_boolean (value));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
tacho_chart_card_dispose (GObject *object)
{
  TachoChartCard *self = TACHO_CHART_CARD (object);

  g_clear_handle_id (&self->refresh_source, g_source_remove);
  if (self->chooser != NULL)
    gtk_native_dialog_destroy (GTK_NATIVE_DIALOG (self->chooser));
  g_clear_object (&self->chooser);
  adw_bin_set_child (ADW_BIN (self), NULL);
  self->table = NULL;
  g_clear_object (&self->chart);

  G_OBJECT_CLASS (tacho_chart_card_parent_class)->dispose (object);
}

static void
tacho_chart_card_class_init (TachoChartCardClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  object_class->dispose = tacho_chart_card_dispose;
  object_class->get_property = tacho_chart_card_get_property;
  object_class->set_property = tacho_chart_card_set_property;
  properties[PROP_SHOWS_TABLE] =
      g_param_spec_boolean ("shows-table", NULL, NULL, FALSE,
                            G_PARAM_READWRITE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
  gtk_widget_class_install_property_action (widget_class, "chart.table", "shows-table");
  gtk_widget_class_install_action (widget_class, "chart.zoom", "s", zoom_cb);
  gtk_widget_class_install_action (widget_class, "chart.copy", NULL, copy_cb);
  gtk_widget_class_install_action (widget_class, "chart.save", "s", save_cb);
}

static GMenuModel *
make_menu (void)
{
  GMenu *menu = g_menu_new ();
  g_autoptr (GMenu) show = g_menu_new ();
  g_autoptr (GMenu) view = g_menu_new ();
  g_autoptr (GMenu) picture = g_menu_new ();

  g_menu_append (show, _ ("Show as _Table"), "chart.table");
  g_menu_append (view, _ ("Zoom _In"), "chart.zoom::in");
  g_menu_append (view, _ ("Zoom _Out"), "chart.zoom::out");
  g_menu_append (view, _ ("Show _All"), "chart.zoom::all");
  g_menu_append (picture, _ ("_Copy"), "chart.copy");
  g_menu_append (picture, _ ("Save as _PNG…"), "chart.save::png");
  g_menu_append (picture, _ ("Save as _SVG…"), "chart.save::svg");
  g_menu_append_section (menu, NULL, G_MENU_MODEL (show));
  g_menu_append_section (menu, NULL, G_MENU_MODEL (view));
  g_menu_append_section (menu, NULL, G_MENU_MODEL (picture));
  return G_MENU_MODEL (menu);
}

static void
tacho_chart_card_init (TachoChartCard *self)
{
  g_autoptr (GMenuModel) menu = make_menu ();
  GtkWidget *overlay = gtk_overlay_new ();

  self->stack = GTK_STACK (gtk_stack_new ());
  self->menu = gtk_menu_button_new ();
  gtk_menu_button_set_icon_name (GTK_MENU_BUTTON (self->menu), "view-more-symbolic");
  gtk_menu_button_set_menu_model (GTK_MENU_BUTTON (self->menu), menu);
  gtk_widget_set_halign (self->menu, GTK_ALIGN_END);
  gtk_widget_set_valign (self->menu, GTK_ALIGN_START);
  gtk_widget_add_css_class (self->menu, "flat");
  gtk_widget_add_css_class (self->menu, "chart-menu");
  gtk_overlay_set_child (GTK_OVERLAY (overlay), GTK_WIDGET (self->stack));
  gtk_overlay_add_overlay (GTK_OVERLAY (overlay), self->menu);
  gtk_widget_add_css_class (GTK_WIDGET (self), "card");
  gtk_widget_add_css_class (GTK_WIDGET (self), "chart-card");
  adw_bin_set_child (ADW_BIN (self), overlay);
}

/**
 * tacho_chart_card_new:
 * @title: of the chart, translated
 * @unit: of the values, translated; may be empty
 * @x_unit: of the positions, translated
 * @group: (nullable): charts with the same horizontal axis
 *
 * Returns: (transfer floating): a card with an empty chart
 */
GtkWidget *
tacho_chart_card_new (const char *title,
                      const char *unit,
                      const char *x_unit,
                      TachoChartGroup *group)
{
  TachoChartCard *self = g_object_new (TACHO_TYPE_CHART_CARD, NULL);
  GtkWidget *chart = tacho_chart_new (title, unit);
  g_autofree char *name = g_strdup_printf (_ ("Menu of the chart “%s”"), title);

  g_object_set (chart, "x-unit", x_unit, NULL);
  gtk_widget_set_size_request (chart, -1, CHART_HEIGHT);
  gtk_widget_set_hexpand (chart, TRUE);
  gtk_widget_set_vexpand (chart, TRUE);
  self->chart = TACHO_CHART (g_object_ref_sink (chart));
  gtk_stack_add_named (self->stack, chart, "chart");
  if (group != NULL)
    tacho_chart_group_add (group, self->chart);
  gtk_widget_set_tooltip_text (self->menu, name);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->menu), GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                  -1);
  return GTK_WIDGET (self);
}

/**
 * tacho_chart_card_get_chart:
 * @self: a card
 *
 * Returns: (transfer none): its chart
 */
TachoChart *
tacho_chart_card_get_chart (TachoChartCard *self)
{
  g_return_val_if_fail (TACHO_IS_CHART_CARD (self), NULL);

  return self->chart;
}

static gboolean
refresh_cb (gpointer user_data)
{
  TachoChartCard *self = user_data;

  self->refresh_source = 0;
  if (self->shows_table)
    tacho_chart_table_refresh (self->table);
  return G_SOURCE_REMOVE;
}

/**
 * tacho_chart_card_queue_update:
 * @self: a card
 *
 * To be called after the data of a series has changed.
 */
void
tacho_chart_card_queue_update (TachoChartCard *self)
{
  g_return_if_fail (TACHO_IS_CHART_CARD (self));

  tacho_chart_queue_update (self->chart);
  if (self->shows_table && self->refresh_source == 0)
    self->refresh_source = g_timeout_add_seconds (REFRESH_S, refresh_cb, self);
}
