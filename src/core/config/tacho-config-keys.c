/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every key that the configuration file may hold. */
#define G_LOG_DOMAIN "tacho"

#include "config/tacho-config-keys.h"

#include "base/tacho-error.h"

#include <math.h>
#include <string.h>

#define WEEK 604800.0
#define MAX_TEXT 65536
#define MAX_LINE 4096

#define TEXT(kind, key, help)                                                                      \
  {                                                                                                \
    kind, key, TACHO_CONFIG_LINE, 0, 0, NULL, NULL, NULL, help                                     \
  }
#define SECONDS(kind, key, min, max, fallback, variable, help)                                     \
  {                                                                                                \
    kind, key, TACHO_CONFIG_SECONDS, min, max, fallback, variable, NULL, help                      \
  }
#define WHOLE(kind, key, min, max, fallback, variable, help)                                       \
  {                                                                                                \
    kind, key, TACHO_CONFIG_WHOLE, min, max, fallback, variable, NULL, help                        \
  }
#define BOOLEAN(kind, key, fallback, variable, help)                                               \
  {                                                                                                \
    kind, key, TACHO_CONFIG_BOOLEAN, 0, 0, fallback, variable, NULL, help                          \
  }

static const TachoConfigKey keys[] = {
  { "general", "profile", TACHO_CONFIG_LINE, 0, 0, NULL, "TACHO_PROFILE", NULL,
    "The profile to use where none is named" },

  { "inference", "model", TACHO_CONFIG_LINE, 0, 0, NULL, "TACHO_MODEL", NULL,
    "The model to use where none is named" },
  { "inference", "system-prompt", TACHO_CONFIG_TEXT, 0, 0, NULL, "TACHO_SYSTEM_PROMPT", NULL,
    "Sent before each prompt" },
  { "inference", "temperature", TACHO_CONFIG_NUMBER, 0, 2, NULL, "TACHO_TEMPERATURE", NULL,
    "Sampling temperature; not set: the server decides" },
  { "inference", "top-p", TACHO_CONFIG_NUMBER, 0, 1, NULL, "TACHO_TOP_P", NULL,
    "Nucleus sampling; not set: the server decides" },
  WHOLE ("inference", "max-tokens", 1, 100000000, NULL, "TACHO_MAX_TOKENS", "Longest reply"),
  BOOLEAN ("inference", "streaming", "true", "TACHO_STREAMING", "Show replies as they come"),
  SECONDS ("inference", "timeout-connect", 0, WEEK, "5", "TACHO_TIMEOUT_CONNECT", "To connect in"),
  SECONDS ("inference",
           "timeout-first",
           0,
           WEEK,
           "120",
           "TACHO_TIMEOUT_FIRST",
           "To the first byte"),
  SECONDS ("inference", "timeout-idle", 0, WEEK, "60", "TACHO_TIMEOUT_IDLE", "Without a byte"),
  SECONDS ("inference",
           "timeout-total",
           0,
           WEEK,
           "600",
           "TACHO_TIMEOUT_TOTAL",
           "For a whole request"),
  WHOLE ("inference", "attempts", 1, 5, "3", "TACHO_ATTEMPTS", "Attempts of a request, in all"),
  SECONDS ("inference",
           "backoff",
           0,
           60,
           "0.5",
           "TACHO_BACKOFF",
           "Wait before the second attempt; doubled each time, and random below that"),
  SECONDS ("inference", "backoff-cap", 0, 600, "8", "TACHO_BACKOFF_CAP", "The longest such wait"),
  SECONDS ("inference",
           "server-wait",
           0,
           3600,
           "60",
           "TACHO_SERVER_WAIT",
           "The longest Retry-After that is obeyed"),

  TEXT ("model", "name", "What a person calls it"),
  { "model", "system-prompt", TACHO_CONFIG_TEXT, 0, 0, NULL, NULL, NULL,
    "Sent before each prompt" },
  { "model", "temperature", TACHO_CONFIG_NUMBER, 0, 2, NULL, NULL, NULL, "Sampling temperature" },
  { "model", "top-p", TACHO_CONFIG_NUMBER, 0, 1, NULL, NULL, NULL, "Nucleus sampling" },
  WHOLE ("model", "max-tokens", 1, 100000000, NULL, NULL, "Longest reply"),
  BOOLEAN ("model", "streaming", NULL, NULL, "Show replies as they come"),
  WHOLE ("model",
         "context",
         1,
         1e9,
         NULL,
         NULL,
         "Context window in tokens: a longer reply is not asked for"),

  TEXT ("profile", "url", "Where its REST side is; sim: is the built-in simulated server"),
  TEXT ("profile", "grpc", "HOST:PORT of its gRPC side; grpcs://HOST:PORT for TLS"),
  { "profile", "protocol", TACHO_CONFIG_CHOICE, 0, 0, NULL, NULL, "rest|grpc|hybrid",
    "Which sides are used" },
  { "profile", "order", TACHO_CONFIG_CHOICE, 0, 0, "grpc-first", NULL, "grpc-first|rest-first",
    "Which side of hybrid is used first" },
  TEXT ("profile", "api", "The API family; auto finds out"),
  TEXT ("profile", "model", "The model to use where none is named"),
  TEXT ("profile", "api-key-env", "Environment variable that holds the API key"),
  BOOLEAN ("profile", "api-key-in-keyring", "false", NULL, "The keyring holds the API key"),
  BOOLEAN ("profile",
           "allow-plain-key",
           "false",
           NULL,
           "Let the key go to another machine without TLS"),
  TEXT ("profile", "ca", "PEM file of the certificates to trust"),
  TEXT ("profile", "client-cert", "PEM file of the client certificate"),
  TEXT ("profile", "client-key", "PEM file of the client certificate's key"),
  TEXT ("profile", "pin", "sha256:HEX of the only server certificate to take"),
  TEXT ("profile", "proxy", "URL of a proxy"),
  { "profile", "headers", TACHO_CONFIG_HEADERS, 0, 0, NULL, NULL, NULL,
    "Headers to send, none of them secret" },
  SECONDS ("profile", "timeout-connect", 0, WEEK, NULL, NULL, "To connect in"),
  SECONDS ("profile", "timeout-first", 0, WEEK, NULL, NULL, "To the first byte"),
  SECONDS ("profile", "timeout-idle", 0, WEEK, NULL, NULL, "Without a byte"),
  SECONDS ("profile", "timeout-total", 0, WEEK, NULL, NULL, "For a whole request"),
  WHOLE ("profile", "attempts", 1, 5, NULL, NULL, "Attempts of a request, in all"),
  SECONDS ("profile", "backoff", 0, 60, NULL, NULL, "Wait before the second attempt"),
  SECONDS ("profile", "backoff-cap", 0, 600, NULL, NULL, "The longest such wait"),
  SECONDS ("profile", "server-wait", 0, 3600, NULL, NULL, "The longest Retry-After obeyed"),
  WHOLE ("profile", "breaker-failures", 1, 1000, NULL, NULL, "In a row that open the breaker"),
  SECONDS ("profile", "breaker-open", 0.1, 3600, NULL, NULL, "How long it stays open first"),
  WHOLE ("profile", "max-connections", 1, 10000, NULL, NULL, "Connections at a time"),
  SECONDS ("profile", "connection-idle", 1, 86400, NULL, NULL, "Close one idle for so long"),
  SECONDS ("profile", "connection-age", 1, 86400, NULL, NULL, "Use none for longer"),
  SECONDS ("profile", "keepalive", 0, 86400, NULL, NULL, "Between gRPC pings during a call"),
};

