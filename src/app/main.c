/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho: the window. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "app/tacho-application.h"

#include <glib/gi18n.h>
#include <locale.h>

int
main (int argc, char *argv[])
{
  g_autoptr (TachoApplication) application = NULL;
  const char *localedir = g_getenv ("TACHO_LOCALEDIR"); /* where it runs from its build folder */

  setlocale (LC_ALL, "");
  bindtextdomain (TACHO_GETTEXT_PACKAGE, localedir != NULL ? localedir : TACHO_LOCALEDIR);
  bind_textdomain_codeset (TACHO_GETTEXT_PACKAGE, "UTF-8");
  textdomain (TACHO_GETTEXT_PACKAGE);

  g_set_application_name ("Tacho");
  application = tacho_application_new ();
  return g_application_run (G_APPLICATION (application), argc, argv);
}
