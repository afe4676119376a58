/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of the command: from its options to a server that was probed. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-connect.h"
#include "cli-profile.h"

#include "base/tacho-error.h"
#include "base/tacho-json.h"

#include <glib-unix.h>
#include <math.h>
#include <signal.h>

static gboolean
interrupt_cb (gpointer data)
{
  CliSession *self = data;

  self->interrupts++;
  g_cancellable_cancel (self->cancellable);
  if (self->on_interrupt != NULL)
    self->on_interrupt (self, self->on_interrupt_data);
  return G_SOURCE_CONTINUE;
}

CliSession *
cli_session_new (CliTerminal *terminal)
{
  CliSession *self = g_new0 (CliSession, 1);

  self->terminal = terminal;
  self->cancellable = g_cancellable_new ();
  self->sigint_id = g_unix_signal_add (SIGINT, interrupt_cb, self);
  self->sigterm_id = g_unix_signal_add (SIGTERM, interrupt_cb, self);
  return self;
}

void
cli_session_free (CliSession *self)
{
  g_source_remove (self->sigint_id);
  g_source_remove (self->sigterm_id);
  g_clear_object (&self->models);
  if (self->manager != NULL)
    tacho_client_manager_close (self->manager);
  g_clear_object (&self->manager);
  if (self->sim != NULL)
    tacho_sim_server_stop (self->sim);
  g_clear_object (&self->sim);
  g_clear_object (&self->profile);
  g_clear_object (&self->secrets);
  g_clear_object (&self->config);
  g_strfreev (self->groups);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->result);
  cli_globals_clear (&self->globals);
  g_free (self);
}

gboolean
cli_session_open (CliSession *self, GError **error)
{
  if (self->profile == NULL && !cli_profile_choose (self, error))
    return FALSE;
  if (tacho_profile_is_sim (self->profile))
    {
      self->sim = tacho_sim_server_host_profile (self->profile, error);
      if (self->sim == NULL)
        return FALSE;
    }
  self->manager = tacho_client_manager_new (self->profile);
  self->models = tacho_model_service_new (self->manager);
  return TRUE;
}

void
cli_session_ready_cb (GObject *source, GAsyncResult *result, gpointer session)
{
  CliSession *self = session;

  g_set_object (&self->result, result);
}

GAsyncResult *
cli_session_wait (CliSession *self)
{
  while (self->result == NULL)
    g_main_context_iteration (NULL, TRUE);
  return g_steal_pointer (&self->result);
}

gboolean
cli_session_connect (CliSession *self, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  if (!cli_session_open (self, error))
    return FALSE;
  tacho_client_manager_probe_async (self->manager, self->cancellable, cli_session_ready_cb, self);
  result = cli_session_wait (self);
  return tacho_client_manager_probe_finish (self->manager, result, error);
}

gboolean
cli_session_list (CliSession *self, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  tacho_model_service_list_async (self->models, TRUE, self->cancellable, cli_session_ready_cb,
                                  self);
  result = cli_session_wait (self);
  return tacho_model_service_list_finish (self->models, result, error);
}

static void
load_progress_cb (TachoModel *model, GParamSpec *pspec, gpointer data)
{
  CliSession *self = data;
  double progress = tacho_model_get_progress (model);
  g_autofree char *line = NULL;

  if (tacho_model_get_status (model) != TACHO_MODEL_STATUS_LOADING)
    return;
  if (isnan (progress))
    line = g_strdup_printf ("Loading %s", tacho_model_get_id (model));
  else
    line = g_strdup_printf ("Loading %s  %3.0f %%", tacho_model_get_id (model), progress * 100);
  cli_terminal_progress (self->terminal, line);
}

gboolean
cli_session_load (CliSession *self, const char *id, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (TachoModel) model = NULL;
  TachoModel *found = tacho_model_service_lookup (self->models, id);
  gulong handler = 0;

  if (found != NULL)
    {
      model = g_object_ref (found);
      handler = g_signal_connect (model, "notify", G_CALLBACK (load_progress_cb), self);
    }
  tacho_model_service_load_async (self->models, id, self->cancellable, cli_session_ready_cb, self);
  result = cli_session_wait (self);
  if (model != NULL)
    g_signal_handler_disconnect (model, handler);
  cli_terminal_progress (self->terminal, NULL);
  return tacho_model_service_load_finish (self->models, result, error);
}

static char *
join_ids (CliSession *self, gboolean usable_only)
{
  g_autoptr (GString) ids = g_string_new (NULL);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->models));
  guint shown = 0;

  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (G_LIST_MODEL (self->models), i);
      TachoModelStatus status = tacho_model_get_status (model);

      if (usable_only &&
          (status == TACHO_MODEL_STATUS_UNLOADED || status == TACHO_MODEL_STATUS_FAILED))
        continue;
      if (++shown > 12)
        {
          g_string_append (ids, ", …");
          break;
        }
      g_string_append_printf (ids, "%s%s", ids->len > 0 ? ", " : "", tacho_model_get_id (model));
    }
  return g_string_free (g_steal_pointer (&ids), FALSE);
}

