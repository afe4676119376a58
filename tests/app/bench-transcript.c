/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a token costs at the begin and at the end of a long reply: text, layout and frame. */
#include "app/tacho-transcript.h"

#include <adwaita.h>
#include <stdio.h>
#include <time.h>

#define TOKENS 100000
#define PER_FRAME 8 /* 500 tokens/s at 60 frames/s */

/* Prose, lists and code in the proportions of a long answer; or one paragraph without an end. */
static const char *
token (guint i, int one_paragraph)
{
  guint at = i % 400;

  if (one_paragraph == 1)
    return "word ";
  if (at == 0)
    return "\n\n## Part\n\n";
  if (one_paragraph == 2)
    return at % 60 == 0 ? "\n\n" : at % 11 == 0 ? "**bold** " : "word ";
  if (at == 200)
    return "\n\n```c\n";
  if (at == 300)
    return "\n```\n\n";
  if (at > 200 && at < 300)
    return at % 8 == 0 ? ";\n" : "x = y ";
  return at % 60 == 0 ? "\n\n" : at % 20 == 0 ? "\n- " : at % 11 == 0 ? "**bold** " : "word ";
}

/* Of this thread: what else runs on the machine is left out. */
static gint64
cpu_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static void
frame (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static double
run (int kind, const char *name)
{
  GtkWidget *window = gtk_window_new ();
  GtkWidget *scroll = gtk_scrolled_window_new ();
  TachoTranscript *transcript = g_object_new (TACHO_TYPE_TRANSCRIPT, NULL);
  gint64 tenth[10] = { 0 };
  double ratio;

  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroll), GTK_WIDGET (transcript));
  gtk_window_set_child (GTK_WINDOW (window), scroll);
  gtk_window_set_default_size (GTK_WINDOW (window), 900, 650);
  gtk_window_present (GTK_WINDOW (window));
  while (!gtk_widget_get_mapped (GTK_WIDGET (transcript)))
    g_main_context_iteration (NULL, TRUE);
  tacho_transcript_begin_reply (transcript, "model");
  for (guint i = 0; i < TOKENS; i += PER_FRAME)
    {
      gint64 begin = cpu_us ();

      for (guint j = 0; j < PER_FRAME; j++)
        tacho_transcript_append (transcript, token (i + j, kind), FALSE);
      tacho_transcript_flush (transcript);
      frame ();
      tenth[(guint64) i * 10 / TOKENS] += cpu_us () - begin;
    }
  tacho_transcript_end_reply (transcript);
  ratio = (double) tenth[9] / (double) tenth[0];
  printf ("%s: %.2f us a token in the first tenth, %.2f in the last: ratio %.2f (goal 1.20)\n",
          name, tenth[0] * 10.0 / TOKENS, tenth[9] * 10.0 / TOKENS, ratio);
  gtk_window_destroy (GTK_WINDOW (window));
  frame ();
  return ratio;
}

int
main (void)
{
  adw_init ();
  run (FALSE, "prose and code");
  run (2, "prose");
  run (TRUE, "one paragraph");
  return 0;
}
