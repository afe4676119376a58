/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the services do with models beyond listing, on a small Ollama and a small LM Studio: lists
 * of two replies, loads that block, pulls by lines and by job, deletion. */
#include "test-utils.h"

#include "base/tacho-error.h"
#include "service/tacho-model-service.h"

#include <libsoup/soup.h>
#include <string.h>

typedef struct
{
  SoupServer *server;
  TachoProfile *profile;
  TachoClientManager *manager;
  TachoModelService *models;

  gboolean loaded;  /* "small" is in memory */
  guint instances;  /* of it, at LM Studio */
  gboolean deleted; /* "small" is gone */
  gboolean pulled;  /* "new" is there */
  gboolean ps_fails;
  gboolean refuse_load;
  guint hold;              /* a load or a pull is held: how many came */
  SoupServerMessage *held; /* the last of them */
  const char *pull_lines;  /* what a pull answers; NULL: it is held after its first line */
  guint job_polls;         /* until the job is done */
  GString *seen;           /* "POST /api/pull …" of what changes things, a line each */
} Fixture;

static void
answer (SoupServerMessage *message, guint status, const char *type, const char *body)
{
  soup_server_message_set_status (message, status, NULL);
  soup_server_message_set_response (message, type, SOUP_MEMORY_COPY, body, strlen (body));
}

static void
hold (Fixture *f, SoupServerMessage *message)
{
  f->hold++;
  g_set_object (&f->held, message);
  soup_server_message_pause (message);
}

static void
unhold (Fixture *f, guint status, const char *body)
{
  answer (f->held, status, "application/json", body);
  soup_server_message_unpause (f->held);
  g_clear_object (&f->held);
}

static void
ollama_tags (Fixture *f, SoupServerMessage *message)
{
  g_autoptr (GString) body = g_string_new ("{\"models\":[{\"name\":\"other\"}");

  if (!f->deleted)
    g_string_append (body, ",{\"name\":\"small\",\"size\":1000,\"details\":{\"parameter_size\":"
                           "\"1B\"}}");
  if (f->pulled)
    g_string_append (body, ",{\"name\":\"new\"}");
  g_string_append (body, "]}");
  answer (message, 200, "application/json", body->str);
}

static void
ollama_generate (Fixture *f, SoupServerMessage *message, const char *body)
{
  if (strstr (body, "keep_alive") != NULL)
    {
      f->loaded = FALSE;
      answer (message, 200, "application/json", "{\"done\":true,\"done_reason\":\"unload\"}");
    }
  else if (f->refuse_load)
    answer (message, 500, "application/json", "{\"error\":\"model requires more memory\"}");
  else
    hold (f, message);
}

static void
ollama_cb (SoupServer *server,
           SoupServerMessage *message,
           const char *path,
           GHashTable *query,
           gpointer data)
{
  Fixture *f = data;
  SoupMessageBody *sent = soup_server_message_get_request_body (message);
  g_autoptr (GBytes) bytes = soup_message_body_flatten (sent);
  g_autofree char *body = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  const char *method = soup_server_message_get_method (message);

  if (!g_str_equal (method, "GET"))
    g_string_append_printf (f->seen, "%s %s %s\n", method, path, body);
  if (g_str_equal (path, "/api/version"))
    answer (message, 200, "application/json", "{\"version\":\"0.13\"}");
  else if (g_str_equal (path, "/api/tags"))
    ollama_tags (f, message);
  else if (g_str_equal (path, "/api/ps") && f->ps_fails)
    answer (message, 500, "application/json", "{\"error\":\"no\"}");
  else if (g_str_equal (path, "/api/ps"))
    answer (message, 200, "application/json",
            f->loaded ? "{\"models\":[{\"name\":\"small\",\"size_vram\":700,"
                        "\"context_length\":4096}]}"
                      : "{\"models\":[]}");
  else if (g_str_equal (path, "/api/show"))
    answer (message, 200, "application/json",
            "{\"details\":{\"family\":\"llama\"},\"model_info\":{\"general.architecture\":"
            "\"llama\",\"llama.context_length\":131072}}");
  else if (g_str_equal (path, "/api/generate"))
    ollama_generate (f, message, body);
  else if (g_str_equal (path, "/api/delete"))
    {
      f->deleted = TRUE;
      soup_server_message_set_status (message, 200, NULL);
    }
  else if (g_str_equal (path, "/api/pull") && f->pull_lines != NULL)
    {
      f->pulled = strstr (f->pull_lines, "success") != NULL;
      answer (message, 200, "application/x-ndjson", f->pull_lines);
    }
  else if (g_str_equal (path, "/api/pull"))
    hold (f, message);
  else
    answer (message, 404, "text/plain", "404 page not found");
}

