/* SPDX-License-Identifier: GPL-3.0-or-later */
/* API keys: in the keyring (Secret Service), in the environment, or for this session only. A key
 * belongs to the addresses that it was given for, and is found for no others. */
#pragma once

#include "config/tacho-profile.h"

G_BEGIN_DECLS

#define TACHO_SECRETS_ERROR (tacho_secrets_error_quark ())
GQuark tacho_secrets_error_quark (void);

/* After each of these a person can be asked for the key, to keep for the session. */
typedef enum
{
  TACHO_SECRETS_ERROR_UNAVAILABLE = 1, /* there is no keyring here */
  TACHO_SECRETS_ERROR_LOCKED,          /* it is locked, and was not unlocked */
  TACHO_SECRETS_ERROR_NOT_FOUND,       /* the profile says it is there, but it is not */
  TACHO_SECRETS_ERROR_NOT_SET,         /* the environment variable is not set */
  TACHO_SECRETS_ERROR_FAILED,
} TachoSecretsErrorCode;

typedef enum
{
  TACHO_SECRET_NONE, /* the profile has no key */
  TACHO_SECRET_SESSION,
  TACHO_SECRET_ENVIRONMENT,
  TACHO_SECRET_KEYRING,
} TachoSecretSource;

#define TACHO_TYPE_SECRETS (tacho_secrets_get_type ())
G_DECLARE_FINAL_TYPE (TachoSecrets, tacho_secrets, TACHO, SECRETS, GObject)

TachoSecrets *tacho_secrets_new (void) G_GNUC_WARN_UNUSED_RESULT;
void tacho_secret_free (char *key); /* overwrites it first */

/* The session's, else the environment's, else the keyring's. Without `may_ask` a locked keyring is
 * an error at once, and nobody sees a prompt. */
void tacho_secrets_lookup_async (TachoSecrets *self,
                                 TachoProfile *profile,
                                 gboolean may_ask,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
/* NULL without an error: the profile has no key. Free with tacho_secret_free. */
char *tacho_secrets_lookup_finish (TachoSecrets *self,
                                   GAsyncResult *result,
                                   TachoSecretSource *source,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* For this session only; NULL forgets. */
gboolean
tacho_secrets_keep (TachoSecrets *self, TachoProfile *profile, const char *key, GError **error);
void tacho_secrets_store_async (TachoSecrets *self,
                                TachoProfile *profile,
                                const char *key,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data);
gboolean tacho_secrets_store_finish (TachoSecrets *self, GAsyncResult *result, GError **error);
/* From the session and the keyring. */
void tacho_secrets_remove_async (TachoSecrets *self,
                                 TachoProfile *profile,
                                 GCancellable *cancellable,
                                 GAsyncReadyCallback callback,
                                 gpointer user_data);
gboolean tacho_secrets_remove_finish (TachoSecrets *self, GAsyncResult *result, GError **error);

G_END_DECLS
