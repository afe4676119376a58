/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One epoll loop and a heap of what is due. Forked, so that its CPU is nobody else's. */
#define G_LOG_DOMAIN "tacho"

#include "tacho-reference-sender.h"

#include "base/tacho-clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ID_PREFIX "chatcmpl-"
#define ID_DIGITS 24
#define MAX_REQUEST 16384
#define MAX_PIECE 1024
#define START_NS (100 * TACHO_NS_PER_MS) /* from the last request to the first event */
#define SPARE_CONNECTIONS 64
#define NO_REQUEST G_MAXUINT

typedef struct
{
  int fd;
  char *in; /* MAX_REQUEST */
  gsize have;
  guint request; /* NO_REQUEST: waits for one */
  guint sent;    /* events */
} Connection;

typedef struct
{
  gint64 due_ns;
  guint connection;
} Due;

typedef struct
{
  TachoSenderLog *log;
  int listen_fd, epoll_fd;
  Connection *connections;
  guint n_connections, n_open;
  guint n_requests, n_ended;
  Due *heap;
  guint n_due;
  guint64 n_sent, n_planned;
  clockid_t receiver_clock;
  guint64 random;
} Loop;

/* --- what is due --- */

static void
heap_push (Loop *self, Due due)
{
  guint i = self->n_due++;

  for (; i > 0 && self->heap[(i - 1) / 2].due_ns > due.due_ns; i = (i - 1) / 2)
    self->heap[i] = self->heap[(i - 1) / 2];
  self->heap[i] = due;
}

static Due
heap_pop (Loop *self)
{
  Due first = self->heap[0];
  Due last = self->heap[--self->n_due];
  guint i = 0;

  for (guint child; (child = 2 * i + 1) < self->n_due; i = child)
    {
      if (child + 1 < self->n_due && self->heap[child + 1].due_ns < self->heap[child].due_ns)
        child++;
      if (self->heap[child].due_ns >= last.due_ns)
        break;
      self->heap[i] = self->heap[child];
    }
  self->heap[i] = last;
  return first;
}

/* xorshift64*: 0 < x < 1. */
static double
next_random (Loop *self)
{
  self->random ^= self->random >> 12;
  self->random ^= self->random << 25;
  self->random ^= self->random >> 27;
  return ((double) ((self->random * G_GUINT64_CONSTANT (0x2545f4914f6cdd1d)) >> 12) + 0.5) /
         (double) (G_GUINT64_CONSTANT (1) << 52);
}

static gint64
next_ttft_ns (Loop *self)
{
  const TachoSenderPlan *plan = &self->log->plan;
  double normal = sqrt (-2 * log (next_random (self))) * cos (2 * G_PI * next_random (self));

  return (gint64) (plan->ttft_ms * exp (plan->ttft_sigma * normal) * TACHO_NS_PER_MS);
}

static gint64
next_gap_ns (Loop *self)
{
  const TachoSenderPlan *plan = &self->log->plan;

  if (plan->rate > 0)
    return (gint64) (plan->streams * TACHO_NS_PER_S / plan->rate);
  return (gint64) (plan->gap_ms * (1 + plan->gap_spread * (2 * next_random (self) - 1)) *
                   TACHO_NS_PER_MS);
}

/* --- what is written --- */

static void
write_all (int fd, const char *data, gsize length)
{
  while (length > 0)
    {
      ssize_t n = send (fd, data, length, MSG_NOSIGNAL);

      if (n < 0 && (errno == EAGAIN || errno == EINTR))
        continue;
      if (n <= 0)
        return;
      data += n;
      length -= (gsize) n;
    }
}

/* An SSE event in an HTTP chunk of its own. rest: what follows the id. */
static gsize
format_event (char *out, guint request, const char *rest)
{
  static const char head[] = "data: {\"id\":\"" ID_PREFIX;
  gsize length = sizeof head - 1 + ID_DIGITS + strlen (rest) + 2;

  return (gsize) sprintf (out, "%zx\r\n%s%0*x%s\n\n\r\n", length, head, ID_DIGITS, request, rest);
}

#define CHUNK(choice)                                                                              \
  "\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"qwen2.5-7b\","       \
  "\"choices\":[" choice "]"
