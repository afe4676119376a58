/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration file on the disk: it is always the old one or the new one, whole. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Changes the keys; FALSE with an error: nothing is written. */
typedef gboolean (*TachoConfigEdit) (GKeyFile *keys, gpointer user_data, GError **error);

char *tacho_config_file_default_path (void) G_GNUC_WARN_UNUSED_RESULT;
/* No file: empty keys, *content NULL. TACHO_ERROR_IO: not readable; TACHO_ERROR_INVALID: broken. */
gboolean tacho_config_file_read (const char *path, GKeyFile **keys, char **content, GError **error);
/* Reads anew, edits, writes; one process at a time. *set_aside: where a broken file went. */
gboolean tacho_config_file_edit (const char *path,
                                 TachoConfigEdit edit,
                                 gpointer user_data,
                                 char **set_aside,
                                 GError **error);

G_END_DECLS
