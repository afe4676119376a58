/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The line below a message: buttons for what can be done with it. Never shown on
 * hover only: a touch screen and a keyboard have none. */
#define G_LOG_DOMAIN "tacho-message-footer"

#include "config.h"

#include "app/tacho-message-footer.h"

#include <glib/gi18n.h>

static const struct
{
  TachoFooterButtons button;
  const char *icon;
  const char *action;
  const char *label;
} buttons_of[] = {
  { TACHO_FOOTER_COPY, "edit-copy-symbolic", "chat.copy", N_ ("Copy this message") },
  { TACHO_FOOTER_EDIT, "document-edit-symbolic", "chat.edit", N_ ("Edit and send again") },
  { TACHO_FOOTER_REGENERATE, "view-refresh-symbolic", "chat.regenerate", N_ ("Regenerate") },
  { TACHO_FOOTER_CONTINUE, "media-skip-forward-symbolic", "chat.continue",
    N_ ("Continue where it ends") },
  { TACHO_FOOTER_DETAILS, "tacho-details-symbolic", "chat.details", N_ ("Details of this reply") },
};

static GtkWidget *
make_button (const char *icon, const char *label)
{
  GtkWidget *button = gtk_button_new_from_icon_name (icon);

  gtk_widget_add_css_class (button, "flat");
  gtk_widget_add_css_class (button, "message-button");
  gtk_widget_set_tooltip_text (button, label);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                  -1);
  return button;
}

static void
add_version (GtkBox *box,
             const char *icon,
             const char *label,
             guint index,
             guint version,
             gboolean there)
{
  GtkWidget *button = make_button (icon, label);

  gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "(uu)", index, version);
  /* The action says whether it can be done now; whether there is such a version is said here. */
  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), there ? "chat.version" : NULL);
  gtk_widget_set_sensitive (button, there);
  gtk_box_append (box, button);
}

static void
add_versions (GtkBox *box, const TachoConversationMessage *message, guint index)
{
  /* Translators: which version of how many. */
  g_autofree char *text = g_strdup_printf (_ ("%u of %u"), message->version, message->n_versions);
  GtkWidget *label = gtk_label_new (text);

  add_version (box, "go-previous-symbolic", _ ("Previous version"), index, message->version - 1,
               message->version > 1);
  gtk_widget_add_css_class (label, "stats");
  gtk_widget_add_css_class (label, "numeric");
  gtk_box_append (box, label);
  add_version (box, "go-next-symbolic", _ ("Next version"), index, message->version + 1,
               message->version < message->n_versions);
}

/**
 * tacho_message_footer_new:
 * @message: a message
 * @index: its number in the conversation
 * @buttons: what can be done with it
 *
 * Returns: (transfer floating): the line below it
 */
GtkWidget *
tacho_message_footer_new (const TachoConversationMessage *message,
                          guint index,
                          TachoFooterButtons buttons)
{
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);

  for (gsize i = 0; i < G_N_ELEMENTS (buttons_of); i++)
    if ((buttons & buttons_of[i].button) != 0)
      {
        GtkWidget *button = make_button (buttons_of[i].icon, _ (buttons_of[i].label));

        gtk_actionable_set_action_target (GTK_ACTIONABLE (button), "u", index);
        gtk_actionable_set_action_name (GTK_ACTIONABLE (button), buttons_of[i].action);
        gtk_box_append (GTK_BOX (row), button);
      }
  if (message->n_versions > 1)
    add_versions (GTK_BOX (row), message, index);
  return row;
}
