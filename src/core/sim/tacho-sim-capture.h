/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was asked of the server: the last requests, without secrets, and a JSON-lines file if
 * wanted. Any thread. */
#pragma once

#include "sim/tacho-sim-server.h"

G_BEGIN_DECLS

#define TACHO_SIM_CAPTURE_MAX_REQUESTS 10000
#define TACHO_SIM_CAPTURE_MAX_BODY ((gsize) 64 * 1024)

typedef struct _TachoSimCapture TachoSimCapture;

TachoSimCapture *tacho_sim_capture_new (const char *path, GError **error)
    G_GNUC_WARN_UNUSED_RESULT; /* path: or NULL */
void tacho_sim_capture_free (TachoSimCapture *capture);
void tacho_sim_capture_add (TachoSimCapture *capture,
                            TachoSimRequest *request); /* (transfer full) */
GPtrArray *tacho_sim_capture_take (TachoSimCapture *capture) G_GNUC_WARN_UNUSED_RESULT;
/* A request whose reply is still to come, in two steps; the caller keeps it. */
void tacho_sim_capture_open (TachoSimCapture *capture, TachoSimRequest *request);
void tacho_sim_capture_close (TachoSimCapture *capture, const TachoSimRequest *request);
char *tacho_sim_capture_to_json (TachoSimCapture *capture, guint64 since) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
