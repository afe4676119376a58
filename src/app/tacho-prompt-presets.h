/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sets of parameters under a name: a few that come with the program, and the person's own. */
#pragma once

#include "api/tacho-generate.h"

G_BEGIN_DECLS

typedef struct
{
  char *name;
  gboolean own;                  /* the person's: can be deleted */
  char *system_prompt;           /* NULL: none */
  TachoGenerateRequest *request; /* its parameters */
} TachoPromptPreset;

void tacho_prompt_preset_free (TachoPromptPreset *preset);
GPtrArray *tacho_prompt_presets_load (void) G_GNUC_WARN_UNUSED_RESULT;
/* In place of one of the same name. */
void tacho_prompt_presets_save (const char *name,
                                const char *system_prompt,
                                const TachoGenerateRequest *request);
void tacho_prompt_presets_delete (const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoPromptPreset, tacho_prompt_preset_free)

G_END_DECLS
