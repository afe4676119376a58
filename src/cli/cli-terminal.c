/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stdout and stderr: TTY detection, NO_COLOR, the progress line, the sanitising writer. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-terminal.h"

#include "base/tacho-text.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_COLUMNS 80
#define ERASE_LINE "\r\033[K"
#define LINE_UP "\033[A"
#define MAX_PROGRESS_LINES 8

struct _CliTerminal
{
  TachoTextFilter *filter; /* stdout is a terminal */
  gboolean out_is_tty;
  gboolean err_is_tty;
  gboolean live; /* stderr takes escapes */
  gboolean colour;
  gboolean broken;
  int out_errno;
  guint progress_lines; /* that are shown */
  gboolean text_mid_line; /* model text on the terminal does not end with a line end */
};

static gboolean
env_is_set (const char *name)
{
  const char *value = g_getenv (name);

  return value != NULL && *value != '\0';
}

CliTerminal *
cli_terminal_new (void)
{
  CliTerminal *self = g_new0 (CliTerminal, 1);

  self->out_is_tty = isatty (STDOUT_FILENO);
  self->err_is_tty = isatty (STDERR_FILENO);
  self->live = self->err_is_tty && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0;
  self->colour = self->live && !env_is_set ("NO_COLOR");
  if (self->out_is_tty)
    self->filter = tacho_text_filter_new ();
  return self;
}

void
cli_terminal_free (CliTerminal *self)
{
  cli_terminal_progress (self, NULL);
  g_clear_pointer (&self->filter, tacho_text_filter_free);
  g_free (self);
}

gboolean
cli_terminal_is_live (CliTerminal *self)
{
  return self->live;
}

/* write() and not stdio: nothing is held back, and the errno of a broken pipe is not lost. */
static int
write_all (int fd, const char *data, gsize length)
{
  while (length > 0)
    {
      gssize n = write (fd, data, length);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        {
          g_usleep (1000); /* somebody else made the shared descriptor non-blocking */
          continue;
        }
      if (n < 0)
        return errno;
      data += n;
      length -= (gsize) n;
    }
  return 0;
}

static gboolean
write_out (CliTerminal *self, const char *data, gsize length)
{
  if (self->broken)
    return FALSE;
  cli_terminal_progress (self, NULL);
  self->out_errno = write_all (STDOUT_FILENO, data, length);
  self->broken = self->out_errno != 0;
  return !self->broken;
}

gboolean
cli_terminal_write_text (CliTerminal *self, const char *text, gsize length)
{
  g_autoptr (GString) safe = NULL;

  if (self->filter == NULL)
    return write_out (self, text, length);
  safe = g_string_sized_new (length + 16);
  tacho_text_filter_push (self->filter, text, length, safe);
  if (safe->len > 0)
    self->text_mid_line = safe->str[safe->len - 1] != '\n';
  return write_out (self, safe->str, safe->len);
}

gboolean
cli_terminal_end_text (CliTerminal *self)
{
  g_autoptr (GString) rest = g_string_new (NULL);

  if (self->filter != NULL)
    tacho_text_filter_finish (self->filter, rest);
  g_string_append_c (rest, '\n');
  self->text_mid_line = FALSE;
  return write_out (self, rest->str, rest->len);
}

gboolean
cli_terminal_print (CliTerminal *self, const char *text)
{
  g_autofree char *safe = NULL;

  if (!self->out_is_tty)
    return write_out (self, text, strlen (text));
  safe = tacho_text_sanitize (text, -1);
  return write_out (self, safe, strlen (safe));
}

gboolean
cli_terminal_is_broken (CliTerminal *self)
{
  return self->broken;
}

gboolean
cli_terminal_finish (CliTerminal *self)
{
  cli_terminal_progress (self, NULL);
  if (self->out_errno == 0 || self->out_errno == EPIPE)
    return TRUE;
  cli_terminal_error (self, "cannot write to the standard output: %s",
                      g_strerror (self->out_errno));
  return FALSE;
}

