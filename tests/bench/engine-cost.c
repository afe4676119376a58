/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one streamed event costs the client: the load engine, bare libcurl and a bare epoll
 * receiver, in one run and from the same kind of sender. The sender is a process of its own: it
 * writes 180-byte events over N streams at a set rate and logs the time of each write in shared
 * memory, so that every stamp can be compared with the truth on the same clock. CPU is that of the
 * receiving thread, connecting included for libcurl and the engine; so runs must be long against
 * that. JSON on standard output.
 *
 *   engine-cost [SECONDS] [EVENTS_PER_S] [STREAMS...] */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/tacho-api-openai.h"
#include "base/tacho-clock.h"
#include "bench/tacho-load-engine.h"

#define EVENT_SIZE 180
#define MAX_STREAMS 4096
#define WARMUP_EVENTS 10 /* of each stream: connections and caches */

/* --- the sender --- */

/* Shared with the sender: when it wrote event k of the connection that it accepted as number i. */
typedef struct
{
  guint n_streams, n_events;
  gint64 sent_ns[];
} Log;

typedef struct
{
  int fd;
  guint sent;
  gint64 due_ns;
  gboolean open;
} Out;

static gsize
log_size (guint n_streams, guint n_events)
{
  return sizeof (Log) + sizeof (gint64) * n_streams * n_events;
}

static gboolean
write_all (int fd, const char *data, gsize length)
{
  while (length > 0)
    {
      ssize_t n = send (fd, data, length, MSG_NOSIGNAL);

      if (n < 0 && errno == EAGAIN)
        continue;
      if (n <= 0)
        return FALSE;
      data += n;
      length -= (gsize) n;
    }
  return TRUE;
}

/* "data: {…}\n\n" in an HTTP chunk; the id is the connection's number. */
static gsize
format_event (char *out, guint stream)
{
  static const char tail[] = "\"},\"finish_reason\":null}]}\n\n";
  char body[EVENT_SIZE + 1];
  int n = snprintf (body, sizeof body,
                    "data: {\"id\":\"c%u\",\"object\":\"chat.completion.chunk\",\"created\":1,"
                    "\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"",
                    stream);

  memset (body + n, 'x', sizeof body - (gsize) n);
  memcpy (body + EVENT_SIZE - strlen (tail), tail, strlen (tail));
  body[EVENT_SIZE] = '\0';
  return (gsize) sprintf (out, "%x\r\n%s\r\n", EVENT_SIZE, body);
}

static void
read_head (int fd)
{
  char data[65536];
  gsize have = 0;

  while (have < sizeof data - 1)
    {
      ssize_t n = recv (fd, data + have, sizeof data - 1 - have, 0);
      char *end;

      if (n <= 0)
        return;
      have += (gsize) n;
      data[have] = '\0';
      end = strstr (data, "\r\n\r\n");
      if (end != NULL)
        {
          char *length = strcasestr (data, "Content-Length: ");
          gsize wanted = (gsize) (end + 4 - data) + (length ? strtoul (length + 16, NULL, 10) : 0);

          if (have >= wanted)
            return;
        }
    }
}

static void
sleep_until (gint64 due_ns)
{
  struct timespec due = { due_ns / TACHO_NS_PER_S, due_ns % TACHO_NS_PER_S };

  while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
    ;
}

