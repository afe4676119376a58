/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plans to start from: each asks one question that people have of a server. */
#define G_LOG_DOMAIN "tacho-bench-presets"

#include "config.h"

#include "app/tacho-bench-presets.h"

#include <glib/gi18n.h>

#define LONG_PROMPT 8192

enum
{
  PRESET_QUICK,
  PRESET_CHAT,
  PRESET_LONG,
  PRESET_THROUGHPUT,
  PRESET_SWEEP,
  N_PRESETS
};

static const TachoBenchPreset presets[N_PRESETS] = {
  [PRESET_QUICK] = { "quick", N_ ("Quick look"), N_ ("A few requests, to see that all is well"),
                     NULL },
  [PRESET_CHAT] = { "chat", N_ ("Interactive chat"),
                    N_ ("Conversations with pauses: does it feel fast to a few people?"), NULL },
  [PRESET_LONG] = { "long", N_ ("Long context"),
                    N_ ("Long prompts, short replies: how fast is reading?"), NULL },
  [PRESET_THROUGHPUT] = { "throughput", N_ ("Throughput"),
                          N_ ("Many at a time for a minute: how much comes out?"), NULL },
  [PRESET_SWEEP] = { "sweep", N_ ("Sweep"),
                     N_ ("The same at rising load: where does it bend, how much is good?"),
                     "1,2,4,8,16,32" },
};

/**
 * tacho_bench_presets_get:
 * @n: (out): how many
 *
 * Returns: (transfer none) (array length=n): the presets in their order
 */
const TachoBenchPreset *
tacho_bench_presets_get (guint *n)
{
  *n = N_PRESETS;
  return presets;
}

static void
set_lengths (TachoLengths *lengths, guint min, guint max)
{
  *lengths = (TachoLengths){ min, max, 0, 0 };
}

/**
 * tacho_bench_presets_make:
 * @preset: which
 * @context: the most tokens that the model takes; 0: not known
 *
 * Returns: (transfer full): its plan, without a model
 */
TachoBenchPlan *
tacho_bench_presets_make (guint preset, gint64 context)
{
  TachoBenchPlan *plan = tacho_bench_plan_new ();
  guint prompt = LONG_PROMPT;

  g_return_val_if_fail (preset < N_PRESETS, plan);

  switch (preset)
    {
    case PRESET_CHAT:
      plan->turns = 3;
      plan->think_s = 1;
      plan->requests = 0;
      plan->duration_s = 60;
      set_lengths (&plan->prompt_tokens, 32, 256);
      set_lengths (&plan->output_tokens, 32, 128);
      plan->slo = g_strdup ("ttft<500ms,itl<50ms");
      break;
    case PRESET_LONG:
      if (context > 0)
        prompt = (guint) CLAMP (context * 3 / 4, 1, LONG_PROMPT);
      plan->concurrency = 1;
      plan->requests = 8;
      plan->warmup_requests = 1;
      set_lengths (&plan->prompt_tokens, prompt, prompt);
      break;
    case PRESET_THROUGHPUT:
      plan->concurrency = 32;
      plan->requests = 0;
      plan->duration_s = 60;
      plan->warmup_requests = 0;
      plan->warmup_s = 5;
      set_lengths (&plan->prompt_tokens, 512, 512);
      set_lengths (&plan->output_tokens, 256, 256);
      break;
    case PRESET_SWEEP:
      plan->requests = 0;
      plan->duration_s = 10;
      plan->warmup_requests = 0;
      plan->warmup_s = 2;
      plan->slo = g_strdup ("ttft<1s,itl<60ms");
      break;
    case PRESET_QUICK:
    default:
      break;
    }
  return plan;
}
