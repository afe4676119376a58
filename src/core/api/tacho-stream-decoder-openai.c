/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pieces of a stream that are JSON of the OpenAI shape, read whole or only measured. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-stream-decoder-private.h"

#include <string.h>

#include "api/tacho-api-private.h"
#include "api/tacho-json-scan.h"
#include "api/tacho-openai-json.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"

/* One event, which several tool calls make several. */
void
tacho_stream_decoder_read_full (TachoStreamDecoder *decoder, const char *data, gsize length)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (JsonNode) root = tacho_json_parse_object (data, length, &reason);
  JsonArray *tools = NULL;
  TachoStreamEvent event;

  if (root == NULL)
    {
      tacho_stream_decoder_fail_protocol (decoder, reason->message, data, length);
      return;
    }
  if (!tacho_openai_read_chunk (json_node_get_object (root), &event, &tools, &reason))
    {
      tacho_stream_decoder_fail_protocol (decoder, reason->message, data, length);
      return;
    }
  tacho_stream_decoder_deliver (decoder, &event);
  for (guint i = 1; tools != NULL && i < json_array_get_length (tools); i++)
    {
      const char *id = event.response_id;

      if (decoder->error != NULL)
        return;
      tacho_openai_event_clear (&event);
      event.response_id = id;
      if (!tacho_openai_read_tool (tools, i, &event, &reason))
        {
          tacho_stream_decoder_fail_protocol (decoder, reason->message, data, length);
          return;
        }
      tacho_stream_decoder_deliver (decoder, &event);
    }
}

gboolean
tacho_stream_decoder_read_scanned (TachoStreamDecoder *decoder, const char *data, gsize length)
{
  TachoStreamEvent event;
  const char *id;
  gsize id_length;

  if (!tacho_json_scan_chunk (data, length, &event, &id, &id_length))
    return FALSE;
  if (id != NULL)
    {
      if (decoder->id->len != id_length || memcmp (decoder->id->str, id, id_length) != 0)
        {
          g_string_truncate (decoder->id, 0);
          g_string_append_len (decoder->id, id, (gssize) id_length);
        }
      event.response_id = decoder->id->str;
    }
  tacho_stream_decoder_deliver (decoder, &event);
  return TRUE;
}

/* The words of an event that is an error by its name or its field, whatever its data. */
void
tacho_stream_decoder_read_error_text (TachoStreamDecoder *decoder, const char *data, gsize length)
{
  g_autoptr (JsonNode) root = tacho_json_parse_object (data, length, NULL);
  g_autofree char *words = NULL;

  if (root != NULL)
    {
      JsonObject *object = json_node_get_object (root);

      words = tacho_api_in_band_words (object);
      if (words == NULL && tacho_json_get_string (object, "message", NULL) != NULL)
        words = g_strdup (tacho_json_get_string (object, "message", ""));
    }
  if (words == NULL)
    words = g_strndup (data, length);
  {
    g_autofree char *clean = tacho_api_excerpt (words, strlen (words));

    tacho_stream_decoder_deliver_error (decoder, clean);
  }
}
