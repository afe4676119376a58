/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What this computer can measure without being in the way of it: tacho-cli bench --calibrate, in a
 * window of its own. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define TACHO_TYPE_CALIBRATE_WINDOW (tacho_calibrate_window_get_type ())
G_DECLARE_FINAL_TYPE (TachoCalibrateWindow,
                      tacho_calibrate_window,
                      TACHO,
                      CALIBRATE_WINDOW,
                      AdwWindow)

TachoCalibrateWindow *tacho_calibrate_window_new (GtkWindow *parent);

G_END_DECLS
