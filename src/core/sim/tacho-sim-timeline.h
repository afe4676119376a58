/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What changes while the simulated server runs. */
#pragma once

#include "sim/tacho-sim-config.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_SIM_STEP_ADD_FAULT,
  TACHO_SIM_STEP_CLEAR_FAULTS,
  TACHO_SIM_STEP_DOWN,  /* a side: its port is closed, its connections end */
  TACHO_SIM_STEP_UP,    /* and listens on the same port again */
  TACHO_SIM_STEP_SPEED, /* every time of a model, or of all, becomes so many times as long */
  TACHO_SIM_STEP_LOAD,
  TACHO_SIM_STEP_UNLOAD,
  TACHO_SIM_STEP_FAIL, /* a model is lost, and loading it fails from now on */
  TACHO_SIM_STEP_MEND, /* loading it works again */
  TACHO_SIM_STEP_SLOTS,
} TachoSimStepKind;

typedef struct
{
  double at_s; /* since the server's start; scaled as all its times */
  TachoSimStepKind kind;
  gboolean grpc; /* DOWN, UP: which side */
  char *model;   /* SPEED: NULL for all */
  char *reason;  /* FAIL */
  guint slots;
  double factor;
  TachoSimFault *fault;
} TachoSimStep;

TachoSimStep *tacho_sim_step_new (double at_s, TachoSimStepKind kind) G_GNUC_WARN_UNUSED_RESULT;
TachoSimStep *tacho_sim_step_copy (const TachoSimStep *step) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sim_step_free (TachoSimStep *step);
const char *tacho_sim_step_kind_to_string (TachoSimStepKind kind); /* "add-fault", "down", … */
gboolean tacho_sim_step_kind_from_string (const char *name, TachoSimStepKind *kind);

G_END_DECLS
