/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libcurl as the load engine uses it, and nothing of the engine: multi-socket on epoll, the stamp
 * and the search for the event's end in the write callback. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-receivers.h"

#include "base/tacho-clock.h"

#include <curl/curl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

typedef struct
{
  CURLM *multi;
  int epoll_fd, timer_fd;
  TachoReceivedStamps *stamps;
  int running;
} Loop;

typedef struct
{
  Loop *loop;
  CURL *easy;
  guint request;
} Transfer;

static size_t
write_cb (char *data, size_t size, size_t n, void *user_data)
{
  Transfer *self = user_data;
  gint64 stamp_ns = tacho_clock_now_ns ();
  const char *end = data + size * n;
  guint events = 0;

  if (self->request == G_MAXUINT)
    {
      const char *id = memmem (data, size * n, "\"id\":\"", 6);

      if (id != NULL)
        self->request = tacho_sender_request_of_id (id + 6, (gsize) (end - id - 6));
      return size * n;
    }
  for (const char *at = data; (at = memmem (at, (gsize) (end - at), "\n\n", 2)) != NULL; at += 2)
    events++;
  tacho_received_stamps_add_read (self->loop->stamps, self->request, events, stamp_ns);
  return size * n;
}

static int
socket_cb (CURL *easy, curl_socket_t fd, int what, void *user_data, void *known)
{
  Loop *self = user_data;
  struct epoll_event event = { .data = { .u64 = (guint64) fd } };

  event.events = ((what & CURL_POLL_IN) ? (guint) EPOLLIN : 0u) |
                 ((what & CURL_POLL_OUT) ? (guint) EPOLLOUT : 0u);
  if (what == CURL_POLL_REMOVE)
    epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, fd, &event);
  else if (epoll_ctl (self->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0)
    epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event);
  return 0;
}

static int
timer_cb (CURLM *multi, long ms, void *user_data)
{
  Loop *self = user_data;
  struct itimerspec when = { 0 };

  if (ms >= 0)
    {
      when.it_value.tv_sec = ms / 1000;
      when.it_value.tv_nsec = ms % 1000 * TACHO_NS_PER_MS + 1;
    }
  timerfd_settime (self->timer_fd, 0, &when, NULL);
  return 0;
}

static void
handle (Loop *self, const struct epoll_event *event)
{
  guint64 count;
  int mask = ((event->events & EPOLLIN) ? CURL_CSELECT_IN : 0) |
             ((event->events & EPOLLOUT) ? CURL_CSELECT_OUT : 0);

  if (event->data.u64 != G_MAXUINT64)
    curl_multi_socket_action (self->multi, (curl_socket_t) event->data.u64, mask, &self->running);
  else if (read (self->timer_fd, &count, sizeof count) > 0)
    curl_multi_socket_action (self->multi, CURL_SOCKET_TIMEOUT, 0, &self->running);
}

static void
start (Loop *self, Transfer *transfer, const char *url)
{
  transfer->loop = self;
  transfer->request = G_MAXUINT;
  transfer->easy = curl_easy_init ();
  curl_easy_setopt (transfer->easy, CURLOPT_URL, url);
  curl_easy_setopt (transfer->easy, CURLOPT_PROXY, "");
  curl_easy_setopt (transfer->easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (transfer->easy, CURLOPT_POSTFIELDS, "{}");
  curl_easy_setopt (transfer->easy, CURLOPT_WRITEFUNCTION, write_cb);
  curl_easy_setopt (transfer->easy, CURLOPT_WRITEDATA, transfer);
  curl_multi_add_handle (self->multi, transfer->easy);
}

/**
 * tacho_receive_curl:
 * @port: of the sender
 * @log: its log
 * @stamps: what was received
 *
 * Receives every stream to its end.
 */
void
tacho_receive_curl (guint16 port, const TachoSenderLog *log, TachoReceivedStamps *stamps)
{
  guint n = log->plan.streams;
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u/v1/chat/completions", port);
  g_autofree Transfer *transfers = g_new0 (Transfer, n);
  struct epoll_event event = { .events = EPOLLIN, .data = { .u64 = G_MAXUINT64 } };
  Loop self = { .stamps = stamps, .running = (int) n };

  curl_global_init (CURL_GLOBAL_DEFAULT);
  self.multi = curl_multi_init ();
  self.epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self.timer_fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  epoll_ctl (self.epoll_fd, EPOLL_CTL_ADD, self.timer_fd, &event);
  curl_multi_setopt (self.multi, CURLMOPT_SOCKETFUNCTION, socket_cb);
  curl_multi_setopt (self.multi, CURLMOPT_SOCKETDATA, &self);
  curl_multi_setopt (self.multi, CURLMOPT_TIMERFUNCTION, timer_cb);
  curl_multi_setopt (self.multi, CURLMOPT_TIMERDATA, &self);
  for (guint i = 0; i < n; i++)
    start (&self, &transfers[i], url);
  while (self.running > 0)
    {
      struct epoll_event events[256];
      int ready = epoll_wait (self.epoll_fd, events, G_N_ELEMENTS (events), -1);

      for (int i = 0; i < ready; i++)
        handle (&self, &events[i]);
    }
  for (guint i = 0; i < n; i++)
    {
      curl_multi_remove_handle (self.multi, transfers[i].easy);
      curl_easy_cleanup (transfers[i].easy);
    }
  curl_multi_cleanup (self.multi);
  close (self.timer_fd);
  close (self.epoll_fd);
}
