/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a model thought before it answered: folded lines under a line that says how long. */
#define G_LOG_DOMAIN "tacho-thought"

#include "config.h"

#include "app/tacho-thought.h"
#include "app/tacho-accessible.h"

#include <glib/gi18n.h>
#include <math.h>

#define MAX_LINE 4000 /* bytes; a text view lays a line out as a whole with each addition */

struct _TachoThought
{
  TachoMarkdownWriter *writer;
  GtkTextTag *tag; /* of the lines that fold; owned by the buffer's table */
  GtkExpander *expander;
  gint64 begin_us;
  double seconds;   /* NaN: not known */
  gsize line;       /* bytes of the last line */
  gboolean touched; /* the person folded or unfolded it: leave it so */
  gboolean folding; /* being folded by the program */
};

static void
expanded_cb (GtkExpander *expander, GParamSpec *pspec, TachoThought *self)
{
  g_object_set (self->tag, "invisible", !gtk_expander_get_expanded (expander), NULL);
  if (!self->folding)
    self->touched = TRUE;
}

/**
 * tacho_thought_begin:
 * @writer: where it goes, at the begin of a line
 *
 * Returns: (transfer full): thoughts that are shown; the writer must outlive them
 */
TachoThought *
tacho_thought_begin (TachoMarkdownWriter *writer)
{
  TachoThought *self = g_new0 (TachoThought, 1);

  self->writer = writer;
  self->seconds = NAN;
  self->tag = gtk_text_buffer_create_tag (writer->buffer, NULL, NULL);
  self->begin_us = g_get_monotonic_time ();
  self->expander = GTK_EXPANDER (gtk_expander_new (_ ("Thinking…")));
  tacho_accessible_name_expander (self->expander);
  gtk_expander_set_expanded (self->expander, TRUE);
  gtk_widget_add_css_class (GTK_WIDGET (self->expander), "dim-label");
  gtk_widget_set_cursor_from_name (GTK_WIDGET (self->expander), "default");
  g_signal_connect (self->expander, "notify::expanded", G_CALLBACK (expanded_cb), self);
  tacho_markdown_writer_add_widget (writer, GTK_WIDGET (self->expander));
  tacho_markdown_writer_insert (writer, "\n", 1, NULL, NULL);
  return self;
}

static void
insert (TachoThought *self, const char *text, gsize length)
{
  tacho_markdown_writer_insert (self->writer, text, length, self->writer->tags.thought, self->tag);
}

/**
 * tacho_thought_append:
 * @self: thoughts
 * @text: (array length=length): clean text
 * @length: bytes
 */
void
tacho_thought_append (TachoThought *self, const char *text, gsize length)
{
  while (length > 0)
    {
      const char *end = memchr (text, '\n', length);
      gsize size = end != NULL ? (gsize) (end - text) + 1 : length;

      if (end == NULL && self->line + size > MAX_LINE)
        {
          const char *space = memchr (text, ' ', length);

          if (space != NULL)
            {
              insert (self, text, (gsize) (space - text));
              insert (self, "\n", 1);
              self->line = 0;
              length -= (gsize) (space - text) + 1;
              text = space + 1;
              continue;
            }
        }
      insert (self, text, size);
      self->line = end != NULL ? 0 : self->line + size;
      text += size;
      length -= size;
    }
}

/**
 * tacho_thought_end:
 * @self: thoughts that are whole
 * @seconds: how long they took; negative: as long as since they began; NaN: not known
 *
 * Says how long they took, and folds them unless the reader has chosen.
 */
void
tacho_thought_end (TachoThought *self, double seconds)
{
  g_autofree char *label = NULL;

  insert (self, "\n", 1);
  self->seconds =
      seconds < 0 ? (g_get_monotonic_time () - self->begin_us) / (double) G_USEC_PER_SEC : seconds;
  if (isfinite (self->seconds))
    label = g_strdup_printf (_ ("Thought for %.1f s"), self->seconds);
  gtk_expander_set_label (self->expander, label != NULL ? label : _ ("Thoughts"));
  if (!self->touched)
    {
      self->folding = TRUE;
      gtk_expander_set_expanded (self->expander, FALSE);
      self->folding = FALSE;
    }
}

/**
 * tacho_thought_get_seconds:
 * @self: thoughts
 *
 * Returns: how long they took; NaN: not known, or not over
 */
double
tacho_thought_get_seconds (const TachoThought *self)
{
  return self->seconds;
}

/**
 * tacho_thought_free:
 * @self: (transfer full): thoughts whose text is gone, or goes now
 */
void
tacho_thought_free (TachoThought *self)
{
  gtk_text_tag_table_remove (gtk_text_buffer_get_tag_table (self->writer->buffer), self->tag);
  g_free (self);
}
