/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A popover with everything that is known of a model; asks the server for more when it opens. */
#pragma once

#include <gtk/gtk.h>
#include "app/tacho-connection.h"

G_BEGIN_DECLS

#define TACHO_TYPE_MODEL_DETAILS (tacho_model_details_get_type ())
G_DECLARE_FINAL_TYPE (TachoModelDetails, tacho_model_details, TACHO, MODEL_DETAILS, GtkPopover)

GtkWidget *tacho_model_details_new (TachoConnection *connection,
                                    TachoModel *model) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
