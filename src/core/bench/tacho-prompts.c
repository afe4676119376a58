/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conversations for a run: drawn from a list of words, or taken from a file. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-prompts.h"

#include "base/tacho-error.h"
#include "bench/tacho-prompts-file.h"
#include "bench/tacho-random.h"

#include <math.h>

/* At the front of a prompt: 96^8 of them are unique enough for ten million requests. */
#define SALT_WORDS 8
#define STREAM_SALT G_GUINT64_CONSTANT (0x73616c74)

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

struct _TachoPrompts
{
  gatomicrefcount ref_count;
  TachoBenchPlan *plan;
  GPtrArray *entries; /* of TachoPromptEntry, of the file; or NULL */
  GPtrArray *words;   /* of char * */
  guint max_turns;
};

/**
 * tacho_prompts_dup_words:
 *
 * Returns: (transfer full) (element-type utf8): the words that synthetic prompts are made of
 */
GPtrArray *
tacho_prompts_dup_words (void)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_free);

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    g_ptr_array_add (list, g_strdup (words[i]));
  return list;
}

static gboolean
check_trace (TachoPrompts *self, GError **error)
{
  gint64 last = 0;

  for (guint i = 0; self->plan->load == TACHO_LOAD_TRACE && i < self->entries->len; i++)
    {
      const TachoPromptEntry *entry = g_ptr_array_index (self->entries, i);

      if (entry->due_ns < last)
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                       "%s, line %u: a trace needs a “timestamp” in each line, in milliseconds, "
                       "none before the one above it",
                       self->plan->prompts_file, entry->line);
          return FALSE;
        }
      last = entry->due_ns;
    }
  return TRUE;
}

/**
 * tacho_prompts_new:
 * @plan: a valid plan; copied
 * @error: return location
 *
 * Reads the prompts file of the plan, if there is one.
 *
 * Returns: (transfer full): the prompts, or %NULL with %TACHO_ERROR_IO or %TACHO_ERROR_INVALID,
 * whose message names the file and the line
 */
