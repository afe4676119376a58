/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starts, watches and stops the llama-server of this computer. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define TACHO_TYPE_ENGINE_WINDOW (tacho_engine_window_get_type ())
G_DECLARE_FINAL_TYPE (TachoEngineWindow, tacho_engine_window, TACHO, ENGINE_WINDOW, AdwWindow)

TachoEngineWindow *tacho_engine_window_new (GtkWindow *parent);

G_END_DECLS
