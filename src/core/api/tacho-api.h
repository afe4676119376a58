/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server speaks: pure request builders and reply parsers. No I/O. One class per family. */
#pragma once

#include <gio/gio.h>
#include "api/tacho-generate.h"
#include "api/tacho-http-message.h"
#include "api/tacho-model-info.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_OP_HEALTH,
  TACHO_OP_LIST_MODELS,
  TACHO_OP_SHOW_MODEL,
  TACHO_OP_LOAD_MODEL,
  TACHO_OP_UNLOAD_MODEL,
  TACHO_OP_SLOTS,
  TACHO_OP_METRICS,
  TACHO_OP_TOKENIZE,
  TACHO_OP_CHAT,
  TACHO_OP_COMPLETION,
} TachoOperation;

typedef enum
{
  TACHO_FRAMING_SSE,
  TACHO_FRAMING_NDJSON,
} TachoFraming;

typedef enum
{
  TACHO_DECODE_FULL,    /* every field, through json-glib */
  TACHO_DECODE_MEASURE, /* the load engine's hot path: only what is measured, by a strict scanner */
} TachoDecodeMode;

typedef enum
{
  TACHO_HEALTH_OK,
  TACHO_HEALTH_LOADING, /* up, but not ready: a 503 while a model loads */
  TACHO_HEALTH_UNHEALTHY,
} TachoHealth;

typedef struct
{
  int id;
  gboolean busy;
  gint64 n_decoded;
  gint64 n_context;
} TachoSlot;

#define TACHO_TYPE_API (tacho_api_get_type ())
G_DECLARE_INTERFACE (TachoApi, tacho_api, TACHO, API, GObject)

struct _TachoApiInterface
{
  GTypeInterface parent_iface;

  const char *(*get_family) (TachoApi *self);
  char *(*describe) (TachoApi *self);
  gboolean (*supports) (TachoApi *self, TachoOperation operation);
  TachoFraming (*get_framing) (TachoApi *self, TachoOperation operation);
  TachoHttpRequest *(*build) (TachoApi *self,
                              TachoOperation operation,
                              const char *model_id,
                              GError **error);
  TachoHttpRequest *(*build_generate) (TachoApi *self,
                                       const TachoGenerateRequest *request,
                                       GError **error);
  gboolean (*parse_health) (TachoApi *self,
                            const TachoHttpReply *reply,
                            TachoHealth *health,
                            GError **error);
  GPtrArray *(*parse_models) (TachoApi *self, const TachoHttpReply *reply, GError **error);
  TachoModelInfo *(*parse_model) (TachoApi *self,
                                  const char *model_id,
                                  const TachoHttpReply *reply,
                                  GError **error);
  gboolean (*parse_change) (TachoApi *self,
                            TachoOperation operation,
                            const char *model_id,
                            const TachoHttpReply *reply,
                            GError **error);
  GArray *(*parse_slots) (TachoApi *self, const TachoHttpReply *reply, GError **error);
  TachoGenerateReply *(*parse_generate) (TachoApi *self,
                                         TachoOperation operation,
                                         const TachoHttpReply *reply,
                                         GError **error);
  TachoHttpRequest *(*build_tokenize) (TachoApi *self,
                                       const char *model_id,
                                       const char *text,
                                       GError **error);
  gint64 (*parse_tokenize) (TachoApi *self, const TachoHttpReply *reply, GError **error);
};

const char *tacho_api_get_family (TachoApi *self); /* "openai", "llamacpp": the contract's names */
char *tacho_api_describe (TachoApi *self)
    G_GNUC_WARN_UNUSED_RESULT; /* "llama.cpp server b1234, router" */
gboolean tacho_api_supports (TachoApi *self, TachoOperation operation);
TachoFraming tacho_api_get_framing (TachoApi *self, TachoOperation operation);

/* TACHO_ERROR_UNSUPPORTED where the family has no such operation. */
TachoHttpRequest *tacho_api_build (TachoApi *self,
                                   TachoOperation operation,
                                   const char *model_id,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Chat or completion, as request->raw says. */
TachoHttpRequest *tacho_api_build_generate (TachoApi *self,
                                            const TachoGenerateRequest *request,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* TACHO_OP_TOKENIZE, which needs a text; build alone refuses it. */
TachoHttpRequest *tacho_api_build_tokenize (TachoApi *self,
                                            const char *model_id,
                                            const char *text,
                                            GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* All parsers: an error status becomes TACHO_ERROR_HTTP_* with the server's own words, bounded and
 * sanitised; a body that is not what it should be is TACHO_ERROR_PROTOCOL with an excerpt. */
gboolean tacho_api_parse_health (TachoApi *self,
                                 const TachoHttpReply *reply,
                                 TachoHealth *health,
                                 GError **error);
GPtrArray *tacho_api_parse_models (TachoApi *self,
                                   const TachoHttpReply *reply,
                                   GError **error); /* of TachoModelInfo */
TachoModelInfo *tacho_api_parse_model (TachoApi *self,
                                       const char *model_id,
                                       const TachoHttpReply *reply,
                                       GError **error);
/* Load and unload: TRUE if the server took the order. The state is then followed by listing. */
gboolean tacho_api_parse_change (TachoApi *self,
                                 TachoOperation operation,
                                 const char *model_id,
                                 const TachoHttpReply *reply,
                                 GError **error);
GArray *tacho_api_parse_slots (TachoApi *self,
                               const TachoHttpReply *reply,
                               GError **error); /* of TachoSlot */
TachoGenerateReply *tacho_api_parse_generate (TachoApi *self,
                                              TachoOperation operation,
                                              const TachoHttpReply *reply,
                                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

gint64 tacho_api_parse_tokenize (TachoApi *self,
                                 const TachoHttpReply *reply,
                                 GError **error); /* -1: error */

/* The error that a non-2xx reply stands for, whatever shape its body has (protocols.md c.5). */
GError *tacho_api_error_from_reply (const TachoHttpReply *reply) G_GNUC_WARN_UNUSED_RESULT;
const char *tacho_operation_to_string (TachoOperation operation);

G_END_DECLS
