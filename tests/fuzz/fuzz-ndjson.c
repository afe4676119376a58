/* SPDX-License-Identifier: GPL-3.0-or-later */
/* However a stream is cut, the same lines come out; no line is blank, over the limit or broken. */
#include "tacho-fuzz.h"

#include "stream/tacho-ndjson.h"

#define MAX_LINE 200

static void
collect_cb (const char *line, gsize length, gpointer user_data)
{
  GString *out = user_data;

  TACHO_FUZZ_CHECK (length > 0 && length <= MAX_LINE);
  TACHO_FUZZ_CHECK (memchr (line, '\n', length) == NULL);
  g_string_append_len (out, line, (gssize) length);
  g_string_append_c (out, '\n');
}

static void
run (TachoNdjsonParser *parser, const uint8_t *data, size_t size, uint8_t how, GString *out)
{
  gboolean fine = TRUE;

  for (gsize at = 0, n; at < size && fine; at += n)
    {
      g_autofree char *piece = NULL;
      g_autoptr (GError) error = NULL;

      n = tacho_fuzz_piece (how, at, size);
      piece = g_memdup2 (data + at, n);
      fine = tacho_ndjson_parser_feed (parser, piece, n, collect_cb, out, &error);
      TACHO_FUZZ_CHECK (fine == (error == NULL));
    }
  if (!fine)
    TACHO_FUZZ_CHECK (!tacho_ndjson_parser_feed (parser, "\n", 1, collect_cb, out, NULL));
  g_string_append_printf (out, "%d", tacho_ndjson_parser_finish (parser, collect_cb, out));
  tacho_ndjson_parser_reset (parser);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (TachoNdjsonParser) parser = tacho_ndjson_parser_new ();
  g_autoptr (GString) whole = g_string_new (NULL);
  g_autoptr (GString) pieces = g_string_new (NULL);

  if (size < 1)
    return 0;
  tacho_ndjson_parser_set_limit (parser, MAX_LINE);
  run (parser, data + 1, size - 1, 0, whole);
  run (parser, data + 1, size - 1, data[0], pieces);
  TACHO_FUZZ_CHECK (g_string_equal (whole, pieces));
  return 0;
}
