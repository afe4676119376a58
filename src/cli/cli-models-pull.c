/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli models pull: how far it is, as a bar on a terminal, as lines in a pipe. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-commands.h"

#include "base/tacho-clock.h"
#include "base/tacho-text.h"

#define BAR_CELLS 24
#define PLAIN_INTERVAL_NS (5 * TACHO_NS_PER_S)

typedef struct
{
  CliSession *session;
  char *said; /* the status of the last plain line */
  gint64 next_plain_ns;
} Progress;

static char *
describe (TachoModelPull *pull, gboolean bar)
{
  const char *status = tacho_model_pull_get_status (pull);
  guint64 total = tacho_model_pull_get_total (pull);
  guint64 completed = MIN (tacho_model_pull_get_completed (pull), total);
  GString *line = g_string_new (status != NULL ? status : "asking");
  g_autofree char *done = tacho_text_format_bytes (completed);
  g_autofree char *all = tacho_text_format_bytes (total);
  double fraction;

  if (total == 0)
    return g_string_free (line, FALSE);
  fraction = (double) completed / (double) total;
  if (bar)
    {
      guint filled = (guint) (fraction * BAR_CELLS);

      g_string_append (line, "  [");
      for (guint i = 0; i < BAR_CELLS; i++)
        g_string_append_c (line, i < filled ? '#' : '.');
      g_string_append_c (line, ']');
    }
  g_string_append_printf (line, "  %3.0f %%  %s of %s", fraction * 100, done, all);
  return g_string_free (line, FALSE);
}

/* In a pipe: each new word of the server, and now and then how far it is. */
static void
pull_cb (TachoModelPull *pull, GParamSpec *pspec, gpointer data)
{
  Progress *progress = data;
  CliTerminal *terminal = progress->session->terminal;
  gboolean live = cli_terminal_is_live (terminal);
  const char *status = tacho_model_pull_get_status (pull);
  gint64 now = tacho_clock_now_ns ();
  g_autofree char *line = NULL;

  if (!live && g_strcmp0 (status, progress->said) == 0 && now < progress->next_plain_ns)
    return;
  line = describe (pull, live);
  if (live)
    {
      cli_terminal_progress (terminal, line);
      return;
    }
  g_free (progress->said);
  progress->said = g_strdup (status);
  progress->next_plain_ns = now + PLAIN_INTERVAL_NS;
  cli_terminal_say (terminal, "%s", line);
}

int
cli_models_pull (CliSession *session, const char *id)
{
  g_autoptr (TachoModelPull) pull = tacho_model_pull_new (id);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  Progress progress = { .session = session };
  gulong handler = g_signal_connect (pull, "notify", G_CALLBACK (pull_cb), &progress);
  gboolean done;

  tacho_model_service_pull_async (session->models, pull, session->cancellable, cli_session_ready_cb,
                                  session);
  result = cli_session_wait (session);
  done = tacho_model_service_pull_finish (session->models, result, &error);
  g_signal_handler_disconnect (pull, handler);
  g_free (progress.said);
  cli_terminal_progress (session->terminal, NULL);
  if (!done)
    return cli_session_fail (session, error);
  if (!session->globals.json)
    {
      cli_terminal_say (session->terminal, "%s is on the server.", id);
      return CLI_EXIT_OK;
    }
  json_builder_begin_object (builder);
  cli_json_string (builder, "id", id);
  cli_json_string (builder, "status", tacho_model_pull_get_status (pull));
  json_builder_set_member_name (builder, "pulled");
  json_builder_add_boolean_value (builder, TRUE);
  json_builder_end_object (builder);
  cli_session_print_json (session, builder);
  return CLI_EXIT_OK;
}
