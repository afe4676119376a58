/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The extra headers of a server, a row each, in a row that folds. */
#define G_LOG_DOMAIN "tacho-server-headers"

#include "config.h"

#include "app/tacho-server-headers.h"
#include "app/tacho-field-note.h"
#include "base/tacho-url.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_HEADERS 64

typedef struct
{
  GtkWidget *row;
  GtkWidget *name;
  GtkWidget *value;
  GtkWidget *note;
} Line;

struct _TachoServerHeaders
{
  AdwExpanderRow parent_instance;
  GPtrArray *lines; /* of Line */
  GtkWidget *add_row;
};

G_DEFINE_FINAL_TYPE (TachoServerHeaders, tacho_server_headers, ADW_TYPE_EXPANDER_ROW)

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
changed_cb (TachoServerHeaders *self)
{
  g_autofree char *count = NULL;

  /* Translators: how many extra headers a server has. */
  count =
      g_strdup_printf (ngettext ("%u header", "%u headers", self->lines->len), self->lines->len);
  adw_expander_row_set_subtitle (ADW_EXPANDER_ROW (self),
                                 self->lines->len > 0 ? count : _ ("None"));
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
remove_cb (GtkButton *button, TachoServerHeaders *self)
{
  for (guint i = 0; i < self->lines->len; i++)
    {
      Line *line = g_ptr_array_index (self->lines, i);

      if (!gtk_widget_is_ancestor (GTK_WIDGET (button), line->row))
        continue;
      adw_expander_row_remove (ADW_EXPANDER_ROW (self), line->row);
      adw_expander_row_remove (ADW_EXPANDER_ROW (self), line->note);
      g_ptr_array_remove_index (self->lines, i);
      break;
    }
  gtk_widget_grab_focus (self->add_row);
  changed_cb (self);
}

static GtkWidget *
new_entry (TachoServerHeaders *self, const char *label, const char *text)
{
  GtkWidget *entry = gtk_entry_new ();

  gtk_entry_set_placeholder_text (GTK_ENTRY (entry), label);
  gtk_entry_set_max_length (GTK_ENTRY (entry), 4096);
  gtk_editable_set_width_chars (GTK_EDITABLE (entry), 12);
  gtk_editable_set_text (GTK_EDITABLE (entry), text);
  gtk_widget_set_hexpand (entry, TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (entry), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  g_signal_connect_object (entry, "changed", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  return entry;
}

static Line *
add_line (TachoServerHeaders *self, const char *name, const char *value)
{
  Line *line = g_new0 (Line, 1);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  GtkWidget *remove = gtk_button_new_from_icon_name ("user-trash-symbolic");

  line->row = adw_preferences_row_new ();
  line->name = new_entry (self, _ ("Header name"), name);
  line->value = new_entry (self, _ ("Header value"), value);
  line->note = tacho_field_note_new ();
  gtk_widget_set_tooltip_text (remove, _ ("Remove This Header"));
  gtk_accessible_update_property (GTK_ACCESSIBLE (remove), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Remove this header"), -1);
  gtk_widget_add_css_class (remove, "flat");
  g_signal_connect_object (remove, "clicked", G_CALLBACK (remove_cb), self, 0);
  gtk_widget_add_css_class (box, "header-line");
  gtk_box_append (GTK_BOX (box), line->name);
  gtk_box_append (GTK_BOX (box), line->value);
  gtk_box_append (GTK_BOX (box), remove);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (line->row), box);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (line->row), FALSE);
  gtk_widget_set_focusable (line->row, FALSE);
  /* The row that adds stays the last one. */
  adw_expander_row_remove (ADW_EXPANDER_ROW (self), self->add_row);
  adw_expander_row_add_row (ADW_EXPANDER_ROW (self), line->row);
  adw_expander_row_add_row (ADW_EXPANDER_ROW (self), line->note);
  adw_expander_row_add_row (ADW_EXPANDER_ROW (self), self->add_row);
  g_ptr_array_add (self->lines, line);
  return line;
}

static void
add_cb (TachoServerHeaders *self)
{
  if (self->lines->len >= MAX_HEADERS)
    return;
  gtk_widget_grab_focus (add_line (self, "", "")->name);
  changed_cb (self);
}

static void
tacho_server_headers_finalize (GObject *object)
{
  TachoServerHeaders *self = TACHO_SERVER_HEADERS (object);

  g_ptr_array_unref (self->lines);
  g_object_unref (self->add_row);

  G_OBJECT_CLASS (tacho_server_headers_parent_class)->finalize (object);
}

static void
tacho_server_headers_class_init (TachoServerHeadersClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_server_headers_finalize;

  signals[SIGNAL_CHANGED] = g_signal_new ("changed", TACHO_TYPE_SERVER_HEADERS, G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
tacho_server_headers_init (TachoServerHeaders *self)
{
  GtkWidget *button = gtk_button_new_with_label (_ ("Add Header"));

  self->lines = g_ptr_array_new_with_free_func (g_free);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self), _ ("Extra Headers"));
  adw_expander_row_set_subtitle (ADW_EXPANDER_ROW (self), _ ("None"));
  self->add_row = g_object_ref_sink (adw_preferences_row_new ());
  gtk_widget_add_css_class (button, "flat");
  g_signal_connect_object (button, "clicked", G_CALLBACK (add_cb), self, G_CONNECT_SWAPPED);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (self->add_row), button);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (self->add_row), FALSE);
  gtk_widget_set_focusable (self->add_row, FALSE);
  adw_expander_row_add_row (ADW_EXPANDER_ROW (self), self->add_row);
}

