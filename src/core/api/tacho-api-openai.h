/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any OpenAI-compatible server: /v1/models, /v1/chat/completions, /v1/completions; and what vLLM,
 * SGLang and TGI have besides. */
#pragma once

#include "api/tacho-api.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_OPENAI_DIALECT_PLAIN,
  TACHO_OPENAI_DIALECT_VLLM,
  TACHO_OPENAI_DIALECT_SGLANG,
  TACHO_OPENAI_DIALECT_TGI,
} TachoOpenaiDialect;

#define TACHO_TYPE_API_OPENAI (tacho_api_openai_get_type ())
G_DECLARE_FINAL_TYPE (TachoApiOpenai, tacho_api_openai, TACHO, API_OPENAI, GObject)

TachoApi *tacho_api_openai_new (void) G_GNUC_WARN_UNUSED_RESULT; /* the plain dialect */
TachoApi *tacho_api_openai_new_dialect (TachoOpenaiDialect dialect,
                                        const char *version) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
