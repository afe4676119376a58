/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A row under a field of a form: what is wrong with it, or what will be made of it. Not there while
 * there is nothing to say. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define TACHO_TYPE_FIELD_NOTE (tacho_field_note_get_type ())
G_DECLARE_FINAL_TYPE (TachoFieldNote, tacho_field_note, TACHO, FIELD_NOTE, AdwPreferencesRow)

GtkWidget *tacho_field_note_new (void);
/* Of `field`, which is marked as wrong; the text may be hostile. NULL: nothing is wrong. */
void tacho_field_note_set_error (TachoFieldNote *self, GtkWidget *field, const char *text);
void tacho_field_note_set_hint (TachoFieldNote *self, GtkWidget *field, const char *text);
gboolean tacho_field_note_is_error (TachoFieldNote *self);

G_END_DECLS
