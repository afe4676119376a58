/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request after the other on one libcurl handle. The callbacks are the hot path: no allocation
 * in the steady state, no lock, the stamp first. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-load-stream.h"

#include "base/tacho-clock.h"
#include "base/tacho-url.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* After the terminal marker the body should end at once; if it does not, the request is over all
 * the same. */
#define DRAIN_NS TACHO_NS_PER_S
/* How long a server that closes connections after its replies is given to do so, once a run. */
#define HABIT_NS (20 * TACHO_NS_PER_MS)
#define READ_BUFFER 16384L
/* From the third failure in a row a place rests, twice as long each time: a server that refuses
 * everything is not to be hammered, nor memory filled with its refusals. */
#define FAILURES_BEFORE_REST 3
#define REST_NS (50 * TACHO_NS_PER_MS)
#define MAX_REST_NS TACHO_NS_PER_S

static void
note_chunk (TachoLoadStream *self, gint64 now_ns)
{
  TachoBenchRecord *record = self->record;
  TachoReadCounts *counts = self->counts;

  if (!record->warmup)
    {
      self->chunks_in_read++;
      counts->chunks++;
      if (self->chunks_in_read == 1)
        counts->own_reads++;
      else if (self->chunks_in_read == 2)
        counts->own_reads--; /* the first one was not alone after all */
      tacho_recorder_chunk (self->recorder, record, record->last_ns, now_ns);
    }
  if (record->last_ns != 0)
    {
      gint64 gap = now_ns - record->last_ns;

      g_array_append_val (self->gaps_ns, gap);
    }
  else
    record->first_ns = now_ns;
  record->last_ns = now_ns;
  record->chunks++;
  if (now_ns >= counts->window_start_ns && now_ns <= counts->window_end_ns)
    record->chunks_in_window++;
  if (self->config->keep_chunks)
    g_array_append_val (self->chunks_ns, now_ns);
}

/**
 * tacho_load_stream_event:
 * @event: what the decoder read
 * @stream: a TachoLoadStream whose last_byte_ns is the stamp of the read
 *
 * The decoder's callback.
 */
void
tacho_load_stream_event (const TachoStreamEvent *event, gpointer stream)
{
  TachoLoadStream *self = stream;

  if (event->has_content || event->has_reasoning || event->has_tool)
    note_chunk (self, self->last_byte_ns);
  if (event->has_usage)
    self->usage = event->usage;
  if (event->done)
    self->record->end_ns = self->last_byte_ns;
  if (event->response_id != NULL && self->record->response_id == NULL)
    self->record->response_id = g_strdup (event->response_id);
}

/* libcurl calls this right after its read returned, once for each HTTP chunk: what came with one
 * read has one stamp. */
static size_t
write_cb (char *data, size_t size, size_t n, void *user_data)
{
  TachoLoadStream *self = user_data;
  gsize length = size * n;

  /* One action may read twice; a read fills libcurl's buffer from its start. */
  if (self->stamp_action != self->counts->action || self->last_byte_ns == 0 ||
      data <= self->last_data)
    {
      self->last_byte_ns = tacho_clock_now_ns ();
      self->stamp_action = self->counts->action;
      self->chunks_in_read = 0;
    }
  self->last_data = data;
  if (self->record->http_status == 0)
    {
      long status = 0;

      curl_easy_getinfo (self->easy, CURLINFO_RESPONSE_CODE, &status);
      self->record->http_status = (guint16) status;
    }
  if (self->record->http_status < 200 || self->record->http_status > 299)
    return length; /* the class follows from the status; the connection stays usable */
  if (tacho_stream_decoder_is_done (self->decoder))
    return length;
  if (tacho_stream_decoder_feed (self->decoder, data, length, tacho_load_stream_event, self,
                                 &self->verdict))
    return length;
  return 0;
}

