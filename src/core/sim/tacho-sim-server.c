/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The simulated server: a thread with a main context of its own, and the only door to it. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-server.h"

#include "base/tacho-error.h"
#include "sim/tacho-sim-http.h"
#include "sim/tacho-sim-job.h"
#include "sim/tacho-sim-sides.h"

#include <string.h>

struct _TachoSimServer
{
  GObject parent_instance;

  TachoSimConfig *config;
  TachoSimHost *host; /* from the first start on; its engine and capture outlive the thread */
  GThread *thread;
  GMainLoop *loop;
};

G_DEFINE_FINAL_TYPE (TachoSimServer, tacho_sim_server, G_TYPE_OBJECT)

static gpointer
thread_func (gpointer user_data)
{
  TachoSimServer *self = user_data;
  TachoSimHost *host = self->host;

  g_main_context_push_thread_default (host->context);
  g_main_loop_run (self->loop);
  tacho_sim_sides_close (host->sides);
  g_main_context_pop_thread_default (host->context);
  return NULL;
}

static gboolean
quit_cb (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_REMOVE;
}

static void
host_free (TachoSimHost *host)
{
  if (host == NULL)
    return;
  tacho_sim_sides_free (host->sides);
  g_ptr_array_unref (host->pulls);
  tacho_sim_engine_free (host->engine);
  tacho_sim_capture_free (host->capture);
  tacho_sim_fault_set_free (host->faults);
  g_hash_table_unref (host->adapters);
  tacho_sim_config_free (host->config);
  g_main_context_unref (host->context);
  g_mutex_clear (&host->fault_lock);
  g_free (host);
}

static TachoSimHost *
host_new (const TachoSimConfig *config, GError **error)
{
  TachoSimCapture *capture = tacho_sim_capture_new (config->capture_path, error);
  TachoSimHost *host;

  if (capture == NULL)
    return NULL;
  host = g_new0 (TachoSimHost, 1);
  host->capture = capture;
  host->config = tacho_sim_config_copy (config);
  host->context = g_main_context_new ();
  host->engine = tacho_sim_engine_new (config, host->context);
  host->faults = tacho_sim_fault_set_new (config->seed);
  host->pulls = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_sim_pull_free);
  host->adapters = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_mutex_init (&host->fault_lock);
  g_queue_init (&host->exchanges);
  host->sides = tacho_sim_sides_new (host);
  for (guint i = 0; i < config->faults->len; i++)
    tacho_sim_fault_set_add (host->faults, g_ptr_array_index (config->faults, i));
  return host;
}

static gboolean
listen_on (TachoSimServer *self, guint16 port, GError **error)
{
  TachoSimHost *host = self->host;
  gboolean listening;

  g_main_context_push_thread_default (host->context);
  listening = tacho_sim_sides_open (host->sides, port, error);
  g_main_context_pop_thread_default (host->context);
  return listening;
}

/* One that serves a single model has it from the start, or begins to load it. */
static void
load_single (TachoSimServer *self)
{
  const TachoSimConfig *config = self->host->config;

  for (guint i = 0; i < config->fronts->len; i++)
    if (!config->router &&
        tacho_sim_config_get_front (config, i)->family == TACHO_SIM_FAMILY_LLAMACPP)
      tacho_sim_engine_load (
          self->host->engine,
          g_ptr_array_index (tacho_sim_engine_get_runtimes (self->host->engine), 0));
}

static void
tacho_sim_server_finalize (GObject *object)
{
  TachoSimServer *self = TACHO_SIM_SERVER (object);

  tacho_sim_server_stop (self);
  host_free (self->host);
  tacho_sim_config_free (self->config);
  G_OBJECT_CLASS (tacho_sim_server_parent_class)->finalize (object);
}

static void
tacho_sim_server_class_init (TachoSimServerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_sim_server_finalize;
}

static void
tacho_sim_server_init (TachoSimServer *self)
{
}

/**
 * tacho_sim_server_new:
 * @config: copied
 *
 * Returns: (transfer full): a server that is not started
 */
TachoSimServer *
tacho_sim_server_new (const TachoSimConfig *config)
{
  TachoSimServer *self;

  g_return_val_if_fail (config != NULL, NULL);
  g_return_val_if_fail (config->models->len > 0, NULL);

  self = g_object_new (TACHO_TYPE_SIM_SERVER, NULL);
  self->config = tacho_sim_config_copy (config);
  return self;
}

