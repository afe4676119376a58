/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gRPC server: port, credentials, the completion queue's thread, calls that come in.
 *
 * The thread does nothing but carry events to the host's context, where all of the server's state
 * is used. An end at once does not need that context to turn: it takes the events itself. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-grpc-private.h"

#include "base/tacho-error.h"

#include <grpc/grpc_security.h>
#include <grpc/support/log.h>

#include <string.h>

#define N_ACCEPTS 16

/* One call that may come. */
typedef struct
{
  TachoSimTag tag;
  TachoSimGrpc *grpc;
  grpc_call *call;
  grpc_call_details details;
  grpc_metadata_array metadata;
} Accept;

typedef struct
{
  TachoSimTag *tag;
  gboolean ok;
} Event;

/* --- events ----------------------------------------------------------------------------------- */

static gpointer
thread_func (gpointer user_data)
{
  TachoSimGrpc *grpc = user_data;

  for (;;)
    {
      grpc_event event =
          grpc_completion_queue_next (grpc->queue, gpr_inf_future (GPR_CLOCK_REALTIME), NULL);

      if (event.type == GRPC_QUEUE_SHUTDOWN)
        return NULL;
      if (event.type == GRPC_OP_COMPLETE)
        {
          Event *copy = g_new (Event, 1);

          copy->tag = event.tag;
          copy->ok = event.success != 0;
          g_async_queue_push (grpc->events, copy);
          g_main_context_wakeup (grpc->host->context);
        }
    }
}

static void
dispatch_event (Event *event)
{
  TachoSimTag *tag = event->tag;
  gboolean ok = event->ok;

  g_free (event);
  tag->done (tag->user_data, ok);
}

typedef struct
{
  GSource source;
  TachoSimGrpc *grpc;
} EventSource;

static gboolean
source_check (GSource *source)
{
  return g_async_queue_length (((EventSource *) source)->grpc->events) > 0;
}

static gboolean
source_prepare (GSource *source, int *timeout)
{
  *timeout = -1;
  return source_check (source);
}

static gboolean
source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  TachoSimGrpc *grpc = ((EventSource *) source)->grpc;
  Event *event = g_async_queue_try_pop (grpc->events);

  if (event != NULL)
    dispatch_event (event);
  return G_SOURCE_CONTINUE;
}

static GSourceFuncs source_funcs = {
  source_prepare, source_check, source_dispatch, NULL, NULL, NULL
};

/* --- calls that come in ----------------------------------------------------------------------- */

static void
accept_next (Accept *accept)
{
  grpc_call_details_init (&accept->details);
  grpc_metadata_array_init (&accept->metadata);
  accept->call = NULL;
  grpc_server_request_call (accept->grpc->server, &accept->call, &accept->details,
                            &accept->metadata, accept->grpc->queue, accept->grpc->queue,
                            &accept->tag);
}

static void
accept_clear (Accept *accept)
{
  grpc_call_details_destroy (&accept->details);
  grpc_metadata_array_destroy (&accept->metadata);
}

static void
accepted_cb (gpointer user_data, gboolean ok)
{
  Accept *accept = user_data;
  TachoSimGrpc *grpc = accept->grpc;

  if (!ok)
    {
      accept_clear (accept);
      g_ptr_array_remove_fast (grpc->accepts, accept);
      return;
    }
  tacho_sim_rpc_new (grpc, accept->call, &accept->details, &accept->metadata);
  accept_clear (accept);
  accept_next (accept);
}

/* The core writes to standard error; as the client does, its errors are passed on only to the debug
 * log of someone who asked. */
static void
core_log_cb (gpr_log_func_args *args)
{
  if (args->severity == GPR_LOG_SEVERITY_ERROR && g_getenv ("GRPC_VERBOSITY") != NULL)
    g_debug ("gRPC: %s", args->message);
}

/* --- the server ------------------------------------------------------------------------------- */

static TachoSimGrpcShape
shape_of (TachoSimFamily family)
{
  switch (family)
    {
    case TACHO_SIM_FAMILY_OIP:
      return TACHO_SIM_GRPC_TRITON;
    case TACHO_SIM_FAMILY_KSERVE:
      return TACHO_SIM_GRPC_KSERVE;
    case TACHO_SIM_FAMILY_RYZANSTEIN:
      return TACHO_SIM_GRPC_RYZANSTEIN;
    default:
      return TACHO_SIM_GRPC_ALL;
    }
}