static size_t
header_cb (char *data, size_t size, size_t n, void *user_data)
{
  TachoLoadStream *self = user_data;
  gsize length = size * n;

  self->head_seen = TRUE;
  if (length > 17 && g_ascii_strncasecmp (data, "Content-Encoding:", 17) == 0 &&
      g_strstr_len (data, (gssize) length, "identity") == NULL)
    {
      g_set_error_literal (&self->verdict, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                           "The server compressed the reply, which was not asked for");
      return 0;
    }
  return length;
}

/* The connection stands; the request goes on the wire now. When a kept connection turns out to be
 * dead, libcurl would send the request again by itself; a benchmark does not retry in secret. */
static int
prereq_cb (void *user_data, char *ip, char *local_ip, int port, int local_port)
{
  TachoLoadStream *self = user_data;

  if (self->on_wire)
    {
      self->resent = TRUE;
      return CURL_PREREQFUNC_ABORT;
    }
  self->record->start_ns = tacho_clock_now_ns ();
  self->on_wire = TRUE;
  return CURL_PREREQFUNC_OK;
}

static gboolean
add_header (TachoLoadStream *self, const char *line)
{
  struct curl_slist *longer = curl_slist_append (self->headers, line);

  if (longer != NULL)
    self->headers = longer;
  return longer != NULL;
}

static gboolean
make_headers (TachoLoadStream *self, GError **error)
{
  const TachoLoadConfig *config = self->config;

  add_header (self, "Content-Type: application/json");
  add_header (self, "Accept: text/event-stream, application/json");
  add_header (self, "Expect:");
  if (config->bearer != NULL)
    {
      g_autofree char *value = g_strconcat ("Bearer ", config->bearer, NULL);
      g_autofree char *line = g_strconcat ("Authorization: ", value, NULL);

      if (!tacho_header_check ("Authorization", value, NULL))
        {
          g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                               "The API key holds a line break or another character that no HTTP "
                               "header may hold");
          return FALSE;
        }
      add_header (self, line);
    }
  for (char **line = config->headers; line != NULL && *line != NULL; line++)
    {
      g_autofree char *name = NULL;
      g_autofree char *value = NULL;

      if (!tacho_header_parse (*line, &name, &value, error))
        return FALSE;
      add_header (self, *line);
    }
  return TRUE;
}

