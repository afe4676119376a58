/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Colours for code that stands in a text buffer among other text. GtkSourceView highlights whole
 * buffers: one out of sight does the work, and its tags are copied. */
#define G_LOG_DOMAIN "tacho-code-highlight"

#include "config.h"

#include "app/tacho-code-highlight.h"

#include <gtksourceview/gtksource.h>
#include <string.h>

#define MAX_CODE (256 * 1024) /* bytes; more is shown plain */

/* What models write after a fence, and GtkSourceView's own names. */
static const struct
{
  const char *written;
  const char *id;
} names[] = {
  { "py", "python3" },
  { "python", "python3" },
  { "c++", "cpp" },
  { "h", "c" },
  { "cs", "c-sharp" },
  { "csharp", "c-sharp" },
  { "bash", "sh" },
  { "shell", "sh" },
  { "zsh", "sh" },
  { "console", "sh" },
  { "javascript", "js" },
  { "node", "js" },
  { "ts", "typescript" },
  { "golang", "go" },
  { "rs", "rust" },
  { "rb", "ruby" },
  { "yml", "yaml" },
  { "make", "makefile" },
  { "dockerfile", "docker" },
  { "md", "markdown" },
  { "kt", "kotlin" },
  { "objective-c", "objc" },
  { "jsonc", "json" },
  { "json5", "json" },
  { "patch", "diff" },
  { "tex", "latex" },
  { "ps1", "powershell" },
};

static GtkSourceLanguage *
find_language (const char *written)
{
  GtkSourceLanguageManager *manager = gtk_source_language_manager_get_default ();
  g_autofree char *name = g_ascii_strdown (written, -1);
  g_autofree char *file = NULL;
  GtkSourceLanguage *language;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (name, names[i].written) == 0)
      return gtk_source_language_manager_get_language (manager, names[i].id);
  language = gtk_source_language_manager_get_language (manager, name);
  if (language != NULL || strpbrk (name, "/\\.") != NULL)
    return language;
  file = g_strconcat ("a.", name, NULL);
  return gtk_source_language_manager_guess_language (manager, file, NULL);
}

/* One tag of the target for each look. */
static GtkTextTag *
copy_tag (GtkTextBuffer *buffer, GtkTextTag *source)
{
  g_autoptr (GdkRGBA) color = NULL;
  gboolean has_color, has_weight, has_style;
  int weight;
  PangoStyle style;
  g_autofree char *text = NULL;
  g_autofree char *name = NULL;
  GtkTextTag *tag;

  g_object_get (source, "foreground-set", &has_color, "foreground-rgba", &color, "weight-set",
                &has_weight, "weight", &weight, "style-set", &has_style, "style", &style, NULL);
  if (!has_color && !has_weight && !has_style)
    return NULL;
  text = has_color && color != NULL ? gdk_rgba_to_string (color) : g_strdup ("");
  name =
      g_strdup_printf ("code %s %d %d", text, has_weight ? weight : 0, has_style ? (int) style : 0);
  tag = gtk_text_tag_table_lookup (gtk_text_buffer_get_tag_table (buffer), name);
  if (tag != NULL)
    return tag;
  tag = gtk_text_buffer_create_tag (buffer, name, NULL);
  if (has_color && color != NULL)
    g_object_set (tag, "foreground-rgba", color, NULL);
  if (has_weight)
    g_object_set (tag, "weight", weight, NULL);
  if (has_style)
    g_object_set (tag, "style", style, NULL);
  return tag;
}

static void
copy_segment (GtkTextBuffer *buffer, int offset, const GtkTextIter *begin, const GtkTextIter *end)
{
  g_autoptr (GSList) tags = gtk_text_iter_get_tags (begin);
  GtkTextIter from, to;

  gtk_text_buffer_get_iter_at_offset (buffer, &from, offset + gtk_text_iter_get_offset (begin));
  gtk_text_buffer_get_iter_at_offset (buffer, &to, offset + gtk_text_iter_get_offset (end));
  for (GSList *item = tags; item != NULL; item = item->next)
    {
      GtkTextTag *tag = copy_tag (buffer, item->data);

      if (tag != NULL)
        gtk_text_buffer_apply_tag (buffer, tag, &from, &to);
    }
}

static void
remove_colors (GtkTextTag *tag, gpointer user_data)
{
  GtkTextIter *range = user_data;
  g_autofree char *name = NULL;

  g_object_get (tag, "name", &name, NULL);
  if (name != NULL && g_str_has_prefix (name, "code "))
    gtk_text_buffer_remove_tag (gtk_text_iter_get_buffer (range), tag, &range[0], &range[1]);
}

/**
 * tacho_code_highlight:
 * @buffer: the text
 * @offset: where the code stands in it, in characters
 * @code: the code
 * @language: (nullable): what its author called it
 * @dark: whether the background is dark
 *
 * Colours the code, in place of colours that it had. Code in an unknown language, and more than
 * 256 KiB of it, stays plain.
 */
void
tacho_code_highlight (GtkTextBuffer *buffer,
                      int offset,
                      const char *code,
                      const char *language,
                      gboolean dark)
{
  GtkSourceStyleSchemeManager *schemes = gtk_source_style_scheme_manager_get_default ();
  GtkSourceLanguage *known = language != NULL ? find_language (language) : NULL;
  g_autoptr (GtkSourceBuffer) source = NULL;
  GtkTextIter begin, end, range[2];

  gtk_text_buffer_get_iter_at_offset (buffer, &range[0], offset);
  gtk_text_buffer_get_iter_at_offset (buffer, &range[1], offset + (int) g_utf8_strlen (code, -1));
  gtk_text_tag_table_foreach (gtk_text_buffer_get_tag_table (buffer), remove_colors, range);
  if (known == NULL || strlen (code) > MAX_CODE)
    return;
  source = gtk_source_buffer_new_with_language (known);
  gtk_source_buffer_set_style_scheme (source, gtk_source_style_scheme_manager_get_scheme (
                                                  schemes, dark ? "Adwaita-dark" : "Adwaita"));
  gtk_text_buffer_set_text (GTK_TEXT_BUFFER (source), code, -1);
  gtk_text_buffer_get_bounds (GTK_TEXT_BUFFER (source), &begin, &end);
  gtk_source_buffer_ensure_highlight (source, &begin, &end);
  while (!gtk_text_iter_is_end (&begin))
    {
      end = begin;
      if (!gtk_text_iter_forward_to_tag_toggle (&end, NULL))
        gtk_text_iter_forward_to_end (&end);
      copy_segment (buffer, offset, &begin, &end);
      begin = end;
    }
}
