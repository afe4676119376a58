/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The simulated server's settings: defaults, named configurations, copies. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-config.h"

#include "base/tacho-error.h"
#include "sim/tacho-sim-fault.h"
#include "sim/tacho-sim-timeline.h"

#include <math.h>
#include <string.h>

#define GIB (1024.0 * 1024.0 * 1024.0)

typedef struct
{
  const char *id;
  const char *name;
  const char *architecture;
  const char *quantization;
  double n_params;
  double size_gib;
  gint64 context_window;
  double prefill_ms;
  double decode_ms;
  double extra_ms;
  double load_s;
  const char *load_failure;
  gboolean loaded;
  gboolean reasoning;
  const char *capabilities;
} ModelRow;

static const ModelRow default_models[] = {
  { "sim-llama-8b-q4_k_m", "Simulated Llama 8B", "llama", "Q4_K_M", 8.03e9, 4.58, 8192, 0.6, 18,
    0.9, 2.5, NULL, TRUE, FALSE, "completion,tools" },
  { "sim-tiny-1b-q8_0", "Simulated Tiny 1B", "llama", "Q8_0", 1.24e9, 1.23, 4096, 0.08, 4, 0.25,
    0.6, NULL, TRUE, FALSE, "completion" },
  { "sim-qwen-32b-q4_k_m", "Simulated Qwen 32B", "qwen2", "Q4_K_M", 32.76e9, 18.49, 32768, 2.4, 62,
    2.8, 8, NULL, FALSE, FALSE, "completion,tools" },
  { "sim-reasoner-7b-q5_k_m", "Simulated Reasoner 7B", "qwen2", "Q5_K_M", 7.62e9, 5.07, 16384, 0.55,
    17, 0.8, 2.2, NULL, FALSE, TRUE, "completion,tools,thinking" },
  { "sim-mixtral-47b-q4_k_m", "Simulated Mixtral 8x7B", "llama", "Q4_K_M", 46.7e9, 24.62, 32768,
    1.5, 34, 2.2, 10, NULL, FALSE, FALSE, "completion,tools" },
  { "sim-broken-70b-q4_0", "Simulated Broken 70B", "llama", "Q4_0", 70.55e9, 37.22, 8192, 5, 130, 6,
    3, "not enough memory: 41.2 GB needed, 24.0 GB free", FALSE, FALSE, "completion" },
};

static TachoSimModel *
model_new (const ModelRow *row)
{
  TachoSimModel *model = g_new0 (TachoSimModel, 1);

  model->id = g_strdup (row->id);
  model->name = g_strdup (row->name);
  model->architecture = g_strdup (row->architecture);
  model->quantization = g_strdup (row->quantization);
  model->n_params = (guint64) row->n_params;
  model->size_bytes = (guint64) (row->size_gib * GIB);
  model->memory_bytes = model->size_bytes + model->size_bytes / 8 +
                        (guint64) row->context_window * 65536; /* weights, graph, KV cache */
  model->context_window = row->context_window;
  model->max_output = row->context_window / 2;
  model->kind = g_strdup ("chat");
  model->capabilities = g_strsplit (row->capabilities, ",", -1);
  model->prefill_ms_per_token = row->prefill_ms;
  model->decode_ms_per_step = row->decode_ms;
  model->decode_ms_per_extra = row->extra_ms;
  model->jitter = 0.04;
  model->load_s = row->load_s;
  model->load_failure = g_strdup (row->load_failure);
  model->loaded = row->loaded;
  model->reasoning = row->reasoning;
  return model;
}

/**
 * tacho_sim_model_copy:
 * @model: a model
 *
 * Returns: (transfer full): a deep copy, freed with the settings that it is added to
 */
TachoSimModel *
tacho_sim_model_copy (const TachoSimModel *model)
{
  TachoSimModel *copy = g_memdup2 (model, sizeof *model);

  copy->id = g_strdup (model->id);
  copy->name = g_strdup (model->name);
  copy->architecture = g_strdup (model->architecture);
  copy->quantization = g_strdup (model->quantization);
  copy->load_failure = g_strdup (model->load_failure);
  copy->kind = g_strdup (model->kind);
  copy->capabilities = g_strdupv (model->capabilities);
  return copy;
}

/**
 * tacho_sim_model_free:
 * @model: (nullable) (transfer full): a model
 */
void
tacho_sim_model_free (TachoSimModel *model)
{
  if (model == NULL)
    return;
  g_free (model->id);
  g_free (model->name);
  g_free (model->architecture);
  g_free (model->quantization);
  g_free (model->load_failure);
  g_free (model->kind);
  g_strfreev (model->capabilities);
  g_free (model);
}

static void
scale_speed (TachoSimConfig *config, double factor)
{
  for (guint i = 0; i < config->models->len; i++)
    {
      TachoSimModel *model = g_ptr_array_index (config->models, i);

      model->prefill_ms_per_token *= factor;
      model->decode_ms_per_step *= factor;
      model->decode_ms_per_extra *= factor;
    }
}

