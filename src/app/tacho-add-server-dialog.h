/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asks for a server's URL, key and API, and can try it first.
 * Signal "connect-to" (const char *url, const char *api, const char *api_key): use it. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define TACHO_TYPE_ADD_SERVER_DIALOG (tacho_add_server_dialog_get_type ())
G_DECLARE_FINAL_TYPE (TachoAddServerDialog,
                      tacho_add_server_dialog,
                      TACHO,
                      ADD_SERVER_DIALOG,
                      AdwWindow)

TachoAddServerDialog *tacho_add_server_dialog_new (GtkWindow *parent) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
