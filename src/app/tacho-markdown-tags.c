/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a conversation looks: the tags of its buffer, in the colours of the theme. */
#define G_LOG_DOMAIN "tacho-markdown-tags"

#include "config.h"

#include "app/tacho-markdown-tags.h"

#include <adwaita.h>

#define QUOTE_WIDTH 18
#define LIST_WIDTH 24
#define HANG 20         /* of an item's marker */
#define MAX_LINKS 10000 /* tags of links; beyond, a link is shown but cannot be opened */
#define HREF_KEY "tacho-href"

/**
 * tacho_markdown_tags_init:
 * @tags: to be filled
 * @buffer: a buffer without tags, which must outlive them
 */
void
tacho_markdown_tags_init (TachoMarkdownTags *tags, GtkTextBuffer *buffer)
{
  static const double scales[] = { 1.5, 1.3, 1.15, 1.05, 1.0, 1.0 };
  GtkTextBuffer *b = buffer;

  tags->buffer = buffer;
  /* A later tag wins over an earlier one. */
  tags->near = gtk_text_buffer_create_tag (b, NULL, "pixels-above-lines", 3, NULL);
  tags->apart = gtk_text_buffer_create_tag (b, NULL, "pixels-above-lines", 12, NULL);
  tags->prompt = gtk_text_buffer_create_tag (b, NULL, "left-margin", 14, "right-margin", 14, NULL);
  tags->speaker = gtk_text_buffer_create_tag (b, NULL, "pixels-above-lines", 14, "scale", 0.85,
                                              "weight", PANGO_WEIGHT_BOLD, NULL);
  tags->thought =
      gtk_text_buffer_create_tag (b, NULL, "left-margin", 30, "pixels-below-lines", 6, NULL);
  tags->note = gtk_text_buffer_create_tag (b, NULL, "pixels-above-lines", 8, "scale", 0.85, NULL);
  tags->warning = gtk_text_buffer_create_tag (b, NULL, NULL);
  tags->error = gtk_text_buffer_create_tag (b, NULL, NULL);
  tags->rule = gtk_text_buffer_create_tag (b, NULL, "pixels-above-lines", 6, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (scales); i++)
    tags->heading[i] =
        gtk_text_buffer_create_tag (b, NULL, "pixels-above-lines", i < 2 ? 16 : 12, "scale",
                                    scales[i], "weight", PANGO_WEIGHT_BOLD, NULL);
  tags->bold = gtk_text_buffer_create_tag (b, NULL, "weight", PANGO_WEIGHT_BOLD, NULL);
  tags->italic = gtk_text_buffer_create_tag (b, NULL, "style", PANGO_STYLE_ITALIC, NULL);
  tags->mono = gtk_text_buffer_create_tag (b, NULL, "family", "Monospace", "scale", 0.92, NULL);
  tags->strike = gtk_text_buffer_create_tag (b, NULL, "strikethrough", TRUE, NULL);
  tags->link = gtk_text_buffer_create_tag (b, NULL, "underline", PANGO_UNDERLINE_SINGLE, NULL);
  tags->code =
      gtk_text_buffer_create_tag (b, NULL, "family", "Monospace", "scale", 0.92, "right-margin", 12,
                                  "pixels-above-lines", 0, "pixels-below-lines", 0, NULL);
}

static void
lookup_color (GtkStyleContext *context, const char *name, const GdkRGBA *fallback, GdkRGBA *color)
{
  if (!gtk_style_context_lookup_color (context, name, color))
    *color = *fallback;
}

/**
 * tacho_markdown_tags_update_colors:
 * @tags: the tags
 * @widget: the view that shows them
 *
 * Takes the colours from the view's style.
 */
