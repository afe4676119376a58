/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of a reply. Its cells wrap so that it is never wider than the text around it. */
#define G_LOG_DOMAIN "tacho-markdown-table"

#include "config.h"

#include "app/tacho-markdown-table.h"

#define COLUMN_SPACING 18
#define MIN_CHARS 6
#define MAX_ROWS 500 /* beyond, what is left is one line that says so */

struct _TachoMarkdownTable
{
  GtkWidget parent_instance;
  GtkGrid *grid;
  GPtrArray *labels; /* of GtkLabel, owned by the grid, row by row */
  int *wanted;       /* characters of each column's longest cell */
  guint columns;
  int width;
};

G_DEFINE_FINAL_TYPE (TachoMarkdownTable, tacho_markdown_table, GTK_TYPE_WIDGET)

static void
add_attribute (PangoAttrList *list, PangoAttribute *attribute, const TachoMarkdownSpan *span)
{
  attribute->start_index = (guint) span->begin;
  attribute->end_index = (guint) span->end;
  pango_attr_list_insert (list, attribute);
}

static PangoAttrList *
make_attributes (const TachoMarkdownCell *cell)
{
  PangoAttrList *list = pango_attr_list_new ();

  pango_attr_list_insert (list, pango_attr_insert_hyphens_new (FALSE));
  if (cell->header)
    pango_attr_list_insert (list, pango_attr_weight_new (PANGO_WEIGHT_BOLD));
  for (guint i = 0; i < cell->content.spans->len; i++)
    {
      const TachoMarkdownSpan *span = &g_array_index (cell->content.spans, TachoMarkdownSpan, i);

      if ((span->style & TACHO_MARKDOWN_BOLD) != 0)
        add_attribute (list, pango_attr_weight_new (PANGO_WEIGHT_BOLD), span);
      if ((span->style & TACHO_MARKDOWN_ITALIC) != 0)
        add_attribute (list, pango_attr_style_new (PANGO_STYLE_ITALIC), span);
      if ((span->style & TACHO_MARKDOWN_MONOSPACE) != 0)
        add_attribute (list, pango_attr_family_new ("Monospace"), span);
      if ((span->style & TACHO_MARKDOWN_STRIKE) != 0)
        add_attribute (list, pango_attr_strikethrough_new (TRUE), span);
      if ((span->style & TACHO_MARKDOWN_LINK) != 0)
        add_attribute (list, pango_attr_underline_new (PANGO_UNDERLINE_SINGLE), span);
    }
  return list;
}

static const char *
find_href (const TachoMarkdownCell *cell)
{
  for (guint i = 0; i < cell->content.spans->len; i++)
    {
      const char *href = g_array_index (cell->content.spans, TachoMarkdownSpan, i).href;

      if (href != NULL)
        return href;
    }
  return NULL;
}

static void
add_cell (TachoMarkdownTable *self, const TachoMarkdownCell *cell, int column, int row)
{
  GtkWidget *label = gtk_label_new (cell->content.text->str);
  PangoAttrList *attributes = make_attributes (cell);
  int chars = (int) g_utf8_strlen (cell->content.text->str, -1);

  gtk_label_set_attributes (GTK_LABEL (label), attributes);
  pango_attr_list_unref (attributes);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_label_set_xalign (GTK_LABEL (label), cell->align > 0 ? 1 : cell->align == 0 ? 0.5f : 0);
  gtk_label_set_yalign (GTK_LABEL (label), 0);
  gtk_widget_set_tooltip_text (label, find_href (cell));
  gtk_widget_set_margin_top (label, 4);
  gtk_widget_set_margin_bottom (label, 4);
  gtk_grid_attach (self->grid, label, column, row, 1, 1);
  g_ptr_array_add (self->labels, label);
  /* Letters may be wider than the average, and bold ones are. */
  self->wanted[column] = MAX (self->wanted[column], CLAMP (chars * 5 / 4 + 1, MIN_CHARS, 60));
}

static void
tacho_markdown_table_dispose (GObject *object)
{
  TachoMarkdownTable *self = TACHO_MARKDOWN_TABLE (object);
  GtkWidget *grid = GTK_WIDGET (g_steal_pointer (&self->grid));

  if (grid != NULL)
    gtk_widget_unparent (grid);

  G_OBJECT_CLASS (tacho_markdown_table_parent_class)->dispose (object);
}