/**
 * tacho_config_keys:
 * @n_keys: (out): how many
 *
 * Returns: (array length=n_keys) (transfer none): every key, group after group
 */
const TachoConfigKey *
tacho_config_keys (gsize *n_keys)
{
  g_return_val_if_fail (n_keys != NULL, NULL);
  *n_keys = G_N_ELEMENTS (keys);
  return keys;
}

/**
 * tacho_config_key_find:
 * @kind: kind of the group
 * @key: name of the key
 *
 * Returns: (transfer none) (nullable): the key, %NULL if there is none of that name
 */
const TachoConfigKey *
tacho_config_key_find (const char *kind, const char *key)
{
  g_return_val_if_fail (kind != NULL && key != NULL, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (g_str_equal (keys[i].kind, kind) && g_str_equal (keys[i].key, key))
      return &keys[i];
  return NULL;
}

static char *
check_number (const TachoConfigKey *key, const char *text)
{
  char *end = NULL;
  double value = g_ascii_strtod (text, &end);
  double unit = 1;
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  if (end == text || (!g_ascii_isdigit (*text) && *text != '.' && *text != '-') ||
      strpbrk (text, "xX") != NULL)
    return NULL;
  if (key->type == TACHO_CONFIG_SECONDS && *end != '\0')
    {
      unit = g_str_equal (end, "s")    ? 1
             : g_str_equal (end, "ms") ? 0.001
             : g_str_equal (end, "m")  ? 60
             : g_str_equal (end, "h")  ? 3600
                                       : 0;
      end += strlen (end);
    }
  value *= unit;
  if (*end != '\0' || unit == 0 || !isfinite (value) || value < key->min || value > key->max ||
      (key->type == TACHO_CONFIG_WHOLE && value != floor (value)))
    return NULL;
  /* A time that is not zero but next to it is a slip; profiles refuse it as well. */
  if (key->type == TACHO_CONFIG_SECONDS && value > 0 && value < 0.001)
    return NULL;
  return g_strdup (g_ascii_formatd (buffer, sizeof buffer, "%.12g", value == 0 ? 0 : value));
}

static char *
check_boolean (const char *text)
{
  if (g_str_equal (text, "true") || g_str_equal (text, "yes") || g_str_equal (text, "1"))
    return g_strdup ("true");
  if (g_str_equal (text, "false") || g_str_equal (text, "no") || g_str_equal (text, "0"))
    return g_strdup ("false");
  return NULL;
}

static char *
check_text (const TachoConfigKey *key, const char *text)
{
  gboolean one_line = key->type == TACHO_CONFIG_LINE;

  if (!g_utf8_validate (text, -1, NULL) || strlen (text) > (one_line ? MAX_LINE : MAX_TEXT))
    return NULL;
  for (const char *c = text; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c) && (one_line || (*c != '\n' && *c != '\t')))
      return NULL;
  return g_strdup (text);
}

