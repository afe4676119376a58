/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One epoll loop; replies are made once. A stream is one block of events, written over and over. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-reference-responder.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_FDS 4096
#define MAX_REQUEST 65536
#define BLOCK_EVENTS 100

typedef struct
{
  char *in;
  gsize have;
  const char *out; /* what is being written, or NULL */
  gsize out_length, written;
  guint blocks_left; /* of a stream, after this */
} Peer;

typedef struct
{
  int epoll_fd, listen_fd;
  gboolean closes;
  guint blocks; /* of a stream */
  GString *models, *reply, *not_found, *stream_head, *block, *stream_end;
  Peer peers[MAX_FDS];
} Server;

static GString *
make_reply (const char *status, const char *body, gboolean closes)
{
  GString *reply = g_string_new (NULL);

  g_string_printf (reply,
                   "HTTP/1.1 %s\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nserver: uvicorn\r\n"
                   "content-length: %zu\r\ncontent-type: application/json\r\n%s\r\n%s",
                   status, strlen (body), closes ? "connection: close\r\n" : "", body);
  return reply;
}

static char *
make_models (void)
{
  g_autoptr (GString) body = g_string_new ("{\"object\":\"list\",\"data\":[");

  for (guint i = 0; i < TACHO_RESPONDER_MODELS; i++)
    g_string_append_printf (
        body,
        "%s{\"id\":\"qwen2.5-7b-instruct-q4_k_m-%02u\",\"object\":\"model\","
        "\"created\":1760000000,\"owned_by\":\"vllm\",\"root\":\"/models/%02u\","
        "\"parent\":null,\"max_model_len\":32768,\"permission\":[{\"id\":"
        "\"modelperm-%024x\",\"object\":\"model_permission\",\"created\":"
        "1760000000,\"allow_create_engine\":false,\"allow_sampling\":true}]}",
        i > 0 ? "," : "", i, i, i);
  g_string_append (body, "]}");
  return g_strdup (body->str);
}

static GString *
make_block (void)
{
  static const char *const words[] = { " the", " measurement", " of",  " throughput", ",", " which",
                                       " is",  " \\u00e9tait", " and", "\\n" };
  GString *block = g_string_new (NULL);

  for (guint i = 0; i < BLOCK_EVENTS; i++)
    {
      g_autofree char *event = g_strdup_printf (
          "data: "
          "{\"id\":\"chatcmpl-0123456789abcdef01234567\",\"object\":\"chat.completion.chunk\","
          "\"created\":1760000000,\"model\":\"" TACHO_RESPONDER_MODEL
          "\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"logprobs\":null,"
          "\"finish_reason\":null}]}\n\n",
          words[i % G_N_ELEMENTS (words)]);

      g_string_append_printf (block, "%zx\r\n%s\r\n", strlen (event), event);
    }
  return block;
}

static void
make_replies (Server *self, guint events, gboolean closes)
{
  g_autofree char *models = make_models ();

  self->closes = closes;
  self->blocks = (events + BLOCK_EVENTS - 1) / BLOCK_EVENTS;
  self->models = make_reply ("200 OK", models, closes);
  self->reply = make_reply (
      "200 OK",
      "{\"id\":\"chatcmpl-0123456789abcdef01234567\",\"object\":\"chat.completion\",\"created\":"
      "1760000000,\"model\":\"" TACHO_RESPONDER_MODEL
      "\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"The sky "
      "looks "
      "blue because air scatters short waves of sunlight more than long ones (Rayleigh "
      "scattering), so blue light reaches the eye from every direction, while red and yellow light "
      "goes straight through; at sunset the way is longer and the blue is gone.\",\"tool_calls\":"
      "[]},\"logprobs\":null,\"finish_reason\":\"stop\",\"stop_reason\":null}],\"usage\":{"
      "\"prompt_tokens\":26,\"total_tokens\":92,\"completion_tokens\":66}}",
      closes);
  self->not_found = make_reply ("404 Not Found", "{\"detail\":\"Not Found\"}", closes);
  self->stream_head = g_string_new ("HTTP/1.1 200 OK\r\nserver: uvicorn\r\n"
                                    "content-type: text/event-stream; charset=utf-8\r\n"
                                    "transfer-encoding: chunked\r\n\r\n");
  self->block = make_block ();
  self->stream_end = g_string_new ("e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n");
}

static void
watch (Server *self, int fd, int operation, guint events)
{
  struct epoll_event event = { .events = events, .data = { .fd = fd } };

  epoll_ctl (self->epoll_fd, operation, fd, &event);
}

static void
drop_peer (Server *self, int fd)
{
  g_free (self->peers[fd].in);
  self->peers[fd] = (Peer){ 0 };
  close (fd);
}

static void
set_out (Peer *peer, const GString *text)
{
  peer->out = text->str;
  peer->out_length = text->len;
  peer->written = 0;
}

