/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How TachoInferenceService fills a generation. */
#pragma once

#include "api/tacho-http-message.h"
#include "service/tacho-generation.h"

G_BEGIN_DECLS

TachoGeneration *tacho_generation_new (gboolean streamed) G_GNUC_WARN_UNUSED_RESULT;
GCancellable *tacho_generation_get_cancellable (TachoGeneration *self);
void tacho_generation_sent (TachoGeneration *self, gint64 now_ns, gboolean reused);
void tacho_generation_set_http_status (TachoGeneration *self, guint status);
/* One event of a stream, read at *now_ns*. Ends the generation at the terminal marker and on error.
 */
void
tacho_generation_take_event (TachoGeneration *self, const TachoStreamEvent *event, gint64 now_ns);
/* The whole of a reply that was not streamed. */
void
tacho_generation_take_reply (TachoGeneration *self, const TachoGenerateReply *reply, gint64 now_ns);
/* The log of attempts: a new one begins, then the last one ends. */
TachoAttempt *
tacho_generation_begin_attempt (TachoGeneration *self, TachoProtocol protocol, const char *target);
void tacho_generation_end_attempt (TachoGeneration *self,
                                   TachoStage stage,
                                   const GError *error,
                                   const char *decision,
                                   double wait_s);
/* tacho-generation-wire.c: what the last attempt sent and was given. */
void tacho_attempt_free (gpointer data);
void tacho_generation_keep_request (TachoGeneration *self, const TachoHttpRequest *request);
void tacho_generation_keep_reply (TachoGeneration *self, const char *data, gsize length);
/* Ends it unsuccessfully; TRUNCATED and CANCELLED have states of their own. */
void tacho_generation_fail (TachoGeneration *self, const GError *error);
/* tacho-generation-metrics.c: the times and the rate, from the stamps and counts. */
void tacho_generation_metrics_derive (TachoGenerationMetrics *metrics);

G_END_DECLS
