/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Found on this computer: every port is a probe of its own, over a transport of its own. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-discovery.h"

#include "api/tacho-api-probe.h"
#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "net/tacho-grpc-client.h"
#include "net/tacho-http-client.h"

#define LOOPBACK "127.0.0.1" /* never anything else */
#define CONNECT_S 0.3
#define REPLY_S 1.5
#define PORT_S 5.0 /* of all requests to one port */

/* Where servers listen unless told otherwise. */
static const TachoDiscoveryPort usual_ports[] = {
  { 1234, TACHO_PROTOCOL_REST },  /* LM Studio */
  { 3000, TACHO_PROTOCOL_REST },  /* TGI */
  { 8000, TACHO_PROTOCOL_REST },  /* vLLM, Triton, Ryzanstein */
  { 8001, TACHO_PROTOCOL_GRPC },  /* Triton, Ryzanstein */
  { 8080, TACHO_PROTOCOL_REST },  /* llama.cpp, KServe, MLServer */
  { 8081, TACHO_PROTOCOL_GRPC },  /* KServe, MLServer */
  { 8888, TACHO_PROTOCOL_REST },  /* Ryzanstein's stand-in */
  { 9000, TACHO_PROTOCOL_REST },  /* Triton's OpenAI front */
  { 9931, TACHO_PROTOCOL_REST },  /* llama.cpp, announced */
  { 11434, TACHO_PROTOCOL_REST }, /* Ollama */
  { 30000, TACHO_PROTOCOL_REST }, /* SGLang */
};

struct _TachoFound
{
  GObject parent_instance;

  guint16 port;
  char *url;
  char *grpc_target;
  char *family;
  char *description;
  char *version;
  gboolean simulated;
  gboolean wants_key;
  char **evidence;
};

G_DEFINE_FINAL_TYPE (TachoFound, tacho_found, G_TYPE_OBJECT)

struct _TachoDiscovery
{
  GObject parent_instance;

  GArray *ports;
  GPtrArray *found; /* of TachoFound, by port */
};

static void tacho_discovery_list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoDiscovery,
                               tacho_discovery,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      tacho_discovery_list_model_init))

/* One port while it is asked. */
typedef struct
{
  GTask *task;
  TachoDiscoveryPort port;
  TachoTransport *transport;
  TachoApiProbe *probe;
  gint64 begin_ns;
} Search;

static void ask (Search *search);

static void
search_end (Search *search)
{
  guint *left = g_task_get_task_data (search->task);

  tacho_transport_close (search->transport);
  if (--*left == 0 && g_cancellable_is_cancelled (g_task_get_cancellable (search->task)))
    g_task_return_new_error (search->task, TACHO_ERROR, TACHO_ERROR_CANCELLED, "Cancelled");
  else if (*left == 0)
    g_task_return_boolean (search->task, TRUE);
  g_object_unref (search->task);
  g_object_unref (search->transport);
  tacho_api_probe_free (search->probe);
  g_free (search);
}

/* The two sides of one server stand on neighbouring ports: HTTP 8000 and gRPC 8001, 8080 and
 * 8081. */
static gboolean
is_other_side (TachoFound *rest, TachoFound *grpc)
{
  return rest->url != NULL && rest->grpc_target == NULL && grpc->url == NULL &&
         grpc->port == rest->port + 1 && g_str_equal (rest->family, grpc->family);
}

static gboolean
join_sides (TachoDiscovery *self, TachoFound *found)
{
  for (guint i = 0; i < self->found->len; i++)
    {
      TachoFound *other = g_ptr_array_index (self->found, i);
      TachoFound *rest = found->url != NULL ? found : other;
      TachoFound *grpc = found->url != NULL ? other : found;

      if (!is_other_side (rest, grpc))
        continue;
      rest->grpc_target = g_strdup (grpc->grpc_target);
      if (rest != other)
        {
          g_ptr_array_remove_index (self->found, i);
          g_ptr_array_insert (self->found, (int) i, g_object_ref (rest));
        }
      g_list_model_items_changed (G_LIST_MODEL (self), i, 1, 1);
      return TRUE;
    }
  return FALSE;
}

static void
add_found (TachoDiscovery *self, TachoFound *found)
{
  guint at = 0;

  if (join_sides (self, found))
    return;
  while (at < self->found->len &&
         ((TachoFound *) g_ptr_array_index (self->found, at))->port < found->port)
    at++;
  g_ptr_array_insert (self->found, (int) at, g_object_ref (found));
  g_list_model_items_changed (G_LIST_MODEL (self), at, 0, 1);
}

