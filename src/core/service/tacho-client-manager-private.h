/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the services beside the manager use of it. */
#pragma once

#include "service/tacho-client-manager.h"

G_BEGIN_DECLS

/* An operation of the probed API; probes first if needed. Any status is a reply, but a redirect. */
void tacho_client_manager_operate_async (TachoClientManager *self,
                                         TachoOperation operation,
                                         const char *model_id,
                                         double total_override,
                                         GCancellable *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer user_data);
TachoHttpReply *tacho_client_manager_operate_finish (TachoClientManager *self,
                                                     GAsyncResult *result,
                                                     GError **error);
/* Probes unless that was done. */
void tacho_client_manager_ensure_async (TachoClientManager *self,
                                        GCancellable *cancellable,
                                        GAsyncReadyCallback callback,
                                        gpointer user_data);
gboolean
tacho_client_manager_ensure_finish (TachoClientManager *self, GAsyncResult *result, GError **error);
/* How an exchange that a service ran itself went: NULL if a reply came. State follows. */
void tacho_client_manager_note (TachoClientManager *self, const GError *error);
/* The error of a 3xx reply, which is never followed; NULL if *reply* is none. */
GError *tacho_client_manager_redirect_error (TachoClientManager *self, const TachoHttpReply *reply);

G_END_DECLS
