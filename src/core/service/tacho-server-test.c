/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server tried out before it is used, one step after another. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-server-test-private.h"

#include "base/tacho-error.h"
#include "net/tacho-http-client.h"
#include "service/tacho-client-manager.h"
#include "service/tacho-model-service.h"

#include <string.h>

#define MAX_STEP_S 10.0 /* of each step of the way, however patient the profile is */
#define MAX_MODELS 500  /* that are named */
#define KEY_S 5.0

struct _TachoServerTest
{
  GObject parent_instance;

  TachoProfile *profile;
  GListStore *steps;
  GTask *task; /* while it runs */
  TachoProtocol side;
  gboolean reached; /* a side of it */
  GError *first;    /* what failed first */
  TachoCertificate *untrusted;
  TachoClientManager *manager;
  TachoModelService *models;
  TachoHttpClient *keyless;
  char **model_ids;
  char *family;
  char **evidence;
};

static void tacho_server_test_list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoServerTest,
                               tacho_server_test,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL,
                                                      tacho_server_test_list_model_init))

/* --- the list --- */

static TachoTestStep *
peek_step (TachoServerTest *self, guint i)
{
  TachoTestStep *step = g_list_model_get_item (G_LIST_MODEL (self->steps), i);

  g_object_unref (step); /* the list keeps it */
  return step;
}

static guint
count_steps (TachoServerTest *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->steps));
}

static TachoTestStep *
find_step (TachoServerTest *self, TachoTestKind kind, TachoProtocol protocol)
{
  for (guint i = 0; i < count_steps (self); i++)
    {
      TachoTestStep *step = peek_step (self, i);

      if (step->kind == kind && (kind > TACHO_TEST_TLS || step->protocol == protocol))
        return step;
    }
  return NULL;
}

static void
add_step (TachoServerTest *self, TachoTestKind kind, TachoProtocol protocol)
{
  g_autoptr (TachoTestStep) step = g_object_new (TACHO_TYPE_TEST_STEP, NULL);

  step->kind = kind;
  step->protocol = protocol;
  g_list_store_append (self->steps, step);
}

static void
add_side (TachoServerTest *self, TachoProtocol protocol, gboolean tls)
{
  add_step (self, TACHO_TEST_RESOLVE, protocol);
  add_step (self, TACHO_TEST_CONNECT, protocol);
  if (tls)
    add_step (self, TACHO_TEST_TLS, protocol);
}

static gboolean
uses_side (TachoServerTest *self, TachoProtocol side)
{
  TachoProtocol protocol = tacho_profile_get_protocol (self->profile);

  return protocol == side || protocol == TACHO_PROTOCOL_HYBRID;
}

static GType
tacho_server_test_get_item_type (GListModel *list)
{
  return TACHO_TYPE_TEST_STEP;
}

static guint
tacho_server_test_get_n_items (GListModel *list)
{
  return count_steps (TACHO_SERVER_TEST (list));
}

static gpointer
tacho_server_test_get_item (GListModel *list, guint position)
{
  return g_list_model_get_item (G_LIST_MODEL (TACHO_SERVER_TEST (list)->steps), position);
}

static void
tacho_server_test_list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = tacho_server_test_get_item_type;
  iface->get_n_items = tacho_server_test_get_n_items;
  iface->get_item = tacho_server_test_get_item;
}

/* --- running it --- */

static void
step_fail (TachoServerTest *self, TachoTestStep *step, const GError *error)
{
  gboolean stopped = g_error_matches (error, TACHO_ERROR, TACHO_ERROR_CANCELLED) ||
                     g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  tacho_test_step_set (step, stopped ? TACHO_TEST_SKIPPED : TACHO_TEST_FAILED, error->message);
  if (self->first == NULL)
    self->first = g_error_copy (error);
}

static void
close_all (TachoServerTest *self)
{
  if (self->manager != NULL)
    tacho_client_manager_close (self->manager);
  if (self->keyless != NULL)
    tacho_http_client_close (self->keyless);
}

