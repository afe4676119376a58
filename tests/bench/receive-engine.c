/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The load engine as a run uses it: parsing, stamps, records, snapshots and the result. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-receivers.h"

#include "api/tacho-api-openai.h"
#include "bench/tacho-load-engine.h"

#include <string.h>

static void
ignore_snapshot (TachoSnapshotMessage *message, gpointer user_data)
{
  tacho_snapshot_message_free (message);
}

/**
 * tacho_receive_result:
 * @port: of a sender
 * @log: its log
 * @keep_chunks: whether the stamp of every chunk is kept
 * @edit: (nullable): changes the plan before the run
 * @user_data: for @edit
 *
 * Runs the engine in this thread until the sender's plan is through.
 *
 * Returns: (transfer full): the run
 */
TachoBenchResult *
tacho_receive_result (guint16 port,
                      const TachoSenderLog *log,
                      gboolean keep_chunks,
                      TachoPlanFunc edit,
                      gpointer user_data)
{
  TachoLoadConfig *config = g_new0 (TachoLoadConfig, 1);
  g_autoptr (GError) error = NULL;
  TachoBenchResult *result;
  TachoLoadEngine *engine;

  config->base_url = g_strdup_printf ("http://127.0.0.1:%u", port);
  config->api = tacho_api_openai_new ();
  config->plan = tacho_bench_plan_new ();
  config->plan->model = g_strdup ("qwen2.5-7b");
  config->plan->concurrency = log->plan.streams;
  config->plan->requests = log->plan.requests;
  config->plan->warmup_requests = 0;
  config->keep_chunks = keep_chunks;
  config->timeouts_s[TACHO_TIMEOUT_CONNECT] = 10;
  if (edit != NULL)
    edit (config->plan, user_data);
  result = tacho_bench_result_new (config->plan);
  engine = tacho_load_engine_new (config, &error);
  if (engine == NULL)
    g_error ("%s", error->message);
  tacho_load_engine_run (engine, ignore_snapshot, NULL, result);
  tacho_load_engine_free (engine);
  return result;
}

/**
 * tacho_receive_engine:
 * @port: of the sender
 * @log: its log
 * @stamps: what was received
 *
 * Receives every stream to its end.
 */
void
tacho_receive_engine (guint16 port, const TachoSenderLog *log, TachoReceivedStamps *stamps)
{
  g_autoptr (TachoBenchResult) result = tacho_receive_result (port, log, TRUE, NULL, NULL);

  for (guint i = 0; i < result->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (result->records, i);
      const char *id = record->response_id != NULL ? record->response_id : "";
      guint request = tacho_sender_request_of_id (id, strlen (id));

      for (guint k = 0; k < record->n_chunk_ns; k++)
        tacho_received_stamps_add (stamps, request, record->chunk_ns[k]);
    }
  stamps->own_reads = (guint64) (result->self_check.own_read_share * (double) stamps->events + 0.5);
}
