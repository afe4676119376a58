/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One streamed generation: server-sent events whose data is JSON of the OpenAI shape. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-stream-decoder-private.h"

#include <string.h>

#include "api/tacho-api-private.h"
#include "api/tacho-openai-json.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"
#include "stream/tacho-grpc-frame.h"
#include "stream/tacho-ndjson.h"
#include "stream/tacho-sse.h"

#define MAX_BODY ((gsize) 256 * 1024)      /* kept of a body that is no stream */
#define MAX_ERROR_LINE ((gsize) 64 * 1024) /* kept of an "error:" line */

static const char error_field[] = "error:";

/**
 * tacho_stream_decoder_new:
 * @api: the API of the server that replies
 * @operation: chat or completion
 * @mode: how much of each event is read
 *
 * Returns: (transfer full): a decoder for one reply, to be reset before the next
 */
TachoStreamDecoder *
tacho_stream_decoder_new (TachoApi *api, TachoOperation operation, TachoDecodeMode mode)
{
  TachoStreamDecoder *decoder;

  g_return_val_if_fail (TACHO_IS_API (api), NULL);

  decoder = g_new0 (TachoStreamDecoder, 1);
  decoder->api = g_object_ref (api);
  decoder->operation = operation;
  decoder->mode = mode;
  decoder->framing = tacho_api_get_framing (api, operation);
  if (decoder->framing == TACHO_FRAMING_NDJSON)
    decoder->ndjson = tacho_ndjson_parser_new ();
  else if (decoder->framing == TACHO_FRAMING_GRPC)
    decoder->grpc = tacho_grpc_frame_parser_new ();
  else
    decoder->sse = tacho_sse_parser_new ();
  tacho_usage_clear (&decoder->usage);
  decoder->body = g_string_new (NULL);
  decoder->error_line = g_string_new (NULL);
  decoder->id = g_string_new (NULL);
  return decoder;
}

/**
 * tacho_stream_decoder_free:
 * @decoder: (nullable) (transfer full): a decoder
 */
void
tacho_stream_decoder_free (TachoStreamDecoder *decoder)
{
  if (decoder == NULL)
    return;
  g_object_unref (decoder->api);
  tacho_sse_parser_free (decoder->sse);
  tacho_ndjson_parser_free (decoder->ndjson);
  tacho_grpc_frame_parser_free (decoder->grpc);
  g_string_free (decoder->body, TRUE);
  g_string_free (decoder->error_line, TRUE);
  g_string_free (decoder->id, TRUE);
  g_clear_error (&decoder->error);
  g_free (decoder);
}

/**
 * tacho_stream_decoder_reset:
 * @decoder: a decoder
 *
 * Makes it ready for the next reply; its buffers are kept.
 */
void
tacho_stream_decoder_reset (TachoStreamDecoder *decoder)
{
  g_return_if_fail (decoder != NULL);

  if (decoder->sse != NULL)
    tacho_sse_parser_reset (decoder->sse);
  if (decoder->ndjson != NULL)
    tacho_ndjson_parser_reset (decoder->ndjson);
  if (decoder->grpc != NULL)
    tacho_grpc_frame_parser_reset (decoder->grpc);
  tacho_usage_clear (&decoder->usage);
  g_string_truncate (decoder->body, 0);
  g_string_truncate (decoder->error_line, 0);
  g_string_truncate (decoder->id, 0);
  g_clear_error (&decoder->error);
  decoder->kind = BODY_UNKNOWN;
  decoder->line = LINE_START;
  decoder->line_matched = 0;
  decoder->done = FALSE;
  decoder->more = FALSE;
  decoder->whole = FALSE;
  decoder->n_events = 0;
  decoder->n_bytes = 0;
}

/**
 * tacho_stream_decoder_is_done:
 * @decoder: a decoder
 *
 * Returns: whether the terminal marker was seen
 */
gboolean
tacho_stream_decoder_is_done (TachoStreamDecoder *decoder)
{
  g_return_val_if_fail (decoder != NULL, FALSE);

  return decoder->done;
}

/* Delivers; an in-band error becomes the decoder's own, from now on. Takes event->error. */
void
tacho_stream_decoder_deliver (TachoStreamDecoder *decoder, TachoStreamEvent *event)
{
  decoder->n_events++;
  decoder->more = event->more;
  if (event->done)
    decoder->done = TRUE;
  if (decoder->func != NULL)
    decoder->func (event, decoder->user_data);
  if (event->error != NULL && decoder->error == NULL)
    decoder->error = g_steal_pointer (&event->error);
  g_clear_error (&event->error);
}