static void
end_test (TachoServerTest *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  for (guint i = 0; i < count_steps (self); i++)
    {
      TachoTestStep *step = peek_step (self, i);

      if (step->state == TACHO_TEST_WAITING || step->state == TACHO_TEST_RUNNING)
        tacho_test_step_set (step, TACHO_TEST_SKIPPED, NULL);
    }
  close_all (self);
  if (self->first == NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_error_copy (self->first));
}

static gboolean
is_key_refused (const GError *error)
{
  return g_error_matches (error, TACHO_ERROR, TACHO_ERROR_HTTP_4XX) &&
         (strstr (error->message, "HTTP 401") != NULL ||
          strstr (error->message, "HTTP 403") != NULL);
}

static void
key_fail (TachoServerTest *self, const GError *error)
{
  TachoTestStep *step = find_step (self, TACHO_TEST_KEY, TACHO_PROTOCOL_REST);

  if (is_key_refused (error))
    tacho_test_step_set (step, TACHO_TEST_FAILED,
                         tacho_profile_get_api_key (self->profile) != NULL
                             ? "The server refuses the key"
                             : "The server wants a key, and there is none");
}

static void
keyless_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoServerTest) self = user_data;
  TachoTestStep *step = find_step (self, TACHO_TEST_KEY, TACHO_PROTOCOL_REST);
  gboolean has_key = tacho_profile_get_api_key (self->profile) != NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoHttpReply) reply =
      tacho_http_client_send_finish (TACHO_HTTP_CLIENT (source), result, &error);

  if (reply == NULL)
    step_fail (self, step, error);
  else if (reply->status == 401 || reply->status == 403)
    /* Without a key this is no surprise any more: the steps before would have failed. */
    tacho_test_step_set (step, has_key ? TACHO_TEST_OK : TACHO_TEST_FAILED,
                         has_key ? "The server takes it, and refuses to answer without it"
                                 : "The server wants a key, and there is none");
  else
    tacho_test_step_set (step, TACHO_TEST_OK,
                         has_key ? "The server answers without a key as well: it may not look at it"
                                 : "The server wants none");
  if (step->state == TACHO_TEST_FAILED && self->first == NULL)
    self->first = g_error_new_literal (TACHO_ERROR, TACHO_ERROR_HTTP_4XX, step->words);
  end_test (self);
}

/* llama.cpp tells its models to everyone, but this only to who has the key. */
static TachoHttpRequest *
make_guarded_request (TachoApi *api)
{
  if (g_str_equal (tacho_api_get_family (api), "llamacpp"))
    return tacho_http_request_new ("GET", "/props");
  return tacho_api_build (api, TACHO_OP_LIST_MODELS, NULL, NULL);
}

static TachoHttpClient *
new_keyless (TachoProfile *profile, GError **error)
{
  const TachoHttpOptions options = {
    .base_url = tacho_profile_get_endpoint (profile),
    .headers = tacho_profile_get_headers (profile),
    .ca_file = tacho_profile_get_ca_file (profile),
    .cert_file = tacho_profile_get_cert_file (profile),
    .key_file = tacho_profile_get_key_file (profile),
    .pin = tacho_profile_get_pin (profile),
    .proxy = tacho_profile_get_proxy (profile),
    .timeout_connect = KEY_S,
  };

  return tacho_http_client_new (&options, error);
}

