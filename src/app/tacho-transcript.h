/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A conversation as one text: prompts as they are, replies as Markdown. At most one change of the
 * text a frame, selectable while it grows, follows its end only while the reader is there.
 * Signals: "earlier": the reader wants what stands above; "link" (const char *href): a link was
 * clicked. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef enum
{
  TACHO_NOTE_PLAIN,
  TACHO_NOTE_WARNING, /* stopped, cut short */
  TACHO_NOTE_ERROR,
} TachoNoteKind;

#define TACHO_TYPE_TRANSCRIPT (tacho_transcript_get_type ())
G_DECLARE_FINAL_TYPE (TachoTranscript, tacho_transcript, TACHO, TRANSCRIPT, GtkTextView)

void tacho_transcript_clear (TachoTranscript *self);
gboolean tacho_transcript_is_empty (TachoTranscript *self);
void tacho_transcript_add_prompt (TachoTranscript *self, const char *prompt);
/* A reply that comes: begin, append as often as something comes, end. */
void tacho_transcript_begin_reply (TachoTranscript *self, const char *speaker);
void tacho_transcript_append (TachoTranscript *self, const char *text, gboolean reasoning);
void tacho_transcript_flush (TachoTranscript *self);
void tacho_transcript_end_reply (TachoTranscript *self);
/* One that is whole. thought_s: how long it was thought about; NaN: not known. */
void tacho_transcript_add_reply (TachoTranscript *self,
                                 const char *speaker,
                                 const char *reasoning,
                                 double thought_s,
                                 const char *text);
double tacho_transcript_get_thought_s (TachoTranscript *self);
void tacho_transcript_add_note (TachoTranscript *self, TachoNoteKind kind, const char *text);
void tacho_transcript_add_widget (TachoTranscript *self, GtkWidget *widget);
/* What is added between these stands above all else. */
void tacho_transcript_begin_earlier (TachoTranscript *self);
void tacho_transcript_end_earlier (TachoTranscript *self);
void tacho_transcript_set_has_earlier (TachoTranscript *self, gboolean has_earlier);

G_END_DECLS
