/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The builder of requests. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-load-feed.h"

#include "bench/tacho-prompts.h"

#define MAX_AHEAD 2048
#define MAX_AHEAD_BYTES ((gsize) 64 * 1024 * 1024)

struct _TachoLoadFeed
{
  TachoApi *api;
  TachoBenchPlan *plan;
  guint64 salt;
  GThread *thread;

  GMutex mutex;
  GCond changed;
  GQueue ready; /* of TachoHttpRequest */
  gsize ready_bytes;
  guint ahead;
  gboolean quit;
  GError *error;
};

static gpointer
build_thread (gpointer user_data)
{
  TachoLoadFeed *self = user_data;

  for (guint64 id = 0;; id++)
    {
      g_autoptr (TachoGenerateRequest) request = tacho_prompts_make (self->plan, self->salt, id);
      g_autoptr (GError) error = NULL;
      TachoHttpRequest *built = tacho_api_build_generate (self->api, request, &error);
      gboolean quit;

      g_mutex_lock (&self->mutex);
      if (built != NULL)
        {
          self->ready_bytes += built->body != NULL ? g_bytes_get_size (built->body) : 0;
          g_queue_push_tail (&self->ready, built);
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
 * @plan: a valid plan
 * @salt: of the run; 0: none
 *
 * Starts building at once.
 *
 * Returns: (transfer full): the feed
 */
TachoLoadFeed *
tacho_load_feed_new (TachoApi *api, const TachoBenchPlan *plan, guint64 salt)
{
  TachoLoadFeed *self = g_new0 (TachoLoadFeed, 1);

  self->api = g_object_ref (api);
  self->plan = tacho_bench_plan_copy (plan);
  self->salt = salt;
  self->ahead = MIN (MAX (plan->concurrency, 16), MAX_AHEAD);
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
  g_queue_clear_full (&self->ready, (GDestroyNotify) tacho_http_request_free);
  g_clear_error (&self->error);
  g_mutex_clear (&self->mutex);
  g_cond_clear (&self->changed);
  tacho_bench_plan_free (self->plan);
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
 * Returns: (transfer full) (nullable): the next request, in the order of their ids
 */
TachoHttpRequest *
tacho_load_feed_take (TachoLoadFeed *self, GError **error)
{
  TachoHttpRequest *request;

  g_mutex_lock (&self->mutex);
  while (self->ready.length == 0 && self->error == NULL)
    g_cond_wait (&self->changed, &self->mutex);
  request = g_queue_pop_head (&self->ready);
  if (request != NULL)
    self->ready_bytes -= request->body != NULL ? g_bytes_get_size (request->body) : 0;
  else if (error != NULL)
    *error = g_error_copy (self->error);
  g_cond_broadcast (&self->changed);
  g_mutex_unlock (&self->mutex);
  return request;
}
