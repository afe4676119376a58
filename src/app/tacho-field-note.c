/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row under a field of a form: what is wrong with it, or what will be made of it. */
#define G_LOG_DOMAIN "tacho-field-note"

#include "app/tacho-field-note.h"
#include "base/tacho-text.h"

#define MAX_TEXT 2000 /* bytes */

struct _TachoFieldNote
{
  AdwPreferencesRow parent_instance;
  GtkWidget *icon;
  GtkWidget *label;
  gboolean is_error;
};

G_DEFINE_FINAL_TYPE (TachoFieldNote, tacho_field_note, ADW_TYPE_PREFERENCES_ROW)

static void
tacho_field_note_class_init (TachoFieldNoteClass *klass)
{
}

static void
tacho_field_note_init (TachoFieldNote *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);

  self->icon = gtk_image_new_from_icon_name ("tacho-status-warning-symbolic");
  self->label = gtk_label_new (NULL);
  gtk_widget_set_valign (self->icon, GTK_ALIGN_START);
  gtk_widget_set_hexpand (self->label, TRUE);
  gtk_label_set_wrap (GTK_LABEL (self->label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (self->label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_xalign (GTK_LABEL (self->label), 0);
  gtk_label_set_selectable (GTK_LABEL (self->label), TRUE);
  gtk_widget_set_can_focus (self->label, FALSE);
  gtk_widget_add_css_class (box, "caption");
  gtk_widget_add_css_class (box, "field-note");
  gtk_box_append (GTK_BOX (box), self->icon);
  gtk_box_append (GTK_BOX (box), self->label);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (self), box);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (self), FALSE);
  gtk_list_box_row_set_selectable (GTK_LIST_BOX_ROW (self), FALSE);
  gtk_widget_set_focusable (GTK_WIDGET (self), FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self), FALSE);
}

/**
 * tacho_field_note_new:
 *
 * Returns: (transfer floating): a note that says nothing, and so is not seen
 */
GtkWidget *
tacho_field_note_new (void)
{
  return g_object_new (TACHO_TYPE_FIELD_NOTE, NULL);
}

static void
set_text (TachoFieldNote *self, GtkWidget *field, const char *text, gboolean is_error)
{
  g_autofree char *clean =
      text != NULL ? tacho_text_sanitize (text, (gssize) MIN (strlen (text), MAX_TEXT)) : NULL;

  self->is_error = is_error && text != NULL;
  gtk_label_set_label (GTK_LABEL (self->label), clean != NULL ? clean : "");
  gtk_widget_set_visible (self->icon, self->is_error);
  gtk_widget_set_visible (GTK_WIDGET (self), text != NULL);
  if (self->is_error)
    {
      gtk_widget_add_css_class (self->label, "error");
      gtk_widget_remove_css_class (self->label, "dim-label");
      gtk_widget_add_css_class (field, "error");
    }
  else
    {
      gtk_widget_remove_css_class (self->label, "error");
      gtk_widget_add_css_class (self->label, "dim-label");
      gtk_widget_remove_css_class (field, "error");
    }
  gtk_accessible_update_state (
      GTK_ACCESSIBLE (field), GTK_ACCESSIBLE_STATE_INVALID,
      self->is_error ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE, -1);
  gtk_accessible_update_property (GTK_ACCESSIBLE (field), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                  clean != NULL ? clean : "", -1);
}

/**
 * tacho_field_note_set_error:
 * @self: the note
 * @field: the field above it
 * @text: (nullable): what is wrong with the field's value; %NULL: nothing
 */
void
tacho_field_note_set_error (TachoFieldNote *self, GtkWidget *field, const char *text)
{
  g_return_if_fail (TACHO_IS_FIELD_NOTE (self));
  set_text (self, field, text, TRUE);
}

/**
 * tacho_field_note_set_hint:
 * @self: the note
 * @field: the field above it
 * @text: (nullable): what is to be known about the field's value; %NULL: nothing
 */
void
tacho_field_note_set_hint (TachoFieldNote *self, GtkWidget *field, const char *text)
{
  g_return_if_fail (TACHO_IS_FIELD_NOTE (self));
  set_text (self, field, text, FALSE);
}

/**
 * tacho_field_note_is_error:
 * @self: the note
 *
 * Returns: whether it says that something is wrong
 */
gboolean
tacho_field_note_is_error (TachoFieldNote *self)
{
  g_return_val_if_fail (TACHO_IS_FIELD_NOTE (self), FALSE);
  return self->is_error;
}
