/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server speaks: pure request builders and reply parsers. No I/O. One class per family. */
#pragma once

#include <gio/gio.h>
#include "api/tacho-generate.h"
#include "api/tacho-http-message.h"
#include "api/tacho-model-info.h"
#include "base/tacho-protocol.h"

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
  TACHO_OP_PULL_MODEL,   /* fetch it from its registry onto the server */
  TACHO_OP_DELETE_MODEL, /* from the server's disk */
  TACHO_OP_TOKENIZE,
  TACHO_OP_CHAT,
  TACHO_OP_COMPLETION,
} TachoOperation;

typedef enum
{
  TACHO_FRAMING_SSE,
  TACHO_FRAMING_NDJSON,
  TACHO_FRAMING_GRPC, /* length-prefixed messages: a zero byte, 4 bytes of length, the message */
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

/* What a server tells of itself while it works, whatever it calls it. NaN: not told. Totals count
 * from the server's start. */
typedef struct
{
  double requests_running;
  double requests_waiting;
  double kv_cache_usage;  /* 0..1 */
  double gpu_memory_used; /* bytes */
  double gpu_memory_total;
  double gpu_utilization; /* 0..1 */
  double prompt_tokens_total;
  double output_tokens_total;
  double prefix_cache_queries_total; /* tokens */
  double prefix_cache_hits_total;
  double preemptions_total;
  double queue_seconds_total;
  double slots; /* generations that it runs at a time */
} TachoServerMetrics;

void tacho_server_metrics_clear (TachoServerMetrics *metrics); /* all unknown */

/* How far the fetching of a model is. */
typedef struct
{
  char *status;      /* the server's own word */
  guint64 completed; /* bytes; 0: not told */
  guint64 total;
  gboolean done;
  char *job_id; /* what the server calls the job, to ask after it; or NULL */
} TachoPullProgress;

void tacho_pull_progress_clear (TachoPullProgress *progress);

/* Called for each event that one piece of a stream holds. */
typedef void (*TachoStreamEventFunc) (const TachoStreamEvent *event, gpointer user_data);

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

  /* All that follow may be NULL: the family has no need of them. */

  TachoProtocol (*get_protocol) (TachoApi *self); /* NULL: REST */
  /* Some lists and details need several replies: step 1, 2, … after the first. NULL: no more. */
  TachoHttpRequest *(*build_more) (TachoApi *self,
                                   TachoOperation operation,
                                   const char *model_id,
                                   guint step,
                                   GPtrArray *models);
  gboolean (*parse_more) (TachoApi *self,
                          TachoOperation operation,
                          guint step,
                          const TachoHttpReply *reply,
                          GPtrArray *models,
                          GError **error);
  /* What must be asked before a generation can be built: a model's tensors. NULL: nothing (more).
   */
  TachoHttpRequest *(*build_prepare) (TachoApi *self, const TachoGenerateRequest *request);
  gboolean (*parse_prepare) (TachoApi *self,
                             const TachoGenerateRequest *request,
                             const TachoHttpReply *reply,
                             GError **error);
  /* TRUE: the reply to load or unload comes when it is done, which can take minutes. */
  gboolean (*change_blocks) (TachoApi *self, TachoOperation operation);
  /* A load with more than a name: the path of a LoRA adapter. */
  gboolean (*loads_adapters) (TachoApi *self);
  TachoHttpRequest *(*build_load_from) (TachoApi *self,
                                        const char *model_id,
                                        const char *path,
                                        GError **error);
  /* One JSON document or line of a pull's reply. */
  gboolean (*parse_pull) (TachoApi *self,
                          const char *json,
                          gsize length,
                          TachoPullProgress *progress,
                          GError **error);
  /* Where a pull is a job to be asked after: the next question. NULL: its own reply tells all. */
  TachoHttpRequest *(*build_pull_status) (TachoApi *self,
                                          const char *model_id,
                                          const TachoPullProgress *last);
  /* Stops a pull that is a job. NULL: closing the connection does. */
  TachoHttpRequest *(*build_pull_stop) (TachoApi *self,
                                        const char *model_id,
                                        const TachoPullProgress *last);
  gboolean (*parse_metrics) (TachoApi *self,
                             const TachoHttpReply *reply,
                             TachoServerMetrics *metrics,
                             GError **error);
  /* One framed piece of a streamed generation: the data of an SSE event, a line, a gRPC message.
   * NULL: OpenAI's chunks. */
  gboolean (*read_chunk) (TachoApi *self,
                          TachoOperation operation,
                          const char *type,
                          const char *data,
                          gsize length,
                          TachoStreamEventFunc func,
                          gpointer user_data,
                          GError **error);
  /* TRUE: the end of a whole body is the terminal marker; this server sends no other. */
  gboolean (*end_is_marker) (TachoApi *self, TachoOperation operation);
  /* A refused generation that tells how to ask instead. TRUE: built again, it is asked so. */
  gboolean (*learn_refusal) (TachoApi *self,
                             const TachoGenerateRequest *request,
                             const TachoHttpReply *reply);
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

TachoProtocol tacho_api_get_protocol (TachoApi *self);
TachoHttpRequest *tacho_api_build_more (TachoApi *self,
                                        TachoOperation operation,
                                        const char *model_id,
                                        guint step,
                                        GPtrArray *models) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_api_parse_more (TachoApi *self,
                               TachoOperation operation,
                               guint step,
                               const TachoHttpReply *reply,
                               GPtrArray *models,
                               GError **error);
TachoHttpRequest *tacho_api_build_prepare (TachoApi *self, const TachoGenerateRequest *request)
    G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_api_parse_prepare (TachoApi *self,
                                  const TachoGenerateRequest *request,
                                  const TachoHttpReply *reply,
                                  GError **error);
gboolean tacho_api_change_blocks (TachoApi *self, TachoOperation operation);
gboolean tacho_api_loads_adapters (TachoApi *self);
TachoHttpRequest *tacho_api_build_load_from (TachoApi *self,
                                             const char *model_id,
                                             const char *path,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_api_parse_pull (TachoApi *self,
                               const char *json,
                               gsize length,
                               TachoPullProgress *progress,
                               GError **error);
TachoHttpRequest *
tacho_api_build_pull_status (TachoApi *self,
                             const char *model_id,
                             const TachoPullProgress *last) G_GNUC_WARN_UNUSED_RESULT;
TachoHttpRequest *
tacho_api_build_pull_stop (TachoApi *self,
                           const char *model_id,
                           const TachoPullProgress *last) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_api_parse_metrics (TachoApi *self,
                                  const TachoHttpReply *reply,
                                  TachoServerMetrics *metrics,
                                  GError **error);
gboolean tacho_api_end_is_marker (TachoApi *self, TachoOperation operation);
gboolean tacho_api_learn_refusal (TachoApi *self,
                                  const TachoGenerateRequest *request,
                                  const TachoHttpReply *reply);

/* The error that a non-2xx reply stands for, whatever shape its body has (protocols.md c.5). */
GError *tacho_api_error_from_reply (const TachoHttpReply *reply) G_GNUC_WARN_UNUSED_RESULT;
const char *tacho_operation_to_string (TachoOperation operation);

G_END_DECLS
