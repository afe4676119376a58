/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A conversation as one text. One text view that scrolls itself draws only the lines in sight, so
 * that the cost of a token does not grow with the length of the conversation. */
#define G_LOG_DOMAIN "tacho-transcript"

#include "config.h"

#include "app/tacho-transcript.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define BUBBLE_RADIUS 12
#define BUBBLE_PADDING 10
/* Before the view lays new lines out (GTK_PRIORITY_RESIZE - 2), which is before the next frame. A
 * change within a frame would be laid out while it is drawn; the scroll bar then moves after its
 * allocation, and GTK warns. */
#define BETWEEN_FRAMES G_PRIORITY_HIGH_IDLE
#define BOTTOM_SLACK 8 /* pixels from the end that still count as being there */

/* The line of an answer that folds what the model thought. */
typedef struct
{
  GtkTextTag *tag; /* of the thoughts; owned by the buffer's table */
  GtkExpander *expander;
  gint64 begin_us;
  gboolean touched; /* the person folded or unfolded it: leave it so */
  gboolean folding; /* being folded by the program */
} Thought;

typedef struct
{
  GtkTextMark *begin; /* owned by the buffer */
  GtkTextMark *end;
} Bubble;

struct _TachoTranscript
{
  GtkTextView parent_instance;
  GtkTextBuffer *buffer;
  GtkTextTag *prompt_tag;
  GtkTextTag *speaker_tag;
  GtkTextTag *thought_tag;
  GtkTextTag *note_tag;
  GtkTextTag *warning_tag;
  GtkTextTag *error_tag;
  GdkRGBA bubble_color;

  GArray *bubbles;     /* of Bubble */
  GPtrArray *thoughts; /* of Thought */
  Thought *thought;    /* of the answer that grows; NULL: it has none */
  gboolean thinking;   /* the last text was thought */
  GString *pending;
  gboolean pending_reasoning;
  guint tick_id;
  guint flush_id;
  guint scroll_id;

  GtkAdjustment *adjustment;
  gboolean following;
  gboolean scrolling; /* the program scrolls, not the reader */
};

G_DEFINE_FINAL_TYPE (TachoTranscript, tacho_transcript, GTK_TYPE_TEXT_VIEW)

static void
insert (TachoTranscript *self, const char *text, GtkTextTag *tag, GtkTextTag *second)
{
  GtkTextIter end;

  gtk_text_buffer_get_end_iter (self->buffer, &end);
  if (tag != NULL && second != NULL)
    gtk_text_buffer_insert_with_tags (self->buffer, &end, text, -1, tag, second, NULL);
  else if (tag != NULL)
    gtk_text_buffer_insert_with_tags (self->buffer, &end, text, -1, tag, NULL);
  else
    gtk_text_buffer_insert (self->buffer, &end, text, -1);
}

/* Text that follows begins a paragraph of its own. */
static void
break_line (TachoTranscript *self)
{
  GtkTextIter end;

  gtk_text_buffer_get_end_iter (self->buffer, &end);
  if (gtk_text_iter_get_line_offset (&end) > 0)
    gtk_text_buffer_insert (self->buffer, &end, "\n", 1);
}

static void
expanded_cb (GtkExpander *expander, GParamSpec *pspec, Thought *thought)
{
  g_object_set (thought->tag, "invisible", !gtk_expander_get_expanded (expander), NULL);
  if (!thought->folding)
    thought->touched = TRUE;
}

static void
begin_thought (TachoTranscript *self)
{
  Thought *thought = g_new0 (Thought, 1);
  GtkTextChildAnchor *anchor;
  GtkTextIter end;

  break_line (self);
  thought->tag = gtk_text_buffer_create_tag (self->buffer, NULL, NULL);
  thought->begin_us = g_get_monotonic_time ();
  thought->expander = GTK_EXPANDER (gtk_expander_new (_ ("Thinking…")));
  gtk_expander_set_expanded (thought->expander, TRUE);
  gtk_widget_add_css_class (GTK_WIDGET (thought->expander), "dim-label");
  g_signal_connect (thought->expander, "notify::expanded", G_CALLBACK (expanded_cb), thought);
  gtk_text_buffer_get_end_iter (self->buffer, &end);
  anchor = gtk_text_buffer_create_child_anchor (self->buffer, &end);
  gtk_text_view_add_child_at_anchor (GTK_TEXT_VIEW (self), GTK_WIDGET (thought->expander), anchor);
  insert (self, "\n", NULL, NULL);
  g_ptr_array_add (self->thoughts, thought);
  self->thought = thought;
  self->thinking = TRUE;
}