static void
tacho_markdown_table_finalize (GObject *object)
{
  TachoMarkdownTable *self = TACHO_MARKDOWN_TABLE (object);

  g_ptr_array_unref (self->labels);
  g_free (self->wanted);

  G_OBJECT_CLASS (tacho_markdown_table_parent_class)->finalize (object);
}

static void
tacho_markdown_table_class_init (TachoMarkdownTableClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_markdown_table_dispose;
  G_OBJECT_CLASS (klass)->finalize = tacho_markdown_table_finalize;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
  gtk_widget_class_set_accessible_role (GTK_WIDGET_CLASS (klass), GTK_ACCESSIBLE_ROLE_TABLE);
}

static void
tacho_markdown_table_init (TachoMarkdownTable *self)
{
  self->labels = g_ptr_array_new ();
}

/**
 * tacho_markdown_table_new:
 * @block: a block of kind %TACHO_MARKDOWN_BLOCK_TABLE
 *
 * Returns: (transfer floating): a widget that shows it
 */
TachoMarkdownTable *
tacho_markdown_table_new (const TachoMarkdownBlock *block)
{
  TachoMarkdownTable *self = g_object_new (TACHO_TYPE_MARKDOWN_TABLE, NULL);
  int row = 0;

  self->columns = MAX (block->columns, 1);
  self->wanted = g_new0 (int, self->columns);
  self->grid = GTK_GRID (gtk_grid_new ());
  gtk_grid_set_column_spacing (self->grid, COLUMN_SPACING);
  gtk_widget_add_css_class (GTK_WIDGET (self->grid), "markdown-table");
  for (guint i = 0; i < block->cells->len && i / self->columns < MAX_ROWS; i++)
    {
      const TachoMarkdownCell *cell = g_ptr_array_index (block->cells, i);
      guint column = i % self->columns;

      /* A line below the header. */
      if (column == 0 && row == 1)
        {
          GtkWidget *line = gtk_separator_new (GTK_ORIENTATION_HORIZONTAL);

          gtk_grid_attach (self->grid, line, 0, row++, (int) self->columns, 1);
        }
      add_cell (self, cell, (int) column, row);
      if (column + 1 == self->columns)
        row++;
    }
  gtk_widget_set_parent (GTK_WIDGET (self->grid), GTK_WIDGET (self));
  return self;
}

/* Columns that want little get it; the others share what is left. */
static void
share (const TachoMarkdownTable *self, int *given, int total)
{
  g_autofree gboolean *done = g_new0 (gboolean, self->columns);
  guint open = self->columns;

  for (gboolean changed = TRUE; changed && open > 0;)
    {
      int part = MAX (total / (int) open, MIN_CHARS);

      changed = FALSE;
      for (guint i = 0; i < self->columns; i++)
        if (!done[i] && self->wanted[i] <= part)
          {
            given[i] = self->wanted[i];
            total -= given[i];
            done[i] = changed = TRUE;
            open--;
          }
    }
  for (guint i = 0; i < self->columns; i++)
    if (!done[i])
      given[i] = MAX (total / (int) open, MIN_CHARS);
}

/**
 * tacho_markdown_table_set_width:
 * @self: the table
 * @width: pixels that it may have
 */
void
tacho_markdown_table_set_width (TachoMarkdownTable *self, int width)
{
  g_autofree int *given = g_new0 (int, self->columns);
  PangoContext *context = gtk_widget_get_pango_context (GTK_WIDGET (self));
  PangoFontMetrics *metrics;
  int chars;
  int natural;

  if (width <= 0 || width == self->width)
    return;
  self->width = width;
  metrics = pango_context_get_metrics (context, NULL, NULL);
  /* Bold digits are wider than the average letter. */
  chars = (width - (int) (self->columns - 1) * COLUMN_SPACING) * PANGO_SCALE /
          MAX (pango_font_metrics_get_approximate_char_width (metrics) * 11 / 10, PANGO_SCALE);
  pango_font_metrics_unref (metrics);
  share (self, given, chars);
  for (guint i = 0; i < self->labels->len; i++)
    {
      GtkLabel *label = g_ptr_array_index (self->labels, i);

      gtk_label_set_max_width_chars (label, given[i % self->columns]);
    }
  /* A text view gives its children their least width. */
  gtk_widget_set_size_request (GTK_WIDGET (self), -1, -1);
  gtk_widget_measure (GTK_WIDGET (self), GTK_ORIENTATION_HORIZONTAL, -1, NULL, &natural, NULL,
                      NULL);
  gtk_widget_set_size_request (GTK_WIDGET (self), MIN (natural, width), -1);
}
