/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The servers to choose from: the built-in one, those in the file, those used before, and those
 * that answer on this computer. What is done with one is an action of the window.
 * Signal "chosen" (): one was, or something is to be done with one. */
#pragma once

#include <adwaita.h>
#include "config/tacho-profile.h"
#include "service/tacho-discovery.h"

G_BEGIN_DECLS

#define TACHO_TYPE_SERVER_LIST (tacho_server_list_get_type ())
G_DECLARE_FINAL_TYPE (TachoServerList, tacho_server_list, TACHO, SERVER_LIST, AdwBin)

/* Fills the list anew and looks around on this computer. current: (nullable): the one in use. */
void tacho_server_list_show (TachoServerList *self, TachoProfile *current);
/* As it is opened: with both sides where it has both. NULL: it cannot be. */
TachoProfile *tacho_server_list_make_profile (TachoFound *found) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
