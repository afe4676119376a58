/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A raw-socket server on threads of its own that streams on a schedule and logs its own stamps. */
#pragma once

#include "base/tacho-clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef enum
{
  BEHAVE_WELL,
  BEHAVE_NO_USAGE,
  BEHAVE_TRUNCATE, /* the body ends cleanly without its marker */
  BEHAVE_CUT,      /* the connection goes in the middle of the body */
  BEHAVE_500,
  BEHAVE_429,
  BEHAVE_404,
  BEHAVE_IN_BAND,
  BEHAVE_DROP,   /* the connection goes before an answer */
  BEHAVE_SILENT, /* no answer at all */
  BEHAVE_STALL,  /* two events, then nothing */
  BEHAVE_GARBAGE,
  BEHAVE_CLOSE,    /* well, but the connection goes without a word after the end */
  BEHAVE_TOGETHER, /* all events in one write */
} Behaviour;

typedef struct
{
  guint number;      /* of the reply; its id is "r<number>" */
  gint64 request_ns; /* the request was read */
  Behaviour behaviour;
  gboolean left;
  GArray *sent_ns; /* of gint64: before each content event's write */
} ServerReply;

typedef struct _BenchServer BenchServer;


struct _BenchServer
{
  guint n_events;
  gint64 first_ns, gap_ns;
  guint tokens_per_event;
  const Behaviour *script;
  guint n_script;
  int listen_fd;
  guint16 port;
  GThread *thread;
  GMutex mutex;
  GCond stopped;
  gboolean stop;
  GPtrArray *threads;
  GArray *fds;
  GPtrArray *replies; /* of ServerReply */
  GString *heads;
  guint connections, requests, in_flight, max_in_flight;
};

typedef struct
{
  BenchServer *server;
  int fd;
} Connection;

/* Counted down before the last bytes: when the client sees them, its next request may come. */
static void
leave (BenchServer *server, ServerReply *reply)
{
  g_mutex_lock (&server->mutex);
  if (!reply->left)
    server->in_flight--;
  reply->left = TRUE;
  g_mutex_unlock (&server->mutex);
}

static gboolean
send_all (int fd, const char *data, gsize length)
{
  while (length > 0)
    {
      ssize_t n = send (fd, data, length, MSG_NOSIGNAL);

      if (n <= 0)
        return FALSE;
      data += n;
      length -= (gsize) n;
    }
  return TRUE;
}

static gboolean
send_chunk (int fd, const char *text)
{
  g_autofree char *chunk = g_strdup_printf ("%zx\r\n%s\r\n", strlen (text), text);

  return send_all (fd, chunk, strlen (chunk));
}

static void
wait_until (gint64 due_ns)
{
  struct timespec due = { due_ns / TACHO_NS_PER_S, due_ns % TACHO_NS_PER_S };

  while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) != 0)
    ;
}

static gboolean
read_request (BenchServer *server, int fd, GString *buffer)
{
  g_string_truncate (buffer, 0);
  for (;;)
    {
      char *end = strstr (buffer->str, "\r\n\r\n");
      char data[8192];
      ssize_t n;

      if (end != NULL)
        {
          const char *length = strstr (buffer->str, "Content-Length: ");
          gsize wanted = (gsize) (end - buffer->str) + 4;

          g_assert_nonnull (length);
          wanted += g_ascii_strtoull (length + 16, NULL, 10);
          if (buffer->len >= wanted)
            {
              g_mutex_lock (&server->mutex);
              g_string_append_len (server->heads, buffer->str, end - buffer->str);
              g_mutex_unlock (&server->mutex);
              return TRUE;
            }
        }
      n = recv (fd, data, sizeof data, 0);
      if (n <= 0)
        return FALSE;
      g_string_append_len (buffer, data, n);
    }
}

static gboolean
send_status (int fd, const char *status)
{
  static const char body[] = "{\"error\":{\"message\":\"no\",\"type\":\"test\"}}";
  g_autofree char *text = g_strdup_printf ("HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
                                           "Content-Length: %zu\r\n\r\n%s",
                                           status, strlen (body), body);

  return send_all (fd, text, strlen (text));
}

static char *
make_event (const ServerReply *reply, const char *delta)
{
  return g_strdup_printf (
      "data: {\"id\":\"r%u\",\"object\":\"chat.completion.chunk\",\"created\":1,"
      "\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":%s,"
      "\"finish_reason\":null}]}\n\n",
      reply->number, delta);
}

static gboolean
hold (BenchServer *server)
{
  g_mutex_lock (&server->mutex);
  while (!server->stop)
    g_cond_wait (&server->stopped, &server->mutex);
  g_mutex_unlock (&server->mutex);
  return FALSE;
}

