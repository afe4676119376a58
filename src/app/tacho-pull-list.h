/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The models that a server is fetching, a row each; nothing when there are none. */
#pragma once

#include <adwaita.h>
#include "app/tacho-connection.h"

G_BEGIN_DECLS

#define TACHO_TYPE_PULL_LIST (tacho_pull_list_get_type ())
G_DECLARE_FINAL_TYPE (TachoPullList, tacho_pull_list, TACHO, PULL_LIST, AdwBin)

/* Ends the pulls of another connection. */
void tacho_pull_list_set_connection (TachoPullList *self, TachoConnection *connection);
void tacho_pull_list_ask (TachoPullList *self); /* for a name, then starts */

G_END_DECLS
