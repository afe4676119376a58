/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The servers to choose from, and what can be done with each. */
#define G_LOG_DOMAIN "tacho-server-list"

#include "config.h"

#include "app/tacho-server-list.h"
#include "app/tacho-application.h"
#include "app/tacho-connection.h"
#include "app/tacho-display.h"
#include "app/tacho-servers.h"
#include "app/tacho-settings.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_NAME 120   /* characters of a name */
#define MAX_DETAIL 400 /* characters of a server's text */

typedef enum
{
  KIND_BUILT_IN,
  KIND_SAVED,  /* in the file, under a name */
  KIND_RECENT, /* used before */
  KIND_FOUND,  /* answers on this computer, or is in use */
} Kind;

struct _TachoServerList
{
  AdwBin parent_instance;
  GtkListBox *list;
  TachoProfile *current;     /* NULL: none is in use */
  TachoDiscovery *discovery; /* what answers on this computer */
  GCancellable *looking;
};

G_DEFINE_FINAL_TYPE (TachoServerList, tacho_server_list, ADW_TYPE_BIN)

enum
{
  SIGNAL_CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
add_item (GMenu *menu, const char *label, const char *action, const char *target)
{
  g_autoptr (GMenuItem) item = g_menu_item_new (label, NULL);

  g_menu_item_set_action_and_target (item, action, "s", target);
  g_menu_append_item (menu, item);
}

/* What can be done with a server that is not just to be used. */
static GMenuModel *
make_menu (Kind kind, const char *target)
{
  GMenu *menu = g_menu_new ();

  if (kind == KIND_SAVED)
    {
      add_item (menu, _ ("_Edit…"), "servers.edit", target);
      add_item (menu, _ ("D_uplicate…"), "servers.duplicate", target);
      add_item (menu, _ ("_Remove"), "servers.remove", target);
    }
  else
    add_item (menu, _ ("_Save…"), "servers.keep", target);
  if (kind == KIND_RECENT)
    add_item (menu, _ ("_Forget"), "servers.forget", target);
  return G_MENU_MODEL (menu);
}

static void
add_menu (GtkWidget *row, Kind kind, const char *target, const char *name)
{
  g_autoptr (GMenuModel) model = make_menu (kind, target);
  GtkWidget *button = gtk_menu_button_new ();
  /* Translators: %s is the name of a server. */
  g_autofree char *label = g_strdup_printf (_ ("Menu of %s"), name);

  gtk_menu_button_set_icon_name (GTK_MENU_BUTTON (button), "view-more-symbolic");
  gtk_menu_button_set_menu_model (GTK_MENU_BUTTON (button), model);
  gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
  gtk_menu_button_set_has_frame (GTK_MENU_BUTTON (button), FALSE);
  gtk_widget_set_tooltip_text (button, label);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                  -1);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), button);
}

static gboolean
is_current (TachoServerList *self, const char *address, const char *name)
{
  g_autofree char *current = NULL;

  if (self->current == NULL)
    return FALSE;
  if (name != NULL && tacho_servers_is_saved (self->current))
    return g_strcmp0 (tacho_profile_get_name (self->current), name) == 0;
  current = tacho_servers_make_address (self->current);
  return g_strcmp0 (current, address) == 0;
}

/* name: of a saved one, else NULL */
static void
add_row (TachoServerList *self, Kind kind, const char *address, const char *name, const char *words)
{
  GtkWidget *row = adw_action_row_new ();
  g_autofree char *plain = name != NULL ? tacho_text_sanitize_line (name, -1, MAX_NAME)
                                        : tacho_display_url_name (address);
  g_autofree char *title = tacho_text_escape_markup (plain, MAX_NAME);
  gboolean used = is_current (self, address, name);
  g_autofree char *subtitle =
      used ? g_strdup_printf ("%s · %s", _ ("In use"), words) : g_strdup (words);

  g_object_set_data_full (G_OBJECT (row), "address", g_strdup (address), g_free);
  g_object_set_data_full (G_OBJECT (row), "name", g_strdup (name), g_free);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_set_subtitle (ADW_ACTION_ROW (row), subtitle);
  adw_action_row_set_title_lines (ADW_ACTION_ROW (row), 1);
  adw_action_row_set_subtitle_lines (ADW_ACTION_ROW (row), 2);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), TRUE);
  adw_action_row_add_prefix (
      ADW_ACTION_ROW (row),
      gtk_image_new_from_icon_name (used ? "object-select-symbolic" : "network-server-symbolic"));
  if (kind != KIND_BUILT_IN)
    add_menu (row, kind, name != NULL ? name : address, plain);
  gtk_list_box_append (self->list, row);
}

