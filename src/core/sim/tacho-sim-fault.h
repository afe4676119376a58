/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which faults a request meets: parsed, counted per fault, and seeded, so that a run can be
 * replayed. */
#pragma once

#include "sim/tacho-sim-config.h"

G_BEGIN_DECLS

/* What is to be played on one request; several faults may add up. */
typedef struct
{
  char *id; /* the specs that apply, joined by ", "; NULL: none */
  guint n_faults;
  guint status; /* 0: none */
  double latency_s;
  double factor; /* 1: normal speed */
  gboolean no_usage;
  guint bundle;         /* tokens in a chunk; 1 */
  double retry_after_s; /* with the status; NaN: as it has it */
  char *body;           /* with the status: "json", "html", "text", "empty"; NULL: the family's */
  TachoSimFault *wire;  /* the wrong bytes, or NULL */
  double bandwidth;     /* 0: none */
  guint slice_bytes;    /* 0: none */
  double slice_ms;
  TachoSimFault *grpc; /* what the gRPC front does wrong, or NULL */
  gboolean has_stream_fault;
  TachoSimFaultKind stream_fault; /* STALL, DROP, TRUNCATE or ERROR */
  guint after_events;
} TachoSimPlay;

void tacho_sim_play_init (TachoSimPlay *play);
void tacho_sim_play_clear (TachoSimPlay *play);

typedef struct _TachoSimFaultSet TachoSimFaultSet;

/* All faults: "name=VALUE<tab>what it does", for help and documentation. */
char **tacho_sim_fault_names (void) G_GNUC_WARN_UNUSED_RESULT;

TachoSimFault *tacho_sim_fault_copy (const TachoSimFault *fault) G_GNUC_WARN_UNUSED_RESULT;
char *tacho_sim_fault_to_string (const TachoSimFault *fault) G_GNUC_WARN_UNUSED_RESULT;

TachoSimFaultSet *tacho_sim_fault_set_new (guint64 seed) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sim_fault_set_free (TachoSimFaultSet *set);
void tacho_sim_fault_set_add (TachoSimFaultSet *set, const TachoSimFault *fault);
void tacho_sim_fault_set_clear (TachoSimFaultSet *set);
char *tacho_sim_fault_set_to_json (const TachoSimFaultSet *set) G_GNUC_WARN_UNUSED_RESULT;
/* request_spec: faults that the request itself asks for ("X-Tacho-Fault: SPEC"), or NULL. */
gboolean tacho_sim_fault_set_match (TachoSimFaultSet *set,
                                    const char *path,
                                    gboolean generation,
                                    const char *request_spec,
                                    TachoSimPlay *play,
                                    GError **error);

G_END_DECLS