/* Is it the key that opened the door? What answers without it may not have looked at it. */
static void
test_key (TachoServerTest *self)
{
  TachoTestStep *step = find_step (self, TACHO_TEST_KEY, TACHO_PROTOCOL_REST);
  TachoEndpoint *rest = tacho_client_manager_get_side (self->manager, TACHO_PROTOCOL_REST);
  TachoApi *api = rest != NULL ? tacho_endpoint_get_api (rest) : NULL;
  g_autoptr (TachoHttpRequest) request = api != NULL ? make_guarded_request (api) : NULL;
  g_autoptr (GError) error = NULL;

  tacho_test_step_set (step, TACHO_TEST_RUNNING, NULL);
  if (request == NULL)
    {
      tacho_test_step_set (step, TACHO_TEST_OK,
                           tacho_profile_get_api_key (self->profile) != NULL
                               ? "The server answered with it"
                               : "The server wants none");
      end_test (self);
      return;
    }
  self->keyless = new_keyless (self->profile, &error);
  if (self->keyless == NULL)
    {
      step_fail (self, step, error);
      end_test (self);
    }
  else
    tacho_http_client_send_async (self->keyless, request, KEY_S,
                                  g_task_get_cancellable (self->task), keyless_cb,
                                  g_object_ref (self));
}

static char **
name_models (TachoModelService *models)
{
  guint n = MIN (g_list_model_get_n_items (G_LIST_MODEL (models)), MAX_MODELS);
  char **ids = g_new0 (char *, n + 1);

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (G_LIST_MODEL (models), i);

      ids[i] = g_strdup (tacho_model_get_id (model));
    }
  return ids;
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoServerTest) self = user_data;
  TachoTestStep *step = find_step (self, TACHO_TEST_MODELS, TACHO_PROTOCOL_REST);
  g_autoptr (GError) error = NULL;
  g_autofree char *words = NULL;
  guint n;

  if (!tacho_model_service_list_finish (self->models, result, &error))
    {
      step_fail (self, step, error);
      key_fail (self, error);
      end_test (self);
      return;
    }
  n = g_list_model_get_n_items (G_LIST_MODEL (self->models));
  g_strfreev (self->model_ids);
  self->model_ids = name_models (self->models);
  words = n == 1   ? g_strdup (self->model_ids[0])
          : n == 0 ? g_strdup ("The server has none yet")
                   : g_strdup_printf ("%u models", n);
  tacho_test_step_set (step, TACHO_TEST_OK, words);
  test_key (self);
}

static void
probed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoServerTest) self = user_data;
  TachoTestStep *step = find_step (self, TACHO_TEST_API, TACHO_PROTOCOL_REST);
  g_autoptr (GError) error = NULL;
  g_autofree char *words = NULL;
  const char *description;

  if (!tacho_client_manager_probe_finish (self->manager, result, &error))
    {
      step_fail (self, step, error);
      key_fail (self, error);
      end_test (self);
      return;
    }
  self->family = g_strdup (tacho_api_get_family (tacho_client_manager_get_api (self->manager)));
  self->evidence = g_strdupv ((char **) tacho_client_manager_get_evidence (self->manager));
  description = tacho_client_manager_get_description (self->manager);
  words = g_strdup_printf ("%s, %.1f ms", description != NULL ? description : "known",
                           tacho_client_manager_get_latency_ms (self->manager));
  tacho_test_step_set (step, TACHO_TEST_OK, words);
  tacho_test_step_set (find_step (self, TACHO_TEST_MODELS, TACHO_PROTOCOL_REST), TACHO_TEST_RUNNING,
                       NULL);
  tacho_model_service_list_async (self->models, TRUE, g_task_get_cancellable (self->task),
                                  listed_cb, g_object_ref (self));
}

static void
test_api (TachoServerTest *self)
{
  tacho_test_step_set (find_step (self, TACHO_TEST_API, TACHO_PROTOCOL_REST), TACHO_TEST_RUNNING,
                       NULL);
  tacho_client_manager_probe_async (self->manager, g_task_get_cancellable (self->task), probed_cb,
                                    g_object_ref (self));
}

/* --- the way there --- */

static void
reach_step_cb (TachoReachStep reach, const char *words, gpointer user_data)
{
  static const TachoTestKind kinds[] = { [TACHO_REACH_RESOLVE] = TACHO_TEST_RESOLVE,
                                         [TACHO_REACH_CONNECT] = TACHO_TEST_CONNECT,
                                         [TACHO_REACH_TLS] = TACHO_TEST_TLS };
  TachoServerTest *self = user_data;
  TachoTestStep *step = find_step (self, kinds[reach], self->side);

  if (step != NULL)
    tacho_test_step_set (step, words != NULL ? TACHO_TEST_OK : TACHO_TEST_RUNNING, words);
}