static void
set_allowed (const TachoConfigKey *key, GError **error)
{
  g_auto (GStrv) choices = g_strsplit (key->choices != NULL ? key->choices : "", "|", -1);
  g_autofree char *list = g_strjoinv (", ", choices);
  g_autofree char *allowed = NULL;

  switch (key->type)
    {
    case TACHO_CONFIG_NUMBER:
      allowed = g_strdup_printf ("a number from %.12g to %.12g is allowed", key->min, key->max);
      break;
    case TACHO_CONFIG_WHOLE:
      allowed =
          g_strdup_printf ("a whole number from %.12g to %.12g is allowed", key->min, key->max);
      break;
    case TACHO_CONFIG_SECONDS:
      allowed = g_strdup_printf ("seconds from %.12g to %.12g are allowed, such as 30, 500ms or 2m",
                                 key->min, key->max);
      break;
    case TACHO_CONFIG_BOOLEAN:
      allowed = g_strdup ("true or false is allowed");
      break;
    case TACHO_CONFIG_CHOICE:
      allowed = g_strdup_printf ("one of these is allowed: %s", list);
      break;
    case TACHO_CONFIG_TEXT:
    case TACHO_CONFIG_HEADERS:
      allowed = g_strdup_printf ("UTF-8 text of at most %d bytes is allowed", MAX_TEXT);
      break;
    case TACHO_CONFIG_LINE:
    default:
      allowed = g_strdup_printf ("one line of UTF-8 text of at most %d bytes is allowed", MAX_LINE);
    }
  g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID, allowed);
}

