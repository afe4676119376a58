/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the llama-server of this computer says. The engine keeps the end of it; here it is read in
 * while it is in sight, a few times a second at most, and kept as bounded. */
#define G_LOG_DOMAIN "tacho-engine-log"

#include "config.h"

#include "app/tacho-engine-log.h"

#include <glib/gi18n.h>

#define READ_MS 250
#define MAX_LINES 4000

struct _TachoEngineLog
{
  AdwBin parent_instance;
  TachoLocalEngine *engine;
  GtkTextView *view;
  GtkTextMark *end;
  guint64 next; /* of the log, as read so far */
  guint timer;
};

G_DEFINE_FINAL_TYPE (TachoEngineLog, tacho_engine_log, ADW_TYPE_BIN)

static void
drop_first_lines (GtkTextBuffer *buffer)
{
  int extra = gtk_text_buffer_get_line_count (buffer) - MAX_LINES;
  GtkTextIter start, end;

  if (extra <= 0)
    return;
  gtk_text_buffer_get_start_iter (buffer, &start);
  gtk_text_buffer_get_iter_at_line (buffer, &end, extra);
  gtk_text_buffer_delete (buffer, &start, &end);
}

/* A reader who has scrolled up stays there. */
static gboolean
is_at_end (TachoEngineLog *self)
{
  GtkAdjustment *scroll = gtk_scrollable_get_vadjustment (GTK_SCROLLABLE (self->view));

  return scroll == NULL ||
         gtk_adjustment_get_value (scroll) + gtk_adjustment_get_page_size (scroll) >=
             gtk_adjustment_get_upper (scroll) - 30;
}

static gboolean
read_cb (gpointer user_data)
{
  TachoEngineLog *self = user_data;
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->view);
  gboolean follow = is_at_end (self);
  gboolean lost = FALSE;
  g_autofree char *text = NULL;
  GtkTextIter end;

  if (self->engine == NULL)
    return G_SOURCE_CONTINUE;
  text = tacho_local_engine_read_log (self->engine, self->next, &self->next, &lost);
  if (lost) /* also when it was started anew */
    gtk_text_buffer_set_text (buffer, "", 0);
  if (text == NULL || text[0] == '\0')
    return G_SOURCE_CONTINUE;
  gtk_text_buffer_get_end_iter (buffer, &end);
  gtk_text_buffer_insert (buffer, &end, text, -1);
  drop_first_lines (buffer);
  if (follow)
    gtk_text_view_scroll_mark_onscreen (self->view, self->end);
  return G_SOURCE_CONTINUE;
}

static void
map_cb (TachoEngineLog *self)
{
  read_cb (self);
  self->timer = g_timeout_add (READ_MS, read_cb, self);
}

static void
unmap_cb (TachoEngineLog *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
}

static void
state_cb (TachoEngineLog *self)
{
  if (tacho_local_engine_get_state (self->engine) == TACHO_LOCAL_ENGINE_STARTING)
    {
      self->next = 0;
      gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->view), "", 0);
    }
}

static void
tacho_engine_log_dispose (GObject *object)
{
  TachoEngineLog *self = TACHO_ENGINE_LOG (object);

  unmap_cb (self);
  g_clear_object (&self->engine);

  G_OBJECT_CLASS (tacho_engine_log_parent_class)->dispose (object);
}

static void
tacho_engine_log_class_init (TachoEngineLogClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_engine_log_dispose;
}

static void
tacho_engine_log_init (TachoEngineLog *self)
{
  GtkWidget *view = gtk_text_view_new ();
  GtkWidget *window = gtk_scrolled_window_new ();
  GtkTextBuffer *buffer;
  GtkTextIter end;

  self->view = GTK_TEXT_VIEW (view);
  gtk_text_view_set_editable (self->view, FALSE);
  gtk_text_view_set_cursor_visible (self->view, FALSE);
  gtk_text_view_set_monospace (self->view, TRUE);
  gtk_text_view_set_wrap_mode (self->view, GTK_WRAP_WORD_CHAR);
  gtk_text_view_set_left_margin (self->view, 9);
  gtk_text_view_set_right_margin (self->view, 9);
  gtk_text_view_set_top_margin (self->view, 6);
  gtk_text_view_set_bottom_margin (self->view, 6);
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Log of llama-server"), -1);
  buffer = gtk_text_view_get_buffer (self->view);
  gtk_text_buffer_get_end_iter (buffer, &end);
  self->end = gtk_text_buffer_create_mark (buffer, NULL, &end, FALSE);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (window), view);
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (window), 200);
  adw_bin_set_child (ADW_BIN (self), window);
  g_signal_connect (self, "map", G_CALLBACK (map_cb), NULL);
  g_signal_connect (self, "unmap", G_CALLBACK (unmap_cb), NULL);
}

/**
 * tacho_engine_log_set_engine:
 * @self: the log
 * @engine: whose log it is
 */
void
tacho_engine_log_set_engine (TachoEngineLog *self, TachoLocalEngine *engine)
{
  g_return_if_fail (TACHO_IS_ENGINE_LOG (self));
  g_return_if_fail (TACHO_IS_LOCAL_ENGINE (engine));

  if (!g_set_object (&self->engine, engine))
    return;
  g_signal_connect_object (engine, "notify::state", G_CALLBACK (state_cb), self, G_CONNECT_SWAPPED);
}
