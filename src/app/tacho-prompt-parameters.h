/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sampling parameters as JSON, as presets and conversations keep them. What is not set is left out;
 * the words of a prompt are not among them. */
#pragma once

#include "api/tacho-generate.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

void tacho_prompt_parameters_write (const TachoGenerateRequest *request, JsonObject *object);
/* Sets all of them; what is not in the object, or is nothing of its kind, to "not set". */
void tacho_prompt_parameters_read (TachoGenerateRequest *request, JsonObject *object);

G_END_DECLS
