/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which server: options over the environment over the configuration file; and its key. */
#pragma once

#include "cli-connect.h"

G_BEGIN_DECLS

TachoConfig *cli_session_get_config (CliSession *self);   /* (transfer none) */
TachoSecrets *cli_session_get_secrets (CliSession *self); /* (transfer none) */
/* Sets the session's profile, with its key. */
gboolean cli_profile_choose (CliSession *self, GError **error);
/* The common options over a profile; not --api-key-env. */
gboolean cli_profile_fill (CliSession *self, TachoProfile *profile, GError **error);
/* The model that is meant where none is named, or NULL. */
char *cli_profile_dup_model (CliSession *self) G_GNUC_WARN_UNUSED_RESULT;
/* The profile's key; asks on a terminal where it cannot be had. For tacho_secret_free. */
char *cli_profile_lookup_key (CliSession *self,
                              TachoProfile *profile,
                              TachoSecretSource *source,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* cli-key.c: a key is typed without echo, or comes by a pipe; it is never an argument. */
gboolean cli_key_can_ask (void); /* a person is at a terminal */
char *cli_key_read (CliSession *self, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
