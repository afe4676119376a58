/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of prompts: typed, chosen or dropped, and read at once to see what is in it.
 * Signal "changed" (). */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define TACHO_TYPE_BENCH_PROMPTS_FIELD (tacho_bench_prompts_field_get_type ())
G_DECLARE_FINAL_TYPE (TachoBenchPromptsField,
                      tacho_bench_prompts_field,
                      TACHO,
                      BENCH_PROMPTS_FIELD,
                      AdwBin)

GtkWidget *tacho_bench_prompts_field_new (void) G_GNUC_WARN_UNUSED_RESULT;
const char *tacho_bench_prompts_field_get_path (TachoBenchPromptsField *self); /* "": none */
void tacho_bench_prompts_field_set_path (TachoBenchPromptsField *self, const char *path);
/* FALSE: the file cannot be used; the field then has the focus. */
gboolean tacho_bench_prompts_field_check (TachoBenchPromptsField *self, GError **error);

G_END_DECLS
