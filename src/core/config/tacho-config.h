/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person has set: profiles, defaults of inference, entries of models; one file, which the
 * window and the command line share. Signal: "changed" (): a value, a profile or a warning did. */
#pragma once

#include "config/tacho-config-keys.h"
#include "config/tacho-profile.h"

G_BEGIN_DECLS

#define TACHO_TYPE_CONFIG (tacho_config_get_type ())
G_DECLARE_FINAL_TYPE (TachoConfig, tacho_config, TACHO, CONFIG, GObject)

typedef enum
{
  TACHO_ORIGIN_DEFAULT,
  TACHO_ORIGIN_FILE,
  TACHO_ORIGIN_ENVIRONMENT,
} TachoConfigOrigin;

const char *tacho_config_origin_to_string (TachoConfigOrigin origin);

/* NULL: the file that TACHO_CONFIG names, or the user's. Never fails: see get_error. */
TachoConfig *tacho_config_new (const char *path) G_GNUC_WARN_UNUSED_RESULT;
const char *tacho_config_get_path (TachoConfig *self);
const GError *tacho_config_get_error (TachoConfig *self); /* the file cannot be used, or NULL */
const char *const *tacho_config_get_warnings (TachoConfig *self);
const char *tacho_config_get_set_aside (TachoConfig *self); /* where a save moved a broken file */
void tacho_config_reload (TachoConfig *self);
void tacho_config_watch (TachoConfig *self); /* edits on the disk are picked up from now on */

/* --- profiles: TachoProfile, in the order of the file; not to be changed: edit copies --- */

GListModel *tacho_config_get_profiles (TachoConfig *self);
TachoProfile *tacho_config_lookup_profile (TachoConfig *self, const char *name);
gboolean tacho_config_add_profile (TachoConfig *self, TachoProfile *profile, GError **error);
/* Renames it if the new one has another name. */
gboolean tacho_config_update_profile (TachoConfig *self,
                                      const char *name,
                                      TachoProfile *profile,
                                      GError **error);
gboolean tacho_config_remove_profile (TachoConfig *self, const char *name, GError **error);
/* Timeouts and retries that the profile's own entry does not set: from the environment or the
 * [inference] group. */
void tacho_config_apply_defaults (TachoConfig *self, TachoProfile *profile);

/* --- values --- */

/* Environment, else file, else default; NULL: not set. */
char *tacho_config_dup_value (TachoConfig *self,
                              const char *group,
                              const char *key,
                              TachoConfigOrigin *origin) G_GNUC_WARN_UNUSED_RESULT;
/* Of the [inference] keys; an entry of this model (or NULL) stands before the group. */
char *tacho_config_dup_inference (TachoConfig *self,
                                  const char *model,
                                  const char *key,
                                  TachoConfigOrigin *origin) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_config_set_value (TachoConfig *self,
                                 const char *group,
                                 const char *key,
                                 const char *value,
                                 GError **error);
gboolean
tacho_config_unset_value (TachoConfig *self, const char *group, const char *key, GError **error);
char **tacho_config_get_groups (TachoConfig *self) G_GNUC_WARN_UNUSED_RESULT; /* the known ones */

G_END_DECLS
