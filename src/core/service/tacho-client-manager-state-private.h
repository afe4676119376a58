/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the manager's own files share: its state and how that changes. */
#pragma once

#include "service/tacho-client-manager-private.h"

G_BEGIN_DECLS

struct _TachoClientManager
{
  GObject parent_instance;

  TachoProfile *profile;
  GListStore *endpoints;  /* of TachoEndpoint, in the order of their use */
  TachoEndpoint *serving; /* one of them, or NULL; not owned */
  TachoConnectionState state;
  char *description;
  char *reason;
  GError *last_error;
  guint updates_frozen; /* a change of several endpoints is one change */

  /* The round of probes that runs, if any; all callers share it. */
  GPtrArray *waiters; /* of GTask */
  GCancellable *round_cancellable;
  guint n_probing;
  gboolean round_found;
  GSource *grace; /* one side answered: the others are waited for this long */

  GSource *watch_source;
};

/* tacho-client-manager.c: state, serving side and reason, from the endpoints. */
void tacho_client_manager_update (TachoClientManager *self);
void tacho_client_manager_destroy_source (gpointer data); /* a GDestroyNotify */

/* tacho-client-manager-state.c: from the endpoints alone. */
TachoEndpoint *tacho_client_manager_pick_serving (TachoClientManager *self);
char *tacho_client_manager_describe_reason (TachoClientManager *self) G_GNUC_WARN_UNUSED_RESULT;
TachoConnectionState tacho_client_manager_derive_state (TachoClientManager *self);
const GError *tacho_client_manager_derive_error (TachoClientManager *self);

/* tacho-client-manager-probe.c: ends the wait of all who asked; well if *error is NULL. */
void tacho_client_manager_end_round (TachoClientManager *self, const GError *error);
TachoEndpoint *tacho_client_manager_peek (TachoClientManager *self, guint index);

G_END_DECLS