/**
 * tacho_config_key_check:
 * @key: a key
 * @text: a value for it
 * @error: return location
 *
 * The message says only what is allowed; the caller knows where the value stands.
 *
 * Returns: (transfer full): the value in its plain form (seconds without a unit; "true", "false"),
 *   or %NULL with %TACHO_ERROR_INVALID
 */
char *
tacho_config_key_check (const TachoConfigKey *key, const char *text, GError **error)
{
  g_autofree char *stripped = NULL;
  char *value = NULL;

  g_return_val_if_fail (key != NULL && text != NULL, NULL);

  stripped = g_strstrip (g_strdup (text));
  switch (key->type)
    {
    case TACHO_CONFIG_NUMBER:
    case TACHO_CONFIG_WHOLE:
    case TACHO_CONFIG_SECONDS:
      value = check_number (key, stripped);
      break;
    case TACHO_CONFIG_BOOLEAN:
      value = check_boolean (stripped);
      break;
    case TACHO_CONFIG_CHOICE:
      {
        g_auto (GStrv) choices = g_strsplit (key->choices, "|", -1);

        if (g_strv_contains ((const char *const *) choices, stripped))
          value = g_strdup (stripped);
        break;
      }
    case TACHO_CONFIG_TEXT:
    case TACHO_CONFIG_LINE:
    case TACHO_CONFIG_HEADERS:
    default:
      value = check_text (key, text);
    }
  if (value == NULL)
    set_allowed (key, error);
  return value;
}

/* What GKeyFile cannot have in the name of a group, and blanks that a person would not see. */
static gboolean
must_escape (const char *name, gsize i)
{
  gboolean at_edge = i == 0 || name[i + 1] == '\0';

  return g_ascii_iscntrl (name[i]) || strchr ("[]%", name[i]) != NULL ||
         (at_edge && name[i] == ' ');
}

/**
 * tacho_config_group_make:
 * @kind: kind of the group
 * @name: (nullable): name of what it is about; %NULL for a kind of which there is one
 *
 * Returns: (transfer full): the group's name as it stands in the file, between the brackets
 */
char *
tacho_config_group_make (const char *kind, const char *name)
{
  g_autoptr (GString) group = g_string_new (kind);

  if (name == NULL)
    return g_string_free (g_steal_pointer (&group), FALSE);
  g_string_append_c (group, ' ');
  for (gsize i = 0; name[i] != '\0'; i++)
    if (must_escape (name, i))
      g_string_append_printf (group, "%%%02X", (guchar) name[i]);
    else
      g_string_append_c (group, name[i]);
  return g_string_free (g_steal_pointer (&group), FALSE);
}

/**
 * tacho_config_group_parse:
 * @group: name of a group in the file
 * @name: (out) (transfer full) (nullable): name of what it is about
 *
 * Returns: (transfer none) (nullable): its kind, %NULL if the program knows no such group
 */
const char *
tacho_config_group_parse (const char *group, char **name)
{
  static const char *const named[] = { "model", "profile" };
  g_autofree char *decoded = NULL;

  g_return_val_if_fail (group != NULL && name != NULL, NULL);

  *name = NULL;
  if (g_str_equal (group, "general"))
    return "general";
  if (g_str_equal (group, "inference"))
    return "inference";
  for (guint i = 0; i < G_N_ELEMENTS (named); i++)
    {
      gsize length = strlen (named[i]);

      if (strncmp (group, named[i], length) != 0 || group[length] != ' ')
        continue;
      decoded = g_uri_unescape_string (group + length + 1, NULL);
      if (decoded == NULL || *decoded == '\0' || !g_utf8_validate (decoded, -1, NULL))
        return NULL;
      *name = g_steal_pointer (&decoded);
      return named[i];
    }
  return NULL;
}
