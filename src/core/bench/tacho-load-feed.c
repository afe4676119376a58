/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The builder of requests. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-load-feed.h"

#define MIN_AHEAD 16
#define MAX_AHEAD 2048
#define MAX_AHEAD_BYTES ((gsize) 64 * 1024 * 1024)

struct _TachoLoadFeed
{
  TachoApi *api;
  TachoPrompts *prompts;
  guint64 salt;
  guint64 first;
  guint64 stride;
  GThread *thread;

  GMutex mutex;
  GCond changed;
  GQueue ready; /* of TachoLoadItem */
  gsize ready_bytes;
  guint ahead;
  gboolean quit;
  GError *error;
};

/**
 * tacho_load_item_free:
 * @item: (nullable): a conversation
 *
 * Frees it.
 */
void
tacho_load_item_free (TachoLoadItem *item)
{
  if (item == NULL)
    return;
  g_ptr_array_unref (item->turns);
  g_free (item);
}

static gsize
size_of (const TachoLoadItem *item)
{
  gsize size = 0;

  for (guint i = 0; i < item->turns->len; i++)
    {
      const TachoHttpRequest *request = g_ptr_array_index (item->turns, i);

      size += request->body != NULL ? g_bytes_get_size (request->body) : 0;
    }
  return size;
}

static TachoLoadItem *
build (TachoLoadFeed *self, guint64 number, GError **error)
{
  g_autoptr (GPtrArray) turns = tacho_prompts_make (self->prompts, self->salt, number);
  g_autoptr (TachoLoadItem) item = g_new0 (TachoLoadItem, 1);

  item->number = number;
  item->turns = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_http_request_free);
  for (guint i = 0; i < turns->len; i++)
    {
      TachoHttpRequest *request =
          tacho_api_build_generate (self->api, g_ptr_array_index (turns, i), error);

      if (request == NULL)
        return NULL;
      g_ptr_array_add (item->turns, request);
    }
  return g_steal_pointer (&item);
}

static gpointer
build_thread (gpointer user_data)
{
  TachoLoadFeed *self = user_data;

  for (guint64 number = self->first;; number += self->stride)
    {
      g_autoptr (GError) error = NULL;
      TachoLoadItem *item = build (self, number, &error);
      gboolean quit;

      g_mutex_lock (&self->mutex);
      if (item != NULL)
        {
          self->ready_bytes += size_of (item);
          g_queue_push_tail (&self->ready, item);
        }
      else
        self->error = g_steal_pointer (&error);
      g_cond_broadcast (&self->changed);
      while (!self->quit && self->error == NULL && self->ready.length > 0 &&
             (self->ready.length >= self->ahead || self->ready_bytes >= MAX_AHEAD_BYTES))
        g_cond_wait (&self->changed, &self->mutex);
      quit = self->quit || self->error != NULL;
      g_mutex_unlock (&self->mutex);
      if (quit)
        return NULL;
    }
}

/**
 * tacho_load_feed_new:
 * @api: builds the requests
 * @prompts: what they say
 * @salt: of the run; 0: none
 * @ahead: how many to have ready
 * @first: number of the first conversation
 * @stride: from one to the next: threads and machines take turns
 *
 * Starts building at once.
 *
 * Returns: (transfer full): the feed
 */
TachoLoadFeed *
tacho_load_feed_new (TachoApi *api,
                     TachoPrompts *prompts,
                     guint64 salt,
                     guint ahead,
                     guint64 first,
                     guint64 stride)
{
  TachoLoadFeed *self = g_new0 (TachoLoadFeed, 1);

  self->api = g_object_ref (api);
  self->prompts = tacho_prompts_ref (prompts);
  self->salt = salt;
  self->first = first;
  self->stride = stride;
  self->ahead = CLAMP (ahead, MIN_AHEAD, MAX_AHEAD);
  g_mutex_init (&self->mutex);
  g_cond_init (&self->changed);
  g_queue_init (&self->ready);
  self->thread = g_thread_new ("tacho-feed", build_thread, self);
  return self;
}

/**
 * tacho_load_feed_free:
 * @self: (nullable) (transfer full): a feed
 */
void
tacho_load_feed_free (TachoLoadFeed *self)
{
  if (self == NULL)
    return;
  g_mutex_lock (&self->mutex);
  self->quit = TRUE;
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
  g_thread_join (self->thread);
  g_queue_clear_full (&self->ready, (GDestroyNotify) tacho_load_item_free);
  g_clear_error (&self->error);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->changed);
  tacho_prompts_unref (self->prompts);
  g_object_unref (self->api);
  g_free (self);
}

/**
 * tacho_load_feed_check:
 * @self: a feed of which nothing was taken
 * @error: return location
 *
 * Returns: whether the first request could be built
 */
gboolean
tacho_load_feed_check (TachoLoadFeed *self, GError **error)
{
  gboolean good;

  g_mutex_lock (&self->mutex);
  while (self->ready.length == 0 && self->error == NULL)
    g_cond_wait (&self->changed, &self->mutex);
  good = self->error == NULL;
  if (!good && error != NULL)
    *error = g_error_copy (self->error);
  g_mutex_unlock (&self->mutex);
  return good;
}

/**
 * tacho_load_feed_take:
 * @self: a feed
 * @error: return location
 *
 * Returns: (transfer full) (nullable): the next conversation, in the order of their numbers
 */
TachoLoadItem *
tacho_load_feed_take (TachoLoadFeed *self, GError **error)
{
  TachoLoadItem *item;

  g_mutex_lock (&self->mutex);
  while (self->ready.length == 0 && self->error == NULL)
    g_cond_wait (&self->changed, &self->mutex);
  item = g_queue_pop_head (&self->ready);
  if (item != NULL)
    self->ready_bytes -= size_of (item);
  else if (error != NULL)
    *error = g_error_copy (self->error);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
  return item;
}
