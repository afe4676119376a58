/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A bare socket against a simulated server: what is on the wire, and nothing else. */
#pragma once

#include <gio/gio.h>
#include <string.h>

#include "sim/tacho-sim-server.h"

static inline GSocketConnection *
sim_connect (TachoSimServer *server, guint front, GError **error)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  const char *address = strstr (tacho_sim_server_get_front_url (server, front), "//") + 2;

  g_socket_client_set_timeout (client, 20);
  return g_socket_client_connect_to_host (client, address, 80, NULL, error);
}

static inline gboolean
sim_send (GSocketConnection *connection,
          const char *method,
          const char *path,
          const char *headers,
          const char *body)
{
  g_autofree char *text = g_strdup_printf (
      "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n%s",
      method, path, headers != NULL ? headers : "", body != NULL ? strlen (body) : 0,
      body != NULL ? body : "");

  return g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), text,
                                    strlen (text), NULL, NULL, NULL);
}

/* To the end of the connection, or until the text was read. */
static inline char *
sim_read (GSocketConnection *connection, const char *until)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GString *all = g_string_new (NULL);

  while (until == NULL || strstr (all->str, until) == NULL)
    {
      g_autoptr (GError) error = NULL;
      char buffer[4096];
      gssize n = g_input_stream_read (input, buffer, sizeof buffer, NULL, &error);

      g_assert_false (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT));
      if (n <= 0)
        break;
      g_string_append_len (all, buffer, n);
    }
  return g_string_free (all, FALSE);
}

static inline char *
sim_ask (TachoSimServer *server,
         const char *method,
         const char *path,
         const char *headers,
         const char *body)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) connection = sim_connect (server, 0, &error);

  g_assert_no_error (error);
  sim_send (connection, method, path, headers, body);
  return sim_read (connection, NULL);
}

static inline guint
sim_status (const char *reply)
{
  return g_str_has_prefix (reply, "HTTP/1.1 ")
             ? (guint) g_ascii_strtoull (reply + strlen ("HTTP/1.1 "), NULL, 10)
             : 0;
}
