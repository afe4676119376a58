/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a load thread is made of: epoll with libcurl's sockets; timers: libcurl's own, one for the
 * schedule, and a tick for timeouts. gRPC calls come through the thread's main context, in which
 * epoll is one source then. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-load-loop-private.h"

#include "base/tacho-clock.h"
#include "net/tacho-grpc-client.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TICK_MS 50
#define FINE_TICK_MS 5 /* where requests are cancelled on purpose */

static void
watch_fd (TachoLoadLoop *self, int operation, int fd, guint32 events, gint64 key)
{
  struct epoll_event event = { .events = events, .data = { .u64 = (guint64) key } };

  epoll_ctl (self->epoll_fd, operation, fd, &event);
}

static int
socket_cb (CURL *easy, curl_socket_t fd, int what, void *user_data, void *known)
{
  TachoLoadLoop *self = user_data;
  guint32 events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);

  if (what == CURL_POLL_REMOVE)
    {
      watch_fd (self, EPOLL_CTL_DEL, fd, 0, fd);
      curl_multi_assign (self->multi, fd, NULL);
      return 0;
    }
  watch_fd (self, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, events, fd);
  if (known == NULL)
    curl_multi_assign (self->multi, fd, self);
  return 0;
}

static int
timer_cb (CURLM *multi, long timeout_ms, void *user_data)
{
  TachoLoadLoop *self = user_data;
  struct itimerspec when = { 0 };

  /* Zero would disarm the timer; one nanosecond is at once. */
  if (timeout_ms >= 0)
    {
      when.it_value.tv_sec = timeout_ms / 1000;
      when.it_value.tv_nsec = timeout_ms % 1000 * 1000000 + (timeout_ms == 0);
    }
  timerfd_settime (self->curl_timer_fd, 0, &when, NULL);
  return 0;
}

static gboolean
open_fds (TachoLoadLoop *self, GError **error)
{
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self->curl_timer_fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  self->schedule_fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  self->tick_fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  self->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->multi = curl_multi_init ();
  if (self->epoll_fd >= 0 && self->curl_timer_fd >= 0 && self->schedule_fd >= 0 &&
      self->tick_fd >= 0 && self->wake_fd >= 0 && self->multi != NULL)
    return TRUE;
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "The load engine cannot start: %s",
               g_strerror (errno));
  return FALSE;
}

static void
set_up_fds (TachoLoadLoop *self)
{
  const TachoBenchPlan *plan = self->shared->config->plan;
  glong tick_ns = (plan->cancel_share > 0 ? FINE_TICK_MS : TICK_MS) * 1000000L;
  const struct itimerspec tick = { .it_interval = { .tv_nsec = tick_ns },
                                   .it_value = { .tv_nsec = tick_ns } };

  timerfd_settime (self->tick_fd, 0, &tick, NULL);
  self->tick_ns = tick_ns;
  self->tick_due_ns = tacho_clock_now_ns () + tick_ns;
  watch_fd (self, EPOLL_CTL_ADD, self->curl_timer_fd, EPOLLIN, KEY_CURL_TIMER);
  watch_fd (self, EPOLL_CTL_ADD, self->schedule_fd, EPOLLIN, KEY_SCHEDULE);
  watch_fd (self, EPOLL_CTL_ADD, self->tick_fd, EPOLLIN, KEY_TICK);
  watch_fd (self, EPOLL_CTL_ADD, self->wake_fd, EPOLLIN, KEY_WAKE);
  curl_multi_setopt (self->multi, CURLMOPT_SOCKETFUNCTION, socket_cb);
  curl_multi_setopt (self->multi, CURLMOPT_SOCKETDATA, self);
  curl_multi_setopt (self->multi, CURLMOPT_TIMERFUNCTION, timer_cb);
  curl_multi_setopt (self->multi, CURLMOPT_TIMERDATA, self);
  curl_multi_setopt (self->multi, CURLMOPT_MAXCONNECTS, (long) self->n_streams + 1);
  curl_multi_setopt (self->multi, CURLMOPT_PIPELINING,
                     (long) (plan->http2 ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING));
}

static gboolean
epoll_ready_cb (int fd, GIOCondition condition, gpointer user_data)
{
  return G_SOURCE_CONTINUE; /* it only ends the wait: what is ready is read after it */
}

static gboolean
open_grpc (TachoLoadLoop *self, GError **error)
{
  const TachoLoadConfig *config = self->shared->config;
  const TachoGrpcOptions options = {
    .target = config->grpc_target,
    .tls = config->grpc_tls,
    .bearer = config->bearer,
    .headers = (const char *const *) config->headers,
    .ca_file = config->ca_file,
    .cert_file = config->cert_file,
    .key_file = config->key_file,
    .pin = config->pin,
    .timeout_connect = config->timeouts_s[TACHO_TIMEOUT_CONNECT],
    .timeout_first = config->timeouts_s[TACHO_TIMEOUT_FIRST],
    .timeout_idle = config->timeouts_s[TACHO_TIMEOUT_IDLE],
    .timeout_total = config->timeouts_s[TACHO_TIMEOUT_TOTAL],
  };
  GSource *source;

  self->grpc = tacho_grpc_client_new (&options, error);
  if (self->grpc == NULL)
    return FALSE;
  self->context = g_main_context_new ();
  source = g_unix_fd_source_new (self->epoll_fd, G_IO_IN);
  g_source_set_callback (source, G_SOURCE_FUNC (epoll_ready_cb), NULL, NULL);
  g_source_attach (source, self->context);
  g_source_unref (source);
  return TRUE;
}

