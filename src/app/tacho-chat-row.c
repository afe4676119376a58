/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One conversation in the list: title, model and day or what a search found, and a menu. */
#define G_LOG_DOMAIN "tacho-chat-row"

#include "config.h"

#include "app/tacho-chat-row.h"
#include "app/tacho-accessible.h"
#include "app/tacho-display.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_TITLE 120

struct _TachoChatRow
{
  GtkWidget parent_instance;
  TachoConversationInfo *info;
  GtkWidget *box;
  GtkLabel *title;
  GtkLabel *subtitle;
  GtkWidget *pin;
  GtkMenuButton *menu;
};

G_DEFINE_FINAL_TYPE (TachoChatRow, tacho_chat_row, GTK_TYPE_WIDGET)

/* "today 14:02", or the day. */
static char *
format_time (gint64 us)
{
  g_autoptr (GDateTime) then = g_date_time_new_from_unix_local (us / G_USEC_PER_SEC);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();

  if (then == NULL)
    return g_strdup ("");
  if (g_date_time_get_year (then) == g_date_time_get_year (now) &&
      g_date_time_get_day_of_year (then) == g_date_time_get_day_of_year (now))
    return g_date_time_format (then, "%H:%M");
  return g_date_time_format (then, "%x");
}

static void
add_item (GMenu *menu, const char *label, const char *action, const char *id)
{
  g_autoptr (GMenuItem) item = g_menu_item_new (label, NULL);

  g_menu_item_set_action_and_target (item, action, "s", id);
  g_menu_append_item (menu, item);
}

static void
update_menu (TachoChatRow *self)
{
  const char *id = tacho_conversation_info_get_id (self->info);
  g_autoptr (GMenu) menu = g_menu_new ();
  g_autoptr (GMenu) export = g_menu_new ();
  g_autoptr (GMenu) last = g_menu_new ();

  add_item (menu, _ ("_Rename…"), "chats.rename", id);
  add_item (menu, tacho_conversation_info_get_pinned (self->info) ? _ ("Un_pin") : _ ("_Pin"),
            "chats.pin", id);
  add_item (export, _ ("Export as _Markdown…"), "chats.export-markdown", id);
  add_item (export, _ ("Export as _JSON…"), "chats.export-json", id);
  add_item (last, _ ("_Delete"), "chats.delete", id);
  g_menu_append_section (menu, NULL, G_MENU_MODEL (export));
  g_menu_append_section (menu, NULL, G_MENU_MODEL (last));
  gtk_menu_button_set_menu_model (self->menu, G_MENU_MODEL (menu));
}

static void
update (TachoChatRow *self)
{
  const char *own = tacho_conversation_info_get_title (self->info);
  const char *snippet = tacho_conversation_info_get_snippet (self->info);
  const char *model = tacho_conversation_info_get_model (self->info);
  g_autofree char *title =
      tacho_text_sanitize_line (own[0] != '\0' ? own : _ ("New Conversation"), -1, MAX_TITLE);
  g_autofree char *when = format_time (tacho_conversation_info_get_updated (self->info));
  g_autofree char *name = tacho_text_sanitize_line (model != NULL ? model : "", -1, 60);
  g_autofree char *text = snippet[0] != '\0' ? tacho_text_sanitize_line (snippet, -1, 200)
                          : name[0] != '\0'  ? g_strdup_printf ("%s · %s", when, name)
                                             : g_strdup (when);
  /* Translators: %s is the title of a conversation. */
  g_autofree char *label = g_strdup_printf (_ ("Menu of %s"), title);
  g_autofree char *item = g_strdup_printf ("%s: %s", title, text);

  gtk_label_set_label (self->title, title);
  gtk_label_set_label (self->subtitle, text);
  gtk_widget_set_visible (self->pin, tacho_conversation_info_get_pinned (self->info));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->menu), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                  -1);
  tacho_accessible_name_item (GTK_WIDGET (self), item);
  update_menu (self);
}

static void
tacho_chat_row_dispose (GObject *object)
{
  TachoChatRow *self = TACHO_CHAT_ROW (object);

  tacho_chat_row_bind (self, NULL);
  g_clear_pointer (&self->box, gtk_widget_unparent);

  G_OBJECT_CLASS (tacho_chat_row_parent_class)->dispose (object);
}

static void
tacho_chat_row_class_init (TachoChatRowClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_chat_row_dispose;
  gtk_widget_class_set_layout_manager_type (GTK_WIDGET_CLASS (klass), GTK_TYPE_BIN_LAYOUT);
}

static GtkLabel *
add_label (GtkBox *box, const char *css_class)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_END);
  if (css_class != NULL)
    {
      gtk_widget_add_css_class (label, css_class);
      gtk_widget_add_css_class (label, "dim-label");
    }
  gtk_box_append (box, label);
  return GTK_LABEL (label);
}

static void
tacho_chat_row_init (TachoChatRow *self)
{
  GtkWidget *lines = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);

  self->box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 6);
  gtk_widget_set_margin_top (self->box, 4);
  gtk_widget_set_margin_bottom (self->box, 4);
  gtk_widget_set_hexpand (lines, TRUE);
  self->title = add_label (GTK_BOX (lines), NULL);
  tacho_display_show_whole (self->title);
  self->subtitle = add_label (GTK_BOX (lines), "stats");
  self->pin = gtk_image_new_from_icon_name ("view-pin-symbolic");
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->pin), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Pinned"), -1);
  self->menu = GTK_MENU_BUTTON (gtk_menu_button_new ());
  gtk_menu_button_set_icon_name (self->menu, "view-more-symbolic");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->menu), _ ("Rename, pin, export, delete"));
  gtk_widget_set_valign (GTK_WIDGET (self->menu), GTK_ALIGN_CENTER);
  gtk_widget_add_css_class (GTK_WIDGET (self->menu), "flat");
  gtk_box_append (GTK_BOX (self->box), lines);
  gtk_box_append (GTK_BOX (self->box), self->pin);
  gtk_box_append (GTK_BOX (self->box), GTK_WIDGET (self->menu));
  gtk_widget_set_parent (self->box, GTK_WIDGET (self));
}

/**
 * tacho_chat_row_new:
 *
 * Returns: (transfer floating): a row
 */
GtkWidget *
tacho_chat_row_new (void)
{
  return g_object_new (TACHO_TYPE_CHAT_ROW, NULL);
}

/**
 * tacho_chat_row_bind:
 * @self: a row
 * @info: (nullable): the conversation that it shows; %NULL: none
 */
void
tacho_chat_row_bind (TachoChatRow *self, TachoConversationInfo *info)
{
  if (self->info != NULL)
    g_signal_handlers_disconnect_by_data (self->info, self);
  g_set_object (&self->info, info);
  if (info == NULL)
    return;
  g_signal_connect_object (info, "notify", G_CALLBACK (update), self, G_CONNECT_SWAPPED);
  update (self);
}
