/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Server-sent events by the WHATWG rules
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation).
 *
 * A line that lies whole in the caller's bytes is read there; only a line that is cut by the end of
 * a feed is kept in a buffer. Each byte is looked at once, so the cost is linear however input is
 * cut. */
#define G_LOG_DOMAIN "tacho"

#include "stream/tacho-sse.h"

#include <string.h>

G_DEFINE_QUARK (tacho_stream_error_quark, tacho_stream_error)

struct _TachoSseParser
{
  GString *line; /* the beginning of a line whose end has not come */
  GString *data; /* data lines of the event in progress, each followed by LF */
  GString *type;
  GString *id; /* last event id, as committed by a dispatched event */
  GString *next_id;
  gsize max_line;
  gsize max_event;
  guint64 n_comments;
  gint64 retry_ms;
  guint bom; /* bytes of a byte order mark seen at the start; 3: past it */
  gboolean after_cr;
  gboolean has_data; /* a `data` field was seen, even an empty one */
  GError *error;
};

static const char byte_order_mark[3] = { '\xef', '\xbb', '\xbf' };

/**
 * tacho_sse_parser_new:
 *
 * Makes a parser with the limits %TACHO_STREAM_MAX_LINE and %TACHO_STREAM_MAX_EVENT.
 *
 * Returns: (transfer full): the parser
 */
TachoSseParser *
tacho_sse_parser_new (void)
{
  TachoSseParser *parser = g_new0 (TachoSseParser, 1);

  parser->line = g_string_new (NULL);
  parser->data = g_string_new (NULL);
  parser->type = g_string_new (NULL);
  parser->id = g_string_new (NULL);
  parser->next_id = g_string_new (NULL);
  parser->max_line = TACHO_STREAM_MAX_LINE;
  parser->max_event = TACHO_STREAM_MAX_EVENT;
  parser->retry_ms = -1;
  return parser;
}

/**
 * tacho_sse_parser_free:
 * @parser: (nullable): a parser
 *
 * Frees it.
 */
void
tacho_sse_parser_free (TachoSseParser *parser)
{
  if (parser == NULL)
    return;
  g_string_free (parser->line, TRUE);
  g_string_free (parser->data, TRUE);
  g_string_free (parser->type, TRUE);
  g_string_free (parser->id, TRUE);
  g_string_free (parser->next_id, TRUE);
  g_clear_error (&parser->error);
  g_free (parser);
}

/**
 * tacho_sse_parser_set_limits:
 * @parser: a parser
 * @max_line: bytes of a line, without its end
 * @max_event: bytes of an event's data
 *
 * Sets the limits.
 */
void
tacho_sse_parser_set_limits (TachoSseParser *parser, gsize max_line, gsize max_event)
{
  parser->max_line = max_line;
  parser->max_event = max_event;
}

/**
 * tacho_sse_parser_reset:
 * @parser: a parser
 *
 * Forgets everything of the stream so far. Buffers keep their memory, the limits stay.
 */
void
tacho_sse_parser_reset (TachoSseParser *parser)
{
  g_string_truncate (parser->line, 0);
  g_string_truncate (parser->data, 0);
  g_string_truncate (parser->type, 0);
  g_string_truncate (parser->id, 0);
  g_string_truncate (parser->next_id, 0);
  parser->n_comments = 0;
  parser->retry_ms = -1;
  parser->bom = 0;
  parser->after_cr = FALSE;
  parser->has_data = FALSE;
  g_clear_error (&parser->error);
}

static gboolean
fail (TachoSseParser *self, TachoStreamError code, gsize limit, GError **error)
{
  if (self->error == NULL)
    g_set_error (&self->error, TACHO_STREAM_ERROR, code,
                 code == TACHO_STREAM_ERROR_LINE_TOO_LONG
                     ? "A line of the stream is longer than %" G_GSIZE_FORMAT " bytes"
                     : "An event of the stream is longer than %" G_GSIZE_FORMAT " bytes",
                 limit);
  if (error != NULL)
    *error = g_error_copy (self->error);
  return FALSE;
}

