/* SPDX-License-Identifier: GPL-3.0-or-later */
/* However a stream is cut, the same events come out; limits hold. */
#include "tacho-fuzz.h"

#include "stream/tacho-sse.h"

#define MAX_LINE 200
#define MAX_EVENT 300

static void
collect_cb (const TachoSseEvent *event, gpointer user_data)
{
  GString *out = user_data;

  TACHO_FUZZ_CHECK (event->data[event->length] == '\0');
  TACHO_FUZZ_CHECK (event->length <= MAX_EVENT);
  TACHO_FUZZ_CHECK (*event->type != '\0');
  g_string_append_printf (out, "%s|%s|", event->type, event->id);
  g_string_append_len (out, event->data, (gssize) event->length);
  g_string_append_c (out, '\x1e');
}

static gboolean
run (TachoSseParser *parser, const uint8_t *data, size_t size, uint8_t how, GString *out)
{
  gboolean fine = TRUE;
  g_autofree char *rest = NULL;

  for (gsize at = 0, n; at < size && fine; at += n)
    {
      g_autofree char *piece = NULL;
      g_autoptr (GError) error = NULL;

      n = tacho_fuzz_piece (how, at, size);
      piece = g_memdup2 (data + at, n);
      fine = tacho_sse_parser_feed (parser, piece, n, collect_cb, out, &error);
      TACHO_FUZZ_CHECK (fine == (error == NULL));
    }
  if (!fine)
    {
      gsize length = out->len;

      TACHO_FUZZ_CHECK (!tacho_sse_parser_feed (parser, "\n\n", 2, collect_cb, out, NULL));
      TACHO_FUZZ_CHECK (out->len == length);
    }
  g_string_append_printf (out, "%d %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " ", fine,
                          tacho_sse_parser_get_n_comments (parser),
                          tacho_sse_parser_get_retry_ms (parser));
  rest = tacho_sse_parser_take_rest (parser);
  g_string_append (out, rest != NULL ? rest : "(none)");
  return fine;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (TachoSseParser) parser = tacho_sse_parser_new ();
  g_autoptr (GString) whole = g_string_new (NULL);
  g_autoptr (GString) pieces = g_string_new (NULL);
  g_autoptr (GString) bytes = g_string_new (NULL);

  if (size < 1)
    return 0;
  tacho_sse_parser_set_limits (parser, MAX_LINE, MAX_EVENT);
  run (parser, data + 1, size - 1, 0, whole);
  tacho_sse_parser_reset (parser);
  run (parser, data + 1, size - 1, data[0], pieces);
  tacho_sse_parser_reset (parser);
  run (parser, data + 1, size - 1, 1, bytes);
  TACHO_FUZZ_CHECK (g_string_equal (whole, pieces));
  TACHO_FUZZ_CHECK (g_string_equal (whole, bytes));
  return 0;
}
