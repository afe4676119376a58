/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the window share. */
#pragma once

#include "app/tacho-bench-panel.h"
#include "app/tacho-chat-list.h"
#include "app/tacho-connection-menu.h"
#include "app/tacho-model-browser.h"
#include "app/tacho-prompt-pane.h"
#include "app/tacho-window.h"

G_BEGIN_DECLS

struct _TachoWindow
{
  AdwApplicationWindow parent_instance;
  TachoConnection *connection;
  TachoProfile *pending;    /* to be used once the person has agreed to stop a run; NULL: close */
  gboolean is_run_stopping; /* for that */
  gboolean in_background;   /* closed by the person while a run goes on */
  TachoConversations *conversations; /* NULL: not open (yet) */
  GCancellable *opening;             /* of them */
  GCancellable *key_lookup;          /* of the server that is to be opened next */

  TachoConnectionMenu *connection_menu;
  GtkWidget *simulated_badge;
  AdwViewSwitcherTitle *title;
  AdwToastOverlay *toasts;
  GtkStack *place;       /* "welcome" before there is a server, then "main" */
  AdwBin *welcome_place; /* empty but then */
  AdwFlap *flap;
  AdwViewStack *stack;
  GtkStack *sidebar;
  TachoChatList *chats;
  TachoModelBrowser *browser;
  TachoPromptPane *prompt;
  TachoBenchPanel *bench;
};

void tacho_window_notice (TachoWindow *self, const char *text);
void tacho_window_save (TachoWindow *self);
/* tacho-window-run.c: a benchmark that goes on when its window or its server is to go. */
void tacho_window_watch_run (TachoWindow *self);
/* next: the server to use after the run was stopped; NULL: close the window. */
void tacho_window_ask_to_stop (TachoWindow *self, TachoProfile *next);
/* tacho-window-servers.c: which server, and the forms that change the list of them. */
void tacho_window_open_servers (TachoWindow *self);
void tacho_window_close_servers (TachoWindow *self);
void tacho_window_connect_to (TachoWindow *self, TachoProfile *profile);
void tacho_window_refuse (TachoWindow *self, const GError *error, const char *url);
/* tacho-window-engine.c: the llama-server of this computer. */
void tacho_window_watch_engine (TachoWindow *self);
/* tacho-window-chats.c: the conversations that are kept, in list and pane. */
void tacho_window_chats_class_init (GtkWidgetClass *widget_class);
void tacho_window_open_chats (TachoWindow *self);
void tacho_window_close_chats (TachoWindow *self);

G_END_DECLS
