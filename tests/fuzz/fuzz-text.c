/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes out is valid UTF-8 without controls, the same in pieces as whole, and stays the same.
 */
#include "tacho-fuzz.h"

#include "base/tacho-text.h"

static void
check_safe (const char *text)
{
  TACHO_FUZZ_CHECK (g_utf8_validate (text, -1, NULL));
  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar c = g_utf8_get_char (text);

      TACHO_FUZZ_CHECK (c == '\n' || c == '\t' || !g_unichar_iscntrl (c));
      TACHO_FUZZ_CHECK (!(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069));
      TACHO_FUZZ_CHECK (!(c >= 0xe0000 && c <= 0xe007f));
    }
}

static void
check_line (const char *text, gsize length, gsize max)
{
  g_autofree char *line = tacho_text_sanitize_line (text, (gssize) length, max);

  check_safe (line);
  TACHO_FUZZ_CHECK (strpbrk (line, "\n\t\r") == NULL);
  if (max > 0)
    TACHO_FUZZ_CHECK ((gsize) g_utf8_strlen (line, -1) <= max + 1);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (TachoTextFilter) filter = tacho_text_filter_new ();
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *text = NULL;
  g_autofree char *whole = NULL;
  g_autofree char *again = NULL;
  uint8_t how;

  if (size < 1)
    return 0;
  how = *data++;
  size--;
  text = g_memdup2 (data, size);
  whole = tacho_text_sanitize (text, (gssize) size);
  check_safe (whole);
  for (gsize at = 0, n; at < size; at += n)
    {
      g_autofree char *piece = NULL;

      n = tacho_fuzz_piece (how, at, size);
      piece = g_memdup2 (data + at, n);
      tacho_text_filter_push (filter, piece, n, out);
    }
  tacho_text_filter_finish (filter, out);
  TACHO_FUZZ_CHECK (g_str_equal (out->str, whole));
  again = tacho_text_sanitize (whole, -1);
  TACHO_FUZZ_CHECK (g_str_equal (again, whole));
  check_line (text, size, 0);
  check_line (text, size, how);
  return 0;
}
