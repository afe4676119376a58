/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of a reply. */
#pragma once

#include <gtk/gtk.h>

#include "base/tacho-markdown.h"

G_BEGIN_DECLS

#define TACHO_TYPE_MARKDOWN_TABLE (tacho_markdown_table_get_type ())
G_DECLARE_FINAL_TYPE (TachoMarkdownTable, tacho_markdown_table, TACHO, MARKDOWN_TABLE, GtkWidget)

TachoMarkdownTable *
tacho_markdown_table_new (const TachoMarkdownBlock *block) G_GNUC_WARN_UNUSED_RESULT;
void tacho_markdown_table_set_width (TachoMarkdownTable *self, int width);

G_END_DECLS
