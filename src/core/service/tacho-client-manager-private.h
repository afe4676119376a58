/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the services beside the manager use of it. */
#pragma once

#include "service/tacho-client-manager.h"
#include "service/tacho-endpoint-private.h"

G_BEGIN_DECLS

/* An operation of the probed API; probes first if needed, then retries and fails over as the policy
 * allows. Any status is a reply, but a redirect. */
void tacho_client_manager_operate_async (TachoClientManager *self,
                                         TachoOperation operation,
                                         const char *model_id,
                                         double total_override,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
/* api: (out) (transfer full) (nullable): whose reply it is, and who can read it. */
TachoHttpReply *tacho_client_manager_operate_finish (TachoClientManager *self,
                                                     GAsyncResult *result,
                                                     TachoApi **api,
                                                     GError **error);
/* Probes unless that was done. */
void tacho_client_manager_ensure_async (TachoClientManager *self,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);
gboolean
tacho_client_manager_ensure_finish (TachoClientManager *self, GAsyncResult *result, GError **error);
/* Where an operation goes: the first side that has it and is well, else any that has it. NULL: none
 * does. avoid: not there, if another does. */
TachoEndpoint *tacho_client_manager_route (TachoClientManager *self,
                                           TachoOperation operation,
                                           TachoEndpoint *avoid);
/* Whether a side other than this one would take the operation now. */
gboolean tacho_client_manager_has_other (TachoClientManager *self,
                                         TachoOperation operation,
                                         TachoEndpoint *endpoint);
/* How an exchange went; NULL is well. State follows. */
void tacho_client_manager_note (TachoClientManager *self,
                                TachoEndpoint *endpoint,
                                const TachoFailure *failure);
void tacho_client_manager_get_retry_policy (TachoClientManager *self, TachoRetryPolicy *policy);

G_END_DECLS
