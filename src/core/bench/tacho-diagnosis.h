/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What held a run back, with the evidence for it and what to do. A pure function of the run. */
#pragma once

#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_FINDING_INFO,    /* good to know */
  TACHO_FINDING_NOTICE,  /* a limit, of server or plan */
  TACHO_FINDING_WARNING, /* figures do not mean what one may think */
  TACHO_FINDING_PROBLEM, /* something is broken */
} TachoSeverity;

typedef struct
{
  const char *id; /* "queueing", … as in docs/metrics.md */
  TachoSeverity severity;
  char *title;
  GPtrArray *evidence; /* of char *: with the numbers */
  GPtrArray *advice;   /* of char * */
} TachoFinding;

/* Most severe first. (transfer full) (element-type TachoFinding) */
GPtrArray *tacho_diagnose (TachoBenchResult *result) G_GNUC_WARN_UNUSED_RESULT;
/* The title of the most severe finding, from notices on; NULL: nothing was in the way. */
char *tacho_diagnosis_headline (TachoBenchResult *result) G_GNUC_WARN_UNUSED_RESULT;
const char *tacho_severity_to_string (TachoSeverity severity);

G_END_DECLS
