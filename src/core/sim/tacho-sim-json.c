/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing JSON. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-json.h"

#include "sim/tacho-sim-text.h"

#include <math.h>

static void
add_text (GString *out, const char *text)
{
  if (text != NULL)
    tacho_sim_json_quote (out, text);
  else
    g_string_append (out, "null");
}

static void
add_double (GString *out, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (out,
                   isfinite (value) ? g_ascii_formatd (text, sizeof text, "%.9g", value) : "null");
}

/**
 * tacho_sim_json_add:
 * @out: gets the text
 * @format: JSON with apostrophes in place of quotation marks; `%s` text to be quoted (%NULL is
 *   `null`), `%r` text as it is, `%d` int, `%u` guint, `%i` gint64, `%n` double, `%b` gboolean
 * @...: the values
 */
void
tacho_sim_json_add (GString *out, const char *format, ...)
{
  va_list values;

  va_start (values, format);
  for (const char *p = format; *p != '\0'; p++)
    {
      if (*p == '\'')
        g_string_append_c (out, '"');
      else if (*p != '%')
        g_string_append_c (out, *p);
      else
        switch (*++p)
          {
          case 's':
            add_text (out, va_arg (values, const char *));
            break;
          case 'r':
            g_string_append (out, va_arg (values, const char *));
            break;
          case 'd':
            g_string_append_printf (out, "%d", va_arg (values, int));
            break;
          case 'u':
            g_string_append_printf (out, "%u", va_arg (values, guint));
            break;
          case 'i':
            g_string_append_printf (out, "%" G_GINT64_FORMAT, va_arg (values, gint64));
            break;
          case 'n':
            add_double (out, va_arg (values, double));
            break;
          case 'b':
            g_string_append (out, va_arg (values, gboolean) ? "true" : "false");
            break;
          default:
            g_assert_not_reached ();
          }
    }
  va_end (values);
}

/**
 * tacho_sim_json_comma:
 * @out: JSON so far; gets a comma unless an array or object has just been opened
 */
void
tacho_sim_json_comma (GString *out)
{
  if (out->len > 0 && out->str[out->len - 1] != '[' && out->str[out->len - 1] != '{')
    g_string_append_c (out, ',');
}
