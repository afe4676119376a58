/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading an API key: from the terminal without echo, or one line of the standard input. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-profile.h"

#include "base/tacho-error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define MAX_KEY 65536
#define POLL_MS 50

gboolean
cli_key_can_ask (void)
{
  return isatty (STDIN_FILENO) && isatty (STDERR_FILENO);
}

/* Waits so that Ctrl-C is seen: the session's handler only counts. FALSE: interrupted, or end. */
static gboolean
read_byte (CliSession *self, char *byte)
{
  for (;;)
    {
      struct pollfd poller = { .fd = STDIN_FILENO, .events = POLLIN };
      int ready;

      g_main_context_iteration (NULL, FALSE);
      if (self->interrupts > 0)
        return FALSE;
      ready = poll (&poller, 1, POLL_MS);
      if (ready == 0 || (ready < 0 && errno == EINTR))
        continue;
      return ready > 0 && read (STDIN_FILENO, byte, 1) == 1;
    }
}

static char *
read_line (CliSession *self)
{
  g_autofree char *buffer = g_malloc0 (MAX_KEY + 1);
  gsize n = 0;
  char *key = NULL;
  char byte;

  while (n < MAX_KEY && read_byte (self, &byte) && byte != '\n')
    buffer[n++] = byte;
  byte = 0;
  if (n > 0 && buffer[n - 1] == '\r')
    buffer[--n] = '\0';
  if (self->interrupts == 0)
    key = g_strdup (buffer);
  explicit_bzero (buffer, MAX_KEY + 1);
  return key;
}

char *
cli_key_read (CliSession *self, const char *name, GError **error)
{
  struct termios before;
  struct termios silent;
  gboolean on_terminal = isatty (STDIN_FILENO) && tcgetattr (STDIN_FILENO, &before) == 0;
  char *key;

  if (on_terminal)
    {
      g_autofree char *prompt = g_strdup_printf ("API key of %s (not shown): ", name);

      silent = before;
      silent.c_lflag &= ~(tcflag_t) (ECHO | ECHONL);
      tcsetattr (STDIN_FILENO, TCSAFLUSH, &silent);
      cli_terminal_ask (self->terminal, prompt);
    }
  key = read_line (self);
  if (on_terminal)
    {
      tcsetattr (STDIN_FILENO, TCSAFLUSH, &before);
      cli_terminal_ask (self->terminal, "\n");
    }
  if (key == NULL || *key == '\0')
    {
      tacho_secret_free (key);
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                   "No API key was given: type it, or give it as one line of the standard input.");
      return NULL;
    }
  return key;
}
