/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests and replies as plain values. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-http-message.h"

#include <string.h>

static void
header_free (gpointer data)
{
  TachoHeader *header = data;

  g_free (header->name);
  g_free (header->value);
  g_free (header);
}

/**
 * tacho_headers_new:
 *
 * Returns: (transfer full): an empty array of #TachoHeader that frees its elements
 */
GPtrArray *
tacho_headers_new (void)
{
  return g_ptr_array_new_with_free_func (header_free);
}

/**
 * tacho_headers_add:
 * @headers: an array from tacho_headers_new()
 * @name: the field's name
 * @value: its value
 *
 * Appends a copy of one field; a name may stand more than once.
 */
void
tacho_headers_add (GPtrArray *headers, const char *name, const char *value)
{
  TachoHeader *header;

  g_return_if_fail (headers != NULL);
  g_return_if_fail (name != NULL && value != NULL);

  header = g_new (TachoHeader, 1);
  header->name = g_strdup (name);
  header->value = g_strdup (value);
  g_ptr_array_add (headers, header);
}

/**
 * tacho_http_request_new:
 * @method: "GET", "POST", …
 * @path: path below the base URL, beginning with "/", with its query if any
 *
 * Returns: (transfer full): a request without a body
 */
TachoHttpRequest *
tacho_http_request_new (const char *method, const char *path)
{
  TachoHttpRequest *request;

  g_return_val_if_fail (method != NULL, NULL);
  g_return_val_if_fail (path != NULL && path[0] == '/', NULL);

  request = g_new0 (TachoHttpRequest, 1);
  request->method = g_strdup (method);
  request->path = g_strdup (path);
  request->headers = tacho_headers_new ();
  return request;
}

/**
 * tacho_http_request_set_json:
 * @request: a request
 * @json: (transfer full): the text of the body
 *
 * Sets the body and its Content-Type.
 */
void
tacho_http_request_set_json (TachoHttpRequest *request, char *json)
{
  g_return_if_fail (request != NULL);
  g_return_if_fail (json != NULL);

  g_clear_pointer (&request->body, g_bytes_unref);
  request->body = g_bytes_new_take (json, strlen (json));
  tacho_http_request_add_header (request, "Content-Type", "application/json");
}

/**
 * tacho_http_request_add_header:
 * @request: a request
 * @name: the field's name
 * @value: its value
 *
 * Appends one header field.
 */
void
tacho_http_request_add_header (TachoHttpRequest *request, const char *name, const char *value)
{
  g_return_if_fail (request != NULL);

  tacho_headers_add (request->headers, name, value);
}

/**
 * tacho_http_request_free:
 * @request: (nullable) (transfer full): a request
 */
void
tacho_http_request_free (TachoHttpRequest *request)
{
  if (request == NULL)
    return;
  g_free (request->method);
  g_free (request->path);
  g_ptr_array_unref (request->headers);
  g_clear_pointer (&request->body, g_bytes_unref);
  g_free (request);
}

/**
 * tacho_http_reply_new:
 * @status: the HTTP status
 * @body: (nullable) (transfer none): the body; %NULL stands for an empty one
 *
 * Returns: (transfer full): a reply without header fields
 */
TachoHttpReply *
tacho_http_reply_new (guint status, GBytes *body)
{
  TachoHttpReply *reply = g_new0 (TachoHttpReply, 1);

  reply->status = status;
  reply->headers = tacho_headers_new ();
  reply->body = body != NULL ? g_bytes_ref (body) : g_bytes_new_static ("", 0);
  return reply;
}

/**
 * tacho_http_reply_add_header:
 * @reply: a reply
 * @name: the field's name
 * @value: its value
 *
 * Appends one header field.
 */
void
tacho_http_reply_add_header (TachoHttpReply *reply, const char *name, const char *value)
{
  g_return_if_fail (reply != NULL);

  tacho_headers_add (reply->headers, name, value);
}

/**
 * tacho_http_reply_get_header:
 * @reply: a reply
 * @name: the field's name, in any case
 *
 * Returns: (nullable) (transfer none): the first value of that name
 */
const char *
tacho_http_reply_get_header (const TachoHttpReply *reply, const char *name)
{
  g_return_val_if_fail (reply != NULL, NULL);
  g_return_val_if_fail (name != NULL, NULL);

  for (guint i = 0; i < reply->headers->len; i++)
    {
      const TachoHeader *header = g_ptr_array_index (reply->headers, i);

      if (g_ascii_strcasecmp (header->name, name) == 0)
        return header->value;
    }
  return NULL;
}

/**
 * tacho_http_reply_free:
 * @reply: (nullable) (transfer full): a reply
 */
void
tacho_http_reply_free (TachoHttpReply *reply)
{
  if (reply == NULL)
    return;
  g_ptr_array_unref (reply->headers);
  g_bytes_unref (reply->body);
  g_free (reply);
}
