/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A request as libsoup wants it, and the head of what libsoup got. */
#define G_LOG_DOMAIN "tacho"

#include "net/tacho-http-client-private.h"

#include "base/tacho-error.h"
#include "base/tacho-url.h"

/**
 * tacho_http_message_new:
 * @client: whose base URL, headers and key are used
 * @request: what to send
 * @error: return location
 *
 * Returns: (transfer full): the message; or %NULL with %TACHO_ERROR_INVALID if the path makes no
 *   URL or a header may not go on the wire
 */
SoupMessage *
tacho_http_message_new (TachoHttpClient *client, const TachoHttpRequest *request, GError **error)
{
  g_autofree char *url = tacho_url_join (client->base_url, request->path);
  g_autoptr (GUri) uri = url != NULL ? g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL) : NULL;
  SoupMessageHeaders *headers;
  SoupMessage *message;

  if (uri == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "“%.80s” is no path for a request",
                   request->path);
      return NULL;
    }
  message = soup_message_new_from_uri (request->method, uri);
  /* IDEMPOTENT lets a POST use an open connection. libsoup resends only what is idempotent by its
   * method, so a generation is never sent twice. */
  soup_message_set_flags (message, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_IDEMPOTENT |
                                       SOUP_MESSAGE_COLLECT_METRICS);
  tacho_http_trust_connect (client, message);
  if (request->body != NULL)
    soup_message_set_request_body_from_bytes (message, NULL, request->body);
  headers = soup_message_get_request_headers (message);
  soup_message_headers_replace (headers, "Accept-Encoding", "identity");
  for (guint i = 0; i < client->headers->len; i++)
    {
      const TachoHeader *header = g_ptr_array_index (client->headers, i);

      soup_message_headers_append (headers, header->name, header->value);
    }
  for (guint i = 0; request->headers != NULL && i < request->headers->len; i++)
    {
      const TachoHeader *header = g_ptr_array_index (request->headers, i);

      if (!tacho_header_check (header->name, header->value, NULL))
        {
          g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                               "A header of this request holds a character that no HTTP header "
                               "may hold: nothing was sent");
          g_object_unref (message);
          return NULL;
        }
      soup_message_headers_replace (headers, header->name, header->value);
    }
  if (client->authorization != NULL)
    soup_message_headers_replace (headers, "Authorization", client->authorization);
  return message;
}

/**
 * tacho_http_message_get_reply:
 * @message: a message whose head has come
 *
 * Returns: (transfer full): its status and headers as valid UTF-8, with an empty body
 */
TachoHttpReply *
tacho_http_message_get_reply (SoupMessage *message)
{
  TachoHttpReply *reply;
  SoupMessageHeadersIter iter;
  const char *name;
  const char *value;
  g_autoptr (GBytes) none = g_bytes_new_static ("", 0);

  reply = tacho_http_reply_new (soup_message_get_status (message), none);
  soup_message_headers_iter_init (&iter, soup_message_get_response_headers (message));
  while (soup_message_headers_iter_next (&iter, &name, &value))
    {
      g_autofree char *valid_name = g_utf8_make_valid (name, -1);
      g_autofree char *valid_value = g_utf8_make_valid (value, -1);

      tacho_http_reply_add_header (reply, valid_name, valid_value);
    }
  return reply;
}
