/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Found on this computer: what answers on the ports where model servers usually listen. Only the
 * loopback address is ever asked, and no key is ever sent. A GListModel of TachoFound, by port. */
#pragma once

#include <gio/gio.h>
#include "base/tacho-protocol.h"

G_BEGIN_DECLS

typedef struct
{
  guint16 port;
  TachoProtocol protocol; /* REST or gRPC */
} TachoDiscoveryPort;

#define TACHO_TYPE_FOUND (tacho_found_get_type ())
G_DECLARE_FINAL_TYPE (TachoFound, tacho_found, TACHO, FOUND, GObject)

const char *tacho_found_get_url (TachoFound *self);         /* NULL: gRPC only */
const char *tacho_found_get_grpc_target (TachoFound *self); /* "127.0.0.1:8001"; NULL: REST only */
/* "auto" if it wants a key before it says what it is. */
const char *tacho_found_get_family (TachoFound *self);
const char *tacho_found_get_description (TachoFound *self);
const char *tacho_found_get_version (TachoFound *self); /* or NULL */
gboolean tacho_found_get_simulated (TachoFound *self);
gboolean tacho_found_get_wants_key (TachoFound *self);
const char *const *tacho_found_get_evidence (TachoFound *self);

#define TACHO_TYPE_DISCOVERY (tacho_discovery_get_type ())
G_DECLARE_FINAL_TYPE (TachoDiscovery, tacho_discovery, TACHO, DISCOVERY, GObject)

/* The usual ports, or with `ports` others. */
TachoDiscovery *tacho_discovery_new (const TachoDiscoveryPort *ports,
                                     gsize n_ports) G_GNUC_WARN_UNUSED_RESULT;
/* Empties the list and looks again, all ports at once, for a few seconds at most. */
void tacho_discovery_run_async (TachoDiscovery *self,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
gboolean tacho_discovery_run_finish (TachoDiscovery *self, GAsyncResult *result, GError **error);

G_END_DECLS
