/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the simulated server is: its models, their speed, its slots and its faults. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Which server's routes and replies. */
typedef enum
{
  TACHO_SIM_FAMILY_ALL, /* every family's routes; where two collide, the first of this list */
  TACHO_SIM_FAMILY_LLAMACPP,
  TACHO_SIM_FAMILY_OPENAI, /* nobody's own routes */
  TACHO_SIM_FAMILY_OLLAMA,
  TACHO_SIM_FAMILY_LMSTUDIO,
  TACHO_SIM_FAMILY_VLLM,
  TACHO_SIM_FAMILY_SGLANG,
  TACHO_SIM_FAMILY_TGI,
  TACHO_SIM_FAMILY_OIP, /* Triton, with models of the vLLM backend's tensors */
  TACHO_SIM_FAMILY_KSERVE,
  TACHO_SIM_FAMILY_RYZANSTEIN,
  TACHO_SIM_N_FAMILIES
} TachoSimFamily;

const char *tacho_sim_family_to_string (TachoSimFamily family); /* "all", "llamacpp", … */
gboolean tacho_sim_family_from_string (const char *name, TachoSimFamily *family);
gboolean tacho_sim_family_has_grpc (TachoSimFamily family);
gboolean tacho_sim_family_loads (TachoSimFamily family); /* models can be loaded and unloaded */

/* One port, and what is spoken there. All fronts of a server share its models and slots. */
typedef struct
{
  TachoSimFamily family;
  guint16 port;  /* of 127.0.0.1; 0: any free one */
  gboolean grpc; /* gRPC in place of HTTP: oip, kserve, ryzanstein, all */
  gboolean tls;  /* with the configuration's tls_cert and tls_key */
} TachoSimFront;

typedef struct
{
  char *id;
  char *name;
  char *architecture;
  char *kind;          /* "chat", "completion", "embedding", "vision" */
  char **capabilities; /* "completion", "tools", "thinking", "vision", "embedding" */
  char *quantization;
  guint64 n_params;
  guint64 size_bytes;
  guint64 memory_bytes; /* when it is loaded */
  gint64 context_window;
  gint64 max_output;
  guint64 kv_cache_tokens; /* that fit at a time, over all slots; 0: no limit */
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

TachoSimModel *tacho_sim_model_copy (const TachoSimModel *model) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sim_model_free (TachoSimModel *model);

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
  TACHO_SIM_FAULT_BUNDLE,   /* several tokens in one chunk */
  TACHO_SIM_FAULT_WIRE,     /* wrong bytes: `name` is a row of tacho-sim-wire.c */
  TACHO_SIM_FAULT_GRPC,     /* of the gRPC front: `name` is a row of tacho-sim-fault-kinds.c */
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
  const char *name;     /* WIRE and GRPC: which one; static */
  char *word;           /* WIRE: its value if that is a word; a redirect's target */
  double number;        /* WIRE, GRPC: its value if that is a number */
  guint64 after_bytes;  /* WIRE: of the body, in place of after_events; 0: none */
  double delay_ms;      /* slice: between the pieces */
  double jitter_s;      /* latency: up to so much more, seeded */
  double retry_after_s; /* status: the header's value; NaN: as the status has it */
  char *body;           /* status: "json", "html", "text" or "empty"; NULL: the family's */
} TachoSimFault;

/* "status=503:p=0.1", "drop:after=3:n=5", "latency=0.2:path=/v1/models", "truncate:after=4", …; see
 * tacho-sim-fault.c */
/* An event is one SSE event, the role-only first one included. */
TachoSimFault *tacho_sim_fault_parse (const char *spec, GError **error)
    G_GNUC_WARN_UNUSED_RESULT; /* TACHO_ERROR_INVALID */
void tacho_sim_fault_free (TachoSimFault *fault);

typedef struct
{
  GPtrArray *models;   /* of TachoSimModel */
  GPtrArray *faults;   /* of TachoSimFault */
  GPtrArray *timeline; /* of TachoSimStep: what changes while it runs */
  GArray *fronts;      /* of TachoSimFront; never empty; the first is the server's URL */
  guint slots;         /* generations at a time per model; others queue */
  guint64 seed;
  gboolean router;            /* llama.cpp router (load and unload) or one model */
  gboolean prefix_cache;      /* a prompt's known beginning costs nothing; TRUE */
  double time_scale;          /* 1; tests use a small one */
  double requests_per_second; /* more are refused with 429; 0: no limit */
  double tokens_per_minute;   /* prompt and output; 0: no limit */
  char *api_key;              /* demanded when set */
  char *capture_path;         /* JSON lines, or NULL */
  char *tls_cert;             /* PEM files of the fronts with TLS, or NULL */
  char *tls_key;
  char *tls_client_ca; /* a client certificate that this signed is demanded; or NULL */
} TachoSimConfig;

/* The default: several believable models of different speed, two loaded, 8 slots, one front that
 * speaks as llama.cpp. name: as in "sim:NAME": NULL or "default", "fast", "slow", "flaky", a family
 * ("ollama"), "hybrid" or "grpc"; any of them with "-fast" behind it. */
TachoSimConfig *tacho_sim_config_new (const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
TachoSimConfig *tacho_sim_config_copy (const TachoSimConfig *config) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sim_config_free (TachoSimConfig *config);
const char *const *tacho_sim_config_get_names (void);
TachoSimFront *tacho_sim_config_get_front (const TachoSimConfig *config, guint index);
void tacho_sim_config_add_front (TachoSimConfig *config, const TachoSimFront *front);
void tacho_sim_config_set_n_models (TachoSimConfig *config, guint n); /* simulate --models */
void tacho_sim_config_set_timing (TachoSimConfig *config,
                                  double ttft_ms,
                                  double itl_ms); /* --ttft --itl, NaN: keep */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoSimConfig, tacho_sim_config_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoSimFault, tacho_sim_fault_free)

G_END_DECLS