static void
lmstudio_cb (SoupServer *server,
             SoupServerMessage *message,
             const char *path,
             GHashTable *query,
             gpointer data)
{
  Fixture *f = data;
  SoupMessageBody *sent = soup_server_message_get_request_body (message);
  g_autoptr (GBytes) bytes = soup_message_body_flatten (sent);
  g_autofree char *body = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_autoptr (GString) list = g_string_new ("{\"models\":[{\"key\":\"small\",\"type\":\"llm\","
                                           "\"loaded_instances\":[");

  if (!g_str_equal (soup_server_message_get_method (message), "GET"))
    g_string_append_printf (f->seen, "%s %s\n", path, body);
  for (guint i = 0; i < f->instances; i++)
    g_string_append_printf (list, "%s{\"id\":\"small:%u\"}", i > 0 ? "," : "", f->instances - i);
  g_string_append (list, "]}]}");
  if (g_str_equal (path, "/api/v1/models"))
    answer (message, 200, "application/json", list->str);
  else if (g_str_equal (path, "/api/v1/models/unload"))
    {
      f->instances--;
      answer (message, 200, "application/json", "{\"instance_id\":\"x\"}");
    }
  else if (g_str_equal (path, "/api/v1/models/download"))
    answer (message, 200, "application/json",
            "{\"job_id\":\"j1\",\"status\":\"downloading\",\"total_size_bytes\":100}");
  else if (g_str_equal (path, "/api/v1/models/download/status/j1"))
    answer (message, 200, "application/json",
            f->job_polls-- > 1 ? "{\"status\":\"downloading\",\"downloaded_bytes\":60,"
                                 "\"total_size_bytes\":100}"
                               : "{\"status\":\"completed\"}");
  else
    answer (message, 200, "application/json", "{\"error\":\"Unexpected endpoint or method.\"}");
}

static void
set_up (Fixture *f, gconstpointer family)
{
  g_autoptr (GError) error = NULL;
  GSList *uris;
  g_autofree char *url = NULL;

  f->seen = g_string_new (NULL);
  f->server = soup_server_new (NULL, NULL);
  soup_server_add_handler (f->server, NULL,
                           g_str_equal (family, "ollama") ? ollama_cb : lmstudio_cb, f, NULL);
  g_assert_true (soup_server_listen_local (f->server, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, &error));
  g_assert_no_error (error);
  uris = soup_server_get_uris (f->server);
  url = g_uri_to_string (uris->data);
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);
  f->profile = tacho_profile_new ("test", url, &error);
  g_assert_no_error (error);
  g_assert_true (tacho_profile_set_api (f->profile, family, &error));
  f->manager = tacho_client_manager_new (f->profile);
  f->models = tacho_model_service_new (f->manager);
}

static void
tear_down (Fixture *f, gconstpointer family)
{
  tacho_client_manager_close (f->manager);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->models)->ref_count == 1);
  g_assert_false (tacho_model_service_get_busy (f->models));
  g_assert_finalize_object (f->models);
  TACHO_TEST_SPIN_UNTIL (G_OBJECT (f->manager)->ref_count == 1);
  g_assert_finalize_object (f->manager);
  g_assert_finalize_object (f->profile);
  g_clear_object (&f->held);
  soup_server_disconnect (f->server);
  g_object_unref (f->server);
  g_string_free (f->seen, TRUE);
}

static void
list (Fixture *f)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  tacho_model_service_list_async (f->models, TRUE, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  tacho_model_service_list_finish (f->models, result, &error);
  g_assert_no_error (error);
}

static TachoModelStatus
status_of (Fixture *f, const char *id)
{
  TachoModel *model = tacho_model_service_lookup (f->models, id);

  g_assert_nonnull (model);
  return tacho_model_get_status (model);
}

