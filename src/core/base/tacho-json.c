/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A strict RFC 8259 scanner in front of json-glib. */
#define G_LOG_DOMAIN "tacho"

#include "base/tacho-json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

G_DEFINE_QUARK (tacho_json_error_quark, tacho_json_error)

/* A place where json-glib 1.6 would lose a value that RFC 8259 allows: a number beyond int64 (it
 * reads -1), an escaped NUL (it cuts the string there), a lone surrogate. Parsing replaces it. */
typedef struct
{
  gsize offset;
  gsize length;
  const char *insert;
} Mend;

typedef struct
{
  const char *start;
  const char *p;
  const char *end;
  GArray *mends; /* of Mend, or NULL: only check */
  GError **error;
} Scanner;

static gboolean
fail (Scanner *self, TachoJsonError code, const char *what)
{
  g_set_error (self->error, TACHO_JSON_ERROR, code, "Bad JSON at byte %" G_GSIZE_FORMAT ": %s",
               (gsize) (self->p - self->start), what);
  return FALSE;
}

static void
mend (Scanner *self, const char *from, gsize length, const char *insert)
{
  Mend item = { (gsize) (from - self->start), length, insert };

  if (self->mends != NULL)
    g_array_append_val (self->mends, item);
}

static void
skip_space (Scanner *self)
{
  while (self->p < self->end &&
         (*self->p == ' ' || *self->p == '\n' || *self->p == '\t' || *self->p == '\r'))
    self->p++;
}

static int
scan_hex4 (Scanner *self)
{
  int value = 0;

  for (int i = 0; i < 4; i++, self->p++)
    {
      int digit = self->p < self->end ? g_ascii_xdigit_value (*self->p) : -1;

      if (digit < 0)
        return -1;
      value = value * 16 + digit;
    }
  return value;
}

/* After "\u". */
static gboolean
scan_unicode (Scanner *self)
{
  const char *from = self->p - 2;
  int value = scan_hex4 (self);

  if (value < 0)
    return fail (self, TACHO_JSON_ERROR_SYNTAX, "\\u needs four hexadecimal digits");
  if (value >= 0xd800 && value <= 0xdbff && self->end - self->p >= 6 && self->p[0] == '\\' &&
      self->p[1] == 'u')
    {
      const char *second = self->p;
      int low;

      self->p += 2;
      low = scan_hex4 (self);
      if (low >= 0xdc00 && low <= 0xdfff)
        return TRUE;
      self->p = second;
    }
  if (value == 0 || (value >= 0xd800 && value <= 0xdfff))
    mend (self, from, 6, "\\ufffd");
  return TRUE;
}

static gboolean
scan_string (Scanner *self)
{
  self->p++;
  while (self->p < self->end)
    {
      guchar c = (guchar) *self->p;

      if (c == '"')
        {
          self->p++;
          return TRUE;
        }
      if (c < 0x20)
        return fail (self, TACHO_JSON_ERROR_SYNTAX, "a control character in a string");
      self->p++;
      if (c != '\\')
        continue;
      c = self->p < self->end ? (guchar) *self->p++ : 0;
      if (c == 'u')
        {
          if (!scan_unicode (self))
            return FALSE;
        }
      else if (c == 0 || strchr ("\"\\/bfnrt", c) == NULL)
        return fail (self, TACHO_JSON_ERROR_SYNTAX, "an unknown escape in a string");
    }
  return fail (self, TACHO_JSON_ERROR_SYNTAX, "a string without its end");
}

static gsize
scan_digits (Scanner *self)
{
  const char *from = self->p;

  while (self->p < self->end && g_ascii_isdigit (*self->p))
    self->p++;
  return (gsize) (self->p - from);
}

static gboolean
fits_int64 (const char *text, gsize length)
{
  char buffer[24];
  char *after = NULL;

  if (length >= sizeof buffer)
    return FALSE;
  memcpy (buffer, text, length);
  buffer[length] = '\0';
  errno = 0;
  g_ascii_strtoll (buffer, &after, 10);
  return errno == 0;
}

static gboolean
is_finite_number (const char *text, gsize length)
{
  g_autofree char *copy = NULL;

  /* Without an exponent it takes 309 digits to leave the range of a double. */
  if (length < 309 && memchr (text, 'e', length) == NULL && memchr (text, 'E', length) == NULL)
    return TRUE;
  copy = g_strndup (text, length);
  return isfinite (g_ascii_strtod (copy, NULL));
}

