/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loop of one load thread: epoll tells which sockets are ready, libcurl reads them, streams
 * stamp and count; idle places get what the schedule allows. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-load-loop-private.h"

#include "base/tacho-clock.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define SNAPSHOT_NS (200 * TACHO_NS_PER_MS)
#define MAX_EVENTS 256
/* After a run by duration, requests in flight may finish for so long; then they are cancelled. */
#define GRACE_NS (30 * TACHO_NS_PER_S)
/* All threads begin the window together. */
#define BEGIN_TOGETHER_NS (2 * TACHO_NS_PER_MS)
#define STREAM_CANCEL G_GUINT64_CONSTANT (0x63616e63656c)

static gint64
thread_cpu_ns (void)
{
  struct timespec used;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &used);
  return (gint64) used.tv_sec * TACHO_NS_PER_S + used.tv_nsec;
}

static gboolean
is_stopping (TachoLoadLoop *self)
{
  return g_atomic_int_get (&self->shared->stop) != TACHO_STOP_NONE;
}

static gint64
shared_window_start (TachoLoadShared *shared)
{
  return __atomic_load_n (&shared->window_start_ns, __ATOMIC_ACQUIRE);
}

static void
fail (TachoLoadLoop *self, GError *error)
{
  g_mutex_lock (&self->shared->mutex);
  if (self->shared->fatal == NULL)
    self->shared->fatal = g_steal_pointer (&error);
  g_mutex_unlock (&self->shared->mutex);
  g_clear_error (&error);
  tacho_load_shared_stop (self->shared, TACHO_STOP_FATAL);
}

/* --- phases --- */

/* The first reply's connection is still being watched for whether the server closes it. */
static gboolean
is_learning (TachoLoadLoop *self, gint64 now_ns)
{
  gboolean learning = FALSE;

  if (self->counts.habit != TACHO_HABIT_UNKNOWN && self->n_resting == 0)
    return FALSE;
  for (guint i = 0; i < self->n_resting; i++)
    {
      TachoLoadStream *stream = &self->streams[self->resting[i]];

      if (stream->kept_fd == CURL_SOCKET_BAD)
        continue;
      if (stream->rest_until_ns <= now_ns)
        tacho_load_stream_learn_habit (stream);
      learning |= self->counts.habit == TACHO_HABIT_UNKNOWN;
    }
  return learning;
}

static void
open_window (TachoLoadLoop *self, gint64 start_ns)
{
  tacho_load_schedule_open_window (&self->schedule, start_ns);
  self->cpu_start_ns = thread_cpu_ns ();
  self->counts.window_start_ns = start_ns;
  self->counts.window_end_ns = self->schedule.measure_end_ns;
  tacho_recorder_open_window (self->shared->recorder, start_ns);
}

/* In a closed loop the last thread whose warm-up has ended says when the window opens. */
static void
tell_warmup_over (TachoLoadLoop *self, gint64 now_ns)
{
  TachoLoadShared *shared = self->shared;

  self->warmup_told = TRUE;
  if (!g_atomic_int_dec_and_test (&shared->loops_in_warmup))
    return;
  __atomic_store_n (&shared->window_start_ns,
                    now_ns + (shared->n_loops > 1 ? BEGIN_TOGETHER_NS : 0), __ATOMIC_RELEASE);
  for (guint i = 0; shared->n_loops > 1 && i < shared->n_loops; i++)
    tacho_load_loop_wake (shared->loops[i]);
}

static void
advance (TachoLoadLoop *self, gboolean learning, gint64 now_ns)
{
  gint64 start_ns;

  if (self->schedule.phase != TACHO_PHASE_WARMUP)
    {
      tacho_load_schedule_update (&self->schedule, now_ns);
      return;
    }
  if (is_stopping (self))
    return;
  if (!self->warmup_told && !tacho_load_schedule_window_is_seamless (&self->schedule) &&
      self->in_flight == 0 && !learning &&
      tacho_load_schedule_warmup_is_sent (&self->schedule, now_ns))
    tell_warmup_over (self, now_ns);
  start_ns = shared_window_start (self->shared);
  if (start_ns != 0 && now_ns >= start_ns)
    open_window (self, start_ns);
}

