/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ollama's own API: lines of JSON, models that come and go by themselves. */
#pragma once

#include "api/tacho-api.h"

G_BEGIN_DECLS

#define TACHO_TYPE_API_OLLAMA (tacho_api_ollama_get_type ())
G_DECLARE_FINAL_TYPE (TachoApiOllama, tacho_api_ollama, TACHO, API_OLLAMA, GObject)

TachoApi *tacho_api_ollama_new (const char *version) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
