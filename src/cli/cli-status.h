/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server tells of its own work, for tacho-cli probe. */
#pragma once

#include "cli-connect.h"

G_BEGIN_DECLS

void cli_status_add_json (CliSession *session, JsonBuilder *builder); /* "status", null if none */
char *cli_status_describe (CliSession *session) G_GNUC_WARN_UNUSED_RESULT; /* NULL: it tells none */

G_END_DECLS