TachoPrompts *
tacho_prompts_new (const TachoBenchPlan *plan, GError **error)
{
  g_autoptr (TachoPrompts) self = g_new0 (TachoPrompts, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->plan = tacho_bench_plan_copy (plan);
  self->words = tacho_prompts_dup_words ();
  self->max_turns = plan->turns;
  if (plan->prompts_file == NULL)
    return g_steal_pointer (&self);
  self->entries = tacho_prompts_file_read (plan->prompts_file, error);
  if (self->entries == NULL || !check_trace (self, error))
    return NULL;
  self->max_turns = 1;
  for (guint i = 0; i < self->entries->len; i++)
    {
      const TachoPromptEntry *entry = g_ptr_array_index (self->entries, i);

      self->max_turns = MAX (self->max_turns, entry->turns->len);
    }
  return g_steal_pointer (&self);
}

/**
 * tacho_prompts_ref:
 * @prompts: prompts
 *
 * Returns: (transfer full): @prompts
 */
TachoPrompts *
tacho_prompts_ref (TachoPrompts *prompts)
{
  g_atomic_ref_count_inc (&prompts->ref_count);
  return prompts;
}

/**
 * tacho_prompts_unref:
 * @prompts: (nullable): prompts
 *
 * Drops a reference; the last one frees them.
 */
void
tacho_prompts_unref (TachoPrompts *prompts)
{
  if (prompts == NULL || !g_atomic_ref_count_dec (&prompts->ref_count))
    return;
  g_clear_pointer (&prompts->entries, g_ptr_array_unref);
  g_clear_pointer (&prompts->words, g_ptr_array_unref);
  tacho_bench_plan_free (prompts->plan);
  g_free (prompts);
}

/**
 * tacho_prompts_get_n:
 * @prompts: prompts
 *
 * Returns: how many conversations the file has; 0: synthetic ones
 */
guint
tacho_prompts_get_n (const TachoPrompts *prompts)
{
  return prompts->entries != NULL ? prompts->entries->len : 0;
}

/**
 * tacho_prompts_get_max_turns:
 * @prompts: prompts
 *
 * Returns: the most turns of a conversation
 */
guint
tacho_prompts_get_max_turns (const TachoPrompts *prompts)
{
  return prompts->max_turns;
}

/**
 * tacho_prompts_get_due_ns:
 * @prompts: prompts
 * @number: of a conversation
 *
 * Returns: when a trace has it, from the first one and times the plan's scale; -1: there is none
 */
gint64
tacho_prompts_get_due_ns (const TachoPrompts *prompts, guint64 number)
{
  const TachoPromptEntry *entry, *first;

  if (prompts->entries == NULL || number >= prompts->entries->len)
    return -1;
  first = g_ptr_array_index (prompts->entries, 0);
  entry = g_ptr_array_index (prompts->entries, number);
  if (entry->due_ns < 0 || first->due_ns < 0)
    return -1;
  return (gint64) ((double) (entry->due_ns - first->due_ns) * prompts->plan->trace_scale);
}

/**
 * tacho_prompts_set_words:
 * @prompts: prompts of which nothing was made yet
 * @list: (transfer full) (element-type utf8): at least one
 *
 * Uses other words: those that a server's tokenizer takes as one token each.
 */
void
tacho_prompts_set_words (TachoPrompts *prompts, GPtrArray *list)
{
  g_return_if_fail (list != NULL && list->len > 0);

  g_ptr_array_unref (prompts->words);
  prompts->words = list;
}

static guint
draw_length (TachoRandom *random, const TachoLengths *lengths)
{
  double normal;

  if (lengths->sd <= 0)
    return lengths->min +
           (guint) (tacho_random_next (random) % ((guint64) lengths->max - lengths->min + 1));
  normal = round (lengths->mean + lengths->sd * tacho_random_normal (random));
  return (guint) CLAMP (normal, lengths->min, lengths->max);
}

static void
append_words (TachoPrompts *self, GString *text, TachoRandom *random, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      guint64 pick = tacho_random_next (random) % self->words->len;

      if (text->len > 0)
        g_string_append_c (text, ' ');
      g_string_append (text, g_ptr_array_index (self->words, pick));
    }
}

/* The salt is at the very front: a prefix cache matches from the first token on. It is made of the
 * same words, so the length stays what was asked for. */
static char *
make_text (TachoPrompts *self, TachoRandom *random, TachoRandom *salt, guint n_words)
{
  GString *text = g_string_sized_new (6 * (gsize) n_words + 8);
  guint n_salt = salt != NULL ? MIN (SALT_WORDS, n_words) : 0;

  if (n_salt > 0)
    append_words (self, text, salt, n_salt);
  append_words (self, text, random, n_words - n_salt);
  return g_string_free (text, FALSE);
}

static char *
salted (TachoPrompts *self, TachoRandom *salt, const char *content)
{
  GString *text = g_string_new (NULL);

  append_words (self, text, salt, SALT_WORDS);
  g_string_append (text, "\n\n");
  g_string_append (text, content);
  return g_string_free (text, FALSE);
}

static TachoGenerateRequest *
new_request (TachoPrompts *self, gint64 max_tokens, gboolean exact)
{
  TachoGenerateRequest *request = tacho_generate_request_new (self->plan->model);

  request->max_tokens = max_tokens;
  request->ignore_eos = exact;
  request->raw = !self->plan->chat;
  return request;
}

static void
set_text (TachoGenerateRequest *request, char *text)
{
  if (request->raw)
    request->prompt = text;
  else
    {
      tacho_generate_request_add_message (request, TACHO_ROLE_USER, text);
      g_free (text);
    }
}

static void
copy_messages (TachoGenerateRequest *to, const TachoGenerateRequest *from)
{
  for (guint i = 0; from != NULL && i < from->messages->len; i++)
    {
      const TachoMessage *message = g_ptr_array_index (from->messages, i);

      tacho_generate_request_add_message (to, message->role, message->content);
    }
}