static void
add_count (gint64 *sum, gint64 more)
{
  if (more >= 0)
    *sum = MAX (*sum, 0) + more;
}

/* An event that the family read: copied, as its error is the family's. */
static void
take_event (const TachoStreamEvent *event, gpointer user_data)
{
  TachoStreamDecoder *decoder = user_data;
  TachoStreamEvent copy = *event;

  if (decoder->done || decoder->error != NULL)
    return;
  copy.error = event->error != NULL ? g_error_copy (event->error) : NULL;
  if (event->has_usage && event->usage_adds)
    {
      /* The prompt is one, however often its count is told. */
      decoder->usage.prompt_tokens =
          MAX (decoder->usage.prompt_tokens, event->usage.prompt_tokens);
      add_count (&decoder->usage.output_tokens, event->usage.output_tokens);
      add_count (&decoder->usage.cached_tokens, event->usage.cached_tokens);
      add_count (&decoder->usage.reasoning_tokens, event->usage.reasoning_tokens);
      copy.usage = decoder->usage;
    }
  tacho_stream_decoder_deliver (decoder, &copy);
}

static void
deliver_done (TachoStreamDecoder *decoder)
{
  TachoStreamEvent event;

  tacho_openai_event_clear (&event);
  event.done = TRUE;
  tacho_stream_decoder_deliver (decoder, &event);
}

void
tacho_stream_decoder_deliver_error (TachoStreamDecoder *decoder, const char *words)
{
  TachoStreamEvent event;

  tacho_openai_event_clear (&event);
  event.error = g_error_new (TACHO_ERROR, TACHO_ERROR_IN_BAND, "The server reported an error: %s",
                             words[0] != '\0' ? words : "no message was given");
  tacho_stream_decoder_deliver (decoder, &event);
}

void
tacho_stream_decoder_fail_protocol (TachoStreamDecoder *decoder,
                                    const char *why,
                                    const char *data,
                                    gsize length)
{
  g_autofree char *excerpt = tacho_api_excerpt (data, length);

  decoder->error = g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL, "%s, in: %s", why, excerpt);
}

/* A piece whose form is the family's own. */
static void
read_family (TachoStreamDecoder *decoder, const char *type, const char *data, gsize length)
{
  g_autoptr (GError) reason = NULL;

  if (!TACHO_API_GET_IFACE (decoder->api)
           ->read_chunk (decoder->api, decoder->operation, type, data, length, take_event, decoder,
                         &reason) &&
      decoder->error == NULL && !decoder->done)
    {
      if (decoder->framing == TACHO_FRAMING_GRPC)
        decoder->error = g_error_new_literal (TACHO_ERROR, TACHO_ERROR_PROTOCOL, reason->message);
      else
        tacho_stream_decoder_fail_protocol (decoder, reason->message, data, length);
    }
}

static void
trim (const char **data, gsize *length)
{
  while (*length > 0 && g_ascii_isspace (**data))
    (*data)++, (*length)--;
  while (*length > 0 && g_ascii_isspace ((*data)[*length - 1]))
    (*length)--;
}

static gboolean
is_done_marker (const char *data, gsize length)
{
  return length >= 6 && memcmp (data, "[DONE]", 6) == 0;
}

static void
sse_event_cb (const TachoSseEvent *sse, gpointer user_data)
{
  TachoStreamDecoder *decoder = user_data;
  const char *data = sse->data;
  gsize length = sse->length;

  if (decoder->done || decoder->error != NULL)
    return;
  trim (&data, &length);
  if (is_done_marker (data, length))
    deliver_done (decoder);
  else if (TACHO_API_GET_IFACE (decoder->api)->read_chunk != NULL && length > 0)
    read_family (decoder, sse->type, data, length);
  else if (strcmp (sse->type, "error") == 0)
    tacho_stream_decoder_read_error_text (decoder, data, length);
  else if (length > 0 && (decoder->mode != TACHO_DECODE_MEASURE ||
                          !tacho_stream_decoder_read_scanned (decoder, data, length)))
    tacho_stream_decoder_read_full (decoder, data, length);
}

static gboolean
feed_sse (TachoStreamDecoder *decoder, const char *data, gsize length)
{
  g_autoptr (GError) reason = NULL;

  if (length > 0 &&
      !tacho_sse_parser_feed (decoder->sse, data, length, sse_event_cb, decoder, &reason) &&
      decoder->error == NULL && !decoder->done)
    decoder->error = g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                                  "The server's stream is not acceptable: %s", reason->message);
  return decoder->error == NULL && !decoder->done;
}

