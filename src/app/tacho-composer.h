/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a prompt is written: editor, attached text files, Send and Stop. Signals: "send"
 * (TachoConversationMessage *, valid during the signal), "stop", "edited" (its text is
 * another), "notice" (const char *). */
#pragma once

#include <adwaita.h>

#include "store/tacho-conversation-message.h"

G_BEGIN_DECLS

#define TACHO_TYPE_COMPOSER (tacho_composer_get_type ())
G_DECLARE_FINAL_TYPE (TachoComposer, tacho_composer, TACHO, COMPOSER, AdwBin)

void tacho_composer_set_running (TachoComposer *self, gboolean running);
/* Why nothing can be sent; NULL: it can. */
void tacho_composer_set_obstacle (TachoComposer *self, const char *obstacle);
/* index -1: a new prompt; else a message that is edited: its text and files are put in. */
void tacho_composer_edit (TachoComposer *self, int index, const TachoConversationMessage *message);
int tacho_composer_get_index (TachoComposer *self);
char *tacho_composer_dup_text (TachoComposer *self) G_GNUC_WARN_UNUSED_RESULT;
void tacho_composer_set_text (TachoComposer *self, const char *text);
void tacho_composer_clear (TachoComposer *self);
void tacho_composer_focus (TachoComposer *self);
void tacho_composer_send (TachoComposer *self);

G_END_DECLS