/* --- the four kinds --- */

static gboolean
is_listed (TachoServerList *self, const char *address)
{
  for (GtkWidget *row = gtk_widget_get_first_child (GTK_WIDGET (self->list)); row != NULL;
       row = gtk_widget_get_next_sibling (row))
    if (g_strcmp0 (g_object_get_data (G_OBJECT (row), "address"), address) == 0)
      return TRUE;
  return FALSE;
}

static void
add_saved (TachoServerList *self)
{
  GListModel *saved = tacho_config_get_profiles (tacho_servers_get_config ());

  for (guint i = 0; i < g_list_model_get_n_items (saved); i++)
    {
      g_autoptr (TachoProfile) profile = g_list_model_get_item (saved, i);
      g_autofree char *address = tacho_servers_make_address (profile);
      g_autofree char *clean = tacho_text_escape_markup (address, MAX_DETAIL);

      add_row (self, KIND_SAVED, address, tacho_profile_get_name (profile), clean);
    }
}

static void
add_recent (TachoServerList *self)
{
  g_auto (GStrv) recent = tacho_settings_get_strv (tacho_settings_get_default (), "recent-urls");

  for (gsize i = 0; recent[i] != NULL; i++)
    if (!is_listed (self, recent[i]))
      add_row (self, KIND_RECENT, recent[i], NULL, _ ("Used before"));
  /* One that never answered is not among the recent ones, but it is the one in use. */
  if (self->current != NULL)
    {
      g_autofree char *address = tacho_servers_make_address (self->current);

      if (!is_listed (self, address))
        add_row (self, KIND_FOUND, address, NULL, _ ("Not saved"));
    }
}

TachoProfile *
tacho_server_list_make_profile (TachoFound *found)
{
  const char *url = tacho_found_get_url (found);
  const char *target = tacho_found_get_grpc_target (found);
  g_autoptr (TachoProfile) profile = tacho_profile_new (NULL, url, NULL);

  if (profile == NULL || !tacho_profile_set_grpc_target (profile, target, NULL) ||
      (url != NULL && target != NULL &&
       !tacho_profile_set_protocol (profile, TACHO_PROTOCOL_HYBRID, NULL)))
    return NULL;
  return g_steal_pointer (&profile);
}

/* Its profile is known from now on. */
static void
add_found (TachoServerList *self, TachoFound *found)
{
  g_autoptr (TachoProfile) profile = tacho_server_list_make_profile (found);
  g_autofree char *address = profile != NULL ? tacho_servers_make_address (profile) : NULL;
  g_autofree char *clean = NULL;
  g_autofree char *words = NULL;
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));

  if (address == NULL || is_listed (self, address))
    return;
  tacho_application_remember (TACHO_APPLICATION (gtk_window_get_application (GTK_WINDOW (root))),
                              profile);
  clean = tacho_text_escape_markup (tacho_found_get_description (found), MAX_DETAIL);
  /* Translators: %s describes a server that answers on this computer. */
  words = g_strdup_printf (_ ("Found on this computer: %s"), clean);
  add_row (self, KIND_FOUND, address, NULL, words);
}

static void
add_all_found (TachoServerList *self)
{
  GListModel *found = G_LIST_MODEL (self->discovery);

  for (guint i = 0; i < g_list_model_get_n_items (found); i++)
    {
      g_autoptr (TachoFound) one = g_list_model_get_item (found, i);

      add_found (self, one);
    }
}

static void
looked_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoServerList) self = user_data;

  if (tacho_discovery_run_finish (TACHO_DISCOVERY (source), result, NULL) &&
      gtk_widget_get_root (GTK_WIDGET (self)) != NULL)
    add_all_found (self);
}

static void
stop_looking (TachoServerList *self)
{
  if (self->looking != NULL)
    g_cancellable_cancel (self->looking);
  g_clear_object (&self->looking);
}

