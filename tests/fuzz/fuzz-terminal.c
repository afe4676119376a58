/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may reach a terminal or a widget, judged by its bytes: no C0 but \n and \t, no DEL, no C1,
 * no ESC, nothing that reorders or hides text, however the input is cut. */
#include "tacho-fuzz.h"

#include "base/tacho-text.h"

static gboolean
reorders_or_hides (gunichar c)
{
  return c == 0x061c || c == 0x200b || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
         (c >= 0xe0000 && c <= 0xe0fff);
}

static void
check_terminal (const char *text, gsize length)
{
  const char *end = text + length;

  TACHO_FUZZ_CHECK (g_utf8_validate (text, (gssize) length, NULL));
  for (const guchar *p = (const guchar *) text; p < (const guchar *) end; p++)
    {
      TACHO_FUZZ_CHECK (*p >= 0x20 || *p == '\n' || *p == '\t');
      TACHO_FUZZ_CHECK (*p != 0x7f);
      TACHO_FUZZ_CHECK (*p != 0xc2 || p[1] >= 0xa0);
    }
  for (const char *p = text; p < end; p = g_utf8_next_char (p))
    TACHO_FUZZ_CHECK (!reorders_or_hides (g_utf8_get_char (p)));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (TachoTextFilter) filter = tacho_text_filter_new ();
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *markup = NULL;
  g_autofree char *line = NULL;
  g_autofree char *text = NULL;
  uint8_t how;

  if (size < 1)
    return 0;
  how = *data++;
  size--;
  for (gsize at = 0, n; at < size; at += n)
    {
      g_autofree char *piece = NULL;

      n = tacho_fuzz_piece (how, at, size);
      piece = g_memdup2 (data + at, n);
      tacho_text_filter_push (filter, piece, n, out);
      /* A terminal is written to after each piece, so each beginning must be safe as it is. */
      check_terminal (out->str, out->len);
    }
  tacho_text_filter_finish (filter, out);
  check_terminal (out->str, out->len);
  text = g_strndup ((const char *) data, size);
  line = tacho_text_sanitize_line (text, -1, how);
  check_terminal (line, strlen (line));
  TACHO_FUZZ_CHECK (strpbrk (line, "\n\t") == NULL);
  markup = tacho_text_escape_markup (text, how);
  check_terminal (markup, strlen (markup));
  TACHO_FUZZ_CHECK (strpbrk (markup, "<>") == NULL);
  return 0;
}
