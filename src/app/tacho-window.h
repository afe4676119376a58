/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The window: header with the connection, model browser, prompt pane, benchmark panel. */
#pragma once

#include "app/tacho-application.h"

G_BEGIN_DECLS

#define TACHO_TYPE_WINDOW (tacho_window_get_type ())
G_DECLARE_FINAL_TYPE (TachoWindow, tacho_window, TACHO, WINDOW, AdwApplicationWindow)

TachoWindow *tacho_window_new (TachoApplication *application) G_GNUC_WARN_UNUSED_RESULT;
/* Both ask first if a run is live. */
void tacho_window_welcome (TachoWindow *self);
void tacho_window_open_url (TachoWindow *self, const char *url);
void tacho_window_open_profile (TachoWindow *self, TachoProfile *profile);
char *tacho_window_describe (TachoWindow *self) G_GNUC_WARN_UNUSED_RESULT; /* for the debug info */

G_END_DECLS
