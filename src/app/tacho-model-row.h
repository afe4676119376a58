/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One model in the browser: what it is, how it is, and the button to load or unload it. Signal:
 * "details" (): show everything that is known of it. */
#pragma once

#include <adwaita.h>
#include "app/tacho-connection.h"

G_BEGIN_DECLS

#define TACHO_TYPE_MODEL_ROW (tacho_model_row_get_type ())
G_DECLARE_FINAL_TYPE (TachoModelRow, tacho_model_row, TACHO, MODEL_ROW, AdwBin)

GtkWidget *tacho_model_row_new (void) G_GNUC_WARN_UNUSED_RESULT;
void tacho_model_row_bind (TachoModelRow *self, TachoConnection *connection, TachoModel *model);
void tacho_model_row_unbind (TachoModelRow *self);
TachoModel *tacho_model_row_get_model (TachoModelRow *self); /* (transfer none) (nullable) */

G_END_DECLS
