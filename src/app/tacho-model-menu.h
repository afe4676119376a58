/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The menu button that filters and sorts the models; its choices are remembered. */
#pragma once

#include <adwaita.h>
#include "app/tacho-model-sieve.h"

G_BEGIN_DECLS

#define TACHO_TYPE_MODEL_MENU (tacho_model_menu_get_type ())
G_DECLARE_FINAL_TYPE (TachoModelMenu, tacho_model_menu, TACHO, MODEL_MENU, AdwBin)

void tacho_model_menu_set_sieve (TachoModelMenu *self, TachoModelSieve *sieve);
void tacho_model_menu_show_all (TachoModelMenu *self); /* takes the filters off, not the order */

G_END_DECLS
