/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Button of the header: which server, how it is, and the way to another one. */
#pragma once

#include <adwaita.h>
#include "app/tacho-connection.h"

G_BEGIN_DECLS

#define TACHO_TYPE_CONNECTION_MENU (tacho_connection_menu_get_type ())
G_DECLARE_FINAL_TYPE (TachoConnectionMenu, tacho_connection_menu, TACHO, CONNECTION_MENU, AdwBin)

void tacho_connection_menu_set_connection (TachoConnectionMenu *self, TachoConnection *connection);

G_END_DECLS
