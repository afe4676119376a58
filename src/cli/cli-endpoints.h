/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sides of a server and the attempts of a generation, for people and for scripts. */
#pragma once

#include "cli-connect.h"

#include "service/tacho-generation.h"

G_BEGIN_DECLS

void cli_endpoints_add_json (JsonBuilder *builder, TachoClientManager *manager); /* "endpoints" */
/* One line: "gRPC 127.0.0.1:8001 serves (oip, 0.4 ms)". */
char *cli_endpoint_describe (TachoEndpoint *endpoint) G_GNUC_WARN_UNUSED_RESULT;
void cli_attempts_add_json (JsonBuilder *builder, TachoGeneration *generation); /* "attempts" */
/* What was tried, a line each on stderr; nothing if the first attempt went well. */
void cli_attempts_say (CliSession *session, TachoGeneration *generation);
/* Prints the state now and at each change, until an interrupt. */
int cli_endpoints_watch (CliSession *session);

G_END_DECLS
