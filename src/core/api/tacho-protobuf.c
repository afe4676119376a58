/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages of gRPC protocols to bytes and back, within limits. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-protobuf.h"

#include "base/tacho-error.h"

/* Two bytes on the wire can ask for a hundred in memory, so memory has its own limit. */
#define MAX_MEMORY ((gsize) 128 * 1024 * 1024)

static void *
budget_alloc (void *data, size_t size)
{
  gsize *left = data;

  if (size > *left)
    return NULL;
  *left -= size;
  return g_try_malloc (MAX (size, 1));
}

static void
budget_free (void *data, void *memory)
{
  g_free (memory);
}

/**
 * tacho_protobuf_pack:
 * @message: (nullable): a message
 *
 * Returns: (transfer full): its bytes
 */
GBytes *
tacho_protobuf_pack (const ProtobufCMessage *message)
{
  gsize length = message != NULL ? protobuf_c_message_get_packed_size (message) : 0;
  guint8 *bytes = g_malloc (MAX (length, 1));

  if (message != NULL)
    protobuf_c_message_pack (message, bytes);
  return g_bytes_new_take (bytes, length);
}

/**
 * tacho_protobuf_unpack:
 * @descriptor: what message is expected
 * @data: (array length=length) (nullable): its bytes
 * @length: how many
 * @error: return location
 *
 * Returns: (transfer full): the message, for tacho_protobuf_free(); or %NULL with
 *   %TACHO_ERROR_PROTOCOL
 */
gpointer
tacho_protobuf_unpack (const ProtobufCMessageDescriptor *descriptor,
                       gconstpointer data,
                       gsize length,
                       GError **error)
{
  gsize left = MAX_MEMORY;
  ProtobufCAllocator allocator = { budget_alloc, budget_free, &left };
  ProtobufCMessage *message;

  g_return_val_if_fail (descriptor != NULL, NULL);

  message = protobuf_c_message_unpack (descriptor, &allocator, length,
                                       data != NULL ? data : (gconstpointer) "");
  if (message == NULL)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                 "The server's reply of %" G_GSIZE_FORMAT " bytes is not a %s", length,
                 descriptor->name);
  return message;
}

/**
 * tacho_protobuf_free:
 * @message: (nullable) (transfer full): an unpacked message
 */
void
tacho_protobuf_free (gpointer message)
{
  gsize left = 0;
  ProtobufCAllocator allocator = { budget_alloc, budget_free, &left };

  if (message != NULL)
    protobuf_c_message_free_unpacked (message, &allocator);
}
