/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A llama-server of this computer's own. Its process has a group of its own, so that the servers
 * that a router starts end with it, and the system kills it when this program dies. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-local-engine.h"

#include "base/tacho-error.h"
#include "net/tacho-http-client.h"
#include "service/tacho-local-engine-private.h"

#include <errno.h>
#include <gio/gunixinputstream.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

#define POLL_MS 200
#define ASK_S 2.0
#define START_LIMIT_ROUTER_S 60
#define START_LIMIT_FILE_S 900 /* a large model from a slow disk */
#define STOP_LIMIT_S 5
#define READ_BYTES 16384

struct _TachoLocalEngine
{
  GObject parent_instance;

  TachoLocalEngineState state;
  gboolean loading;
  char *url;
  GError *error;
  TachoLogRing log;
  double stop_limit_s;

  GSubprocess *process;
  GPid pid;   /* and process group */
  int output; /* owned by the process */
  GSource *output_source;
  GSource *poll_source;
  GSource *limit_source;
  TachoHttpClient *client;
  GCancellable *asking;
};

G_DEFINE_FINAL_TYPE (TachoLocalEngine, tacho_local_engine, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_STATE,
  PROP_LOADING,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

GType
tacho_local_engine_state_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { TACHO_LOCAL_ENGINE_STOPPED, "TACHO_LOCAL_ENGINE_STOPPED", "stopped" },
    { TACHO_LOCAL_ENGINE_STARTING, "TACHO_LOCAL_ENGINE_STARTING", "starting" },
    { TACHO_LOCAL_ENGINE_READY, "TACHO_LOCAL_ENGINE_READY", "ready" },
    { TACHO_LOCAL_ENGINE_STOPPING, "TACHO_LOCAL_ENGINE_STOPPING", "stopping" },
    { TACHO_LOCAL_ENGINE_FAILED, "TACHO_LOCAL_ENGINE_FAILED", "failed" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("TachoLocalEngineState", values));
  return type;
}

static void
destroy_source (gpointer data)
{
  g_source_destroy (data);
  g_source_unref (data);
}

static GSource *
attach (GSource *source, GSourceFunc func, TachoLocalEngine *self)
{
  g_source_set_callback (source, func, self, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

static void
set_loading (TachoLocalEngine *self, gboolean loading)
{
  if (self->loading == loading)
    return;
  self->loading = loading;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_LOADING]);
}

static void
set_state (TachoLocalEngine *self, TachoLocalEngineState state)
{
  if (self->state == state)
    return;
  self->state = state;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATE]);
}

static void
stop_asking (TachoLocalEngine *self)
{
  g_clear_pointer (&self->poll_source, destroy_source);
  if (self->asking != NULL)
    g_cancellable_cancel (self->asking);
  g_clear_object (&self->asking);
  if (self->client != NULL)
    tacho_http_client_close (self->client);
  g_clear_object (&self->client);
}

/* Whatever the group holds: the server, and those that a router has started. */
static void
signal_group (TachoLocalEngine *self, int number)
{
  if (self->pid > 0)
    kill (-self->pid, number);
}

/* All that stands in the pipe now. FALSE: nothing more will come. */
static gboolean
drain (TachoLocalEngine *self)
{
  char buffer[READ_BYTES];

  for (;;)
    {
      gssize n = read (self->output, buffer, sizeof buffer);

      if (n > 0)
        tacho_log_ring_append (&self->log, buffer, (gsize) n);
      else if (n < 0 && errno == EINTR)
        continue;
      else
        return n < 0 && errno == EAGAIN;
    }
}

static gboolean
output_cb (int fd, GIOCondition condition, gpointer user_data)
{
  TachoLocalEngine *self = user_data;
  char buffer[READ_BYTES];
  /* One piece a turn: a server that never stops talking must not hold up the window. */
  gssize n = read (fd, buffer, sizeof buffer);

  if (n > 0)
    tacho_log_ring_append (&self->log, buffer, (gsize) n);
  if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
    return G_SOURCE_CONTINUE;
  g_clear_pointer (&self->output_source, g_source_unref);
  return G_SOURCE_REMOVE;
}