#define CONTENT(word)                                                                              \
  CHUNK ("{\"index\":0,\"delta\":{\"content\":\"" word "\"},\"logprobs\":null,"                    \
         "\"finish_reason\":null}")                                                                \
  "}"

/* The head and, as vLLM does, an event that holds nothing but the role. */
static void
write_head (Connection *connection)
{
  static const char head[] = "HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                             "server: uvicorn\r\n"
                             "content-type: text/event-stream; charset=utf-8\r\n"
                             "transfer-encoding: chunked\r\n\r\n";
  char out[sizeof head + MAX_PIECE];
  gsize length = sizeof head - 1;

  memcpy (out, head, length);
  length += format_event (out + length, connection->request,
                          CHUNK ("{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
                                 "\"logprobs\":null,\"finish_reason\":null}") "}");
  write_all (connection->fd, out, length);
}

static void
write_event (Connection *connection)
{
  static const char *const rests[] = {
    CONTENT (" the"), CONTENT (" measurement"), CONTENT (" of"),          CONTENT (" throughput"),
    CONTENT (","),    CONTENT (" which"),       CONTENT (" \\u00e9tait"), CONTENT ("\\n\\n")
  };
  char out[MAX_PIECE];
  gsize length =
      format_event (out, connection->request,
                    rests[(connection->request + connection->sent) % G_N_ELEMENTS (rests)]);

  write_all (connection->fd, out, length);
}

static void
write_end (Connection *connection, guint events)
{
  static const char done[] = "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";
  g_autofree char *usage = g_strdup_printf (
      CHUNK ("") ",\"usage\":{\"prompt_tokens\":128,\"total_tokens\":%u,\"completion_tokens\":%u}}",
      128 + events, events);
  char out[3 * MAX_PIECE];
  gsize length = format_event (out, connection->request,
                               CHUNK ("{\"index\":0,\"delta\":{},\"logprobs\":null,"
                                      "\"finish_reason\":\"length\"}") "}");

  length += format_event (out + length, connection->request, usage);
  memcpy (out + length, done, sizeof done - 1);
  write_all (connection->fd, out, length + sizeof done - 1);
}

/* --- the loop --- */

static gint64
receiver_cpu_ns (Loop *self)
{
  struct timespec used = { 0 };

  if (self->receiver_clock == 0 &&
      clock_getcpuclockid (self->log->receiver, &self->receiver_clock) != 0)
    return 0;
  clock_gettime (self->receiver_clock, &used);
  return used.tv_sec * TACHO_NS_PER_S + used.tv_nsec;
}

static void
note_sent (Loop *self, gint64 now_ns)
{
  TachoSenderLog *log = self->log;

  if (self->n_sent == 0)
    log->first_sent_ns = now_ns;
  log->last_sent_ns = now_ns;
  if (self->n_sent == self->n_planned / 10)
    {
      log->cpu_events = self->n_sent;
      log->cpu_begin_ns = receiver_cpu_ns (self);
    }
  if (self->n_sent == self->n_planned - self->n_planned / 10)
    {
      log->cpu_events = self->n_sent - log->cpu_events;
      log->cpu_end_ns = receiver_cpu_ns (self);
    }
  self->n_sent++;
}

static void
send_due (Loop *self, gint64 now_ns)
{
  TachoSenderLog *log = self->log;

  while (self->n_due > 0 && self->heap[0].due_ns <= now_ns)
    {
      Due due = heap_pop (self);
      Connection *connection = &self->connections[due.connection];
      gint64 *sent_ns;

      if (connection->request == NO_REQUEST)
        continue; /* its client has left */
      sent_ns = &log->sent_ns[(gsize) connection->request * log->plan.events];
      now_ns = tacho_clock_now_ns ();
      note_sent (self, now_ns);
      sent_ns[connection->sent] = tacho_clock_now_ns ();
      write_event (connection);
      if (++connection->sent < log->plan.events)
        {
          due.due_ns += next_gap_ns (self);
          heap_push (self, due);
          continue;
        }
      write_end (connection, log->plan.events);
      connection->request = NO_REQUEST;
      self->n_ended++;
    }
}

