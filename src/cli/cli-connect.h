/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One run of the command: its server, its services, and what an interrupt does. */
#pragma once

#include "cli-exit.h"
#include "cli-options.h"
#include "cli-terminal.h"

#include "config/tacho-config.h"
#include "config/tacho-secrets.h"
#include "service/tacho-client-manager.h"
#include "service/tacho-model-service.h"
#include "sim/tacho-sim-server.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

typedef struct _CliSession CliSession;
typedef void (*CliInterruptFunc) (CliSession *session, gpointer user_data);

struct _CliSession
{
  CliTerminal *terminal;
  CliGlobals globals;
  TachoConfig *config;   /* read when it is first needed */
  TachoSecrets *secrets; /* the same */
  char **groups;         /* of the configuration */
  TachoProfile *profile;
  TachoSimServer *sim;
  TachoClientManager *manager;
  TachoModelService *models;
  GCancellable *cancellable;
  GAsyncResult *result; /* of the call that cli_session_wait waits for */
  guint interrupts;
  CliInterruptFunc on_interrupt;
  gpointer on_interrupt_data;
  guint sigint_id, sigterm_id;
};

CliSession *cli_session_new (CliTerminal *terminal) G_GNUC_WARN_UNUSED_RESULT;
void cli_session_free (CliSession *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CliSession, cli_session_free)

/* The profile of the options; hosts sim:. Then probes. */
gboolean cli_session_open (CliSession *self, GError **error);
gboolean cli_session_connect (CliSession *self, GError **error);

/* For GAsyncReadyCallback with the session as data, and the wait for it. */
void cli_session_ready_cb (GObject *source, GAsyncResult *result, gpointer session);
GAsyncResult *cli_session_wait (CliSession *self) G_GNUC_WARN_UNUSED_RESULT; /* (transfer full) */

gboolean cli_session_list (CliSession *self, GError **error);
gboolean cli_session_load (CliSession *self, const char *id, GError **error); /* with progress */
/* The model that `id` names, or with NULL the only one that can be meant. (transfer none) */
TachoModel *cli_session_pick_model (CliSession *self, const char *id, GError **error);
/* The same, and loaded if this server loads models. The ID as the server knows it. */
char *
cli_session_use_model (CliSession *self, const char *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Says the error (NULL: nothing) and gives the exit status that it stands for. */
int cli_session_fail (CliSession *self, const GError *error);
/* JSON on stdout: takes the builder's document. */
void cli_session_print_json (CliSession *self, JsonBuilder *builder);
void cli_session_print_json_line (CliSession *self, JsonBuilder *builder);        /* on one line */
void cli_json_string (JsonBuilder *builder, const char *name, const char *value); /* NULL: null */
void cli_json_double (JsonBuilder *builder, const char *name, double value);      /* NaN: null */
void cli_json_count (JsonBuilder *builder, const char *name, gint64 value, gint64 unknown);

G_END_DECLS