static gboolean
scan_number (Scanner *self)
{
  const char *from = self->p;
  gboolean whole = TRUE;
  gsize length;

  if (*self->p == '-')
    self->p++;
  if (self->p < self->end && *self->p == '0')
    self->p++;
  else if (scan_digits (self) == 0)
    return fail (self, TACHO_JSON_ERROR_SYNTAX, "a value was expected");
  if (self->p < self->end && *self->p == '.')
    {
      whole = FALSE;
      self->p++;
      if (scan_digits (self) == 0)
        return fail (self, TACHO_JSON_ERROR_SYNTAX, "digits were expected after the point");
    }
  if (self->p < self->end && (*self->p == 'e' || *self->p == 'E'))
    {
      whole = FALSE;
      self->p++;
      if (self->p < self->end && (*self->p == '+' || *self->p == '-'))
        self->p++;
      if (scan_digits (self) == 0)
        return fail (self, TACHO_JSON_ERROR_SYNTAX, "digits were expected in the exponent");
    }
  length = (gsize) (self->p - from);
  if (whole ? length > 18 && !fits_int64 (from, length) : TRUE)
    {
      if (!is_finite_number (from, length))
        return fail (self, TACHO_JSON_ERROR_NUMBER, "a number that is too large");
      if (whole)
        mend (self, self->p, 0, ".0");
    }
  return TRUE;
}

static gboolean
scan_word (Scanner *self, const char *word)
{
  gsize length = strlen (word);

  if ((gsize) (self->end - self->p) < length || memcmp (self->p, word, length) != 0)
    return fail (self, TACHO_JSON_ERROR_SYNTAX, "a value was expected");
  self->p += length;
  return TRUE;
}

static gboolean
scan_scalar (Scanner *self)
{
  switch (*self->p)
    {
    case '"':
      return scan_string (self);
    case 't':
      return scan_word (self, "true");
    case 'f':
      return scan_word (self, "false");
    case 'n':
      return scan_word (self, "null");
    default:
      return scan_number (self);
    }
}

/* A member's name and its colon. */
static gboolean
scan_name (Scanner *self)
{
  skip_space (self);
  if (self->p >= self->end || *self->p != '"')
    return fail (self, TACHO_JSON_ERROR_SYNTAX, "a name in quotes was expected");
  if (!scan_string (self))
    return FALSE;
  skip_space (self);
  if (self->p >= self->end || *self->p != ':')
    return fail (self, TACHO_JSON_ERROR_SYNTAX, "a colon was expected");
  self->p++;
  return TRUE;
}

/* After a value: closing brackets and a comma, until the next value (*more) or the end of all. */
static gboolean
scan_after_value (Scanner *self, const char *open, guint *depth, gboolean *more)
{
  for (*more = FALSE; *depth > 0;)
    {
      gboolean in_object = open[*depth - 1] == '{';

      skip_space (self);
      if (self->p < self->end && *self->p == ',')
        {
          self->p++;
          *more = TRUE;
          return in_object ? scan_name (self) : TRUE;
        }
      if (self->p >= self->end || *self->p != (in_object ? '}' : ']'))
        return fail (self, TACHO_JSON_ERROR_SYNTAX, "a comma or a closing bracket was expected");
      self->p++;
      (*depth)--;
    }
  return TRUE;
}

/* Iterative: the depth of the text never becomes depth of our stack. */
static gboolean
scan_document (Scanner *self)
{
  char open[TACHO_JSON_MAX_DEPTH];
  guint depth = 0;
  gboolean more = TRUE;

  while (more)
    {
      skip_space (self);
      if (self->p >= self->end)
        return fail (self, TACHO_JSON_ERROR_SYNTAX, "the text ends where a value was expected");
      if (*self->p == '{' || *self->p == '[')
        {
          char kind = *self->p++;

          if (depth == TACHO_JSON_MAX_DEPTH)
            return fail (self, TACHO_JSON_ERROR_DEPTH, "nested too deeply");
          open[depth++] = kind;
          skip_space (self);
          if (self->p < self->end && *self->p == (kind == '{' ? '}' : ']'))
            {
              self->p++;
              depth--;
            }
          else if (kind == '[')
            continue;
          else if (scan_name (self))
            continue;
          else
            return FALSE;
        }
      else if (!scan_scalar (self))
        return FALSE;
      if (!scan_after_value (self, open, &depth, &more))
        return FALSE;
    }
  skip_space (self);
  if (self->p < self->end)
    return fail (self, TACHO_JSON_ERROR_SYNTAX, "something follows the value");
  return TRUE;
}

