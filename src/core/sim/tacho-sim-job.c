/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Loads that a client waits for, and pulls: byte counts over the time that the model takes to
 * load. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-job.h"

#include "sim/tacho-sim-timer.h"

#include <time.h>

#define PULL_TICKS 20
#define MAX_PULLS 256

static gint64
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- loads ------------------------------------------------------------------------------------ */

typedef struct
{
  TachoSimExchange *exchange;
  TachoSimRuntime *runtime;
  TachoSimLoadedFunc func;
  guint watch;
  gint64 begin_ns;
} LoadJob;

static void
load_job_free (gpointer data)
{
  LoadJob *job = data;

  tacho_sim_engine_unwatch (job->exchange->host->engine, job->watch);
  g_free (job);
}

static void
loaded_cb (TachoSimRuntime *runtime, gpointer user_data)
{
  LoadJob *job = user_data;
  TachoSimExchange *exchange = job->exchange;
  TachoSimLoadedFunc func = job->func;
  double seconds = (double) (now_ns () - job->begin_ns) / 1e9;

  if (runtime != job->runtime || runtime->status == TACHO_SIM_LOADING)
    return;
  exchange->job = NULL;
  load_job_free (job);
  func (exchange, runtime, seconds);
}

/**
 * tacho_sim_job_load:
 * @exchange: the request that waits
 * @runtime: the model
 * @func: called once, at once if the model is loaded
 */
void
tacho_sim_job_load (TachoSimExchange *exchange, TachoSimRuntime *runtime, TachoSimLoadedFunc func)
{
  LoadJob *job;

  if (runtime->status == TACHO_SIM_LOADED)
    {
      func (exchange, runtime, 0);
      return;
    }
  job = g_new0 (LoadJob, 1);
  job->exchange = exchange;
  job->runtime = runtime;
  job->func = func;
  job->begin_ns = now_ns ();
  exchange->job = job;
  exchange->job_free = load_job_free;
  tacho_sim_engine_load (exchange->host->engine, runtime);
  job->watch = tacho_sim_engine_watch (exchange->host->engine, loaded_cb, job);
}

/* --- pulls ------------------------------------------------------------------------------------ */

/**
 * tacho_sim_digest:
 * @model: a model
 * @id: its name
 * @digest: (out caller-allocates): 64 hexadecimal digits that look like a SHA-256
 */
void
tacho_sim_digest (const TachoSimModel *model, const char *id, char digest[65])
{
  guint64 value = tacho_sim_mix (g_str_hash (id) ^ model->size_bytes);

  for (guint i = 0; i < 4; i++)
    {
      g_snprintf (digest + 16 * i, 17, "%016" G_GINT64_MODIFIER "x", value);
      value = tacho_sim_mix (value);
    }
}

/**
 * tacho_sim_model_size:
 * @model: a model
 *
 * Returns: (transfer full): its parameters as people write them: "8.0B"
 */
char *
tacho_sim_model_size (const TachoSimModel *model)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (text, sizeof text, "%.1f", (double) model->n_params / 1e9);
  return g_strconcat (text, "B", NULL);
}

static void
end_pull (TachoSimPull *pull, TachoSimPullState state)
{
  pull->state = state;
  tacho_sim_timer_set (pull->timer, 0);
  if (state == TACHO_SIM_PULL_DONE)
    tacho_sim_engine_add_model (pull->host->engine, pull->id, pull->like);
}

static gboolean
pull_cb (gpointer user_data)
{
  TachoSimPull *pull = user_data;
  gint64 total_ns =
      MAX (tacho_sim_engine_scale_ns (pull->host->engine, pull->like->load_s * 1000), 1);
  gint64 now = now_ns ();
  double done = CLAMP ((double) (now - pull->begin_ns) / (double) total_ns, 0, 1);

  if (pull->state != TACHO_SIM_PULL_RUNNING)
    return G_SOURCE_CONTINUE;
  pull->completed = (guint64) (done * (double) pull->total);
  pull->bytes_per_second = (double) pull->total / ((double) total_ns / 1e9);
  if (done >= 1)
    end_pull (pull, TACHO_SIM_PULL_DONE);
  else
    tacho_sim_timer_set (pull->timer,
                         MIN (now + MAX (total_ns / PULL_TICKS, 1000), pull->begin_ns + total_ns));
  if (pull->func != NULL)
    pull->func (pull, pull->user_data);
  return G_SOURCE_CONTINUE;
}

