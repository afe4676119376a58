/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long a conversation of 5,000 messages takes to open: from the disk to the first frame. */
#include "app/tacho-chat-view.h"

#include <adwaita.h>
#include <glib/gstdio.h>
#include <stdio.h>

#define MESSAGES 5000
#define RUNS 7
#define REPLY                                                                                      \
  "# A title\n\nSome **bold** text with `code` and a list:\n\n- one\n- two\n\n```c\nint\nmain "    \
  "(void)\n{\n  return 0;\n}\n```\n\nAnd a last paragraph of some length, as models write them.\n"

static TachoConversationInfo *
fill (TachoConversations *store)
{
  g_autoptr (GError) error = NULL;
  TachoConversationInfo *info = tacho_conversations_create (store, "model", "server", &error);

  g_assert_no_error (error);
  for (guint i = 0; i < MESSAGES; i++)
    {
      TachoRole role = i % 2 == 0 ? TACHO_ROLE_USER : TACHO_ROLE_ASSISTANT;
      g_autoptr (TachoConversationMessage) message =
          tacho_conversation_message_new (role, i % 2 == 0 ? "A question?" : REPLY);

      tacho_conversations_append (store, tacho_conversation_info_get_id (info), message, &error);
      g_assert_no_error (error);
    }
  return info;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static void
painted_cb (GdkFrameClock *clock, gboolean *painted)
{
  *painted = TRUE;
}

static double
open_once (TachoConversations *store, TachoConversationInfo *info, AdwBin *bin)
{
  g_autoptr (GError) error = NULL;
  gboolean painted = FALSE;
  gint64 begin = g_get_monotonic_time ();
  g_autoptr (TachoChat) chat = tacho_chat_new (store, info, &error);
  GdkFrameClock *clock = gtk_widget_get_frame_clock (GTK_WIDGET (bin));
  gulong id = g_signal_connect (clock, "after-paint", G_CALLBACK (painted_cb), &painted);

  g_assert_no_error (error);
  adw_bin_set_child (bin, GTK_WIDGET (tacho_chat_view_new (chat)));
  gdk_frame_clock_request_phase (clock, GDK_FRAME_CLOCK_PHASE_PAINT);
  while (!painted)
    g_main_context_iteration (NULL, TRUE);
  g_signal_handler_disconnect (clock, id);
  return (double) (g_get_monotonic_time () - begin) / 1000;
}

int
main (void)
{
  g_autofree char *folder = g_dir_make_tmp ("tacho-bench-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "conversations.db", NULL);
  g_autofree char *notice = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoConversations) store = NULL;
  g_autoptr (TachoConversationInfo) info = NULL;
  GtkWidget *window;
  GtkWidget *bin;
  double ms[RUNS];

  adw_init ();
  store = tacho_conversations_open (path, &notice, &error);
  g_assert_no_error (error);
  info = fill (store);
  window = gtk_window_new ();
  bin = adw_bin_new ();
  gtk_window_set_child (GTK_WINDOW (window), bin);
  gtk_window_set_default_size (GTK_WINDOW (window), 900, 650);
  gtk_window_present (GTK_WINDOW (window));
  while (!gtk_widget_get_mapped (bin))
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < RUNS; i++)
    ms[i] = open_once (store, info, ADW_BIN (bin));
  qsort (ms, RUNS, sizeof ms[0], compare);
  printf ("a conversation of %d messages opens in %.1f ms (%.1f to %.1f, %d runs; goal 200)\n",
          MESSAGES, ms[RUNS / 2], ms[0], ms[RUNS - 1], RUNS);
  gtk_window_destroy (GTK_WINDOW (window));
  g_clear_object (&store);
  for (const char *const *suffix = (const char *const[]){ "", "-wal", "-shm", NULL };
       *suffix != NULL; suffix++)
    {
      g_autofree char *file = g_strconcat (path, *suffix, NULL);

      g_unlink (file);
    }
  g_rmdir (folder);
  return 0;
}
