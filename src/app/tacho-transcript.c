/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A conversation as one text. One text view that scrolls itself draws only the lines in sight, so
 * that the cost of a token does not grow with the length of the conversation. */
#define G_LOG_DOMAIN "tacho-transcript"

#include "config.h"

#include "app/tacho-transcript-private.h"

#define BUBBLE_RADIUS 12
#define CODE_RADIUS 9
#define BUBBLE_PADDING 6
#define BOTTOM_SLACK 8 /* pixels from the end that still count as being there */

G_DEFINE_FINAL_TYPE (TachoTranscript, tacho_transcript, GTK_TYPE_TEXT_VIEW)

enum
{
  SIGNAL_LINK,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static gboolean
is_at_bottom (TachoTranscript *self)
{
  return gtk_adjustment_get_value (self->adjustment) + BOTTOM_SLACK >=
         gtk_adjustment_get_upper (self->adjustment) -
             gtk_adjustment_get_page_size (self->adjustment);
}

/* Not for others than the transcript's own files. */
void
tacho_transcript_scroll_to_end (TachoTranscript *self)
{
  /* Before the view has a size, its end is at its whole height: GTK 4.8 then keeps the text moved
   * up by that, whatever the adjustment says later. */
  if (self->adjustment == NULL || gtk_adjustment_get_page_size (self->adjustment) < 1)
    return;
  self->scrolling = TRUE;
  self->followed_upper = gtk_adjustment_get_upper (self->adjustment);
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
    tacho_transcript_scroll_to_end (self);
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
  /* The view moves by itself when lines above the seen ones get their heights: then there is
   * another whole height than at the last scroll. */
  if (self->scrolling ||
      (self->following && gtk_adjustment_get_upper (self->adjustment) != self->followed_upper))
    return;
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

/* Links. */

static const char *
get_href_at (const GtkTextIter *iter)
{
  g_autoptr (GSList) tags = gtk_text_iter_get_tags (iter);

  for (GSList *item = tags; item != NULL; item = item->next)
    if (tacho_markdown_tags_get_href (item->data) != NULL)
      return tacho_markdown_tags_get_href (item->data);
  return NULL;
}

static const char *
get_href (TachoTranscript *self, double x, double y)
{
  GtkTextView *view = GTK_TEXT_VIEW (self);
  GtkTextIter iter;
  int bx, by;

  gtk_text_view_window_to_buffer_coords (view, GTK_TEXT_WINDOW_WIDGET, (int) x, (int) y, &bx, &by);
  return gtk_text_view_get_iter_at_location (view, &iter, bx, by) ? get_href_at (&iter) : NULL;
}

/* Whoever has come here by the keyboard sees where, and opens a link with Enter. */
static void
focus_cb (TachoTranscript *self)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));

  gtk_text_view_set_cursor_visible (GTK_TEXT_VIEW (self),
                                    gtk_widget_has_focus (GTK_WIDGET (self)) && root != NULL &&
                                        gtk_window_get_focus_visible (GTK_WINDOW (root)));
}

static gboolean
key_cb (GtkEventControllerKey *controller,
        guint keyval,
        guint keycode,
        GdkModifierType modifiers,
        TachoTranscript *self)
{
  GtkTextIter iter;
  const char *href;

  if (keyval != GDK_KEY_Return && keyval != GDK_KEY_KP_Enter)
    return GDK_EVENT_PROPAGATE;
  gtk_text_buffer_get_iter_at_mark (self->buffer, &iter,
                                    gtk_text_buffer_get_insert (self->buffer));
  href = get_href_at (&iter);
  if (href == NULL)
    return GDK_EVENT_PROPAGATE;
  g_signal_emit (self, signals[SIGNAL_LINK], 0, href);
  return GDK_EVENT_STOP;
}

static void
released_cb (GtkGestureClick *gesture, int n_press, double x, double y, TachoTranscript *self)
{
  const char *href = get_href (self, x, y);

  if (href != NULL && n_press == 1 && !gtk_text_buffer_get_has_selection (self->buffer))
    g_signal_emit (self, signals[SIGNAL_LINK], 0, href);
}

static void
motion_cb (GtkEventControllerMotion *controller, double x, double y, TachoTranscript *self)
{
  const char *href = get_href (self, x, y);

  gtk_widget_set_cursor_from_name (GTK_WIDGET (self), href != NULL ? "pointer" : "text");
  /* What a link says need not be where it goes. */
  if (g_strcmp0 (gtk_widget_get_tooltip_text (GTK_WIDGET (self)), href) != 0)
    gtk_widget_set_tooltip_text (GTK_WIDGET (self), href);
}

/* Drawing. */

static void
tacho_transcript_css_changed (GtkWidget *widget, GtkCssStyleChange *change)
{
  GTK_WIDGET_CLASS (tacho_transcript_parent_class)->css_changed (widget, change);
  tacho_markdown_writer_update_colors (&TACHO_TRANSCRIPT (widget)->writer);
}

static gboolean
width_cb (gpointer user_data)
{
  TachoTranscript *self = user_data;

  self->width_id = 0;
  tacho_markdown_writer_set_width (&self->writer, self->width);
  return G_SOURCE_REMOVE;
}

static void
tacho_transcript_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  TachoTranscript *self = TACHO_TRANSCRIPT (widget);

  GTK_WIDGET_CLASS (tacho_transcript_parent_class)->size_allocate (widget, width, height, baseline);
  if (width == self->width)
    return;
  self->width = width;
  if (self->width_id == 0)
    self->width_id = g_idle_add_full (BETWEEN_FRAMES, width_cb, self, NULL);
}