static const TachoSimModel *
find_in_registry (TachoSimHost *host, const char *id)
{
  const GPtrArray *models = host->config->models;

  for (guint i = 0; i < models->len; i++)
    {
      const TachoSimModel *model = g_ptr_array_index (models, i);

      if (g_str_equal (model->id, id))
        return model;
    }
  return g_str_has_prefix (id, "sim-") ? g_ptr_array_index (models, MIN (1, models->len - 1))
                                       : NULL;
}

/**
 * tacho_sim_pull_start:
 * @host: the host
 * @id: a model of the registry
 * @func: (nullable): called on each step and at the end; not after a cancellation
 * @user_data: for @func
 *
 * Returns: (transfer none) (nullable): the pull; %NULL if there is no such model, or too many pulls
 */
TachoSimPull *
tacho_sim_pull_start (TachoSimHost *host, const char *id, TachoSimPullFunc func, gpointer user_data)
{
  const TachoSimModel *like = find_in_registry (host, id);
  TachoSimPull *pull;

  if (like == NULL || host->pulls->len >= MAX_PULLS)
    return NULL;
  pull = g_new0 (TachoSimPull, 1);
  pull->host = host;
  pull->number = host->pulls->len + 1;
  pull->id = g_strdup (id);
  pull->like = like;
  tacho_sim_digest (like, id, pull->digest);
  pull->total = like->size_bytes;
  pull->begin_ns = now_ns ();
  pull->started_at = g_get_real_time () / G_USEC_PER_SEC;
  pull->func = func;
  pull->user_data = user_data;
  pull->timer = tacho_sim_timer_new (host->context, pull_cb, pull);
  tacho_sim_timer_set (pull->timer, pull->begin_ns);
  g_ptr_array_add (host->pulls, pull);
  return pull;
}

/**
 * tacho_sim_pull_cancel:
 * @pull: a pull; harmless if it has ended
 */
void
tacho_sim_pull_cancel (TachoSimPull *pull)
{
  pull->func = NULL;
  if (pull->state == TACHO_SIM_PULL_RUNNING)
    end_pull (pull, TACHO_SIM_PULL_CANCELLED);
}

/**
 * tacho_sim_pull_find:
 * @host: the host
 * @id: a model
 *
 * Returns: (transfer none) (nullable): the pull that fetches it now
 */
TachoSimPull *
tacho_sim_pull_find (TachoSimHost *host, const char *id)
{
  for (guint i = 0; i < host->pulls->len; i++)
    {
      TachoSimPull *pull = g_ptr_array_index (host->pulls, i);

      if (pull->state == TACHO_SIM_PULL_RUNNING && g_str_equal (pull->id, id))
        return pull;
    }
  return NULL;
}

/**
 * tacho_sim_pull_find_number:
 * @host: the host
 * @number: of a pull, from 1
 *
 * Returns: (transfer none) (nullable): the pull, which may have ended
 */
TachoSimPull *
tacho_sim_pull_find_number (TachoSimHost *host, guint64 number)
{
  return number > 0 && number <= host->pulls->len
             ? g_ptr_array_index (host->pulls, (guint) (number - 1))
             : NULL;
}

/**
 * tacho_sim_pull_free:
 * @pull: (nullable) (transfer full): a pull
 */
void
tacho_sim_pull_free (TachoSimPull *pull)
{
  if (pull == NULL)
    return;
  tacho_sim_timer_free (pull->timer);
  g_free (pull->id);
  g_free (pull);
}
