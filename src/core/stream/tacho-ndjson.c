/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Newline-delimited JSON: lines out, blank ones skipped, a final CR dropped. */
#define G_LOG_DOMAIN "tacho"

#include "stream/tacho-ndjson.h"

#include "base/tacho-json.h"

#include <string.h>

struct _TachoNdjsonParser
{
  GString *line;
  gsize max_line;
  gboolean failed;
};

/**
 * tacho_ndjson_parser_new:
 *
 * Makes a parser with the limit %TACHO_STREAM_MAX_LINE.
 *
 * Returns: (transfer full): the parser
 */
TachoNdjsonParser *
tacho_ndjson_parser_new (void)
{
  TachoNdjsonParser *parser = g_new0 (TachoNdjsonParser, 1);

  parser->line = g_string_new (NULL);
  parser->max_line = TACHO_STREAM_MAX_LINE;
  return parser;
}

/**
 * tacho_ndjson_parser_free:
 * @parser: (nullable): a parser
 *
 * Frees it.
 */
void
tacho_ndjson_parser_free (TachoNdjsonParser *parser)
{
  if (parser == NULL)
    return;
  g_string_free (parser->line, TRUE);
  g_free (parser);
}

/**
 * tacho_ndjson_parser_set_limit:
 * @parser: a parser
 * @max_line: bytes of a line, without its end
 *
 * Sets the limit.
 */
void
tacho_ndjson_parser_set_limit (TachoNdjsonParser *parser, gsize max_line)
{
  parser->max_line = max_line;
}

/**
 * tacho_ndjson_parser_reset:
 * @parser: a parser
 *
 * Forgets the stream so far; the buffer keeps its memory.
 */
void
tacho_ndjson_parser_reset (TachoNdjsonParser *parser)
{
  g_string_truncate (parser->line, 0);
  parser->failed = FALSE;
}

static void
deliver (const char *line, gsize length, TachoNdjsonFunc func, gpointer user_data)
{
  if (length > 0 && line[length - 1] == '\r')
    length--;
  for (gsize i = 0; i < length; i++)
    if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
      {
        func (line, length, user_data);
        return;
      }
}

/**
 * tacho_ndjson_parser_feed:
 * @parser: a parser
 * @data: the next bytes of the stream
 * @length: how many
 * @func: called for each complete line that is not blank; the bytes are not NUL-terminated
 * @user_data: for @func
 * @error: return location
 *
 * Returns: %FALSE once a line is over the limit, then and ever after, with
 *   %TACHO_STREAM_ERROR_LINE_TOO_LONG
 */
gboolean
tacho_ndjson_parser_feed (TachoNdjsonParser *parser,
                          const char *data,
                          gsize length,
                          TachoNdjsonFunc func,
                          gpointer user_data,
                          GError **error)
{
  const char *p = data;
  const char *end = data + length;

  while (p < end && !parser->failed)
    {
      const char *lf = memchr (p, '\n', (gsize) (end - p));

      if (parser->line->len + (gsize) ((lf != NULL ? lf : end) - p) > parser->max_line)
        {
          parser->failed = TRUE;
          break;
        }
      if (lf != NULL && parser->line->len == 0)
        deliver (p, (gsize) (lf - p), func, user_data);
      else
        {
          g_string_append_len (parser->line, p, (lf != NULL ? lf : end) - p);
          if (lf != NULL)
            {
              deliver (parser->line->str, parser->line->len, func, user_data);
              g_string_truncate (parser->line, 0);
            }
        }
      p = lf != NULL ? lf + 1 : end;
    }
  if (parser->failed)
    g_set_error (error, TACHO_STREAM_ERROR, TACHO_STREAM_ERROR_LINE_TOO_LONG,
                 "A line of the stream is longer than %" G_GSIZE_FORMAT " bytes", parser->max_line);
  return !parser->failed;
}

/**
 * tacho_ndjson_parser_finish:
 * @parser: a parser
 * @func: as for tacho_ndjson_parser_feed()
 * @user_data: for @func
 *
 * Ends the input. A last line without its newline counts if it is complete JSON.
 *
 * Returns: whether nothing had to be dropped
 */
gboolean
tacho_ndjson_parser_finish (TachoNdjsonParser *parser, TachoNdjsonFunc func, gpointer user_data)
{
  const char *line = parser->line->str;
  gsize length = parser->line->len;
  gboolean whole;

  if (parser->failed)
    return FALSE;
  whole = tacho_json_check (line, length, NULL);
  if (whole)
    deliver (line, length, func, user_data);
  else
    whole = strspn (line, " \t\r") == length;
  g_string_truncate (parser->line, 0);
  return whole;
}
