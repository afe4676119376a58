/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Differential, for every family: a stream whole against the same in pieces, and what the measuring
 * mode reads against what the full one does. The first two bytes say which family and operation,
 * and where to cut. */
#include "tacho-fuzz-apis.h"

#include "api/tacho-stream-decoder.h"

typedef struct
{
  GString *measured; /* what both modes tell */
  GString *all;      /* and what only the full one does */
  gboolean over;     /* the terminal marker or an error was seen */
} Log;

static const char *
or_dash (const char *text)
{
  return text != NULL ? text : "-";
}

static void
event_cb (const TachoStreamEvent *event, gpointer user_data)
{
  Log *log = user_data;

  TACHO_FUZZ_CHECK (!log->over);
  log->over = event->done || event->error != NULL;
  g_string_append_printf (
      log->measured,
      "%d%d%d%d%d %s %d %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
      " %" G_GINT64_FORMAT " %d %" G_GINT64_FORMAT " %.17g %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
      " %.17g %s\n",
      event->has_content, event->has_reasoning, event->has_tool, event->done, event->more,
      or_dash (event->response_id), event->has_usage, event->usage.prompt_tokens,
      event->usage.output_tokens, event->usage.cached_tokens, event->usage.reasoning_tokens,
      event->has_timings, event->timings.prompt_n, event->timings.prompt_ms,
      event->timings.cached_n, event->timings.predicted_n, event->timings.predicted_ms,
      event->error != NULL ? event->error->message : "-");
  g_string_append_printf (
      log->all, "%s|%s|%s|%s|%d|%s|%s|%s|%.17g|%" G_GINT64_FORMAT "\n", or_dash (event->content),
      or_dash (event->reasoning), or_dash (event->role), or_dash (event->finish_reason),
      event->tool_index, or_dash (event->tool_id), or_dash (event->tool_name),
      or_dash (event->tool_arguments), event->prompt_progress, event->prompt_total);
  if (event->content != NULL)
    TACHO_FUZZ_CHECK (g_utf8_validate (event->content, -1, NULL));
  if (event->reasoning != NULL)
    TACHO_FUZZ_CHECK (g_utf8_validate (event->reasoning, -1, NULL));
}

static void
decode (TachoStreamDecoder *decoder, const uint8_t *data, gsize size, uint8_t how, Log *log)
{
  GError *error = NULL;
  gboolean good = TRUE;

  log->measured = g_string_new (NULL);
  log->all = g_string_new (NULL);
  log->over = FALSE;
  for (gsize at = 0, n; at < size && good; at += n)
    {
      /* A copy of the exact size: reading past a piece is a sanitizer's finding. */
      g_autofree char *piece = NULL;

      n = tacho_fuzz_piece (how, at, size);
      piece = g_memdup2 (data + at, n);
      good = tacho_stream_decoder_feed (decoder, piece, n, event_cb, log, NULL);
    }
  good = tacho_stream_decoder_finish (decoder, event_cb, log, &error);
  TACHO_FUZZ_CHECK (good == tacho_stream_decoder_is_done (decoder));
  if (error != NULL)
    g_string_append_printf (log->measured, "%d %s", error->code, error->message);
  tacho_fuzz_check_error (good, error);
}

static void
log_clear (Log *log)
{
  g_string_free (log->measured, TRUE);
  g_string_free (log->all, TRUE);
}

static void
compare (TachoApi *api, TachoOperation operation, const uint8_t *data, gsize size, uint8_t how)
{
  g_autoptr (TachoStreamDecoder) full =
      tacho_stream_decoder_new (api, operation, TACHO_DECODE_FULL);
  g_autoptr (TachoStreamDecoder) measuring =
      tacho_stream_decoder_new (api, operation, TACHO_DECODE_MEASURE);
  Log whole, pieces, measured, again;

  decode (full, data, size, 0, &whole);
  tacho_stream_decoder_reset (full);
  decode (full, data, size, how, &pieces);
  decode (measuring, data, size, how, &measured);
  tacho_stream_decoder_reset (measuring);
  decode (measuring, data, size, 0, &again);
  g_assert_cmpstr (whole.measured->str, ==, pieces.measured->str);
  g_assert_cmpstr (whole.all->str, ==, pieces.all->str);
  g_assert_cmpstr (whole.measured->str, ==, measured.measured->str);
  g_assert_cmpstr (whole.measured->str, ==, again.measured->str);
  log_clear (&whole);
  log_clear (&pieces);
  log_clear (&measured);
  log_clear (&again);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  TachoApi *const *apis = tacho_fuzz_apis ();
  TachoOperation operation;
  guint n = 0;

  if (size < 2)
    return 0;
  while (apis[n] != NULL)
    n++;
  operation = (data[0] & 0x80) != 0 ? TACHO_OP_COMPLETION : TACHO_OP_CHAT;
  compare (apis[(data[0] & 0x7f) % n], operation, data + 2, size - 2, data[1]);
  return 0;
}
