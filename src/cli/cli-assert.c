/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --fail-on: FUNCTION(METRIC) or a figure of the run, an operator, a number. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-assert.h"

#include "cli-options.h"

#include <math.h>
#include <string.h>

typedef enum
{
  COMPARE_LESS,
  COMPARE_LESS_EQUAL,
  COMPARE_GREATER,
  COMPARE_GREATER_EQUAL,
  COMPARE_EQUAL,
} Compare;

static const struct
{
  const char *text;
  Compare compare;
} operators[] = {
  { "<=", COMPARE_LESS_EQUAL }, { ">=", COMPARE_GREATER_EQUAL }, { "==", COMPARE_EQUAL },
  { "<", COMPARE_LESS },        { ">", COMPARE_GREATER },
};

static const char *const figures[] = {
  "output_tokens_per_s", "requests_per_s", "goodput_per_s", "ok", "error", "truncated",
  "cancelled",           "error_rate",     "output_tokens", NULL,
};

static const char *const functions[] = { "mean", "sd", "min", "max", "n", NULL };

struct _CliAssert
{
  char *text;
  int metric;     /* -1: a figure */
  int percentile; /* -1: a function */
  int which;      /* function or figure */
  Compare compare;
  double bound;
};

void
cli_assert_free (CliAssert *self)
{
  g_free (self->text);
  g_free (self);
}

static int
index_of (const char *word, const char *const *list, int n)
{
  for (int i = 0; i < n && list[i] != NULL; i++)
    if (g_str_equal (list[i], word))
      return i;
  return -1;
}

static gboolean
read_left (CliAssert *self, const char *left)
{
  const char *open = strchr (left, '(');
  g_autofree char *function = NULL;
  g_autofree char *metric = NULL;
  gsize length = strlen (left);

  if (open == NULL)
    {
      self->metric = -1;
      self->which = index_of (left, figures, G_MAXINT);
      return self->which >= 0;
    }
  if (left[length - 1] != ')')
    return FALSE;
  function = g_strndup (left, (gsize) (open - left));
  metric = g_strndup (open + 1, length - (gsize) (open - left) - 2);
  self->metric = index_of (metric, tacho_metric_names, TACHO_N_METRICS);
  self->percentile = index_of (function, tacho_percentile_names, TACHO_N_PERCENTILES);
  self->which = index_of (function, functions, G_MAXINT);
  return self->metric >= 0 && (self->percentile >= 0 || self->which >= 0);
}

static gboolean
read_all (CliAssert *self, const char *compact)
{
  gsize at = strcspn (compact, "<>=");
  g_autofree char *left = g_strndup (compact, at);
  const char *right = NULL;
  char *end;

  for (guint i = 0; i < G_N_ELEMENTS (operators) && right == NULL; i++)
    if (g_str_has_prefix (compact + at, operators[i].text))
      {
        self->compare = operators[i].compare;
        right = compact + at + strlen (operators[i].text);
      }
  if (right == NULL || *right == '\0' || !read_left (self, left))
    return FALSE;
  self->bound = g_ascii_strtod (right, &end);
  if (end == right || !isfinite (self->bound))
    return FALSE;
  return *end == '\0' || (self->metric >= 0 && g_str_equal (end, "ms"));
}

CliAssert *
cli_assert_parse (const char *text, GError **error)
{
  g_autoptr (CliAssert) self = g_new0 (CliAssert, 1);
  g_auto (GStrv) parts = g_strsplit_set (text, " \t", -1);
  g_autofree char *compact = g_strjoinv ("", parts);
  g_autofree char *metrics = NULL;
  g_autofree char *others = NULL;
  const char *names[TACHO_N_METRICS + 1] = { NULL };

  self->text = g_strdup (text);
  self->percentile = -1;
  if (read_all (self, compact))
    return g_steal_pointer (&self);
  memcpy (names, tacho_metric_names, sizeof tacho_metric_names);
  metrics = g_strjoinv (", ", (char **) names);
  others = g_strjoinv (", ", (char **) figures);
  g_set_error (
      error, CLI_ERROR, CLI_ERROR_USAGE,
      "--fail-on: “%.80s” is not allowed; it takes what must hold, such as "
      "p99(ttft_ms)<2000: one of p50, p75, p90, p95, p99, p99.9, mean, sd, min, max, n of %s; "
      "or %s; then <, <=, >, >= or ==, and a number.",
      text, metrics, others);
  return NULL;
}

static double
figure_value (const TachoBenchResult *result, int which)
{
  guint64 failed = result->error + result->truncated;
  const double values[] = {
    result->output_tokens_per_s,
    result->requests_per_s,
    result->goodput_per_s,
    (double) result->ok,
    (double) result->error,
    (double) result->truncated,
    (double) result->cancelled,
    result->ok + failed > 0 ? (double) failed / (double) (result->ok + failed) : NAN,
    (double) result->output_tokens,
  };

  G_STATIC_ASSERT (G_N_ELEMENTS (values) + 1 == G_N_ELEMENTS (figures));
  return values[which];
}

static double
value_of (const CliAssert *self, const TachoBenchResult *result)
{
  const TachoDistribution *d;

  if (self->metric < 0)
    return figure_value (result, self->which);
  d = &result->latency[self->metric];
  if (self->percentile >= 0)
    return d->n > 0 ? d->percentiles[self->percentile].value : NAN;
  return (const double[]){ d->mean, d->sd, d->min, d->max, (double) d->n }[self->which];
}

gboolean
cli_assert_holds (const CliAssert *self, const TachoBenchResult *result, char **words)
{
  double value = value_of (self, result);
  gboolean holds;

  switch (self->compare)
    {
    case COMPARE_LESS:
      holds = value < self->bound;
      break;
    case COMPARE_LESS_EQUAL:
      holds = value <= self->bound;
      break;
    case COMPARE_GREATER:
      holds = value > self->bound;
      break;
    case COMPARE_GREATER_EQUAL:
      holds = value >= self->bound;
      break;
    case COMPARE_EQUAL:
    default:
      holds = value == self->bound;
      break;
    }
  if (isnan (value))
    *words = g_strdup_printf ("“%s” does not hold: nothing was measured for it", self->text);
  else
    *words = g_strdup_printf (
        "“%s” %s: it is %.6g%s", self->text, holds ? "holds" : "does not hold", value,
        self->percentile >= 0 && !result->latency[self->metric].percentiles[self->percentile].enough
            ? " (too few requests for a sound percentile)"
            : "");
  return holds && !isnan (value);
}