/* --- requests --- */

static gboolean
prepare_place (TachoLoadLoop *self, TachoLoadStream *stream, GError **error)
{
  if (!tacho_load_stream_is_ready (stream) &&
      !tacho_load_stream_init (stream, self->shared->config, self->shared->recorder, &self->counts,
                               self->grpc, error))
    return FALSE;
  stream->grpc_ended = &self->grpc_ended;
  if (stream->item != NULL && stream->turn < stream->item->turns->len)
    return TRUE;
  g_clear_pointer (&stream->item, tacho_load_item_free);
  stream->turn = 0;
  stream->item = tacho_load_feed_take (self->feed, error);
  return stream->item != NULL;
}

static gint64
cancel_time (TachoLoadLoop *self, guint64 id, gint64 now_ns)
{
  const TachoBenchPlan *plan = self->shared->config->plan;
  TachoRandom random = tacho_random_new (plan->seed ^ STREAM_CANCEL, id);

  if (plan->cancel_share <= 0 || tacho_random_unit (&random) >= plan->cancel_share)
    return 0;
  return now_ns + (gint64) (plan->cancel_after_s * TACHO_NS_PER_S);
}

/* FALSE: the run cannot go on. */
static gboolean
begin (TachoLoadLoop *self, guint place, gint64 scheduled_ns, gint64 now_ns)
{
  TachoLoadStream *stream = &self->streams[place];
  TachoBenchRecord *record;
  TachoLoadPhase phase;
  GError *error = NULL;

  if (!prepare_place (self, stream, &error))
    {
      fail (self, error);
      return FALSE;
    }
  phase = tacho_load_schedule_sent (&self->schedule, scheduled_ns);
  record = g_new0 (TachoBenchRecord, 1);
  record->id =
      stream->item->number * tacho_prompts_get_max_turns (self->shared->prompts) + stream->turn;
  record->warmup = phase != TACHO_PHASE_MEASURE;
  record->cooldown = phase == TACHO_PHASE_COOLDOWN;
  record->turn = (guint16) stream->turn;
  record->thread = (guint16) self->index;
  record->scheduled_ns = scheduled_ns;
  stream->cancel_at_ns = cancel_time (self, record->id, now_ns);
  self->in_flight++;
  self->measured_in_flight += !record->warmup;
  g_atomic_int_inc (&self->shared->in_flight);
  tacho_load_stream_begin (stream, g_ptr_array_index (stream->item->turns, stream->turn++), record);
  if (self->grpc == NULL)
    curl_multi_add_handle (self->multi, stream->easy);
  return TRUE;
}

static void
wake_resting (TachoLoadLoop *self, gint64 now_ns)
{
  for (guint i = 0; i < self->n_resting;)
    if (self->streams[self->resting[i]].rest_until_ns <= now_ns)
      {
        self->idle[self->n_idle++] = self->resting[i];
        self->resting[i] = self->resting[--self->n_resting];
      }
    else
      i++;
}

static gint64
next_wake (TachoLoadLoop *self)
{
  guint busy = self->n_streams - self->n_idle;
  gint64 wake = tacho_load_schedule_wake_ns (&self->schedule, busy);
  gint64 start_ns = shared_window_start (self->shared);

  if (self->schedule.phase == TACHO_PHASE_WARMUP && start_ns != 0)
    wake = MIN (wake, start_ns);
  if (is_stopping (self))
    return G_MAXINT64;
  for (guint i = 0; i < self->n_resting; i++)
    wake = MIN (wake, self->streams[self->resting[i]].rest_until_ns);
  return wake;
}

