/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A conversation as one text: append only, at most one change of the text a frame, selectable while
 * it grows, follows its end only while the reader is there. Text is plain: never markup. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

typedef enum
{
  TACHO_NOTE_PLAIN,   /* figures of an answer */
  TACHO_NOTE_WARNING, /* stopped, cut short */
  TACHO_NOTE_ERROR,
} TachoNoteKind;

#define TACHO_TYPE_TRANSCRIPT (tacho_transcript_get_type ())
G_DECLARE_FINAL_TYPE (TachoTranscript, tacho_transcript, TACHO, TRANSCRIPT, GtkTextView)

void tacho_transcript_clear (TachoTranscript *self);
gboolean tacho_transcript_is_empty (TachoTranscript *self);
/* prompt: NULL for another answer to the same prompt. speaker: who answers. */
void tacho_transcript_begin (TachoTranscript *self, const char *prompt, const char *speaker);
void tacho_transcript_append (TachoTranscript *self, const char *text, gboolean reasoning);
void tacho_transcript_flush (TachoTranscript *self);
void tacho_transcript_end (TachoTranscript *self);
void tacho_transcript_add_note (TachoTranscript *self, TachoNoteKind kind, const char *text);

G_END_DECLS
