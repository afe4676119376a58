/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figures of one reply: taken when it ends, kept with it, said in a line. */
#define G_LOG_DOMAIN "tacho-reply-stats"

#include "config.h"

#include "app/tacho-reply-stats.h"
#include "app/tacho-display.h"
#include "base/tacho-clock.h"
#include "base/tacho-json.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <math.h>

#define CONTEXT_AMBER 0.8

/**
 * tacho_reply_stats_take:
 * @stats: (out caller-allocates): the figures
 * @generation: an ended generation
 * @simulated: whether the server is simulated
 * @context: the model's context window in tokens; 0 or less: not known
 * @thought_s: how long was thought, in seconds; NaN: not known
 *
 * The server's own clock is preferred for reading and writing (llama.cpp `timings`); without it the
 * decode clock runs from the first token of any kind to the last, and reading is what came before.
 */
void
tacho_reply_stats_take (TachoReplyStats *stats,
                        TachoGeneration *generation,
                        gboolean simulated,
                        gint64 context,
                        double thought_s)
{
  GPtrArray *attempts = tacho_generation_get_attempts (generation);
  const char *finish = tacho_generation_get_finish_reason (generation);
  TachoGenerationMetrics m;

  tacho_generation_get_metrics (generation, &m);
  *stats = (TachoReplyStats){
    .ttft_ms = m.first_ns > 0 ? m.ttft_ms : NAN,
    .total_ms =
        m.start_ns > 0 && m.end_ns > 0 ? (double) (m.end_ns - m.start_ns) / TACHO_NS_PER_MS : NAN,
    .prompt_tokens = m.prompt_tokens,
    .read_s = m.first_ns > 0 ? m.ttft_ms / 1000 : NAN,
    .output_tokens = m.output_tokens >= 0 ? m.output_tokens : (gint64) m.chunks,
    .write_s = m.first_ns > 0 ? (double) (m.last_ns - m.first_ns) / TACHO_NS_PER_S : NAN,
    .estimated = g_strcmp0 (m.tokens_source, "usage") != 0,
    .thought_s = thought_s,
    .context = context > 0 ? context : -1,
    .simulated = simulated,
    .attempts = attempts->len,
  };
  if (m.has_timings && m.timings.prompt_n > 0 && m.timings.prompt_ms > 0)
    {
      stats->read_s = m.timings.prompt_ms / 1000;
      stats->read_measured = TRUE;
      if (stats->prompt_tokens < 0)
        stats->prompt_tokens = m.timings.prompt_n;
    }
  if (attempts->len > 0)
    {
      const TachoAttempt *last = g_ptr_array_index (attempts, attempts->len - 1);

      stats->grpc = last->protocol == TACHO_PROTOCOL_GRPC;
    }
  if (finish != NULL && tacho_generation_get_state (generation) == TACHO_GENERATION_DONE)
    g_strlcpy (stats->finish, finish, sizeof stats->finish);
}

static void
add_double (JsonObject *object, const char *name, double value)
{
  if (isfinite (value))
    json_object_set_double_member (object, name, value);
}

/**
 * tacho_reply_stats_to_json:
 * @stats: the figures
 *
 * Returns: (transfer full): an object; what is not known is not in it
 */
char *
tacho_reply_stats_to_json (const TachoReplyStats *stats)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = json_object_new ();

  add_double (object, "ttft_ms", stats->ttft_ms);
  add_double (object, "total_ms", stats->total_ms);
  add_double (object, "read_s", stats->read_s);
  add_double (object, "write_s", stats->write_s);
  add_double (object, "thought_s", stats->thought_s);
  json_object_set_int_member (object, "prompt_tokens", stats->prompt_tokens);
  json_object_set_int_member (object, "output_tokens", stats->output_tokens);
  json_object_set_int_member (object, "context", stats->context);
  json_object_set_int_member (object, "attempts", stats->attempts);
  json_object_set_boolean_member (object, "read_measured", stats->read_measured);
  json_object_set_boolean_member (object, "estimated", stats->estimated);
  json_object_set_boolean_member (object, "simulated", stats->simulated);
  json_object_set_boolean_member (object, "grpc", stats->grpc);
  if (stats->finish[0] != '\0')
    {
      g_autofree char *finish = g_utf8_make_valid (stats->finish, -1);

      json_object_set_string_member (object, "finish", finish);
    }
  json_node_take_object (node, object);
  return tacho_json_to_string (node, FALSE);
}

/**
 * tacho_reply_stats_from_json:
 * @stats: (out caller-allocates): the figures
 * @json: (nullable): what tacho_reply_stats_to_json() wrote
 *
 * Returns: %FALSE if there are none
 */
