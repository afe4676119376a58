/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names for what GTK makes by itself and leaves without one. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

void tacho_accessible_name_drop_down (GtkDropDown *drop_down);
void tacho_accessible_name_expander (GtkExpander *expander);
void tacho_accessible_name_rows (GtkWidget *widget);
void tacho_accessible_name_item (GtkWidget *content, const char *name);

G_END_DECLS
