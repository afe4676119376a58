/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fetching of a model onto a server, as it goes. Properties (read-only, notify on change): id
 * (string), status (string: the server's own word), completed, total (uint64, bytes of what
 * is being fetched now; 0: not told), done (boolean). */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

#define TACHO_TYPE_MODEL_PULL (tacho_model_pull_get_type ())
G_DECLARE_FINAL_TYPE (TachoModelPull, tacho_model_pull, TACHO, MODEL_PULL, GObject)

TachoModelPull *tacho_model_pull_new (const char *id) G_GNUC_WARN_UNUSED_RESULT;
const char *tacho_model_pull_get_id (TachoModelPull *self);
const char *tacho_model_pull_get_status (TachoModelPull *self); /* NULL before the first word */
guint64 tacho_model_pull_get_completed (TachoModelPull *self);
guint64 tacho_model_pull_get_total (TachoModelPull *self);
gboolean tacho_model_pull_get_done (TachoModelPull *self);
/* For TachoModelService: takes over what the server says now. TRUE: more was fetched. */
gboolean tacho_model_pull_update (TachoModelPull *self,
                                  const char *status,
                                  guint64 completed,
                                  guint64 total,
                                  gboolean done);

G_END_DECLS
