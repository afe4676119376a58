/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An encoder of its own, so that the codecs under test are not judged by themselves. */
#pragma once

#include <string.h>

#include "api/tacho-http-message.h"

static inline void
pb_varint (GByteArray *out, guint64 value)
{
  guint8 byte;

  do
    {
      byte = (guint8) ((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
      g_byte_array_append (out, &byte, 1);
      value >>= 7;
    }
  while (value > 0);
}

static inline void
pb_int (GByteArray *out, guint field, guint64 value)
{
  pb_varint (out, field << 3);
  pb_varint (out, value);
}

static inline void
pb_bytes (GByteArray *out, guint field, gconstpointer data, gsize length)
{
  pb_varint (out, field << 3 | 2);
  pb_varint (out, length);
  g_byte_array_append (out, data, (guint) length);
}

static inline void
pb_text (GByteArray *out, guint field, const char *text)
{
  pb_bytes (out, field, text, strlen (text));
}

/* Takes the message. */
static inline void
pb_message (GByteArray *out, guint field, GByteArray *message)
{
  pb_bytes (out, field, message->data, message->len);
  g_byte_array_unref (message);
}

/* Takes the message. */
static inline void
pb_frame (GByteArray *out, GByteArray *message)
{
  guint8 header[5] = { 0, 0, (guint8) (message->len >> 16), (guint8) (message->len >> 8),
                       (guint8) message->len };

  g_byte_array_append (out, header, 5);
  g_byte_array_append (out, message->data, message->len);
  g_byte_array_unref (message);
}

/* Takes the message. */
static inline TachoHttpReply *
pb_reply (GByteArray *message)
{
  g_autoptr (GBytes) body = g_byte_array_free_to_bytes (message);

  return tacho_http_reply_new (200, body);
}

static inline TachoHttpReply *
pb_status (guint http, const char *status, const char *words)
{
  TachoHttpReply *reply = tacho_http_reply_new (http, NULL);

  tacho_http_reply_add_header (reply, "grpc-status", status);
  tacho_http_reply_add_header (reply, "grpc-message", words);
  return reply;
}
