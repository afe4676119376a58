/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bytes of broken replies. Each fault is one deviation; all else is as it should be, so that a
 * client's reaction is a reaction to that. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-wire-private.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define FILLER_SIZE ((gsize) 64 * 1024)
#define MAX_ENDLESS ((guint64) 1024 * 1024 * 1024) /* a client that takes all of it is lost */

gboolean
tacho_sim_wire_is (const TachoSimWire *wire, const char *name)
{
  return g_str_equal (wire->name, name);
}

gboolean
tacho_sim_wire_is_word (const TachoSimWire *wire, const char *name, const char *word)
{
  return tacho_sim_wire_is (wire, name) && g_strcmp0 (wire->word, word) == 0;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void write_later (TachoSimWire *wire, double ms);

static void
left (TachoSimWire *wire)
{
  clear_source (&wire->writer);
  clear_source (&wire->watch);
  wire->over = TRUE;
  wire->gone (wire->user_data);
}

/* What was closed is over at once: its descriptor may soon be another connection's. */
static void
finish (TachoSimWire *wire)
{
  struct sockaddr nobody = { .sa_family = AF_UNSPEC };

  if (wire->ending == TACHO_SIM_WIRE_END_RESET &&
      connect (g_socket_get_fd (wire->socket), &nobody, sizeof nobody) < 0)
    g_socket_shutdown (wire->socket, TRUE, TRUE, NULL);
  else if (wire->ending == TACHO_SIM_WIRE_END_HALF)
    g_socket_shutdown (wire->socket, FALSE, TRUE, NULL);
  if (wire->ending == TACHO_SIM_WIRE_END_RESET || wire->ending == TACHO_SIM_WIRE_END_CLOSE)
    left (wire); /* which closes it */
}

/* How much may go now, and how long it is until more may. */
static gsize
piece_of (TachoSimWire *wire, double *pause_ms)
{
  gsize all = wire->out->len;

  *pause_ms = 0;
  if (tacho_sim_wire_is (wire, "slow-head") && wire->head_bytes > 0)
    {
      *pause_ms = wire->plan.number;
      return 1;
    }
  if (wire->plan.bandwidth > 0)
    {
      gsize piece = MAX ((gsize) (wire->plan.bandwidth / 50), 1);

      *pause_ms = (double) MIN (piece, all) / wire->plan.bandwidth * 1000;
      return MIN (piece, all);
    }
  if (wire->plan.slice_bytes > 0)
    {
      *pause_ms = wire->plan.slice_ms;
      return MIN (wire->plan.slice_bytes, all);
    }
  return all;
}

static gboolean
write_cb (gpointer user_data)
{
  TachoSimWire *wire = user_data;
  GOutputStream *output = g_io_stream_get_output_stream (wire->stream);
  g_autoptr (GError) error = NULL;
  double pause_ms;
  gsize piece;
  gssize n;

  clear_source (&wire->writer);
  if (wire->out->len == 0 && wire->endless > 0)
    {
      gsize size = (gsize) MIN (wire->endless, FILLER_SIZE);

      g_byte_array_set_size (wire->out, (guint) size);
      memset (wire->out->data, wire->filler, size);
      wire->endless -= size;
    }
  if (wire->out->len == 0)
    {
      if (wire->over)
        finish (wire);
      return G_SOURCE_REMOVE;
    }
  piece = piece_of (wire, &pause_ms);
  n = g_pollable_output_stream_write_nonblocking (G_POLLABLE_OUTPUT_STREAM (output),
                                                  wire->out->data, piece, NULL, &error);
  if (n < 0 && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    {
      left (wire);
      return G_SOURCE_REMOVE;
    }
  if (n > 0)
    {
      struct timespec now;

      clock_gettime (CLOCK_MONOTONIC, &now);
      wire->last_byte_ns = (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
      if (wire->first_byte_ns == 0)
        wire->first_byte_ns = wire->last_byte_ns;
      g_byte_array_remove_range (wire->out, 0, (guint) n);
      wire->head_bytes -= MIN (wire->head_bytes, (gsize) n);
    }
  write_later (wire, n < 0 ? 1 : pause_ms);
  return G_SOURCE_REMOVE;
}

static void
write_later (TachoSimWire *wire, double ms)
{
  if (wire->writer != NULL)
    return;
  wire->writer = ms >= 1 ? g_timeout_source_new ((guint) ms) : g_idle_source_new ();
  g_source_set_priority (wire->writer, G_PRIORITY_DEFAULT);
  g_source_set_callback (wire->writer, write_cb, wire, NULL);
  g_source_attach (wire->writer, wire->context);
}

void
tacho_sim_wire_put (TachoSimWire *wire, const char *data, gsize length)
{
  g_byte_array_append (wire->out, (const guint8 *) data, (guint) length);
  if (!wire->head_done)
    wire->head_bytes += length;
  write_later (wire, 0);
}

void
tacho_sim_wire_put_text (TachoSimWire *wire, const char *text)
{
  tacho_sim_wire_put (wire, text, strlen (text));
}

void
tacho_sim_wire_end_with (TachoSimWire *wire, TachoSimWireEnding ending)
{
  wire->over = TRUE;
  wire->ending = ending;
  write_later (wire, 0);
}

void
tacho_sim_wire_put_endless (TachoSimWire *wire, char filler)
{
  wire->filler = filler;
  wire->endless = MAX_ENDLESS;
  tacho_sim_wire_end_with (wire, TACHO_SIM_WIRE_END_CLOSE);
}

/* --- the body --------------------------------------------------------------------------------- */

static void
put_framed (TachoSimWire *wire, const char *data, gsize length)
{
  g_autofree char *size = g_strdup_printf ("%zx\r\n", length);

  wire->body_bytes += length;
  if (wire->chunked)
    tacho_sim_wire_put_text (wire, size);
  tacho_sim_wire_put (wire, data, length);
  if (wire->chunked)
    tacho_sim_wire_put_text (wire, "\r\n");
}

/* 1 MiB of zeros is 1 KiB of gzip: a thousand such members are a gigabyte. */
static void
put_encoded (TachoSimWire *wire, const char *data, gsize length)
{
  g_autoptr (GZlibCompressor) compressor = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
  gboolean bomb = tacho_sim_wire_is_word (wire, "encoding", "bomb");
  gsize size = bomb ? (gsize) 1024 * 1024 : length;
  g_autofree char *zeros = bomb ? g_malloc0 (size) : NULL;
  g_autofree char *packed = g_malloc (size + 1024);
  gsize n_read, n_written;

  if (tacho_sim_wire_is_word (wire, "encoding", "unasked") ||
      tacho_sim_wire_is_word (wire, "encoding", "stacked") ||
      tacho_sim_wire_is_word (wire, "encoding", "corrupt"))
    {
      put_framed (wire,
                  tacho_sim_wire_is_word (wire, "encoding", "corrupt") ? "not gzip at all" : data,
                  tacho_sim_wire_is_word (wire, "encoding", "corrupt") ? 15 : length);
      return;
    }
  if (g_converter_convert (G_CONVERTER (compressor), bomb ? zeros : data, size, packed, size + 1024,
                           G_CONVERTER_INPUT_AT_END, &n_read, &n_written,
                           NULL) == G_CONVERTER_ERROR)
    return;
  if (tacho_sim_wire_is_word (wire, "encoding", "truncated"))
    n_written /= 2;
  for (guint i = 0; i < (bomb ? 300u : 1u); i++)
    put_framed (wire, packed, n_written);
}

static void
put_bad_chunk (TachoSimWire *wire, const char *data, gsize length)
{
  g_autofree char *line = NULL;

  if (tacho_sim_wire_is_word (wire, "chunk", "bad"))
    line = g_strdup ("ZZ\r\n");
  else if (tacho_sim_wire_is_word (wire, "chunk", "negative"))
    line = g_strdup ("-5\r\n");
  else if (tacho_sim_wire_is_word (wire, "chunk", "overflow"))
    line = g_strdup ("FFFFFFFFFFFFFFFFFF\r\n");
  else if (tacho_sim_wire_is_word (wire, "chunk", "extension"))
    line = g_strdup_printf ("%zx;x=", length);
  else
    line = g_strdup ("0\r\nX-Trailer: ");
  tacho_sim_wire_put_text (wire, line);
  if (tacho_sim_wire_is_word (wire, "chunk", "extension") ||
      tacho_sim_wire_is_word (wire, "chunk", "trailer"))
    tacho_sim_wire_put_endless (wire, 'x');
  else
    {
      tacho_sim_wire_put (wire, data, length);
      tacho_sim_wire_put_text (wire, "\r\n0\r\n\r\n");
      tacho_sim_wire_end_with (wire, TACHO_SIM_WIRE_END_CLOSE);
    }
}

/* In place of an event, once it is the fault's turn. TRUE: the reply is over. */
static gboolean
put_fault (TachoSimWire *wire, const char *text, gsize length)
{
  g_autofree char *changed = NULL;
  gsize half = MAX (length / 2, 1);

  gboolean cut_eof = tacho_sim_wire_is (wire, "eof") &&
                     (wire->plan.after_events > 0 || wire->plan.after_bytes > 0);

  if (tacho_sim_wire_is (wire, "close") || tacho_sim_wire_is (wire, "cut-length") || cut_eof)
    tacho_sim_wire_end_with (wire, TACHO_SIM_WIRE_END_CLOSE);
  else if (tacho_sim_wire_is (wire, "half-close"))
    tacho_sim_wire_end_with (wire, TACHO_SIM_WIRE_END_HALF);
  else if (tacho_sim_wire_is (wire, "drop"))
    tacho_sim_wire_end_with (wire, TACHO_SIM_WIRE_END_RESET);
  else if (tacho_sim_wire_is (wire, "stall"))
    tacho_sim_wire_end_with (wire, TACHO_SIM_WIRE_END_OPEN);
  else if (tacho_sim_wire_is (wire, "truncate"))
    {
      if (wire->chunked)
        tacho_sim_wire_put_text (wire, "0\r\n\r\n");
      tacho_sim_wire_end_with (wire, TACHO_SIM_WIRE_END_CLOSE);
    }
  else if (tacho_sim_wire_is (wire, "cut-chunk"))
    {
      changed = g_strdup_printf ("%zx\r\n", length);
      tacho_sim_wire_put_text (wire, changed);
      tacho_sim_wire_put (wire, text, half);
      tacho_sim_wire_end_with (wire, TACHO_SIM_WIRE_END_CLOSE);
    }
  else if (tacho_sim_wire_is (wire, "chunk"))
    put_bad_chunk (wire, text, length);
  else if (tacho_sim_wire_is (wire, "endless-line"))
    {
      wire->chunked = FALSE; /* the framing of what follows is given up with it */
      tacho_sim_wire_put_text (wire, "40000000\r\ndata: ");
      tacho_sim_wire_put_endless (wire, 'x');
    }
  else
    return FALSE;
  return TRUE;
}

/* A character that is split stands in two chunks, and on the wire at two times. */
static void
put_pieces (TachoSimWire *wire, const char *data, gsize length)
{
  const char *split = tacho_sim_wire_is (wire, "split-utf8")
                          ? memmem (data, length, TACHO_SIM_WIRE_SPLIT, 2)
                          : NULL;
  gsize first = split != NULL ? (gsize) (split + 1 - data) : 0;

  if (first > 0)
    put_framed (wire, data, first);
  if (length > first)
    put_framed (wire, data + first, length - first);
}

/**
 * tacho_sim_wire_reply: (skip)
 * @wire: the connection
 * @status: HTTP status
 * @type: content type
 * @body: the whole body
 *
 * The length is that of what is sent, but where the length is the fault.
 */
void
tacho_sim_wire_reply (TachoSimWire *wire, guint status, const char *type, const char *body)
{
  gsize length = strlen (body);
  g_autofree char *changed = NULL;

  wire->whole = TRUE;
  if (wire->plan.after_bytes == 0)
    changed = tacho_sim_wire_change_body (wire, body, &length);
  tacho_sim_wire_head (wire, status, type, (gssize) length);
  tacho_sim_wire_send (wire, changed != NULL ? changed : body, length);
  tacho_sim_wire_end (wire);
}

/**
 * tacho_sim_wire_head: (skip)
 * @wire: the connection
 * @status: HTTP status
 * @type: content type
 * @length: bytes of the body; -1: a stream
 */
void
tacho_sim_wire_head (TachoSimWire *wire, guint status, const char *type, gssize length)
{
  if (wire->over || tacho_sim_wire_put_instead (wire))
    return;
  for (guint i = 0; tacho_sim_wire_is (wire, "informational") && i < (guint) wire->plan.number; i++)
    tacho_sim_wire_put_text (wire, "HTTP/1.1 100 Continue\r\n\r\n");
  tacho_sim_wire_put_head (wire, status, type, length);
}

/**
 * tacho_sim_wire_send: (skip)
 * @wire: a connection whose head was sent
 * @text: an event, or the whole body
 * @length: its bytes
 *
 * Returns: %FALSE if the fault ended the reply
 */
gboolean
tacho_sim_wire_send (TachoSimWire *wire, const char *text, gsize length)
{
  g_autofree char *changed = NULL;
  gsize changed_length = 0;
  gboolean due = wire->plan.after_bytes > 0 ? wire->body_bytes + length > wire->plan.after_bytes
                                            : wire->n_events >= wire->plan.after_events;

  if (wire->over)
    return FALSE;
  if (due && wire->plan.after_bytes > wire->body_bytes)
    put_framed (wire, text, (gsize) (wire->plan.after_bytes - wire->body_bytes));
  if (due && put_fault (wire, text, length))
    return FALSE;
  changed = tacho_sim_wire_change_event (wire, text, length, &changed_length);
  if (tacho_sim_wire_is (wire, "encoding"))
    put_encoded (wire, text, length);
  else if (changed == NULL)
    put_framed (wire, text, length);
  else
    put_pieces (wire, changed, changed_length);
  wire->n_events++;
  return TRUE;
}

/**
 * tacho_sim_wire_end: (skip)
 * @wire: a connection
 *
 * The reply is whole, as far as the fault let it be.
 */
void
tacho_sim_wire_end (TachoSimWire *wire)
{
  if (wire->over)
    return;
  if (wire->chunked)
    tacho_sim_wire_put_text (wire, "0\r\n\r\n");
  if (tacho_sim_wire_is (wire, "extra"))
    tacho_sim_wire_put_text (wire, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
  tacho_sim_wire_end_with (wire, TACHO_SIM_WIRE_END_CLOSE);
}

/**
 * tacho_sim_wire_is_done: (skip)
 * @wire: a connection
 *
 * Returns: whether all that the fault lets through was written
 */
gboolean
tacho_sim_wire_is_done (const TachoSimWire *wire)
{
  return wire->over && wire->out->len == 0 && wire->endless == 0 &&
         wire->ending != TACHO_SIM_WIRE_END_OPEN;
}

/**
 * tacho_sim_wire_get_record: (skip)
 * @wire: a connection
 * @first_byte_ns: (out): when the first byte was written; 0: never
 * @last_byte_ns: (out): when the last one was
 * @n_events: (out): events that were handed over
 */
void
tacho_sim_wire_get_record (const TachoSimWire *wire,
                           gint64 *first_byte_ns,
                           gint64 *last_byte_ns,
                           guint *n_events)
{
  *first_byte_ns = wire->first_byte_ns;
  *last_byte_ns = wire->last_byte_ns;
  *n_events = wire->n_events;
}

/* --- life ------------------------------------------------------------------------------------- */

static gboolean
watch_cb (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  TachoSimWire *wire = user_data;
  char bytes[4096];
  gssize n = recv (g_socket_get_fd (socket), bytes, sizeof bytes, MSG_DONTWAIT);

  if (n > 0 || (n < 0 && !(condition & (G_IO_HUP | G_IO_ERR))))
    return G_SOURCE_CONTINUE;
  left (wire);
  return G_SOURCE_REMOVE;
}

/**
 * tacho_sim_wire_new: (skip)
 * @message: its connection is taken
 * @context: where all happens
 * @plan: what is wrong; copied
 * @gone: called when the client has left
 * @user_data: for @gone
 *
 * Returns: (transfer full): the connection
 */
TachoSimWire *
tacho_sim_wire_new (SoupServerMessage *message,
                    GMainContext *context,
                    const TachoSimWirePlan *plan,
                    void (*gone) (gpointer user_data),
                    gpointer user_data)
{
  TachoSimWire *wire = g_new0 (TachoSimWire, 1);

  wire->socket = g_object_ref (soup_server_message_get_socket (message));
  wire->stream = soup_server_message_steal_connection (message);
  wire->context = context;
  wire->plan = *plan;
  wire->name = g_strdup (plan->name);
  wire->word = g_strdup (plan->word);
  wire->id = g_strdup (plan->id != NULL ? plan->id : plan->name);
  wire->gone = gone;
  wire->user_data = user_data;
  wire->out = g_byte_array_new ();
  wire->watch = g_socket_create_source (wire->socket, G_IO_IN | G_IO_HUP | G_IO_ERR, NULL);
  g_source_set_callback (wire->watch, G_SOURCE_FUNC (watch_cb), wire, NULL);
  g_source_attach (wire->watch, context);
  return wire;
}

/**
 * tacho_sim_wire_free: (skip)
 * @wire: (nullable) (transfer full): a connection, closed by this
 */
void
tacho_sim_wire_free (TachoSimWire *wire)
{
  if (wire == NULL)
    return;
  clear_source (&wire->writer);
  clear_source (&wire->watch);
  g_io_stream_close (wire->stream, NULL, NULL);
  g_object_unref (wire->socket);
  g_object_unref (wire->stream);
  g_byte_array_unref (wire->out);
  g_free (wire->name);
  g_free (wire->word);
  g_free (wire->id);
  g_free (wire);
}