static gboolean
scan (const char *text, gsize length, GArray *mends, GError **error)
{
  Scanner self = { text, text, text, mends, error };

  if (length > 0)
    self.end += length;

  if (length > TACHO_JSON_MAX_SIZE)
    return fail (&self, TACHO_JSON_ERROR_SIZE, "the text is too large");
  if (length > 0 && !g_utf8_validate_len (text, length, &self.p))
    return fail (&self, TACHO_JSON_ERROR_SYNTAX, "not UTF-8");
  self.p = text;
  return scan_document (&self);
}

/**
 * tacho_json_check:
 * @text: bytes, not necessarily NUL-terminated
 * @length: how many
 * @error: return location
 *
 * Whether @text is one JSON value by [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259), strictly,
 * of at most %TACHO_JSON_MAX_DEPTH levels and %TACHO_JSON_MAX_SIZE bytes, each number finite as a
 * double. json-glib alone accepts comments and leading zeros and overflows its stack on deep
 * nesting.
 *
 * Accepted, as the RFC does: equal names in one object, an escaped NUL, a lone surrogate escape and
 * an integer of any size; tacho_json_parse() says what becomes of each.
 *
 * Returns: whether it is; else a %TACHO_JSON_ERROR
 */
gboolean
tacho_json_check (const char *text, gsize length, GError **error)
{
  return scan (text, length, NULL, error);
}

static char *
apply_mends (const char *text, gsize length, GArray *mends, gsize *new_length)
{
  GString *out = g_string_sized_new (length + 8 * mends->len);
  gsize at = 0;

  for (guint i = 0; i < mends->len; i++)
    {
      const Mend *item = &g_array_index (mends, Mend, i);

      g_string_append_len (out, text + at, (gssize) (item->offset - at));
      g_string_append (out, item->insert);
      at = item->offset + item->length;
    }
  g_string_append_len (out, text + at, (gssize) (length - at));
  *new_length = out->len;
  return g_string_free (out, FALSE);
}

/**
 * tacho_json_parse:
 * @text: bytes
 * @length: how many
 * @error: return location
 *
 * Checks, then parses. Integers beyond 64 bits become doubles, an escaped NUL and a lone surrogate
 * become U+FFFD, the last of two equal names wins.
 *
 * Returns: (transfer full): the root, never %NULL without an error
 */
JsonNode *
tacho_json_parse (const char *text, gsize length, GError **error)
{
  g_autoptr (GArray) mends = g_array_new (FALSE, FALSE, sizeof (Mend));
  g_autoptr (JsonParser) parser = NULL;
  g_autoptr (GError) reason = NULL;
  g_autofree char *mended = NULL;
  JsonNode *root = NULL;

  if (!scan (text, length, mends, error))
    return NULL;
  if (mends->len > 0)
    text = mended = apply_mends (text, length, mends, &length);
  parser = json_parser_new_immutable ();
  if (json_parser_load_from_data (parser, text, (gssize) length, &reason))
    root = json_parser_steal_root (parser);
  if (root == NULL)
    g_set_error (error, TACHO_JSON_ERROR, TACHO_JSON_ERROR_SYNTAX, "Bad JSON: %s",
                 reason != NULL ? reason->message : "no value");
  return root;
}

/**
 * tacho_json_parse_object:
 * @text: bytes
 * @length: how many
 * @error: return location
 *
 * As tacho_json_parse(), for a text that must be an object.
 *
 * Returns: (transfer full): the root, an object
 */
JsonNode *
tacho_json_parse_object (const char *text, gsize length, GError **error)
{
  g_autoptr (JsonNode) root = tacho_json_parse (text, length, error);

  if (root != NULL && !JSON_NODE_HOLDS_OBJECT (root))
    {
      g_set_error (error, TACHO_JSON_ERROR, TACHO_JSON_ERROR_TYPE,
                   "The JSON is not an object but %s", json_node_type_name (root));
      return NULL;
    }
  return g_steal_pointer (&root);
}