static void
piece_cb (const char *data, gsize length, gpointer user_data)
{
  TachoStreamDecoder *decoder = user_data;

  if (decoder->done || decoder->error != NULL)
    return;
  if (decoder->framing == TACHO_FRAMING_NDJSON)
    trim (&data, &length);
  if (length > 0 || decoder->framing == TACHO_FRAMING_GRPC)
    read_family (decoder, "message", data, length);
}

static void
feed_pieces (TachoStreamDecoder *decoder, const char *data, gsize length)
{
  g_autoptr (GError) reason = NULL;
  gboolean fed =
      decoder->grpc != NULL
          ? tacho_grpc_frame_parser_feed (decoder->grpc, data, length, piece_cb, decoder, &reason)
          : tacho_ndjson_parser_feed (decoder->ndjson, data, length, piece_cb, decoder, &reason);

  if (!fed && decoder->error == NULL && !decoder->done)
    decoder->error = g_error_new (TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                                  "The server's stream is not acceptable: %s", reason->message);
}

static void
end_error_line (TachoStreamDecoder *decoder)
{
  const char *text = decoder->error_line->str;
  gsize length = decoder->error_line->len;

  trim (&text, &length);
  if (length > 0)
    tacho_stream_decoder_read_error_text (decoder, text, length);
  g_string_truncate (decoder->error_line, 0);
}

/* llama.cpp of 2024 and 2025 sent an error in a field "error:" of its own, which is unknown to the
 * standard and therefore dropped by the parser: such lines are looked for here. */
static void
feed_stream (TachoStreamDecoder *decoder, const char *data, gsize length)
{
  const char *p = data, *end = data + length;

  while (p < end)
    {
      const char *newline;

      if (decoder->line == LINE_START)
        {
          while (p < end && error_field[decoder->line_matched] != '\0' &&
                 *p == error_field[decoder->line_matched])
            p++, decoder->line_matched++;
          if (error_field[decoder->line_matched] == '\0')
            decoder->line = LINE_ERROR;
          else if (p < end)
            decoder->line = LINE_SKIP;
          else
            break;
        }
      newline = memchr (p, '\n', (gsize) (end - p));
      if (decoder->line == LINE_ERROR && decoder->error_line->len < MAX_ERROR_LINE)
        g_string_append_len (decoder->error_line, p, (newline != NULL ? newline : end) - p);
      if (newline == NULL)
        break;
      p = newline + 1;
      if (decoder->line == LINE_ERROR)
        {
          if (!feed_sse (decoder, data, (gsize) (p - data)))
            return;
          data = p;
          end_error_line (decoder);
          if (decoder->error != NULL)
            return;
        }
      decoder->line = LINE_START;
      decoder->line_matched = 0;
    }
  feed_sse (decoder, data, (gsize) (end - data));
}

/* A server that ignores "stream", or a proxy, sends a document: no event begins as one does. */
static void
look_at_start (TachoStreamDecoder *decoder, const char *data, gsize length)
{
  for (gsize i = 0; i < length && decoder->kind == BODY_UNKNOWN; i++)
    if (!g_ascii_isspace (data[i]))
      decoder->kind = data[i] == '{' || data[i] == '[' || data[i] == '<' ? BODY_OTHER : BODY_STREAM;
}

static gboolean
report (TachoStreamDecoder *decoder, GError **error)
{
  if (decoder->error == NULL)
    return TRUE;
  if (error != NULL)
    *error = g_error_copy (decoder->error);
  return FALSE;
}

/**
 * tacho_stream_decoder_feed:
 * @decoder: a decoder
 * @data: the next bytes of the reply
 * @length: how many
 * @func: (scope call): called for each event
 * @user_data: passed to @func
 * @error: return location
 *
 * An in-band error is delivered as an event and then returned, here and from now on, as
 * %TACHO_ERROR_IN_BAND. Bad JSON, wrong types and passed limits are %TACHO_ERROR_PROTOCOL. Nothing
 * is delivered after the terminal marker or an error.
 *
 * Returns: whether all is well so far
 */
