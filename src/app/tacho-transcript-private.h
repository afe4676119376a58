/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two files of the transcript share: the view, and the messages in it. */
#pragma once

#include "app/tacho-markdown-stream.h"
#include "app/tacho-markdown-writer.h"
#include "app/tacho-thought.h"
#include "app/tacho-transcript.h"

G_BEGIN_DECLS

/* Before the view lays new lines out (GTK_PRIORITY_RESIZE - 2), which is before the next frame. A
 * change within a frame would be laid out while it is drawn; the scroll bar then moves after its
 * allocation, and GTK warns. */
#define BETWEEN_FRAMES G_PRIORITY_HIGH_IDLE

struct _TachoTranscript
{
  GtkTextView parent_instance;
  GtkTextBuffer *buffer;
  TachoMarkdownWriter writer;
  TachoMarkdownStream reply;
  GPtrArray *thoughts;   /* of TachoThought */
  TachoThought *thought; /* of the reply that grows; NULL: it has none */
  gboolean thinking;     /* the last text was thought */

  GString *pending;
  gboolean pending_reasoning;
  guint tick_id;
  guint flush_id;
  guint scroll_id;
  guint width_id;
  int width;

  GtkWidget *earlier;   /* the button above all; NULL: there is nothing earlier */
  GtkTextMark *end;     /* where the writer wrote before it went to the top */
  GtkTextMark *reading; /* the line that the reader saw first then */

  GtkAdjustment *adjustment;
  gboolean following;
  double followed_upper; /* whole height at the last scroll to the end */
  gboolean scrolling;    /* the program scrolls, not the reader */
};

void tacho_transcript_scroll_to_end (TachoTranscript *self);

G_END_DECLS
