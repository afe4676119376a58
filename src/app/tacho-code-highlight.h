/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Colours for code that stands in a text buffer among other text. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* The code stands in the buffer from the offset on, character by character the same. */
void tacho_code_highlight (GtkTextBuffer *buffer,
                           int offset,
                           const char *code,
                           const char *language,
                           gboolean dark);

G_END_DECLS