static void
arm (TachoLoadLoop *self)
{
  gint64 wake = next_wake (self);
  struct itimerspec when = { 0 };

  if (wake == self->armed_ns)
    return;
  self->armed_ns = wake;
  if (wake != G_MAXINT64)
    {
      wake = MAX (wake, 1);
      when.it_value.tv_sec = wake / TACHO_NS_PER_S;
      when.it_value.tv_nsec = wake % TACHO_NS_PER_S;
    }
  timerfd_settime (self->schedule_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void
fill_places (TachoLoadLoop *self)
{
  gint64 now_ns = tacho_clock_now_ns ();
  gint64 scheduled_ns;

  advance (self, is_learning (self, now_ns), now_ns);
  wake_resting (self, now_ns);
  while (self->n_idle > 0 && !is_stopping (self) &&
         tacho_load_schedule_may_send (&self->schedule, self->n_streams - self->n_idle, now_ns,
                                       &scheduled_ns))
    if (!begin (self, self->idle[--self->n_idle], scheduled_ns, now_ns))
      break;
  if (self->n_idle == 0 && tacho_bench_plan_is_open (self->shared->config->plan) &&
      self->schedule.phase <= TACHO_PHASE_MEASURE && self->schedule.next_due_ns <= now_ns)
    g_atomic_int_set (&self->shared->capped, 1);
  arm (self);
}

static void
put_back (TachoLoadLoop *self, TachoLoadStream *stream, gboolean good, gint64 now_ns)
{
  gboolean more = stream->item != NULL && stream->turn < stream->item->turns->len;
  guint place = (guint) (stream - self->streams);

  if (!good)
    g_clear_pointer (&stream->item, tacho_load_item_free); /* there is nothing to answer to */
  else if (more)
    stream->rest_until_ns =
        MAX (stream->rest_until_ns,
             now_ns + (gint64) (self->shared->config->plan->think_s * TACHO_NS_PER_S));
  if (stream->rest_until_ns > now_ns)
    self->resting[self->n_resting++] = place;
  else
    self->idle[self->n_idle++] = place;
}

static void
count_end (TachoLoadLoop *self, TachoLoadStream *stream, gint64 now_ns)
{
  TachoBenchRecord *record = stream->record;
  long connects = 0;

  if (self->grpc == NULL)
    curl_easy_getinfo (stream->easy, CURLINFO_NUM_CONNECTS, &connects);
  else
    connects = !record->connection_reused;
  self->account.connections += (guint64) MAX (connects, 0);
  self->in_flight--;
  g_atomic_int_add (&self->shared->in_flight, -1);
  if (record->warmup)
    return;
  self->measured_in_flight--;
  self->account.requests_ended++;
  self->account.reused += connects == 0;
  self->account.last_end_ns =
      MAX (self->account.last_end_ns, record->end_ns != 0 ? record->end_ns : now_ns);
}

static void
end (TachoLoadLoop *self, TachoLoadStream *stream, CURLcode code, TachoErrorCode forced)
{
  gint64 now_ns = tacho_clock_now_ns ();

  if (self->grpc == NULL)
    {
      if (code == CURLE_OK && forced == 0)
        tacho_load_stream_watch_habit (stream, now_ns);
      curl_multi_remove_handle (self->multi, stream->easy);
    }
  else if (forced != 0)
    {
      tacho_load_grpc_cancel (stream, forced); /* it comes back when it has ended */
      return;
    }
  count_end (self, stream, now_ns);
  tacho_load_stream_end (stream, code, forced, now_ns);
  put_back (self, stream, stream->failures == 0 && forced == 0, now_ns);
}

static void
take_finished (TachoLoadLoop *self)
{
  CURLMsg *message;
  TachoLoadStream *stream;
  int left = 0;

  while ((message = curl_multi_info_read (self->multi, &left)) != NULL)
    {
      CURLcode code = message->data.result;

      if (message->msg != CURLMSG_DONE)
        continue;
      stream = NULL;
      curl_easy_getinfo (message->easy_handle, CURLINFO_PRIVATE, (char **) &stream);
      end (self, stream, code, (TachoErrorCode) 0);
    }
  while ((stream = g_queue_pop_head (&self->grpc_ended)) != NULL)
    end (self, stream, CURLE_OK, (TachoErrorCode) 0);
}

static void
end_all (TachoLoadLoop *self, TachoErrorCode forced)
{
  for (guint i = 0; i < self->n_streams; i++)
    if (self->streams[i].record != NULL)
      end (self, &self->streams[i], CURLE_OK, forced);
}

/* --- the tick --- */

static void
end_overdue (TachoLoadLoop *self, gint64 now_ns)
{
  for (guint i = 0; i < self->n_streams; i++)
    {
      TachoErrorCode overdue = self->streams[i].record != NULL
                                   ? tacho_load_stream_overdue (&self->streams[i], now_ns)
                                   : (TachoErrorCode) 0;

      if (overdue != 0)
        end (self, &self->streams[i], CURLE_OK, overdue);
    }
  if (self->schedule.measure_end_ns != G_MAXINT64 &&
      now_ns > self->schedule.measure_end_ns + GRACE_NS)
    end_all (self, TACHO_ERROR_CANCELLED);
}

static TachoBenchState
state_of (TachoLoadLoop *self)
{
  if (is_stopping (self))
    return TACHO_BENCH_STOPPING;
  return self->schedule.phase == TACHO_PHASE_WARMUP ? TACHO_BENCH_WARMUP : TACHO_BENCH_MEASURING;
}

/* What the self-check will judge, as far as this thread knows it while it goes on. */
static void
look_at_self (TachoLoadLoop *self, TachoBenchSnapshot *values, gint64 now_ns)
{
  const TachoHistogram *lag = self->account.lag;
  guint64 n = tacho_histogram_get_count (lag);
  gint64 cpu_ns = self->cpu_end_ns != 0 ? self->cpu_end_ns : thread_cpu_ns ();

  if (n > 0)
    values->loop_lag_ms_p99 =
        (double) tacho_histogram_value_at_rank (lag, (n * 99 + 99) / 100) / TACHO_NS_PER_MS;
  if (self->counts.chunks > 0)
    values->own_read_share = (double) self->counts.own_reads / (double) self->counts.chunks;
  if (self->cpu_start_ns != 0 && values->window_start_ns != 0 && now_ns > values->window_start_ns)
    values->client_cpu_share =
        (double) (cpu_ns - self->cpu_start_ns) / (double) (now_ns - values->window_start_ns);
}

static void
publish (TachoLoadLoop *self, gint64 now_ns)
{
  TachoLoadShared *shared = self->shared;
  TachoLoadStop reason = tacho_recorder_check_stop (shared->recorder);
  TachoSnapshotMessage *message;

  if (reason != TACHO_STOP_NONE)
    tacho_load_shared_stop (shared, reason);
  message = tacho_recorder_snapshot (shared->recorder, state_of (self), now_ns,
                                     (guint) g_atomic_int_get (&shared->in_flight));
  look_at_self (self, &message->values, now_ns);
  shared->func (message, shared->func_data);
}

static void
tick (TachoLoadLoop *self)
{
  gint64 now_ns = tacho_clock_now_ns ();

  tacho_load_watch_look (&self->watch, self->shared->recorder, now_ns);
  if (self->cpu_end_ns == 0 && now_ns >= self->schedule.measure_end_ns)
    self->cpu_end_ns = thread_cpu_ns ();
  end_overdue (self, now_ns);
  if (self->index != 0)
    return;
  if (now_ns <= self->schedule.measure_end_ns)
    tacho_recorder_tick (self->shared->recorder, now_ns,
                         (guint) g_atomic_int_get (&self->shared->in_flight));
  if (now_ns < self->next_snapshot_ns)
    return;
  self->next_snapshot_ns = now_ns + SNAPSHOT_NS;
  publish (self, now_ns);
}

/* The processor may have been given to others, or the whole process was held up: what was ready
 * meanwhile has its stamp that much too late, which no clock that is read afterwards can show. */
static void
note_lateness (TachoLoadLoop *self)
{
  guint64 n = 0;

  if (read (self->tick_fd, &n, sizeof n) != sizeof n)
    return;
  if (self->schedule.phase == TACHO_PHASE_MEASURE)
    tacho_histogram_record (self->account.late, MAX (0, self->watch.woke_ns - self->tick_due_ns));
  self->tick_due_ns += (gint64) n * self->tick_ns;
}

static void
drain_fd (int fd)
{
  guint64 count;

  while (read (fd, &count, sizeof count) > 0)
    ;
}

static void
handle_event (TachoLoadLoop *self, const struct epoll_event *event)
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
      note_lateness (self);
      tick (self);
      return;
    case KEY_SCHEDULE:
      drain_fd (self->schedule_fd);
      self->armed_ns = 0;
      return;
    case KEY_WAKE:
      drain_fd (self->wake_fd);
      return;
    default:
      mask = (event->events & EPOLLIN ? CURL_CSELECT_IN : 0) |
             (event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
             (event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
      self->counts.action++;
      curl_multi_socket_action (self->multi, (curl_socket_t) key, mask, &running);
    }
}

/* Whether there is more to wait for. What is in flight and does not count is given up once the rest
 * is done. */
static gboolean
goes_on (TachoLoadLoop *self)
{
  gboolean over = is_stopping (self) ||
                  (self->schedule.phase == TACHO_PHASE_OVER && self->measured_in_flight == 0);

  if (over && !self->cancelled_all)
    {
      self->cancelled_all = TRUE;
      end_all (self, TACHO_ERROR_CANCELLED);
    }
  return self->in_flight > 0 || !over;
}

/**
 * tacho_load_loop_run:
 * @self: a loop, used once
 *
 * Runs this thread's part of the plan to its end, or until the run is stopped.
 */
void
tacho_load_loop_run (TachoLoadLoop *self)
{
  struct epoll_event events[MAX_EVENTS];

  if (self->context != NULL)
    g_main_context_push_thread_default (self->context);
  tacho_load_schedule_init (&self->schedule, self->shared->config->plan, self->shared->prompts,
                            self->schedule.share, self->shared->begin_ns);
  tacho_load_watch_init (&self->watch, tacho_clock_now_ns ());
  fill_places (self);
  while (goes_on (self))
    {
      gint64 ready_ns;
      int n;

      if (self->context != NULL)
        g_main_context_iteration (self->context, self->grpc_ended.length == 0);
      n = epoll_wait (self->epoll_fd, events, MAX_EVENTS, self->context != NULL ? 0 : -1);
      ready_ns = tacho_clock_now_ns ();
      tacho_load_watch_woke (&self->watch, self->shared->recorder, ready_ns);
      for (int i = 0; i < n; i++)
        handle_event (self, &events[i]);
      take_finished (self);
      if (self->schedule.phase == TACHO_PHASE_MEASURE && n > 0 && self->grpc == NULL)
        tacho_histogram_record (self->account.lag, tacho_clock_now_ns () - ready_ns);
      fill_places (self);
    }
  if (self->cpu_end_ns == 0)
    self->cpu_end_ns = thread_cpu_ns ();
  self->account.cpu_ns = self->cpu_start_ns != 0 ? self->cpu_end_ns - self->cpu_start_ns : 0;
  self->account.chunks = self->counts.chunks;
  self->account.own_reads = self->counts.own_reads;
  self->account.measure_end_ns = self->schedule.measure_end_ns;
  if (self->context != NULL)
    g_main_context_pop_thread_default (self->context);
}