static void
draw_box (TachoTranscript *self,
          GtkSnapshot *snapshot,
          const TachoTextBox *box,
          int width,
          int top,
          int bottom)
{
  gboolean code = box->kind == TACHO_TEXT_BOX_CODE;
  GskRoundedRect rect;

  if (box->kind == TACHO_TEXT_BOX_QUOTE)
    {
      for (guint i = 0; i < box->depth; i++)
        gtk_snapshot_append_color (
            snapshot, &self->writer.tags.bar_color,
            &GRAPHENE_RECT_INIT (tacho_markdown_tags_get_margin (i, 0) + 4, top, 3, bottom - top));
      return;
    }
  gsk_rounded_rect_init_from_rect (
      &rect, &GRAPHENE_RECT_INIT (box->margin, top, width - box->margin, bottom - top),
      code ? CODE_RADIUS : BUBBLE_RADIUS);
  gtk_snapshot_push_rounded_clip (snapshot, &rect);
  gtk_snapshot_append_color (snapshot,
                             code ? &self->writer.tags.code_color : &self->writer.tags.bubble_color,
                             &rect.bounds);
  gtk_snapshot_pop (snapshot);
}

/* What is drawn below the text, in buffer coordinates. */
static void
tacho_transcript_snapshot_layer (GtkTextView *view, GtkTextViewLayer layer, GtkSnapshot *snapshot)
{
  TachoTranscript *self = TACHO_TRANSCRIPT (view);
  GdkRectangle visible;

  if (layer != GTK_TEXT_VIEW_LAYER_BELOW_TEXT)
    return;
  gtk_text_view_get_visible_rect (view, &visible);
  for (guint i = 0; i < self->writer.boxes->len; i++)
    {
      const TachoTextBox *box = &g_array_index (self->writer.boxes, TachoTextBox, i);
      int margin = box->kind == TACHO_TEXT_BOX_QUOTE ? 0 : BUBBLE_PADDING;
      GtkTextIter begin, end;
      int top, bottom, height;

      gtk_text_buffer_get_iter_at_mark (self->buffer, &begin, box->begin);
      gtk_text_buffer_get_iter_at_mark (self->buffer, &end, box->end);
      gtk_text_view_get_line_yrange (view, &begin, &top, &height);
      if (top > visible.y + visible.height)
        continue;
      gtk_text_view_get_line_yrange (view, &end, &bottom, &height);
      bottom += height + margin - 2;
      top += box->kind == TACHO_TEXT_BOX_CODE ? 3 : 0;
      top -= box->kind == TACHO_TEXT_BOX_BUBBLE ? margin : 0;
      if (bottom >= visible.y)
        draw_box (self, snapshot, box, visible.width, top, bottom);
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
  g_clear_handle_id (&self->width_id, g_source_remove);
  g_clear_object (&self->adjustment);

  G_OBJECT_CLASS (tacho_transcript_parent_class)->dispose (object);
}

static void
tacho_transcript_finalize (GObject *object)
{
  TachoTranscript *self = TACHO_TRANSCRIPT (object);

  for (guint i = 0; i < self->thoughts->len; i++)
    g_free (g_ptr_array_index (self->thoughts, i));
  g_ptr_array_unref (self->thoughts);
  g_string_free (self->pending, TRUE);

  G_OBJECT_CLASS (tacho_transcript_parent_class)->finalize (object);
}

static void
tacho_transcript_class_init (TachoTranscriptClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_transcript_dispose;
  G_OBJECT_CLASS (klass)->finalize = tacho_transcript_finalize;
  widget_class->css_changed = tacho_transcript_css_changed;
  widget_class->size_allocate = tacho_transcript_size_allocate;
  GTK_TEXT_VIEW_CLASS (klass)->snapshot_layer = tacho_transcript_snapshot_layer;
  g_signal_new ("earlier", TACHO_TYPE_TRANSCRIPT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                G_TYPE_NONE, 0);
  signals[SIGNAL_LINK] =
      g_signal_new ("link", TACHO_TYPE_TRANSCRIPT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 1, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE);
}

static void
add_controllers (TachoTranscript *self)
{
  GtkGesture *click = gtk_gesture_click_new ();
  GtkEventController *motion = gtk_event_controller_motion_new ();
  GtkEventController *keys = gtk_event_controller_key_new ();

  g_signal_connect (click, "released", G_CALLBACK (released_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (click));
  g_signal_connect (keys, "key-pressed", G_CALLBACK (key_cb), self);
  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  gtk_widget_add_controller (GTK_WIDGET (self), keys);
  g_signal_connect (self, "notify::has-focus", G_CALLBACK (focus_cb), NULL);
  g_signal_connect (motion, "motion", G_CALLBACK (motion_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), motion);
}

static void
tacho_transcript_init (TachoTranscript *self)
{
  GtkTextView *view = GTK_TEXT_VIEW (self);

  gtk_text_view_set_editable (view, FALSE);
  gtk_text_view_set_cursor_visible (view, FALSE);
  gtk_text_view_set_wrap_mode (view, GTK_WRAP_WORD_CHAR);
  gtk_text_view_set_accepts_tab (view, FALSE);
  gtk_text_view_set_top_margin (view, 12);
  gtk_text_view_set_bottom_margin (view, 12);
  gtk_text_view_set_pixels_inside_wrap (view, 2);
  gtk_widget_add_css_class (GTK_WIDGET (self), "transcript");

  self->buffer = gtk_text_view_get_buffer (view);
  tacho_markdown_writer_init (&self->writer, view);
  self->thoughts = g_ptr_array_new ();
  self->pending = g_string_new (NULL);
  self->following = TRUE;
  add_controllers (self);
  g_signal_connect (self, "notify::vadjustment", G_CALLBACK (vadjustment_cb), NULL);
  g_signal_connect (self, "map", G_CALLBACK (tacho_transcript_flush), NULL);
  vadjustment_cb (self);
}
