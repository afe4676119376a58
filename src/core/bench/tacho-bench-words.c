/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tokenizes lists of words: where a list has as many tokens as words, each is one token; else its
 * halves are asked for. What the server adds by itself (a token for the begin) is found first. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-words.h"

#include "bench/tacho-prompts.h"

#define LIMIT_S 10.0
#define MIN_WORDS 16
#define MAX_QUESTIONS 200 /* bisecting all of them takes fewer */

typedef struct
{
  guint first, n;
} Range;

typedef struct
{
  TachoClientManager *manager;
  TachoApi *api;
  char *model;
  GPtrArray *words;
  GPtrArray *good;
  GArray *ranges; /* of Range: still to ask */
  gint64 once;    /* tokens of the first word; 0: not asked yet */
  gint64 added;   /* tokens that the server adds to a text; -1: not known yet */
  guint questions;
} Words;

static void ask (GTask *task);

static void
words_free (gpointer data)
{
  Words *self = data;

  g_object_unref (self->manager);
  g_object_unref (self->api);
  g_free (self->model);
  g_ptr_array_unref (self->words);
  g_ptr_array_unref (self->good);
  g_array_unref (self->ranges);
  g_free (self);
}

static char *
text_to_ask (Words *self)
{
  GString *text = g_string_new (NULL);
  Range range = g_array_index (self->ranges, Range, self->ranges->len - 1);

  if (self->added < 0)
    range = (Range){ 0, self->once == 0 ? 1 : 2 };
  for (guint i = 0; i < range.n; i++)
    {
      guint at = self->added < 0 ? 0 : range.first + i;

      g_string_append_printf (text, "%s%s", i > 0 ? " " : "",
                              (const char *) g_ptr_array_index (self->words, at));
    }
  return g_string_free (text, FALSE);
}

static void
split (Words *self, Range range)
{
  Range halves[2] = { { range.first, range.n / 2 },
                      { range.first + range.n / 2, range.n - range.n / 2 } };

  if (range.n > 1)
    g_array_append_vals (self->ranges, halves, 2);
}

/* FALSE: the tokenizer counts in a way that this cannot use. */
static gboolean
take_count (Words *self, gint64 count)
{
  Range range;

  if (self->once == 0)
    {
      self->once = count;
      return count >= 1;
    }
  if (self->added < 0)
    {
      self->added = 2 * self->once - count;
      return count == self->once + 1 && self->added >= 0;
    }
  range = g_array_index (self->ranges, Range, self->ranges->len - 1);
  g_array_set_size (self->ranges, self->ranges->len - 1);
  if (count != (gint64) range.n + self->added)
    split (self, range);
  else
    for (guint i = 0; i < range.n; i++)
      g_ptr_array_add (self->good,
                       g_strdup (g_ptr_array_index (self->words, range.first + i)));
  return TRUE;
}

static void
answered_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Words *self = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (TachoHttpReply) reply =
      tacho_client_manager_send_finish (TACHO_CLIENT_MANAGER (source), result, &error);
  gint64 count = reply != NULL ? tacho_api_parse_tokenize (self->api, reply, &error) : -1;

  if (error != NULL)
    g_task_return_error (task, error);
  else if (!take_count (self, count) || self->questions > MAX_QUESTIONS)
    g_task_return_pointer (task, NULL, NULL);
  else if (self->ranges->len > 0)
    ask (task);
  else
    g_task_return_pointer (
        task, self->good->len >= MIN_WORDS ? g_ptr_array_ref (self->good) : NULL,
        (GDestroyNotify) g_ptr_array_unref);
}

static void
ask (GTask *task)
{
  Words *self = g_task_get_task_data (task);
  g_autofree char *text = text_to_ask (self);
  GError *error = NULL;
  g_autoptr (TachoHttpRequest) request =
      tacho_api_build_tokenize (self->api, self->model, text, &error);

  self->questions++;
  if (request == NULL)
    g_task_return_error (task, error);
  else
    tacho_client_manager_send_async (self->manager, request, LIMIT_S,
                                     g_task_get_cancellable (task), answered_cb,
                                     g_object_ref (task));
}

/**
 * tacho_bench_words_async:
 * @manager: a probed manager
 * @api: of its REST side; has %TACHO_OP_TOKENIZE
 * @model: whose tokenizer
 * @cancellable: (nullable): to give up
 * @callback: called when it is known
 * @user_data: for @callback
 *
 * Finds the words of synthetic prompts that are one token each.
 */
void
tacho_bench_words_async (TachoClientManager *manager,
                         TachoApi *api,
                         const char *model,
                         GCancellable *cancellable,
                         GAsyncReadyCallback callback,
                         gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  Words *self = g_new0 (Words, 1);
  Range all;

  g_task_set_source_tag (task, tacho_bench_words_async);
  g_task_set_task_data (task, self, words_free);
  self->manager = g_object_ref (manager);
  self->api = g_object_ref (api);
  self->model = g_strdup (model);
  self->words = tacho_prompts_dup_words ();
  self->good = g_ptr_array_new_with_free_func (g_free);
  self->ranges = g_array_new (FALSE, FALSE, sizeof (Range));
  self->added = -1;
  all = (Range){ 0, self->words->len };
  g_array_append_val (self->ranges, all);
  ask (task);
}

/**
 * tacho_bench_words_finish:
 * @result: what the callback was given
 * @error: return location
 *
 * Returns: (transfer full) (nullable) (element-type utf8): the words; %NULL without an error where
 * this tokenizer knows too few of them
 */
GPtrArray *
tacho_bench_words_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
