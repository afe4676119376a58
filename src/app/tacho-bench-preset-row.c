/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The presets as a row of cards; the one that the form still says is pressed. */
#define G_LOG_DOMAIN "tacho-bench-preset-row"

#include "config.h"

#include "app/tacho-bench-preset-row.h"
#include "app/tacho-bench-presets.h"

#include <glib/gi18n.h>

struct _TachoBenchPresetRow
{
  AdwBin parent_instance;
  GtkWidget *row;
  gboolean setting;
};

G_DEFINE_FINAL_TYPE (TachoBenchPresetRow, tacho_bench_preset_row, ADW_TYPE_BIN)

enum
{
  SIGNAL_CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static guint
preset_of (GtkWidget *button)
{
  return GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (button), "preset"));
}

/* A card that is pressed again stays pressed: the form says its plan all the same. */
static void
toggled_cb (GtkWidget *button, TachoBenchPresetRow *self)
{
  if (self->setting)
    return;
  g_signal_emit (self, signals[SIGNAL_CHOSEN], 0, preset_of (button));
  tacho_bench_preset_row_set_chosen (self, (int) preset_of (button));
}

static void
add_preset (TachoBenchPresetRow *self, guint at, const TachoBenchPreset *preset)
{
  GtkWidget *button = gtk_toggle_button_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  GtkWidget *title = gtk_label_new (_ (preset->title));
  GtkWidget *description = gtk_label_new (_ (preset->description));

  gtk_widget_add_css_class (title, "heading");
  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_label_set_ellipsize (GTK_LABEL (title), PANGO_ELLIPSIZE_END);
  gtk_label_set_xalign (GTK_LABEL (description), 0);
  gtk_label_set_wrap (GTK_LABEL (description), TRUE);
  gtk_label_set_width_chars (GTK_LABEL (description), 14);
  gtk_widget_set_valign (description, GTK_ALIGN_START);
  gtk_widget_add_css_class (description, "caption");
  gtk_widget_add_css_class (description, "dim-label");
  gtk_box_append (GTK_BOX (box), title);
  gtk_box_append (GTK_BOX (box), description);
  gtk_button_set_child (GTK_BUTTON (button), box);
  gtk_widget_add_css_class (button, "preset");
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ (preset->title), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  _ (preset->description), -1);
  g_object_set_data (G_OBJECT (button), "preset", GUINT_TO_POINTER (at));
  g_signal_connect_object (button, "toggled", G_CALLBACK (toggled_cb), self, 0);
  gtk_box_append (GTK_BOX (self->row), button);
}

static void
tacho_bench_preset_row_class_init (TachoBenchPresetRowClass *klass)
{
  signals[SIGNAL_CHOSEN] = g_signal_new ("chosen", TACHO_TYPE_BENCH_PRESET_ROW, G_SIGNAL_RUN_LAST,
                                         0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
tacho_bench_preset_row_init (TachoBenchPresetRow *self)
{
  guint n;
  const TachoBenchPreset *presets = tacho_bench_presets_get (&n);

  self->row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  gtk_box_set_homogeneous (GTK_BOX (self->row), TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->row), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Presets"), -1);
  for (guint i = 0; i < n; i++)
    add_preset (self, i, &presets[i]);
  adw_bin_set_child (ADW_BIN (self), self->row);
}

/**
 * tacho_bench_preset_row_set_chosen:
 * @self: the row
 * @preset: which is shown as chosen; -1: none, for the form was edited
 */
void
tacho_bench_preset_row_set_chosen (TachoBenchPresetRow *self, int preset)
{
  g_return_if_fail (TACHO_IS_BENCH_PRESET_ROW (self));

  self->setting = TRUE;
  for (GtkWidget *child = gtk_widget_get_first_child (self->row); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (child), (int) preset_of (child) == preset);
  self->setting = FALSE;
}
