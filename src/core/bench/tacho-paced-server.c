/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One epoll loop: streams that are due are written to, one small write an event. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-paced-server.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TICK_NS 500000L
#define MAX_HEAD 65536
#define MAX_READY 256

enum
{
  KEY_LISTEN = -1,
  KEY_STOP = -2,
  KEY_TICK = -3
};

typedef struct
{
  int fd;
  GString *in;    /* the request, until it is whole */
  gint64 due_ns;  /* of the next event; 0: not asked yet */
  guint sent;     /* events */
  gboolean ended; /* the last chunk was written */
} Stream;

struct _TachoPacedServer
{
  guint n_streams, n_events;
  gint64 interval_ns;
  int listen_fd, epoll_fd, stop_fd, tick_fd;
  guint port;
  Stream *streams;
  guint accepted;
  gint64 *sent_ns; /* by stream and event */
  GThread *thread;
};

static void
watch (TachoPacedServer *self, int fd, gint64 key)
{
  struct epoll_event event = { .events = EPOLLIN, .data = { .u64 = (guint64) key } };

  epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* Small writes to loopback: what does not go at once is a client that does not read. */
static void
write_all (int fd, const char *data, gsize length)
{
  while (length > 0)
    {
      ssize_t n = send (fd, data, length, MSG_NOSIGNAL);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return;
      data += n;
      length -= (gsize) n;
    }
}

static void
write_chunk (int fd, const char *body)
{
  g_autofree char *chunk = g_strdup_printf ("%zx\r\n%s\r\n", strlen (body), body);

  write_all (fd, chunk, strlen (chunk));
}

static gboolean
request_is_whole (const GString *in)
{
  const char *end = strstr (in->str, "\r\n\r\n");
  const char *length = strcasestr (in->str, "content-length:");

  if (end == NULL)
    return FALSE;
  return length == NULL || length > end ||
         in->len >= (gsize) (end + 4 - in->str) + strtoul (length + 15, NULL, 10);
}

static void
read_request (TachoPacedServer *self, Stream *stream)
{
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n";
  char buffer[4096];
  ssize_t n = recv (stream->fd, buffer, sizeof buffer, 0);

  if (n <= 0)
    {
      epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, stream->fd, NULL);
      return;
    }
  if (stream->due_ns != 0 || stream->in->len > MAX_HEAD)
    return;
  g_string_append_len (stream->in, buffer, n);
  if (!request_is_whole (stream->in))
    return;
  write_all (stream->fd, head, sizeof head - 1);
  /* Spread over the interval: a burst would measure the burst. */
  stream->due_ns = tacho_clock_now_ns () + self->interval_ns +
                   self->interval_ns * (stream - self->streams) / self->n_streams;
}

static void
accept_stream (TachoPacedServer *self)
{
  int one = 1;
  int fd = accept4 (self->listen_fd, NULL, NULL, SOCK_CLOEXEC);
  Stream *stream;

  if (fd < 0)
    return;
  if (self->accepted >= self->n_streams)
    {
      close (fd);
      return;
    }
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  stream = &self->streams[self->accepted];
  stream->fd = fd;
  stream->in = g_string_new (NULL);
  watch (self, fd, self->accepted++);
}

static void
send_due (TachoPacedServer *self)
{
  for (guint i = 0; i < self->accepted; i++)
    {
      Stream *stream = &self->streams[i];
      gint64 now_ns = tacho_clock_now_ns ();
      g_autofree char *event = NULL;

      if (stream->due_ns == 0 || stream->ended || now_ns < stream->due_ns)
        continue;
      if (stream->sent == self->n_events)
        {
          write_chunk (stream->fd, "data: [DONE]\n\n");
          write_all (stream->fd, "0\r\n\r\n", 5);
          stream->ended = TRUE;
          continue;
        }
      event = g_strdup_printf (
          "data: {\"id\":\"paced-%u\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":"
          "\"paced\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\"finish_reason\":"
          "null}]}\n\n",
          i);
      self->sent_ns[(gsize) i * self->n_events + stream->sent] = tacho_clock_now_ns ();
      write_chunk (stream->fd, event);
      stream->sent++;
      stream->due_ns += self->interval_ns;
    }
}