static void
forget_process (TachoLocalEngine *self)
{
  stop_asking (self);
  g_clear_pointer (&self->limit_source, destroy_source);
  g_clear_pointer (&self->output_source, destroy_source);
  g_clear_object (&self->process);
  self->pid = 0;
}

static void
exited_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoLocalEngine) self = user_data;
  GSubprocess *process = G_SUBPROCESS (source);
  gboolean asked_for = self->state == TACHO_LOCAL_ENGINE_STOPPING;
  gboolean signalled;
  int code;

  g_subprocess_wait_finish (process, result, NULL);
  if (self->process != process)
    return;
  signalled = g_subprocess_get_if_signaled (process);
  code = signalled ? g_subprocess_get_term_sig (process) : g_subprocess_get_exit_status (process);
  signal_group (self, SIGKILL); /* servers of a router that it left behind */
  drain (self);
  forget_process (self);
  if (!asked_for && self->error == NULL)
    {
      g_autofree char *words = tacho_local_engine_explain (signalled, code, &self->log);

      self->error = g_error_new_literal (TACHO_ERROR, TACHO_ERROR_IO, words);
    }
  set_loading (self, FALSE);
  set_state (self, asked_for && self->error == NULL ? TACHO_LOCAL_ENGINE_STOPPED
                                                    : TACHO_LOCAL_ENGINE_FAILED);
}

static void
answer_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoLocalEngine) self = user_data;
  g_autoptr (TachoHttpReply) reply =
      tacho_http_client_send_finish (TACHO_HTTP_CLIENT (source), result, NULL);

  if (self->asking == NULL || g_task_get_cancellable (G_TASK (result)) != self->asking)
    return;
  g_clear_object (&self->asking);
  if (reply == NULL || self->state != TACHO_LOCAL_ENGINE_STARTING)
    return;
  if (reply->status == 503)
    set_loading (self, TRUE);
  /* A server with a key of its own may keep even its health to itself: it is up all the same. */
  if (reply->status != 200 && reply->status != 401)
    return;
  stop_asking (self);
  g_clear_pointer (&self->limit_source, destroy_source);
  set_loading (self, FALSE);
  set_state (self, TACHO_LOCAL_ENGINE_READY);
}

static gboolean
poll_cb (gpointer user_data)
{
  TachoLocalEngine *self = user_data;
  g_autoptr (TachoHttpRequest) request = NULL;

  if (self->asking != NULL)
    return G_SOURCE_CONTINUE;
  request = tacho_http_request_new ("GET", "/health");
  self->asking = g_cancellable_new ();
  tacho_http_client_send_async (self->client, request, ASK_S, self->asking, answer_cb,
                                g_object_ref (self));
  return G_SOURCE_CONTINUE;
}

static gboolean
kill_cb (gpointer user_data)
{
  TachoLocalEngine *self = user_data;

  g_clear_pointer (&self->limit_source, g_source_unref);
  signal_group (self, SIGKILL);
  return G_SOURCE_REMOVE;
}

static void
end_process (TachoLocalEngine *self)
{
  stop_asking (self);
  g_clear_pointer (&self->limit_source, destroy_source);
  set_state (self, TACHO_LOCAL_ENGINE_STOPPING);
  signal_group (self, SIGTERM);
  self->limit_source =
      attach (g_timeout_source_new ((guint) (self->stop_limit_s * 1000)), kill_cb, self);
}

static gboolean
start_limit_cb (gpointer user_data)
{
  TachoLocalEngine *self = user_data;
  g_autofree char *last = tacho_log_ring_tail (&self->log, 4);

  self->error = g_error_new (TACHO_ERROR, TACHO_ERROR_TIMEOUT_FIRST,
                             "llama-server runs, but does not answer on %s. It was stopped.%s%s",
                             self->url, last[0] != '\0' ? "\n" : "", last);
  end_process (self);
  return G_SOURCE_REMOVE;
}

