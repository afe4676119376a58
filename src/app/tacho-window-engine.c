/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The llama-server of this computer, as the window uses it: what was started is used once it is
 * ready, and its death is told wherever the person is. */
#define G_LOG_DOMAIN "tacho-window"

#include "config.h"

#include "app/tacho-engine-window.h"
#include "app/tacho-engine.h"
#include "app/tacho-window-private.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

static void
tell_death (TachoWindow *self, const GError *error)
{
  /* Its last words, on further lines, are in the form. */
  g_autofree char *first = g_strndup (error->message, strcspn (error->message, "\n"));
  g_autofree char *text = tacho_text_escape_markup (first, 200);
  AdwToast *toast = adw_toast_new (text);

  adw_toast_set_button_label (toast, _ ("Show"));
  adw_toast_set_action_name (toast, "win.local-engine");
  adw_toast_set_timeout (toast, 0);
  adw_toast_overlay_add_toast (self->toasts, toast);
}

static void
state_cb (TachoLocalEngine *engine, GParamSpec *pspec, TachoWindow *self)
{
  switch (tacho_local_engine_get_state (engine))
    {
    case TACHO_LOCAL_ENGINE_READY:
      /* A run on another server is not stopped for it: the form has Use. */
      if (!tacho_bench_panel_is_running (self->bench))
        tacho_window_open_url (self, tacho_local_engine_get_url (engine));
      break;
    case TACHO_LOCAL_ENGINE_FAILED:
      tell_death (self, tacho_local_engine_get_error (engine));
      break;
    case TACHO_LOCAL_ENGINE_STOPPED:
    case TACHO_LOCAL_ENGINE_STARTING:
    case TACHO_LOCAL_ENGINE_STOPPING:
    default:
      break;
    }
}

static void
local_engine_cb (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  gtk_window_present (GTK_WINDOW (tacho_engine_window_new (GTK_WINDOW (user_data))));
}

static const GActionEntry actions[] = {
  { "local-engine", local_engine_cb, NULL, NULL, NULL },
};

void
tacho_window_watch_engine (TachoWindow *self)
{
  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
  g_signal_connect_object (tacho_engine_get_default (), "notify::state", G_CALLBACK (state_cb),
                           self, 0);
}
