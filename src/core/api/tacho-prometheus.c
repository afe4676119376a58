/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Prometheus text format, version 0.0.4: https://prometheus.io/docs/instrumenting/
 * exposition_formats/. OpenMetrics' exemplars and "# EOF" are let pass. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-prometheus.h"

#include <math.h>
#include <string.h>

#include "api/tacho-api-private.h"
#include "base/tacho-error.h"

typedef struct
{
  const char *p;
  const char *end; /* of the line */
  guint number;
} Line;

static gboolean
fail (const Line *line, const char *what, GError **error)
{
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
               "Line %u of the server's metrics is not of the Prometheus text format: %s",
               line->number, what);
  return FALSE;
}

static void
skip_blanks (Line *line)
{
  while (line->p < line->end && (*line->p == ' ' || *line->p == '\t'))
    line->p++;
}

static gboolean
is_name_char (char c, gboolean first, gboolean colon)
{
  return g_ascii_isalpha (c) || c == '_' || (colon && c == ':') || (!first && g_ascii_isdigit (c));
}

static char *
take_name (Line *line, gboolean colon)
{
  const char *from = line->p;

  while (line->p < line->end && is_name_char (*line->p, line->p == from, colon))
    line->p++;
  return line->p > from ? g_strndup (from, (gsize) (line->p - from)) : NULL;
}

/* In quotes: \\, \" and \n are the escapes. */
static char *
take_label_value (Line *line)
{
  g_autoptr (GString) value = g_string_new (NULL);

  if (line->p >= line->end || *line->p++ != '"')
    return NULL;
  while (line->p < line->end && *line->p != '"')
    {
      char c = *line->p++;

      if (c == '\\')
        {
          if (line->p >= line->end || strchr ("\\\"n", *line->p) == NULL)
            return NULL;
          c = *line->p == 'n' ? '\n' : *line->p;
          line->p++;
        }
      g_string_append_c (value, c);
    }
  if (line->p >= line->end)
    return NULL;
  line->p++;
  return g_string_free (g_steal_pointer (&value), FALSE);
}

static void
label_clear (gpointer data)
{
  TachoPrometheusLabel *label = data;

  g_free (label->name);
  g_free (label->value);
}

