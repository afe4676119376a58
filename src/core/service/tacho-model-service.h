/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The models of a server: a GListModel of TachoModel, sorted by name. The list is cached for 5
 * minutes. Objects keep their identity over a refresh. Properties (read-only): busy (boolean),
 * error (GError boxed), listed (boolean: a list has been seen), can-load (boolean). */
#pragma once

#include "service/tacho-client-manager.h"
#include "service/tacho-model-pull.h"
#include "service/tacho-model.h"

G_BEGIN_DECLS

#define TACHO_TYPE_MODEL_SERVICE (tacho_model_service_get_type ())
G_DECLARE_FINAL_TYPE (TachoModelService, tacho_model_service, TACHO, MODEL_SERVICE, GObject)

TachoModelService *tacho_model_service_new (TachoClientManager *manager) G_GNUC_WARN_UNUSED_RESULT;
TachoClientManager *tacho_model_service_get_manager (TachoModelService *self);
gboolean tacho_model_service_get_busy (TachoModelService *self);
gboolean tacho_model_service_get_listed (TachoModelService *self);
gboolean tacho_model_service_get_can_load (TachoModelService *self);
const GError *tacho_model_service_get_error (TachoModelService *self);
TachoModel *tacho_model_service_lookup (TachoModelService *self,
                                        const char *id); /* (transfer none) (nullable) */

void tacho_model_service_list_async (TachoModelService *self,
                                     gboolean refresh,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
gboolean
tacho_model_service_list_finish (TachoModelService *self, GAsyncResult *result, GError **error);
void tacho_model_service_show_async (TachoModelService *self,
                                     const char *id,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
TachoModel *tacho_model_service_show_finish (TachoModelService *self,
                                             GAsyncResult *result,
                                             GError **error); /* (transfer full) */
/* Ends when the model is loaded, has failed (TACHO_ERROR_MODEL_FAILED with the reason), or on
 * cancel (where the server can, the load is stopped). The model's status and progress follow
 * meanwhile. */
void tacho_model_service_load_async (TachoModelService *self,
                                     const char *id,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
gboolean
tacho_model_service_load_finish (TachoModelService *self, GAsyncResult *result, GError **error);
/* A LoRA adapter, from where the server finds it, under a name. */
void tacho_model_service_load_from_async (TachoModelService *self,
                                          const char *id,
                                          const char *path,
                                          GCancellable *cancellable,
                                          GAsyncReadyCallback callback,
                                          gpointer user_data);
gboolean tacho_model_service_load_from_finish (TachoModelService *self,
                                               GAsyncResult *result,
                                               GError **error);
void tacho_model_service_unload_async (TachoModelService *self,
                                       const char *id,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
gboolean
tacho_model_service_unload_finish (TachoModelService *self, GAsyncResult *result, GError **error);
void tacho_model_service_unload_all_async (TachoModelService *self,
                                           GCancellable *cancellable,
                                           GAsyncReadyCallback callback,
                                           gpointer user_data);
int tacho_model_service_unload_all_finish (TachoModelService *self,
                                           GAsyncResult *result,
                                           GError **error); /* count, -1 */
/* Fetches a model from its registry onto the server; `pull` tells how far it is. */
void tacho_model_service_pull_async (TachoModelService *self,
                                     TachoModelPull *pull,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
gboolean
tacho_model_service_pull_finish (TachoModelService *self, GAsyncResult *result, GError **error);
void tacho_model_service_delete_async (TachoModelService *self,
                                       const char *id,
                                       GCancellable *cancellable,
                                       GAsyncReadyCallback callback,
                                       gpointer user_data);
gboolean
tacho_model_service_delete_finish (TachoModelService *self, GAsyncResult *result, GError **error);

G_END_DECLS