static void
dispatch (TachoSseParser *self, TachoSseFunc func, gpointer user_data)
{
  if (!g_string_equal (self->id, self->next_id))
    g_string_assign (self->id, self->next_id->str);
  if (self->has_data)
    {
      TachoSseEvent event;

      g_string_truncate (self->data, self->data->len - 1);
      event.type = self->type->len > 0 ? self->type->str : "message";
      event.data = self->data->str;
      event.length = self->data->len;
      event.id = self->id->str;
      func (&event, user_data);
    }
  g_string_truncate (self->data, 0);
  g_string_truncate (self->type, 0);
  self->has_data = FALSE;
}

static void
set_retry (TachoSseParser *self, const char *value, gsize length)
{
  gint64 retry = 0;

  if (length == 0 || length > 15)
    return;
  for (gsize i = 0; i < length; i++)
    {
      if (!g_ascii_isdigit (value[i]))
        return;
      retry = retry * 10 + (value[i] - '0');
    }
  self->retry_ms = retry;
}

/* The standard keeps a NUL in a type; our C string shows it as U+FFFD, so that it is not cut short
 * to a type that means something. */
static void
set_type (TachoSseParser *self, const char *value, gsize length)
{
  g_string_truncate (self->type, 0);
  g_string_append_len (self->type, value, (gssize) length);
  if (G_UNLIKELY (memchr (value, '\0', length) != NULL))
    {
      g_string_truncate (self->type, 0);
      for (gsize i = 0; i < length; i++)
        if (value[i] == '\0')
          g_string_append (self->type, "\xef\xbf\xbd");
        else
          g_string_append_c (self->type, value[i]);
    }
}

static gboolean
take_field (TachoSseParser *self,
            const char *name,
            gsize name_length,
            const char *value,
            gsize length,
            GError **error)
{
  if (name_length == 4 && memcmp (name, "data", 4) == 0)
    {
      if (length > self->max_event || self->data->len > self->max_event - length)
        return fail (self, TACHO_STREAM_ERROR_EVENT_TOO_LONG, self->max_event, error);
      g_string_append_len (self->data, value, (gssize) length);
      g_string_append_c (self->data, '\n');
      self->has_data = TRUE;
    }
  else if (name_length == 5 && memcmp (name, "event", 5) == 0)
    {
      set_type (self, value, length);
    }
  else if (name_length == 2 && memcmp (name, "id", 2) == 0)
    {
      if (memchr (value, '\0', length) == NULL)
        {
          g_string_truncate (self->next_id, 0);
          g_string_append_len (self->next_id, value, (gssize) length);
        }
    }
  else if (name_length == 5 && memcmp (name, "retry", 5) == 0)
    set_retry (self, value, length);
  return TRUE;
}

static gboolean
take_line (TachoSseParser *self,
           const char *line,
           gsize length,
           TachoSseFunc func,
           gpointer user_data,
           GError **error)
{
  const char *colon;
  const char *value;

  if (length == 0)
    {
      dispatch (self, func, user_data);
      return TRUE;
    }
  colon = memchr (line, ':', length);
  if (colon == line)
    {
      self->n_comments++;
      return TRUE;
    }
  if (colon == NULL)
    return take_field (self, line, length, line + length, 0, error);
  value = colon + 1;
  if (value < line + length && *value == ' ')
    value++;
  return take_field (self, line, (gsize) (colon - line), value, (gsize) (line + length - value),
                     error);
}

/* A byte order mark at the very start goes, also when it comes byte by byte; what only began like
 * one was the beginning of a line. */
static const char *
skip_byte_order_mark (TachoSseParser *self, const char *p, const char *end)
{
  while (self->bom < 3 && p < end)
    {
      if (*p != byte_order_mark[self->bom])
        {
          g_string_append_len (self->line, byte_order_mark, (gssize) self->bom);
          self->bom = 3;
          break;
        }
      self->bom++;
      p++;
    }
  return p;
}

/* The next line end in [p, end), or NULL. *lf remembers the next LF from call to call (@end: none),
 * so that a stream of CRs alone is not searched for an LF to its end once a line. */
