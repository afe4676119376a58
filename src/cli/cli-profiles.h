/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli profiles: what its files share. */
#pragma once

#include "cli-profile.h"

G_BEGIN_DECLS

typedef struct
{
  char *name; /* the new one */
  char *order;
  char *model;
  gboolean api_key;
  gboolean no_api_key;
  gboolean make_default;
} CliProfilesOptions;

/* Sets *profile's copy for an edit; says which profile there is not. */
TachoProfile *
cli_profiles_find (CliSession *self, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Where its key is: "none", "environment: VAR", "keyring". */
char *cli_profiles_describe_key (TachoProfile *profile) G_GNUC_WARN_UNUSED_RESULT;
gboolean cli_profiles_forget_key (CliSession *self, TachoProfile *profile, GError **error);

int cli_profiles_add (CliSession *self, const CliProfilesOptions *options, const char *name);
int cli_profiles_edit (CliSession *self, const CliProfilesOptions *options, const char *name);
int cli_profiles_test (CliSession *self, const char *name);

G_END_DECLS