static void test_side (TachoServerTest *self, TachoProtocol side);

static TachoTestStep *
find_running (TachoServerTest *self)
{
  for (guint i = 0; i < count_steps (self); i++)
    if (peek_step (self, i)->state == TACHO_TEST_RUNNING)
      return peek_step (self, i);
  return find_step (self, TACHO_TEST_RESOLVE, self->side);
}

static void
reached_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoServerTest) self = user_data;
  g_autoptr (TachoCertificate) certificate = NULL;
  g_autoptr (GError) error = NULL;

  if (tacho_reach_finish (result, &certificate, &error))
    self->reached = TRUE;
  else
    step_fail (self, find_running (self), error);
  if (certificate != NULL && certificate->reason != NULL && self->untrusted == NULL)
    self->untrusted = g_steal_pointer (&certificate);
  if (g_cancellable_is_cancelled (g_task_get_cancellable (self->task)))
    end_test (self);
  else if (self->side == TACHO_PROTOCOL_REST && uses_side (self, TACHO_PROTOCOL_GRPC))
    test_side (self, TACHO_PROTOCOL_GRPC);
  else if (self->reached)
    test_api (self);
  else
    end_test (self);
}

static void
test_side (TachoServerTest *self, TachoProtocol side)
{
  TachoProfile *profile = self->profile;
  gboolean grpc = side == TACHO_PROTOCOL_GRPC;
  double connect_s = tacho_profile_get_timeout (profile, TACHO_TIMEOUT_CONNECT);
  const char *target = tacho_profile_get_grpc_endpoint (profile);
  g_autofree char *grpc_url =
      grpc ? g_strconcat (tacho_profile_get_grpc_tls (profile) ? "https://" : "http://", target,
                          NULL)
           : NULL;
  const TachoReachOptions options = {
    .url = grpc ? grpc_url : tacho_profile_get_endpoint (profile),
    .ca_file = tacho_profile_get_ca_file (profile),
    .cert_file = tacho_profile_get_cert_file (profile),
    .key_file = tacho_profile_get_key_file (profile),
    .pin = tacho_profile_get_pin (profile),
    .proxy = grpc ? NULL : tacho_profile_get_proxy (profile),
    .http2 = grpc,
    .connect_s = connect_s > 0 ? MIN (connect_s, MAX_STEP_S) : MAX_STEP_S,
  };

  self->side = side;
  tacho_reach_async (&options, reach_step_cb, self, g_task_get_cancellable (self->task), reached_cb,
                     g_object_ref (self));
}

static void
tacho_server_test_dispose (GObject *object)
{
  TachoServerTest *self = TACHO_SERVER_TEST (object);

  close_all (self);
  g_clear_object (&self->models);
  g_clear_object (&self->manager);
  g_clear_object (&self->keyless);
  g_clear_object (&self->steps);
  g_clear_object (&self->profile);
  g_clear_error (&self->first);
  g_clear_pointer (&self->untrusted, tacho_certificate_free);
  g_clear_pointer (&self->model_ids, g_strfreev);
  g_clear_pointer (&self->family, g_free);
  g_clear_pointer (&self->evidence, g_strfreev);

  G_OBJECT_CLASS (tacho_server_test_parent_class)->dispose (object);
}

static void
tacho_server_test_class_init (TachoServerTestClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_server_test_dispose;
}

static void
tacho_server_test_init (TachoServerTest *self)
{
  self->steps = g_list_store_new (TACHO_TYPE_TEST_STEP);
  self->model_ids = g_new0 (char *, 1);
}

/**
 * tacho_server_test_new:
 * @profile: what to try, with its key
 *
 * Returns: (transfer full): a test that has not begun; its steps are known already
 */