static void
make_fast (TachoSimConfig *config)
{
  config->slots = 32;
  for (guint i = 0; i < config->models->len; i++)
    {
      TachoSimModel *model = g_ptr_array_index (config->models, i);

      model->prefill_ms_per_token = 0.01;
      model->decode_ms_per_step = 1;
      model->decode_ms_per_extra = 0.01;
      model->jitter = 0.02;
      model->load_s = 0.05;
    }
}

/* As many models as a server of that family has: those that cannot load serve what they have. */
static void
make_family (TachoSimConfig *config, TachoSimFamily family)
{
  tacho_sim_config_get_front (config, 0)->family = family;
  if (tacho_sim_family_loads (family))
    return;
  config->router = FALSE;
  g_ptr_array_set_size (config->models, family == TACHO_SIM_FAMILY_OPENAI ? 2 : 1);
}

static void
make_grpc (TachoSimConfig *config, gboolean hybrid)
{
  const TachoSimFront grpc = { .family = TACHO_SIM_FAMILY_OIP, .grpc = TRUE };

  make_family (config, TACHO_SIM_FAMILY_OIP);
  if (!hybrid)
    g_array_set_size (config->fronts, 0);
  tacho_sim_config_add_front (config, &grpc);
}

static void
make_flaky (TachoSimConfig *config)
{
  static const char *const specs[] = {
    "status=503:p=0.01",    "drop:after=5:p=0.01", "truncate:after=8:p=0.01",
    "error:after=6:p=0.01", "latency=0.5:p=0.01",
  };

  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    {
      TachoSimFault *fault = tacho_sim_fault_parse (specs[i], NULL);

      g_ptr_array_add (config->faults, fault);
    }
}

static gboolean
make_named (TachoSimConfig *config, const char *name)
{
  TachoSimFamily family;

  if (*name == '\0' || g_str_equal (name, "default"))
    return TRUE;
  if (g_str_equal (name, "fast"))
    make_fast (config);
  else if (g_str_equal (name, "slow"))
    scale_speed (config, 6);
  else if (g_str_equal (name, "flaky"))
    make_flaky (config);
  else if (g_str_equal (name, "hybrid") || g_str_equal (name, "grpc"))
    make_grpc (config, *name == 'h');
  else if (tacho_sim_family_from_string (name, &family))
    make_family (config, family);
  else
    return FALSE;
  return TRUE;
}

/**
 * tacho_sim_config_get_names:
 *
 * Returns: (transfer none) (array zero-terminated=1): what may follow `sim:`
 */
const char *const *
tacho_sim_config_get_names (void)
{
  static const char *const names[] = { "default",  "fast",   "slow",   "flaky",    "all",
                                       "llamacpp", "openai", "ollama", "lmstudio", "vllm",
                                       "sglang",   "tgi",    "oip",    "kserve",   "ryzanstein",
                                       "hybrid",   "grpc",   NULL };

  return names;
}

/**
 * tacho_sim_config_new:
 * @name: (nullable): one of tacho_sim_config_get_names(), or one of them with `-fast` behind it;
 *   %NULL or an empty string is `default`
 * @error: return location for a `TACHO_ERROR_INVALID`
 *
 * Makes the settings of a named simulated server: several models of different speed, of which two
 * are loaded, and eight slots for each model. `fast` takes about a millisecond for a token, `slow`
 * six times the default's time, `flaky` plays faults on about one generation request in twenty. A
 * family's name speaks as that family does; `hybrid` is the Open Inference Protocol over REST and
 * gRPC, `grpc` has the gRPC side alone.
 *
 * Returns: (transfer full) (nullable): the settings, or %NULL if there are none of that name
 */
TachoSimConfig *
tacho_sim_config_new (const char *name, GError **error)
{
  g_autoptr (TachoSimConfig) config = g_new0 (TachoSimConfig, 1);
  const TachoSimFront front = { .family = TACHO_SIM_FAMILY_LLAMACPP };
  gboolean fast = name != NULL && g_str_has_suffix (name, "-fast");
  g_autofree char *plain =
      name ? g_strndup (name, strlen (name) - (fast ? strlen ("-fast") : 0)) : g_strdup ("");

  config->models = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_sim_model_free);
  config->faults = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_sim_fault_free);
  config->timeline = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_sim_step_free);
  config->fronts = g_array_new (FALSE, TRUE, sizeof (TachoSimFront));
  tacho_sim_config_add_front (config, &front);
  config->slots = 8;
  config->seed = 1;
  config->router = TRUE;
  config->prefix_cache = TRUE;
  config->time_scale = 1;
  for (guint i = 0; i < G_N_ELEMENTS (default_models); i++)
    g_ptr_array_add (config->models, model_new (&default_models[i]));
  if (!make_named (config, plain))
    {
      g_autofree char *names =
          g_strjoinv (", ", (char **) (gpointer) tacho_sim_config_get_names ());

      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "No simulated server is named “%s”. There are: %s.", name, names);
      return NULL;
    }
  if (fast)
    make_fast (config);
  return g_steal_pointer (&config);
}