static void
tacho_local_engine_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  TachoLocalEngine *self = TACHO_LOCAL_ENGINE (object);

  switch (id)
    {
    case PROP_STATE:
      g_value_set_enum (value, self->state);
      break;
    case PROP_LOADING:
      g_value_set_boolean (value, self->loading);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
tacho_local_engine_finalize (GObject *object)
{
  TachoLocalEngine *self = TACHO_LOCAL_ENGINE (object);

  g_free (self->url);
  g_clear_error (&self->error);
  tacho_log_ring_clear (&self->log);

  G_OBJECT_CLASS (tacho_local_engine_parent_class)->finalize (object);
}

static void
tacho_local_engine_class_init (TachoLocalEngineClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = tacho_local_engine_get_property;
  object_class->finalize = tacho_local_engine_finalize;

  properties[PROP_STATE] =
      g_param_spec_enum ("state", NULL, NULL, TACHO_TYPE_LOCAL_ENGINE_STATE,
                         TACHO_LOCAL_ENGINE_STOPPED, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  properties[PROP_LOADING] = g_param_spec_boolean ("loading", NULL, NULL, FALSE,
                                                   G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
tacho_local_engine_init (TachoLocalEngine *self)
{
  tacho_log_ring_init (&self->log, TACHO_LOCAL_ENGINE_LOG_BYTES);
}

/**
 * tacho_local_engine_new:
 *
 * Returns: (transfer full): an engine that does not run. While it runs it holds a reference to
 *   itself.
 */
TachoLocalEngine *
tacho_local_engine_new (void)
{
  return g_object_new (TACHO_TYPE_LOCAL_ENGINE, NULL);
}

static void
watch_process (TachoLocalEngine *self)
{
  const char *id = g_subprocess_get_identifier (self->process); /* NULL: it has ended already */

  self->pid = id != NULL ? (GPid) g_ascii_strtoll (id, NULL, 10) : 0;
  self->output = g_unix_input_stream_get_fd (
      G_UNIX_INPUT_STREAM (g_subprocess_get_stdout_pipe (self->process)));
  g_unix_set_fd_nonblocking (self->output, TRUE, NULL);
  self->output_source = g_unix_fd_source_new (self->output, G_IO_IN | G_IO_HUP | G_IO_ERR);
  attach (self->output_source, G_SOURCE_FUNC (output_cb), self);
  g_subprocess_wait_async (self->process, NULL, exited_cb, g_object_ref (self));
}

static gboolean
check (TachoLocalEngine *self,
       const TachoLocalEngineOptions *options,
       const char *program,
       GError **error)
{
  if (self->process != NULL)
    g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                         "The local engine runs already: stop it first");
  else if (program == NULL)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO,
                 "%s is not there, or is no program: install llama.cpp, or say where it is",
                 options->program != NULL ? options->program : "llama-server");
  else if (options->models == NULL || !g_file_test (options->models, G_FILE_TEST_EXISTS))
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO,
                 "%s is not there: choose a folder of GGUF files, or one file",
                 options->models != NULL ? options->models : "The folder of models");
  else
    return TRUE;
  return FALSE;
}

/**
 * tacho_local_engine_start:
 * @self: an engine that does not run
 * @options: what to serve, and how
 * @error: return location
 *
 * Starts llama-server on a free port of the loopback address; from then on its state says how it
 * is. It is ready when it answers, and fails if it does not within its limit.
 *
 * Returns: %FALSE with %TACHO_ERROR_IO or %TACHO_ERROR_INVALID if there is nothing to start
 */
gboolean
tacho_local_engine_start (TachoLocalEngine *self,
                          const TachoLocalEngineOptions *options,
                          GError **error)
{
  g_autofree char *program = NULL;
  TachoHttpOptions http = { .timeout_connect = 1 };
  gboolean is_folder;
  double limit_s;
  guint16 port;

  g_return_val_if_fail (TACHO_IS_LOCAL_ENGINE (self), FALSE);
  g_return_val_if_fail (options != NULL, FALSE);

  program = tacho_local_engine_find_program (options->program);
  if (!check (self, options, program, error))
    return FALSE;
  port = tacho_local_engine_find_port (error);
  if (port == 0)
    return FALSE;
  is_folder = g_file_test (options->models, G_FILE_TEST_IS_DIR);
  limit_s = options->start_limit_s > 0 ? options->start_limit_s
            : is_folder                ? START_LIMIT_ROUTER_S
                                       : START_LIMIT_FILE_S;
  self->stop_limit_s = options->stop_limit_s > 0 ? options->stop_limit_s : STOP_LIMIT_S;
  g_free (self->url);
  self->url = g_strdup_printf ("http://127.0.0.1:%u", port);
  http.base_url = self->url;
  self->client = tacho_http_client_new (&http, error);
  if (self->client != NULL)
    self->process = tacho_local_engine_spawn (program, options, is_folder, port, error);
  if (self->process == NULL)
    {
      stop_asking (self);
      return FALSE;
    }
  watch_process (self);
  g_clear_error (&self->error);
  tacho_log_ring_clear (&self->log);
  tacho_log_ring_init (&self->log, TACHO_LOCAL_ENGINE_LOG_BYTES);
  self->poll_source = attach (g_timeout_source_new (POLL_MS), poll_cb, self);
  self->limit_source =
      attach (g_timeout_source_new ((guint) (limit_s * 1000)), start_limit_cb, self);
  set_state (self, TACHO_LOCAL_ENGINE_STARTING);
  return TRUE;
}

/**
 * tacho_local_engine_stop:
 * @self: an engine
 *
 * Asks it to end; if it does not within five seconds it is killed. Does nothing if none runs.
 */
void
tacho_local_engine_stop (TachoLocalEngine *self)
{
  g_return_if_fail (TACHO_IS_LOCAL_ENGINE (self));

  if (self->process != NULL && self->state != TACHO_LOCAL_ENGINE_STOPPING)
    end_process (self);
}

/**
 * tacho_local_engine_get_state:
 * @self: an engine
 *
 * Returns: how it is
 */
TachoLocalEngineState
tacho_local_engine_get_state (TachoLocalEngine *self)
{
  g_return_val_if_fail (TACHO_IS_LOCAL_ENGINE (self), TACHO_LOCAL_ENGINE_STOPPED);
  return self->state;
}

/**
 * tacho_local_engine_get_loading:
 * @self: an engine
 *
 * Returns: whether it answers already, but is loading its model still
 */
gboolean
tacho_local_engine_get_loading (TachoLocalEngine *self)
{
  g_return_val_if_fail (TACHO_IS_LOCAL_ENGINE (self), FALSE);
  return self->loading;
}

/**
 * tacho_local_engine_get_url:
 * @self: an engine
 *
 * Returns: (transfer none) (nullable): where it is, or was; %NULL if it was never started
 */
const char *
tacho_local_engine_get_url (TachoLocalEngine *self)
{
  g_return_val_if_fail (TACHO_IS_LOCAL_ENGINE (self), NULL);
  return self->url;
}

/**
 * tacho_local_engine_get_error:
 * @self: an engine
 *
 * Returns: (transfer none) (nullable): why it failed the last time: how it ended, what that may
 *   mean, and on further lines its last words
 */
const GError *
tacho_local_engine_get_error (TachoLocalEngine *self)
{
  g_return_val_if_fail (TACHO_IS_LOCAL_ENGINE (self), NULL);
  return self->error;
}

/**
 * tacho_local_engine_get_pid:
 * @self: an engine
 *
 * Returns: its process, which is also its process group; 0 if none runs
 */
GPid
tacho_local_engine_get_pid (TachoLocalEngine *self)
{
  g_return_val_if_fail (TACHO_IS_LOCAL_ENGINE (self), 0);
  return self->pid;
}

/**
 * tacho_local_engine_read_log:
 * @self: an engine
 * @from: what an earlier call gave as @next; 0: from the beginning
 * @next: (out) (optional): for the next call
 * @lost: (out) (optional): whether some of what followed @from is not kept any more
 *
 * Returns: (transfer full): what the server has said since, safe to show
 */
char *
tacho_local_engine_read_log (TachoLocalEngine *self, guint64 from, guint64 *next, gboolean *lost)
{
  g_return_val_if_fail (TACHO_IS_LOCAL_ENGINE (self), NULL);
  return tacho_log_ring_read (&self->log, from, self->process == NULL, next, lost);
}
