/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting llama-server as a child that does not outlive this program. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-local-engine-private.h"

#include "base/tacho-error.h"

#include <sys/prctl.h>
#include <unistd.h>

/* In the child, before it becomes the server: only what a signal handler may do. */
static void
child_setup (gpointer user_data)
{
  setpgid (0, 0);
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  /* The parent may have died before that took hold. */
  if (getppid () != GPOINTER_TO_INT (user_data))
    _exit (127);
}

/* A port that nobody has now. It is free again at once, so that the server can have it. */
guint16
tacho_local_engine_find_port (GError **error)
{
  g_autoptr (GSocket) socket =
      g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, error);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) bound = NULL;

  if (socket == NULL || !g_socket_bind (socket, any, FALSE, error))
    return 0;
  bound = g_socket_get_local_address (socket, error);
  return bound != NULL ? g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)) : 0;
}

static GStrv
make_arguments (const char *program,
                const TachoLocalEngineOptions *options,
                gboolean is_folder,
                guint16 port)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autofree char *port_text = g_strdup_printf ("%u", port);

  g_strv_builder_add_many (builder, program, "--host", "127.0.0.1", "--port", port_text,
                           is_folder ? "--models-dir" : "--model", options->models, NULL);
  if (options->context > 0)
    {
      g_autofree char *context = g_strdup_printf ("%u", options->context);

      g_strv_builder_add_many (builder, "--ctx-size", context, NULL);
    }
  if (options->gpu_layers >= 0)
    {
      g_autofree char *layers = g_strdup_printf ("%d", options->gpu_layers);

      g_strv_builder_add_many (builder, "--n-gpu-layers", layers, NULL);
    }
  return g_strv_builder_end (builder);
}

GSubprocess *
tacho_local_engine_spawn (const char *program,
                          const TachoLocalEngineOptions *options,
                          gboolean is_folder,
                          guint16 port,
                          GError **error)
{
  /* Its standard input stays open as long as this program lives: wrappers end with it. */
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                 G_SUBPROCESS_FLAGS_STDERR_MERGE);
  g_auto (GStrv) arguments = make_arguments (program, options, is_folder, port);
  g_autoptr (GError) reason = NULL;
  GSubprocess *process;

  g_subprocess_launcher_set_child_setup (launcher, child_setup, GINT_TO_POINTER (getpid ()), NULL);
  process = g_subprocess_launcher_spawnv (launcher, (const char *const *) arguments, &reason);
  if (process == NULL)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "%s could not be started: %s", program,
                 reason->message);
  return process;
}
