/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The messages of a transcript: prompts, replies that grow, notes, and what came earlier. */
#define G_LOG_DOMAIN "tacho-transcript"

#include "config.h"

#include "app/tacho-transcript-private.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>
#include <math.h>

static void
end_thought (TachoTranscript *self)
{
  if (self->thought == NULL || !self->thinking)
    return;
  self->thinking = FALSE;
  tacho_thought_end (self->thought, -1);
}

static gboolean
flush_cb (gpointer user_data)
{
  TachoTranscript *self = user_data;

  self->flush_id = 0;
  tacho_transcript_flush (self);
  return G_SOURCE_REMOVE;
}

/* Once a frame; see BETWEEN_FRAMES. */
static gboolean
tick_cb (GtkWidget *widget, GdkFrameClock *clock, gpointer user_data)
{
  TachoTranscript *self = TACHO_TRANSCRIPT (widget);

  self->tick_id = 0;
  if (self->flush_id == 0)
    self->flush_id = g_idle_add_full (BETWEEN_FRAMES, flush_cb, self, NULL);
  return G_SOURCE_REMOVE;
}

/**
 * tacho_transcript_clear:
 * @self: the conversation
 *
 * Empties it.
 */
void
tacho_transcript_clear (TachoTranscript *self)
{
  g_return_if_fail (TACHO_IS_TRANSCRIPT (self));

  g_string_truncate (self->pending, 0);
  tacho_markdown_stream_end (&self->reply);
  self->thought = NULL;
  self->thinking = FALSE;
  self->earlier = NULL;
  /* Deleting the text takes the expanders away; what they point to goes after them. */
  tacho_markdown_writer_clear (&self->writer);
  for (guint i = 0; i < self->thoughts->len; i++)
    tacho_thought_free (g_ptr_array_index (self->thoughts, i));
  g_ptr_array_set_size (self->thoughts, 0);
  self->following = TRUE;
}

/**
 * tacho_transcript_is_empty:
 * @self: the conversation
 *
 * Returns: %TRUE if there is nothing to read
 */
gboolean
tacho_transcript_is_empty (TachoTranscript *self)
{
  return gtk_text_buffer_get_char_count (self->buffer) == 0 && self->pending->len == 0;
}

/**
 * tacho_transcript_add_prompt:
 * @self: the conversation
 * @prompt: what was asked
 *
 * Shows it as it was written, in a box of its own.
 */
void
tacho_transcript_add_prompt (TachoTranscript *self, const char *prompt)
{
  TachoMarkdownTags *tags = &self->writer.tags;
  g_autofree char *clean = tacho_text_sanitize (prompt, -1);
  int begin;

  g_return_if_fail (TACHO_IS_TRANSCRIPT (self));

  tacho_transcript_flush (self);
  tacho_markdown_writer_break_line (&self->writer);
  tacho_markdown_writer_insert (&self->writer, "\n", 1, NULL, NULL);
  begin = tacho_markdown_writer_get_offset (&self->writer);
  tacho_markdown_writer_insert (&self->writer, clean, strlen (clean), tags->prompt, NULL);
  tacho_markdown_writer_add_box (&self->writer, TACHO_TEXT_BOX_BUBBLE, begin, 0, 0);
}

/**
 * tacho_transcript_begin_reply:
 * @self: the conversation
 * @speaker: who answers
 *
 * Begins a reply.
 */
void
tacho_transcript_begin_reply (TachoTranscript *self, const char *speaker)
{
  g_autofree char *name = tacho_text_sanitize_line (speaker, -1, 200);
  g_autofree char *line = g_strconcat (name, "\n", NULL);

  g_return_if_fail (TACHO_IS_TRANSCRIPT (self));

  tacho_transcript_flush (self);
  tacho_markdown_writer_break_line (&self->writer);
  tacho_markdown_writer_insert (&self->writer, line, strlen (line), self->writer.tags.speaker,
                                NULL);
  self->thought = NULL;
  self->thinking = FALSE;
  if (self->end != NULL)
    return;
  self->following = TRUE;
  tacho_transcript_scroll_to_end (self);
}