static gboolean
pull (Fixture *f, TachoModelPull *model, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  tacho_model_service_pull_async (f->models, model, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  return tacho_model_service_pull_finish (f->models, result, error);
}

/* --- Ollama --- */

static void
test_list (Fixture *f, gconstpointer family)
{
  f->loaded = TRUE;
  list (f);
  g_assert_cmpint (status_of (f, "small"), ==, TACHO_MODEL_STATUS_LOADED);
  g_assert_cmpint (status_of (f, "other"), ==, TACHO_MODEL_STATUS_UNLOADED);
  g_assert_cmpuint (
      tacho_model_get_info (tacho_model_service_lookup (f->models, "small"))->memory_bytes, ==,
      700);
  /* A second question that fails leaves the list without its answer, and no error. */
  f->ps_fails = TRUE;
  list (f);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (f->models)), ==, 2);
  g_assert_cmpint (status_of (f, "small"), ==, TACHO_MODEL_STATUS_UNKNOWN);
  g_assert_null (tacho_model_service_get_error (f->models));
}

static void
test_show (Fixture *f, gconstpointer family)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoModel) model = NULL;

  tacho_model_service_show_async (f->models, "small", NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  model = tacho_model_service_show_finish (f->models, result, &error);
  g_assert_no_error (error);
  g_assert_cmpint (tacho_model_get_info (model)->context_trained, ==, 131072);
  g_assert_cmpuint (tacho_model_get_info (model)->size_bytes, ==, 1000);
  g_assert_cmpint (tacho_model_get_status (model), ==, TACHO_MODEL_STATUS_UNLOADED);
}

