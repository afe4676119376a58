/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a local engine is started, its log, and what its end means. */
#pragma once

#include "service/tacho-local-engine.h"

G_BEGIN_DECLS

/* The last bytes of an endless text, cut at a line. */
typedef struct
{
  GString *text;
  guint64 begin; /* offset of the first byte that is kept */
  gsize limit;
} TachoLogRing;

void tacho_log_ring_init (TachoLogRing *ring, gsize limit);
void tacho_log_ring_clear (TachoLogRing *ring);
void tacho_log_ring_append (TachoLogRing *ring, const char *data, gsize length);
/* Safe to show; `whole`: also the line that has no end yet. */
char *tacho_log_ring_read (const TachoLogRing *ring,
                           guint64 from,
                           gboolean whole,
                           guint64 *next,
                           gboolean *lost) G_GNUC_WARN_UNUSED_RESULT;
/* The last lines that say something, at most `n`. */
char *tacho_log_ring_tail (const TachoLogRing *ring, guint n) G_GNUC_WARN_UNUSED_RESULT;

/* A port that nobody has now; 0 with an error. */
guint16 tacho_local_engine_find_port (GError **error);
GSubprocess *tacho_local_engine_spawn (const char *program,
                                       const TachoLocalEngineOptions *options,
                                       gboolean is_folder,
                                       guint16 port,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How it ended, why that may be, and its last words. */
char *tacho_local_engine_explain (gboolean signalled,
                                  int code,
                                  const TachoLogRing *log) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
