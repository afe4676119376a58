/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gRPC's length-prefixed messages: the same whole, in pieces and byte by byte; what was written is
 * what is read. The first byte says where to cut. */
#include "tacho-fuzz.h"

#include "stream/tacho-grpc-frame.h"

static void
collect_cb (const char *message, gsize length, gpointer user_data)
{
  GString *out = user_data;
  guint8 header[TACHO_GRPC_FRAME_HEADER];

  tacho_grpc_frame_write_header (header, (guint32) length);
  g_string_append_len (out, (const char *) header, sizeof header);
  g_string_append_len (out, message, (gssize) length);
}

static gboolean
run (TachoGrpcFrameParser *parser, const uint8_t *data, size_t size, uint8_t how, GString *out)
{
  gboolean fine = TRUE;

  tacho_grpc_frame_parser_reset (parser);
  g_string_truncate (out, 0);
  for (gsize at = 0, n; at < size && fine; at += n)
    {
      g_autofree char *piece = NULL;
      g_autoptr (GError) error = NULL;

      n = tacho_fuzz_piece (how, at, size);
      piece = g_memdup2 (data + at, n);
      fine = tacho_grpc_frame_parser_feed (parser, piece, n, collect_cb, out, &error);
      TACHO_FUZZ_CHECK (fine == (error == NULL));
    }
  if (!fine)
    {
      gsize length = out->len;

      TACHO_FUZZ_CHECK (
          !tacho_grpc_frame_parser_feed (parser, "\0\0\0\0\0", 5, collect_cb, out, NULL));
      TACHO_FUZZ_CHECK (out->len == length);
    }
  return fine;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autoptr (TachoGrpcFrameParser) parser = tacho_grpc_frame_parser_new ();
  g_autoptr (GString) whole = g_string_new (NULL);
  g_autoptr (GString) pieces = g_string_new (NULL);
  gboolean fine, between;

  if (size < 1)
    return 0;
  fine = run (parser, data + 1, size - 1, 0, whole);
  between = tacho_grpc_frame_parser_is_between (parser);
  /* All that came out is the beginning of all that went in, and all of it between messages. */
  TACHO_FUZZ_CHECK (whole->len <= size - 1 && memcmp (whole->str, data + 1, whole->len) == 0);
  TACHO_FUZZ_CHECK (!fine || between == (whole->len == size - 1));
  TACHO_FUZZ_CHECK (run (parser, data + 1, size - 1, data[0], pieces) == fine);
  TACHO_FUZZ_CHECK (g_string_equal (whole, pieces));
  TACHO_FUZZ_CHECK (run (parser, data + 1, size - 1, 1, pieces) == fine);
  TACHO_FUZZ_CHECK (g_string_equal (whole, pieces));
  TACHO_FUZZ_CHECK (tacho_grpc_frame_parser_is_between (parser) == between);
  return 0;
}