static void
start_reply (Loop *self, guint index)
{
  Connection *connection = &self->connections[index];
  TachoSenderLog *log = self->log;
  gint64 now_ns = tacho_clock_now_ns ();

  if (self->n_requests >= log->plan.requests)
    g_error ("More requests came than the plan has");
  connection->request = self->n_requests++;
  connection->sent = 0;
  log->request_ns[connection->request] = now_ns;
  write_head (connection);
  if (log->plan.rate <= 0)
    {
      heap_push (self, (Due){ now_ns + next_ttft_ns (self), index });
      return;
    }
  /* All together, once all have come. */
  for (guint i = 0; self->n_requests == log->plan.streams && i < self->n_connections; i++)
    {
      double place = self->connections[i].request;

      if (self->connections[i].request != NO_REQUEST)
        heap_push (
            self,
            (Due){ now_ns + START_NS + (gint64) (place * TACHO_NS_PER_S / log->plan.rate), i });
    }
}

static void
read_request (Loop *self, guint index)
{
  Connection *connection = &self->connections[index];
  ssize_t n = recv (connection->fd, connection->in + connection->have,
                    MAX_REQUEST - 1 - connection->have, 0);
  char *end, *length;

  if (n <= 0)
    {
      if (n < 0 && errno == EAGAIN)
        return;
      epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
      close (connection->fd);
      g_clear_pointer (&connection->in, g_free);
      connection->request = NO_REQUEST;
      self->n_open--;
      return;
    }
  connection->have += (gsize) n;
  connection->in[connection->have] = '\0';
  end = strstr (connection->in, "\r\n\r\n");
  if (end == NULL)
    return;
  length = strcasestr (connection->in, "content-length:");
  if (length != NULL &&
      connection->have < (gsize) (end + 4 - connection->in) + strtoul (length + 15, NULL, 10))
    return;
  connection->have = 0;
  start_reply (self, index);
}