static gboolean
end_stream (BenchServer *server, int fd, Behaviour behaviour, ServerReply *reply)
{
  g_autofree char *usage = g_strdup_printf (
      "data: {\"id\":\"r%u\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
      "\"choices\":[],\"usage\":{\"prompt_tokens\":17,\"completion_tokens\":%u,"
      "\"total_tokens\":%u}}\n\n",
      reply->number, server->n_events * server->tokens_per_event,
      17 + server->n_events * server->tokens_per_event);

  if (behaviour != BEHAVE_NO_USAGE && !send_chunk (fd, usage))
    return FALSE;
  if (!send_chunk (fd, "data: [DONE]\n\n"))
    return FALSE;
  leave (server, reply);
  return send_all (fd, "0\r\n\r\n", 5);
}

static gboolean
send_together (BenchServer *server, int fd, ServerReply *reply)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < server->n_events; i++)
    {
      g_autofree char *event = make_event (reply, "{\"content\":\"x\"}");
      gint64 now = tacho_clock_now_ns ();

      g_array_append_val (reply->sent_ns, now);
      g_string_append (text, event);
    }
  return send_chunk (fd, text->str) && end_stream (server, fd, BEHAVE_TOGETHER, reply);
}

static gboolean
stream (BenchServer *server, int fd, Behaviour behaviour, ServerReply *reply)
{
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n";
  g_autofree char *role = make_event (reply, "{\"role\":\"assistant\",\"content\":\"\"}");
  g_autofree char *event = make_event (reply, "{\"content\":\"word\"}");
  gint64 due = reply->request_ns + server->first_ns;

  if (!send_all (fd, head, strlen (head)) || !send_chunk (fd, role))
    return FALSE;
  if (behaviour == BEHAVE_TOGETHER)
    return send_together (server, fd, reply);
  for (guint i = 0; i < server->n_events; i++, due += server->gap_ns)
    {
      gint64 now;

      if (i == 2 && behaviour == BEHAVE_STALL)
        return hold (server);
      if (i == 2 && behaviour == BEHAVE_CUT)
        return FALSE;
      if (i == 2 && behaviour == BEHAVE_TRUNCATE)
        return send_all (fd, "0\r\n\r\n", 5);
      if (i == 2 && behaviour == BEHAVE_IN_BAND)
        return send_chunk (fd,
                           "data: {\"error\":{\"message\":\"out of memory\",\"code\":500}}\n\n") &&
               send_all (fd, "0\r\n\r\n", 5);
      if (i == 2 && behaviour == BEHAVE_GARBAGE)
        return send_chunk (fd, "data: {\"choices\": [nonsense\n\n") && hold (server);
      wait_until (due);
      now = tacho_clock_now_ns ();
      g_array_append_val (reply->sent_ns, now);
      if (!send_chunk (fd, event))
        return FALSE;
    }
  return end_stream (server, fd, behaviour, reply);
}

static ServerReply *
begin_reply (BenchServer *server)
{
  ServerReply *reply = g_new0 (ServerReply, 1);

  reply->sent_ns = g_array_new (FALSE, FALSE, sizeof (gint64));
  reply->request_ns = tacho_clock_now_ns ();
  g_mutex_lock (&server->mutex);
  reply->number = server->requests++;
  if (server->n_script > 0)
    reply->behaviour = server->script[reply->number % server->n_script];
  g_ptr_array_add (server->replies, reply);
  server->in_flight++;
  server->max_in_flight = MAX (server->max_in_flight, server->in_flight);
  g_mutex_unlock (&server->mutex);
  return reply;
}

static gboolean
answer (BenchServer *server, int fd, ServerReply *reply)
{
  if (reply->behaviour == BEHAVE_500 || reply->behaviour == BEHAVE_429 ||
      reply->behaviour == BEHAVE_404)
    leave (server, reply);
  switch (reply->behaviour)
    {
    case BEHAVE_500:
      return send_status (fd, "500 Internal Server Error");
    case BEHAVE_429:
      return send_status (fd, "429 Too Many Requests");
    case BEHAVE_404:
      return send_status (fd, "404 Not Found");
    case BEHAVE_DROP:
      return FALSE;
    case BEHAVE_SILENT:
      return hold (server);
    default:
      return stream (server, fd, reply->behaviour, reply);
    }
}

static gpointer
connection_thread (gpointer user_data)
{
  g_autofree Connection *connection = user_data;
  BenchServer *server = connection->server;
  g_autoptr (GString) buffer = g_string_new (NULL);

  while (read_request (server, connection->fd, buffer))
    {
      ServerReply *reply = begin_reply (server);
      gboolean going = answer (server, connection->fd, reply);

      leave (server, reply);
      if (!going || reply->behaviour == BEHAVE_CLOSE)
        break;
    }
  shutdown (connection->fd, SHUT_RDWR);
  return NULL;
}

