/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One channel of the C core and the watch that counts its connections. */
#define G_LOG_DOMAIN "tacho-net"

#include "config.h"

#include "net/tacho-grpc-client-private.h"

#include "base/tacho-error.h"
#include "base/tacho-url.h"

#include <string.h>

/* The watch runs on the queue's thread, so the link outlives its client by one event. */
struct _TachoGrpcLink
{
  gatomicrefcount refs;
  GMutex mutex;
  TachoGrpcTag tag;
  grpc_channel *channel; /* NULL: closed */
  grpc_connectivity_state state;
  guint64 created;
};

static void
link_unref (TachoGrpcLink *self)
{
  if (!g_atomic_ref_count_dec (&self->refs))
    return;
  g_mutex_clear (&self->mutex);
  g_free (self);
}

static void
watch_done_cb (gpointer owner, gboolean success, gint64 now_ns)
{
  TachoGrpcLink *self = owner;
  gboolean go_on;

  g_mutex_lock (&self->mutex);
  go_on = self->channel != NULL;
  if (go_on)
    {
      self->state = grpc_channel_check_connectivity_state (self->channel, 0);
      if (self->state == GRPC_CHANNEL_READY)
        self->created++;
      grpc_channel_watch_connectivity_state (self->channel, self->state,
                                             gpr_inf_future (GPR_CLOCK_REALTIME),
                                             tacho_grpc_queue_get (), &self->tag);
    }
  g_mutex_unlock (&self->mutex);
  if (!go_on)
    link_unref (self);
}

/**
 * tacho_grpc_address_parse:
 * @target: "HOST:PORT", the host perhaps an IPv6 address in brackets
 * @shown: (out) (transfer full): the same, normalised: what people see and the call's authority
 * @address: (out) (transfer full): the address that the core gets
 * @error: return location
 *
 * The core takes many kinds of address (unix:, xds:, a proxy's); only those made here reach it.
 *
 * Returns: %FALSE with %TACHO_ERROR_INVALID if this is no host and port
 */
gboolean
tacho_grpc_address_parse (const char *target, char **shown, char **address, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autofree char *url = g_strconcat ("http://", target, NULL);
  g_autofree char *base = NULL;
  g_autofree char *origin = NULL;
  g_autofree char *host = NULL;
  g_autoptr (GInetAddress) literal = NULL;
  const char *authority;
  const char *colon = strrchr (target, ':');

  if (strpbrk (target, "/?#@ ") == NULL && colon != NULL && g_ascii_isdigit (colon[1]))
    base = tacho_url_normalize (url, &reason);
  if (base != NULL)
    origin = tacho_url_origin (base);
  if (origin == NULL)
    {
      g_autofree char *start = g_strndup (target, 200);
      g_autofree char *valid = g_utf8_make_valid (start, -1);

      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "“%s” is not a host and a port for gRPC; it looks like 127.0.0.1:8001", valid);
      return FALSE;
    }
  authority = origin + strlen ("http://");
  if (*authority == '[')
    host = g_strndup (authority + 1, strcspn (authority + 1, "]"));
  else
    host = g_strndup (authority, strcspn (authority, ":"));
  literal = g_inet_address_new_from_string (host);
  if (literal == NULL)
    *address = g_strconcat ("dns:///", authority, NULL);
  else if (g_inet_address_get_family (literal) == G_SOCKET_FAMILY_IPV6)
    *address = g_strconcat ("ipv6:", authority, NULL);
  else
    *address = g_strconcat ("ipv4:", authority, NULL);
  *shown = g_strdup (authority);
  return TRUE;
}

static grpc_arg
int_arg (const char *key, int value)
{
  grpc_arg arg = { .type = GRPC_ARG_INTEGER, .key = (char *) key };

  arg.value.integer = value;
  return arg;
}

static grpc_arg
string_arg (const char *key, const char *value)
{
  grpc_arg arg = { .type = GRPC_ARG_STRING, .key = (char *) key };

  arg.value.string = (char *) value;
  return arg;
}

/* How long the core tries one address. Of a name with several, a dead one must leave time for the
 * next; our own timer ends the whole. */
static int
attempt_ms (TachoGrpcClient *client)
{
  double limit = client->limits[TACHO_GRPC_TIMER_CONNECT];

  if (limit <= 0)
    return 20000;
  if (g_str_has_prefix (client->address, "dns:"))
    return (int) CLAMP (limit * 500, 1000, 60000);
  return (int) CLAMP (limit * 1000 + 1000, 1000, 600000);
}