static char *
read_pem (const char *path, const char *what, GError **error)
{
  g_autoptr (GError) local = NULL;
  char *pem = NULL;

  if (path == NULL)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "A TLS front needs a certificate and a key: give both PEM files");
  else if (!g_file_get_contents (path, &pem, NULL, &local))
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "Cannot read the %s “%s”: %s", what, path,
                 local->message);
  return pem;
}

static grpc_server_credentials *
make_tls (const TachoSimConfig *config, GError **error)
{
  g_autofree char *certificate = read_pem (config->tls_cert, "certificate", error);
  g_autofree char *key = certificate ? read_pem (config->tls_key, "key", error) : NULL;
  g_autofree char *authority = NULL;
  grpc_server_credentials *credentials;
  grpc_ssl_pem_key_cert_pair pair = { key, certificate };

  if (certificate == NULL || key == NULL)
    return NULL;
  if (config->tls_client_ca != NULL)
    {
      authority = read_pem (config->tls_client_ca, "clients' authority", error);
      if (authority == NULL)
        return NULL;
    }
  credentials = grpc_ssl_server_credentials_create_ex (
      authority, &pair, 1,
      authority ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
      NULL);
  if (credentials == NULL)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "Cannot use the certificate “%s” with the key “%s”", config->tls_cert,
                 config->tls_key);
  return credentials;
}

/* Another server's port is never shared: an answer of the wrong server helps nobody. */
static grpc_server *
make_server (void)
{
  grpc_arg list[] = {
    { .type = GRPC_ARG_INTEGER, .key = (char *) GRPC_ARG_ALLOW_REUSEPORT, .value.integer = 0 },
    { .type = GRPC_ARG_INTEGER,
      .key = (char *) GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
      .value.integer = TACHO_SIM_GRPC_MAX_MESSAGE },
  };
  grpc_channel_args args = { G_N_ELEMENTS (list), list };

  return grpc_server_create (&args, NULL);
}

static void
shutdown_done_cb (gpointer user_data, gboolean ok)
{
  TachoSimGrpc *grpc = user_data;

  grpc->stopped = TRUE;
}

static void
wait_for_events (TachoSimGrpc *grpc)
{
  while (!grpc->stopped || grpc->rpcs.length > 0 || grpc->accepts->len > 0)
    dispatch_event (g_async_queue_pop (grpc->events));
}

/**
 * tacho_sim_grpc_new:
 * @host: what answers
 * @front: a gRPC front; copied
 * @error: return location for a `TACHO_ERROR_IO` or `TACHO_ERROR_INVALID`
 *
 * Listens on the loopback interface.
 *
 * Returns: (transfer full) (nullable): the server
 */
TachoSimGrpc *
tacho_sim_grpc_new (TachoSimHost *host, const TachoSimFront *front, GError **error)
{
  g_autofree char *address = g_strdup_printf ("127.0.0.1:%u", front->port);
  grpc_server_credentials *credentials;
  TachoSimGrpc *grpc;
  int port;

  gpr_set_log_function (core_log_cb);
  grpc_init ();
  credentials =
      front->tls ? make_tls (host->config, error) : grpc_insecure_server_credentials_create ();
  if (credentials == NULL)
    {
      grpc_shutdown ();
      return NULL;
    }
  grpc = g_new0 (TachoSimGrpc, 1);
  grpc->host = host;
  grpc->front = *front;
  grpc->shape = shape_of (front->family);
  grpc->server = make_server ();
  grpc->queue = grpc_completion_queue_create_for_next (NULL);
  grpc->events = g_async_queue_new ();
  grpc->accepts = g_ptr_array_new_with_free_func (g_free);
  grpc->peers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  grpc->stats = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  grpc->shutdown_tag = (TachoSimTag){ shutdown_done_cb, grpc };
  grpc_server_register_completion_queue (grpc->server, grpc->queue, NULL);
  port = grpc_server_add_http2_port (grpc->server, address, credentials);
  grpc_server_credentials_release (credentials);
  grpc->source = g_source_new (&source_funcs, sizeof (EventSource));
  ((EventSource *) grpc->source)->grpc = grpc;
  g_source_attach (grpc->source, host->context);
  grpc->thread = g_thread_new ("tacho-sim-grpc", thread_func, grpc);
  if (port <= 0)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO,
                   "Cannot start the simulated server on 127.0.0.1 port %u: it is in use, or may "
                   "not be opened",
                   front->port);
      tacho_sim_grpc_free (grpc);
      return NULL;
    }
  grpc->port = (guint16) port;
  grpc_server_start (grpc->server);
  for (guint i = 0; i < N_ACCEPTS; i++)
    {
      Accept *accept = g_new0 (Accept, 1);

      accept->grpc = grpc;
      accept->tag = (TachoSimTag){ accepted_cb, accept };
      g_ptr_array_add (grpc->accepts, accept);
      accept_next (accept);
    }
  return grpc;
}