static gpointer
accept_thread (gpointer user_data)
{
  BenchServer *server = user_data;
  int fd;

  while ((fd = accept (server->listen_fd, NULL, NULL)) >= 0)
    {
      Connection *connection = g_new (Connection, 1);
      int one = 1;

      setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      *connection = (Connection){ server, fd };
      g_mutex_lock (&server->mutex);
      server->connections++;
      g_array_append_val (server->fds, fd);
      if (server->stop)
        shutdown (fd, SHUT_RDWR);
      g_ptr_array_add (server->threads, g_thread_new ("conn", connection_thread, connection));
      g_mutex_unlock (&server->mutex);
    }
  return NULL;
}

static void
reply_free (gpointer data)
{
  ServerReply *reply = data;

  g_array_unref (reply->sent_ns);
  g_free (reply);
}

static BenchServer *
bench_server_new (guint n_events, gint64 first_ns, gint64 gap_ns)
{
  BenchServer *server = g_new0 (BenchServer, 1);
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;

  server->n_events = n_events;
  server->first_ns = first_ns;
  server->gap_ns = gap_ns;
  server->tokens_per_event = 1;
  server->threads = g_ptr_array_new ();
  server->fds = g_array_new (FALSE, FALSE, sizeof (int));
  server->replies = g_ptr_array_new_with_free_func (reply_free);
  server->heads = g_string_new (NULL);
  g_mutex_init (&server->mutex);
  g_cond_init (&server->stopped);
  server->listen_fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_assert_cmpint (bind (server->listen_fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (server->listen_fd, 256), ==, 0);
  g_assert_cmpint (getsockname (server->listen_fd, (struct sockaddr *) &address, &length), ==, 0);
  server->port = ntohs (address.sin_port);
  server->thread = g_thread_new ("accept", accept_thread, server);
  return server;
}

static void
bench_server_set_script (BenchServer *server, const Behaviour *script, guint n)
{
  server->script = script;
  server->n_script = n;
}

static void
bench_server_set_tokens_per_event (BenchServer *server, guint n)
{
  server->tokens_per_event = n;
}

static char *
bench_server_get_url (BenchServer *server)
{
  return g_strdup_printf ("http://127.0.0.1:%u", server->port);
}

static void
bench_server_stop (BenchServer *server)
{
  g_mutex_lock (&server->mutex);
  server->stop = TRUE;
  g_cond_broadcast (&server->stopped);
  g_mutex_unlock (&server->mutex);
  shutdown (server->listen_fd, SHUT_RDWR);
  g_clear_pointer (&server->thread, g_thread_join);
  for (guint i = 0; i < server->fds->len; i++)
    shutdown (g_array_index (server->fds, int, i), SHUT_RDWR);
  for (guint i = 0; i < server->threads->len; i++)
    g_thread_join (g_ptr_array_index (server->threads, i));
  g_ptr_array_set_size (server->threads, 0);
  for (guint i = 0; i < server->fds->len; i++)
    close (g_array_index (server->fds, int, i));
  g_array_set_size (server->fds, 0);
  if (server->listen_fd >= 0)
    close (server->listen_fd);
  server->listen_fd = -1;
}

static void
bench_server_free (BenchServer *server)
{
  if (server->thread != NULL)
    bench_server_stop (server);
  g_ptr_array_unref (server->threads);
  g_array_unref (server->fds);
  g_ptr_array_unref (server->replies);
  g_string_free (server->heads, TRUE);
  g_mutex_clear (&server->mutex);
  g_cond_clear (&server->stopped);
  g_free (server);
}

static guint
bench_server_get_connections (BenchServer *server)
{
  return server->connections;
}

static guint
bench_server_get_max_in_flight (BenchServer *server)
{
  return server->max_in_flight;
}

static guint
bench_server_get_requests (BenchServer *server)
{
  return server->requests;
}

static gboolean
bench_server_saw_header (BenchServer *server, const char *line)
{
  return strstr (server->heads->str, line) != NULL;
}

static const ServerReply *
bench_server_find (BenchServer *server, const char *id)
{
  for (guint i = 0; i < server->replies->len; i++)
    {
      const ServerReply *reply = g_ptr_array_index (server->replies, i);
      g_autofree char *name = g_strdup_printf ("r%u", reply->number);

      if (g_strcmp0 (name, id) == 0)
        return reply;
    }
  return NULL;
}
