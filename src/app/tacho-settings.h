/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the window remembers. Works without an installed schema too: then for this session only.
 * Signal: "changed" (const char *key), when it is set here. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define TACHO_MAX_RECENT 8

#define TACHO_TYPE_SETTINGS (tacho_settings_get_type ())
G_DECLARE_FINAL_TYPE (TachoSettings, tacho_settings, TACHO, SETTINGS, GObject)

TachoSettings *tacho_settings_get_default (void); /* (transfer none) */
gboolean tacho_settings_is_persistent (TachoSettings *self);

char *tacho_settings_get_string (TachoSettings *self, const char *key) G_GNUC_WARN_UNUSED_RESULT;
int tacho_settings_get_int (TachoSettings *self, const char *key);
guint tacho_settings_get_uint (TachoSettings *self, const char *key);
double tacho_settings_get_double (TachoSettings *self, const char *key);
gboolean tacho_settings_get_boolean (TachoSettings *self, const char *key);
char **tacho_settings_get_strv (TachoSettings *self, const char *key) G_GNUC_WARN_UNUSED_RESULT;

void tacho_settings_set_string (TachoSettings *self, const char *key, const char *value);
void tacho_settings_set_int (TachoSettings *self, const char *key, int value);
void tacho_settings_set_uint (TachoSettings *self, const char *key, guint value);
void tacho_settings_set_double (TachoSettings *self, const char *key, double value);
void tacho_settings_set_boolean (TachoSettings *self, const char *key, gboolean value);
void tacho_settings_set_strv (TachoSettings *self, const char *key, const char *const *value);

/* Newest first, no doubles, at most TACHO_MAX_RECENT. */
void tacho_settings_add_recent_url (TachoSettings *self, const char *url);
/* It was used: the one to begin with the next time, and unless it is built in, a recent one. */
void tacho_settings_note_server (TachoSettings *self, const char *url);
void tacho_settings_remove_recent_url (TachoSettings *self, const char *url);

G_END_DECLS
