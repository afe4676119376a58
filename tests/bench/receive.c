/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of one receiver, and what follows from the stamps of both sides. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-receivers.h"

#include "base/tacho-clock.h"
#include "bench/tacho-distribution.h"
#include "tacho-bench-report.h"

#include <math.h>

/**
 * tacho_receiver_get_name:
 * @receiver: one of them
 *
 * Returns: what a table calls it
 */
const char *
tacho_receiver_get_name (TachoReceiver receiver)
{
  static const char *const names[] = { "bare epoll", "bare libcurl", "Python aiohttp", "engine" };

  return names[receiver];
}

/**
 * tacho_received_stamps_init:
 * @self: (out caller-allocates): the stamps
 * @log: of the sender; must outlive them
 *
 * Makes room.
 */
void
tacho_received_stamps_init (TachoReceivedStamps *self, const TachoSenderLog *log)
{
  *self = (TachoReceivedStamps){ .log = log };
  self->stamps = g_new0 (gint64, (gsize) log->plan.requests * log->plan.events);
  self->counts = g_new0 (guint, log->plan.requests);
}

/**
 * tacho_received_stamps_clear:
 * @self: the stamps
 *
 * Frees them.
 */
void
tacho_received_stamps_clear (TachoReceivedStamps *self)
{
  g_clear_pointer (&self->stamps, g_free);
  g_clear_pointer (&self->counts, g_free);
}

/**
 * tacho_received_stamps_add:
 * @self: the stamps
 * @request: whose event it is
 * @stamp_ns: when it was read
 *
 * Notes the next event of a request; one too many is no content.
 */
void
tacho_received_stamps_add (TachoReceivedStamps *self, guint request, gint64 stamp_ns)
{
  if (request >= self->log->plan.requests || self->counts[request] == self->log->plan.events)
    return;
  self->stamps[(gsize) request * self->log->plan.events + self->counts[request]++] = stamp_ns;
  self->events++;
}

/**
 * tacho_received_stamps_add_read:
 * @self: the stamps
 * @request: whose events they are
 * @n: how many came with the read
 * @stamp_ns: its time
 *
 * Notes what one read brought.
 */
void
tacho_received_stamps_add_read (TachoReceivedStamps *self, guint request, guint n, gint64 stamp_ns)
{
  guint64 before = self->events;

  for (guint i = 0; i < n; i++)
    tacho_received_stamps_add (self, request, stamp_ns);
  self->own_reads += self->events - before == 1;
}

/* The first and the last tenth of each reply are left out, as they are of the CPU. */
static void
compare_stamps (const TachoReceivedStamps *stamps, TachoReceived *received)
{
  const TachoSenderPlan *plan = &stamps->log->plan;
  guint skip = MAX (plan->events / 10, 1);
  g_autofree double *late = g_new (double, (gsize) plan->requests * plan->events);
  gsize n = 0;

  for (guint r = 0; r < plan->requests; r++)
    for (guint k = skip; k + skip < plan->events; k++)
      {
        gint64 stamp = stamps->stamps[(gsize) r * plan->events + k];

        if (stamp != 0)
          late[n++] = (double) (stamp - tacho_sender_log_sent_ns (stamps->log, r, k)) / 1e3;
      }
  received->stamp_us_p50 = received->stamp_us_p99 = NAN;
  if (n == 0)
    return;
  tacho_sort_doubles (late, n);
  received->stamp_us_p50 = late[(n - 1) / 2];
  received->stamp_us_p99 = late[(gsize) ceil (0.99 * (double) n) - 1];
}

static gboolean
run (TachoReceiver receiver, TachoSender *sender, TachoReceivedStamps *stamps, double *cpu_s)
{
  gint64 begin = tacho_bench_process_cpu_ns ();

  switch (receiver)
    {
    case TACHO_RECEIVER_EPOLL:
      tacho_receive_epoll (sender->port, sender->log, stamps);
      break;
    case TACHO_RECEIVER_CURL:
      tacho_receive_curl (sender->port, sender->log, stamps);
      break;
    case TACHO_RECEIVER_AIOHTTP:
      return tacho_receive_aiohttp (sender->port, sender->log, stamps, cpu_s);
    default:
      tacho_receive_engine (sender->port, sender->log, stamps);
    }
  *cpu_s = (double) (tacho_bench_process_cpu_ns () - begin) / TACHO_NS_PER_S;
  return TRUE;
}

/**
 * tacho_receive:
 * @receiver: which
 * @plan: what the sender sends: with a rate, and one request a stream
 *
 * Starts a sender of its own for the receiver and lets it receive everything.
 *
 * Returns: what it took
 */
TachoReceived
tacho_receive (TachoReceiver receiver, const TachoSenderPlan *plan)
{
  TachoReceived received = { 0 };
  TachoReceivedStamps stamps;
  TachoSender sender;
  const TachoSenderLog *log;
  double cpu_s = 0;
  guint64 planned;

  tacho_sender_start (&sender, plan);
  log = sender.log;
  tacho_received_stamps_init (&stamps, log);
  if (run (receiver, &sender, &stamps, &cpu_s))
    {
      tacho_sender_wait (&sender);
      planned = (guint64) log->plan.requests * log->plan.events;
      if (stamps.events != planned)
        g_error ("%s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " events came",
                 tacho_receiver_get_name (receiver), stamps.events, planned);
      received.ok = TRUE;
      received.cpu_us_per_event =
          (double) (log->cpu_end_ns - log->cpu_begin_ns) / 1e3 / (double) log->cpu_events;
      received.cpu_us_whole = cpu_s * 1e6 / (double) planned;
      received.events_per_s = (double) (planned - 1) * TACHO_NS_PER_S /
                              (double) (log->last_sent_ns - log->first_sent_ns);
      received.own_read_share = (double) stamps.own_reads / (double) planned;
      compare_stamps (&stamps, &received);
    }
  else
    tacho_sender_kill (&sender);
  tacho_received_stamps_clear (&stamps);
  tacho_sender_clear (&sender);
  return received;
}