static void
write_err (CliTerminal *self, const char *prefix, const char *text)
{
  g_autofree char *safe = tacho_text_sanitize (text, -1);
  g_autofree char *line = NULL;

  cli_terminal_progress (self, NULL);
  line =
      g_strconcat (self->err_is_tty && self->text_mid_line ? "\n" : "", prefix, safe, "\n", NULL);
  self->text_mid_line = FALSE;
  write_all (STDERR_FILENO, line, strlen (line));
}

void
cli_terminal_say (CliTerminal *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  write_err (self, "", text);
}

void
cli_terminal_ask (CliTerminal *self, const char *text)
{
  g_autofree char *safe = tacho_text_sanitize (text, -1);

  cli_terminal_progress (self, NULL);
  write_all (STDERR_FILENO, safe, strlen (safe));
}

void
cli_terminal_error (CliTerminal *self, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  write_err (self, "tacho-cli: ", text);
}

void
cli_terminal_dim (CliTerminal *self, const char *text)
{
  g_autofree char *safe = NULL;
  g_autofree char *line = NULL;

  if (!self->err_is_tty)
    return;
  safe = tacho_text_sanitize (text, -1);
  cli_terminal_progress (self, NULL);
  line = g_strconcat (self->colour ? "\033[2m" : "", safe, self->colour ? "\033[0m" : "", NULL);
  write_all (STDERR_FILENO, line, strlen (line));
}

static guint
columns (void)
{
  struct winsize size = { 0 };

  if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 10)
    return size.ws_col;
  return DEFAULT_COLUMNS;
}

void
cli_terminal_progress (CliTerminal *self, const char *text)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_auto (GStrv) lines = text != NULL ? g_strsplit (text, "\n", MAX_PROGRESS_LINES) : NULL;
  guint n = text != NULL ? g_strv_length (lines) : 0;

  if (!self->live || (n == 0 && self->progress_lines == 0))
    return;
  g_string_append (out, ERASE_LINE);
  for (guint i = 1; i < self->progress_lines; i++)
    g_string_append (out, LINE_UP ERASE_LINE);
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *safe = tacho_text_sanitize_line (lines[i], -1, columns () - 1);

      g_string_append_printf (out, "%s%s", i > 0 ? "\n" : "", safe);
    }
  self->progress_lines = n;
  write_all (STDERR_FILENO, out->str, out->len);
}

static guint
display_width (const char *text)
{
  guint width = 0;

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (!g_unichar_iszerowidth (c))
        width += g_unichar_iswide (c) ? 2 : 1;
    }
  return width;
}

char *
cli_table_format (GPtrArray *rows)
{
  GString *out = g_string_new (NULL);
  g_autoptr (GPtrArray) safe_rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autoptr (GArray) widths = g_array_new (FALSE, TRUE, sizeof (guint));

  for (guint i = 0; i < rows->len; i++)
    {
      char **row = g_ptr_array_index (rows, i);
      guint n = g_strv_length (row);
      char **safe = g_new0 (char *, n + 1);

      if (widths->len < n)
        g_array_set_size (widths, n);
      for (guint c = 0; c < n; c++)
        {
          guint *width = &g_array_index (widths, guint, c);

          safe[c] = tacho_text_sanitize_line (row[c], -1, 0);
          *width = MAX (*width, display_width (safe[c]));
        }
      g_ptr_array_add (safe_rows, safe);
    }
  for (guint i = 0; i < safe_rows->len; i++)
    {
      char **row = g_ptr_array_index (safe_rows, i);

      for (guint c = 0; row[c] != NULL; c++)
        {
          guint pad = g_array_index (widths, guint, c) - display_width (row[c]);

          g_string_append (out, row[c]);
          if (row[c + 1] != NULL)
            g_string_append_printf (out, "%*s", (int) pad + 2, "");
        }
      while (out->len > 0 && out->str[out->len - 1] == ' ')
        g_string_truncate (out, out->len - 1);
      g_string_append_c (out, '\n');
    }
  return g_string_free (out, FALSE);
}