/* What is no model server is no find; one that wants its key first may be one. */
static void
judge (Search *search)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoApi) api = tacho_api_probe_finish (search->probe, &error);
  g_autoptr (TachoFound) found = NULL;
  gboolean wants_key = search->port.protocol == TACHO_PROTOCOL_REST &&
                       g_error_matches (error, TACHO_ERROR, TACHO_ERROR_HTTP_4XX);

  if (api == NULL && !wants_key)
    return;
  found = g_object_new (TACHO_TYPE_FOUND, NULL);
  found->port = search->port.port;
  found->wants_key = wants_key;
  if (search->port.protocol == TACHO_PROTOCOL_GRPC)
    found->grpc_target = g_strdup (tacho_transport_get_target (search->transport));
  else
    found->url = g_strdup (tacho_transport_get_target (search->transport));
  found->family = g_strdup (api != NULL ? tacho_api_get_family (api) : "auto");
  found->description =
      api != NULL ? tacho_api_describe (api) : g_strdup ("A server that wants an API key");
  found->version = g_strdup (tacho_api_probe_get_version (search->probe));
  found->simulated = tacho_api_probe_get_simulated (search->probe);
  found->evidence = g_strdupv ((char **) tacho_api_probe_get_evidence (search->probe));
  add_found (g_task_get_source_object (search->task), found);
}

static void
replied_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Search *search = user_data;
  g_autoptr (TachoHttpReply) reply =
      tacho_transport_send_finish (TACHO_TRANSPORT (source), result, NULL);

  if (reply == NULL)
    {
      search_end (search); /* nobody there, or nobody who speaks so */
      return;
    }
  tacho_api_probe_feed (search->probe, reply);
  ask (search);
}

static void
ask (Search *search)
{
  g_autoptr (TachoHttpRequest) request = tacho_api_probe_next (search->probe);
  double spent_s = (double) (tacho_clock_now_ns () - search->begin_ns) / TACHO_NS_PER_S;

  if (request == NULL)
    judge (search);
  if (request == NULL || spent_s > PORT_S)
    search_end (search);
  else
    tacho_transport_send_async (search->transport, request, REPLY_S,
                                g_task_get_cancellable (search->task), replied_cb, search);
}

static TachoTransport *
new_transport (TachoDiscoveryPort port)
{
  g_autofree char *target = g_strdup_printf (
      "%s" LOOPBACK ":%u", port.protocol == TACHO_PROTOCOL_GRPC ? "" : "http://", port.port);
  const TachoHttpOptions http = { .base_url = target,
                                  .timeout_connect = CONNECT_S,
                                  .timeout_first = REPLY_S,
                                  .timeout_idle = REPLY_S,
                                  .timeout_total = REPLY_S };
  const TachoGrpcOptions grpc = { .target = target,
                                  .timeout_connect = CONNECT_S,
                                  .timeout_first = REPLY_S,
                                  .timeout_idle = REPLY_S,
                                  .timeout_total = REPLY_S };

  return port.protocol == TACHO_PROTOCOL_GRPC
             ? tacho_grpc_client_new (&grpc, NULL)
             : TACHO_TRANSPORT (tacho_http_client_new (&http, NULL));
}

static Search *
search_new (GTask *task, TachoDiscoveryPort port)
{
  TachoTransport *transport = new_transport (port);
  Search *search;

  if (transport == NULL)
    return NULL;
  search = g_new0 (Search, 1);
  search->task = g_object_ref (task);
  search->port = port;
  search->transport = transport;
  search->probe = port.protocol == TACHO_PROTOCOL_GRPC ? tacho_api_probe_new_grpc ("auto", NULL)
                                                       : tacho_api_probe_new ("auto", NULL);
  search->begin_ns = tacho_clock_now_ns ();
  return search;
}

static GType
tacho_discovery_get_item_type (GListModel *list)
{
  return TACHO_TYPE_FOUND;
}

static guint
tacho_discovery_get_n_items (GListModel *list)
{
  return TACHO_DISCOVERY (list)->found->len;
}

static gpointer
tacho_discovery_get_item (GListModel *list, guint position)
{
  TachoDiscovery *self = TACHO_DISCOVERY (list);

  return position < self->found->len ? g_object_ref (g_ptr_array_index (self->found, position))
                                     : NULL;
}

static void
tacho_discovery_list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = tacho_discovery_get_item_type;
  iface->get_n_items = tacho_discovery_get_n_items;
  iface->get_item = tacho_discovery_get_item;
}

static void
tacho_found_finalize (GObject *object)
{
  TachoFound *self = TACHO_FOUND (object);

  g_free (self->url);
  g_free (self->grpc_target);
  g_free (self->family);
  g_free (self->description);
  g_free (self->version);
  g_strfreev (self->evidence);
  G_OBJECT_CLASS (tacho_found_parent_class)->finalize (object);
}

static void
tacho_found_class_init (TachoFoundClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_found_finalize;
}

static void
tacho_found_init (TachoFound *self)
{
}

static void
tacho_discovery_finalize (GObject *object)
{
  TachoDiscovery *self = TACHO_DISCOVERY (object);

  g_array_unref (self->ports);
  g_ptr_array_unref (self->found);
  G_OBJECT_CLASS (tacho_discovery_parent_class)->finalize (object);
}

static void
tacho_discovery_class_init (TachoDiscoveryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_discovery_finalize;
}

