/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Validate, execute, stream, cancel; per-request metrics and running totals. */
#pragma once

#include "service/tacho-client-manager.h"
#include "service/tacho-generation.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 started;
  guint64 ok;
  guint64 failed;
  guint64 truncated;
  guint64 cancelled;
  guint64 prompt_tokens;
  guint64 output_tokens;
} TachoInferenceTotals;

#define TACHO_TYPE_INFERENCE_SERVICE (tacho_inference_service_get_type ())
G_DECLARE_FINAL_TYPE (TachoInferenceService,
                      tacho_inference_service,
                      TACHO,
                      INFERENCE_SERVICE,
                      GObject)

TachoInferenceService *
tacho_inference_service_new (TachoClientManager *manager) G_GNUC_WARN_UNUSED_RESULT;
/* Starts at once and returns the running generation (streamed or not, as request->stream says);
 * NULL with TACHO_ERROR_INVALID if the request cannot work. Failures on the way end the generation.
 */
TachoGeneration *tacho_inference_service_start (TachoInferenceService *self,
                                                const TachoGenerateRequest *request,
                                                GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The same to its end: TRUE only for TACHO_GENERATION_DONE; the generation is given either way. */
void tacho_inference_service_execute_async (TachoInferenceService *self,
                                            const TachoGenerateRequest *request,
                                            GCancellable *cancellable,
                                            GAsyncReadyCallback callback,
                                            gpointer user_data);
gboolean tacho_inference_service_execute_finish (TachoInferenceService *self,
                                                 GAsyncResult *result,
                                                 TachoGeneration **generation,
                                                 GError **error);
void tacho_inference_service_get_totals (TachoInferenceService *self, TachoInferenceTotals *totals);
void tacho_inference_service_cancel_all (TachoInferenceService *self);

G_END_DECLS
