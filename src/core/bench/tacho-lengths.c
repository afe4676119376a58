/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many tokens: "512", "128:2048" or "512±64". */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-plan.h"

#include "base/tacho-error.h"

#include <math.h>
#include <string.h>

#define MAX_TOKENS 1000000

static gboolean
fail (const char *text, GError **error)
{
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "“%.60s” is no length: write a number, MIN:MAX or MEAN±SD, between 1 and %d tokens",
               text, MAX_TOKENS);
  return FALSE;
}

static gboolean
read_number (const char **at, double *value)
{
  char *end = NULL;

  if (!g_ascii_isdigit (**at))
    return FALSE;
  *value = g_ascii_strtod (*at, &end);
  *at = end;
  return isfinite (*value) && *value >= 1 && *value <= MAX_TOKENS;
}

/**
 * tacho_lengths_parse:
 * @text: "N", "MIN:MAX" (uniform) or "MEAN±SD" (normal; "~" does as well)
 * @lengths: (out caller-allocates): the lengths; untouched on failure
 * @error: return location
 *
 * Returns: whether it is one; else %TACHO_ERROR_INVALID
 */
gboolean
tacho_lengths_parse (const char *text, TachoLengths *lengths, GError **error)
{
  const char *at = text;
  double first, second;
  gboolean normal = FALSE;

  if (!read_number (&at, &first))
    return fail (text, error);
  if (*at == '\0')
    second = first;
  else
    {
      if (g_str_has_prefix (at, "±"))
        at += strlen ("±");
      else if (*at == '~' || *at == ':')
        at++;
      else
        return fail (text, error);
      normal = at[-1] != ':';
      if (!read_number (&at, &second) || *at != '\0')
        return fail (text, error);
    }
  if (normal)
    {
      *lengths = (TachoLengths){ 1, MAX_TOKENS, first, second };
      return TRUE;
    }
  if (first > second || first != floor (first) || second != floor (second))
    return fail (text, error);
  *lengths = (TachoLengths){ (guint) first, (guint) second, 0, 0 };
  return TRUE;
}

/**
 * tacho_lengths_to_string:
 * @lengths: lengths
 *
 * Returns: (transfer full): what tacho_lengths_parse() reads
 */
char *
tacho_lengths_to_string (const TachoLengths *lengths)
{
  if (lengths->sd > 0)
    return g_strdup_printf ("%g±%g", lengths->mean, lengths->sd);
  if (lengths->min == lengths->max)
    return g_strdup_printf ("%u", lengths->min);
  return g_strdup_printf ("%u:%u", lengths->min, lengths->max);
}