/**
 * tacho_grpc_link_new:
 * @client: whose credentials and limits
 *
 * Makes a channel, which connects with its first call. Its subchannels are its own: two clients
 * with two keys never share a connection. Nothing is retried, compressed, or sent through a proxy
 * of the environment.
 *
 * Returns: (transfer full): the channel; free with tacho_grpc_link_close()
 */
TachoGrpcLink *
tacho_grpc_link_new (TachoGrpcClient *client)
{
  TachoGrpcLink *self = g_new0 (TachoGrpcLink, 1);
  grpc_arg args[] = {
    int_arg (GRPC_ARG_ENABLE_RETRIES, 0),
    /* Bit 0 is "identity". The core inflates a message before it looks at this and at the size, so
     * that is switched off too: such a message is refused as it came. */
    int_arg (GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0),
    int_arg (GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1),
    int_arg (GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, TACHO_GRPC_MAX_MESSAGE),
    int_arg (GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, TACHO_GRPC_MAX_MESSAGE),
    int_arg (GRPC_ARG_MAX_METADATA_SIZE, TACHO_GRPC_MAX_METADATA),
    int_arg (GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, attempt_ms (client)),
    int_arg (GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 1000),
    int_arg (GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 10000),
    int_arg (GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1),
    int_arg (GRPC_ARG_ENABLE_HTTP_PROXY, 0),
    int_arg (GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1),
    int_arg (GRPC_ARG_ENABLE_CHANNELZ, 0),
    string_arg (GRPC_ARG_DEFAULT_AUTHORITY, client->target),
    string_arg (GRPC_ARG_PRIMARY_USER_AGENT_STRING, "tacho/" TACHO_VERSION),
    int_arg (GRPC_ARG_KEEPALIVE_TIME_MS,
             client->keepalive > 0 ? (int) CLAMP (client->keepalive * 1000, 1000, G_MAXINT)
                                   : G_MAXINT),
    int_arg (GRPC_ARG_KEEPALIVE_TIMEOUT_MS, TACHO_GRPC_KEEPALIVE_TIMEOUT_MS),
    int_arg (GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0),
    /* 0: as many as keepalive asks for. The core's default of 2 would end them in a long prompt;
     * the interval, not the number, is what servers object to. */
    int_arg (GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0),
  };
  const grpc_channel_args channel_args = { .num_args = G_N_ELEMENTS (args), .args = args };

  g_atomic_ref_count_init (&self->refs);
  g_mutex_init (&self->mutex);
  self->tag = (TachoGrpcTag){ .done = watch_done_cb, .owner = self };
  self->channel = grpc_channel_create (client->address, client->credentials, &channel_args);
  self->state = grpc_channel_check_connectivity_state (self->channel, 0);
  /* A channel that can never work (its credentials were refused) has nothing to watch. */
  if (grpc_channel_support_connectivity_watcher (self->channel))
    {
      g_atomic_ref_count_inc (&self->refs); /* the watch's */
      grpc_channel_watch_connectivity_state (self->channel, self->state,
                                             gpr_inf_future (GPR_CLOCK_REALTIME),
                                             tacho_grpc_queue_get (), &self->tag);
    }
  return self;
}

/**
 * tacho_grpc_link_get_channel:
 * @self: a channel that was not closed
 *
 * Returns: (transfer none): the core's channel
 */
grpc_channel *
tacho_grpc_link_get_channel (TachoGrpcLink *self)
{
  return self->channel;
}

/**
 * tacho_grpc_link_get_state:
 * @self: a channel that was not closed
 *
 * Returns: whether it is connected; asking does not connect it
 */
grpc_connectivity_state
tacho_grpc_link_get_state (TachoGrpcLink *self)
{
  return grpc_channel_check_connectivity_state (self->channel, 0);
}

/**
 * tacho_grpc_link_get_created:
 * @self: a channel
 *
 * Returns: how often it was seen to become connected
 */
guint64
tacho_grpc_link_get_created (TachoGrpcLink *self)
{
  guint64 created;

  g_mutex_lock (&self->mutex);
  created = self->created;
  g_mutex_unlock (&self->mutex);
  return created;
}

/**
 * tacho_grpc_link_close:
 * @self: (transfer full): a channel
 *
 * Closes its connection as soon as no call uses it any more.
 */
void
tacho_grpc_link_close (TachoGrpcLink *self)
{
  grpc_channel *channel;

  g_mutex_lock (&self->mutex);
  channel = g_steal_pointer (&self->channel);
  g_mutex_unlock (&self->mutex);
  grpc_channel_destroy (channel);
  link_unref (self);
}
