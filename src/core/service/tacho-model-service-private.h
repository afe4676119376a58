/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the list and the changes of models share. */
#pragma once

#include "service/tacho-client-manager-private.h"
#include "service/tacho-model-service.h"

G_BEGIN_DECLS

/* Lists, details and orders are short; none may hang as long as a generation may. */
#define TACHO_MODEL_SERVICE_TOTAL_S 30.0

void tacho_model_service_push_busy (TachoModelService *self);
void tacho_model_service_pop_busy (TachoModelService *self);
/* By name, whatever its case, then by id. */
int tacho_model_service_compare_infos (gconstpointer a, gconstpointer b);
const char *tacho_model_service_name_of (const TachoModelInfo *info);
/* While a load that answers at its end is under way, the list cannot say so: this does. */
void tacho_model_service_hold_loading (TachoModelService *self, const char *id);
void tacho_model_service_drop_loading (TachoModelService *self, const char *id);
/* The questions after the first of a list or of details; they never fail, only tell less. */
void tacho_model_service_complete_async (TachoModelService *self,
                                         TachoApi *api,
                                         TachoOperation operation,
                                         const char *id,
                                         GPtrArray *models,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
GPtrArray *tacho_model_service_complete_finish (TachoModelService *self,
                                                GAsyncResult *result) G_GNUC_WARN_UNUSED_RESULT;
/* Calls *func* with the task, once, after a while or, where wanted, as soon as it is cancelled.
 * Takes the caller's reference to the task and hands it to *func*. */
void tacho_model_service_wait (GTask *task, guint ms, gboolean until_cancelled, GFunc func);
GError *tacho_model_service_not_found (TachoModelService *self,
                                       const char *id) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
