/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The socket below a call. The C core closes no single connection, so the socket is looked up among
 * the process's own by its two ports: a duplicate is made first, then looked at, so that a number
 * which is used anew meanwhile does no harm. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-grpc-private.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* The port of an IPv4 or IPv6 socket: the C core has one kind for both. 0: neither */
static guint
port_of (const struct sockaddr_storage *address)
{
  struct sockaddr_in in;
  struct sockaddr_in6 in6;

  memcpy (&in, address, sizeof in);
  memcpy (&in6, address, sizeof in6);
  return address->ss_family == AF_INET    ? ntohs (in.sin_port)
         : address->ss_family == AF_INET6 ? ntohs (in6.sin6_port)
                                          : 0;
}

static gboolean
joins (int fd, guint local, guint remote)
{
  struct sockaddr_storage near = { 0 };
  struct sockaddr_storage far = { 0 };
  socklen_t near_length = sizeof near;
  socklen_t far_length = sizeof far;

  return getsockname (fd, (struct sockaddr *) &near, &near_length) == 0 &&
         getpeername (fd, (struct sockaddr *) &far, &far_length) == 0 && port_of (&near) == local &&
         port_of (&far) == remote;
}

/* -1: there is none */
static int
dup_socket (TachoSimRpc *rpc)
{
  const char *colon = strrchr (rpc->peer, ':');
  guint64 remote = 0;
  g_autoptr (GDir) dir = NULL;
  const char *name;

  if (colon == NULL || !g_str_has_prefix (rpc->peer, "ipv4:") ||
      !g_ascii_string_to_unsigned (colon + 1, 10, 1, G_MAXUINT16, &remote, NULL))
    return -1;
  dir = g_dir_open ("/proc/self/fd", 0, NULL);
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      int fd = fcntl (atoi (name), F_DUPFD_CLOEXEC, 3);

      if (fd >= 0 && joins (fd, rpc->grpc->port, (guint) remote))
        return fd;
      if (fd >= 0)
        close (fd);
    }
  return -1;
}

/**
 * tacho_sim_wire_close:
 * @rpc: a call
 * @reset: by RST; else by FIN
 *
 * Closes the connection of the call, and with it every call on it.
 *
 * Returns: whether it was found
 */
gboolean
tacho_sim_wire_close (TachoSimRpc *rpc, gboolean reset)
{
  struct sockaddr nobody = { .sa_family = AF_UNSPEC };
  int fd = dup_socket (rpc);

  if (fd < 0)
    return FALSE;
  /* Dissolving the association makes Linux send an RST. */
  if (!reset || connect (fd, &nobody, sizeof nobody) < 0)
    shutdown (fd, SHUT_RDWR);
  close (fd);
  return TRUE;
}

/**
 * tacho_sim_wire_goaway:
 * @rpc: a call whose messages are on the wire
 *
 * Tells the client by GOAWAY (RFC 9113, 6.8) to open another connection for its next call; those
 * that run go on. The frame is written between the core's: it writes whole frames, and the buffer
 * has room when it is empty.
 *
 * Returns: whether it was written: not under TLS, and not while bytes wait for the client
 */
gboolean
tacho_sim_wire_goaway (TachoSimRpc *rpc)
{
  static const guint8 frame[] = { 0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0 };
  gboolean written = FALSE;
  int waiting = 0;
  int fd = rpc->grpc->front.tls ? -1 : dup_socket (rpc);

  if (fd < 0)
    return FALSE;
  if (ioctl (fd, SIOCOUTQ, &waiting) == 0 && waiting < 65536)
    written = send (fd, frame, sizeof frame, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof frame;
  close (fd);
  return written;
}