/**
 * tacho_sim_server_start:
 * @self: a server that does not run
 * @port: of the first front, on 127.0.0.1; 0: as its configuration says
 * @error: return location for a `TACHO_ERROR_IO`
 *
 * Returns when the server accepts connections. A server that was stopped starts anew, with empty
 * counters.
 *
 * Returns: whether it runs
 */
gboolean
tacho_sim_server_start (TachoSimServer *self, guint16 port, GError **error)
{
  g_return_val_if_fail (TACHO_IS_SIM_SERVER (self), FALSE);
  g_return_val_if_fail (self->thread == NULL, FALSE);

  g_clear_pointer (&self->host, host_free);
  self->host = host_new (self->config, error);
  if (self->host == NULL)
    return FALSE;
  if (!listen_on (self, port, error))
    {
      g_clear_pointer (&self->host, host_free);
      return FALSE;
    }
  load_single (self);
  tacho_sim_sides_start_timeline (self->host->sides);
  self->loop = g_main_loop_new (self->host->context, FALSE);
  self->thread = g_thread_new ("tacho-sim", thread_func, self);
  return TRUE;
}

/**
 * tacho_sim_server_stop:
 * @self: a server
 *
 * Closes every connection and joins the thread. The counters and the capture stay readable. Does
 * nothing if the server does not run.
 */
void
tacho_sim_server_stop (TachoSimServer *self)
{
  g_autoptr (GSource) source = NULL;

  g_return_if_fail (TACHO_IS_SIM_SERVER (self));

  if (self->thread == NULL)
    return;
  source = g_idle_source_new (); /* also stops a loop that has not begun to run yet */
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_set_callback (source, quit_cb, self->loop, NULL);
  g_source_attach (source, self->host->context);
  g_thread_join (g_steal_pointer (&self->thread));
  g_clear_pointer (&self->loop, g_main_loop_unref);
}

/**
 * tacho_sim_server_get_url:
 * @self: a server
 *
 * Returns: (transfer none) (nullable): where the first front is, `http://127.0.0.1:PORT`; %NULL
 *   before the first start
 */
const char *
tacho_sim_server_get_url (TachoSimServer *self)
{
  return tacho_sim_server_get_front_url (self, 0);
}

/**
 * tacho_sim_server_get_n_fronts:
 * @self: a server
 *
 * Returns: how many fronts it has
 */
guint
tacho_sim_server_get_n_fronts (TachoSimServer *self)
{
  g_return_val_if_fail (TACHO_IS_SIM_SERVER (self), 0);

  return self->config->fronts->len;
}

/**
 * tacho_sim_server_get_front_url:
 * @self: a server
 * @index: of a front in the configuration
 *
 * Returns: (transfer none) (nullable): its address (http, https, grpc or grpcs) with the port
 *   of 127.0.0.1; %NULL before the first start
 */
const char *
tacho_sim_server_get_front_url (TachoSimServer *self, guint index)
{
  g_return_val_if_fail (TACHO_IS_SIM_SERVER (self), NULL);

  return self->host != NULL ? tacho_sim_sides_get_url (self->host->sides, index) : NULL;
}

/**
 * tacho_sim_server_get_counters:
 * @self: a server
 * @counters: (out caller-allocates): since the start
 */
void
tacho_sim_server_get_counters (TachoSimServer *self, TachoSimCounters *counters)
{
  g_return_if_fail (TACHO_IS_SIM_SERVER (self));
  g_return_if_fail (counters != NULL);

  memset (counters, 0, sizeof *counters);
  if (self->host != NULL)
    tacho_sim_engine_get_counters (self->host->engine, counters);
}

/**
 * tacho_sim_server_take_requests:
 * @self: a server
 *
 * Takes the captured requests; a request is captured when its status is decided, before a byte of
 * its reply is sent.
 *
 * Returns: (transfer full) (element-type TachoSimRequest): the oldest first
 */
GPtrArray *
tacho_sim_server_take_requests (TachoSimServer *self)
{
  g_return_val_if_fail (TACHO_IS_SIM_SERVER (self), NULL);

  if (self->host == NULL)
    return g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_sim_request_free);
  return tacho_sim_capture_take (self->host->capture);
}

/**
 * tacho_sim_server_add_fault:
 * @self: a server
 * @fault: copied; its request numbers count from now
 */