gboolean
tacho_stream_decoder_feed (TachoStreamDecoder *decoder,
                           const char *data,
                           gsize length,
                           TachoStreamEventFunc func,
                           gpointer user_data,
                           GError **error)
{
  g_return_val_if_fail (decoder != NULL, FALSE);
  g_return_val_if_fail (data != NULL || length == 0, FALSE);

  if (decoder->error != NULL || decoder->done)
    return report (decoder, error);
  decoder->func = func;
  decoder->user_data = user_data;
  decoder->n_bytes += length;
  if (decoder->kind == BODY_UNKNOWN && decoder->framing == TACHO_FRAMING_SSE)
    look_at_start (decoder, data, length);
  if (decoder->framing != TACHO_FRAMING_SSE)
    feed_pieces (decoder, data, length);
  else if (decoder->kind != BODY_OTHER)
    feed_stream (decoder, data, length);
  else if (decoder->body->len < MAX_BODY)
    g_string_append_len (decoder->body, data, (gssize) MIN (length, MAX_BODY));
  decoder->func = NULL;
  return report (decoder, error);
}

/* The whole body is one document: an error in a 200 reply, or simply no stream. */
static void
finish_document (TachoStreamDecoder *decoder)
{
  const char *text = decoder->body->str;
  gsize length = decoder->body->len;
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *words = NULL;

  trim (&text, &length);
  root = tacho_json_parse_object (text, length, NULL);
  if (root != NULL)
    words = tacho_api_in_band_words (json_node_get_object (root));
  if (words != NULL)
    tacho_stream_decoder_deliver_error (decoder, words);
  else
    tacho_stream_decoder_fail_protocol (decoder,
                                        text[0] == '<'
                                            ? "The server sent a web page instead of a stream"
                                            : "The server sent one document instead of a stream",
                                        text, length);
}

/* What the standard drops: we take a last [DONE] or error whose blank line never came. */
static void
finish_rest (TachoStreamDecoder *decoder)
{
  g_autofree char *rest = NULL;
  g_autoptr (JsonNode) root = NULL;
  const char *data;
  gsize length;

  if (decoder->line == LINE_ERROR)
    end_error_line (decoder);
  if (decoder->error != NULL)
    return;
  rest = tacho_sse_parser_take_rest (decoder->sse);
  decoder->whole = rest == NULL;
  if (rest == NULL)
    return;
  data = rest;
  length = strlen (rest);
  trim (&data, &length);
  if (is_done_marker (data, length))
    {
      deliver_done (decoder);
      return;
    }
  root = tacho_json_parse_object (data, length, NULL);
  if (root != NULL)
    {
      g_autofree char *words = tacho_api_in_band_words (json_node_get_object (root));

      if (words != NULL)
        tacho_stream_decoder_deliver_error (decoder, words);
    }
}

/* A last line may lack its newline, if it is a whole document; a message may not be cut. */
static void
finish_pieces (TachoStreamDecoder *decoder)
{
  if (decoder->ndjson != NULL)
    decoder->whole = tacho_ndjson_parser_finish (decoder->ndjson, piece_cb, decoder);
  else
    decoder->whole = tacho_grpc_frame_parser_is_between (decoder->grpc);
}

/**
 * tacho_stream_decoder_finish:
 * @decoder: a decoder
 * @func: (scope call): called for each event that only the end completes
 * @user_data: passed to @func
 * @error: return location
 *
 * Tells the decoder that the body ended.
 *
 * Returns: whether the reply is whole; %TACHO_ERROR_TRUNCATED if its terminal marker never came
 */
gboolean
tacho_stream_decoder_finish (TachoStreamDecoder *decoder,
                             TachoStreamEventFunc func,
                             gpointer user_data,
                             GError **error)
{
  g_return_val_if_fail (decoder != NULL, FALSE);

  if (decoder->error != NULL || decoder->done)
    return report (decoder, error);
  decoder->func = func;
  decoder->user_data = user_data;
  if (decoder->framing != TACHO_FRAMING_SSE)
    finish_pieces (decoder);
  else if (decoder->kind == BODY_OTHER)
    finish_document (decoder);
  else
    finish_rest (decoder);
  if (decoder->error == NULL && !decoder->done && !decoder->more && decoder->whole &&
      decoder->n_events > 0 && tacho_api_end_is_marker (decoder->api, decoder->operation))
    deliver_done (decoder);
  decoder->func = NULL;
  if (decoder->error == NULL && !decoder->done)
    decoder->error =
        g_error_new (TACHO_ERROR, TACHO_ERROR_TRUNCATED,
                     "The reply broke off after %" G_GUINT64_FORMAT " events (%" G_GUINT64_FORMAT
                     " bytes): the server never said that it was done",
                     decoder->n_events, decoder->n_bytes);
  return report (decoder, error);
}
