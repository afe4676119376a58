/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Length-prefixed messages as gRPC puts them on the wire: a byte that says whether the message is
 * compressed, its length in 4 bytes, most significant first, and the message.
 * Source: grpc/grpc doc/PROTOCOL-HTTP2.md, "Length-Prefixed-Message". */
#define G_LOG_DOMAIN "tacho-stream"

#include "stream/tacho-grpc-frame.h"

struct _TachoGrpcFrameParser
{
  guint8 header[TACHO_GRPC_FRAME_HEADER];
  guint header_length;
  guint32 expected;
  GByteArray *message;
  GError *error;
};

/**
 * tacho_grpc_frame_parser_new:
 *
 * Returns: (transfer full): a parser that refuses compressed messages and those longer than
 *   %TACHO_STREAM_MAX_EVENT bytes
 */
TachoGrpcFrameParser *
tacho_grpc_frame_parser_new (void)
{
  TachoGrpcFrameParser *parser = g_new0 (TachoGrpcFrameParser, 1);

  parser->message = g_byte_array_new ();
  return parser;
}

/**
 * tacho_grpc_frame_parser_free:
 * @parser: (nullable) (transfer full): a parser
 */
void
tacho_grpc_frame_parser_free (TachoGrpcFrameParser *parser)
{
  if (parser == NULL)
    return;
  g_byte_array_unref (parser->message);
  g_clear_error (&parser->error);
  g_free (parser);
}

/**
 * tacho_grpc_frame_parser_reset:
 * @parser: a parser
 *
 * Makes it ready for the next reply; its buffer is kept.
 */
void
tacho_grpc_frame_parser_reset (TachoGrpcFrameParser *parser)
{
  g_return_if_fail (parser != NULL);

  parser->header_length = 0;
  g_byte_array_set_size (parser->message, 0);
  g_clear_error (&parser->error);
}

static gboolean
read_header (TachoGrpcFrameParser *parser)
{
  const guint8 *h = parser->header;

  parser->expected =
      (guint32) h[1] << 24 | (guint32) h[2] << 16 | (guint32) h[3] << 8 | (guint32) h[4];
  if (h[0] != 0)
    g_set_error_literal (&parser->error, TACHO_STREAM_ERROR, TACHO_STREAM_ERROR_EVENT_TOO_LONG,
                         "a message is compressed, which was not offered");
  else if (parser->expected > TACHO_STREAM_MAX_EVENT)
    g_set_error (&parser->error, TACHO_STREAM_ERROR, TACHO_STREAM_ERROR_EVENT_TOO_LONG,
                 "a message of %u bytes is longer than the %u MiB that are taken", parser->expected,
                 (guint) (TACHO_STREAM_MAX_EVENT / 1024 / 1024));
  return parser->error == NULL;
}

/**
 * tacho_grpc_frame_parser_feed:
 * @parser: a parser
 * @data: the next bytes
 * @length: how many
 * @func: (scope call): called for each whole message
 * @user_data: passed to @func
 * @error: return location
 *
 * Returns: whether all is well; once it is not, all further input is refused with the same error
 */
gboolean
tacho_grpc_frame_parser_feed (TachoGrpcFrameParser *parser,
                              const char *data,
                              gsize length,
                              TachoGrpcFrameFunc func,
                              gpointer user_data,
                              GError **error)
{
  const char *end = data + length;

  g_return_val_if_fail (parser != NULL && func != NULL, FALSE);
  g_return_val_if_fail (data != NULL || length == 0, FALSE);

  while (parser->error == NULL && data < end)
    {
      gsize wanted;

      if (parser->header_length < TACHO_GRPC_FRAME_HEADER)
        {
          parser->header[parser->header_length++] = (guint8) *data++;
          if (parser->header_length < TACHO_GRPC_FRAME_HEADER || !read_header (parser))
            continue;
        }
      wanted = MIN (parser->expected - parser->message->len, (gsize) (end - data));
      g_byte_array_append (parser->message, (const guint8 *) data, (guint) wanted);
      data += wanted;
      if (parser->message->len == parser->expected)
        {
          func ((const char *) parser->message->data, parser->message->len, user_data);
          parser->header_length = 0;
          g_byte_array_set_size (parser->message, 0);
        }
    }
  if (parser->error == NULL)
    return TRUE;
  if (error != NULL)
    *error = g_error_copy (parser->error);
  return FALSE;
}

/**
 * tacho_grpc_frame_parser_is_between:
 * @parser: a parser
 *
 * Returns: whether the input so far ends with a whole message, or is empty
 */
gboolean
tacho_grpc_frame_parser_is_between (TachoGrpcFrameParser *parser)
{
  g_return_val_if_fail (parser != NULL, FALSE);

  return parser->header_length == 0 && parser->error == NULL;
}

/**
 * tacho_grpc_frame_write_header:
 * @header: (out caller-allocates) (array fixed-size=5): what stands before the message
 * @length: bytes of the message
 */
void
tacho_grpc_frame_write_header (guint8 header[TACHO_GRPC_FRAME_HEADER], guint32 length)
{
  header[0] = 0;
  header[1] = (guint8) (length >> 24);
  header[2] = (guint8) (length >> 16);
  header[3] = (guint8) (length >> 8);
  header[4] = (guint8) length;
}