/**
 * tacho_sim_grpc_get_port:
 * @grpc: a server
 *
 * Returns: the port of 127.0.0.1
 */
guint16
tacho_sim_grpc_get_port (TachoSimGrpc *grpc)
{
  return grpc->port;
}

/**
 * tacho_sim_grpc_stop:
 * @grpc: a server
 * @gracefully: whether calls that run may end
 *
 * Closes the port. Clients are told by GOAWAY. If not @gracefully, every call and connection has
 * ended when this returns; a graceful stop may be followed by one at once.
 */
void
tacho_sim_grpc_stop (TachoSimGrpc *grpc, gboolean gracefully)
{
  if (!grpc->stopping)
    {
      grpc->stopping = TRUE;
      grpc_server_shutdown_and_notify (grpc->server, grpc->queue, &grpc->shutdown_tag);
    }
  if (gracefully)
    return;
  grpc_server_cancel_all_calls (grpc->server);
  wait_for_events (grpc);
}

/**
 * tacho_sim_grpc_free:
 * @grpc: (nullable) (transfer full): a server
 *
 * Stops it at once.
 */
void
tacho_sim_grpc_free (TachoSimGrpc *grpc)
{
  if (grpc == NULL)
    return;
  tacho_sim_grpc_stop (grpc, FALSE);
  grpc_server_destroy (grpc->server);
  grpc_completion_queue_shutdown (grpc->queue);
  g_thread_join (grpc->thread);
  grpc_completion_queue_destroy (grpc->queue);
  g_source_destroy (grpc->source);
  g_source_unref (grpc->source);
  g_async_queue_unref (grpc->events);
  g_ptr_array_unref (grpc->accepts);
  g_hash_table_unref (grpc->peers);
  g_hash_table_unref (grpc->stats);
  g_free (grpc);
  grpc_shutdown ();
}

/* --- what the server has ---------------------------------------------------------------------- */

static const TachoSimMethod *const tables[] = { tacho_sim_oip_methods, tacho_sim_ryzanstein_methods,
                                                tacho_sim_health_methods };

/**
 * tacho_sim_grpc_find_method:
 * @grpc: a server
 * @path: `/package.Service/Method`
 *
 * Returns: (transfer none) (nullable): the method, if servers of its shape have it
 */
const TachoSimMethod *
tacho_sim_grpc_find_method (TachoSimGrpc *grpc, const char *path)
{
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const TachoSimMethod *method = tables[i]; method->path != NULL; method++)
      if ((method->shapes & grpc->shape) != 0 && g_str_equal (method->path, path))
        return method;
  return NULL;
}

/**
 * tacho_sim_grpc_list_services:
 * @grpc: a server
 *
 * Returns: (transfer full): the names of its services
 */
GStrv
tacho_sim_grpc_list_services (TachoSimGrpc *grpc)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *last = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const TachoSimMethod *method = tables[i]; method->path != NULL; method++)
      {
        const char *slash = strrchr (method->path, '/');
        g_autofree char *service = g_strndup (method->path + 1, (gsize) (slash - method->path - 1));

        if ((method->shapes & grpc->shape) == 0 || g_strcmp0 (service, last) == 0)
          continue;
        g_strv_builder_add (builder, service);
        g_free (last);
        last = g_steal_pointer (&service);
      }
  return g_strv_builder_end (builder);
}

/**
 * tacho_sim_grpc_get_stats:
 * @grpc: a server
 * @model: a model's id
 *
 * Returns: (transfer none): what ModelStatistics tells of it: the requests that came by this front
 */
TachoSimGrpcStats *
tacho_sim_grpc_get_stats (TachoSimGrpc *grpc, const char *model)
{
  TachoSimGrpcStats *stats = g_hash_table_lookup (grpc->stats, model);

  if (stats == NULL)
    {
      stats = g_new0 (TachoSimGrpcStats, 1);
      g_hash_table_insert (grpc->stats, g_strdup (model), stats);
    }
  return stats;
}