/* The thoughts are whole: say how long they took, and fold them unless the reader has chosen. */
static void
end_thought (TachoTranscript *self)
{
  Thought *thought = self->thought;
  g_autofree char *label = NULL;

  if (thought == NULL || !self->thinking)
    return;
  self->thinking = FALSE;
  insert (self, "\n", self->thought_tag, thought->tag);
  label = g_strdup_printf (_ ("Thought for %.1f s"),
                           (g_get_monotonic_time () - thought->begin_us) / (double) G_USEC_PER_SEC);
  gtk_expander_set_label (thought->expander, label);
  if (!thought->touched)
    {
      thought->folding = TRUE;
      gtk_expander_set_expanded (thought->expander, FALSE);
      thought->folding = FALSE;
    }
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

static gboolean
is_at_bottom (TachoTranscript *self)
{
  return gtk_adjustment_get_value (self->adjustment) + BOTTOM_SLACK >=
         gtk_adjustment_get_upper (self->adjustment) -
             gtk_adjustment_get_page_size (self->adjustment);
}

static void
scroll_to_end (TachoTranscript *self)
{
  if (self->adjustment == NULL)
    return;
  self->scrolling = TRUE;
  gtk_adjustment_set_value (self->adjustment, gtk_adjustment_get_upper (self->adjustment) -
                                                  gtk_adjustment_get_page_size (self->adjustment));
  self->scrolling = FALSE;
}

static gboolean
scroll_cb (gpointer user_data)
{
  TachoTranscript *self = user_data;

  self->scroll_id = 0;
  if (self->following)
    scroll_to_end (self);
  return G_SOURCE_REMOVE;
}

/* The text view says this while it is being allocated, when nothing may be scrolled. */
static void
adjustment_changed_cb (TachoTranscript *self)
{
  if (self->following && self->scroll_id == 0)
    self->scroll_id = g_idle_add_full (BETWEEN_FRAMES, scroll_cb, self, NULL);
}

static void
value_changed_cb (TachoTranscript *self)
{
  if (!self->scrolling)
    self->following = is_at_bottom (self);
}

static void
vadjustment_cb (TachoTranscript *self)
{
  GtkAdjustment *adjustment = gtk_scrollable_get_vadjustment (GTK_SCROLLABLE (self));

  if (adjustment == self->adjustment)
    return;
  if (self->adjustment != NULL)
    g_signal_handlers_disconnect_by_data (self->adjustment, self);
  g_set_object (&self->adjustment, adjustment);
  if (adjustment == NULL)
    return;
  g_signal_connect_object (adjustment, "changed", G_CALLBACK (adjustment_changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (adjustment, "value-changed", G_CALLBACK (value_changed_cb), self,
                           G_CONNECT_SWAPPED);
}

static void
lookup_color (GtkStyleContext *context, const char *name, const GdkRGBA *fallback, GdkRGBA *color)
{
  if (!gtk_style_context_lookup_color (context, name, color))
    *color = *fallback;
}

static void
tacho_transcript_css_changed (GtkWidget *widget, GtkCssStyleChange *change)
{
  TachoTranscript *self = TACHO_TRANSCRIPT (widget);
  GtkStyleContext *context = gtk_widget_get_style_context (widget);
  GdkRGBA text, dim, warning, error;

  GTK_WIDGET_CLASS (tacho_transcript_parent_class)->css_changed (widget, change);

  gtk_style_context_get_color (context, &text);
  dim = text;
  dim.alpha *= 0.6f;
  lookup_color (context, "warning_color", &text, &warning);
  lookup_color (context, "error_color", &text, &error);
  lookup_color (context, "accent_bg_color", &text, &self->bubble_color);
  self->bubble_color.alpha = 0.17f;
  g_object_set (self->speaker_tag, "foreground-rgba", &dim, NULL);
  g_object_set (self->thought_tag, "foreground-rgba", &dim, NULL);
  g_object_set (self->note_tag, "foreground-rgba", &dim, NULL);
  g_object_set (self->warning_tag, "foreground-rgba", &warning, NULL);
  g_object_set (self->error_tag, "foreground-rgba", &error, NULL);
}

/* The prompts stand in rounded boxes, drawn below the text in buffer coordinates. */
static void
tacho_transcript_snapshot_layer (GtkTextView *view, GtkTextViewLayer layer, GtkSnapshot *snapshot)
{
  TachoTranscript *self = TACHO_TRANSCRIPT (view);
  GdkRectangle visible;

  if (layer != GTK_TEXT_VIEW_LAYER_BELOW_TEXT)
    return;
  gtk_text_view_get_visible_rect (view, &visible);
  for (guint i = 0; i < self->bubbles->len; i++)
    {
      const Bubble *bubble = &g_array_index (self->bubbles, Bubble, i);
      GtkTextIter begin, end;
      int top, bottom, height;
      GskRoundedRect rect;

      gtk_text_buffer_get_iter_at_mark (self->buffer, &begin, bubble->begin);
      gtk_text_buffer_get_iter_at_mark (self->buffer, &end, bubble->end);
      gtk_text_view_get_line_yrange (view, &begin, &top, &height);
      gtk_text_view_get_line_yrange (view, &end, &bottom, &height);
      bottom += height;
      if (bottom < visible.y || top > visible.y + visible.height)
        continue;
      gsk_rounded_rect_init_from_rect (
          &rect, &GRAPHENE_RECT_INIT (0, top, visible.width, bottom - top), BUBBLE_RADIUS);
      gtk_snapshot_push_rounded_clip (snapshot, &rect);
      gtk_snapshot_append_color (snapshot, &self->bubble_color, &rect.bounds);
      gtk_snapshot_pop (snapshot);
    }
}

static void
tacho_transcript_dispose (GObject *object)
{
  TachoTranscript *self = TACHO_TRANSCRIPT (object);

  if (self->tick_id != 0)
    gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->tick_id);
  self->tick_id = 0;
  g_clear_handle_id (&self->flush_id, g_source_remove);
  g_clear_handle_id (&self->scroll_id, g_source_remove);
  g_clear_object (&self->adjustment);

  G_OBJECT_CLASS (tacho_transcript_parent_class)->dispose (object);
}

static void
tacho_transcript_finalize (GObject *object)
{
  TachoTranscript *self = TACHO_TRANSCRIPT (object);

  g_clear_pointer (&self->bubbles, g_array_unref);
  g_clear_pointer (&self->thoughts, g_ptr_array_unref);
  g_string_free (self->pending, TRUE);

  G_OBJECT_CLASS (tacho_transcript_parent_class)->finalize (object);
}

static void
tacho_transcript_class_init (TachoTranscriptClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_transcript_dispose;
  G_OBJECT_CLASS (klass)->finalize = tacho_transcript_finalize;
  GTK_WIDGET_CLASS (klass)->css_changed = tacho_transcript_css_changed;
  GTK_TEXT_VIEW_CLASS (klass)->snapshot_layer = tacho_transcript_snapshot_layer;
}

static void
tacho_transcript_init (TachoTranscript *self)
{
  GtkTextView *view = GTK_TEXT_VIEW (self);

  gtk_text_view_set_editable (view, FALSE);
  gtk_text_view_set_cursor_visible (view, FALSE);
  gtk_text_view_set_wrap_mode (view, GTK_WRAP_WORD_CHAR);
  gtk_text_view_set_top_margin (view, 18);
  gtk_text_view_set_bottom_margin (view, 18);
  gtk_text_view_set_left_margin (view, 14);
  gtk_text_view_set_right_margin (view, 14);
  gtk_text_view_set_pixels_inside_wrap (view, 3);
  gtk_text_view_set_pixels_below_lines (view, 3);
  gtk_widget_add_css_class (GTK_WIDGET (self), "transcript");

  self->buffer = gtk_text_view_get_buffer (view);
  self->prompt_tag =
      gtk_text_buffer_create_tag (self->buffer, NULL, "pixels-above-lines", BUBBLE_PADDING,
                                  "pixels-below-lines", BUBBLE_PADDING, NULL);
  self->speaker_tag = gtk_text_buffer_create_tag (self->buffer, NULL, "pixels-above-lines", 14,
                                                  "scale", 0.85, "weight", PANGO_WEIGHT_BOLD, NULL);
  self->thought_tag = gtk_text_buffer_create_tag (self->buffer, NULL, "left-margin", 30,
                                                  "pixels-below-lines", 6, NULL);
  self->note_tag =
      gtk_text_buffer_create_tag (self->buffer, NULL, "pixels-above-lines", 6, "scale", 0.85, NULL);
  self->warning_tag = gtk_text_buffer_create_tag (self->buffer, NULL, NULL);
  self->error_tag = gtk_text_buffer_create_tag (self->buffer, NULL, NULL);
  self->bubbles = g_array_new (FALSE, FALSE, sizeof (Bubble));
  self->thoughts = g_ptr_array_new_with_free_func (g_free);
  self->pending = g_string_new (NULL);
  self->following = TRUE;
  g_signal_connect (self, "notify::vadjustment", G_CALLBACK (vadjustment_cb), NULL);
  g_signal_connect (self, "map", G_CALLBACK (tacho_transcript_flush), NULL);
  vadjustment_cb (self);
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

  for (guint i = 0; i < self->bubbles->len; i++)
    {
      const Bubble *bubble = &g_array_index (self->bubbles, Bubble, i);

      gtk_text_buffer_delete_mark (self->buffer, bubble->begin);
      gtk_text_buffer_delete_mark (self->buffer, bubble->end);
    }
  g_array_set_size (self->bubbles, 0);
  self->thought = NULL;
  self->thinking = FALSE;
  g_string_truncate (self->pending, 0);
  /* Deleting the text takes the expanders away; what they point to goes after them. */
  gtk_text_buffer_set_text (self->buffer, "", 0);
  for (guint i = 0; i < self->thoughts->len; i++)
    {
      Thought *thought = g_ptr_array_index (self->thoughts, i);

      gtk_text_tag_table_remove (gtk_text_buffer_get_tag_table (self->buffer), thought->tag);
    }
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
 * tacho_transcript_begin:
 * @self: the conversation
 * @prompt: (nullable): what was asked; %NULL for another answer to the same
 * @speaker: who answers
 *
 * Begins a turn.
 */
void
tacho_transcript_begin (TachoTranscript *self, const char *prompt, const char *speaker)
{
  g_autofree char *name = tacho_text_sanitize_line (speaker, -1, 200);
  g_autofree char *line = g_strconcat (name, "\n", NULL);

  g_return_if_fail (TACHO_IS_TRANSCRIPT (self));

  tacho_transcript_flush (self);
  break_line (self);
  if (prompt != NULL)
    {
      g_autofree char *clean = tacho_text_sanitize (prompt, -1);
      Bubble bubble;
      GtkTextIter end;

      if (gtk_text_buffer_get_char_count (self->buffer) > 0)
        insert (self, "\n", NULL, NULL);
      gtk_text_buffer_get_end_iter (self->buffer, &end);
      bubble.begin = gtk_text_buffer_create_mark (self->buffer, NULL, &end, TRUE);
      insert (self, clean, self->prompt_tag, NULL);
      gtk_text_buffer_get_end_iter (self->buffer, &end);
      bubble.end = gtk_text_buffer_create_mark (self->buffer, NULL, &end, TRUE);
      insert (self, "\n", self->prompt_tag, NULL);
      g_array_append_val (self->bubbles, bubble);
    }
  insert (self, line, self->speaker_tag, NULL);
  self->thought = NULL;
  self->thinking = FALSE;
  self->following = TRUE;
  scroll_to_end (self);
}

/**
 * tacho_transcript_append:
 * @self: the conversation
 * @text: what came
 * @reasoning: whether it is thought rather than answer
 *
 * Adds text to the turn that was begun. It is shown with the next frame.
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
  clean = tacho_text_sanitize (self->pending->str, self->pending->len);
  g_string_truncate (self->pending, 0);
  if (self->pending_reasoning)
    {
      if (self->thought == NULL)
        begin_thought (self);
      self->thinking = TRUE;
      insert (self, clean, self->thought_tag, self->thought->tag);
    }
  else
    {
      end_thought (self);
      insert (self, clean, NULL, NULL);
    }
}

/**
 * tacho_transcript_end:
 * @self: the conversation
 *
 * Ends the turn: nothing is held back.
 */
void
tacho_transcript_end (TachoTranscript *self)
{
  g_return_if_fail (TACHO_IS_TRANSCRIPT (self));

  tacho_transcript_flush (self);
  end_thought (self);
  if (self->tick_id != 0)
    gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->tick_id);
  self->tick_id = 0;
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
  g_autofree char *clean = tacho_text_sanitize (text, -1);
  GtkTextTag *color = kind == TACHO_NOTE_ERROR     ? self->error_tag
                      : kind == TACHO_NOTE_WARNING ? self->warning_tag
                                                   : NULL;

  g_return_if_fail (TACHO_IS_TRANSCRIPT (self));

  tacho_transcript_flush (self);
  break_line (self);
  insert (self, clean, self->note_tag, color);
  insert (self, "\n", NULL, NULL);
}
