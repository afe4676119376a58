/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How busy a server is, as far as it tells: slots, queue, caches, memory, rates. Asks every two
 * seconds while it is active, and else only as much as is needed to know whether there is anything
 * to show. Properties: active (boolean, read-write), told (boolean: the server tells something).
 * Signal: "changed" (): the figures or the error are new. */
#pragma once

#include "service/tacho-model-service.h"

G_BEGIN_DECLS

/* NaN, and 0 where nothing else is said: not told. */
typedef struct
{
  guint slots_total;
  guint slots_busy;
  TachoServerMetrics metrics; /* of several models together */
  double prompt_rate;         /* tokens/s since the look before */
  double output_rate;
  guint models_loaded;
  guint64 models_memory; /* bytes, of the loaded models whose size is told */
} TachoServerFigures;

#define TACHO_TYPE_SERVER_STATUS (tacho_server_status_get_type ())
G_DECLARE_FINAL_TYPE (TachoServerStatus, tacho_server_status, TACHO, SERVER_STATUS, GObject)

TachoServerStatus *tacho_server_status_new (TachoModelService *models) G_GNUC_WARN_UNUSED_RESULT;
void tacho_server_status_set_active (TachoServerStatus *self, gboolean active);
gboolean tacho_server_status_get_active (TachoServerStatus *self);
gboolean tacho_server_status_get_told (TachoServerStatus *self);
const TachoServerFigures *tacho_server_status_get_figures (TachoServerStatus *self);
const GError *tacho_server_status_get_error (TachoServerStatus *self); /* of the last look */

G_END_DECLS
