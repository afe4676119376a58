/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the rules share. */
#pragma once

#include "bench/tacho-diagnosis.h"

G_BEGIN_DECLS

/* Over the samples inside the window; NaN: never told. */
typedef struct
{
  guint n;
  double waiting_share; /* of the samples that tell: with a request that waits */
  double waiting_mean;
  double running_max;
  double running_at_max_share;
  double kv_max;
  double preemptions;   /* in the run */
  double hit_share;     /* of the prefix cache, tokens */
  double cpu_mean;
} TachoSampleFacts;

typedef struct
{
  TachoBenchResult *result;
  GPtrArray *findings;
  TachoSampleFacts facts;
  double all; /* requests that count, however they ended */
} TachoDiagnosis;

TachoFinding *tacho_diagnosis_add (TachoDiagnosis *self,
                                   const char *id,
                                   TachoSeverity severity,
                                   const char *title);
void tacho_finding_evidence (TachoFinding *finding, const char *format, ...) G_GNUC_PRINTF (2, 3);
void tacho_finding_advice (TachoFinding *finding, const char *text);

void tacho_diagnosis_rules_client (TachoDiagnosis *self);
void tacho_diagnosis_rules_server (TachoDiagnosis *self);
void tacho_diagnosis_rules_sample (TachoDiagnosis *self);

G_END_DECLS
