/* SPDX-License-Identifier: GPL-3.0-or-later */
/* System prompt and sampling parameters; what is not ticked is not sent. Property: summary. Signal
 * "notice" (const char *): say this. */
#pragma once

#include <adwaita.h>
#include "api/tacho-generate.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define TACHO_TYPE_PROMPT_SETTINGS (tacho_prompt_settings_get_type ())
G_DECLARE_FINAL_TYPE (TachoPromptSettings, tacho_prompt_settings, TACHO, PROMPT_SETTINGS, AdwBin)

char *tacho_prompt_settings_dup_system_prompt (TachoPromptSettings *self) G_GNUC_WARN_UNUSED_RESULT;
void tacho_prompt_settings_apply (TachoPromptSettings *self, TachoGenerateRequest *request);
/* JSON of tacho_prompt_parameters_write(). */
char *tacho_prompt_settings_dup_parameters (TachoPromptSettings *self) G_GNUC_WARN_UNUSED_RESULT;
/* system_prompt NULL: none. */
void tacho_prompt_settings_show (TachoPromptSettings *self,
                                 const char *system_prompt,
                                 JsonObject *parameters);
/* What the configuration file says, with which a new conversation begins. */
void tacho_prompt_settings_show_defaults (TachoPromptSettings *self);
gboolean tacho_prompt_settings_is_default (TachoPromptSettings *self);

G_END_DECLS
