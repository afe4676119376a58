/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the probe's own files share. */
#pragma once

#include "api/tacho-api-probe.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_PROBE_PROPS,    /* llama.cpp */
  TACHO_PROBE_MODELS,   /* OpenAI's list */
  TACHO_PROBE_V2,       /* Open Inference Protocol */
  TACHO_PROBE_OLLAMA,   /* /api/version */
  TACHO_PROBE_SGLANG,   /* /get_model_info */
  TACHO_PROBE_LMSTUDIO, /* /api/v1/models */
  TACHO_PROBE_LMSTUDIO_V0,
  TACHO_PROBE_TGI,  /* /info */
  TACHO_PROBE_VLLM, /* /version */
  TACHO_PROBE_RYZANSTEIN,
  /* Over gRPC. */
  TACHO_PROBE_GRPC_HEALTH,
  TACHO_PROBE_GRPC_OIP,
  TACHO_PROBE_GRPC_RYZANSTEIN,
  TACHO_PROBE_GRPC_REFLECTION,
  TACHO_PROBE_GRPC_REFLECTION_ALPHA,
  TACHO_PROBE_DECIDED,
} TachoProbeStep;

struct _TachoApiProbe
{
  char *family; /* NULL: to be found */
  TachoProbeStep step;
  guint asked;         /* bits of the steps that were answered */
  GPtrArray *evidence; /* of char *, NULL-terminated */
  TachoApi *api;
  GError *error; /* the best reason for failure so far */
  char *version;
  gboolean simulated;
  gboolean says_llamacpp; /* its Server header does */
  gboolean says_lmstudio; /* the way it answers does */
  gboolean says_vllm;     /* its list does */
  gboolean lists;         /* it answered /v1/models with a list */
  guint useless;          /* replies so far that no API would have given */
  TachoHealth health;
};

TachoApiProbe *tacho_api_probe_alloc (const char *family, GError **error);
void tacho_api_probe_note (TachoApiProbe *probe, const char *format, ...) G_GNUC_PRINTF (2, 3);
void
tacho_api_probe_note_refusal (TachoApiProbe *probe, const char *what, const TachoHttpReply *reply);
void tacho_api_probe_decide (TachoApiProbe *probe, TachoApi *api, TachoHealth health);
void tacho_api_probe_set_version (TachoApiProbe *probe, const char *version);
TachoHttpRequest *tacho_api_probe_grpc_next (TachoApiProbe *probe);
void tacho_api_probe_grpc_feed (TachoApiProbe *probe, const TachoHttpReply *reply);
void tacho_api_probe_rest_feed (TachoApiProbe *probe, const TachoHttpReply *reply);
void tacho_api_probe_rest_begin (TachoApiProbe *probe);
const char *tacho_api_probe_rest_path (TachoProbeStep step);

G_END_DECLS
