/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model server that does nothing but send, in a process of its own: it writes events as vLLM
 * does, on a schedule, and logs when it read each request and just before it wrote each event, in
 * memory that both processes see, on the one CLOCK_MONOTONIC. It also looks at the CPU clock of the
 * receiving process, so that every receiver is measured over the same events. */
#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

typedef struct
{
  guint streams;     /* at a time */
  guint requests;    /* in all; 0: as many as streams */
  guint events;      /* content events of each reply */
  double rate;       /* events a second over all streams, round robin, once all have asked; or 0: */
  double ttft_ms;    /* each reply by itself: from its request to its first event, the median… */
  double ttft_sigma; /* …of a lognormal distribution */
  double gap_ms;     /* from one event to the next… */
  double gap_spread; /* …more or less so much of it */
} TachoSenderPlan;

/* Of request r: the id of its reply ends in r, as 24 hexadecimal digits. */
typedef struct
{
  TachoSenderPlan plan;
  pid_t receiver;                  /* whose CPU is looked at; set before the last request comes */
  gint64 cpu_begin_ns, cpu_end_ns; /* of the receiver, the first and the last tenth left out */
  guint64 cpu_events;              /* content events that were sent between the two */
  gint64 first_sent_ns, last_sent_ns;
  gint64 *request_ns; /* [requests]: 0, it never came */
  gint64 *sent_ns;    /* [requests][events] */
} TachoSenderLog;

typedef struct
{
  pid_t pid;
  guint16 port;
  TachoSenderLog *log;
  gsize log_size;
} TachoSender;

/* Ends the program with a message if it cannot start. */
void tacho_sender_start (TachoSender *self, const TachoSenderPlan *plan);
/* Waits until it has sent everything and its clients are gone. The log lives on until clear. */
void tacho_sender_wait (TachoSender *self);
void tacho_sender_kill (TachoSender *self); /* its log stays */
void tacho_sender_clear (TachoSender *self);
gint64 tacho_sender_log_sent_ns (const TachoSenderLog *log, guint request, guint event);
/* The request that a reply's id names; G_MAXUINT: none. */
guint tacho_sender_request_of_id (const char *id, gsize length);

G_END_DECLS
