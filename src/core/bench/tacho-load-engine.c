/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loop: epoll tells which sockets are ready, libcurl reads them, streams stamp and count. Two
 * timers: libcurl's own, and a tick for timeouts, timeline and snapshots. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-load-engine.h"

#include "base/tacho-clock.h"
#include "bench/tacho-load-feed.h"
#include "bench/tacho-load-stream.h"
#include "bench/tacho-self-check.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TICK_MS 50
#define TICKS_PER_SNAPSHOT 4
#define MAX_EVENTS 256
/* After a run by duration, requests in flight may finish for so long; then they are cancelled. */
#define GRACE_NS (30 * TACHO_NS_PER_S)
#define SPARE_FILES 64

enum
{
  KEY_CURL_TIMER = -1,
  KEY_TICK = -2,
  KEY_STOP = -3
};

struct _TachoLoadEngine
{
  TachoLoadConfig *config;
  TachoRecorder *recorder;
  TachoReadCounts counts;
  CURLM *multi;
  int epoll_fd;
  int curl_timer_fd;
  int tick_fd;
  int stop_fd;
  TachoLoadStream *streams;
  guint n_streams;
  guint in_flight;
  TachoLoadFeed *feed;
  GError *fatal; /* why the run cannot go on */
  guint64 next_number;
  guint64 warmup_started;
  guint64 measured_started;
  gint64 warmup_start_ns;
  gint64 window_end_ns; /* of a run by duration: when sending stops; 0: by count */
  gint64 last_end_ns;
  gint64 cpu_start_ns;
  TachoBenchState state;
  gboolean stopping; /* asked to, by a person */
  guint ticks;
  TachoHistogram *lag; /* ns from epoll's return to the last event of its batch */
  guint64 requests_ended;
  guint64 connections;
  guint64 reused;
  TachoLoadFunc func;
  gpointer func_data;
};

/**
 * tacho_load_config_free:
 * @config: (nullable): a configuration
 *
 * Frees it and wipes the key.
 */
void
tacho_load_config_free (TachoLoadConfig *config)
{
  if (config == NULL)
    return;
  if (config->bearer != NULL)
    explicit_bzero (config->bearer, strlen (config->bearer));
  g_free (config->bearer);
  g_free (config->base_url);
  g_strfreev (config->headers);
  g_free (config->ca_file);
  g_clear_object (&config->api);
  g_clear_pointer (&config->plan, tacho_bench_plan_free);
  g_free (config);
}

static void
watch (TachoLoadEngine *self, int operation, int fd, guint32 events, gint64 key)
{
  struct epoll_event event = { .events = events, .data = { .u64 = (guint64) key } };

  epoll_ctl (self->epoll_fd, operation, fd, &event);
}

static int
socket_cb (CURL *easy, curl_socket_t fd, int what, void *user_data, void *known)
{
  TachoLoadEngine *self = user_data;
  guint32 events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);

  if (what == CURL_POLL_REMOVE)
    {
      watch (self, EPOLL_CTL_DEL, fd, 0, fd);
      curl_multi_assign (self->multi, fd, NULL);
      return 0;
    }
  watch (self, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, events, fd);
  if (known == NULL)
    curl_multi_assign (self->multi, fd, self);
  return 0;
}

static int
timer_cb (CURLM *multi, long timeout_ms, void *user_data)
{
  TachoLoadEngine *self = user_data;
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
open_loop (TachoLoadEngine *self, GError **error)
{
  const struct itimerspec tick = { .it_interval = { .tv_nsec = TICK_MS * 1000000L },
                                   .it_value = { .tv_nsec = TICK_MS * 1000000L } };

  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self->curl_timer_fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  self->tick_fd = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  self->stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  self->multi = curl_multi_init ();
  if (self->epoll_fd < 0 || self->curl_timer_fd < 0 || self->tick_fd < 0 || self->stop_fd < 0 ||
      self->multi == NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "The load engine cannot start: %s",
                   g_strerror (errno));
      return FALSE;
    }
  timerfd_settime (self->tick_fd, 0, &tick, NULL);
  watch (self, EPOLL_CTL_ADD, self->curl_timer_fd, EPOLLIN, KEY_CURL_TIMER);
  watch (self, EPOLL_CTL_ADD, self->tick_fd, EPOLLIN, KEY_TICK);
  watch (self, EPOLL_CTL_ADD, self->stop_fd, EPOLLIN, KEY_STOP);
  curl_multi_setopt (self->multi, CURLMOPT_SOCKETFUNCTION, socket_cb);
  curl_multi_setopt (self->multi, CURLMOPT_SOCKETDATA, self);
  curl_multi_setopt (self->multi, CURLMOPT_TIMERFUNCTION, timer_cb);
  curl_multi_setopt (self->multi, CURLMOPT_TIMERDATA, self);
  curl_multi_setopt (self->multi, CURLMOPT_MAXCONNECTS, (long) self->config->plan->concurrency + 1);
  curl_multi_setopt (self->multi, CURLMOPT_PIPELINING, (long) CURLPIPE_NOTHING);
  return TRUE;
}

