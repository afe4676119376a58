/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds the requests of a run ahead of time, in a thread of its own: writing a prompt and its JSON
 * between two reads would show up as latency of the streams that wait. */
#pragma once

#include "api/tacho-api.h"
#include "bench/tacho-bench-plan.h"

G_BEGIN_DECLS

typedef struct _TachoLoadFeed TachoLoadFeed;

TachoLoadFeed *tacho_load_feed_new (TachoApi *api,
                                    const TachoBenchPlan *plan,
                                    guint64 salt) G_GNUC_WARN_UNUSED_RESULT;
void tacho_load_feed_free (TachoLoadFeed *self); /* joins the thread */
/* FALSE: the first request cannot be built, nor then any other. */
gboolean tacho_load_feed_check (TachoLoadFeed *self, GError **error);
/* The next request; NULL with an error that ends the run. Waits only if the builder is behind. */
TachoHttpRequest *tacho_load_feed_take (TachoLoadFeed *self,
                                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoLoadFeed, tacho_load_feed_free)

G_END_DECLS
