/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli probe --local. */
#pragma once

#include "cli-commands.h"

G_BEGIN_DECLS

int cli_local (CliSession *session);

G_END_DECLS