TachoServerTest *
tacho_server_test_new (TachoProfile *profile)
{
  TachoServerTest *self;
  const char *endpoint;

  g_return_val_if_fail (TACHO_IS_PROFILE (profile), NULL);

  self = g_object_new (TACHO_TYPE_SERVER_TEST, NULL);
  self->profile = g_object_ref (profile);
  self->manager = tacho_client_manager_new (profile);
  self->models = tacho_model_service_new (self->manager);
  endpoint = tacho_profile_get_endpoint (profile);
  if (uses_side (self, TACHO_PROTOCOL_REST))
    add_side (self, TACHO_PROTOCOL_REST,
              endpoint != NULL && g_str_has_prefix (endpoint, "https://"));
  if (uses_side (self, TACHO_PROTOCOL_GRPC))
    add_side (self, TACHO_PROTOCOL_GRPC, tacho_profile_get_grpc_tls (profile));
  add_step (self, TACHO_TEST_API, TACHO_PROTOCOL_REST);
  add_step (self, TACHO_TEST_MODELS, TACHO_PROTOCOL_REST);
  add_step (self, TACHO_TEST_KEY, TACHO_PROTOCOL_REST);
  return self;
}

/**
 * tacho_server_test_run_async:
 * @self: a test
 * @cancellable: (nullable): to stop it
 * @callback: called when the last step is done
 * @user_data: for @callback
 *
 * Runs the steps; their states follow. Every step has a short limit. Runs once.
 */
void
tacho_server_test_run_async (TachoServerTest *self,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_return_if_fail (TACHO_IS_SERVER_TEST (self));
  g_return_if_fail (self->task == NULL);

  self->task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, tacho_server_test_run_async);
  g_task_set_check_cancellable (self->task, FALSE);
  if (!tacho_profile_check_plain_key (self->profile, &error))
    {
      step_fail (self, find_step (self, TACHO_TEST_KEY, TACHO_PROTOCOL_REST), error);
      end_test (self);
    }
  else
    test_side (self,
               uses_side (self, TACHO_PROTOCOL_REST) ? TACHO_PROTOCOL_REST : TACHO_PROTOCOL_GRPC);
}

/**
 * tacho_server_test_run_finish:
 * @self: a test
 * @result: what the callback got
 * @error: return location
 *
 * Returns: whether every step was passed; %FALSE with the %TACHO_ERROR of the first that was not
 */
gboolean
tacho_server_test_run_finish (TachoServerTest *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * tacho_server_test_get_untrusted:
 * @self: a test
 *
 * Returns: (transfer none) (nullable): the certificate that was shown and is not trusted
 */
const TachoCertificate *
tacho_server_test_get_untrusted (TachoServerTest *self)
{
  g_return_val_if_fail (TACHO_IS_SERVER_TEST (self), NULL);
  return self->untrusted;
}

/**
 * tacho_server_test_get_family:
 * @self: a test
 *
 * Returns: (transfer none) (nullable): the API that is spoken there
 */
const char *
tacho_server_test_get_family (TachoServerTest *self)
{
  g_return_val_if_fail (TACHO_IS_SERVER_TEST (self), NULL);
  return self->family;
}

/**
 * tacho_server_test_get_evidence:
 * @self: a test
 *
 * Returns: (transfer none) (nullable): what tells that API, a line a finding
 */
const char *const *
tacho_server_test_get_evidence (TachoServerTest *self)
{
  g_return_val_if_fail (TACHO_IS_SERVER_TEST (self), NULL);
  return (const char *const *) self->evidence;
}

/**
 * tacho_server_test_get_models:
 * @self: a test
 *
 * Returns: (transfer none) (array zero-terminated=1): the ids of the first 500 models
 */
const char *const *
tacho_server_test_get_models (TachoServerTest *self)
{
  g_return_val_if_fail (TACHO_IS_SERVER_TEST (self), NULL);
  return (const char *const *) self->model_ids;
}
