/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asks for a LoRA adapter and has the server load it (vLLM, SGLang). */
#pragma once

#include <gtk/gtk.h>

#include "app/tacho-connection.h"

G_BEGIN_DECLS

/* Whether any side of the server loads adapters. */
gboolean tacho_adapter_dialog_is_offered (TachoConnection *connection);
void tacho_adapter_dialog_present (GtkWidget *parent, TachoConnection *connection);

G_END_DECLS
