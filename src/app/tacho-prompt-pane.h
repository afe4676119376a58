/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A conversation with the chosen model, measured: editor, streamed answer, stop, stat line. */
#pragma once

#include <adwaita.h>
#include "app/tacho-connection.h"

G_BEGIN_DECLS

#define TACHO_TYPE_PROMPT_PANE (tacho_prompt_pane_get_type ())
G_DECLARE_FINAL_TYPE (TachoPromptPane, tacho_prompt_pane, TACHO, PROMPT_PANE, AdwBin)

void tacho_prompt_pane_set_connection (TachoPromptPane *self, TachoConnection *connection);
void tacho_prompt_pane_new_conversation (TachoPromptPane *self);
void tacho_prompt_pane_focus (TachoPromptPane *self); /* the cursor into the editor */
void tacho_prompt_pane_save (TachoPromptPane *self);

G_END_DECLS