/**
 * tacho_sim_config_get_front:
 * @config: the settings
 * @index: less than the number of fronts
 *
 * Returns: (transfer none): the front, valid until one is added
 */
TachoSimFront *
tacho_sim_config_get_front (const TachoSimConfig *config, guint index)
{
  g_return_val_if_fail (index < config->fronts->len, NULL);

  return &g_array_index (config->fronts, TachoSimFront, index);
}

/**
 * tacho_sim_config_add_front:
 * @config: the settings
 * @front: copied
 */
void
tacho_sim_config_add_front (TachoSimConfig *config, const TachoSimFront *front)
{
  g_return_if_fail (front->family < TACHO_SIM_N_FAMILIES);

  g_array_append_val (config->fronts, *front);
}

/**
 * tacho_sim_config_copy:
 * @config: the settings
 *
 * Returns: (transfer full): a deep copy
 */
TachoSimConfig *
tacho_sim_config_copy (const TachoSimConfig *config)
{
  TachoSimConfig *copy;

  g_return_val_if_fail (config != NULL, NULL);

  copy = g_memdup2 (config, sizeof *config);
  copy->models = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_sim_model_free);
  for (guint i = 0; i < config->models->len; i++)
    g_ptr_array_add (copy->models, tacho_sim_model_copy (g_ptr_array_index (config->models, i)));
  copy->faults = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_sim_fault_free);
  for (guint i = 0; i < config->faults->len; i++)
    g_ptr_array_add (copy->faults, tacho_sim_fault_copy (g_ptr_array_index (config->faults, i)));
  copy->timeline = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_sim_step_free);
  for (guint i = 0; i < config->timeline->len; i++)
    g_ptr_array_add (copy->timeline, tacho_sim_step_copy (g_ptr_array_index (config->timeline, i)));
  copy->fronts = g_array_copy (config->fronts);
  copy->api_key = g_strdup (config->api_key);
  copy->capture_path = g_strdup (config->capture_path);
  copy->tls_cert = g_strdup (config->tls_cert);
  copy->tls_key = g_strdup (config->tls_key);
  copy->tls_client_ca = g_strdup (config->tls_client_ca);
  return copy;
}

/**
 * tacho_sim_config_free:
 * @config: (nullable) (transfer full): the settings
 */
void
tacho_sim_config_free (TachoSimConfig *config)
{
  if (config == NULL)
    return;
  g_ptr_array_unref (config->models);
  g_ptr_array_unref (config->faults);
  g_ptr_array_unref (config->timeline);
  g_array_unref (config->fronts);
  g_free (config->api_key);
  g_free (config->capture_path);
  g_free (config->tls_cert);
  g_free (config->tls_key);
  g_free (config->tls_client_ca);
  g_free (config);
}

/**
 * tacho_sim_config_set_n_models:
 * @config: the settings
 * @n: how many models to offer, 1 to 100000
 *
 * Keeps the first @n models, or adds numbered copies of the tiny model until there are @n.
 */
void
tacho_sim_config_set_n_models (TachoSimConfig *config, guint n)
{
  g_return_if_fail (config != NULL);

  n = CLAMP (n, 1, 100000);
  if (config->models->len > n)
    g_ptr_array_set_size (config->models, (int) n);
  for (guint i = config->models->len; i < n; i++)
    {
      TachoSimModel *model = model_new (&default_models[1]);

      g_free (model->id);
      g_free (model->name);
      model->id = g_strdup_printf ("sim-tiny-1b-q8_0-%03u", i + 1);
      model->name = g_strdup_printf ("Simulated Tiny 1B No. %u", i + 1);
      model->loaded = !tacho_sim_family_loads (tacho_sim_config_get_front (config, 0)->family);
      g_ptr_array_add (config->models, model);
    }
}

/**
 * tacho_sim_config_set_timing:
 * @config: the settings
 * @ttft_ms: time to the first token of every request, in milliseconds; NaN keeps the models' own
 * @itl_ms: time between tokens, in milliseconds; NaN keeps the models' own
 *
 * Gives every model the same exact timing, whatever the prompt and the batch: no jitter, no growth
 * with the batch size. With both set, requests are independent of each other, which makes the
 * server a reference that a benchmark can be checked against.
 */
void
tacho_sim_config_set_timing (TachoSimConfig *config, double ttft_ms, double itl_ms)
{
  g_return_if_fail (config != NULL);

  for (guint i = 0; i < config->models->len; i++)
    {
      TachoSimModel *model = g_ptr_array_index (config->models, i);

      if (!isnan (ttft_ms))
        {
          model->prefill_ms_fixed = MAX (ttft_ms, 0);
          model->prefill_ms_per_token = 0;
        }
      if (!isnan (itl_ms))
        {
          model->decode_ms_per_step = MAX (itl_ms, 0.01);
          model->decode_ms_per_extra = 0;
        }
      model->jitter = 0;
    }
}
