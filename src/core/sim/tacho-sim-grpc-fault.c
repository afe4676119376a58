/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a call of the gRPC front leaves in the capture, and the faults that take the place of its
 * words. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-grpc-private.h"

#include "api/tacho-http-message.h"

#include <string.h>
#include <time.h>

/* --- the capture ------------------------------------------------------------------------------ */

/**
 * tacho_sim_rpc_http_status:
 * @status: gRPC status
 *
 * Returns: the HTTP status that says the same: the capture has one column for all fronts
 */
guint
tacho_sim_rpc_http_status (grpc_status_code status)
{
  static const guint statuses[] = { 200, 499, 500, 400, 504, 404, 409, 403, 429,
                                    400, 409, 400, 501, 500, 503, 500, 401 };

  return (guint) status < G_N_ELEMENTS (statuses) ? statuses[status] : 500;
}

/**
 * tacho_sim_rpc_grpc_status:
 * @status: of a fault: gRPC's, or HTTP's
 *
 * Returns: the gRPC status that says the same
 */
grpc_status_code
tacho_sim_rpc_grpc_status (guint status)
{
  switch (status)
    {
    case 400:
    case 413:
    case 422:
      return GRPC_STATUS_INVALID_ARGUMENT;
    case 401:
      return GRPC_STATUS_UNAUTHENTICATED;
    case 403:
      return GRPC_STATUS_PERMISSION_DENIED;
    case 404:
      return GRPC_STATUS_NOT_FOUND;
    case 408:
    case 504:
      return GRPC_STATUS_DEADLINE_EXCEEDED;
    case 409:
      return GRPC_STATUS_ABORTED;
    case 429:
      return GRPC_STATUS_RESOURCE_EXHAUSTED;
    case 500:
      return GRPC_STATUS_INTERNAL;
    case 405:
    case 501:
      return GRPC_STATUS_UNIMPLEMENTED;
    case 502:
    case 503:
      return GRPC_STATUS_UNAVAILABLE;
    default:
      return status <= 16 ? (grpc_status_code) status : GRPC_STATUS_UNKNOWN;
    }
}

/**
 * tacho_sim_rpc_now_ns:
 *
 * Returns: the server's own clock, CLOCK_MONOTONIC; not the replaceable one
 */
gint64
tacho_sim_rpc_now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
}

/**
 * tacho_sim_rpc_record:
 * @rpc: a call
 * @status: HTTP status; 0: the client left, or met silence
 *
 * Puts the call into the capture, unless it is there.
 */
void
tacho_sim_rpc_record (TachoSimRpc *rpc, guint status)
{
  TachoSimHost *host = rpc->grpc->host;
  TachoSimRequest *request;

  if (rpc->recorded)
    return;
  rpc->recorded = TRUE;
  request = g_new0 (TachoSimRequest, 1);
  request->number = rpc->number;
  request->method = g_strdup ("gRPC");
  request->path = g_strdup (rpc->path);
  request->headers = tacho_headers_new (); /* of its own: secrets are replaced in it */
  for (guint i = 0; i < rpc->headers->len; i++)
    {
      const TachoHeader *header = g_ptr_array_index (rpc->headers, i);

      tacho_headers_add (request->headers, header->name, header->value);
    }
  request->body = g_strdup (rpc->captured ? rpc->captured : "");
  request->time_ns = rpc->time_ns;
  request->status = status;
  request->fault = g_strdup (rpc->play.id);
  if (rpc->play.n_faults > 0)
    TACHO_SIM_COUNT (host->engine, faults, rpc->play.n_faults);
  request->generation = rpc->n_generation;
  tacho_sim_capture_open (host->capture, request);
  rpc->record = request;
}

/**
 * tacho_sim_rpc_close_record:
 * @rpc: a call that is over, one way or the other
 * @aborted: whether the client left before the end
 */
void
tacho_sim_rpc_close_record (TachoSimRpc *rpc, gboolean aborted)
{
  TachoSimRequest *request = rpc->record;

  if (request == NULL)
    return;
  request->first_byte_ns = rpc->first_ns;
  request->last_byte_ns =
      rpc->status_sent && rpc->last_ns > 0 ? rpc->last_ns : tacho_sim_rpc_now_ns ();
  request->n_events = rpc->n_sent;
  request->aborted = aborted;
  request->generation = rpc->n_generation;
  tacho_sim_capture_close (rpc->grpc->host->capture, request);
  g_clear_pointer (&rpc->record, tacho_sim_request_free);
}

/* --- faults in the place of words ------------------------------------------------------------- */

static void
drop_cb (TachoSimRpc *rpc)
{
  if (!tacho_sim_wire_close (rpc, TRUE))
    grpc_call_cancel_with_status (rpc->call, GRPC_STATUS_UNAVAILABLE, "simulated drop", NULL);
}

/**
 * tacho_sim_rpc_cut:
 * @rpc: a call whose fault takes the place of what it was to say
 */
