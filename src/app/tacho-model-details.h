/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A page with everything that is known of a model, and what can be done with it. Signal: "back" ():
 * the person has seen it, or the model is gone. */
#pragma once

#include <adwaita.h>
#include "app/tacho-connection.h"

G_BEGIN_DECLS

#define TACHO_TYPE_MODEL_DETAILS (tacho_model_details_get_type ())
G_DECLARE_FINAL_TYPE (TachoModelDetails, tacho_model_details, TACHO, MODEL_DETAILS, AdwBin)

/* Asks the server for what its list does not say. Both NULL: shows nothing. */
void tacho_model_details_set_model (TachoModelDetails *self,
                                    TachoConnection *connection,
                                    TachoModel *model);
void tacho_model_details_focus (TachoModelDetails *self);

G_END_DECLS