/**
 * tacho_transcript_append:
 * @self: the conversation
 * @text: what came
 * @reasoning: whether it is thought rather than answer
 *
 * Adds text to the reply that was begun. It is shown with the next frame.
 */
void
tacho_transcript_append (TachoTranscript *self, const char *text, gboolean reasoning)
{
  g_return_if_fail (TACHO_IS_TRANSCRIPT (self));

  if (self->pending->len > 0 && self->pending_reasoning != reasoning)
    tacho_transcript_flush (self);
  self->pending_reasoning = reasoning;
  g_string_append (self->pending, text);
  if (self->tick_id == 0)
    self->tick_id = gtk_widget_add_tick_callback (GTK_WIDGET (self), tick_cb, NULL, NULL);
}

static void
think (TachoTranscript *self, const char *text)
{
  if (self->thought == NULL)
    {
      tacho_markdown_writer_break_line (&self->writer);
      self->thought = tacho_thought_begin (&self->writer);
      g_ptr_array_add (self->thoughts, self->thought);
    }
  self->thinking = TRUE;
  tacho_thought_append (self->thought, text, strlen (text));
}

/**
 * tacho_transcript_flush:
 * @self: the conversation
 *
 * Shows what has come so far at once.
 */
void
tacho_transcript_flush (TachoTranscript *self)
{
  g_autofree char *clean = NULL;

  g_return_if_fail (TACHO_IS_TRANSCRIPT (self));

  if (self->pending->len == 0)
    return;
  clean = tacho_text_sanitize (self->pending->str, (gssize) self->pending->len);
  g_string_truncate (self->pending, 0);
  /* Thoughts after an answer has begun are rare; they are shown where they came. */
  if (self->pending_reasoning && !tacho_markdown_stream_is_open (&self->reply))
    think (self, clean);
  else
    {
      end_thought (self);
      if (!tacho_markdown_stream_is_open (&self->reply))
        {
          tacho_markdown_writer_break_line (&self->writer);
          tacho_markdown_stream_begin (&self->reply, &self->writer);
        }
      tacho_markdown_stream_append (&self->reply, clean, strlen (clean));
    }
}

/**
 * tacho_transcript_end_reply:
 * @self: the conversation
 *
 * Ends the reply: nothing is held back.
 */
void
tacho_transcript_end_reply (TachoTranscript *self)
{
  g_return_if_fail (TACHO_IS_TRANSCRIPT (self));

  tacho_transcript_flush (self);
  end_thought (self);
  tacho_markdown_stream_end (&self->reply);
  if (self->tick_id != 0)
    gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->tick_id);
  self->tick_id = 0;
}

/**
 * tacho_transcript_get_thought_s:
 * @self: the conversation
 *
 * Returns: how long the last reply was thought about, in seconds; NaN: it was not
 */
double
tacho_transcript_get_thought_s (TachoTranscript *self)
{
  return self->thought != NULL ? tacho_thought_get_seconds (self->thought) : NAN;
}

/**
 * tacho_transcript_add_reply:
 * @self: the conversation
 * @speaker: who answered
 * @reasoning: (nullable): what was thought
 * @thought_s: for how long, in seconds; NaN: not known
 * @text: the answer
 *
 * Shows a reply that is whole.
 */
void
tacho_transcript_add_reply (TachoTranscript *self,
                            const char *speaker,
                            const char *reasoning,
                            double thought_s,
                            const char *text)
{
  g_autofree char *clean = tacho_text_sanitize (text, -1);
  g_autoptr (GPtrArray) blocks = tacho_markdown_parse (clean, strlen (clean));

  g_return_if_fail (TACHO_IS_TRANSCRIPT (self));

  tacho_transcript_begin_reply (self, speaker);
  if (reasoning != NULL && reasoning[0] != '\0')
    {
      g_autofree char *thought = tacho_text_sanitize (reasoning, -1);

      think (self, thought);
      self->thinking = FALSE;
      tacho_thought_end (self->thought, thought_s);
    }
  for (guint i = 0; i < blocks->len; i++)
    tacho_markdown_writer_block (&self->writer, g_ptr_array_index (blocks, i), i == 0, FALSE);
}

/**
 * tacho_transcript_add_note:
 * @self: the conversation
 * @kind: how serious it is
 * @text: what to say below the answer
 *
 * Adds a line that is not the model's.
 */
