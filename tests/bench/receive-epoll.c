/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The least that a client must do to stamp events: epoll, recv, the clock, a search for the event's
 * end. No HTTP, no JSON, no record but the stamp. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-receivers.h"

#include "base/tacho-clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct
{
  int fd;
  guint request; /* G_MAXUINT: its head has not come */
} Socket;

static int
connect_to (guint16 port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_port = htons (port),
                                 .sin_addr = { .s_addr = htonl (INADDR_LOOPBACK) } };
  static const char request[] = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
                                "Content-Length: 2\r\n\r\n{}";
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (connect (fd, (struct sockaddr *) &address, sizeof address) != 0 ||
      send (fd, request, sizeof request - 1, 0) != sizeof request - 1)
    g_error ("The reference sender cannot be reached: %s", g_strerror (errno));
  fcntl (fd, F_SETFL, O_NONBLOCK);
  return fd;
}

/* The head and the event with the role come together, long before the first content. */
static void
read_head (Socket *at, const char *data, gsize length)
{
  const char *id = memmem (data, length, "\"id\":\"", 6);

  if (id != NULL)
    at->request = tacho_sender_request_of_id (id + 6, length - (gsize) (id + 6 - data));
}

/* FALSE: the reply is over. */
static gboolean
read_socket (Socket *at, TachoReceivedStamps *stamps)
{
  char data[16384];
  ssize_t got = recv (at->fd, data, sizeof data, 0);
  gint64 stamp_ns = tacho_clock_now_ns ();
  const char *end = data + MAX (got, 0);
  guint n = 0;

  if (got <= 0)
    return got < 0 && errno == EAGAIN;
  if (at->request == G_MAXUINT)
    {
      read_head (at, data, (gsize) got);
      return TRUE;
    }
  for (const char *event = data; (event = memmem (event, (gsize) (end - event), "\n\n", 2)) != NULL;
       event += 2)
    n++;
  tacho_received_stamps_add_read (stamps, at->request, n, stamp_ns);
  return memmem (data, (gsize) got, "\r\n0\r\n\r\n", 7) == NULL;
}

/**
 * tacho_receive_epoll:
 * @port: of the sender
 * @log: its log
 * @stamps: what was received
 *
 * Receives every stream to its end.
 */
void
tacho_receive_epoll (guint16 port, const TachoSenderLog *log, TachoReceivedStamps *stamps)
{
  guint n = log->plan.streams;
  g_autofree Socket *sockets = g_new (Socket, n);
  int epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  guint open = n;

  for (guint i = 0; i < n; i++)
    {
      struct epoll_event event = { .events = EPOLLIN };

      sockets[i] = (Socket){ connect_to (port), G_MAXUINT };
      event.data.ptr = &sockets[i];
      epoll_ctl (epoll_fd, EPOLL_CTL_ADD, sockets[i].fd, &event);
    }
  while (open > 0)
    {
      struct epoll_event events[256];
      int ready = epoll_wait (epoll_fd, events, G_N_ELEMENTS (events), -1);

      for (int i = 0; i < ready; i++)
        {
          Socket *at = events[i].data.ptr;

          if (read_socket (at, stamps))
            continue;
          epoll_ctl (epoll_fd, EPOLL_CTL_DEL, at->fd, NULL);
          open--;
        }
    }
  for (guint i = 0; i < n; i++)
    close (sockets[i].fd);
  close (epoll_fd);
}