static void
accept_all (Loop *self)
{
  const int one = 1;
  int fd;

  while ((fd = accept4 (self->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
    {
      struct epoll_event event = { .events = EPOLLIN, .data = { .u64 = self->n_connections } };

      g_assert_cmpuint (self->n_connections, <, 2 * self->log->plan.requests + SPARE_CONNECTIONS);
      setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      self->connections[self->n_connections].fd = fd;
      self->connections[self->n_connections].in = g_malloc (MAX_REQUEST);
      self->connections[self->n_connections].request = NO_REQUEST;
      self->n_connections++;
      self->n_open++;
      epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

static void
wait_ready (Loop *self)
{
  struct epoll_event ready[256];
  struct timespec wait = { 0 };
  gint64 left_ns;
  int n;

  if (self->n_due > 0)
    {
      left_ns = MAX (self->heap[0].due_ns - tacho_clock_now_ns (), 0);
      wait.tv_sec = left_ns / TACHO_NS_PER_S;
      wait.tv_nsec = left_ns % TACHO_NS_PER_S;
    }
  n = epoll_pwait2 (self->epoll_fd, ready, G_N_ELEMENTS (ready), self->n_due > 0 ? &wait : NULL,
                    NULL);
  for (int i = 0; i < n; i++)
    if (ready[i].data.u64 == G_MAXUINT64)
      accept_all (self);
    else
      read_request (self, (guint) ready[i].data.u64);
}

static void G_GNUC_NORETURN
run (int listen_fd, TachoSenderLog *log)
{
  struct epoll_event event = { .events = EPOLLIN, .data = { .u64 = G_MAXUINT64 } };
  guint most = 2 * log->plan.requests + SPARE_CONNECTIONS;
  Loop self = { .log = log, .listen_fd = listen_fd, .random = 88172645463325252 };

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  prctl (PR_SET_TIMERSLACK, 1000);
  self.epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  self.connections = g_new0 (Connection, most);
  self.heap = g_new0 (Due, most);
  self.n_planned = (guint64) log->plan.requests * log->plan.events;
  fcntl (listen_fd, F_SETFL, O_NONBLOCK);
  epoll_ctl (self.epoll_fd, EPOLL_CTL_ADD, listen_fd, &event);
  while (self.n_ended < log->plan.requests || self.n_open > 0)
    {
      wait_ready (&self);
      send_due (&self, tacho_clock_now_ns ());
    }
  _exit (0);
}

/* --- from the other side --- */

/* The sender has the last core for itself, as a server on another machine would; else the scheduler
 * puts both on one now and then, and a round measures that. TRUE: there are cores enough. */
static gboolean
share_cores (cpu_set_t *senders)
{
  cpu_set_t receivers;
  int last = -1;

  CPU_ZERO (senders);
  if (sched_getaffinity (0, sizeof receivers, &receivers) != 0)
    return FALSE;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET (cpu, &receivers))
      last = cpu;
  if (last < 0)
    return FALSE;
  CPU_SET (last, senders);
  CPU_CLR (last, &receivers);
  return CPU_COUNT (&receivers) > 0 && sched_setaffinity (0, sizeof receivers, &receivers) == 0;
}

/**
 * tacho_sender_start:
 * @self: (out caller-allocates): the sender
 * @plan: what it sends
 *
 * Forks it, listening on a free port of 127.0.0.1. Both sides may have as many files open as this
 * machine allows.
 */
void
tacho_sender_start (TachoSender *self, const TachoSenderPlan *plan)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr = { .s_addr = htonl (INADDR_LOOPBACK) } };
  socklen_t length = sizeof address;
  int listen_fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  static gboolean asked, has_core;
  static cpu_set_t core;
  guint requests = plan->requests > 0 ? plan->requests : plan->streams;
  struct rlimit limit;

  getrlimit (RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);
  self->log_size = sizeof *self->log + sizeof (gint64) * requests * ((gsize) plan->events + 1);
  self->log =
      mmap (NULL, self->log_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (self->log == MAP_FAILED || bind (listen_fd, (struct sockaddr *) &address, length) != 0 ||
      listen (listen_fd, 4096) != 0 ||
      getsockname (listen_fd, (struct sockaddr *) &address, &length) != 0)
    g_error ("The reference sender cannot start: %s", g_strerror (errno));
  self->log->plan = *plan;
  self->log->plan.requests = requests;
  self->log->receiver = getpid ();
  self->log->request_ns = (gint64 *) (gpointer) (self->log + 1);
  self->log->sent_ns = self->log->request_ns + requests;
  self->port = ntohs (address.sin_port);
  fflush (stdout); /* or the child has a copy of what stands there */
  /* Once for the program: what it has left is the receivers'. */
  if (!asked)
    has_core = share_cores (&core);
  asked = TRUE;
  self->pid = fork ();
  if (self->pid < 0)
    g_error ("fork: %s", g_strerror (errno));
  if (self->pid == 0)
    {
      if (has_core)
        sched_setaffinity (0, sizeof core, &core);
      run (listen_fd, self->log);
    }
  close (listen_fd);
}

/**
 * tacho_sender_wait:
 * @self: a sender whose clients are gone
 *
 * Waits for its process.
 */
void
tacho_sender_wait (TachoSender *self)
{
  int status = 0;

  waitpid (self->pid, &status, 0);
  if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
    g_error ("The reference sender failed");
}

/**
 * tacho_sender_kill:
 * @self: a sender
 *
 * Ends it, whatever it does.
 */
void
tacho_sender_kill (TachoSender *self)
{
  kill (self->pid, SIGKILL);
  waitpid (self->pid, NULL, 0);
}

/**
 * tacho_sender_clear:
 * @self: a sender that has ended
 *
 * Gives its log back.
 */
void
tacho_sender_clear (TachoSender *self)
{
  munmap (self->log, self->log_size);
  self->log = NULL;
}

/**
 * tacho_sender_log_sent_ns:
 * @log: a log
 * @request: a request
 * @event: a content event of its reply
 *
 * Returns: the clock just before the event was written, 0: it was not
 */
gint64
tacho_sender_log_sent_ns (const TachoSenderLog *log, guint request, guint event)
{
  return log->sent_ns[(gsize) request * log->plan.events + event];
}

/**
 * tacho_sender_request_of_id:
 * @id: the id of a reply, or a text that begins with it
 * @length: of @id
 *
 * Returns: the number of the request, %G_MAXUINT if it is no id of this sender
 */
guint
tacho_sender_request_of_id (const char *id, gsize length)
{
  char digits[9] = "";

  if (length < strlen (ID_PREFIX) + ID_DIGITS || strncmp (id, ID_PREFIX, strlen (ID_PREFIX)) != 0)
    return G_MAXUINT;
  memcpy (digits, id + strlen (ID_PREFIX) + ID_DIGITS - 8, 8);
  return (guint) strtoul (digits, NULL, 16);
}
