/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text of the simulated server. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-text.h"

#include <string.h>

#define LONG_WORD 12 /* bytes; longer words count one token per four bytes */

static const char *const opening[] = { "This", "reply", "is",    "simulated:",
                                       "no",   "model", "wrote", "it." };
static const char *const subjects[] = { "model", "token",   "batch",     "slot",
                                        "queue", "prompt",  "answer",    "sentence",
                                        "word",  "request", "scheduler", "cache" };
static const char *const adjectives[] = { "simulated", "invented",  "pretended",
                                          "made-up",   "imaginary", "artificial" };
static const char *const verbs[] = { "follows",  "resembles", "replaces", "precedes", "counts",
                                     "imitates", "measures",  "repeats",  "carries",  "completes" };
static const char *const objects[] = { "number.",      "seed.", "clock.",       "pattern.",
                                       "measurement.", "list.", "placeholder.", "exercise.",
                                       "schedule.",    "test." };
static const char *const places[] = { "here", "again", "quietly", "often" };

/**
 * tacho_sim_mix:
 * @value: any number
 *
 * Returns: a well-mixed number (the finaliser of splitmix64)
 */
guint64
tacho_sim_mix (guint64 value)
{
  value += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  value = (value ^ (value >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  value = (value ^ (value >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return value ^ (value >> 31);
}

static const char *
pick (TachoSimText *text, const char *const *words, guint n)
{
  text->state = tacho_sim_mix (text->state);
  return words[text->state % n];
}

#define PICK(text, words) pick ((text), (words), G_N_ELEMENTS (words))

static void
begin_sentence (TachoSimText *text)
{
  guint n = 0;

  text->word = 0;
  if (text->sentence++ == 0)
    {
      memcpy (text->words, opening, sizeof opening);
      text->n_words = G_N_ELEMENTS (opening);
      return;
    }
  text->words[n++] = text->sentence % 2 ? "A" : "The";
  text->words[n++] = PICK (text, adjectives);
  if (g_str_equal (text->words[0], "A") && strchr ("aei", text->words[1][0]) != NULL)
    text->words[0] = "An";
  text->words[n++] = PICK (text, subjects);
  text->state = tacho_sim_mix (text->state);
  if (text->state % 3 == 0)
    text->words[n++] = places[text->state / 3 % G_N_ELEMENTS (places)];
  text->words[n++] = PICK (text, verbs);
  text->words[n++] = "the";
  if (text->state / 16 % 2)
    text->words[n++] = PICK (text, adjectives);
  text->words[n++] = PICK (text, objects);
  text->n_words = n;
}

/**
 * tacho_sim_text_init:
 * @text: (out caller-allocates): the text
 * @seed: equal seeds give equal texts
 */
void
tacho_sim_text_init (TachoSimText *text, guint64 seed)
{
  memset (text, 0, sizeof *text);
  text->state = seed;
  begin_sentence (text);
}

/**
 * tacho_sim_text_next:
 * @text: the text
 * @out: one token is appended to it
 *
 * Returns: %TRUE if the token ends a sentence
 */
gboolean
tacho_sim_text_next (TachoSimText *text, GString *out)
{
  if (text->word == text->n_words)
    begin_sentence (text);
  if (text->word > 0 || text->sentence > 1)
    g_string_append (out, text->word == 0 && text->sentence % 6 == 0 ? "\n\n" : " ");
  g_string_append (out, text->words[text->word++]);
  return text->word == text->n_words;
}

/**
 * tacho_sim_tokenize:
 * @text: UTF-8
 * @tokens: (element-type guint32): gets one hash for each token
 *
 * A word is one token; a word of more than twelve bytes is one for every four bytes.
 */
void
tacho_sim_tokenize (const char *text, GArray *tokens)
{
  const char *p = text;

  while (*p != '\0')
    {
      const char *start;
      gsize length, step;

      while (g_ascii_isspace (*p))
        p++;
      start = p;
      while (*p != '\0' && !g_ascii_isspace (*p))
        p++;
      length = (gsize) (p - start);
      step = length > LONG_WORD ? 4 : MAX (length, 1);
      for (gsize at = 0; at < length; at += step)
        {
          guint32 hash = 2166136261u;

          for (gsize i = at; i < MIN (at + step, length); i++)
            hash = (hash ^ (guint8) start[i]) * 16777619u;
          g_array_append_val (tokens, hash);
        }
    }
}

/**
 * tacho_sim_json_quote:
 * @out: gets @text as a JSON string, with its quotation marks
 * @text: UTF-8
 */
void
tacho_sim_json_quote (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (const char *p = text; *p != '\0'; p++)
    {
      guint8 c = (guint8) *p;

      if (c == '"' || c == '\\')
        {
          g_string_append_c (out, '\\');
          g_string_append_c (out, (char) c);
        }
      else if (c == '\n')
        g_string_append (out, "\\n");
      else if (c < 0x20 || c == 0x7f)
        g_string_append_printf (out, "\\u%04x", c);
      else
        g_string_append_c (out, (char) c);
    }
  g_string_append_c (out, '"');
}