static gboolean
has_label (const GArray *labels, const char *name)
{
  for (guint i = 0; i < labels->len; i++)
    if (strcmp (g_array_index (labels, TachoPrometheusLabel, i).name, name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
take_labels (Line *line, GArray *labels, GError **error)
{
  line->p++;
  for (;;)
    {
      TachoPrometheusLabel label = { NULL, NULL };

      skip_blanks (line);
      if (line->p < line->end && *line->p == '}')
        {
          line->p++;
          return TRUE;
        }
      if (labels->len == TACHO_PROMETHEUS_MAX_LABELS)
        return fail (line, "too many labels", error);
      label.name = take_name (line, FALSE);
      skip_blanks (line);
      if (label.name == NULL || line->p >= line->end || *line->p != '=' ||
          has_label (labels, label.name))
        {
          label_clear (&label);
          return fail (line, "a label has no name or no “=”, or comes twice", error);
        }
      line->p++;
      skip_blanks (line);
      label.value = take_label_value (line);
      g_array_append_val (labels, label);
      if (label.value == NULL)
        return fail (line, "the value of a label is not a quoted text", error);
      skip_blanks (line);
      if (line->p < line->end && *line->p == ',')
        line->p++;
      else if (line->p >= line->end || *line->p != '}')
        return fail (line, "after a label comes neither “,” nor “}”", error);
    }
}

static char *
take_word (Line *line)
{
  const char *from;

  skip_blanks (line);
  from = line->p;
  while (line->p < line->end && *line->p != ' ' && *line->p != '\t')
    line->p++;
  return g_strndup (from, (gsize) (line->p - from));
}

/* As Go's ParseFloat writes them; hexadecimal and underscores are not of the format. */
static gboolean
read_value (const char *word, double *value)
{
  const char *digits = word + (word[0] == '-' || word[0] == '+');
  char *end = NULL;

  if (g_ascii_strcasecmp (word, "NaN") == 0)
    *value = NAN;
  else if (g_ascii_strcasecmp (digits, "Inf") == 0)
    *value = word[0] == '-' ? -INFINITY : INFINITY;
  else if ((g_ascii_isdigit (digits[0]) || digits[0] == '.') &&
           strspn (digits, "0123456789.eE+-") == strlen (digits))
    {
      *value = g_ascii_strtod (word, &end);
      return *end == '\0' && isfinite (*value);
    }
  else
    return FALSE;
  return TRUE;
}

/* After the value: a timestamp, or an exemplar, neither of which we need. */
static gboolean
read_rest (Line *line)
{
  g_autofree char *stamp = NULL;

  skip_blanks (line);
  if (line->p >= line->end || *line->p == '#')
    return TRUE;
  stamp = take_word (line);
  skip_blanks (line);
  return (line->p >= line->end || *line->p == '#') &&
         strspn (stamp + (stamp[0] == '-'), "0123456789.") == strlen (stamp + (stamp[0] == '-'));
}

static gboolean
read_sample (Line *line, TachoPrometheusFunc func, gpointer user_data, GError **error)
{
  g_autoptr (GArray) labels = g_array_new (FALSE, FALSE, sizeof (TachoPrometheusLabel));
  g_autofree char *name = take_name (line, TRUE);
  g_autofree char *word = NULL;
  TachoPrometheusSample sample;

  g_array_set_clear_func (labels, label_clear);
  if (name == NULL)
    return fail (line, "it begins with no metric's name", error);
  skip_blanks (line);
  if (line->p < line->end && *line->p == '{' && !take_labels (line, labels, error))
    return FALSE;
  if (line->p < line->end && labels->len == 0 && line->p[-1] != '}' && line->p[-1] != ' ' &&
      line->p[-1] != '\t')
    return fail (line, "a metric's name has a character that no name has", error);
  word = take_word (line);
  if (!read_value (word, &sample.value))
    return fail (line, "a sample has no value that is a number", error);
  if (!read_rest (line))
    return fail (line, "something else follows the value", error);
  sample.name = name;
  sample.labels = (const TachoPrometheusLabel *) (gconstpointer) labels->data;
  sample.n_labels = labels->len;
  func (&sample, user_data);
  return TRUE;
}

/**
 * tacho_prometheus_parse:
 * @text: the whole of it
 * @length: its length in bytes
 * @func: (scope call): called for each sample
 * @user_data: passed to @func
 * @error: return location
 *
 * Reads the Prometheus text format: names, labels with their escapes, numbers with NaN and
 * infinities. The last line must end too, as the format says: a number that was cut is another one.
 *
 * Returns: %TRUE; or %FALSE with %TACHO_ERROR_PROTOCOL, the line's number and what is wrong with it
 */
gboolean
tacho_prometheus_parse (const char *text,
                        gsize length,
                        TachoPrometheusFunc func,
                        gpointer user_data,
                        GError **error)
{
  const char *end;
  Line line = { .p = text };

  g_return_val_if_fail (text != NULL || length == 0, FALSE);

  if (length > TACHO_PROMETHEUS_MAX_SIZE)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The server's metrics are longer than %u MiB",
                   (guint) (TACHO_PROMETHEUS_MAX_SIZE / (1024 * 1024)));
      return FALSE;
    }
  end = length > 0 ? text + length : text;
  while (line.p < end)
    {
      const char *newline = memchr (line.p, '\n', (gsize) (end - line.p));

      line.number++;
      line.end = newline;
      if (newline == NULL)
        return fail (&line, "it is the last one, and cut off", error);
      if ((gsize) (newline - line.p) > TACHO_PROMETHEUS_MAX_LINE)
        return fail (&line, "it is too long", error);
      if (line.end > line.p && line.end[-1] == '\r')
        line.end--;
      if (!g_utf8_validate_len (line.p, (gsize) (line.end - line.p), NULL))
        return fail (&line, "it is not UTF-8", error);
      skip_blanks (&line);
      if (line.p < line.end && *line.p != '#' && !read_sample (&line, func, user_data, error))
        return FALSE;
      line.p = newline + 1;
    }
  return TRUE;
}

/**
 * tacho_prometheus_get_label:
 * @sample: a sample
 * @name: a label's name
 *
 * Returns: (nullable): its value, or %NULL if @sample has no such label
 */
const char *
tacho_prometheus_get_label (const TachoPrometheusSample *sample, const char *name)
{
  g_return_val_if_fail (sample != NULL && name != NULL, NULL);

  for (guint i = 0; i < sample->n_labels; i++)
    if (strcmp (sample->labels[i].name, name) == 0)
      return sample->labels[i].value;
  return NULL;
}

/* --- what the servers call it --- */

typedef enum
{
  JOIN_SUM,  /* of all models, engines or GPUs */
  JOIN_MAX,  /* of several caches the fullest */
  JOIN_MEAN, /* of all GPUs */
} Join;

typedef struct
{
  gsize member;
  Join join;
  double scale;
  const char *name;
  const char *label; /* of several kinds under one name, the one with this label … */
  const char *value; /* … and value */
} Source;

#define MEMBER(name) G_STRUCT_OFFSET (TachoServerMetrics, name)

/* Of the sources of one member the first that is told counts: old and new names, or Triton's own
 * and its backend's, stand side by side for the same thing. */
static const Source sources[] = {
  { MEMBER (requests_running), JOIN_SUM, 1, "vllm:num_requests_running", NULL, NULL },
  { MEMBER (requests_running), JOIN_SUM, 1, "sglang:num_running_reqs", NULL, NULL },
  { MEMBER (requests_running), JOIN_SUM, 1, "tgi_batch_current_size", NULL, NULL },
  { MEMBER (requests_running), JOIN_SUM, 1, "llamacpp:requests_processing", NULL, NULL },
  { MEMBER (requests_running), JOIN_SUM, 1, "nv_trt_llm_request_metrics", "request_type",
    "active" },
  { MEMBER (requests_waiting), JOIN_SUM, 1, "vllm:num_requests_waiting", NULL, NULL },
  { MEMBER (requests_waiting), JOIN_SUM, 1, "sglang:num_queue_reqs", NULL, NULL },
  { MEMBER (requests_waiting), JOIN_SUM, 1, "tgi_queue_size", NULL, NULL },
  { MEMBER (requests_waiting), JOIN_SUM, 1, "llamacpp:requests_deferred", NULL, NULL },
  { MEMBER (requests_waiting), JOIN_SUM, 1, "nv_trt_llm_request_metrics", "request_type",
    "waiting" },
  { MEMBER (requests_waiting), JOIN_SUM, 1, "nv_inference_pending_request_count", NULL, NULL },
  { MEMBER (kv_cache_usage), JOIN_MAX, 1, "vllm:kv_cache_usage_perc", NULL, NULL },
  { MEMBER (kv_cache_usage), JOIN_MAX, 1, "vllm:gpu_cache_usage_perc", NULL, NULL },
  { MEMBER (kv_cache_usage), JOIN_MAX, 1, "sglang:token_usage", NULL, NULL },
  { MEMBER (kv_cache_usage), JOIN_MAX, 1, "llamacpp:kv_cache_usage_ratio", NULL, NULL },
  { MEMBER (kv_cache_usage), JOIN_MAX, 1, "nv_trt_llm_kv_cache_block_metrics",
    "kv_cache_block_type", "fraction" },
  { MEMBER (gpu_memory_used), JOIN_SUM, 1, "nv_gpu_memory_used_bytes", NULL, NULL },
  { MEMBER (gpu_memory_total), JOIN_SUM, 1, "nv_gpu_memory_total_bytes", NULL, NULL },
  { MEMBER (gpu_utilization), JOIN_MEAN, 1, "nv_gpu_utilization", NULL, NULL },
  { MEMBER (prompt_tokens_total), JOIN_SUM, 1, "vllm:prompt_tokens_total", NULL, NULL },
  { MEMBER (prompt_tokens_total), JOIN_SUM, 1, "sglang:prompt_tokens_total", NULL, NULL },
  { MEMBER (prompt_tokens_total), JOIN_SUM, 1, "tgi_request_input_length_sum", NULL, NULL },
  { MEMBER (prompt_tokens_total), JOIN_SUM, 1, "llamacpp:prompt_tokens_total", NULL, NULL },
  { MEMBER (output_tokens_total), JOIN_SUM, 1, "vllm:generation_tokens_total", NULL, NULL },
  { MEMBER (output_tokens_total), JOIN_SUM, 1, "sglang:generation_tokens_total", NULL, NULL },
  { MEMBER (output_tokens_total), JOIN_SUM, 1, "tgi_request_generated_tokens_sum", NULL, NULL },
  { MEMBER (output_tokens_total), JOIN_SUM, 1, "llamacpp:tokens_predicted_total", NULL, NULL },
  { MEMBER (prefix_cache_queries_total), JOIN_SUM, 1, "vllm:prefix_cache_queries_total", NULL,
    NULL },
  { MEMBER (prefix_cache_queries_total), JOIN_SUM, 1, "vllm:prefix_cache_queries", NULL, NULL },
  { MEMBER (prefix_cache_hits_total), JOIN_SUM, 1, "vllm:prefix_cache_hits_total", NULL, NULL },
  { MEMBER (prefix_cache_hits_total), JOIN_SUM, 1, "vllm:prefix_cache_hits", NULL, NULL },
  { MEMBER (preemptions_total), JOIN_SUM, 1, "vllm:num_preemptions_total", NULL, NULL },
  { MEMBER (queue_seconds_total), JOIN_SUM, 1, "vllm:request_queue_time_seconds_sum", NULL, NULL },
  { MEMBER (queue_seconds_total), JOIN_SUM, 1, "tgi_request_queue_duration_sum", NULL, NULL },
  { MEMBER (queue_seconds_total), JOIN_SUM, 1e-6, "nv_inference_queue_duration_us", NULL, NULL },
  { MEMBER (slots), JOIN_SUM, 1, "nv_trt_llm_request_metrics", "request_type", "max" },
};

typedef struct
{
  double value;
  guint n;
} Found;

static void
sample_cb (const TachoPrometheusSample *sample, gpointer user_data)
{
  Found *found = user_data;

  /* Nothing of this can be negative or without end; a server that says so says nothing. */
  if (!isfinite (sample->value) || sample->value < 0)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
    {
      const Source *source = &sources[i];
      double value = sample->value * source->scale;

      if (strcmp (source->name, sample->name) != 0 ||
          (source->label != NULL &&
           g_strcmp0 (tacho_prometheus_get_label (sample, source->label), source->value) != 0))
        continue;
      if (found[i].n++ == 0)
        found[i].value = value;
      else if (source->join == JOIN_MAX)
        found[i].value = MAX (found[i].value, value);
      else
        found[i].value += value;
    }
}

/**
 * tacho_prometheus_read_metrics:
 * @reply: a reply to `GET /metrics`
 * @metrics: (out caller-allocates): what it tells; NaN for what it does not
 * @error: return location
 *
 * Knows the names of vLLM, SGLang, TGI, llama.cpp, Triton and its TensorRT-LLM and vLLM backends.
 * What is told of several models or engines is added up, of caches the fullest is taken.
 *
 * Returns: %TRUE; or %FALSE with the status' error, or %TACHO_ERROR_PROTOCOL if it is no such text
 */
gboolean
tacho_prometheus_read_metrics (const TachoHttpReply *reply,
                               TachoServerMetrics *metrics,
                               GError **error)
{
  Found found[G_N_ELEMENTS (sources)] = { { 0, 0 } };
  const char *text;
  gsize length;

  g_return_val_if_fail (reply != NULL && metrics != NULL, FALSE);

  tacho_server_metrics_clear (metrics);
  if (reply->status < 200 || reply->status >= 300)
    {
      g_propagate_error (error, tacho_api_error_from_reply (reply));
      return FALSE;
    }
  text = g_bytes_get_data (reply->body, &length);
  if (!tacho_prometheus_parse (text, length, sample_cb, found, error))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (sources); i++)
    {
      double *member = G_STRUCT_MEMBER_P (metrics, sources[i].member);

      /* A sum of finite numbers need not be finite. */
      if (found[i].n > 0 && isfinite (found[i].value) && isnan (*member))
        *member =
            sources[i].join == JOIN_MEAN ? found[i].value / (double) found[i].n : found[i].value;
    }
  return TRUE;
}
