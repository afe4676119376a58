/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One server as the window uses it: the profile, its services, the model that is chosen, and the
 * loads and unloads under way. Property: model (TachoModel, read-write).
 * Signals: "changes" (): a load or unload began or ended; "notice" (const char *): say this. */
#pragma once

#include "service/tacho-inference-service.h"
#include "service/tacho-model-service.h"

G_BEGIN_DECLS

#define TACHO_TYPE_CONNECTION (tacho_connection_get_type ())
G_DECLARE_FINAL_TYPE (TachoConnection, tacho_connection, TACHO, CONNECTION, GObject)

/* Starts the simulated server for "sim:". */
TachoConnection *tacho_connection_new (TachoProfile *profile,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* What names a server in lists: its URL, or "grpc://HOST:PORT" if it has no REST side. */
void tacho_connection_open (TachoConnection *self); /* probes, lists, then keeps watching */
void tacho_connection_refresh (TachoConnection *self);
void tacho_connection_close (TachoConnection *self); /* ends all that is under way */

TachoProfile *tacho_connection_get_profile (TachoConnection *self);
TachoClientManager *tacho_connection_get_manager (TachoConnection *self);
TachoModelService *tacho_connection_get_models (TachoConnection *self);
TachoInferenceService *tacho_connection_get_inference (TachoConnection *self);
const char *tacho_connection_get_name (TachoConnection *self); /* "Simulated server", "host:8080" */
gboolean tacho_connection_is_simulated (TachoConnection *self);
gboolean tacho_connection_is_usable (TachoConnection *self); /* connected, or as good as */

TachoModel *tacho_connection_get_model (TachoConnection *self); /* (transfer none) (nullable) */
void tacho_connection_set_model (TachoConnection *self, TachoModel *model);

/* TRUE if a request to this model would first need a load. */
gboolean tacho_connection_needs_load (TachoConnection *self, TachoModel *model);
gboolean tacho_connection_is_changing (TachoConnection *self, const char *id);
void tacho_connection_load_async (TachoConnection *self,
                                  const char *id,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
gboolean tacho_connection_load_finish (TachoConnection *self, GAsyncResult *result, GError **error);
void tacho_connection_load (TachoConnection *self,
                            const char *id); /* failures: the row, or "notice" */
void tacho_connection_unload (TachoConnection *self, const char *id);
void tacho_connection_cancel_change (TachoConnection *self, const char *id);

G_END_DECLS
