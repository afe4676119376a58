/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs of other machines: files put into the history, and the parts of one load put together. */
#pragma once

#include <gtk/gtk.h>
#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

/* merged is for the call only. */
typedef void (*TachoBenchMergedFunc) (GtkWidget *widget, TachoBenchResult *merged);

/* Asks for files of runs, and imports them. */
void tacho_bench_gather_ask (GtkWidget *widget);
/* Imports files; paths: NULL-terminated. How that went is said where the widget is. */
void tacho_bench_gather_import (GtkWidget *widget, const char *const *paths);
void tacho_bench_gather_accept_drops (GtkWidget *widget);
/* results: of TachoBenchResult. Runs that are no parts of one load are merged only when a person
 * wants it so. What comes of it is kept in the history. */
void tacho_bench_gather_merge (GtkWidget *widget, GPtrArray *results, TachoBenchMergedFunc merged);

G_END_DECLS
