/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An entry with its name above and, where what it says cannot be read, the reason below.
 * Signal "changed" (). */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_FIELD (tacho_bench_field_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchField, tacho_bench_field, TACHO, BENCH_FIELD, AdwBin)

typedef gboolean (*TachoBenchFieldCheck) (const char *text, GError **error);

GtkWidget *tacho_bench_field_new (const char *title,
                                  const char *tooltip,
                                  const char *placeholder,
                                  TachoBenchFieldCheck check) G_GNUC_WARN_UNUSED_RESULT;
const char *tacho_bench_field_get_text (TachoBenchField *self);
void tacho_bench_field_set_text (TachoBenchField *self, const char *text);
/* What is wrong beyond the text itself; NULL: nothing. */
void tacho_bench_field_set_remark (TachoBenchField *self, const char *remark, gboolean wrong);
/* FALSE: what it says cannot be read; it then has the focus. */
gboolean tacho_bench_field_check (TachoBenchField *self, GError **error);

G_END_DECLS
