/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log of a local engine: its end is kept, made safe to show, and read for why it ended. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-local-engine-private.h"

#include "base/tacho-text.h"

#include <signal.h>
#include <string.h>

#define MAX_LINE 300   /* characters of a line that is quoted */
#define MAX_TAIL 16384 /* bytes that are looked at for the last lines */
#define LAST_LINES 4

void
tacho_log_ring_init (TachoLogRing *ring, gsize limit)
{
  ring->text = g_string_new (NULL);
  ring->begin = 0;
  ring->limit = limit;
}

void
tacho_log_ring_clear (TachoLogRing *ring)
{
  if (ring->text != NULL)
    g_string_free (ring->text, TRUE);
  ring->text = NULL;
}

void
tacho_log_ring_append (TachoLogRing *ring, const char *data, gsize length)
{
  gsize drop;
  const char *line;

  g_string_append_len (ring->text, data, (gssize) length);
  if (ring->text->len <= ring->limit)
    return;
  /* A quarter more than needed, so that the rest is not moved for each line. */
  drop = ring->text->len - ring->limit + ring->limit / 4;
  line = memchr (ring->text->str + drop, '\n', ring->text->len - drop);
  if (line != NULL)
    drop = (gsize) (line - ring->text->str) + 1;
  g_string_erase (ring->text, 0, (gssize) drop);
  ring->begin += drop;
}

/* Colours and carriage returns, which a text view cannot show. */
static char *
strip_terminal (const char *text, gsize length)
{
  GString *plain = g_string_sized_new (length);

  for (gsize i = 0; i < length; i++)
    {
      if (text[i] == '\033' && i + 1 < length && text[i + 1] == '[')
        {
          i += 2;
          while (i < length && (g_ascii_isdigit (text[i]) || strchr (";?", text[i]) != NULL))
            i++;
          continue;
        }
      if (text[i] != '\r')
        g_string_append_c (plain, text[i]);
    }
  return g_string_free (plain, FALSE);
}

char *
tacho_log_ring_read (const TachoLogRing *ring,
                     guint64 from,
                     gboolean whole,
                     guint64 *next,
                     gboolean *lost)
{
  gsize skip = from > ring->begin ? (gsize) (from - ring->begin) : 0;
  g_autofree char *plain = NULL;
  gsize end = ring->text->len;

  if (lost != NULL)
    *lost = from < ring->begin;
  skip = MIN (skip, end);
  while (!whole && end > skip && ring->text->str[end - 1] != '\n')
    end--;
  if (next != NULL)
    *next = ring->begin + end;
  plain = strip_terminal (ring->text->str + skip, end - skip);
  return tacho_text_sanitize (plain, -1);
}

char *
tacho_log_ring_tail (const TachoLogRing *ring, guint n)
{
  guint64 end = ring->begin + ring->text->len;
  g_autofree char *text =
      tacho_log_ring_read (ring, end > MAX_TAIL ? end - MAX_TAIL : 0, TRUE, NULL, NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GPtrArray) last = g_ptr_array_new_with_free_func (g_free);

  for (guint i = g_strv_length (lines); i > 0 && last->len < n; i--)
    {
      char *line = tacho_text_sanitize_line (g_strstrip (lines[i - 1]), -1, MAX_LINE);

      if (line[0] != '\0')
        g_ptr_array_insert (last, 0, line);
      else
        g_free (line);
    }
  g_ptr_array_add (last, NULL);
  return g_strjoinv ("\n", (char **) last->pdata);
}

/* What the words of a server that ended mean; the first that is found counts. */
static const struct
{
  const char *words;
  const char *meaning;
} meanings[] = {
  { "error while loading shared libraries",
    "A library that llama-server needs is not installed. Install it anew, whole." },
  { "invalid argument: --models-dir",
    "This llama-server is too old to serve a folder: update it, or choose one "
    "GGUF file." },
  { "invalid argument", "This llama-server does not know an option that Tacho gave: update it." },
  { "address already in use", "Its port was taken by another program meanwhile. Start again." },
  { "couldn't bind", "Its port was taken by another program meanwhile. Start again." },
  { "out of memory", "The memory did not suffice. Take fewer GPU layers, a smaller context or a "
                     "smaller model." },
  { "failed to allocate", "The memory did not suffice. Take fewer GPU layers, a smaller context "
                          "or a smaller model." },
  { "unknown model architecture", "This llama-server is too old for the model: update it." },
  { "invalid magic", "The model's file is no GGUF file, or is damaged." },
  { "failed to load model", "The model could not be loaded." },
  { "error loading model", "The model could not be loaded." },
};

static const char *
find_meaning (const TachoLogRing *log)
{
  g_autofree char *tail = tacho_log_ring_tail (log, 40);
  g_autofree char *lower = g_ascii_strdown (tail, -1);

  for (gsize i = 0; i < G_N_ELEMENTS (meanings); i++)
    if (strstr (lower, meanings[i].words) != NULL)
      return meanings[i].meaning;
  return NULL;
}

static const char *
signal_meaning (int number)
{
  switch (number)
    {
    case SIGKILL:
      return "The system does that when the memory runs out; so does a person.";
    case SIGILL:
      return "It was built for another processor than this one.";
    case SIGTERM:
    case SIGINT:
    case SIGHUP:
      return "Someone else stopped it.";
    default:
      return "That is a mistake in llama-server itself.";
    }
}

char *
tacho_local_engine_explain (gboolean signalled, int code, const TachoLogRing *log)
{
  g_autofree char *last = tacho_log_ring_tail (log, LAST_LINES);
  const char *meaning = find_meaning (log);
  GString *text = g_string_new (NULL);

  if (signalled)
    g_string_append_printf (text, "llama-server was ended by signal %d (%s).", code,
                            g_strsignal (code));
  else
    g_string_append_printf (text, "llama-server ended with exit code %d.", code);
  if (meaning == NULL && signalled)
    meaning = signal_meaning (code);
  if (meaning != NULL)
    g_string_append_printf (text, " %s", meaning);
  if (last[0] != '\0')
    g_string_append_printf (text, "\n%s", last);
  return g_string_free (text, FALSE);
}
