/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds the requests of a run ahead of time, in a thread of its own: writing a prompt and its JSON
 * between two reads would show up as latency of the streams that wait. */
#pragma once

#include "api/tacho-api.h"
#include "bench/tacho-prompts.h"

G_BEGIN_DECLS

/* A conversation, ready to be sent turn by turn. */
typedef struct
{
  guint64 number;
  GPtrArray *turns; /* of TachoHttpRequest */
} TachoLoadItem;

void tacho_load_item_free (TachoLoadItem *item);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoLoadItem, tacho_load_item_free)

typedef struct _TachoLoadFeed TachoLoadFeed;

/* Conversations `first`, `first + stride`, … */
TachoLoadFeed *tacho_load_feed_new (TachoApi *api,
                                    TachoPrompts *prompts,
                                    guint64 salt,
                                    guint ahead,
                                    guint64 first,
                                    guint64 stride) G_GNUC_WARN_UNUSED_RESULT;
void tacho_load_feed_free (TachoLoadFeed *self); /* joins the thread */
/* FALSE: the first request cannot be built, nor then any other. */
gboolean tacho_load_feed_check (TachoLoadFeed *self, GError **error);
/* The next one; NULL with an error that ends the run. Waits only if the builder is behind. */
TachoLoadItem *tacho_load_feed_take (TachoLoadFeed *self,
                                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoLoadFeed, tacho_load_feed_free)

G_END_DECLS
