/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes hostile text safe to show. */
#define G_LOG_DOMAIN "tacho"

#include "base/tacho-text.h"

#include <string.h>

#define REPLACEMENT 0xfffd

/* What happens to one character: itself, U+FFFD for what would act on a terminal, 0 to drop what
 * would reorder or hide text. U+200C and U+200D stay: scripts and emoji need them. CR is not for
 * here. */
static gunichar
safe_char (gunichar c)
{
  if (c == '\n' || c == '\t')
    return c;
  if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
    return REPLACEMENT;
  if (c == 0x061c || c == 0x200b || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
      (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
      (c >= 0xe0000 && c <= 0xe0fff))
    return 0;
  if (c == 0x2028 || c == 0x2029)
    return '\n';
  return c;
}

struct _TachoTextFilter
{
  char held[6]; /* the beginning of a character, or a CR before what may be its LF */
  guint n_held;
};

/**
 * tacho_text_filter_new:
 *
 * Makes a filter for text that comes in pieces.
 *
 * Returns: (transfer full): the filter
 */
TachoTextFilter *
tacho_text_filter_new (void)
{
  return g_new0 (TachoTextFilter, 1);
}

/**
 * tacho_text_filter_free:
 * @filter: (nullable): a filter
 *
 * Frees it.
 */
void
tacho_text_filter_free (TachoTextFilter *filter)
{
  g_free (filter);
}

static void
append_safe (GString *out, gunichar c)
{
  gunichar safe = safe_char (c);

  if (safe != 0)
    g_string_append_unichar (out, safe);
}

/* Whether what follows may complete the character at @p. GLib's "-2" alone does not say so: it also
 * stands for a NUL within a character. */
static gboolean
is_unfinished (const char *p, const char *end)
{
  if (end - p >= 4)
    return FALSE;
  for (p++; p < end; p++)
    if (((guchar) *p & 0xc0) != 0x80)
      return FALSE;
  return TRUE;
}

/* Handles what is whole in [p, end); returns where an unfinished character begins. */
static const char *
filter_run (const char *p, const char *end, GString *out)
{
  while (p < end)
    {
      const char *from = p;
      gunichar c;

      while (p < end && *p >= 0x20 && *p < 0x7f)
        p++;
      g_string_append_len (out, from, p - from);
      if (p == end)
        break;
      if (*p == '\r')
        {
          /* CR LF is one line break; a CR alone would let a line write over itself. */
          if (p + 1 == end)
            return p;
          if (p[1] != '\n')
            g_string_append_unichar (out, REPLACEMENT);
          p++;
          continue;
        }
      c = (guchar) *p < 0x80 ? (gunichar) *p : g_utf8_get_char_validated (p, end - p);
      if (c == (gunichar) -2 && is_unfinished (p, end))
        return p;
      if (c == (gunichar) -1 || c == (gunichar) -2)
        {
          g_string_append_unichar (out, REPLACEMENT);
          p++;
          continue;
        }
      append_safe (out, c);
      p += c < 0x80 ? 1 : g_utf8_skip[(guchar) *p];
    }
  return end;
}

/**
 * tacho_text_filter_push:
 * @filter: a filter
 * @data: bytes
 * @length: how many
 * @out: where to append what is safe
 *
 * Filters the next piece. However a text is cut, the sum is what tacho_text_sanitize() gives.
 */
void
tacho_text_filter_push (TachoTextFilter *filter, const char *data, gsize length, GString *out)
{
  const char *end = data + length;
  const char *rest;

  while (filter->n_held > 0 && data < end)
    {
      filter->held[filter->n_held++] = *data++;
      rest = filter_run (filter->held, filter->held + filter->n_held, out);
      filter->n_held = (guint) (filter->held + filter->n_held - rest);
      memmove (filter->held, rest, filter->n_held);
    }
  if (data == end)
    return;
  rest = filter_run (data, end, out);
  filter->n_held = (guint) (end - rest);
  memcpy (filter->held, rest, filter->n_held);
}

/**
 * tacho_text_filter_finish:
 * @filter: a filter
 * @out: where to append
 *
 * Ends the text: each byte of an unfinished character becomes U+FFFD. The filter may be used again.
 */
void
tacho_text_filter_finish (TachoTextFilter *filter, GString *out)
{
  for (guint i = 0; i < filter->n_held; i++)
    g_string_append_unichar (out, REPLACEMENT);
  filter->n_held = 0;
}

/**
 * tacho_text_sanitize:
 * @text: (nullable): hostile bytes
 * @length: how many, -1: up to the NUL
 *
 * Each control character but LF and TAB (ESC, so that OSC and CSI lose their power, DEL, C1) and
 * each byte that is not UTF-8 becomes U+FFFD; CR LF becomes LF; U+2028 and U+2029 become LF.
 * Characters that reorder or hide text go: bidi controls, U+200B, U+FEFF, tags and the like. U+200C
 * and U+200D stay.
 *
 * Returns: (transfer full): valid UTF-8 without anything that acts on a terminal or hides text
 */
char *
tacho_text_sanitize (const char *text, gssize length)
{
  TachoTextFilter filter = { { 0 }, 0 };
  gsize n = text == NULL ? 0 : length < 0 ? strlen (text) : (gsize) length;
  GString *out = g_string_sized_new (n);

  tacho_text_filter_push (&filter, text != NULL ? text : "", n, out);
  tacho_text_filter_finish (&filter, out);
  return g_string_free (out, FALSE);
}

/**
 * tacho_text_sanitize_line:
 * @text: (nullable): hostile bytes
 * @length: how many, -1: up to the NUL
 * @max_chars: the most characters before the ellipsis, 0: all
 *
 * Returns: (transfer full): one safe line; a cut ends with an ellipsis
 */
char *
tacho_text_sanitize_line (const char *text, gssize length, gsize max_chars)
{
  gsize n = text == NULL ? 0 : length < 0 ? strlen (text) : (gsize) length;
  g_autofree char *safe = NULL;
  gsize chars = 0;
  gboolean cut = FALSE;

  /* A character has four bytes at most, and a few are dropped: do not filter megabytes for one. */
  if (max_chars > 0 && max_chars < n / 16 && n > 16 * max_chars + 64)
    {
      n = 16 * max_chars + 64;
      while (n > 0 && ((guchar) text[n] & 0xc0) == 0x80)
        n--;
      cut = TRUE;
    }
  safe = tacho_text_sanitize (text, (gssize) n);
  for (char *p = safe; *p != '\0'; p = g_utf8_next_char (p))
    {
      if (*p == '\n' || *p == '\t')
        *p = ' ';
      if (max_chars > 0 && ++chars > max_chars)
        {
          *p = '\0';
          cut = TRUE;
          break;
        }
    }
  g_strstrip (safe);
  return cut ? g_strconcat (safe, "…", NULL) : g_steal_pointer (&safe);
}

/**
 * tacho_text_escape_markup:
 * @text: (nullable): hostile text
 * @max_chars: the most characters, 0: all
 *
 * Returns: (transfer full): one safe line for where Pango markup is parsed
 */
char *
tacho_text_escape_markup (const char *text, gsize max_chars)
{
  g_autofree char *line = tacho_text_sanitize_line (text, -1, max_chars);

  return g_markup_escape_text (line, -1);
}

/**
 * tacho_text_format_bytes:
 * @bytes: a size
 *
 * Returns: (transfer full): "4.1 GB", in powers of ten
 */
char *
tacho_text_format_bytes (guint64 bytes)
{
  return g_format_size_full (bytes, G_FORMAT_SIZE_DEFAULT);
}

/**
 * tacho_text_format_count:
 * @count: a number of parameters or tokens
 *
 * Returns: (transfer full): "7.2 B", "340 M", "12.0 k", "512"
 */
char *
tacho_text_format_count (guint64 count)
{
  static const struct
  {
    double unit;
    const char *name;
  } units[] = { { 1e12, "T" }, { 1e9, "B" }, { 1e6, "M" }, { 1e3, "k" } };

  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    {
      double value = (double) count / units[i].unit;

      if (value >= 0.9995)
        return g_strdup_printf (value < 99.95 ? "%.1f %s" : "%.0f %s", value, units[i].name);
    }
  return g_strdup_printf ("%" G_GUINT64_FORMAT, count);
}
