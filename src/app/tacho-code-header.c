/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The line above a block of code: its language, and a button that copies it. */
#define G_LOG_DOMAIN "tacho-code-header"

#include "config.h"

#include "app/tacho-code-header.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_NAME 32
#define COPIED_MS 1500

struct _TachoCodeHeader
{
  GtkWidget parent_instance;
  GString *code;
  char *language; /* NULL: not said */
  GtkWidget *box;
  GtkButton *button;
  guint timeout_id;
};

G_DEFINE_FINAL_TYPE (TachoCodeHeader, tacho_code_header, GTK_TYPE_WIDGET)

static gboolean
copied_cb (gpointer user_data)
{
  TachoCodeHeader *self = user_data;

  self->timeout_id = 0;
  gtk_button_set_label (self->button, _ ("Copy"));
  return G_SOURCE_REMOVE;
}

static void
clicked_cb (TachoCodeHeader *self)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), self->code->str);
  gtk_button_set_label (self->button, _ ("Copied"));
  g_clear_handle_id (&self->timeout_id, g_source_remove);
  self->timeout_id = g_timeout_add (COPIED_MS, copied_cb, self);
}

static void
tacho_code_header_dispose (GObject *object)
{
  TachoCodeHeader *self = TACHO_CODE_HEADER (object);

  g_clear_handle_id (&self->timeout_id, g_source_remove);
  g_clear_pointer (&self->box, gtk_widget_unparent);

  G_OBJECT_CLASS (tacho_code_header_parent_class)->dispose (object);
}

static void
tacho_code_header_finalize (GObject *object)
{
  TachoCodeHeader *self = TACHO_CODE_HEADER (object);

  g_string_free (self->code, TRUE);
  g_free (self->language);

  G_OBJECT_CLASS (tacho_code_header_parent_class)->finalize (object);
}

static void
tacho_code_header_class_init (TachoCodeHeaderClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_code_header_dispose;
  G_OBJECT_CLASS (klass)->finalize = tacho_code_header_finalize;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
}

static void
tacho_code_header_init (TachoCodeHeader *self)
{
  self->code = g_string_new (NULL);
}

/**
 * tacho_code_header_new:
 * @language: (nullable): what the author called it
 *
 * Returns: (transfer floating): the line above code
 */
TachoCodeHeader *
tacho_code_header_new (const char *language)
{
  TachoCodeHeader *self = g_object_new (TACHO_TYPE_CODE_HEADER, NULL);
  g_autofree char *name = tacho_text_sanitize_line (language != NULL ? language : "", -1, MAX_NAME);
  GtkWidget *label = gtk_label_new (name[0] != '\0' ? name : _ ("Code"));

  self->language = g_strdup (language);
  self->box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  gtk_widget_add_css_class (label, "caption");
  gtk_widget_add_css_class (label, "dim-label");
  self->button = GTK_BUTTON (gtk_button_new_with_label (_ ("Copy")));
  gtk_widget_add_css_class (GTK_WIDGET (self->button), "flat");
  gtk_widget_add_css_class (GTK_WIDGET (self->button), "code-button");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->button), _ ("Copy this code"));
  gtk_widget_set_cursor_from_name (GTK_WIDGET (self), "default");
  g_signal_connect_swapped (self->button, "clicked", G_CALLBACK (clicked_cb), self);
  gtk_box_append (GTK_BOX (self->box), label);
  gtk_box_append (GTK_BOX (self->box), GTK_WIDGET (self->button));
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
  return self;
}

/**
 * tacho_code_header_append:
 * @self: the header
 * @code: (array length=length): code that came
 * @length: bytes
 */
void
tacho_code_header_append (TachoCodeHeader *self, const char *code, gsize length)
{
  g_string_append_len (self->code, code, (gssize) length);
}

/**
 * tacho_code_header_get_code:
 * @self: the header
 *
 * Returns: (transfer none): the code below it
 */
const char *
tacho_code_header_get_code (TachoCodeHeader *self)
{
  return self->code->str;
}

/**
 * tacho_code_header_get_language:
 * @self: the header
 *
 * Returns: (transfer none) (nullable): what the author called it
 */
const char *
tacho_code_header_get_language (TachoCodeHeader *self)
{
  return self->language;
}
