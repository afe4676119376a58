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

char *tacho_servers_make_address (TachoProfile *profile) G_GNUC_WARN_UNUSED_RESULT;
char *tacho_servers_make_title (TachoProfile *profile) G_GNUC_WARN_UNUSED_RESULT;
/* A copy of the profile that has this address, or NULL. */
TachoProfile *tacho_servers_find (const char *address) G_GNUC_WARN_UNUSED_RESULT;
/* The one of that name, or NULL. */
TachoProfile *tacho_servers_find_named (const char *name) G_GNUC_WARN_UNUSED_RESULT;
/* Whether the file has it under its name, at its address. */
gboolean tacho_servers_is_saved (TachoProfile *profile);
/* Saves a new server under a name of its own, or what was changed about a known one. */
gboolean tacho_servers_save (TachoProfile *profile, GError **error);
gboolean tacho_servers_needs_key (TachoProfile *profile);
/* From its address, and of no other server but `own`. */
char *tacho_servers_make_name (TachoProfile *profile, TachoProfile *own) G_GNUC_WARN_UNUSED_RESULT;

/* --- what a form did; tacho-servers-change.c --- */

typedef enum
{
  TACHO_KEY_KEEP, /* the one that was stored, if the address is the same */
  TACHO_KEY_NEW,  /* the profile's own */
  TACHO_KEY_NONE,
} TachoKeyChange;

/* Writes the file. `before`: as it was there; NULL: a new one. FALSE: nothing is changed. */
gboolean tacho_servers_change (TachoProfile *before,
                               TachoProfile *profile,
                               TachoKeyChange change,
                               GError **error);
/* After that: the key goes into the keyring, along to a new name, or out of it. A key that is found
 * is put into the profile. */
void tacho_servers_settle_key_async (TachoProfile *before,
                                     TachoProfile *profile,
                                     TachoKeyChange change,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
/* What a person has to know about it, or NULL. The task's data is the profile. */
char *tacho_servers_settle_key_finish (GAsyncResult *result) G_GNUC_WARN_UNUSED_RESULT;
/* Its entry; the key stays until tacho_servers_forget_key. */
gboolean tacho_servers_remove (TachoProfile *profile, GError **error);
void tacho_servers_forget_key (TachoProfile *profile);

G_END_DECLS