static const char *
find_line_end (const char *p, const char *end, const char **lf)
{
  const char *cr;

  if (*lf == NULL || *lf < p)
    {
      *lf = memchr (p, '\n', (gsize) (end - p));
      if (*lf == NULL)
        *lf = end;
    }
  cr = memchr (p, '\r', (gsize) (*lf - p));
  if (cr != NULL)
    return cr;
  return *lf < end ? *lf : NULL;
}

/**
 * tacho_sse_parser_feed:
 * @parser: a parser
 * @data: the next bytes of the stream
 * @length: how many
 * @func: called for each event that is complete now
 * @user_data: for @func
 * @error: return location
 *
 * @func must not touch the parser.
 *
 * Returns: %FALSE once a limit is passed; the parser then refuses all further input with the same
 *   %TACHO_STREAM_ERROR
 */
gboolean
tacho_sse_parser_feed (TachoSseParser *parser,
                       const char *data,
                       gsize length,
                       TachoSseFunc func,
                       gpointer user_data,
                       GError **error)
{
  const char *p = data;
  const char *end = data + length;
  const char *lf = NULL;

  if (parser->error != NULL)
    return fail (parser, TACHO_STREAM_ERROR_LINE_TOO_LONG, 0, error);
  if (G_UNLIKELY (parser->bom < 3))
    p = skip_byte_order_mark (parser, p, end);
  while (p < end)
    {
      const char *stop;

      if (parser->after_cr)
        {
          parser->after_cr = FALSE;
          if (*p == '\n')
            {
              p++;
              continue;
            }
        }
      stop = find_line_end (p, end, &lf);
      if (parser->line->len + (gsize) ((stop != NULL ? stop : end) - p) > parser->max_line)
        return fail (parser, TACHO_STREAM_ERROR_LINE_TOO_LONG, parser->max_line, error);
      if (stop == NULL)
        {
          g_string_append_len (parser->line, p, end - p);
          break;
        }
      parser->after_cr = *stop == '\r';
      if (parser->line->len == 0)
        {
          if (!take_line (parser, p, (gsize) (stop - p), func, user_data, error))
            return FALSE;
        }
      else
        {
          gboolean taken;

          g_string_append_len (parser->line, p, stop - p);
          taken = take_line (parser, parser->line->str, parser->line->len, func, user_data, error);
          g_string_truncate (parser->line, 0);
          if (!taken)
            return FALSE;
        }
      p = stop + 1;
    }
  return TRUE;
}

/**
 * tacho_sse_parser_take_rest:
 * @parser: a parser
 *
 * Takes what the standard drops at the end of the input: the data of an event without its blank
 * line and a data line without its end.
 *
 * Returns: (transfer full) (nullable): the data, or %NULL if nothing stands unfinished
 */
char *
tacho_sse_parser_take_rest (TachoSseParser *parser)
{
  char *rest;

  if (parser->error != NULL)
    return NULL;
  if (parser->line->len > 0)
    {
      g_autofree char *line = g_strndup (parser->line->str, parser->line->len);

      /* A line of data adds to the event; any other says nothing that could matter now. */
      if (g_str_has_prefix (line, "data"))
        take_line (parser, line, parser->line->len, NULL, NULL, NULL);
      g_string_truncate (parser->line, 0);
    }
  if (!parser->has_data)
    return NULL;
  rest = g_strndup (parser->data->str, parser->data->len - 1);
  g_string_truncate (parser->data, 0);
  parser->has_data = FALSE;
  return rest;
}

/**
 * tacho_sse_parser_get_n_comments:
 * @parser: a parser
 *
 * Returns: comment lines so far: servers send them to keep a connection alive
 */
guint64
tacho_sse_parser_get_n_comments (TachoSseParser *parser)
{
  return parser->n_comments;
}

/**
 * tacho_sse_parser_get_retry_ms:
 * @parser: a parser
 *
 * Returns: the last valid `retry` field, milliseconds; -1 if there was none
 */
gint64
tacho_sse_parser_get_retry_ms (TachoSseParser *parser)
{
  return parser->retry_ms;
}