/* Writes until all is written or the socket takes no more. */
static void
write_some (Server *self, int fd)
{
  Peer *peer = &self->peers[fd];

  while (peer->out != NULL)
    {
      ssize_t n =
          send (fd, peer->out + peer->written, peer->out_length - peer->written, MSG_NOSIGNAL);

      if (n < 0 && errno == EAGAIN)
        {
          watch (self, fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
          return;
        }
      if (n < 0)
        {
          drop_peer (self, fd);
          return;
        }
      peer->written += (gsize) n;
      if (peer->written < peer->out_length)
        continue;
      if (peer->out == self->stream_head->str ||
          (peer->out == self->block->str && peer->blocks_left > 0))
        {
          set_out (peer, self->block);
          peer->blocks_left--;
        }
      else if (peer->out == self->block->str)
        set_out (peer, self->stream_end);
      else
        peer->out = NULL;
    }
  watch (self, fd, EPOLL_CTL_MOD, EPOLLIN);
  if (self->closes)
    drop_peer (self, fd);
}

static void
answer (Server *self, Peer *peer)
{
  if (g_str_has_prefix (peer->in, "GET /v1/models "))
    set_out (peer, self->models);
  else if (!g_str_has_prefix (peer->in, "POST /v1/chat/completions "))
    set_out (peer, self->not_found);
  else if (strstr (peer->in, "\"stream\":true") != NULL)
    {
      set_out (peer, self->stream_head);
      peer->blocks_left = self->blocks;
    }
  else
    set_out (peer, self->reply);
}

static void
read_some (Server *self, int fd)
{
  Peer *peer = &self->peers[fd];
  ssize_t n = recv (fd, peer->in + peer->have, MAX_REQUEST - 1 - peer->have, 0);
  char *end, *length;

  if (n <= 0)
    {
      if (n == 0 || errno != EAGAIN)
        drop_peer (self, fd);
      return;
    }
  peer->have += (gsize) n;
  peer->in[peer->have] = '\0';
  end = strstr (peer->in, "\r\n\r\n");
  if (end == NULL)
    return;
  length = strcasestr (peer->in, "content-length:");
  if (length != NULL && length < end &&
      peer->have < (gsize) (end + 4 - peer->in) + strtoul (length + 15, NULL, 10))
    return;
  peer->have = 0;
  answer (self, peer);
  write_some (self, fd);
}

static void
accept_all (Server *self)
{
  const int one = 1;
  int fd;

  while ((fd = accept4 (self->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
    {
      if (fd >= MAX_FDS)
        {
          close (fd);
          continue;
        }
      setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      self->peers[fd] = (Peer){ .in = g_malloc (MAX_REQUEST) };
      watch (self, fd, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static void G_GNUC_NORETURN
run (int listen_fd, guint events, gboolean closes)
{
  Server *self = g_new0 (Server, 1);
  struct epoll_event ready[256];

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  make_replies (self, events, closes);
  self->listen_fd = listen_fd;
  self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  fcntl (listen_fd, F_SETFL, O_NONBLOCK);
  watch (self, listen_fd, EPOLL_CTL_ADD, EPOLLIN);
  for (;;)
    {
      int n = epoll_wait (self->epoll_fd, ready, G_N_ELEMENTS (ready), -1);

      for (int i = 0; i < n; i++)
        {
          int fd = ready[i].data.fd;

          if (fd == listen_fd)
            {
              accept_all (self);
              continue;
            }
          if (self->peers[fd].in != NULL && (ready[i].events & EPOLLOUT) != 0)
            write_some (self, fd);
          if (self->peers[fd].in != NULL && (ready[i].events & ~(guint) EPOLLOUT) != 0)
            read_some (self, fd);
        }
    }
}

/**
 * tacho_responder_start:
 * @self: (out caller-allocates): the server
 * @events: of each streamed reply, rounded up to hundreds
 * @closes: whether it ends its connections
 *
 * Forks it, listening on a free port of 127.0.0.1. Call before the program has threads.
 */
void
tacho_responder_start (TachoResponder *self, guint events, gboolean closes)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr = { .s_addr = htonl (INADDR_LOOPBACK) } };
  socklen_t length = sizeof address;
  int listen_fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (bind (listen_fd, (struct sockaddr *) &address, length) != 0 ||
      listen (listen_fd, 1024) != 0 ||
      getsockname (listen_fd, (struct sockaddr *) &address, &length) != 0)
    g_error ("The reference server cannot start: %s", g_strerror (errno));
  self->port = ntohs (address.sin_port);
  self->url = g_strdup_printf ("http://127.0.0.1:%u", self->port);
  fflush (stdout);
  self->pid = fork ();
  if (self->pid < 0)
    g_error ("fork: %s", g_strerror (errno));
  if (self->pid == 0)
    run (listen_fd, events, closes);
  close (listen_fd);
}

/**
 * tacho_responder_stop:
 * @self: the server
 *
 * Ends its process.
 */
void
tacho_responder_stop (TachoResponder *self)
{
  kill (self->pid, SIGKILL);
  waitpid (self->pid, NULL, 0);
  g_clear_pointer (&self->url, g_free);
}
