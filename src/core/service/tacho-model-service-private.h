/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the list and the changes of models share. */
#pragma once

#include "service/tacho-client-manager-private.h"
#include "service/tacho-model-service.h"

G_BEGIN_DECLS

/* Lists, details and orders are short; none may hang as long as a generation may. */
#define TACHO_MODEL_SERVICE_TOTAL_S 30.0

void tacho_model_service_push_busy (TachoModelService *self);
void tacho_model_service_pop_busy (TachoModelService *self);
GError *tacho_model_service_not_found (TachoModelService *self,
                                       const char *id) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
