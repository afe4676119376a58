/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A generation that a call asked for, and what the statistics keep of it. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-grpc-private.h"

static void
count_end (TachoSimRun *run, gboolean success)
{
  const TachoSimSequence *sequence = run->generation->sequence;
  TachoSimGrpcStats *stats = tacho_sim_grpc_get_stats (run->rpc->grpc, run->runtime->model->id);
  gint64 end = MAX (sequence->last_token_ns, run->generation->created_ns);
  gint64 queued = MAX (sequence->admitted_ns - run->generation->created_ns, 0);
  gint64 total = end - run->generation->created_ns;

  run->over = TRUE;
  run->rpc->n_generations--;
  stats->last_ms = g_get_real_time () / 1000;
  if (!success)
    {
      stats->fail++;
      stats->fail_ns += total;
      return;
    }
  stats->success++;
  stats->success_ns += total;
  stats->queue_ns += queued;
  stats->infer_ns += MAX (total - queued, 0);
}

static void
admitted_cb (gpointer user_data)
{
}

static TachoSimSend
text_cb (gpointer user_data, const char *text, gboolean reasoning)
{
  TachoSimRun *run = user_data;

  g_string_append (run->text, text);
  return run->funcs->text (run, text);
}

static void
end_cb (gpointer user_data)
{
  TachoSimRun *run = user_data;

  if (run->rpc->ended)
    return; /* by a fault */
  count_end (run, TRUE);
  run->funcs->end (run);
}

static void
failed_cb (gpointer user_data, const char *reason)
{
  TachoSimRun *run = user_data;

  if (run->rpc->ended)
    return;
  count_end (run, FALSE);
  run->funcs->failed (run, reason);
}

static const TachoSimGenerationFuncs generation_funcs = { admitted_cb, NULL, text_cb, end_cb,
                                                          failed_cb };

/**
 * tacho_sim_run_start:
 * @rpc: a call
 * @runtime: one of the engine's models
 * @prompt: (transfer full) (element-type guint32): its tokens
 * @options: what is taken over; left empty
 * @funcs: what becomes of it
 * @user_data: theirs
 * @message: (out): what is wrong
 *
 * Queues a generation. The text is raw: models that think do not do so here, as behind Triton.
 *
 * Returns: (transfer full) (nullable): the generation; %NULL: the prompt fills the model's context
 */
TachoSimRun *
tacho_sim_run_start (TachoSimRpc *rpc,
                     TachoSimRuntime *runtime,
                     GArray *prompt,
                     TachoSimGenerationOptions *options,
                     const TachoSimRunFuncs *funcs,
                     gpointer user_data,
                     char **message)
{
  const guint32 begin = 4;
  TachoSimRun *run;

  if (prompt->len == 0)
    g_array_append_val (prompt, begin);
  if (prompt->len >= runtime->model->context_window)
    {
      *message = g_strdup_printf ("The prompt of %u tokens is longer than the maximum model length "
                                  "of %" G_GINT64_FORMAT,
                                  prompt->len, runtime->model->context_window);
      g_array_unref (prompt);
      return NULL;
    }
  run = g_new0 (TachoSimRun, 1);
  run->rpc = rpc;
  run->runtime = runtime;
  run->funcs = funcs;
  run->user_data = user_data;
  run->text = g_string_new (NULL);
  options->factor = rpc->play.factor;
  options->bundle = rpc->play.bundle;
  run->generation = tacho_sim_generation_new (rpc->grpc->host->engine, runtime, prompt, options,
                                              &generation_funcs, run);
  tacho_sim_generation_no_thoughts (run->generation);
  rpc->n_generations++;
  tacho_sim_generation_start (run->generation);
  if (rpc->n_generation == 0)
    rpc->n_generation = run->generation->sequence->id_task + 1;
  return run;
}

/**
 * tacho_sim_run_free:
 * @run: (nullable) (transfer full): a generation; it is stopped
 */
void
tacho_sim_run_free (TachoSimRun *run)
{
  if (run == NULL)
    return;
  if (!run->over)
    tacho_sim_grpc_get_stats (run->rpc->grpc, run->runtime->model->id)->cancel++;
  tacho_sim_generation_free (run->generation);
  g_string_free (run->text, TRUE);
  g_free (run);
}

/**
 * tacho_sim_run_take_tokens:
 * @run: a generation
 *
 * Returns: how many tokens were generated since this was asked before
 */
guint
tacho_sim_run_take_tokens (TachoSimRun *run)
{
  guint n = run->generation->sequence->n_decoded - run->n_told;

  run->n_told += n;
  return n;
}
