/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The models of a server: search, filters, list, details, pulls, how busy it is, and a page that
 * says what to do when there is no list. */
#pragma once

#include <adwaita.h>
#include "app/tacho-connection.h"

G_BEGIN_DECLS

#define TACHO_TYPE_MODEL_BROWSER (tacho_model_browser_get_type ())
G_DECLARE_FINAL_TYPE (TachoModelBrowser, tacho_model_browser, TACHO, MODEL_BROWSER, AdwBin)

void tacho_model_browser_set_connection (TachoModelBrowser *self, TachoConnection *connection);
void tacho_model_browser_focus_search (TachoModelBrowser *self);

G_END_DECLS
