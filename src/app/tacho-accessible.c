/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names for what GTK makes by itself and leaves without one. */
#define G_LOG_DOMAIN "tacho-accessible"

#include "config.h"

#include "app/tacho-accessible.h"

/**
 * tacho_accessible_name_drop_down:
 * @drop_down: a drop-down with a label beside it (its mnemonic) or one for accessibility
 *
 * The keyboard focus is on a button inside, which GTK up to 4.10 calls by its class. It takes the
 * name of the whole.
 */
void
tacho_accessible_name_drop_down (GtkDropDown *drop_down)
{
  g_autoptr (GList) labels = NULL;
  GtkWidget *button;

  g_return_if_fail (GTK_IS_DROP_DOWN (drop_down));

  labels = gtk_widget_list_mnemonic_labels (GTK_WIDGET (drop_down));
  button = gtk_widget_get_first_child (GTK_WIDGET (drop_down));
  if (GTK_IS_BUTTON (button))
    gtk_accessible_update_relation (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_RELATION_LABELLED_BY,
                                    labels != NULL ? labels->data : drop_down, NULL, -1);
}

static void
expander_label_cb (GtkExpander *expander)
{
  gtk_accessible_update_property (GTK_ACCESSIBLE (expander), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  gtk_expander_get_label (expander), -1);
}

/**
 * tacho_accessible_name_expander:
 * @expander: an expander with its label and its child
 *
 * Gives it the name of its label, whatever that becomes. A child that is folded away is hidden too:
 * GTK 4.8 would move the focus into it.
 */
void
tacho_accessible_name_expander (GtkExpander *expander)
{
  GtkWidget *child;

  g_return_if_fail (GTK_IS_EXPANDER (expander));

  g_signal_connect (expander, "notify::label", G_CALLBACK (expander_label_cb), NULL);
  expander_label_cb (expander);
  child = gtk_expander_get_child (expander);
  if (child != NULL)
    g_object_bind_property (expander, "expanded", child, "visible", G_BINDING_SYNC_CREATE);
}

/**
 * tacho_accessible_name_rows:
 * @widget: what holds rows of libadwaita
 *
 * Rows that unfold, and those with a mere title, are named by it; libadwaita 1.2 leaves that out.
 */
void
tacho_accessible_name_rows (GtkWidget *widget)
{
  g_return_if_fail (GTK_IS_WIDGET (widget));

  if (ADW_IS_EXPANDER_ROW (widget) || G_OBJECT_TYPE (widget) == ADW_TYPE_ACTION_ROW)
    gtk_accessible_update_property (
        GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL,
        adw_preferences_row_get_title (ADW_PREFERENCES_ROW (widget)), -1);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    tacho_accessible_name_rows (child);
}

/**
 * tacho_accessible_name_item:
 * @content: the child of an item of a list view
 * @name: what the item is, in a few words
 *
 * Names the item, which is what the focus is on; GTK has a call for it only since 4.12.
 */
void
tacho_accessible_name_item (GtkWidget *content, const char *name)
{
  GtkWidget *item;

  g_return_if_fail (GTK_IS_WIDGET (content));

  item = gtk_widget_get_parent (content);
  if (item != NULL)
    gtk_accessible_update_property (GTK_ACCESSIBLE (item), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}