static void
fill (TachoServerList *self)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->list))) != NULL)
    gtk_list_box_remove (self->list, child);
  add_row (self, KIND_BUILT_IN, "sim:", NULL, _ ("Built in, needs nothing"));
  add_saved (self);
  add_recent (self);
  if (self->discovery != NULL && gtk_widget_get_root (GTK_WIDGET (self)) != NULL)
    add_all_found (self);
}

/* Edited by another program, or saved by a form. */
static void
config_changed_cb (TachoServerList *self)
{
  if (gtk_widget_get_mapped (GTK_WIDGET (self)))
    fill (self);
}

/* --- what is done with one --- */

static void
row_activated_cb (GtkListBox *list, GtkListBoxRow *row, TachoServerList *self)
{
  const char *name = g_object_get_data (G_OBJECT (row), "name");

  g_signal_emit (self, signals[SIGNAL_CHOSEN], 0);
  if (name != NULL)
    gtk_widget_activate_action (GTK_WIDGET (self), "win.open-server", "s", name);
  else
    gtk_widget_activate_action (GTK_WIDGET (self), "win.open-url", "s",
                                g_object_get_data (G_OBJECT (row), "address"));
}

/* "servers.edit" is "win.edit-server", once what shows the list is gone. */
static void
action_cb (GtkWidget *widget, const char *action, GVariant *parameter)
{
  g_autofree char *name = g_strdup_printf ("win.%s-server", action + strlen ("servers."));

  g_signal_emit (widget, signals[SIGNAL_CHOSEN], 0);
  gtk_widget_activate_action_variant (widget, name, parameter);
}

static void
tacho_server_list_dispose (GObject *object)
{
  TachoServerList *self = TACHO_SERVER_LIST (object);

  stop_looking (self);
  g_clear_object (&self->discovery);
  g_clear_object (&self->current);

  G_OBJECT_CLASS (tacho_server_list_parent_class)->dispose (object);
}

static void
tacho_server_list_class_init (TachoServerListClass *klass)
{
  static const char *const actions[] = { "servers.edit", "servers.duplicate", "servers.remove",
                                         "servers.keep", "servers.forget" };

  G_OBJECT_CLASS (klass)->dispose = tacho_server_list_dispose;
  signals[SIGNAL_CHOSEN] = g_signal_new ("chosen", TACHO_TYPE_SERVER_LIST, G_SIGNAL_RUN_LAST, 0,
                                         NULL, NULL, NULL, G_TYPE_NONE, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++)
    gtk_widget_class_install_action (GTK_WIDGET_CLASS (klass), actions[i], "s", action_cb);
}

static void
tacho_server_list_init (TachoServerList *self)
{
  GtkWidget *list = gtk_list_box_new ();

  self->list = GTK_LIST_BOX (list);
  gtk_list_box_set_selection_mode (self->list, GTK_SELECTION_NONE);
  gtk_widget_add_css_class (list, "boxed-list");
  gtk_widget_set_margin_top (list, 3);
  gtk_widget_set_margin_bottom (list, 3);
  gtk_widget_set_margin_start (list, 3);
  gtk_widget_set_margin_end (list, 3);
  gtk_accessible_update_property (GTK_ACCESSIBLE (list), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Servers"), -1);
  g_signal_connect_object (list, "row-activated", G_CALLBACK (row_activated_cb), self, 0);
  adw_bin_set_child (ADW_BIN (self), list);
  g_signal_connect_object (tacho_servers_get_config (), "changed", G_CALLBACK (config_changed_cb),
                           self, G_CONNECT_SWAPPED);
}

/**
 * tacho_server_list_show:
 * @self: the list
 * @current: (nullable): the server in use
 *
 * Fills the list anew and looks for servers on this computer.
 */
void
tacho_server_list_show (TachoServerList *self, TachoProfile *current)
{
  g_return_if_fail (TACHO_IS_SERVER_LIST (self));

  g_set_object (&self->current, current);
  fill (self);
  stop_looking (self);
  if (self->discovery == NULL)
    self->discovery = tacho_discovery_new (NULL, 0);
  self->looking = g_cancellable_new ();
  tacho_discovery_run_async (self->discovery, self->looking, looked_cb, g_object_ref (self));
}