/**
 * tacho_load_loop_new:
 * @shared: of the run; outlives the loop
 * @index: of the thread
 * @error: return location
 *
 * Makes the loop with its places, and builds one request to see that it can be built.
 *
 * Returns: (transfer full): the loop, or %NULL with %TACHO_ERROR_INVALID or %TACHO_ERROR_IO
 */
TachoLoadLoop *
tacho_load_loop_new (TachoLoadShared *shared, guint index, GError **error)
{
  const TachoLoadConfig *config = shared->config;
  const TachoBenchPlan *plan = config->plan;
  TachoLoadLoop *self = g_new0 (TachoLoadLoop, 1);
  const TachoLoadShare share = { (guint64) plan->worker * shared->n_loops + index,
                                 (guint64) plan->workers * shared->n_loops };

  self->shared = shared;
  self->index = index;
  self->epoll_fd = self->curl_timer_fd = self->tick_fd = self->wake_fd = self->schedule_fd = -1;
  self->counts.window_start_ns = self->counts.window_end_ns = G_MAXINT64;
  /* A connection that many share is never idle to be looked at, and says itself when it goes. */
  if (plan->http2)
    self->counts.habit = TACHO_HABIT_KEEPS;
  self->account.lag = self->counts.lag = tacho_histogram_new ();
  self->account.late = tacho_histogram_new ();
  tacho_load_schedule_init (&self->schedule, plan, shared->prompts, share, 0);
  self->n_streams = self->schedule.places;
  self->streams = g_new0 (TachoLoadStream, self->n_streams);
  self->idle = g_new (guint, self->n_streams);
  self->resting = g_new (guint, self->n_streams);
  for (guint i = self->n_streams; i > 0; i--)
    self->idle[self->n_idle++] = i - 1;
  if (!open_fds (self, error) ||
      (plan->protocol == TACHO_PROTOCOL_GRPC && !open_grpc (self, error)) ||
      !tacho_load_stream_init (&self->streams[0], config, shared->recorder, &self->counts,
                               self->grpc, error))
    {
      tacho_load_loop_free (self);
      return NULL;
    }
  self->streams[0].grpc_ended = &self->grpc_ended;
  set_up_fds (self);
  self->feed = tacho_load_feed_new (config->api, shared->prompts, shared->salt, self->n_streams,
                                    share.share, share.stride);
  if (!tacho_load_feed_check (self->feed, error))
    {
      tacho_load_loop_free (self);
      return NULL;
    }
  return self;
}

/**
 * tacho_load_loop_free:
 * @self: (nullable): a loop that does not run
 *
 * Frees it and closes its connections.
 */
void
tacho_load_loop_free (TachoLoadLoop *self)
{
  if (self == NULL)
    return;
  tacho_load_feed_free (self->feed);
  for (guint i = 0; i < self->n_streams; i++)
    {
      if (self->streams[i].record != NULL && self->grpc == NULL)
        curl_multi_remove_handle (self->multi, self->streams[i].easy);
      tacho_load_stream_clear (&self->streams[i]);
    }
  g_free (self->streams);
  g_free (self->idle);
  g_free (self->resting);
  if (self->grpc != NULL)
    tacho_transport_close (self->grpc);
  g_clear_object (&self->grpc);
  g_clear_pointer (&self->context, g_main_context_unref);
  if (self->multi != NULL)
    curl_multi_cleanup (self->multi);
  for (const int *fd = (const int[]){ self->curl_timer_fd, self->tick_fd, self->wake_fd,
                                      self->schedule_fd, self->epoll_fd, -2 };
       *fd != -2; fd++)
    if (*fd >= 0)
      close (*fd);
  g_clear_pointer (&self->account.lag, tacho_histogram_free);
  g_clear_pointer (&self->account.late, tacho_histogram_free);
  g_free (self);
}

/**
 * tacho_load_loop_wake:
 * @self: a loop
 *
 * Has it look at what is shared.
 */
void
tacho_load_loop_wake (TachoLoadLoop *self)
{
  const guint64 one = 1;

  /* It can only fail when the counter is full, and then the loop has been told already. */
  if (write (self->wake_fd, &one, sizeof one) < 0)
    return;
}

/**
 * tacho_load_shared_stop:
 * @shared: of a run
 * @reason: why
 *
 * Asks all threads to cancel what is in flight and end.
 */
void
tacho_load_shared_stop (TachoLoadShared *shared, TachoLoadStop reason)
{
  g_atomic_int_compare_and_exchange (&shared->stop, TACHO_STOP_NONE, (int) reason);
  for (guint i = 0; i < shared->n_loops; i++)
    tacho_load_loop_wake (shared->loops[i]);
}

/**
 * tacho_load_loop_get_account:
 * @self: a loop that has ended
 *
 * Returns: (transfer none): what it saw of itself
 */
const TachoLoadAccount *
tacho_load_loop_get_account (TachoLoadLoop *self)
{
  return &self->account;
}