static gpointer
serve (gpointer data)
{
  TachoPacedServer *self = data;
  struct epoll_event ready[MAX_READY];

  for (;;)
    {
      int n = epoll_wait (self->epoll_fd, ready, MAX_READY, -1);

      for (int i = 0; i < n; i++)
        {
          gint64 key = (gint64) ready[i].data.u64;
          guint64 ticks;

          if (key == KEY_STOP)
            return NULL;
          if (key == KEY_LISTEN)
            accept_stream (self);
          else if (key == KEY_TICK)
            {
              if (read (self->tick_fd, &ticks, sizeof ticks) > 0)
                send_due (self);
            }
          else
            read_request (self, &self->streams[key]);
        }
    }
}

static gboolean
open_sockets (TachoPacedServer *self)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr = { .s_addr = htonl (INADDR_LOOPBACK) } };
  const struct itimerspec tick = { .it_interval = { .tv_nsec = TICK_NS },
                                   .it_value = { .tv_nsec = TICK_NS } };
  socklen_t length = sizeof address;

  self->listen_fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self->stop_fd = eventfd (0, EFD_CLOEXEC);
  self->tick_fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (self->listen_fd < 0 || self->epoll_fd < 0 || self->stop_fd < 0 || self->tick_fd < 0 ||
      bind (self->listen_fd, (struct sockaddr *) &address, sizeof address) != 0 ||
      listen (self->listen_fd, 4096) != 0 ||
      getsockname (self->listen_fd, (struct sockaddr *) &address, &length) != 0)
    return FALSE;
  self->port = ntohs (address.sin_port);
  timerfd_settime (self->tick_fd, 0, &tick, NULL);
  watch (self, self->listen_fd, KEY_LISTEN);
  watch (self, self->stop_fd, KEY_STOP);
  watch (self, self->tick_fd, KEY_TICK);
  return TRUE;
}

/**
 * tacho_paced_server_new:
 * @streams: connections that it serves
 * @events: of each
 * @interval_ns: from one event of a stream to the next
 * @error: return location
 *
 * Listens on a free port of 127.0.0.1, at once.
 *
 * Returns: (transfer full): the server, or %NULL with %TACHO_ERROR_IO
 */
TachoPacedServer *
tacho_paced_server_new (guint streams, guint events, gint64 interval_ns, GError **error)
{
  TachoPacedServer *self = g_new0 (TachoPacedServer, 1);

  self->n_streams = streams;
  self->n_events = events;
  self->interval_ns = interval_ns;
  self->listen_fd = self->epoll_fd = self->stop_fd = self->tick_fd = -1;
  self->streams = g_new0 (Stream, streams);
  self->sent_ns = g_new0 (gint64, (gsize) streams * events);
  if (open_sockets (self))
    {
      self->thread = g_thread_new ("tacho-paced", serve, self);
      return self;
    }
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "The reference server cannot start: %s",
               g_strerror (errno));
  tacho_paced_server_free (self);
  return NULL;
}

/**
 * tacho_paced_server_free:
 * @self: (nullable): a server
 *
 * Stops it and closes its connections.
 */
void
tacho_paced_server_free (TachoPacedServer *self)
{
  const guint64 one = 1;

  if (self == NULL)
    return;
  if (self->thread != NULL)
    {
      if (write (self->stop_fd, &one, sizeof one) < 0)
        g_debug ("the stop was told before");
      g_thread_join (self->thread);
    }
  for (guint i = 0; i < self->accepted; i++)
    {
      close (self->streams[i].fd);
      g_string_free (self->streams[i].in, TRUE);
    }
  for (const int *fd =
           (const int[]){ self->listen_fd, self->epoll_fd, self->stop_fd, self->tick_fd, -2 };
       *fd != -2; fd++)
    if (*fd >= 0)
      close (*fd);
  g_free (self->streams);
  g_free (self->sent_ns);
  g_free (self);
}

/**
 * tacho_paced_server_get_port:
 * @self: a server
 *
 * Returns: where it listens
 */
guint
tacho_paced_server_get_port (TachoPacedServer *self)
{
  return self->port;
}

/**
 * tacho_paced_server_get_sent_ns:
 * @self: a server whose run is over
 * @stream: its number
 * @event: its number in the stream
 *
 * Returns: the clock just before the write, 0: it was never sent
 */
gint64
tacho_paced_server_get_sent_ns (TachoPacedServer *self, guint stream, guint event)
{
  if (stream >= self->n_streams || event >= self->n_events)
    return 0;
  return self->sent_ns[(gsize) stream * self->n_events + event];
}
