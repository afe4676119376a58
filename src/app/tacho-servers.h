/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The servers and defaults that the window shares with the command line, and their keys. */
#pragma once

#include "config/tacho-config.h"
#include "config/tacho-secrets.h"

G_BEGIN_DECLS

TachoConfig *tacho_servers_get_config (void);   /* (transfer none); edits on the disk show */
TachoSecrets *tacho_servers_get_secrets (void); /* (transfer none) */
/* What GSettings kept before there was the file: taken over once. */
void tacho_servers_migrate (void);

/* A copy of the profile that has this address, or NULL. */
TachoProfile *tacho_servers_find (const char *address) G_GNUC_WARN_UNUSED_RESULT;
/* Saves a new server under a name of its own, or what was changed about a known one. */
gboolean tacho_servers_save (TachoProfile *profile, GError **error);
gboolean tacho_servers_needs_key (TachoProfile *profile);

G_END_DECLS
