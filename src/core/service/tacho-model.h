/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One model of a server, live. Properties (read-only, notify on change): id, name, family, kind,
 * quantization (strings), n-params, size-bytes, memory-bytes (uint64), context-window, max-output
 * (int64), status (TachoModelStatus), progress (double, NaN unknown), status-reason (string),
 * loaded-at (int64 unix s, 0). */
#pragma once

#include "api/tacho-model-info.h"

G_BEGIN_DECLS

#define TACHO_TYPE_MODEL (tacho_model_get_type ())
G_DECLARE_FINAL_TYPE (TachoModel, tacho_model, TACHO, MODEL, GObject)

TachoModel *tacho_model_new (const TachoModelInfo *info) G_GNUC_WARN_UNUSED_RESULT;
const TachoModelInfo *tacho_model_get_info (TachoModel *self); /* all fields */
const char *tacho_model_get_id (TachoModel *self);
const char *tacho_model_get_name (TachoModel *self);
TachoModelStatus tacho_model_get_status (TachoModel *self);
double tacho_model_get_progress (TachoModel *self);
const char *tacho_model_get_status_reason (TachoModel *self);
gint64 tacho_model_get_loaded_at (TachoModel *self);
/* For TachoModelService: takes over what the server says now, notifying each changed property once.
 */
void tacho_model_update (TachoModel *self, const TachoModelInfo *info);
void tacho_model_set_status (TachoModel *self,
                             TachoModelStatus status,
                             double progress,
                             const char *reason);

G_END_DECLS
