/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every benchmark says, and how: each figure as a line on standard output and, where
 * TACHO_BENCH_JSON_DIR is set, as an object in that folder's NAME.json. A figure is the median of
 * several rounds with its spread; beside it stands what a bare reference did in the same rounds. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define TACHO_MAX_ROUNDS 32

/* One value a round. */
typedef struct
{
  double values[TACHO_MAX_ROUNDS];
  guint n;
} TachoRounds;

typedef enum
{
  TACHO_GOAL_NONE,
  TACHO_GOAL_AT_MOST,
  TACHO_GOAL_AT_LEAST,
  TACHO_GOAL_RATIO_AT_MOST,
  TACHO_GOAL_RATIO_AT_LEAST,
} TachoGoal;

typedef struct
{
  const char *name; /* "cpu/256-streams" */
  const char *unit; /* "us/event" */
  const TachoRounds *rounds;
  const char *reference_name; /* "bare epoll", or NULL */
  const TachoRounds *reference;
  TachoGoal goal;
  double limit;
  const char *note; /* or NULL */
} TachoFigure;

typedef struct _TachoBenchReport TachoBenchReport;

/* Reads --quick and --only TEXT; ends the program with exit 2 on anything else. */
TachoBenchReport *
tacho_bench_report_new (const char *benchmark, int argc, char **argv) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_bench_report_is_quick (TachoBenchReport *self);
/* FALSE: --only asks for others. */
gboolean tacho_bench_report_wants (TachoBenchReport *self, const char *what);
/* full, or in a quick run quick. */
guint tacho_bench_report_choose (TachoBenchReport *self, guint full, guint quick);
void tacho_bench_report_add (TachoBenchReport *self, const TachoFigure *figure);
/* Writes the file and frees. The exit status. */
int tacho_bench_report_finish (TachoBenchReport *self);

void tacho_rounds_add (TachoRounds *rounds, double value);
double tacho_rounds_median (const TachoRounds *rounds);
/* Of this thread, and of all of the process. */
gint64 tacho_bench_thread_cpu_ns (void);
gint64 tacho_bench_process_cpu_ns (void);

G_END_DECLS
