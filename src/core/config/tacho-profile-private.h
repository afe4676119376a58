/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the profile's own files share. */
#pragma once

#include "config/tacho-profile.h"

G_BEGIN_DECLS

struct _TachoProfile
{
  GObject parent_instance;

  char *name;
  char *url;
  char *endpoint;
  char *api;
  char *api_key;
  char *api_key_env;
  gboolean key_in_keyring;
  char *model;
  GPtrArray *headers; /* of char *, NULL-terminated */
  double timeouts[TACHO_N_TIMEOUTS];
  TachoProfileTuning tuning;

  TachoProtocol protocol;
  gboolean rest_first;
  char *grpc_target;   /* as given */
  char *grpc_endpoint; /* set by a host; NULL: the target's own */
  char *ca_file;
  char *cert_file;
  char *key_file;
  char *pin;
  char *proxy;
  gboolean allow_plain_key;
};

enum
{
  TACHO_PROFILE_PROP_0,
  TACHO_PROFILE_PROP_NAME,
  TACHO_PROFILE_PROP_URL,
  TACHO_PROFILE_PROP_ENDPOINT,
  TACHO_PROFILE_PROP_API,
  TACHO_PROFILE_PROP_CA_FILE,
  TACHO_PROFILE_PROP_PROTOCOL,
  TACHO_PROFILE_PROP_REST_FIRST,
  TACHO_PROFILE_PROP_GRPC_TARGET,
  TACHO_PROFILE_PROP_GRPC_ENDPOINT,
  TACHO_PROFILE_N_PROPS
};

void tacho_profile_wipe (char *secret); /* overwrites, then frees */
void tacho_profile_notify (TachoProfile *self, guint property);
gboolean tacho_profile_check_line (const char *text, gsize max, const char *what, GError **error);
/* Drops the key unless it may still go to the origin it was given for. */
void tacho_profile_drop_foreign_key (TachoProfile *self, const char *before);
/* Turns *reason (freed) into TACHO_ERROR_INVALID; always FALSE. */
gboolean tacho_profile_invalid (GError **error, GError *reason, const char *what);

G_END_DECLS