static void
set_options (TachoLoadStream *self)
{
  const TachoLoadConfig *config = self->config;
  CURL *easy = self->easy;

  curl_easy_setopt (easy, CURLOPT_PRIVATE, self);
  curl_easy_setopt (easy, CURLOPT_HTTPHEADER, self->headers);
  if (!config->plan->http2)
    curl_easy_setopt (easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
  else
    {
      /* Negotiated by TLS. Without it libcurl 7.88 cannot share a connection: its second request
       * fails with CURLE_HTTP2. */
      curl_easy_setopt (easy, CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_2TLS);
      curl_easy_setopt (easy, CURLOPT_PIPEWAIT, 1L);
    }
  curl_easy_setopt (easy, CURLOPT_HTTP09_ALLOWED, 0L);
  curl_easy_setopt (easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt (easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt (easy, CURLOPT_PROXY, config->proxy != NULL ? config->proxy : "");
  curl_easy_setopt (easy, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
  curl_easy_setopt (easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt (easy, CURLOPT_BUFFERSIZE, READ_BUFFER);
  curl_easy_setopt (easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
  if (config->ca_file != NULL)
    curl_easy_setopt (easy, CURLOPT_CAINFO, config->ca_file);
  if (config->cert_file != NULL)
    curl_easy_setopt (easy, CURLOPT_SSLCERT, config->cert_file);
  if (config->key_file != NULL)
    curl_easy_setopt (easy, CURLOPT_SSLKEY, config->key_file);
  curl_easy_setopt (easy, CURLOPT_CONNECTTIMEOUT_MS,
                    (long) (config->timeouts_s[TACHO_TIMEOUT_CONNECT] * 1000));
  curl_easy_setopt (easy, CURLOPT_ERRORBUFFER, self->error_text);
  curl_easy_setopt (easy, CURLOPT_WRITEFUNCTION, write_cb);
  curl_easy_setopt (easy, CURLOPT_WRITEDATA, self);
  curl_easy_setopt (easy, CURLOPT_HEADERFUNCTION, header_cb);
  curl_easy_setopt (easy, CURLOPT_HEADERDATA, self);
  curl_easy_setopt (easy, CURLOPT_PREREQFUNCTION, prereq_cb);
  curl_easy_setopt (easy, CURLOPT_PREREQDATA, self);
}

/**
 * tacho_load_stream_init:
 * @self: zeroed memory
 * @config: outlives @self
 * @recorder: outlives @self
 * @counts: outlives @self
 * @grpc: (nullable): the channel, which outlives @self; %NULL for HTTP
 * @error: return location
 *
 * Makes the handle, its headers and its decoder.
 *
 * Returns: whether requests can be sent
 */
gboolean
tacho_load_stream_init (TachoLoadStream *self,
                        const TachoLoadConfig *config,
                        TachoRecorder *recorder,
                        TachoReadCounts *counts,
                        TachoTransport *grpc,
                        GError **error)
{
  self->config = config;
  self->recorder = recorder;
  self->counts = counts;
  self->grpc = grpc;
  self->kept_fd = CURL_SOCKET_BAD;
  self->gaps_ns = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->chunks_ns = g_array_new (FALSE, FALSE, sizeof (gint64));
  self->decoder = tacho_stream_decoder_new (
      config->api, config->plan->chat ? TACHO_OP_CHAT : TACHO_OP_COMPLETION, TACHO_DECODE_MEASURE);
  if (grpc != NULL)
    return TRUE;
  self->easy = curl_easy_init ();
  if (self->easy == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_IO, "libcurl gives no handle");
      return FALSE;
    }
  if (!make_headers (self, error))
    return FALSE;
  set_options (self);
  return TRUE;
}

/**
 * tacho_load_stream_is_ready:
 * @self: a stream
 *
 * Returns: whether tacho_load_stream_init() was called
 */
gboolean
tacho_load_stream_is_ready (const TachoLoadStream *self)
{
  return self->decoder != NULL;
}

static void
drop_kept_fd (TachoLoadStream *self)
{
  if (self->kept_fd != CURL_SOCKET_BAD)
    close (self->kept_fd);
  self->kept_fd = CURL_SOCKET_BAD;
}

/**
 * tacho_load_stream_clear:
 * @self: a stream whose handle has left the multi handle
 *
 * Frees what it holds.
 */
void
tacho_load_stream_clear (TachoLoadStream *self)
{
  if (tacho_load_stream_is_ready (self))
    drop_kept_fd (self);
  g_clear_pointer (&self->easy, curl_easy_cleanup);
  g_clear_pointer (&self->headers, curl_slist_free_all);
  g_clear_pointer (&self->decoder, tacho_stream_decoder_free);
  g_clear_pointer (&self->record, tacho_bench_record_free);
  g_clear_pointer (&self->body, g_bytes_unref);
  g_clear_pointer (&self->gaps_ns, g_array_unref);
  g_clear_pointer (&self->chunks_ns, g_array_unref);
  g_clear_error (&self->verdict);
  g_clear_error (&self->grpc_error);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->item, tacho_load_item_free);
}

static void
begin_http (TachoLoadStream *self, const TachoHttpRequest *request)
{
  g_autofree char *url = tacho_url_join (self->config->base_url, request->path);
  gsize length = 0;
  gconstpointer data;

  g_clear_pointer (&self->body, g_bytes_unref);
  self->body = g_bytes_ref (request->body);
  data = g_bytes_get_data (self->body, &length);
  self->error_text[0] = '\0';
  /* libcurl resends a request whose kept connection turns out to be closed before a byte came, but
   * counts that over the life of a handle and fails the sixth (curl #5974, #19066). llama-server
   * closes after every streamed reply without a word, so only a reset handle measures it right. */
  curl_easy_reset (self->easy);
  set_options (self);
  if (self->counts->habit == TACHO_HABIT_CLOSES)
    {
      curl_easy_setopt (self->easy, CURLOPT_FRESH_CONNECT, 1L);
      curl_easy_setopt (self->easy, CURLOPT_FORBID_REUSE, 1L);
    }
  curl_easy_setopt (self->easy, CURLOPT_URL, url);
  curl_easy_setopt (self->easy, CURLOPT_POSTFIELDS, data);
  curl_easy_setopt (self->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) length);
}

/**
 * tacho_load_stream_begin:
 * @self: an idle stream
 * @request: what to send
 * @record: (transfer full): the request's, with its id, its phase and when it was due
 *
 * Sets the handle up for the request, or starts the gRPC call.
 */
void
tacho_load_stream_begin (TachoLoadStream *self,
                         const TachoHttpRequest *request,
                         TachoBenchRecord *record)
{
  self->record = record;
  record->prompt_tokens = -1;
  g_array_set_size (self->gaps_ns, 0);
  g_array_set_size (self->chunks_ns, 0);
  g_clear_error (&self->verdict);
  tacho_usage_clear (&self->usage);
  tacho_stream_decoder_reset (self->decoder);
  self->last_byte_ns = 0;
  self->on_wire = self->head_seen = self->resent = FALSE;
  if (self->grpc == NULL)
    begin_http (self, request);
  record->start_ns = tacho_clock_now_ns ();
  if (self->grpc != NULL)
    tacho_load_grpc_begin (self, request);
}

static gboolean
is_over (gint64 since_ns, gint64 now_ns, double limit_s)
{
  return limit_s > 0 && now_ns - since_ns > (gint64) (limit_s * TACHO_NS_PER_S);
}

/**
 * tacho_load_stream_overdue:
 * @self: a stream with a request
 * @now_ns: now
 *
 * Returns: the class of the timeout that has passed, or 0; %TACHO_ERROR_CANCELLED for a body that
 * does not end after its terminal marker, which takes nothing from the result
 */
TachoErrorCode
tacho_load_stream_overdue (const TachoLoadStream *self, gint64 now_ns)
{
  const double *limits = self->config->timeouts_s;

  if (self->cancel_at_ns != 0 && now_ns >= self->cancel_at_ns && self->record->end_ns == 0)
    return TACHO_ERROR_CANCELLED;
  if (self->grpc != NULL)
    return (TachoErrorCode) 0; /* the channel has timers of its own */
  if (self->record->end_ns != 0)
    return now_ns - self->record->end_ns > DRAIN_NS ? TACHO_ERROR_CANCELLED : (TachoErrorCode) 0;
  if (is_over (self->record->start_ns, now_ns, limits[TACHO_TIMEOUT_TOTAL]))
    return TACHO_ERROR_TIMEOUT_TOTAL;
  if (!self->on_wire)
    return (TachoErrorCode) 0; /* libcurl has the connect timer */
  if (self->last_byte_ns == 0)
    return is_over (self->record->start_ns, now_ns, limits[TACHO_TIMEOUT_FIRST])
               ? TACHO_ERROR_TIMEOUT_FIRST
               : (TachoErrorCode) 0;
  return is_over (self->last_byte_ns, now_ns, limits[TACHO_TIMEOUT_IDLE]) ? TACHO_ERROR_TIMEOUT_IDLE
                                                                          : (TachoErrorCode) 0;
}

static void
count_tokens (TachoLoadStream *self)
{
  TachoBenchRecord *record = self->record;

  record->prompt_tokens = self->usage.prompt_tokens;
  record->tokens_from_usage = self->usage.output_tokens >= 0;
  record->output_tokens = record->tokens_from_usage ? self->usage.output_tokens : record->chunks;
}

/**
 * tacho_load_stream_learn_habit:
 * @self: an idle stream whose connection is watched
 *
 * A server that closes a connection it promised to keep makes the next request fail through no
 * fault of the server under load, and sending it again could generate twice. So the first reply of
 * a run is followed by a short rest, and if the server has closed by then, every request gets a new
 * connection.
 */
void
tacho_load_stream_learn_habit (TachoLoadStream *self)
{
  /* What can be read proves nothing: another place may have taken the connection meanwhile, and
   * have its reply there. The server's end of it does. */
  struct pollfd end = { .fd = self->kept_fd, .events = POLLRDHUP };
  gboolean closed = poll (&end, 1, 0) != 0;

  if (self->counts->habit == TACHO_HABIT_UNKNOWN)
    self->counts->habit = closed ? TACHO_HABIT_CLOSES : TACHO_HABIT_KEEPS;
  drop_kept_fd (self);
}

/**
 * tacho_load_stream_watch_habit:
 * @self: a stream whose request has ended well; the handle must still be in the multi handle, which
 * alone knows its connection
 * @now_ns: now
 *
 * Where the server's habit is not known yet: keeps an eye on the connection while the place rests.
 */
void
tacho_load_stream_watch_habit (TachoLoadStream *self, gint64 now_ns)
{
  curl_socket_t fd = CURL_SOCKET_BAD;

  if (self->counts->habit != TACHO_HABIT_UNKNOWN || !tacho_stream_decoder_is_done (self->decoder))
    return;
  curl_easy_getinfo (self->easy, CURLINFO_ACTIVESOCKET, &fd);
  if (fd == CURL_SOCKET_BAD)
    {
      self->counts->habit = TACHO_HABIT_CLOSES;
      return;
    }
  /* One of our own: libcurl may close its descriptor, and give the number to another. */
  self->kept_fd = fcntl (fd, F_DUPFD_CLOEXEC, 0);
  self->rest_until_ns = now_ns + HABIT_NS;
}

/**
 * tacho_load_stream_end:
 * @self: a stream with a request
 * @code: libcurl's result
 * @forced: a class that overrides it, or 0
 * @now_ns: now
 *
 * Judges the request and files its record; the stream is idle then.
 */
void
tacho_load_stream_end (TachoLoadStream *self, CURLcode code, TachoErrorCode forced, gint64 now_ns)
{
  TachoBenchRecord *record = self->record;
  long connects = 0;
  long status = 0;

  if (self->grpc != NULL)
    record->error = tacho_load_grpc_judge (self);
  else
    {
      if (record->http_status == 0 &&
          curl_easy_getinfo (self->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK)
        record->http_status = (guint16) status;
      record->error = tacho_load_stream_judge (self, code, forced);
      curl_easy_getinfo (self->easy, CURLINFO_NUM_CONNECTS, &connects);
      record->connection_reused = connects == 0 && self->on_wire;
    }
  record->status = tacho_load_status_of (record->error);
  if (record->end_ns == 0)
    record->end_ns = now_ns;
  count_tokens (self);
  self->cancel_at_ns = 0;
  self->failures =
      record->error == 0 || record->error == TACHO_ERROR_CANCELLED ? 0 : self->failures + 1;
  if (self->failures >= FAILURES_BEFORE_REST)
    self->rest_until_ns =
        now_ns + MIN (MAX_REST_NS, REST_NS << MIN (self->failures - FAILURES_BEFORE_REST, 6));
  if (self->config->keep_chunks && self->chunks_ns->len > 0)
    {
      record->n_chunk_ns = self->chunks_ns->len;
      record->chunk_ns = g_memdup2 (self->chunks_ns->data, self->chunks_ns->len * sizeof (gint64));
    }
  self->record = NULL;
  tacho_recorder_take (self->recorder, record, self->gaps_ns);
}
