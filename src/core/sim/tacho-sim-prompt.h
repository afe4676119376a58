/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a request to its prompt's tokens; what is wrong with it, or NULL. */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

const char *tacho_sim_prompt_from_chat (JsonObject *request, GArray *tokens);
const char *tacho_sim_prompt_from_completion (JsonObject *request, GArray *tokens);
const char *tacho_sim_prompt_from_input (JsonObject *request, GArray *tokens); /* /v1/responses */

G_END_DECLS
