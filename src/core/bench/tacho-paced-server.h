/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server that does nothing but send events at known moments, and writes down when it did: what a
 * client's stamps are held against. In a thread of its own, on loopback. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _TachoPacedServer TachoPacedServer;

/* Each stream gets `events` of them, one each interval. TACHO_ERROR_IO. */
TachoPacedServer *tacho_paced_server_new (guint streams,
                                          guint events,
                                          gint64 interval_ns,
                                          GError **error) G_GNUC_WARN_UNUSED_RESULT;
void tacho_paced_server_free (TachoPacedServer *self); /* stops it */
guint tacho_paced_server_get_port (TachoPacedServer *self);
/* When event `event` of stream `stream` was sent, after the run: CLOCK_MONOTONIC, 0: it was not.
 * The reply's id is "paced-" and the number of the stream. */
gint64 tacho_paced_server_get_sent_ns (TachoPacedServer *self, guint stream, guint event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoPacedServer, tacho_paced_server_free)

G_END_DECLS
