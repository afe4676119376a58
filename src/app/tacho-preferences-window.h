/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person may choose about the program itself. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define TACHO_TYPE_PREFERENCES_WINDOW (tacho_preferences_window_get_type ())
G_DECLARE_FINAL_TYPE (TachoPreferencesWindow,
                      tacho_preferences_window,
                      TACHO,
                      PREFERENCES_WINDOW,
                      AdwPreferencesWindow)

TachoPreferencesWindow *tacho_preferences_window_new (GtkWindow *parent) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