gboolean
tacho_reply_stats_from_json (TachoReplyStats *stats, const char *json)
{
  g_autoptr (JsonNode) node =
      json != NULL ? tacho_json_parse_object (json, strlen (json), NULL) : NULL;
  JsonObject *object;

  if (node == NULL)
    return FALSE;
  object = json_node_get_object (node);
  *stats = (TachoReplyStats){
    .ttft_ms = tacho_json_get_double (object, "ttft_ms", NAN),
    .total_ms = tacho_json_get_double (object, "total_ms", NAN),
    .read_s = tacho_json_get_double (object, "read_s", NAN),
    .write_s = tacho_json_get_double (object, "write_s", NAN),
    .thought_s = tacho_json_get_double (object, "thought_s", NAN),
    .prompt_tokens = tacho_json_get_int (object, "prompt_tokens", -1),
    .output_tokens = tacho_json_get_int (object, "output_tokens", -1),
    .context = tacho_json_get_int (object, "context", -1),
    .attempts = (guint) CLAMP (tacho_json_get_int (object, "attempts", 1), 0, 1000),
    .read_measured = tacho_json_get_boolean (object, "read_measured", FALSE),
    .estimated = tacho_json_get_boolean (object, "estimated", FALSE),
    .simulated = tacho_json_get_boolean (object, "simulated", FALSE),
    .grpc = tacho_json_get_boolean (object, "grpc", FALSE),
  };
  g_strlcpy (stats->finish, tacho_json_get_string (object, "finish", ""), sizeof stats->finish);
  return TRUE;
}

/* "312 tokens in 0.42 s (743 tokens/s)"; mark: empty, or a sign for "about" before the rate. */
static char *
say_rate (const char *what, gint64 tokens, double seconds, double counted, const char *mark)
{
  g_autofree char *time = isfinite (seconds) ? tacho_display_ms (seconds * 1000) : NULL;
  g_autofree char *rate = isfinite (seconds) && seconds > 0 && counted > 0
                              ? tacho_display_number (counted / seconds)
                              : NULL;
  g_autofree char *count =
      /* Translators: %s is empty or a sign for "about". */
      g_strdup_printf (ngettext ("%s%lld token", "%s%lld tokens", (gulong) MAX (tokens, 0)), mark,
                       (long long) tokens);

  if (time == NULL || rate == NULL)
    return g_strdup_printf ("%s %s", what, count);
  /* Translators: "read 312 tokens in 0.42 s, 743 tokens/s". */
  return g_strdup_printf (_ ("%s %s in %s, %s%s tokens/s"), what, count, time, mark, rate);
}

static void
add_context (GPtrArray *parts, const TachoReplyStats *stats)
{
  gint64 used = stats->prompt_tokens + stats->output_tokens;
  const char *sign;

  if (stats->context <= 0 || stats->prompt_tokens < 0 || stats->output_tokens < 0)
    return;
  sign = (double) used > (double) stats->context * CONTEXT_AMBER ? "⚠ " : "";
  g_ptr_array_add (parts, g_strdup_printf (_ ("%scontext %lld of %lld"), sign, (long long) used,
                                           (long long) stats->context));
}

static void
add_way (GPtrArray *parts, const TachoReplyStats *stats)
{
  const char *side = stats->grpc ? "gRPC" : "REST";

  if (stats->attempts > 1)
    /* Translators: number of an attempt, then the protocol that carried it. */
    g_ptr_array_add (parts, g_strdup_printf (_ ("attempt %u, by %s"), stats->attempts, side));
  else if (stats->grpc)
    g_ptr_array_add (parts, g_strdup_printf (_ ("by %s"), side));
  if (stats->simulated)
    g_ptr_array_add (parts, g_strdup (_ ("simulated")));
}

/**
 * tacho_reply_stats_to_words:
 * @stats: the figures
 *
 * Returns: (transfer full): them in a line; "" if nothing is known
 */
char *
tacho_reply_stats_to_words (const TachoReplyStats *stats)
{
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (g_free);

  if (isfinite (stats->ttft_ms))
    {
      g_autofree char *ttft = tacho_display_ms (stats->ttft_ms);

      g_ptr_array_add (parts, g_strdup_printf (_ ("TTFT %s"), ttft));
      if (stats->prompt_tokens > 0)
        g_ptr_array_add (parts, say_rate (_ ("read"), stats->prompt_tokens,
                                          stats->read_measured ? stats->read_s : NAN,
                                          (double) stats->prompt_tokens, ""));
      /* N tokens are N - 1 steps from the first to the last. */
      g_ptr_array_add (parts,
                       say_rate (_ ("wrote"), stats->output_tokens, stats->write_s,
                                 (double) stats->output_tokens - 1, stats->estimated ? "≈ " : ""));
    }
  if (isfinite (stats->total_ms))
    {
      g_autofree char *total = tacho_display_ms (stats->total_ms);

      g_ptr_array_add (parts, g_strdup_printf (_ ("total %s"), total));
    }
  if (stats->finish[0] != '\0')
    {
      const char *words = tacho_display_finish_reason (stats->finish);

      g_ptr_array_add (parts, words != NULL ? g_strdup (words)
                                            : tacho_text_sanitize_line (stats->finish, -1, 40));
    }
  add_context (parts, stats);
  add_way (parts, stats);
  return tacho_display_join (parts);
}
