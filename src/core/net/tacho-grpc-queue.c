/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The completion queue that all clients of the process share, and the thread that drains it. */
#define G_LOG_DOMAIN "tacho-net"

#include "net/tacho-grpc-client-private.h"

#include "base/tacho-clock.h"

#include <grpc/support/log.h>

static GMutex mutex;
static guint holders;
static grpc_completion_queue *queue;
static GThread *thread;

/* Read when the core starts; and the environment may only be changed while there is one thread. The
 * core's own resolver (c-ares) knows neither mDNS nor the host's other name services. A person who
 * sets another is left alone. */
__attribute__ ((constructor)) static void
set_core_environment (void)
{
  g_setenv ("GRPC_DNS_RESOLVER", "native", FALSE);
}

/* The core writes to standard error, and with tracing on it writes metadata, keys included. Only
 * its errors are passed on, which hold none, and only to the debug log of someone who asked. */
static void
core_log_cb (gpr_log_func_args *args)
{
  if (args->severity == GPR_LOG_SEVERITY_ERROR && g_getenv ("GRPC_VERBOSITY") != NULL)
    g_debug ("gRPC: %s", args->message);
}

static gpointer
drain (gpointer user_data)
{
  for (;;)
    {
      grpc_event event =
          grpc_completion_queue_next (user_data, gpr_inf_future (GPR_CLOCK_REALTIME), NULL);
      gint64 now_ns = tacho_clock_now_ns ();
      TachoGrpcTag *tag;

      if (event.type == GRPC_QUEUE_SHUTDOWN)
        break;
      if (event.type != GRPC_OP_COMPLETE)
        continue;
      tag = event.tag;
      tag->done (tag->owner, event.success != 0, now_ns);
    }
  grpc_completion_queue_destroy (user_data);
  grpc_shutdown ();
  return NULL;
}

/**
 * tacho_grpc_queue_hold:
 *
 * Starts the core, the queue and its thread for the first of those who hold it.
 */
void
tacho_grpc_queue_hold (void)
{
  g_mutex_lock (&mutex);
  if (holders++ == 0)
    {
      gpr_set_log_function (core_log_cb);
      grpc_init ();
      queue = grpc_completion_queue_create_for_next (NULL);
      thread = g_thread_new ("tacho-grpc", drain, queue);
    }
  g_mutex_unlock (&mutex);
}

/**
 * tacho_grpc_queue_release:
 *
 * The last of those who hold it stops the queue: what is still in it is drained, and the core is
 * shut down. May be called on the queue's own thread, which then ends without being waited for.
 */
void
tacho_grpc_queue_release (void)
{
  GThread *stopped = NULL;

  g_mutex_lock (&mutex);
  if (--holders == 0)
    {
      grpc_completion_queue_shutdown (queue);
      queue = NULL;
      stopped = g_steal_pointer (&thread);
    }
  g_mutex_unlock (&mutex);
  if (stopped == NULL)
    return;
  if (stopped == g_thread_self ())
    g_thread_unref (stopped);
  else
    g_thread_join (stopped);
}

/**
 * tacho_grpc_queue_get:
 *
 * Returns: (transfer none): the queue, for one who holds it
 */
grpc_completion_queue *
tacho_grpc_queue_get (void)
{
  return queue;
}
