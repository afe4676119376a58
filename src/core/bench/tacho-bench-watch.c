/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Samples of a run, in the caller's main context. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-watch.h"

#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "bench/tacho-host-monitor.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <math.h>
#include <netinet/in.h>
#include <string.h>

#define INTERVAL_MS 1000
#define LIMIT_S 3.0
#define LAST_LIMIT_S 1.0
/* A server that does not answer so often has no metrics, or is too busy to be asked. */
#define MAX_FAILURES 3

typedef struct
{
  gint64 at_ns;
  TachoBenchSample sample;
} Stamped;

struct _TachoBenchWatch
{
  GObject parent_instance;

  TachoClientManager *manager;
  TachoApi *api;
  char *model;
  TachoHostMonitor *host;
  GArray *samples; /* of Stamped */
  GArray *lent;    /* of TachoBenchSample: the first n_lent of them that are in the window */
  guint n_lent;
  GCancellable *cancellable;
  GSource *timer;
  gboolean asking;
  guint failures;
  TachoBenchResult *result; /* that is to get the samples, while the last look is awaited */
  TachoBenchWatchDone done;
  gpointer done_data;
};

G_DEFINE_FINAL_TYPE (TachoBenchWatch, tacho_bench_watch, G_TYPE_OBJECT)

static void
stop (TachoBenchWatch *self)
{
  g_cancellable_cancel (self->cancellable);
  if (self->timer != NULL)
    {
      g_source_destroy (self->timer);
      g_clear_pointer (&self->timer, g_source_unref);
    }
}

static void
tacho_bench_watch_dispose (GObject *object)
{
  TachoBenchWatch *self = TACHO_BENCH_WATCH (object);

  stop (self);
  g_clear_object (&self->manager);
  g_clear_object (&self->api);

  G_OBJECT_CLASS (tacho_bench_watch_parent_class)->dispose (object);
}

static void
tacho_bench_watch_finalize (GObject *object)
{
  TachoBenchWatch *self = TACHO_BENCH_WATCH (object);

  g_clear_pointer (&self->host, tacho_host_monitor_free);
  g_clear_pointer (&self->result, tacho_bench_result_unref);
  g_array_unref (self->samples);
  g_array_unref (self->lent);
  g_object_unref (self->cancellable);
  g_free (self->model);

  G_OBJECT_CLASS (tacho_bench_watch_parent_class)->finalize (object);
}

static void
tacho_bench_watch_class_init (TachoBenchWatchClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = tacho_bench_watch_dispose;
  object_class->finalize = tacho_bench_watch_finalize;
}

static void
tacho_bench_watch_init (TachoBenchWatch *self)
{
  self->samples = g_array_new (FALSE, FALSE, sizeof (Stamped));
  self->lent = g_array_new (FALSE, FALSE, sizeof (TachoBenchSample));
  self->cancellable = g_cancellable_new ();
  self->host = tacho_host_monitor_new (NULL);
}

/**
 * tacho_bench_watch_new:
 * @manager: a probed manager
 * @api: of the side that is measured
 * @model: that is measured
 *
 * Returns: (transfer full): a watch that looks at nothing yet
 */
TachoBenchWatch *
tacho_bench_watch_new (TachoClientManager *manager, TachoApi *api, const char *model)
{
  TachoBenchWatch *self = g_object_new (TACHO_TYPE_BENCH_WATCH, NULL);

  self->manager = g_object_ref (manager);
  self->api = g_object_ref (api);
  self->model = g_strdup (model);
  return self;
}

static void
add_sample (TachoBenchWatch *self, gint64 at_ns, const TachoServerMetrics *server)
{
  Stamped stamped = { .at_ns = at_ns };
  TachoHostSample host;

  tacho_host_monitor_sample (self->host, at_ns, &host);
  stamped.sample.server = *server;
  stamped.sample.cpu_share = host.cpu_share;
  stamped.sample.memory_used = host.memory_used;
  stamped.sample.network_rx_bps = host.network_rx_bps;
  stamped.sample.network_tx_bps = host.network_tx_bps;
  stamped.sample.gpu_share = host.gpu_share;
  stamped.sample.gpu_memory_used = host.gpu_memory_used;
  g_array_append_val (self->samples, stamped);
}

static void
metrics_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoBenchWatch) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply =
      tacho_client_manager_send_finish (TACHO_CLIENT_MANAGER (source), result, &error);
  TachoServerMetrics server;

  self->asking = FALSE;
  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  tacho_server_metrics_clear (&server);
  if (reply != NULL && self->api != NULL &&
      tacho_api_parse_metrics (self->api, reply, &server, &error))
    self->failures = 0;
  else
    self->failures++;
  add_sample (self, tacho_clock_now_ns (), &server);
}

static void
look (TachoBenchWatch *self)
{
  g_autoptr (TachoHttpRequest) request = NULL;
  TachoServerMetrics server;

  if (self->asking)
    return;
  if (self->failures < MAX_FAILURES && tacho_api_supports (self->api, TACHO_OP_METRICS))
    request = tacho_api_build (self->api, TACHO_OP_METRICS, self->model, NULL);
  if (request != NULL)
    {
      self->asking = TRUE;
      tacho_client_manager_send_async (self->manager, request, LIMIT_S, self->cancellable,
                                       metrics_cb, g_object_ref (self));
      return;
    }
  tacho_server_metrics_clear (&server);
  add_sample (self, tacho_clock_now_ns (), &server);
}

static gboolean
timer_cb (gpointer user_data)
{
  look (user_data);
  return G_SOURCE_CONTINUE;
}

/**
 * tacho_bench_watch_start:
 * @self: a watch
 *
 * Looks now and then once a second, in the thread-default main context.
 */