/* One socket for each request in flight: raise the soft limit if it is in the way, say so if that
 * fails. */
static gboolean
check_files (guint concurrency, GError **error)
{
  struct rlimit limit;
  rlim_t wanted = (rlim_t) concurrency + SPARE_FILES;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
    return TRUE;
  if (limit.rlim_max >= wanted)
    {
      limit.rlim_cur = wanted;
      if (setrlimit (RLIMIT_NOFILE, &limit) == 0)
        return TRUE;
    }
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "%u requests at a time need %u open files, and this process may have %u; raise the "
               "limit with 'ulimit -n' or lower the concurrency",
               concurrency, (guint) wanted, (guint) limit.rlim_max);
  return FALSE;
}

/**
 * tacho_load_engine_new:
 * @config: (transfer full): where to and what; the plan must be valid
 * @error: return location
 *
 * Makes an engine with all its handles, and builds one request to see that it can be built.
 *
 * Returns: (transfer full): the engine, or %NULL with %TACHO_ERROR_INVALID or %TACHO_ERROR_IO
 */
TachoLoadEngine *
tacho_load_engine_new (TachoLoadConfig *config, GError **error)
{
  g_autoptr (TachoLoadEngine) self = g_new0 (TachoLoadEngine, 1);
  guint64 salt = 0;

  self->config = config;
  self->epoll_fd = self->curl_timer_fd = self->tick_fd = self->stop_fd = -1;
  self->state = TACHO_BENCH_WARMUP;
  self->recorder = tacho_recorder_new (config->plan);
  self->lag = tacho_histogram_new ();
  self->counts.window_end_ns = G_MAXINT64;
  if (!check_files (config->plan->concurrency, error) || !open_loop (self, error))
    return NULL;
  self->streams = g_new0 (TachoLoadStream, config->plan->concurrency);
  for (self->n_streams = 0; self->n_streams < config->plan->concurrency;)
    if (!tacho_load_stream_init (&self->streams[self->n_streams++], config, self->recorder,
                                 &self->counts, error))
      return NULL;
  if (config->plan->salt)
    salt = ((guint64) g_random_int () << 32 | g_random_int ()) | 1;
  self->feed = tacho_load_feed_new (config->api, config->plan, salt);
  if (!tacho_load_feed_check (self->feed, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * tacho_load_engine_free:
 * @engine: (nullable): an engine that does not run
 *
 * Frees it and closes its connections.
 */
void
tacho_load_engine_free (TachoLoadEngine *engine)
{
  const int fds[] = { engine != NULL ? engine->curl_timer_fd : -1,
                      engine != NULL ? engine->tick_fd : -1, engine != NULL ? engine->stop_fd : -1,
                      engine != NULL ? engine->epoll_fd : -1 };

  if (engine == NULL)
    return;
  tacho_load_feed_free (engine->feed);
  g_clear_error (&engine->fatal);
  for (guint i = 0; i < engine->n_streams; i++)
    {
      if (engine->streams[i].record != NULL)
        curl_multi_remove_handle (engine->multi, engine->streams[i].easy);
      tacho_load_stream_clear (&engine->streams[i]);
    }
  g_free (engine->streams);
  if (engine->multi != NULL)
    curl_multi_cleanup (engine->multi);
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    if (fds[i] >= 0)
      close (fds[i]);
  tacho_recorder_free (engine->recorder);
  tacho_histogram_free (engine->lag);
  tacho_load_config_free (engine->config);
  g_free (engine);
}

/**
 * tacho_load_engine_stop:
 * @engine: an engine
 *
 * Asks a running engine to cancel what is in flight and end.
 */
void
tacho_load_engine_stop (TachoLoadEngine *engine)
{
  const guint64 one = 1;

  /* It can only fail when the counter is full, and then the engine has been told already. */
  if (write (engine->stop_fd, &one, sizeof one) < 0)
    return;
}

static gboolean
warmup_is_planned (const TachoLoadEngine *self, gint64 now_ns)
{
  const TachoBenchPlan *plan = self->config->plan;

  if (plan->warmup_s > 0)
    return now_ns - self->warmup_start_ns < (gint64) (plan->warmup_s * TACHO_NS_PER_S);
  return self->warmup_started < plan->warmup_requests;
}

static gboolean
request_is_planned (const TachoLoadEngine *self, gint64 now_ns)
{
  const TachoBenchPlan *plan = self->config->plan;

  if (self->stopping || self->state == TACHO_BENCH_STOPPING)
    return FALSE;
  if (self->state == TACHO_BENCH_WARMUP)
    return warmup_is_planned (self, now_ns);
  if (plan->requests > 0)
    return self->measured_started < plan->requests;
  return now_ns < self->window_end_ns;
}

static void
begin (TachoLoadEngine *self, TachoLoadStream *stream, gint64 now_ns)
{
  gboolean warmup = self->state == TACHO_BENCH_WARMUP;
  g_autoptr (TachoHttpRequest) request = tacho_load_feed_take (self->feed, &self->fatal);

  if (request == NULL)
    {
      self->stopping = TRUE;
      return;
    }
  if (warmup)
    self->warmup_started++;
  else
    self->measured_started++;
  tacho_load_stream_begin (stream, request, self->next_number++, warmup, now_ns);
  self->in_flight++;
  curl_multi_add_handle (self->multi, stream->easy);
}

static gint64
thread_cpu_ns (void)
{
  struct timespec used;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &used);
  return (gint64) used.tv_sec * TACHO_NS_PER_S + used.tv_nsec;
}

static void
open_window (TachoLoadEngine *self, gint64 now_ns)
{
  const TachoBenchPlan *plan = self->config->plan;

  self->state = TACHO_BENCH_MEASURING;
  self->cpu_start_ns = thread_cpu_ns ();
  tacho_recorder_open_window (self->recorder, now_ns);
  if (plan->duration_s > 0)
    {
      self->window_end_ns = now_ns + (gint64) (plan->duration_s * TACHO_NS_PER_S);
      self->counts.window_end_ns = self->window_end_ns;
    }
}

/* The first reply's connection is still being watched for whether the server closes it. */
static gboolean
is_learning (TachoLoadEngine *self, gint64 now_ns)
{
  gboolean learning = FALSE;

  for (guint i = 0; i < self->n_streams; i++)
    {
      TachoLoadStream *stream = &self->streams[i];

      if (stream->kept_fd == CURL_SOCKET_BAD)
        continue;
      if (stream->rest_until_ns <= now_ns)
        tacho_load_stream_learn_habit (stream);
      learning |= self->counts.habit == TACHO_HABIT_UNKNOWN;
    }
  return learning;
}

/* Gives every idle place its next request. Measuring begins when the last warm-up request has
 * ended, so that nothing of the warm-up lies in the measured window. */
static void
fill_places (TachoLoadEngine *self)
{
  gint64 now_ns = tacho_clock_now_ns ();
  gboolean learning = is_learning (self, now_ns);

  if (self->state == TACHO_BENCH_WARMUP && !self->stopping && self->in_flight == 0 && !learning &&
      !warmup_is_planned (self, now_ns))
    open_window (self, now_ns);
  for (guint i = 0; i < self->n_streams && self->in_flight < self->n_streams; i++)
    if (self->streams[i].record == NULL && self->streams[i].rest_until_ns <= now_ns)
      {
        if (!request_is_planned (self, now_ns))
          break;
        begin (self, &self->streams[i], now_ns);
      }
}

static void
end (TachoLoadEngine *self, TachoLoadStream *stream, CURLcode code, TachoErrorCode forced)
{
  gint64 now_ns = tacho_clock_now_ns ();
  gboolean measured = !stream->record->warmup;
  long connects = 0;

  if (code == CURLE_OK && forced == 0)
    tacho_load_stream_watch_habit (stream, now_ns);
  curl_multi_remove_handle (self->multi, stream->easy);
  curl_easy_getinfo (stream->easy, CURLINFO_NUM_CONNECTS, &connects);
  self->connections += (guint64) MAX (connects, 0);
  if (measured)
    {
      self->requests_ended++;
      self->reused += connects == 0;
      self->last_end_ns =
          MAX (self->last_end_ns, stream->record->end_ns != 0 ? stream->record->end_ns : now_ns);
    }
  self->in_flight--;
  tacho_load_stream_end (stream, code, forced, now_ns);
}

static void
take_finished (TachoLoadEngine *self)
{
  CURLMsg *message;
  int left = 0;

  while ((message = curl_multi_info_read (self->multi, &left)) != NULL)
    {
      TachoLoadStream *stream = NULL;
      CURLcode code = message->data.result;

      if (message->msg != CURLMSG_DONE)
        continue;
      curl_easy_getinfo (message->easy_handle, CURLINFO_PRIVATE, (char **) &stream);
      end (self, stream, code, (TachoErrorCode) 0);
    }
}

static void
end_all (TachoLoadEngine *self, TachoErrorCode forced)
{
  for (guint i = 0; i < self->n_streams; i++)
    if (self->streams[i].record != NULL)
      end (self, &self->streams[i], CURLE_OK, forced);
}

static void
end_overdue (TachoLoadEngine *self, gint64 now_ns)
{
  for (guint i = 0; i < self->n_streams; i++)
    {
      TachoErrorCode overdue = tacho_load_stream_overdue (&self->streams[i], now_ns);

      if (overdue != 0)
        end (self, &self->streams[i], CURLE_OK, overdue);
    }
  if (self->window_end_ns != 0 && now_ns > self->window_end_ns + GRACE_NS)
    end_all (self, TACHO_ERROR_CANCELLED);
}

static void
publish (TachoLoadEngine *self, gint64 now_ns)
{
  self->func (tacho_recorder_snapshot (self->recorder, self->state, now_ns, self->in_flight,
                                       self->measured_started),
              self->func_data);
}

static void
tick (TachoLoadEngine *self)
{
  gint64 now_ns = tacho_clock_now_ns ();

  end_overdue (self, now_ns);
  if (self->window_end_ns == 0 || now_ns <= self->window_end_ns)
    tacho_recorder_tick (self->recorder, now_ns, self->in_flight);
  if (self->ticks++ % TICKS_PER_SNAPSHOT == 0)
    publish (self, now_ns);
}

static void
drain_fd (int fd)
{
  guint64 count;

  while (read (fd, &count, sizeof count) > 0)
    ;
}

static void
handle_event (TachoLoadEngine *self, const struct epoll_event *event)
{
  gint64 key = (gint64) event->data.u64;
  int running = 0;
  int mask;

  switch (key)
    {
    case KEY_CURL_TIMER:
      drain_fd (self->curl_timer_fd);
      self->counts.action++;
      curl_multi_socket_action (self->multi, CURL_SOCKET_TIMEOUT, 0, &running);
      return;
    case KEY_TICK:
      drain_fd (self->tick_fd);
      tick (self);
      return;
    case KEY_STOP:
      drain_fd (self->stop_fd);
      self->stopping = TRUE;
      self->state = TACHO_BENCH_STOPPING;
      end_all (self, TACHO_ERROR_CANCELLED);
      return;
    default:
      mask = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) |
             (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
             (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
      self->counts.action++;
      curl_multi_socket_action (self->multi, (curl_socket_t) key, mask, &running);
    }
}

static void
loop (TachoLoadEngine *self)
{
  struct epoll_event events[MAX_EVENTS];

  self->warmup_start_ns = tacho_clock_now_ns ();
  fill_places (self);
  /* With nothing in flight and more to do, all places rest. */
  while (self->in_flight > 0 || (self->state == TACHO_BENCH_WARMUP && !self->stopping) ||
         request_is_planned (self, tacho_clock_now_ns ()))
    {
      int n = epoll_wait (self->epoll_fd, events, MAX_EVENTS, -1);
      gint64 ready_ns = tacho_clock_now_ns ();

      for (int i = 0; i < n; i++)
        handle_event (self, &events[i]);
      take_finished (self);
      if (self->state == TACHO_BENCH_MEASURING && n > 0)
        tacho_histogram_record (self->lag, tacho_clock_now_ns () - ready_ns);
      fill_places (self);
    }
}

/**
 * tacho_load_engine_run:
 * @engine: an engine, used once
 * @func: called with a snapshot a few times a second, in this thread
 * @func_data: for @func
 * @result: (inout): the run; everything that was measured is filled
 *
 * Runs the plan to its end, or until tacho_load_engine_stop().
 */
void
tacho_load_engine_run (TachoLoadEngine *engine,
                       TachoLoadFunc func,
                       gpointer func_data,
                       TachoBenchResult *result)
{
  TachoSelfCheckInput check;
  gint64 end_ns;
  gint64 cpu_ns;

  engine->func = func;
  engine->func_data = func_data;
  loop (engine);
  cpu_ns = thread_cpu_ns () - engine->cpu_start_ns;
  end_ns = engine->last_end_ns;
  /* A run by duration has the window it asked for, unless it was stopped before. */
  if (engine->window_end_ns != 0 && !engine->stopping)
    end_ns = engine->window_end_ns;
  result->interrupted = engine->stopping;
  engine->state = TACHO_BENCH_ENDED;
  tacho_recorder_finish (engine->recorder, end_ns, result);
  result->connections_created = engine->connections;
  check = (TachoSelfCheckInput){
    .lag = engine->lag,
    .chunks = engine->counts.chunks,
    .own_reads = engine->counts.own_reads,
    .cpu_ns = cpu_ns,
    .window_s = result->window_s,
    .schedule_delay_ms_p99 = result->latency[TACHO_METRIC_QUEUE].percentiles[TACHO_P99].value,
    .requests = engine->requests_ended,
    .reused = engine->reused,
    .places = engine->n_streams,
    .fatal = engine->fatal != NULL ? engine->fatal->message : NULL,
  };
  tacho_self_check_fill (&result->self_check, &check);
}
