/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metadata: headers in, headers out. */
#define G_LOG_DOMAIN "tacho-net"

#include "net/tacho-grpc-client-private.h"

#include "base/tacho-error.h"
#include "base/tacho-url.h"

#include <string.h>

/**
 * tacho_grpc_metadata_check:
 * @name: a name, in lower case
 * @value: its value
 * @error: return location
 *
 * Whether this may be sent as metadata: what a header may be, and nothing that belongs to gRPC
 * itself ([PROTOCOL-HTTP2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md)).
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID, which never quotes the value
 */
gboolean
tacho_grpc_metadata_check (const char *name, const char *value, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (!tacho_header_check (name, value, &reason))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "A header cannot be sent: %s",
                   reason->message);
      return FALSE;
    }
  if (g_str_has_suffix (name, "-bin"))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "The header %s cannot be sent: names that end in -bin hold binary values, which "
                   "a profile cannot hold",
                   name);
      return FALSE;
    }
  if (g_str_has_prefix (name, "grpc-") || g_str_equal (name, "content-type") ||
      g_str_equal (name, "user-agent"))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "The header %s cannot be sent over gRPC: it is set by the protocol itself",
                   name);
      return FALSE;
    }
  for (const char *p = name; *p != '\0'; p++)
    if (!g_ascii_islower (*p) && !g_ascii_isdigit (*p) && strchr ("-_.", *p) == NULL)
      {
        g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                     "The header %s cannot be sent over gRPC: a name is letters, digits, hyphens, "
                     "underscores and dots",
                     name);
        return FALSE;
      }
  for (const char *p = value; *p != '\0'; p++)
    if (*p < ' ' || *p > '~')
      {
        g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                     "The value of the header %s holds a character that gRPC cannot send: only "
                     "printable ASCII",
                     name);
        return FALSE;
      }
  return TRUE;
}

static void
add (GArray *metadata, const char *name, const char *value)
{
  grpc_metadata element = { .key = grpc_slice_from_copied_string (name),
                            .value = grpc_slice_from_copied_string (value) };

  g_array_append_val (metadata, element);
}

static void
clear_element (gpointer data)
{
  grpc_metadata *element = data;

  grpc_slice_unref (element->key);
  grpc_slice_unref (element->value);
}

/**
 * tacho_grpc_metadata_build:
 * @client: whose key and headers
 * @request: whose headers
 * @error: return location
 *
 * Returns: (transfer full): the metadata of a call, or %NULL with %TACHO_ERROR_INVALID
 */
GArray *
tacho_grpc_metadata_build (TachoGrpcClient *client, const TachoHttpRequest *request, GError **error)
{
  g_autoptr (GArray) metadata = g_array_new (FALSE, TRUE, sizeof (grpc_metadata));

  g_array_set_clear_func (metadata, clear_element);
  if (client->authorization != NULL)
    add (metadata, "authorization", client->authorization);
  for (guint i = 0; i < client->headers->len; i++)
    {
      const TachoHeader *header = g_ptr_array_index (client->headers, i);

      add (metadata, header->name, header->value);
    }
  for (guint i = 0; request->headers != NULL && i < request->headers->len; i++)
    {
      const TachoHeader *header = g_ptr_array_index (request->headers, i);
      g_autofree char *name = g_ascii_strdown (header->name, -1);

      if (!tacho_grpc_metadata_check (name, header->value, error))
        return NULL;
      add (metadata, name, header->value);
    }
  return g_steal_pointer (&metadata);
}

/**
 * tacho_grpc_metadata_read:
 * @metadata: what the server sent
 * @reply: gets it as headers; binary values in base64, as they are on the wire
 */
void
tacho_grpc_metadata_read (const grpc_metadata_array *metadata, TachoHttpReply *reply)
{
  for (size_t i = 0; i < metadata->count; i++)
    {
      const grpc_metadata *element = &metadata->metadata[i];
      const char *key = (const char *) GRPC_SLICE_START_PTR (element->key);
      const guint8 *data = GRPC_SLICE_START_PTR (element->value);
      gsize length = GRPC_SLICE_LENGTH (element->value);
      g_autofree char *name = g_utf8_make_valid (key, (gssize) GRPC_SLICE_LENGTH (element->key));
      g_autofree char *value = g_str_has_suffix (name, "-bin")
                                   ? g_base64_encode (data, length)
                                   : g_utf8_make_valid ((const char *) data, (gssize) length);

      tacho_http_reply_add_header (reply, name, value);
    }
}
