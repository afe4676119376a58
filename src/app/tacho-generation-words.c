/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A generation in words: what it is doing, its figures, how it ended. */
#define G_LOG_DOMAIN "tacho-generation-words"

#include "config.h"

#include "app/tacho-generation-words.h"
#include "app/tacho-display.h"
#include "base/tacho-clock.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>
#include <math.h>

#define MAX_REASON 1000 /* characters of a server's text */

static double
seconds_since (gint64 start_ns)
{
  return start_ns > 0 ? (tacho_clock_now_ns () - start_ns) / (double) TACHO_NS_PER_S : 0;
}

/* Tokens counted by chunks are an estimate, and marked as one. */
static void
add_tokens (GPtrArray *parts, const TachoGenerationMetrics *metrics)
{
  gboolean estimated = g_strcmp0 (metrics->tokens_source, "usage") != 0;
  const char *mark = estimated ? "≈ " : "";
  guint64 tokens = metrics->output_tokens >= 0 ? (guint64) metrics->output_tokens : metrics->chunks;

  if (isfinite (metrics->tokens_per_s))
    {
      g_autofree char *rate = tacho_display_number (metrics->tokens_per_s);

      g_ptr_array_add (parts, g_strdup_printf (_ ("%s%s tokens/s"), mark, rate));
    }
  /* Translators: %s is empty or a sign for "about". */
  g_ptr_array_add (parts, g_strdup_printf (ngettext ("%s%llu token", "%s%llu tokens", tokens), mark,
                                           (unsigned long long) tokens));
}

/* Which side answered, if not plainly REST, and how many attempts it took. */
static void
add_attempts (GPtrArray *parts, TachoGeneration *generation)
{
  GPtrArray *attempts = tacho_generation_get_attempts (generation);
  const TachoAttempt *last;
  const char *side;

  if (attempts->len == 0)
    return;
  last = g_ptr_array_index (attempts, attempts->len - 1);
  side = last->protocol == TACHO_PROTOCOL_GRPC ? "gRPC" : "REST";
  if (attempts->len > 1)
    /* Translators: number of an attempt, then the protocol that carried it. */
    g_ptr_array_add (parts, g_strdup_printf (_ ("attempt %u, by %s"), attempts->len, side));
  else if (last->protocol == TACHO_PROTOCOL_GRPC)
    g_ptr_array_add (parts, g_strdup_printf (_ ("by %s"), side));
}

/**
 * tacho_generation_words_phase:
 * @generation: a running generation
 * @progress: how much of the prompt is read, 0 to 1; NaN unknown
 * @simulated: whether the server is simulated
 *
 * Returns: (transfer full): what it is doing now
 */
char *
tacho_generation_words_phase (TachoGeneration *generation, double progress, gboolean simulated)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (g_free);
  TachoGenerationMetrics metrics;

  tacho_generation_get_metrics (generation, &metrics);
  if (metrics.first_ns > 0)
    {
      g_autofree char *ttft = tacho_display_ms (metrics.ttft_ms);

      g_ptr_array_add (parts, g_strdup_printf (_ ("TTFT %s"), ttft));
      add_tokens (parts, &metrics);
    }
  else if (isfinite (progress) && progress < 1)
    g_ptr_array_add (parts, g_strdup_printf (_ ("Reading the prompt · %d %%"),
                                             (int) (CLAMP (progress, 0, 1) * 100)));
  else
    g_ptr_array_add (parts, g_strdup (_ ("Waiting for the first token")));
  add_attempts (parts, generation);
  g_ptr_array_add (parts, tacho_display_duration (seconds_since (metrics.start_ns)));
  if (simulated)
    g_ptr_array_add (parts, g_strdup (_ ("simulated")));
  return tacho_display_join (parts);
}

/**
 * tacho_generation_words_attempts:
 * @generation: a generation
 *
 * Returns: (transfer full) (nullable): what was tried and what came of it, a line an attempt; %NULL
 *   if the first one went well
 */
char *
tacho_generation_words_attempts (TachoGeneration *generation)
{
  GPtrArray *attempts = tacho_generation_get_attempts (generation);
  GString *text;

  if (attempts->len < 2)
    return NULL;
  text = g_string_new (NULL);
  for (guint i = 0; i < attempts->len; i++)
    {
      const TachoAttempt *attempt = g_ptr_array_index (attempts, i);
      g_autofree char *reason =
          attempt->error != NULL ? tacho_text_sanitize_line (attempt->error, -1, MAX_REASON) : NULL;

      g_string_append_printf (text, "%s%s %s: %s", i > 0 ? "\n" : "",
                              attempt->protocol == TACHO_PROTOCOL_GRPC ? "gRPC" : "REST",
                              attempt->target, reason != NULL ? reason : _ ("answered"));
    }
  return g_string_free (text, FALSE);
}

/**
 * tacho_generation_words_fault:
 * @generation: an ended generation
 *
 * Returns: (transfer full) (nullable): why the answer is not whole, with the server's words
 */
char *
tacho_generation_words_fault (TachoGeneration *generation)
{
  const GError *error = tacho_generation_get_error (generation);
  gboolean has_text = tacho_generation_get_text (generation)[0] != '\0' ||
                      tacho_generation_get_reasoning (generation)[0] != '\0';
  g_autofree char *reason =
      error != NULL ? tacho_text_sanitize_line (error->message, -1, MAX_REASON) : NULL;

  switch (tacho_generation_get_state (generation))
    {
    case TACHO_GENERATION_CANCELLED:
      return g_strdup (has_text ? _ ("Stopped. What had come is kept.")
                                : _ ("Stopped before the first token."));
    case TACHO_GENERATION_TRUNCATED:
      return g_strdup (
          has_text ? _ ("Cut short: the stream ended without its end mark. What had come is "
                        "kept, but it is not a whole answer.")
                   : _ ("Cut short: the stream ended before the first token."));
    case TACHO_GENERATION_FAILED:
      /* Translators: %s is the reason, with the server's own words. */
      return g_strdup_printf (_ ("Failed: %s"), reason != NULL ? reason : _ ("no reason given"));
    case TACHO_GENERATION_WAITING:
    case TACHO_GENERATION_READING:
    case TACHO_GENERATION_GENERATING:
    case TACHO_GENERATION_DONE:
    default:
      return NULL;
    }
}
