/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The line above a block of code: its language, and a button that copies it. */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define TACHO_TYPE_CODE_HEADER (tacho_code_header_get_type ())
G_DECLARE_FINAL_TYPE (TachoCodeHeader, tacho_code_header, TACHO, CODE_HEADER, GtkWidget)

TachoCodeHeader *tacho_code_header_new (const char *language) G_GNUC_WARN_UNUSED_RESULT;
void tacho_code_header_append (TachoCodeHeader *self, const char *code, gsize length);
const char *tacho_code_header_get_code (TachoCodeHeader *self);
const char *tacho_code_header_get_language (TachoCodeHeader *self);

G_END_DECLS