static void
accept_all (int listener, Out *outs, Log *log)
{
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                             "Transfer-Encoding: chunked\r\n\r\n";
  int one = 1;

  for (guint i = 0; i < log->n_streams; i++)
    {
      outs[i].fd = accept (listener, NULL, NULL);
      outs[i].open = outs[i].fd >= 0;
      setsockopt (outs[i].fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
  for (guint i = 0; i < log->n_streams; i++)
    {
      read_head (outs[i].fd);
      write_all (outs[i].fd, head, sizeof head - 1);
    }
}

static void G_GNUC_NORETURN
run_sender (int listener, Log *log, double rate)
{
  static Out outs[MAX_STREAMS];
  static const char end[] = "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";
  gint64 step = (gint64) ((double) TACHO_NS_PER_S / rate);
  gint64 due;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  prctl (PR_SET_TIMERSLACK, 1000);
  accept_all (listener, outs, log);
  due = tacho_clock_now_ns () + 100 * TACHO_NS_PER_MS;
  for (guint k = 0; k < log->n_events; k++)
    for (guint i = 0; i < log->n_streams; i++, due += step)
      {
        char event[EVENT_SIZE + 16];
        gsize length = format_event (event, i);

        if (tacho_clock_now_ns () < due)
          sleep_until (due);
        log->sent_ns[i * log->n_events + k] = tacho_clock_now_ns ();
        if (outs[i].open)
          outs[i].open = write_all (outs[i].fd, event, length);
      }
  for (guint i = 0; i < log->n_streams; i++)
    write_all (outs[i].fd, end, sizeof end - 1);
  /* The client closes first. */
  for (guint i = 0; i < log->n_streams; i++)
    {
      char rest[64];

      while (recv (outs[i].fd, rest, sizeof rest, 0) > 0)
        ;
    }
  _exit (0);
}

typedef struct
{
  pid_t pid;
  guint16 port;
  Log *log;
} Sender;

static Sender
start_sender (guint n_streams, guint n_events, double rate)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  Sender sender = { 0 };
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  sender.log = mmap (NULL, log_size (n_streams, n_events), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_assert_true (sender.log != MAP_FAILED);
  sender.log->n_streams = n_streams;
  sender.log->n_events = n_events;
  g_assert_cmpint (bind (listener, (struct sockaddr *) &address, sizeof address), ==, 0);
  g_assert_cmpint (listen (listener, 4096), ==, 0);
  g_assert_cmpint (getsockname (listener, (struct sockaddr *) &address, &length), ==, 0);
  sender.port = ntohs (address.sin_port);
  sender.pid = fork ();
  g_assert_cmpint (sender.pid, >=, 0);
  if (sender.pid == 0)
    run_sender (listener, sender.log, rate);
  close (listener);
  return sender;
}

static void
stop_sender (Sender *sender)
{
  waitpid (sender->pid, NULL, 0);
  munmap (sender->log, log_size (sender->log->n_streams, sender->log->n_events));
}

/* --- measuring --- */

typedef struct
{
  guint64 events;
  guint64 reads;
  double cpu_us_per_event;
  double stamp_us_p50, stamp_us_p99;
  double own_read_share;
} Cost;

static gint64
thread_cpu_ns (void)
{
  struct timespec used;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * TACHO_NS_PER_S + used.tv_nsec;
}

static int
compare_stamps (const void *a, const void *b)
{
  gint64 left = *(const gint64 *) a, right = *(const gint64 *) b;

  return (left > right) - (left < right);
}

static int
connect_to (guint16 port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl (INADDR_LOOPBACK),
                                 .sin_port = htons (port) };
  static const char request[] = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"
                                "Content-Length: 2\r\n\r\n{}";
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  write_all (fd, request, sizeof request - 1);
  fcntl (fd, F_SETFL, O_NONBLOCK);
  return fd;
}

/* The floor: epoll, recv, a clock reading, a search for the event's end. No HTTP, no JSON. */
static Cost
run_epoll (Sender *sender)
{
  guint n = sender->log->n_streams;
  g_autofree int *fds = g_new (int, n);
  int epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  guint open = n;
  Cost cost = { 0 };
  gint64 cpu;

  for (guint i = 0; i < n; i++)
    {
      struct epoll_event event = { .events = EPOLLIN };

      event.data.fd = fds[i] = connect_to (sender->port);
      epoll_ctl (epoll_fd, EPOLL_CTL_ADD, fds[i], &event);
    }
  cpu = thread_cpu_ns ();
  while (open > 0)
    {
      struct epoll_event events[256];
      int ready = epoll_wait (epoll_fd, events, 256, -1);

      for (int i = 0; i < ready; i++)
        {
          char data[16384];
          ssize_t got = recv (events[i].data.fd, data, sizeof data, 0);
          const char *at = data, *end = data + MAX (got, 0);
          volatile gint64 stamp = tacho_clock_now_ns ();

          (void) stamp;
          cost.reads++;
          while ((at = memmem (at, (gsize) (end - at), "\n\n", 2)) != NULL)
            {
              cost.events++;
              at += 2;
            }
          if (got <= 0 || memmem (data, (gsize) got, "\r\n0\r\n\r\n", 7) != NULL)
            {
              epoll_ctl (epoll_fd, EPOLL_CTL_DEL, events[i].data.fd, NULL);
              open--;
            }
        }
    }
  cost.cpu_us_per_event = (double) (thread_cpu_ns () - cpu) / 1e3 / (double) cost.events;
  for (guint i = 0; i < n; i++)
    close (fds[i]);
  close (epoll_fd);
  return cost;
}

/* --- bare libcurl: multi-socket and epoll, the bytes thrown away --- */

typedef struct
{
  int epoll_fd;
  guint64 events;
  gint64 due_ns;
} Bare;

static size_t
bare_write_cb (char *data, size_t size, size_t n, void *user_data)
{
  Bare *bare = user_data;
  const char *at = data, *end = data + size * n;
  volatile gint64 stamp = tacho_clock_now_ns ();

  (void) stamp;
  while ((at = memmem (at, (gsize) (end - at), "\n\n", 2)) != NULL)
    {
      bare->events++;
      at += 2;
    }
  return size * n;
}

static int
bare_socket_cb (CURL *easy, curl_socket_t fd, int what, void *user_data, void *known)
{
  Bare *bare = user_data;
  struct epoll_event event = { .data.fd = fd };

  event.events = ((what & CURL_POLL_IN) ? EPOLLIN : 0) | ((what & CURL_POLL_OUT) ? EPOLLOUT : 0);
  if (what == CURL_POLL_REMOVE)
    epoll_ctl (bare->epoll_fd, EPOLL_CTL_DEL, fd, &event);
  else if (epoll_ctl (bare->epoll_fd, EPOLL_CTL_MOD, fd, &event) != 0)
    epoll_ctl (bare->epoll_fd, EPOLL_CTL_ADD, fd, &event);
  return 0;
}

static int
bare_timer_cb (CURLM *multi, long ms, void *user_data)
{
  ((Bare *) user_data)->due_ns = ms < 0 ? G_MAXINT64 : tacho_clock_now_ns () + ms * TACHO_NS_PER_MS;
  return 0;
}

static Cost
run_curl (Sender *sender)
{
  guint n = sender->log->n_streams;
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u/v1/chat/completions", sender->port);
  g_autofree CURL **handles = g_new0 (CURL *, n);
  CURLM *multi = curl_multi_init ();
  Bare bare = { epoll_create1 (EPOLL_CLOEXEC), 0, G_MAXINT64 };
  int running = (int) n;
  Cost cost = { 0 };
  gint64 cpu;

  curl_multi_setopt (multi, CURLMOPT_SOCKETFUNCTION, bare_socket_cb);
  curl_multi_setopt (multi, CURLMOPT_SOCKETDATA, &bare);
  curl_multi_setopt (multi, CURLMOPT_TIMERFUNCTION, bare_timer_cb);
  curl_multi_setopt (multi, CURLMOPT_TIMERDATA, &bare);
  for (guint i = 0; i < n; i++)
    {
      handles[i] = curl_easy_init ();
      curl_easy_setopt (handles[i], CURLOPT_URL, url);
      curl_easy_setopt (handles[i], CURLOPT_PROXY, "");
      curl_easy_setopt (handles[i], CURLOPT_NOSIGNAL, 1L);
      curl_easy_setopt (handles[i], CURLOPT_POSTFIELDS, "{}");
      curl_easy_setopt (handles[i], CURLOPT_WRITEFUNCTION, bare_write_cb);
      curl_easy_setopt (handles[i], CURLOPT_WRITEDATA, &bare);
      curl_multi_add_handle (multi, handles[i]);
    }
  cpu = thread_cpu_ns ();
  while (running > 0)
    {
      struct epoll_event events[256];
      int ready = epoll_wait (bare.epoll_fd, events, 256, bare.due_ns == G_MAXINT64 ? 100 : 1);

      for (int i = 0; i < ready; i++)
        curl_multi_socket_action (multi, events[i].data.fd,
                                  ((events[i].events & EPOLLIN) ? CURL_CSELECT_IN : 0) |
                                      ((events[i].events & EPOLLOUT) ? CURL_CSELECT_OUT : 0),
                                  &running);
      cost.reads += (guint64) MAX (ready, 0);
      if (bare.due_ns <= tacho_clock_now_ns ())
        {
          bare.due_ns = G_MAXINT64;
          curl_multi_socket_action (multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
    }
  cost.events = bare.events;
  cost.cpu_us_per_event = (double) (thread_cpu_ns () - cpu) / 1e3 / (double) cost.events;
  for (guint i = 0; i < n; i++)
    {
      curl_multi_remove_handle (multi, handles[i]);
      curl_easy_cleanup (handles[i]);
    }
  curl_multi_cleanup (multi);
  close (bare.epoll_fd);
  return cost;
}

/* --- the load engine, all of it: parsing, stamping, recording, snapshots --- */

static void
ignore_snapshot (TachoSnapshotMessage *message, gpointer user_data)
{
  tacho_snapshot_message_free (message);
}

static void
compare_with_log (Cost *cost, const TachoBenchResult *result, const Log *log)
{
  g_autoptr (GArray) late = g_array_new (FALSE, FALSE, sizeof (gint64));

  for (guint i = 0; i < result->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (result->records, i);
      guint stream = record->response_id != NULL ? (guint) atoi (record->response_id + 1) : 0;

      if (record->n_chunk_ns != log->n_events)
        g_error ("stream %u: %u of %u events", stream, record->n_chunk_ns, log->n_events);
      for (guint k = WARMUP_EVENTS; k < log->n_events; k++)
        {
          gint64 difference =
              record->chunk_ns[k] - log->sent_ns[(gsize) stream * log->n_events + k];

          g_array_append_val (late, difference);
        }
    }
  qsort (late->data, late->len, sizeof (gint64), compare_stamps);
  cost->stamp_us_p50 = (double) g_array_index (late, gint64, late->len / 2) / 1e3;
  cost->stamp_us_p99 = (double) g_array_index (late, gint64, late->len * 99 / 100) / 1e3;
}

static Cost
run_engine (Sender *sender)
{
  TachoLoadConfig *config = g_new0 (TachoLoadConfig, 1);
  g_autoptr (TachoBenchResult) result = NULL;
  g_autoptr (GError) error = NULL;
  TachoLoadEngine *engine;
  Cost cost = { 0 };
  gint64 cpu;

  config->base_url = g_strdup_printf ("http://127.0.0.1:%u", sender->port);
  config->api = tacho_api_openai_new ();
  config->plan = tacho_bench_plan_new ();
  config->plan->model = g_strdup ("m");
  config->plan->concurrency = sender->log->n_streams;
  config->plan->requests = sender->log->n_streams;
  config->plan->warmup_requests = 0;
  config->plan->prompt_tokens.min = config->plan->prompt_tokens.max = 16;
  config->keep_chunks = TRUE;
  config->timeouts_s[TACHO_TIMEOUT_CONNECT] = 10;
  result = tacho_bench_result_new (config->plan);
  engine = tacho_load_engine_new (config, &error);
  g_assert_no_error (error);
  cpu = thread_cpu_ns ();
  tacho_load_engine_run (engine, ignore_snapshot, NULL, result);
  cpu = thread_cpu_ns () - cpu;
  tacho_load_engine_free (engine);
  g_assert_cmpuint (result->ok, ==, sender->log->n_streams);
  cost.events = result->output_tokens;
  cost.cpu_us_per_event = (double) cpu / 1e3 / (double) cost.events;
  cost.own_read_share = result->self_check.own_read_share;
  compare_with_log (&cost, result, sender->log);
  return cost;
}

/* Three rounds, the receivers one after the other in each; the median round by CPU counts. */
static Cost
median_of (Cost *costs)
{
  for (guint i = 0; i < 2; i++)
    for (guint k = 0; k < 2 - i; k++)
      if (costs[k].cpu_us_per_event > costs[k + 1].cpu_us_per_event)
        {
          Cost swap = costs[k];

          costs[k] = costs[k + 1];
          costs[k + 1] = swap;
        }
  return costs[1];
}

static void
print_case (guint n_streams, double rate, double seconds, gboolean last)
{
  static Cost (*const receivers[]) (Sender *) = { run_epoll, run_curl, run_engine };
  guint n_events = MAX ((guint) (rate * seconds / n_streams), WARMUP_EVENTS + 10);
  Cost rounds[3][3], cost[3];

  for (guint round = 0; round < 3; round++)
    for (guint i = 0; i < 3; i++)
      {
        Sender sender = start_sender (n_streams, n_events, rate);

        rounds[i][round] = receivers[i](&sender);
        stop_sender (&sender);
      }
  for (guint i = 0; i < 3; i++)
    cost[i] = median_of (rounds[i]);
  printf ("    {\"streams\": %u, \"events\": %" G_GUINT64_FORMAT ", \"events_per_s\": %.0f,\n"
          "     \"cpu_us_per_event\": {\"epoll\": %.2f, \"libcurl\": %.2f, \"engine\": %.2f},\n"
          "     \"ratio_to_epoll\": {\"libcurl\": %.2f, \"engine\": %.2f},\n"
          "     \"stamp_error_us\": {\"p50\": %.1f, \"p99\": %.1f}, \"own_read_share\": %.3f}%s\n",
          n_streams, cost[2].events, rate, cost[0].cpu_us_per_event, cost[1].cpu_us_per_event,
          cost[2].cpu_us_per_event, cost[1].cpu_us_per_event / cost[0].cpu_us_per_event,
          cost[2].cpu_us_per_event / cost[0].cpu_us_per_event, cost[2].stamp_us_p50,
          cost[2].stamp_us_p99, cost[2].own_read_share, last ? "" : ",");
  fflush (stdout);
}

int
main (int argc, char **argv)
{
  static const char *const streams[] = { "64", "256", "1000" };
  double seconds = argc > 1 ? g_ascii_strtod (argv[1], NULL) : 8;
  double rate = argc > 2 ? g_ascii_strtod (argv[2], NULL) : 12800;
  const char *const *chosen = argc > 3 ? (const char *const *) argv + 3 : streams;
  int n = argc > 3 ? argc - 3 : (int) G_N_ELEMENTS (streams);

  if (seconds <= 0 || rate <= 0)
    {
      fprintf (stderr, "usage: engine-cost [SECONDS] [EVENTS_PER_S] [STREAMS...]\n");
      return 2;
    }
  curl_global_init (CURL_GLOBAL_DEFAULT);
  printf ("{\"benchmark\": \"engine-cost\", \"event_bytes\": %d, \"seconds\": %g,\n"
          "  \"cases\": [\n",
          EVENT_SIZE, seconds);
  fflush (stdout);
  for (int i = 0; i < n; i++)
    print_case (CLAMP ((guint) atoi (chosen[i]), 1, MAX_STREAMS), rate, seconds, i == n - 1);
  printf ("  ]}\n");
  return 0;
}