/* What the assistant said in the turns before is drawn too: replies that differ from server to
 * server would make plans that cannot be compared. */
static GPtrArray *
make_synthetic (TachoPrompts *self, TachoRandom *salt, guint64 number)
{
  GPtrArray *turns = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_generate_request_free);
  TachoRandom random = tacho_random_new (self->plan->seed, number);
  g_autofree char *reply = NULL;

  for (guint turn = 0; turn < self->plan->turns; turn++)
    {
      guint n_words = draw_length (&random, &self->plan->prompt_tokens);
      guint n_output = draw_length (&random, &self->plan->output_tokens);
      TachoGenerateRequest *request = new_request (self, n_output, TRUE);

      if (turn > 0)
        {
          copy_messages (request, g_ptr_array_index (turns, turn - 1));
          tacho_generate_request_add_message (request, TACHO_ROLE_ASSISTANT, reply);
        }
      set_text (request, make_text (self, &random, turn == 0 ? salt : NULL, n_words));
      g_ptr_array_add (turns, request);
      if (turn + 1 < self->plan->turns)
        {
          g_free (reply);
          reply = make_text (self, &random, NULL, n_output);
        }
    }
  return turns;
}

/* A turn of a file: its messages, or a synthetic text of the length that a trace gives. */
static TachoGenerateRequest *
request_of_turn (TachoPrompts *self,
                 const TachoPromptTurn *turn,
                 const TachoGenerateRequest *before,
                 TachoRandom *random,
                 TachoRandom *salt)
{
  gboolean exact = turn->output_tokens > 0;
  gint64 max_tokens = exact ? turn->output_tokens
                            : (gint64) draw_length (random, &self->plan->output_tokens);
  TachoGenerateRequest *request = new_request (self, max_tokens, exact);

  if (turn->messages->len == 0)
    {
      set_text (request, make_text (self, random, salt, turn->input_tokens));
      return request;
    }
  if (!request->raw)
    copy_messages (request, before);
  for (guint i = 0; i < turn->messages->len; i++)
    {
      const TachoMessage *message = g_ptr_array_index (turn->messages, i);
      g_autofree char *text = i == 0 && salt != NULL ? salted (self, salt, message->content)
                                                     : g_strdup (message->content);

      if (!request->raw)
        tacho_generate_request_add_message (request, message->role, text);
      else if (i + 1 == turn->messages->len)
        request->prompt = g_steal_pointer (&text);
    }
  return request;
}

static GPtrArray *
make_from_file (TachoPrompts *self, TachoRandom *salt, guint64 number)
{
  GPtrArray *turns = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_generate_request_free);
  const TachoPromptEntry *entry =
      g_ptr_array_index (self->entries, number % self->entries->len);
  TachoRandom random = tacho_random_new (self->plan->seed, number);

  for (guint i = 0; i < entry->turns->len; i++)
    g_ptr_array_add (turns, request_of_turn (self, g_ptr_array_index (entry->turns, i),
                                             i > 0 ? g_ptr_array_index (turns, i - 1) : NULL,
                                             &random, i == 0 ? salt : NULL));
  return turns;
}

/**
 * tacho_prompts_make:
 * @prompts: prompts; may be used by several threads at once
 * @salt: of the run, for the front of each conversation, so that no prefix cache knows it; 0: none
 * @number: of the conversation
 *
 * Makes conversation @number of a run. A file with fewer is gone through again and again.
 *
 * Returns: (transfer full) (element-type TachoGenerateRequest): its turns
 */
GPtrArray *
tacho_prompts_make (TachoPrompts *prompts, guint64 salt, guint64 number)
{
  TachoRandom salt_words = tacho_random_new (salt ^ STREAM_SALT, number);
  TachoRandom *random = salt != 0 ? &salt_words : NULL;

  if (prompts->entries != NULL)
    return make_from_file (prompts, random, number);
  return make_synthetic (prompts, random, number);
}
