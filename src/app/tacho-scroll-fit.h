/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scrolled pages that give way to large text as long as the screen lets them. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

void tacho_scroll_fit_width (GtkScrolledWindow *scrolled);

G_END_DECLS
