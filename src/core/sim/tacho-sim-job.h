/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What takes a while and is no generation: a model that loads, a model that is fetched. */
#pragma once

#include "sim/tacho-sim-http.h"

G_BEGIN_DECLS

/* Loads it if need be, and calls when it is loaded, or has failed (its status says which). The wait
 * ends with the exchange. */
typedef void (*TachoSimLoadedFunc) (TachoSimExchange *exchange,
                                    TachoSimRuntime *runtime,
                                    double seconds);
void
tacho_sim_job_load (TachoSimExchange *exchange, TachoSimRuntime *runtime, TachoSimLoadedFunc func);

typedef enum
{
  TACHO_SIM_PULL_RUNNING,
  TACHO_SIM_PULL_DONE,
  TACHO_SIM_PULL_CANCELLED,
} TachoSimPullState;

typedef struct _TachoSimPull TachoSimPull;
typedef void (*TachoSimPullFunc) (TachoSimPull *pull, gpointer user_data);

struct _TachoSimPull
{
  TachoSimHost *host;
  guint number;
  char *id; /* of the model */
  const TachoSimModel *like;
  char digest[65];
  guint64 total, completed; /* bytes */
  double bytes_per_second;
  TachoSimPullState state;
  gint64 begin_ns;
  gint64 started_at; /* Unix time */
  GSource *timer;
  TachoSimPullFunc func;
  gpointer user_data;
};

/* What there is to fetch: every model of the configuration, and any name that begins with "sim-".
 * NULL: no such model. The model is the server's when the pull is done. */
TachoSimPull *tacho_sim_pull_start (TachoSimHost *host,
                                    const char *id,
                                    TachoSimPullFunc func,
                                    gpointer user_data); /* owned by the host */
void tacho_sim_pull_cancel (TachoSimPull *pull);
TachoSimPull *tacho_sim_pull_find (TachoSimHost *host, const char *id); /* one that runs */
TachoSimPull *tacho_sim_pull_find_number (TachoSimHost *host, guint64 number);
void tacho_sim_pull_free (TachoSimPull *pull);
void tacho_sim_digest (const TachoSimModel *model, const char *id, char digest[65]);
/* "8.0B" */
char *tacho_sim_model_size (const TachoSimModel *model) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
