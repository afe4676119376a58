/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run written to a file that a person chooses, in any format that the core knows. */
#pragma once

#include <gtk/gtk.h>
#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

/* The formats as a menu; action takes the name of one. (transfer full) */
GMenuModel *tacho_bench_save_menu (const char *action) G_GNUC_WARN_UNUSED_RESULT;
/* Asks for the file, writes it in a thread, says in a toast how that went. */
void tacho_bench_save_ask (GtkWidget *widget, TachoBenchResult *result, const char *format);
/* The same for a text that is there already. */
void tacho_bench_save_text (GtkWidget *widget, const char *name, const char *text);
/* The text of a format, for the clipboard. (transfer full) */
char *tacho_bench_save_format (TachoBenchResult *result,
                               const char *format) G_GNUC_WARN_UNUSED_RESULT;
/* Says something in a toast of the window that the widget is in. Takes any text. */
void tacho_bench_say (GtkWidget *widget, const char *text);

G_END_DECLS
