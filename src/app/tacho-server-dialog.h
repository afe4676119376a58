/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The form of a server: added or edited, tried, saved. Signals: "saved" (TachoProfile *, with its
 * key if that was given now): it is in the file; "notice" (const char *): say this. */
#pragma once

#include <adwaita.h>
#include "config/tacho-profile.h"

G_BEGIN_DECLS

#define TACHO_TYPE_SERVER_DIALOG (tacho_server_dialog_get_type ())
G_DECLARE_FINAL_TYPE (TachoServerDialog, tacho_server_dialog, TACHO, SERVER_DIALOG, AdwWindow)

/* profile: what to begin with, or NULL; `saved`: it is in the file, and is to be changed there. */
TachoServerDialog *
tacho_server_dialog_new (GtkWindow *parent, TachoProfile *profile, gboolean saved);
void tacho_server_dialog_test (TachoServerDialog *self);
void tacho_server_dialog_set_name (TachoServerDialog *self, const char *name);

G_END_DECLS
