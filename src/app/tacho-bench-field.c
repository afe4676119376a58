/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An entry that says at once what is wrong with what is in it. */
#define G_LOG_DOMAIN "tacho-bench-field"

#include "config.h"

#include "app/tacho-bench-field.h"
#include "base/tacho-text.h"

#define MAX_TEXT 1000 /* characters */

struct _TachoBenchField
{
  AdwBin parent_instance;
  TachoBenchFieldCheck check;
  GtkWidget *title;
  GtkWidget *entry;
  GtkWidget *remark;
};

G_DEFINE_FINAL_TYPE (TachoBenchField, tacho_bench_field, ADW_TYPE_BIN)

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static gboolean
is_right (TachoBenchField *self, GError **error)
{
  return self->check == NULL || self->check (tacho_bench_field_get_text (self), error);
}

static void
changed_cb (TachoBenchField *self)
{
  g_autoptr (GError) error = NULL;

  (void) is_right (self, &error);
  tacho_bench_field_set_remark (self, error != NULL ? error->message : NULL, TRUE);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
tacho_bench_field_class_init (TachoBenchFieldClass *klass)
{
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", TACHO_TYPE_BENCH_FIELD, G_SIGNAL_RUN_LAST, 0,
                                          NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
tacho_bench_field_init (TachoBenchField *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);

  self->title = gtk_label_new (NULL);
  self->entry = gtk_entry_new ();
  self->remark = gtk_label_new (NULL);
  gtk_label_set_xalign (GTK_LABEL (self->title), 0);
  gtk_label_set_mnemonic_widget (GTK_LABEL (self->title), self->entry);
  gtk_widget_add_css_class (self->title, "caption");
  gtk_widget_add_css_class (self->title, "dim-label");
  gtk_entry_set_max_length (GTK_ENTRY (self->entry), MAX_TEXT);
  gtk_editable_set_width_chars (GTK_EDITABLE (self->entry), 8);
  gtk_label_set_xalign (GTK_LABEL (self->remark), 0);
  gtk_label_set_wrap (GTK_LABEL (self->remark), TRUE);
  gtk_label_set_width_chars (GTK_LABEL (self->remark), 12);
  gtk_widget_add_css_class (self->remark, "caption");
  gtk_widget_set_visible (self->remark, FALSE);
  gtk_box_append (GTK_BOX (box), self->title);
  gtk_box_append (GTK_BOX (box), self->entry);
  gtk_box_append (GTK_BOX (box), self->remark);
  g_signal_connect_object (self->entry, "changed", G_CALLBACK (changed_cb), self,
                           G_CONNECT_SWAPPED);
  adw_bin_set_child (ADW_BIN (self), box);
}

/**
 * tacho_bench_field_new:
 * @title: its name, translated
 * @tooltip: what it takes, translated
 * @placeholder: (nullable): an example
 * @check: (nullable) (scope forever): whether a text can be read
 *
 * Returns: (transfer floating): a field
 */
GtkWidget *
tacho_bench_field_new (const char *title,
                       const char *tooltip,
                       const char *placeholder,
                       TachoBenchFieldCheck check)
{
  TachoBenchField *self = g_object_new (TACHO_TYPE_BENCH_FIELD, NULL);

  self->check = check;
  gtk_label_set_label (GTK_LABEL (self->title), title);
  gtk_widget_set_tooltip_text (self->entry, tooltip);
  gtk_entry_set_placeholder_text (GTK_ENTRY (self->entry), placeholder);
  return GTK_WIDGET (self);
}

/**
 * tacho_bench_field_get_text:
 * @self: a field
 *
 * Returns: (transfer none): what is in it
 */
const char *
tacho_bench_field_get_text (TachoBenchField *self)
{
  g_return_val_if_fail (TACHO_IS_BENCH_FIELD (self), NULL);

  return gtk_editable_get_text (GTK_EDITABLE (self->entry));
}

/**
 * tacho_bench_field_set_text:
 * @self: a field
 * @text: (nullable): what is to be in it
 */
void
tacho_bench_field_set_text (TachoBenchField *self, const char *text)
{
  g_return_if_fail (TACHO_IS_BENCH_FIELD (self));

  gtk_editable_set_text (GTK_EDITABLE (self->entry), text != NULL ? text : "");
}

/**
 * tacho_bench_field_set_remark:
 * @self: a field
 * @remark: (nullable): what to say of what is in it
 * @wrong: whether that is an error
 */
void
tacho_bench_field_set_remark (TachoBenchField *self, const char *remark, gboolean wrong)
{
  g_autofree char *clean = NULL;

  g_return_if_fail (TACHO_IS_BENCH_FIELD (self));

  clean = tacho_text_sanitize_line (remark != NULL ? remark : "", -1, 300);
  gtk_label_set_label (GTK_LABEL (self->remark), clean);
  gtk_widget_set_visible (self->remark, remark != NULL);
  wrong = wrong && remark != NULL;
  if (wrong)
    {
      gtk_widget_add_css_class (self->entry, "error");
      gtk_widget_add_css_class (self->remark, "error");
    }
  else
    {
      gtk_widget_remove_css_class (self->entry, "error");
      gtk_widget_remove_css_class (self->remark, "error");
    }
  gtk_accessible_update_state (GTK_ACCESSIBLE (self->entry), GTK_ACCESSIBLE_STATE_INVALID,
                               wrong ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE,
                               -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->entry), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  clean, -1);
}

/**
 * tacho_bench_field_check:
 * @self: a field
 * @error: return location
 *
 * Returns: whether what is in it can be read; else it has the focus
 */
gboolean
tacho_bench_field_check (TachoBenchField *self, GError **error)
{
  g_return_val_if_fail (TACHO_IS_BENCH_FIELD (self), FALSE);

  if (is_right (self, error))
    return TRUE;
  gtk_widget_grab_focus (self->entry);
  return FALSE;
}
