/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the simulated server is: its models, their speed, its slots and its faults. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct
{
  char *id;
  char *name;
  char *architecture;
  char *quantization;
  guint64 n_params;
  guint64 size_bytes;
  gint64 context_window;
  double prefill_ms_fixed; /* per request, on top of the tokens; runs beside other requests */
  double prefill_ms_per_token;
  double decode_ms_per_step;  /* one sequence in the batch */
  double decode_ms_per_extra; /* added per further sequence in the batch */
  double jitter;              /* relative standard deviation of a step, seeded */
  double load_s;
  char *load_failure; /* the reason, or NULL: loading works */
  gboolean loaded;    /* at the start */
  gboolean reasoning; /* thinks first (reasoning_content) */
} TachoSimModel;

typedef enum
{
  TACHO_SIM_FAULT_STATUS,   /* answer with an HTTP status */
  TACHO_SIM_FAULT_LATENCY,  /* wait before the head */
  TACHO_SIM_FAULT_STALL,    /* stop in the stream after n events, for good */
  TACHO_SIM_FAULT_DROP,     /* close the socket after n events (0: before the head) */
  TACHO_SIM_FAULT_TRUNCATE, /* end the body cleanly after n events, without the terminal marker */
  TACHO_SIM_FAULT_ERROR,    /* in-band error after n events */
  TACHO_SIM_FAULT_SLOW,     /* multiply every time by a factor */
  TACHO_SIM_FAULT_NO_USAGE, /* the usage chunk is left out */
} TachoSimFaultKind;

typedef struct
{
  TachoSimFaultKind kind;
  char *path;          /* glob on the path, NULL: generation routes */
  double probability;  /* 0..1, seeded */
  guint64 first, last; /* request numbers (1-based, per matching path); 0: no bound */
  guint status;
  double seconds;
  double factor;
  guint after_events;
} TachoSimFault;

/* "status=503:p=0.1", "drop:after=3:n=5", "latency=0.2:path=/v1/models", "truncate:after=4", …; see
 * tacho-sim-fault.c */
/* An event is one SSE event, the role-only first one included. */
TachoSimFault *tacho_sim_fault_parse (const char *spec, GError **error)
    G_GNUC_WARN_UNUSED_RESULT; /* TACHO_ERROR_INVALID */
void tacho_sim_fault_free (TachoSimFault *fault);

typedef struct
{
  GPtrArray *models; /* of TachoSimModel */
  GPtrArray *faults; /* of TachoSimFault */
  guint slots;       /* generations at a time per model; others queue */
  guint64 seed;
  gboolean router;      /* llama.cpp router (load and unload) or one model */
  gboolean openai_only; /* hide the llama.cpp routes */
  double time_scale;    /* 1; tests use a small one */
  char *api_key;        /* demanded when set */
  char *capture_path;   /* JSON lines, or NULL */
} TachoSimConfig;

/* The default: several believable models of different speed, two loaded, 8 slots. name: as in
 * "sim:NAME": NULL or "default", "fast", "slow", "openai", "flaky". */
TachoSimConfig *tacho_sim_config_new (const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
TachoSimConfig *tacho_sim_config_copy (const TachoSimConfig *config) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sim_config_free (TachoSimConfig *config);
void tacho_sim_config_set_n_models (TachoSimConfig *config, guint n); /* simulate --models */
void tacho_sim_config_set_timing (TachoSimConfig *config,
                                  double ttft_ms,
                                  double itl_ms); /* --ttft --itl, NaN: keep */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoSimConfig, tacho_sim_config_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoSimFault, tacho_sim_fault_free)

G_END_DECLS