void
tacho_sim_rpc_cut (TachoSimRpc *rpc)
{
  switch (rpc->play.stream_fault)
    {
    case TACHO_SIM_FAULT_STALL:
      tacho_sim_rpc_record (rpc, rpc->n_messages > 0 ? 200 : 0);
      rpc->ended = TRUE;
      rpc->stalled = TRUE;
      break;
    case TACHO_SIM_FAULT_DROP:
      tacho_sim_rpc_record (rpc, rpc->n_messages > 0 ? 200 : 0);
      rpc->ended = TRUE;
      tacho_sim_rpc_when_sent (rpc, drop_cb);
      break;
    case TACHO_SIM_FAULT_ERROR:
      if (rpc->method->in_band != NULL)
        {
          rpc->play.has_stream_fault = FALSE;
          rpc->method->in_band (rpc, "simulated error");
          tacho_sim_rpc_finish (rpc, GRPC_STATUS_OK, "%s", "");
        }
      else
        tacho_sim_rpc_finish (rpc, GRPC_STATUS_INTERNAL, "simulated error");
      break;
    default: /* truncate */
      tacho_sim_rpc_finish (rpc, GRPC_STATUS_OK, "%s", "");
      break;
    }
}

/* --- faults of gRPC's own -------------------------------------------------------------------- */

/**
 * tacho_sim_rpc_has_fault:
 * @rpc: a call
 * @name: of a fault of gRPC's own
 *
 * Returns: whether it is to be played on the call
 */
gboolean
tacho_sim_rpc_has_fault (TachoSimRpc *rpc, const char *name)
{
  return rpc->play.grpc != NULL && g_str_equal (rpc->play.grpc->name, name);
}

/* Where nothing can be written between the core's own frames, the connection ends. */
static void
goaway_cb (TachoSimRpc *rpc)
{
  if (!tacho_sim_wire_goaway (rpc))
    tacho_sim_wire_close (rpc, FALSE);
}

static gboolean
is_turn (TachoSimRpc *rpc)
{
  return rpc->play.grpc != NULL && !rpc->played && rpc->n_messages >= rpc->play.grpc->after_events;
}

/**
 * tacho_sim_rpc_play_grpc:
 * @rpc: a call that is about to send a message
 *
 * Plays a status or GOAWAY, if it is its turn.
 *
 * Returns: whether the call has ended by it
 */
gboolean
tacho_sim_rpc_play_grpc (TachoSimRpc *rpc)
{
  if (!is_turn (rpc))
    return FALSE;
  if (tacho_sim_rpc_has_fault (rpc, "grpc-status"))
    {
      rpc->played = TRUE;
      tacho_sim_rpc_finish (rpc, (grpc_status_code) rpc->play.grpc->number, "simulated status %g",
                            rpc->play.grpc->number);
      return TRUE;
    }
  if (tacho_sim_rpc_has_fault (rpc, "goaway"))
    {
      rpc->played = TRUE;
      rpc->between = goaway_cb;
    }
  return FALSE;
}

/* A field that no message has, of so many bytes: a protobuf of any size is still one. */
static GBytes *
enlarge (GBytes *bytes, gsize size)
{
  gsize length = 0;
  const void *data = g_bytes_get_data (bytes, &length);
  GByteArray *array = g_byte_array_new ();
  guint8 head[3 + 10] = { 0xc2, 0xa9, 0x07 }; /* field 15000, length-delimited */
  guint n = 3;
  gsize left = size;

  for (; left >= 0x80; left >>= 7)
    head[n++] = (guint8) (left | 0x80);
  head[n++] = (guint8) left;
  g_byte_array_append (array, data, (guint) length);
  g_byte_array_append (array, head, n);
  n = array->len;
  g_byte_array_set_size (array, n + (guint) size);
  memset (array->data + n, 0, size);
  g_bytes_unref (bytes);
  return g_byte_array_free_to_bytes (array);
}

/**
 * tacho_sim_rpc_spoil:
 * @rpc: a call
 * @bytes: (transfer full): a message that it is about to send
 *
 * Returns: (transfer full): the message, or the one that a fault makes of it if it is its turn
 */
GBytes *
tacho_sim_rpc_spoil (TachoSimRpc *rpc, GBytes *bytes)
{
  static const guint8 nonsense[] = { 0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x07 };
  gsize size;

  if (!is_turn (rpc))
    return bytes;
  if (tacho_sim_rpc_has_fault (rpc, "grpc-big"))
    {
      rpc->played = TRUE;
      size = (gsize) rpc->play.grpc->number;
      return enlarge (bytes, size);
    }
  if (!tacho_sim_rpc_has_fault (rpc, "grpc-bytes"))
    return bytes;
  rpc->played = TRUE;
  g_bytes_unref (bytes);
  return g_bytes_new_static (nonsense, sizeof nonsense);
}
