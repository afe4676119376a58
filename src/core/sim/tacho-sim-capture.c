/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The capture of the simulated server. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-capture.h"

#include "api/tacho-http-message.h"
#include "base/tacho-error.h"
#include "base/tacho-url.h"
#include "sim/tacho-sim-text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct _TachoSimCapture
{
  GMutex lock;
  GQueue requests; /* of TachoSimRequest */
  FILE *file;
};

/**
 * tacho_sim_request_free:
 * @request: (nullable) (transfer full): a captured request
 */
void
tacho_sim_request_free (TachoSimRequest *request)
{
  if (request == NULL)
    return;
  g_free (request->method);
  g_free (request->path);
  g_clear_pointer (&request->headers, g_ptr_array_unref);
  g_free (request->body);
  g_free (request->fault);
  g_free (request);
}

static void
append_json (GString *json, const TachoSimRequest *request)
{
  g_string_append_printf (json, "{\"number\":%" G_GUINT64_FORMAT ",\"method\":", request->number);
  tacho_sim_json_quote (json, request->method);
  g_string_append (json, ",\"path\":");
  tacho_sim_json_quote (json, request->path);
  g_string_append (json, ",\"headers\":[");
  for (guint i = 0; i < request->headers->len; i++)
    {
      const TachoHeader *header = g_ptr_array_index (request->headers, i);

      g_string_append (json, i > 0 ? ",[" : "[");
      tacho_sim_json_quote (json, header->name);
      g_string_append_c (json, ',');
      tacho_sim_json_quote (json, header->value);
      g_string_append_c (json, ']');
    }
  g_string_append (json, "],\"body\":");
  tacho_sim_json_quote (json, request->body);
  g_string_append_printf (
      json,
      ",\"time_ns\":%" G_GINT64_FORMAT ",\"first_byte_ns\":%" G_GINT64_FORMAT
      ",\"last_byte_ns\":%" G_GINT64_FORMAT ",\"status\":%u,\"events\":%u,\"aborted\":%s,"
      "\"generation\":%" G_GUINT64_FORMAT ",\"fault\":",
      request->time_ns, request->first_byte_ns, request->last_byte_ns, request->status,
      request->n_events, request->aborted ? "true" : "false", request->generation);
  if (request->fault != NULL)
    tacho_sim_json_quote (json, request->fault);
  else
    g_string_append (json, "null");
  g_string_append_c (json, '}');
}

/**
 * tacho_sim_capture_new:
 * @path: (nullable): a file that gets one JSON object a line; made anew, readable by its owner only
 * @error: return location for a `TACHO_ERROR_IO`
 *
 * Returns: (transfer full) (nullable): an empty capture
 */
TachoSimCapture *
tacho_sim_capture_new (const char *path, GError **error)
{
  TachoSimCapture *capture;
  FILE *file = NULL;

  if (path != NULL)
    {
      int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

      file = fd >= 0 ? fdopen (fd, "w") : NULL;
      if (file == NULL)
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "Cannot write the capture file “%s”: %s",
                       path, g_strerror (errno));
          if (fd >= 0)
            close (fd);
          return NULL;
        }
    }
  capture = g_new0 (TachoSimCapture, 1);
  g_mutex_init (&capture->lock);
  g_queue_init (&capture->requests);
  capture->file = file;
  return capture;
}

/**
 * tacho_sim_capture_free:
 * @capture: (nullable) (transfer full): a capture
 */
void
tacho_sim_capture_free (TachoSimCapture *capture)
{
  if (capture == NULL)
    return;
  g_queue_clear_full (&capture->requests, (GDestroyNotify) tacho_sim_request_free);
  if (capture->file != NULL)
    fclose (capture->file);
  g_mutex_clear (&capture->lock);
  g_free (capture);
}

static void
hide_secrets (TachoSimRequest *request)
{
  for (guint i = 0; i < request->headers->len; i++)
    {
      TachoHeader *header = g_ptr_array_index (request->headers, i);

      if (tacho_header_is_secret (header->name))
        {
          g_free (header->value);
          header->value = g_strdup ("[redacted]");
        }
    }
}

/* Under the lock. */
static void
write_line (TachoSimCapture *capture, const TachoSimRequest *request)
{
  g_autoptr (GString) line = NULL;

  if (capture->file == NULL)
    return;
  line = g_string_new (NULL);
  append_json (line, request);
  g_string_append_c (line, '\n');
  fwrite (line->str, 1, line->len, capture->file);
  fflush (capture->file);
}