void
tacho_transcript_add_note (TachoTranscript *self, TachoNoteKind kind, const char *text)
{
  TachoMarkdownTags *tags = &self->writer.tags;
  g_autofree char *clean = tacho_text_sanitize (text, -1);
  GtkTextTag *color = kind == TACHO_NOTE_ERROR     ? tags->error
                      : kind == TACHO_NOTE_WARNING ? tags->warning
                                                   : NULL;

  g_return_if_fail (TACHO_IS_TRANSCRIPT (self));

  tacho_transcript_flush (self);
  tacho_markdown_writer_break_line (&self->writer);
  tacho_markdown_writer_insert (&self->writer, clean, strlen (clean), tags->note, color);
}

/**
 * tacho_transcript_add_widget:
 * @self: the conversation
 * @widget: (transfer floating): goes with the text around it
 *
 * Shows a widget on a line of its own.
 */
void
tacho_transcript_add_widget (TachoTranscript *self, GtkWidget *widget)
{
  g_return_if_fail (TACHO_IS_TRANSCRIPT (self));

  tacho_transcript_flush (self);
  tacho_markdown_writer_break_line (&self->writer);
  gtk_widget_set_cursor_from_name (widget, "default");
  tacho_markdown_writer_add_widget (&self->writer, widget);
}

/**
 * tacho_transcript_begin_earlier:
 * @self: a conversation that is not empty
 *
 * What is added until tacho_transcript_end_earlier() stands above what is there.
 */
void
tacho_transcript_begin_earlier (TachoTranscript *self)
{
  GtkTextView *view = GTK_TEXT_VIEW (self);
  GdkRectangle visible;
  GtkTextIter iter;

  g_return_if_fail (TACHO_IS_TRANSCRIPT (self) && self->end == NULL && self->earlier != NULL);

  gtk_text_view_get_visible_rect (view, &visible);
  gtk_text_view_get_iter_at_location (view, &iter, visible.x, visible.y + visible.height / 2);
  self->reading = gtk_text_buffer_create_mark (self->buffer, NULL, &iter, TRUE);
  self->end = self->writer.at;
  /* Behind the button; the line break after it stays where it is. */
  gtk_text_buffer_get_iter_at_offset (self->buffer, &iter, 1);
  self->writer.at = gtk_text_buffer_create_mark (self->buffer, NULL, &iter, FALSE);
}

/**
 * tacho_transcript_end_earlier:
 * @self: a conversation
 *
 * Goes back to its end. The reader keeps the lines that were in sight.
 */
void
tacho_transcript_end_earlier (TachoTranscript *self)
{
  g_return_if_fail (TACHO_IS_TRANSCRIPT (self) && self->end != NULL);

  gtk_text_buffer_delete_mark (self->buffer, self->writer.at);
  self->writer.at = g_steal_pointer (&self->end);
  self->thought = NULL;
  self->following = FALSE;
  gtk_text_view_scroll_to_mark (GTK_TEXT_VIEW (self), self->reading, 0, TRUE, 0, 0.5);
  gtk_text_buffer_delete_mark (self->buffer, g_steal_pointer (&self->reading));
}

static void
earlier_cb (TachoTranscript *self)
{
  g_signal_emit_by_name (self, "earlier");
}

/**
 * tacho_transcript_set_has_earlier:
 * @self: a conversation
 * @has_earlier: whether something stands above what is shown
 *
 * Shows the button that asks for it, at the top. To be called first while the conversation is
 * empty.
 */
void
tacho_transcript_set_has_earlier (TachoTranscript *self, gboolean has_earlier)
{
  g_return_if_fail (TACHO_IS_TRANSCRIPT (self));

  if (has_earlier && self->earlier == NULL)
    {
      self->earlier = gtk_button_new_with_label (_ ("Show Earlier Messages"));
      gtk_widget_add_css_class (self->earlier, "flat");
      g_signal_connect_swapped (self->earlier, "clicked", G_CALLBACK (earlier_cb), self);
      tacho_transcript_add_widget (self, self->earlier);
    }
  else if (self->earlier != NULL)
    gtk_widget_set_visible (self->earlier, has_earlier);
}
