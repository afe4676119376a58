/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Synthetic requests. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-prompts.h"

#include <math.h>

/* Short common words: nearly every tokenizer has each of them as one token. */
static const char *const words[] = {
  "the",   "of",    "and",   "to",    "in",    "is",    "that",  "for",   "it",    "as",    "was",
  "with",  "be",    "by",    "on",    "not",   "he",    "his",   "but",   "at",    "are",   "this",
  "have",  "from",  "or",    "had",   "an",    "they",  "which", "one",   "you",   "were",  "all",
  "her",   "she",   "there", "would", "their", "we",    "him",   "been",  "has",   "when",  "who",
  "will",  "no",    "more",  "if",    "out",   "so",    "up",    "said",  "what",  "its",   "about",
  "than",  "into",  "them",  "can",   "only",  "other", "time",  "new",   "some",  "could", "these",
  "two",   "may",   "first", "then",  "do",    "any",   "like",  "my",    "now",   "over",  "such",
  "our",   "man",   "me",    "even",  "most",  "made",  "after", "also",  "well",  "many",  "must",
  "years", "where", "much",  "your",  "way",   "down",  "long",  "water", "house", "river", "stone",
};

/* SplitMix64 (Steele, Lea, Flood 2014): one call a draw, any state is a good start. */
static guint64
draw (guint64 *state)
{
  guint64 z = (*state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));

  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Uniform in (0, 1). */
static double
draw_unit (guint64 *state)
{
  return ((double) (draw (state) >> 11) + 0.5) * 0x1p-53;
}

/* Box and Muller's transform for a normal length; the tails are cut, not folded. */
static guint
draw_length (guint64 *state, const TachoLengths *lengths)
{
  double normal;

  if (lengths->sd <= 0)
    return lengths->min +
           (guint) (draw (state) % ((guint64) lengths->max - lengths->min + 1));
  normal = sqrt (-2 * log (draw_unit (state))) * cos (2 * G_PI * draw_unit (state));
  return (guint) CLAMP (round (lengths->mean + lengths->sd * normal), lengths->min, lengths->max);
}

static char *
make_text (guint64 *state, guint64 salt, guint64 number, guint n_words)
{
  GString *text = g_string_sized_new (6 * (gsize) n_words + 32);

  /* At the very front: a prefix cache matches from the first token on. */
  if (salt != 0)
    g_string_append_printf (text, "%08x %" G_GUINT64_FORMAT, (guint) salt, number);
  for (guint i = salt != 0 ? 2 : 0; i < n_words; i++)
    {
      if (text->len > 0)
        g_string_append_c (text, ' ');
      g_string_append (text, words[draw (state) % G_N_ELEMENTS (words)]);
    }
  if (text->len == 0)
    g_string_append (text, words[0]);
  return g_string_free (text, FALSE);
}

/**
 * tacho_prompts_make:
 * @plan: lengths and seed
 * @salt: in front of the prompt, so that no prefix cache knows it; 0: none
 * @number: the request's number
 *
 * Makes request number @number of a run. Lengths are drawn evenly between the plan's bounds; the
 * prompt is about one word a token, and the server's own count is what is reported.
 *
 * Returns: (transfer full): the request
 */
TachoGenerateRequest *
tacho_prompts_make (const TachoBenchPlan *plan, guint64 salt, guint64 number)
{
  TachoGenerateRequest *request = tacho_generate_request_new (plan->model);
  guint64 seed = plan->seed;
  /* Mixed first: else the seeds 1 and 2 would draw the same words, one place apart. */
  guint64 state = draw (&seed) + number * G_GUINT64_CONSTANT (0xd1342543de82ef95);
  guint n_words = draw_length (&state, &plan->prompt_tokens);
  g_autofree char *text = NULL;

  request->max_tokens = draw_length (&state, &plan->output_tokens);
  request->ignore_eos = TRUE;
  request->raw = !plan->chat;
  text = make_text (&state, salt, number, n_words);
  if (plan->chat)
    tacho_generate_request_add_message (request, TACHO_ROLE_USER, text);
  else
    request->prompt = g_steal_pointer (&text);
  return request;
}
