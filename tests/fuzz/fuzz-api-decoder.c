/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Differential: the full reading, whole, against the measuring one, in pieces. */
#include "tacho-fuzz.h"

#include <string.h>

#include "api/tacho-api-llamacpp.h"
#include "api/tacho-stream-decoder.h"

static void
event_cb (const TachoStreamEvent *event, gpointer user_data)
{
  g_string_append_printf (
      user_data,
      "%d%d%d%d %s %d %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
      " %" G_GINT64_FORMAT " %d %" G_GINT64_FORMAT " %.17g %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
      " %.17g %s\n",
      event->has_content, event->has_reasoning, event->has_tool, event->done,
      event->response_id != NULL ? event->response_id : "-", event->has_usage,
      event->usage.prompt_tokens, event->usage.output_tokens, event->usage.cached_tokens,
      event->usage.reasoning_tokens, event->has_timings, event->timings.prompt_n,
      event->timings.prompt_ms, event->timings.cached_n, event->timings.predicted_n,
      event->timings.predicted_ms, event->error != NULL ? event->error->message : "-");
}

static char *
decode (TachoApi *api, TachoDecodeMode mode, const char *data, gsize size, gsize step)
{
  g_autoptr (TachoStreamDecoder) decoder = tacho_stream_decoder_new (api, TACHO_OP_CHAT, mode);
  g_autoptr (GError) error = NULL;
  GString *log = g_string_new (NULL);
  gboolean good = TRUE;

  for (gsize at = 0; at < size && good; at += step)
    good =
        tacho_stream_decoder_feed (decoder, data + at, MIN (step, size - at), event_cb, log, NULL);
  /* A broken decoder tells its reason again, and how much came differs with the pieces. */
  if (!tacho_stream_decoder_finish (decoder, event_cb, log, &error))
    g_string_append_printf (log, "%d %s", error->code, error->message);
  return g_string_free (log, FALSE);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static TachoApi *api;
  g_autofree char *full = NULL;
  g_autofree char *measured = NULL;
  gsize step;

  if (api == NULL)
    api = tacho_api_llamacpp_new (FALSE, NULL);
  if (size < 1)
    return 0;
  step = data[0] + 1u;
  data++, size--;
  full = decode (api, TACHO_DECODE_FULL, (const char *) data, size, MAX (size, 1));
  measured = decode (api, TACHO_DECODE_MEASURE, (const char *) data, size, step);
  g_assert_cmpstr (full, ==, measured);
  return 0;
}