void
tacho_markdown_tags_update_colors (TachoMarkdownTags *tags, GtkWidget *widget)
{
  GtkStyleContext *context = gtk_widget_get_style_context (widget);
  GdkRGBA text, dim, warning, error, accent, inline_color;

  gtk_style_context_get_color (context, &text);
  dim = text;
  dim.alpha *= 0.62f;
  /* Set by the sheet for high contrast, where nothing is dim. */
  gtk_style_context_lookup_color (context, "tacho_dim_color", &dim);
  lookup_color (context, "warning_color", &text, &warning);
  lookup_color (context, "error_color", &text, &error);
  lookup_color (context, "accent_color", &text, &accent);
  lookup_color (context, "accent_bg_color", &text, &tags->bubble_color);
  tags->bubble_color.alpha = 0.17f;
  gtk_style_context_lookup_color (context, "tacho_bubble_color", &tags->bubble_color);
  tags->code_color = text;
  tags->code_color.alpha = 0.055f;
  tags->bar_color = text;
  tags->bar_color.alpha = 0.25f;
  inline_color = text;
  inline_color.alpha = 0.08f;
  tags->dark = adw_style_manager_get_dark (adw_style_manager_get_default ());
  g_object_set (tags->speaker, "foreground-rgba", &dim, NULL);
  g_object_set (tags->thought, "foreground-rgba", &dim, NULL);
  g_object_set (tags->note, "foreground-rgba", &dim, NULL);
  g_object_set (tags->rule, "foreground-rgba", &tags->bar_color, NULL);
  g_object_set (tags->warning, "foreground-rgba", &warning, NULL);
  g_object_set (tags->error, "foreground-rgba", &error, NULL);
  g_object_set (tags->link, "foreground-rgba", &accent, NULL);
  g_object_set (tags->mono, "background-rgba", &inline_color, NULL);
}

/**
 * tacho_markdown_tags_get_margin:
 * @quote: quotations around
 * @indent: lists around
 *
 * Returns: pixels between the edge and the text
 */
int
tacho_markdown_tags_get_margin (guint quote, guint indent)
{
  return (int) (quote * QUOTE_WIDTH + indent * LIST_WIDTH);
}

static GtkTextTag *
lookup (TachoMarkdownTags *tags, const char *name)
{
  return gtk_text_tag_table_lookup (gtk_text_buffer_get_tag_table (tags->buffer), name);
}

/**
 * tacho_markdown_tags_get_margin_tag:
 * @tags: the tags
 * @margin: pixels between the edge and the text
 *
 * Returns: (transfer none): the tag of a block that stands there
 */
GtkTextTag *
tacho_markdown_tags_get_margin_tag (TachoMarkdownTags *tags, int margin)
{
  g_autofree char *name = g_strdup_printf ("margin %d", margin);
  GtkTextTag *tag = lookup (tags, name);

  if (tag == NULL)
    tag = gtk_text_buffer_create_tag (tags->buffer, name, "left-margin", margin, NULL);
  return tag;
}

/**
 * tacho_markdown_tags_get_item_tag:
 * @tags: the tags
 *
 * Returns: (transfer none): the tag of a list item's first line, whose marker hangs to the left
 */
GtkTextTag *
tacho_markdown_tags_get_item_tag (TachoMarkdownTags *tags)
{
  GtkTextTag *tag = lookup (tags, "item");

  if (tag == NULL)
    {
      PangoTabArray *tabs = pango_tab_array_new_with_positions (1, TRUE, PANGO_TAB_LEFT, HANG);

      tag = gtk_text_buffer_create_tag (tags->buffer, "item", "indent", -HANG, "tabs", tabs, NULL);
      pango_tab_array_free (tabs);
    }
  return tag;
}

/**
 * tacho_markdown_tags_get_link_tag:
 * @tags: the tags
 * @href: where it points to
 *
 * Returns: (transfer none) (nullable): the tag of that link; %NULL if there are too many links
 */
GtkTextTag *
tacho_markdown_tags_get_link_tag (TachoMarkdownTags *tags, const char *href)
{
  GtkTextTagTable *table = gtk_text_buffer_get_tag_table (tags->buffer);
  g_autofree char *name = g_strconcat ("link ", href, NULL);
  GtkTextTag *tag = lookup (tags, name);

  if (tag == NULL && gtk_text_tag_table_get_size (table) < MAX_LINKS)
    {
      tag = gtk_text_buffer_create_tag (tags->buffer, name, NULL);
      g_object_set_data_full (G_OBJECT (tag), HREF_KEY, g_strdup (href), g_free);
    }
  return tag;
}

/**
 * tacho_markdown_tags_get_href:
 * @tag: a tag
 *
 * Returns: (transfer none) (nullable): where it points to, if it is a link's
 */
const char *
tacho_markdown_tags_get_href (GtkTextTag *tag)
{
  return g_object_get_data (G_OBJECT (tag), HREF_KEY);
}