/**
 * tacho_server_headers_show:
 * @self: the rows
 * @profile: whose headers to show
 */
void
tacho_server_headers_show (TachoServerHeaders *self, TachoProfile *profile)
{
  const char *const *headers = tacho_profile_get_headers (profile);

  for (guint i = 0; headers[i] != NULL; i++)
    {
      const char *colon = strchr (headers[i], ':');
      g_autofree char *name = g_strndup (headers[i], (gsize) (colon - headers[i]));
      g_autofree char *value = g_strstrip (g_strdup (colon + 1));

      add_line (self, name, value);
    }
  adw_expander_row_set_expanded (ADW_EXPANDER_ROW (self), self->lines->len > 0);
  changed_cb (self);
}

static gboolean
apply_line (Line *line, TachoProfile *profile, GError **error)
{
  g_autofree char *name = g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (line->name))));
  const char *value = gtk_editable_get_text (GTK_EDITABLE (line->value));
  g_autofree char *header = g_strdup_printf ("%s: %s", name, value);

  if (name[0] == '\0' && value[0] == '\0')
    return TRUE; /* a line that was not begun */
  if (tacho_header_is_secret (name))
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           _ ("This header carries a secret, and headers are stored in a file: "
                              "enter it as the API key"));
      return FALSE;
    }
  return tacho_profile_add_header (profile, header, error);
}

/**
 * tacho_server_headers_apply:
 * @self: the rows
 * @profile: gets the headers, in place of those that it has
 *
 * Returns: %FALSE if one of them cannot be sent or not be stored, which its row says from now on
 */
gboolean
tacho_server_headers_apply (TachoServerHeaders *self, TachoProfile *profile)
{
  gboolean fine = TRUE;

  tacho_profile_clear_headers (profile);
  for (guint i = 0; i < self->lines->len; i++)
    {
      Line *line = g_ptr_array_index (self->lines, i);
      g_autoptr (GError) error = NULL;

      if (apply_line (line, profile, &error))
        tacho_field_note_set_error (TACHO_FIELD_NOTE (line->note), line->name, NULL);
      else
        {
          tacho_field_note_set_error (TACHO_FIELD_NOTE (line->note), line->name, error->message);
          fine = FALSE;
        }
    }
  if (!fine)
    adw_expander_row_set_expanded (ADW_EXPANDER_ROW (self), TRUE);
  return fine;
}
