/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drop-down over the models of a server, each with its state; follows the connection's choice. */
#pragma once

#include <adwaita.h>
#include "app/tacho-connection.h"

G_BEGIN_DECLS

#define TACHO_TYPE_MODEL_CHOOSER (tacho_model_chooser_get_type ())
G_DECLARE_FINAL_TYPE (TachoModelChooser, tacho_model_chooser, TACHO, MODEL_CHOOSER, AdwBin)

void tacho_model_chooser_set_connection (TachoModelChooser *self, TachoConnection *connection);

G_END_DECLS