static void
test_load (Fixture *f, gconstpointer family)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  /* Longer than the first byte may take: only the total timeout holds. */
  g_assert_true (tacho_profile_set_timeout (f->profile, TACHO_TIMEOUT_FIRST, 0.05, NULL));
  tacho_model_service_load_async (f->models, "small", NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (f->held != NULL);
  g_assert_cmpint (status_of (f, "small"), ==, TACHO_MODEL_STATUS_LOADING);
  list (f); /* says "unloaded", which is not news */
  g_assert_cmpint (status_of (f, "small"), ==, TACHO_MODEL_STATUS_LOADING);
  for (gint64 end = g_get_monotonic_time () + 150000; g_get_monotonic_time () < end;)
    g_main_context_iteration (NULL, FALSE);
  g_assert_null (result);
  f->loaded = TRUE;
  unhold (f, 200, "{\"done\":true,\"done_reason\":\"load\"}");
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_true (tacho_model_service_load_finish (f->models, result, &error));
  g_assert_no_error (error);
  g_assert_cmpint (status_of (f, "small"), ==, TACHO_MODEL_STATUS_LOADED);
  g_clear_object (&result);
  tacho_model_service_unload_async (f->models, "small", NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_true (tacho_model_service_unload_finish (f->models, result, &error));
  g_assert_cmpint (status_of (f, "small"), ==, TACHO_MODEL_STATUS_UNLOADED);
}

static void
test_load_fails (Fixture *f, gconstpointer family)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  f->refuse_load = TRUE;
  tacho_model_service_load_async (f->models, "small", NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_false (tacho_model_service_load_finish (f->models, result, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED);
  g_assert_nonnull (strstr (error->message, "more memory"));
  g_assert_cmpint (status_of (f, "small"), ==, TACHO_MODEL_STATUS_FAILED);
}

static void
test_load_cancelled (Fixture *f, gconstpointer family)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  tacho_model_service_load_async (f->models, "small", cancellable, tacho_test_store_result_cb,
                                  &result);
  TACHO_TEST_SPIN_UNTIL (f->held != NULL);
  g_cancellable_cancel (cancellable);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_false (tacho_model_service_load_finish (f->models, result, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  g_assert_cmpint (status_of (f, "small"), ==, TACHO_MODEL_STATUS_UNLOADED);
  g_assert_nonnull (strstr (f->seen->str, "keep_alive")); /* the server was told to let it go */
}

static void
count_cb (GObject *object, GParamSpec *pspec, gpointer data)
{
  (*(guint *) data)++;
}

static void
test_pull (Fixture *f, gconstpointer family)
{
  g_autoptr (TachoModelPull) model = tacho_model_pull_new ("new");
  g_autoptr (GError) error = NULL;
  guint n = 0;

  g_signal_connect (model, "notify::completed", G_CALLBACK (count_cb), &n);
  f->pull_lines = "{\"status\":\"pulling manifest\"}\n"
                  "{\"status\":\"pulling ab\",\"total\":100,\"completed\":40}\r\n\n"
                  "{\"status\":\"pulling ab\",\"total\":100,\"completed\":100}\n"
                  "{\"status\":\"success\"}";
  g_assert_true (pull (f, model, &error));
  g_assert_no_error (error);
  g_assert_true (tacho_model_pull_get_done (model));
  g_assert_cmpstr (tacho_model_pull_get_status (model), ==, "success");
  g_assert_cmpuint (n, ==, 3); /* 40, 100, and nothing more to be told */
  g_assert_nonnull (tacho_model_service_lookup (f->models, "new"));
}

static void
test_pull_fails (Fixture *f, gconstpointer family)
{
  static const struct
  {
    const char *lines;
    int code;
  } cases[] = {
    { "{\"status\":\"pulling manifest\"}\n{\"error\":\"file does not exist\"}\n",
      TACHO_ERROR_IN_BAND },
    { "{\"status\":\"pulling manifest\"}\n", TACHO_ERROR_TRUNCATED },
    { "", TACHO_ERROR_TRUNCATED },
    { "{\"status\":\"pulling manifest\"}\n<html>\n", TACHO_ERROR_PROTOCOL },
    { "{}\n", TACHO_ERROR_PROTOCOL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TachoModelPull) model = tacho_model_pull_new ("new");
      g_autoptr (GError) error = NULL;

      f->pull_lines = cases[i].lines;
      g_assert_false (pull (f, model, &error));
      g_assert_error (error, TACHO_ERROR, cases[i].code);
      g_assert_false (tacho_model_pull_get_done (model));
    }
}

static void
test_pull_cancelled (Fixture *f, gconstpointer family)
{
  g_autoptr (TachoModelPull) model = tacho_model_pull_new ("new");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  tacho_model_service_pull_async (f->models, model, cancellable, tacho_test_store_result_cb,
                                  &result);
  TACHO_TEST_SPIN_UNTIL (f->held != NULL);
  g_cancellable_cancel (cancellable);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_false (tacho_model_service_pull_finish (f->models, result, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  g_assert_cmpuint (f->hold, ==, 1); /* ordered once */
}

static void
test_delete (Fixture *f, gconstpointer family)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  tacho_model_service_delete_async (f->models, "small", NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_true (tacho_model_service_delete_finish (f->models, result, &error));
  g_assert_null (tacho_model_service_lookup (f->models, "small"));
  g_assert_cmpstr (f->seen->str, ==, "DELETE /api/delete {\"model\":\"small\"}\n");
  g_clear_object (&result);
  tacho_model_service_delete_async (f->models, "small", NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_false (tacho_model_service_delete_finish (f->models, result, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
}

static void
test_load_from (Fixture *f, gconstpointer family)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  tacho_model_service_load_from_async (f->models, "lora", "/a", NULL, tacho_test_store_result_cb,
                                       &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_false (tacho_model_service_load_from_finish (f->models, result, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
}

/* --- LM Studio --- */

static void
test_instances (Fixture *f, gconstpointer family)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  f->instances = 2;
  tacho_model_service_unload_async (f->models, "small", NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_true (tacho_model_service_unload_finish (f->models, result, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (f->seen->str, ==,
                   "/api/v1/models/unload {\"instance_id\":\"small:2\"}\n"
                   "/api/v1/models/unload {\"instance_id\":\"small:1\"}\n");
}

static void
test_job (Fixture *f, gconstpointer family)
{
  g_autoptr (TachoModelPull) model = tacho_model_pull_new ("new");
  g_autoptr (GError) error = NULL;

  f->job_polls = 2;
  g_assert_true (pull (f, model, &error));
  g_assert_no_error (error);
  g_assert_true (tacho_model_pull_get_done (model));
  g_assert_cmpstr (f->seen->str, ==, "/api/v1/models/download {\"model\":\"new\"}\n");
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    const char *family;
    void (*test) (Fixture *f, gconstpointer family);
  } tests[] = {
    { "list", "ollama", test_list },
    { "show", "ollama", test_show },
    { "load", "ollama", test_load },
    { "load-fails", "ollama", test_load_fails },
    { "load-cancelled", "ollama", test_load_cancelled },
    { "pull", "ollama", test_pull },
    { "pull-fails", "ollama", test_pull_fails },
    { "pull-cancelled", "ollama", test_pull_cancelled },
    { "delete", "ollama", test_delete },
    { "load-from", "ollama", test_load_from },
    { "instances", "lmstudio", test_instances },
    { "job", "lmstudio", test_job },
  };

  tacho_test_init (&argc, &argv);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    {
      g_autofree char *path =
          g_strdup_printf ("/service/model-operations/%s/%s", tests[i].family, tests[i].name);

      g_test_add (path, Fixture, tests[i].family, set_up, tests[i].test, tear_down);
    }
  return g_test_run ();
}
