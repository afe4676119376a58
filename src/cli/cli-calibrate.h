/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The calibration of the client. */
#pragma once

#include "cli-connect.h"

G_BEGIN_DECLS

/* highest: streams, 0: as many as there are sizes; seconds: of each, 0: two. The exit status. */
int cli_calibrate (CliSession *session, guint highest, double seconds);

G_END_DECLS
