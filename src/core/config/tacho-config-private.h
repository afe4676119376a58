/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the configuration's own files share. */
#pragma once

#include "config/tacho-config.h"

G_BEGIN_DECLS

struct _TachoConfig
{
  GObject parent_instance;

  char *path;
  GKeyFile *keys;
  char *content; /* the text that `keys` was read from; NULL: no file */
  GError *error;
  char *set_aside;
  GPtrArray *warnings; /* of char *, NULL-terminated */
  GListStore *profiles;
  GFileMonitor *monitor;
  GFileMonitor *target_monitor; /* of the file behind a link */
  guint reload_id;
};

/* Writes the file, then reads it anew. */
gboolean tacho_config_edit (TachoConfig *self,
                            gboolean (*edit) (GKeyFile *, gpointer, GError **),
                            gpointer user_data,
                            GError **error);
void tacho_config_warn (TachoConfig *self, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* Whether each backslash of a text, or of a list of texts, begins an escape that GKeyFile knows. */
gboolean tacho_config_escapes_are_valid (const char *raw, gboolean is_list);
/* The text of a key; NULL: not there, or not text with its escapes. */
char *tacho_config_get_text (GKeyFile *keys, const char *group, const char *key);
/* The file's own checked value; NULL: not set, or not allowed (then *reason if given). */
char *tacho_config_read_key (GKeyFile *keys,
                             const char *group,
                             const TachoConfigKey *key,
                             GError **reason);
void tacho_config_check (TachoConfig *self);         /* adds the warnings */
void tacho_config_load_profiles (TachoConfig *self); /* fills the list; adds warnings */
gboolean tacho_config_write_key (GKeyFile *keys,
                                 const char *group,
                                 const TachoConfigKey *key,
                                 const char *value);
/* A profile's value as text; NULL: the default. */
char *tacho_config_profile_text (TachoProfile *profile, const TachoConfigKey *key);
gboolean tacho_config_profile_set (TachoProfile *profile,
                                   const char *key,
                                   const char *text,
                                   const char *folder,
                                   GError **error);
/* Without this key as it is meant, a connection could be less safe than it was. */
gboolean tacho_config_profile_is_vital (const char *key);

G_END_DECLS
