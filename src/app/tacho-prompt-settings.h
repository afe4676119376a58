/* SPDX-License-Identifier: GPL-3.0-or-later */
/* System prompt and sampling parameters; what is not ticked is not sent. Property: summary. */
#pragma once

#include <adwaita.h>
#include "api/tacho-generate.h"

G_BEGIN_DECLS

#define TACHO_TYPE_PROMPT_SETTINGS (tacho_prompt_settings_get_type ())
G_DECLARE_FINAL_TYPE (TachoPromptSettings, tacho_prompt_settings, TACHO, PROMPT_SETTINGS, AdwBin)

char *tacho_prompt_settings_dup_system_prompt (TachoPromptSettings *self) G_GNUC_WARN_UNUSED_RESULT;
void tacho_prompt_settings_apply (TachoPromptSettings *self, TachoGenerateRequest *request);
void tacho_prompt_settings_save (TachoPromptSettings *self);

G_END_DECLS