void
tacho_bench_watch_start (TachoBenchWatch *self)
{
  g_return_if_fail (TACHO_IS_BENCH_WATCH (self) && self->timer == NULL);

  self->timer = g_timeout_source_new (INTERVAL_MS);
  g_source_set_callback (self->timer, timer_cb, self, NULL);
  g_source_attach (self->timer, g_main_context_get_thread_default ());
  look (self);
}

/**
 * tacho_bench_watch_fill:
 * @self: a watch that goes on
 * @snapshot: gets the samples; they stay the watch's
 *
 * For a look at a run that goes on.
 */
void
tacho_bench_watch_fill (TachoBenchWatch *self, TachoBenchSnapshot *snapshot)
{
  g_return_if_fail (TACHO_IS_BENCH_WATCH (self));

  if (snapshot->window_start_ns == 0)
    return;
  for (; self->n_lent < self->samples->len; self->n_lent++)
    {
      Stamped stamped = g_array_index (self->samples, Stamped, self->n_lent);

      stamped.sample.t_s = (double) (stamped.at_ns - snapshot->window_start_ns) / TACHO_NS_PER_S;
      if (stamped.sample.t_s >= 0)
        g_array_append_val (self->lent, stamped.sample);
    }
  snapshot->samples = (const TachoBenchSample *) (gconstpointer) self->lent->data;
  snapshot->n_samples = self->lent->len;
}

static void
give_samples (TachoBenchWatch *self)
{
  g_autoptr (TachoBenchResult) result = g_steal_pointer (&self->result);

  for (guint i = 0; i < self->samples->len && result->window_start_ns != 0; i++)
    {
      Stamped *stamped = &g_array_index (self->samples, Stamped, i);

      stamped->sample.t_s = (double) (stamped->at_ns - result->window_start_ns) / TACHO_NS_PER_S;
      g_array_append_val (result->samples, stamped->sample);
    }
  g_array_set_size (self->samples, 0);
  self->done (self->done_data);
}

static void
last_cb (GObject *source, GAsyncResult *async_result, gpointer user_data)
{
  g_autoptr (TachoBenchWatch) self = user_data;
  g_autoptr (TachoHttpReply) reply =
      tacho_client_manager_send_finish (TACHO_CLIENT_MANAGER (source), async_result, NULL);
  TachoServerMetrics server;

  tacho_server_metrics_clear (&server);
  if (reply != NULL && self->api != NULL)
    (void) tacho_api_parse_metrics (self->api, reply, &server, NULL);
  add_sample (self, tacho_clock_now_ns (), &server);
  give_samples (self);
}

/**
 * tacho_bench_watch_finish:
 * @self: a watch
 * @result: a run that has ended
 * @done: called when the samples are in it
 * @user_data: for @done
 *
 * Looks a last time: a short run has no other look at a server that is under load, and totals are
 * only known to the end by it.
 */
void
tacho_bench_watch_finish (TachoBenchWatch *self,
                          TachoBenchResult *result,
                          TachoBenchWatchDone done,
                          gpointer user_data)
{
  g_autoptr (TachoHttpRequest) request = NULL;
  TachoServerMetrics server;

  g_return_if_fail (TACHO_IS_BENCH_WATCH (self) && self->result == NULL);

  stop (self);
  self->result = tacho_bench_result_ref (result);
  self->done = done;
  self->done_data = user_data;
  if (self->failures < MAX_FAILURES && tacho_api_supports (self->api, TACHO_OP_METRICS))
    request = tacho_api_build (self->api, TACHO_OP_METRICS, self->model, NULL);
  if (request != NULL)
    {
      tacho_client_manager_send_async (self->manager, request, LAST_LIMIT_S, NULL, last_cb,
                                       g_object_ref (self));
      return;
    }
  tacho_server_metrics_clear (&server);
  add_sample (self, tacho_clock_now_ns (), &server);
  give_samples (self);
}

static gboolean
is_own_address (GInetAddress *address)
{
  struct ifaddrs *list = NULL;
  gboolean own = FALSE;

  if (getifaddrs (&list) != 0)
    return FALSE;
  for (struct ifaddrs *one = list; one != NULL && !own; one = one->ifa_next)
    {
      g_autoptr (GInetAddress) other = NULL;

      if (one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET)
        other = g_inet_address_new_from_bytes (
            (const guint8 *) &((struct sockaddr_in *) (gpointer) one->ifa_addr)->sin_addr,
            G_SOCKET_FAMILY_IPV4);
      else if (one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET6)
        other = g_inet_address_new_from_bytes (
            (const guint8 *) &((struct sockaddr_in6 *) (gpointer) one->ifa_addr)->sin6_addr,
            G_SOCKET_FAMILY_IPV6);
      own = other != NULL && g_inet_address_equal (other, address);
    }
  freeifaddrs (list);
  return own;
}

/**
 * tacho_bench_is_local:
 * @url: (nullable): a URL or HOST:PORT
 *
 * Names other than localhost are not looked up.
 *
 * Returns: whether what listens there runs on this machine
 */
gboolean
tacho_bench_is_local (const char *url)
{
  g_autoptr (GSocketConnectable) connectable = NULL;
  g_autoptr (GInetAddress) address = NULL;
  const char *host;

  if (url == NULL)
    return FALSE;
  connectable = strstr (url, "://") != NULL ? g_network_address_parse_uri (url, 80, NULL)
                                            : g_network_address_parse (url, 80, NULL);
  if (connectable == NULL)
    return FALSE;
  host = g_network_address_get_hostname (G_NETWORK_ADDRESS (connectable));
  if (g_ascii_strcasecmp (host, "localhost") == 0)
    return TRUE;
  address = g_inet_address_new_from_string (host);
  return address != NULL && (g_inet_address_get_is_loopback (address) || is_own_address (address));
}
