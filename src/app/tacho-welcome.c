/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the window shows before there is a server: the built-in one, what answers on this computer,
 * and the way to any other. */
#define G_LOG_DOMAIN "tacho-welcome"

#include "config.h"

#include "app/tacho-welcome.h"
#include "app/tacho-server-list.h"

struct _TachoWelcome
{
  AdwBin parent_instance;
  TachoServerList *servers;
};

G_DEFINE_FINAL_TYPE (TachoWelcome, tacho_welcome, ADW_TYPE_BIN)

static void
tacho_welcome_dispose (GObject *object)
{
  adw_bin_set_child (ADW_BIN (object), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (object), TACHO_TYPE_WELCOME);

  G_OBJECT_CLASS (tacho_welcome_parent_class)->dispose (object);
}

static void
tacho_welcome_class_init (TachoWelcomeClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_welcome_dispose;
  g_type_ensure (TACHO_TYPE_SERVER_LIST);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-welcome.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoWelcome, servers);
}

static void
tacho_welcome_init (TachoWelcome *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

/**
 * tacho_welcome_show:
 * @self: the page
 *
 * Lists the servers to begin with, and looks for more on this computer.
 */
void
tacho_welcome_show (TachoWelcome *self)
{
  g_return_if_fail (TACHO_IS_WELCOME (self));

  tacho_server_list_show (self->servers, NULL);
}