static TachoModel *
find_model (CliSession *self, const char *id, GError **error)
{
  g_autofree char *latest = g_strconcat (id, ":latest", NULL);
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();
  g_autofree char *all = NULL;
  TachoModel *model = tacho_model_service_lookup (self->models, id);
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->models));
  const char *near;

  if (model == NULL)
    model = tacho_model_service_lookup (self->models, latest);
  if (model != NULL)
    return model;
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TachoModel) item = g_list_model_get_item (G_LIST_MODEL (self->models), i);

      g_ptr_array_add (ids, (char *) tacho_model_get_id (item));
    }
  g_ptr_array_add (ids, NULL);
  near = cli_closest (id, (const char *const *) ids->pdata);
  all = join_ids (self, FALSE);
  if (n == 0)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND,
                 "No model “%.200s”: the server lists no model at all.", id);
  else if (near != NULL)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND,
                 "No model “%.200s”. Did you mean “%s”? The server has: %s.", id, near, all);
  else
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND,
                 "No model “%.200s”. The server has: %s.", id, all);
  return NULL;
}

TachoModel *
cli_session_pick_model (CliSession *self, const char *id, GError **error)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->models));
  g_autofree char *usable = NULL;
  TachoModel *found = NULL;
  guint n_usable = 0;
  guint n_loaded = 0;

  if (id != NULL)
    return find_model (self, id, error);
  for (guint i = 0; i < n; i++)
    {
      g_autoptr (TachoModel) model = g_list_model_get_item (G_LIST_MODEL (self->models), i);
      TachoModelStatus status = tacho_model_get_status (model);

      if (n > 1 && (status == TACHO_MODEL_STATUS_UNLOADED || status == TACHO_MODEL_STATUS_FAILED))
        continue;
      n_usable++;
      n_loaded += status == TACHO_MODEL_STATUS_LOADED;
      if (found == NULL || (n_loaded == 1 && status == TACHO_MODEL_STATUS_LOADED))
        found = model; /* the list keeps it */
    }
  /* A loaded model costs nothing to choose; among mere names one could be dear, or slow to load. */
  if (n_loaded > 1)
    cli_terminal_say (self->terminal, "%u models are loaded: taking %s (choose with -m ID).",
                      n_loaded, tacho_model_get_id (found));
  if (n_usable == 1 || n_loaded > 0)
    return found;
  usable = join_ids (self, n_usable > 0);
  if (n == 0)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND, "The server lists no model.");
  else if (n_usable == 0)
    g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                 "No model is loaded; say which with -m ID. There are: %s.", usable);
  else
    g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                 "The server has %u models that could be meant; say which with -m ID: %s.",
                 n_usable, usable);
  return NULL;
}

/* A server that cannot say which models it has is believed to have what a person names. */
static char *
use_unlisted (const char *id, const GError *reason, GError **error)
{
  if (!g_error_matches (reason, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED))
    g_propagate_error (error, g_error_copy (reason));
  else if (id == NULL)
    g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "%s; say which is meant with -m ID.",
                 reason->message);
  else
    return g_strdup (id);
  return NULL;
}

char *
cli_session_use_model (CliSession *self, const char *id, GError **error)
{
  TachoModel *model;
  TachoModelStatus status;
  g_autofree char *found = NULL;
  g_autofree char *wanted = NULL;
  g_autoptr (GError) reason = NULL;
  gboolean listed = cli_session_list (self, &reason);

  if (id == NULL)
    id = wanted = cli_profile_dup_model (self);
  if (!listed)
    return use_unlisted (id, reason, error);
  model = cli_session_pick_model (self, id, error);
  if (model == NULL)
    return NULL;
  found = g_strdup (tacho_model_get_id (model));
  status = tacho_model_get_status (model);
  if (tacho_model_service_get_can_load (self->models) &&
      (status == TACHO_MODEL_STATUS_UNLOADED || status == TACHO_MODEL_STATUS_FAILED ||
       status == TACHO_MODEL_STATUS_LOADING))
    {
      cli_terminal_say (self->terminal, "%s is not loaded: loading it first.", found);
      if (!cli_session_load (self, found, error))
        return NULL;
    }
  return g_steal_pointer (&found);
}

int
cli_session_fail (CliSession *self, const GError *error)
{
  if (self->interrupts > 0)
    {
      cli_terminal_error (self->terminal, "interrupted");
      return CLI_EXIT_INTERRUPTED;
    }
  if (error == NULL)
    return CLI_EXIT_FAILED;
  cli_terminal_error (self->terminal, "%s", error->message);
  if (error->domain == CLI_ERROR || g_error_matches (error, TACHO_ERROR, TACHO_ERROR_INVALID))
    return CLI_EXIT_USAGE;
  return tacho_error_is_unreachable (error) ? CLI_EXIT_UNREACHABLE : CLI_EXIT_FAILED;
}

void
cli_session_print_json (CliSession *self, JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = tacho_json_to_string (root, TRUE);
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  cli_terminal_print (self->terminal, line);
}

void
cli_session_print_json_line (CliSession *self, JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = tacho_json_to_string (root, FALSE);
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  cli_terminal_print (self->terminal, line);
}

void
cli_json_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value == NULL)
    json_builder_add_null_value (builder);
  else if (g_utf8_validate (value, -1, NULL))
    json_builder_add_string_value (builder, value);
  else
    {
      g_autofree char *valid = g_utf8_make_valid (value, -1);

      json_builder_add_string_value (builder, valid);
    }
}

void
cli_json_double (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  if (isfinite (value))
    json_builder_add_double_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

void
cli_json_count (JsonBuilder *builder, const char *name, gint64 value, gint64 unknown)
{
  json_builder_set_member_name (builder, name);
  if (value == unknown)
    json_builder_add_null_value (builder);
  else
    json_builder_add_int_value (builder, value);
}