/* Under the lock. */
static void
push (TachoSimCapture *capture, TachoSimRequest *request)
{
  g_queue_push_tail (&capture->requests, request);
  if (g_queue_get_length (&capture->requests) > TACHO_SIM_CAPTURE_MAX_REQUESTS)
    tacho_sim_request_free (g_queue_pop_head (&capture->requests));
}

static TachoSimRequest *
request_copy (const TachoSimRequest *request)
{
  TachoSimRequest *copy = g_memdup2 (request, sizeof *request);

  copy->method = g_strdup (request->method);
  copy->path = g_strdup (request->path);
  copy->headers = tacho_headers_new ();
  for (guint i = 0; i < request->headers->len; i++)
    {
      const TachoHeader *header = g_ptr_array_index (request->headers, i);

      tacho_headers_add (copy->headers, header->name, header->value);
    }
  copy->body = g_strdup (request->body);
  copy->fault = g_strdup (request->fault);
  return copy;
}

/**
 * tacho_sim_capture_add:
 * @capture: a capture
 * @request: (transfer full): a request whose reply is over; its secrets are replaced here
 *
 * Only the last 10,000 requests are kept.
 */
void
tacho_sim_capture_add (TachoSimCapture *capture, TachoSimRequest *request)
{
  hide_secrets (request);
  g_mutex_lock (&capture->lock);
  write_line (capture, request);
  push (capture, request);
  g_mutex_unlock (&capture->lock);
}

/**
 * tacho_sim_capture_open:
 * @capture: a capture
 * @request: a request whose status is decided and whose reply follows; its secrets are replaced
 *   here, and a copy is kept
 *
 * It can be taken at once; the file gets its line by tacho_sim_capture_close().
 */
void
tacho_sim_capture_open (TachoSimCapture *capture, TachoSimRequest *request)
{
  hide_secrets (request);
  g_mutex_lock (&capture->lock);
  push (capture, request_copy (request));
  g_mutex_unlock (&capture->lock);
}

/**
 * tacho_sim_capture_close:
 * @capture: a capture
 * @request: the request of an earlier tacho_sim_capture_open(), complete
 *
 * Brings the copy up to date, if it was not taken meanwhile, and writes the line.
 */
void
tacho_sim_capture_close (TachoSimCapture *capture, const TachoSimRequest *request)
{
  g_mutex_lock (&capture->lock);
  for (GList *link = capture->requests.tail; link != NULL; link = link->prev)
    {
      TachoSimRequest *kept = link->data;

      if (kept->number != request->number)
        continue;
      kept->first_byte_ns = request->first_byte_ns;
      kept->last_byte_ns = request->last_byte_ns;
      kept->n_events = request->n_events;
      kept->aborted = request->aborted;
      kept->generation = request->generation;
      break;
    }
  write_line (capture, request);
  g_mutex_unlock (&capture->lock);
}

/**
 * tacho_sim_capture_take:
 * @capture: a capture, which is empty afterwards
 *
 * Returns: (transfer full) (element-type TachoSimRequest): its requests, the oldest first
 */
GPtrArray *
tacho_sim_capture_take (TachoSimCapture *capture)
{
  GPtrArray *requests = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_sim_request_free);
  TachoSimRequest *request;

  g_mutex_lock (&capture->lock);
  while ((request = g_queue_pop_head (&capture->requests)) != NULL)
    g_ptr_array_add (requests, request);
  g_mutex_unlock (&capture->lock);
  return requests;
}

/**
 * tacho_sim_capture_to_json:
 * @capture: a capture
 * @since: only requests with a greater number; 0: all
 *
 * Returns: (transfer full): a JSON array of its requests
 */
char *
tacho_sim_capture_to_json (TachoSimCapture *capture, guint64 since)
{
  GString *json = g_string_new ("[");

  g_mutex_lock (&capture->lock);
  for (GList *link = capture->requests.head; link != NULL; link = link->next)
    {
      const TachoSimRequest *request = link->data;

      if (request->number <= since)
        continue;
      if (json->len > 1)
        g_string_append (json, ",\n");
      append_json (json, request);
    }
  g_mutex_unlock (&capture->lock);
  g_string_append (json, "]\n");
  return g_string_free (json, FALSE);
}