static void
tacho_discovery_init (TachoDiscovery *self)
{
  self->ports = g_array_new (FALSE, FALSE, sizeof (TachoDiscoveryPort));
  self->found = g_ptr_array_new_with_free_func (g_object_unref);
}

/**
 * tacho_discovery_new:
 * @ports: (nullable) (array length=n_ports): ports of the loopback address to ask; %NULL: those
 *   where servers listen unless told otherwise
 * @n_ports: how many
 *
 * Returns: (transfer full): an empty list, to be filled by tacho_discovery_run_async()
 */
TachoDiscovery *
tacho_discovery_new (const TachoDiscoveryPort *ports, gsize n_ports)
{
  TachoDiscovery *self = g_object_new (TACHO_TYPE_DISCOVERY, NULL);

  if (ports == NULL)
    {
      ports = usual_ports;
      n_ports = G_N_ELEMENTS (usual_ports);
    }
  g_array_append_vals (self->ports, ports, (guint) n_ports);
  return self;
}

/**
 * tacho_discovery_run_async:
 * @self: a list
 * @cancellable: (nullable): gives up
 * @callback: called once, when all ports have been asked
 * @user_data: for @callback
 *
 * Empties the list and asks all ports at once; what is found is added as it is found. One run at a
 * time.
 */
void
tacho_discovery_run_async (TachoDiscovery *self,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GTask) task = NULL;
  g_autoptr (GPtrArray) searches = g_ptr_array_new ();
  guint n_before;
  guint *left;

  g_return_if_fail (TACHO_IS_DISCOVERY (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, tacho_discovery_run_async);
  g_task_set_check_cancellable (task, FALSE);
  n_before = self->found->len;
  g_ptr_array_set_size (self->found, 0);
  if (n_before > 0)
    g_list_model_items_changed (G_LIST_MODEL (self), 0, n_before, 0);
  for (guint i = 0; i < self->ports->len; i++)
    {
      Search *search = search_new (task, g_array_index (self->ports, TachoDiscoveryPort, i));

      if (search != NULL)
        g_ptr_array_add (searches, search);
    }
  left = g_new (guint, 1);
  *left = searches->len;
  g_task_set_task_data (task, left, g_free);
  if (searches->len == 0)
    g_task_return_boolean (task, TRUE);
  for (guint i = 0; i < searches->len; i++)
    ask (g_ptr_array_index (searches, i));
}

/**
 * tacho_discovery_run_finish:
 * @self: a list
 * @result: the result
 * @error: return location
 *
 * Returns: %TRUE when all ports were asked, whatever was found; %FALSE if it was cancelled
 */
gboolean
tacho_discovery_run_finish (TachoDiscovery *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * tacho_found_get_url:
 * @self: a find
 *
 * Returns: (nullable): the base URL of its REST side
 */
const char *
tacho_found_get_url (TachoFound *self)
{
  g_return_val_if_fail (TACHO_IS_FOUND (self), NULL);
  return self->url;
}

/**
 * tacho_found_get_grpc_target:
 * @self: a find
 *
 * Returns: (nullable): host and port of its gRPC side
 */
const char *
tacho_found_get_grpc_target (TachoFound *self)
{
  g_return_val_if_fail (TACHO_IS_FOUND (self), NULL);
  return self->grpc_target;
}

/**
 * tacho_found_get_family:
 * @self: a find
 *
 * Returns: the family's name, or "auto" where a key is wanted before it can be told
 */
const char *
tacho_found_get_family (TachoFound *self)
{
  g_return_val_if_fail (TACHO_IS_FOUND (self), NULL);
  return self->family;
}

/**
 * tacho_found_get_description:
 * @self: a find
 *
 * Returns: what it is, for a person
 */
const char *
tacho_found_get_description (TachoFound *self)
{
  g_return_val_if_fail (TACHO_IS_FOUND (self), NULL);
  return self->description;
}

/**
 * tacho_found_get_version:
 * @self: a find
 *
 * Returns: (nullable): what it calls its version
 */
const char *
tacho_found_get_version (TachoFound *self)
{
  g_return_val_if_fail (TACHO_IS_FOUND (self), NULL);
  return self->version;
}

/**
 * tacho_found_get_simulated:
 * @self: a find
 *
 * Returns: whether it says that it is simulated
 */
gboolean
tacho_found_get_simulated (TachoFound *self)
{
  g_return_val_if_fail (TACHO_IS_FOUND (self), FALSE);
  return self->simulated;
}

/**
 * tacho_found_get_wants_key:
 * @self: a find
 *
 * Returns: whether it told nothing without an API key
 */
gboolean
tacho_found_get_wants_key (TachoFound *self)
{
  g_return_val_if_fail (TACHO_IS_FOUND (self), FALSE);
  return self->wants_key;
}

/**
 * tacho_found_get_evidence:
 * @self: a find
 *
 * Returns: (transfer none) (array zero-terminated=1): what was seen, a line each
 */
const char *const *
tacho_found_get_evidence (TachoFound *self)
{
  g_return_val_if_fail (TACHO_IS_FOUND (self), NULL);
  return (const char *const *) self->evidence;
}
