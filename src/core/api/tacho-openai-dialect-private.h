/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What vLLM, SGLang and TGI have besides OpenAI's routes: facts, and the JSON of those routes. */
#pragma once

#include "api/tacho-api-openai.h"
#include "api/tacho-openai-json.h"

G_BEGIN_DECLS

typedef struct
{
  const char *family;
  const char *title;
  TachoOpenaiFlags flags;
  gboolean own_routes;      /* /health, /metrics and /tokenize */
  const char *sleep_path;   /* NULL: it cannot let go of its memory */
  const char *wake_path;    /* … and take it again */
  const char *sleep_switch; /* what to switch on for that */
  const char *lora_load;    /* NULL: no adapters at run time */
  const char *lora_unload;
  const char *lora_switch;
  const char *metrics_switch; /* NULL: they are always there */
} TachoOpenaiDialectFacts;

const TachoOpenaiDialectFacts *tacho_openai_dialect_get_facts (TachoOpenaiDialect dialect);

/* One more reply about the models of a list, or about the one that is shown. Steps from 1. */
const char *
tacho_openai_dialect_more_path (TachoOpenaiDialect dialect, TachoOperation operation, guint step);
gboolean tacho_openai_dialect_read_more (TachoOpenaiDialect dialect,
                                         const char *path,
                                         const TachoHttpReply *reply,
                                         GPtrArray *models,
                                         GError **error);
void tacho_openai_dialect_read_info (TachoOpenaiDialect dialect,
                                     JsonObject *object,
                                     TachoModelInfo *info);
TachoHttpRequest *tacho_openai_dialect_build_tokenize (TachoOpenaiDialect dialect,
                                                       const char *model_id,
                                                       const char *text) G_GNUC_WARN_UNUSED_RESULT;
gint64 tacho_openai_dialect_parse_tokenize (const TachoHttpReply *reply, GError **error);
/* Takes no `path` for an adapter that goes. */
TachoHttpRequest *tacho_openai_dialect_build_lora (TachoOpenaiDialect dialect,
                                                   const char *name,
                                                   const char *path) G_GNUC_WARN_UNUSED_RESULT;
TachoHttpRequest *tacho_openai_dialect_build_sleep (TachoOpenaiDialect dialect,
                                                    gboolean sleep) G_GNUC_WARN_UNUSED_RESULT;
/* TRUE: the server has no such route at all, as FastAPI says it. */
gboolean tacho_openai_dialect_no_route (const TachoHttpReply *reply);
gboolean tacho_openai_dialect_parse_change (TachoOpenaiDialect dialect,
                                            TachoOperation operation,
                                            const char *model_id,
                                            gboolean adapter,
                                            const TachoHttpReply *reply,
                                            GError **error);

G_END_DECLS
