/* SPDX-License-Identifier: GPL-3.0-or-later */
/* aiohttp_client.py, which prints a line of JSON when it is done. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-receivers.h"

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <string.h>

static void
read_stamps (JsonObject *root, TachoReceivedStamps *stamps)
{
  JsonObject *replies = json_object_get_object_member (root, "replies");
  g_autoptr (GList) ids = json_object_get_members (replies);

  for (GList *item = ids; item != NULL; item = item->next)
    {
      const char *id = item->data;
      JsonArray *values = json_object_get_array_member (replies, id);
      guint request = tacho_sender_request_of_id (id, strlen (id));

      for (guint k = 0; k < json_array_get_length (values); k++)
        tacho_received_stamps_add (stamps, request, json_array_get_int_element (values, k));
    }
  stamps->own_reads = (guint64) json_object_get_int_member (root, "own_reads");
}

/**
 * tacho_receive_aiohttp:
 * @port: of the sender
 * @log: its log; the Python process becomes its receiver
 * @stamps: what was received
 * @whole_cpu_s: (out): CPU of the client from before it connected
 *
 * Receives every stream to its end.
 *
 * Returns: whether there is an aiohttp to do so
 */
gboolean
tacho_receive_aiohttp (guint16 port,
                       TachoSenderLog *log,
                       TachoReceivedStamps *stamps,
                       double *whole_cpu_s)
{
  g_autofree char *address = g_strdup_printf ("%u", port);
  g_autofree char *streams = g_strdup_printf ("%u", log->plan.streams);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) python = NULL;
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autofree char *output = NULL;

  python = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "/usr/bin/python3",
                             TACHO_BENCH_DIR "/aiohttp_client.py", address, streams, NULL);
  if (python == NULL)
    {
      g_printerr ("aiohttp is left out: %s\n", error->message);
      return FALSE;
    }
  log->receiver = (pid_t) g_ascii_strtoll (g_subprocess_get_identifier (python), NULL, 10);
  if (!g_subprocess_communicate_utf8 (python, NULL, NULL, &output, NULL, &error) ||
      !g_subprocess_get_successful (python) ||
      !json_parser_load_from_data (parser, output, -1, &error))
    {
      g_printerr ("aiohttp is left out: %s\n",
                  error != NULL ? error->message : "is python3-aiohttp installed?");
      return FALSE;
    }
  *whole_cpu_s =
      json_object_get_double_member (json_node_get_object (json_parser_get_root (parser)), "cpu_s");
  read_stamps (json_node_get_object (json_parser_get_root (parser)), stamps);
  return TRUE;
}
