/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every key that the configuration file may hold: its type, range, default and variable. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  TACHO_CONFIG_TEXT,    /* any text; line breaks as \n */
  TACHO_CONFIG_LINE,    /* text of one line */
  TACHO_CONFIG_NUMBER,  /* min to max */
  TACHO_CONFIG_WHOLE,   /* the same, without a fraction */
  TACHO_CONFIG_SECONDS, /* the same; 500ms, 30s, 2m, 1h are understood */
  TACHO_CONFIG_BOOLEAN,
  TACHO_CONFIG_CHOICE,  /* one of the words of `choices` */
  TACHO_CONFIG_HEADERS, /* "K: V" and more, with ; between */
} TachoConfigType;

typedef struct
{
  const char *kind; /* of the group: "general", "inference", "model" or "profile" */
  const char *key;
  TachoConfigType type;
  double min, max;
  const char *fallback; /* NULL: not set */
  const char *variable; /* of the environment, or NULL */
  const char *choices;  /* "rest|grpc|hybrid", or NULL */
  const char *help;
} TachoConfigKey;

const TachoConfigKey *tacho_config_keys (gsize *n_keys);
const TachoConfigKey *tacho_config_key_find (const char *kind, const char *key);
/* The value in its plain form, or TACHO_ERROR_INVALID: what is allowed. */
char *tacho_config_key_check (const TachoConfigKey *key,
                              const char *text,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* "profile NAME" <-> kind and name; a name may hold any text. */
char *tacho_config_group_make (const char *kind, const char *name) G_GNUC_WARN_UNUSED_RESULT;
const char *tacho_config_group_parse (const char *group, char **name); /* kind, or NULL */

G_END_DECLS
