/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a conversation looks: the tags of its buffer, in the colours of the theme. */
#pragma once

#include <gtk/gtk.h>

#include "base/tacho-markdown.h"

G_BEGIN_DECLS

typedef struct
{
  GtkTextBuffer *buffer; /* owns the tags */
  GtkTextTag *bold;
  GtkTextTag *italic;
  GtkTextTag *mono;
  GtkTextTag *strike;
  GtkTextTag *link;
  GtkTextTag *heading[6];
  GtkTextTag *code; /* lines of a code block */
  GtkTextTag *rule;
  GtkTextTag *near; /* a block close to the one before */
  GtkTextTag *apart;
  GtkTextTag *prompt;
  GtkTextTag *speaker;
  GtkTextTag *thought;
  GtkTextTag *note;
  GtkTextTag *warning;
  GtkTextTag *error;
  GdkRGBA bubble_color;
  GdkRGBA code_color;
  GdkRGBA bar_color;
  gboolean dark;
} TachoMarkdownTags;

void tacho_markdown_tags_init (TachoMarkdownTags *tags, GtkTextBuffer *buffer);
void tacho_markdown_tags_update_colors (TachoMarkdownTags *tags, GtkWidget *widget);
int tacho_markdown_tags_get_margin (guint quote, guint indent);
/* Tags that depend on a value are made once and kept. (transfer none) */
GtkTextTag *tacho_markdown_tags_get_margin_tag (TachoMarkdownTags *tags, int margin);
GtkTextTag *tacho_markdown_tags_get_item_tag (TachoMarkdownTags *tags);
GtkTextTag *tacho_markdown_tags_get_link_tag (TachoMarkdownTags *tags, const char *href);
const char *tacho_markdown_tags_get_href (GtkTextTag *tag);

G_END_DECLS
