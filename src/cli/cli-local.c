/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli probe --local: which model servers run on this computer. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-local.h"

#include "service/tacho-discovery.h"

static void
print_json (CliSession *session, GListModel *list)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  cli_json_string (builder, "schema", "tacho.local/1");
  json_builder_set_member_name (builder, "servers");
  json_builder_begin_array (builder);
  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (TachoFound) found = g_list_model_get_item (list, i);
      const char *const *evidence = tacho_found_get_evidence (found);

      json_builder_begin_object (builder);
      cli_json_string (builder, "url", tacho_found_get_url (found));
      cli_json_string (builder, "grpc", tacho_found_get_grpc_target (found));
      cli_json_string (builder, "api", tacho_found_get_family (found));
      cli_json_string (builder, "description", tacho_found_get_description (found));
      cli_json_string (builder, "version", tacho_found_get_version (found));
      json_builder_set_member_name (builder, "simulated");
      json_builder_add_boolean_value (builder, tacho_found_get_simulated (found));
      json_builder_set_member_name (builder, "wants_key");
      json_builder_add_boolean_value (builder, tacho_found_get_wants_key (found));
      json_builder_set_member_name (builder, "evidence");
      json_builder_begin_array (builder);
      for (guint k = 0; evidence != NULL && evidence[k] != NULL; k++)
        json_builder_add_string_value (builder, evidence[k]);
      json_builder_end_array (builder);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  cli_session_print_json (session, builder);
}

static void
print_text (CliSession *session, GListModel *list)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  const char *head[] = { "URL", "GRPC", "API", "SERVER", NULL };
  g_autofree char *table = NULL;

  g_ptr_array_add (rows, g_strdupv ((char **) head));
  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (TachoFound) found = g_list_model_get_item (list, i);
      const char *url = tacho_found_get_url (found);
      const char *target = tacho_found_get_grpc_target (found);
      g_autofree char *server =
          g_strconcat (tacho_found_get_description (found),
                       tacho_found_get_simulated (found) ? " (simulated)" : NULL, NULL);
      const char *cells[] = { url != NULL ? url : "-", target != NULL ? target : "-",
                              tacho_found_get_family (found), server, NULL };

      g_ptr_array_add (rows, g_strdupv ((char **) cells));
    }
  table = cli_table_format (rows);
  cli_terminal_print (session->terminal, table);
}

int
cli_local (CliSession *session)
{
  g_autoptr (TachoDiscovery) discovery = tacho_discovery_new (NULL, 0);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  tacho_discovery_run_async (discovery, session->cancellable, cli_session_ready_cb, session);
  result = cli_session_wait (session);
  if (!tacho_discovery_run_finish (discovery, result, &error))
    return cli_session_fail (session, error);
  if (session->globals.json)
    print_json (session, G_LIST_MODEL (discovery));
  else if (g_list_model_get_n_items (G_LIST_MODEL (discovery)) > 0)
    print_text (session, G_LIST_MODEL (discovery));
  else
    cli_terminal_say (session->terminal,
                      "No model server answers on the usual ports of this computer");
  return CLI_EXIT_OK;
}