void
tacho_sim_server_add_fault (TachoSimServer *self, const TachoSimFault *fault)
{
  g_return_if_fail (TACHO_IS_SIM_SERVER (self));
  g_return_if_fail (fault != NULL);

  if (self->host == NULL)
    {
      g_ptr_array_add (self->config->faults, tacho_sim_fault_copy (fault));
      return;
    }
  g_mutex_lock (&self->host->fault_lock);
  tacho_sim_fault_set_add (self->host->faults, fault);
  g_mutex_unlock (&self->host->fault_lock);
}

/**
 * tacho_sim_server_clear_faults:
 * @self: a server
 */
void
tacho_sim_server_clear_faults (TachoSimServer *self)
{
  g_return_if_fail (TACHO_IS_SIM_SERVER (self));

  if (self->host == NULL)
    {
      g_ptr_array_set_size (self->config->faults, 0);
      return;
    }
  g_mutex_lock (&self->host->fault_lock);
  tacho_sim_fault_set_clear (self->host->faults);
  g_mutex_unlock (&self->host->fault_lock);
}

/* The first front of each protocol. */
static void
set_endpoints (TachoSimServer *self, TachoProfile *profile)
{
  gboolean rest = FALSE, grpc = FALSE;

  for (guint i = 0; i < tacho_sim_server_get_n_fronts (self); i++)
    {
      const char *url = tacho_sim_server_get_front_url (self, i);

      if (g_str_has_prefix (url, "http") && !rest)
        {
          tacho_profile_set_endpoint (profile, url);
          rest = TRUE;
        }
      else if (g_str_has_prefix (url, "grpc://") && !grpc)
        {
          tacho_profile_set_grpc_endpoint (profile, url + strlen ("grpc://"));
          grpc = TRUE;
        }
    }
  if (grpc)
    tacho_profile_set_protocol (profile, rest ? TACHO_PROTOCOL_HYBRID : TACHO_PROTOCOL_GRPC, NULL);
}

/**
 * tacho_sim_server_host_profile:
 * @profile: a profile
 * @error: return location for an error: no such configuration, or no socket
 *
 * If the profile is `sim:` or `sim:NAME`, starts the server that it means and sets the profile's
 * endpoint to it.
 *
 * Returns: (transfer full) (nullable): the server, to be kept as long as the profile is used; %NULL
 *   without an error if the profile is another server's
 */
TachoSimServer *
tacho_sim_server_host_profile (TachoProfile *profile, GError **error)
{
  g_autoptr (TachoSimConfig) config = NULL;
  g_autoptr (TachoSimServer) self = NULL;

  g_return_val_if_fail (TACHO_IS_PROFILE (profile), NULL);

  if (!tacho_profile_is_sim (profile))
    return NULL;
  config = tacho_sim_config_new (tacho_profile_get_url (profile) + strlen ("sim:"), error);
  if (config == NULL)
    return NULL;
  self = tacho_sim_server_new (config);
  if (!tacho_sim_server_start (self, 0, error))
    return NULL;
  set_endpoints (self, profile);
  return g_steal_pointer (&self);
}

typedef struct
{
  TachoSimServer *server;
  gboolean grpc, up, done;
  GMutex lock;
  GCond changed;
} SideChange;

static gboolean
side_cb (gpointer user_data)
{
  SideChange *change = user_data;

  tacho_sim_sides_set (change->server->host->sides, change->grpc, change->up);
  g_mutex_lock (&change->lock);
  change->done = TRUE;
  g_cond_signal (&change->changed);
  g_mutex_unlock (&change->lock);
  return G_SOURCE_REMOVE;
}

/**
 * tacho_sim_server_set_side:
 * @self: a server that runs
 * @grpc: the gRPC side, not the REST side
 * @up: whether it is to listen
 *
 * Closes every front of a side, connections included, as if its process were killed; or listens on
 * the same ports again. Returns when that is done.
 */
void
tacho_sim_server_set_side (TachoSimServer *self, gboolean grpc, gboolean up)
{
  SideChange change = { self, grpc, up, FALSE };
  g_autoptr (GSource) source = NULL;

  g_return_if_fail (TACHO_IS_SIM_SERVER (self));
  g_return_if_fail (self->thread != NULL);

  g_mutex_init (&change.lock);
  g_cond_init (&change.changed);
  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, side_cb, &change, NULL);
  g_source_attach (source, self->host->context);
  g_mutex_lock (&change.lock);
  while (!change.done)
    g_cond_wait (&change.changed, &change.lock);
  g_mutex_unlock (&change.lock);
  g_mutex_clear (&change.lock);
  g_cond_clear (&change.changed);
}
