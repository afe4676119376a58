/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A strict scanner that reads from a chunk only what a measurement needs. It never decides that a
 * text is wrong: what it does not know for certain (escapes in names, repeated names, errors, tool
 * calls, odd numbers, depth) it leaves to tacho-openai-chunk.c, with which it must agree. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-json-scan.h"

#include <math.h>
#include <string.h>

#include "api/tacho-openai-json.h"

#define MAX_DEPTH 24

typedef struct
{
  const char *p;
  const char *end;
  gboolean beyond_ascii;
  TachoStreamEvent *event;
  const char *id;
  gsize id_length;
} Scan;

typedef struct
{
  const char *text;
  gsize length;
  gboolean escaped;
} Span;

typedef enum
{
  KEY_OTHER,
  KEY_ID,
  KEY_CHOICES,
  KEY_USAGE,
  KEY_TIMINGS,
  KEY_ERROR,
  KEY_OBJECT,
  KEY_TYPE,
  KEY_X_GROQ,
  KEY_DELTA,
  KEY_MESSAGE,
  KEY_TEXT,
  KEY_FINISH_REASON,
  KEY_CONTENT,
  KEY_REASONING_CONTENT,
  KEY_REASONING,
  KEY_REASONING_DETAILS,
  KEY_TOOL_CALLS,
  KEY_PROMPT_TOKENS,
  KEY_COMPLETION_TOKENS,
  KEY_PROMPT_TOKENS_DETAILS,
  KEY_COMPLETION_TOKENS_DETAILS,
  KEY_CACHED_TOKENS,
  KEY_REASONING_TOKENS,
  KEY_PROMPT_N,
  KEY_PROMPT_MS,
  KEY_CACHE_N,
  KEY_PREDICTED_N,
  KEY_PREDICTED_MS,
} Key;

typedef struct
{
  const char *name;
  guint8 length;
  guint8 key;
} Name;

#define NAME(text, key)                                                                            \
  {                                                                                                \
    text, sizeof text - 1, key                                                                     \
  }

static const Name root_names[] = { NAME ("id", KEY_ID),       NAME ("choices", KEY_CHOICES),
                                   NAME ("usage", KEY_USAGE), NAME ("timings", KEY_TIMINGS),
                                   NAME ("error", KEY_ERROR), NAME ("object", KEY_OBJECT),
                                   NAME ("type", KEY_TYPE),   NAME ("x_groq", KEY_X_GROQ),
                                   { NULL, 0, KEY_OTHER } };
static const Name choice_names[] = { NAME ("delta", KEY_DELTA),
                                     NAME ("message", KEY_MESSAGE),
                                     NAME ("text", KEY_TEXT),
                                     NAME ("finish_reason", KEY_FINISH_REASON),
                                     { NULL, 0, KEY_OTHER } };
static const Name delta_names[] = {
  NAME ("content", KEY_CONTENT),       NAME ("reasoning_content", KEY_REASONING_CONTENT),
  NAME ("reasoning", KEY_REASONING),   NAME ("reasoning_details", KEY_REASONING_DETAILS),
  NAME ("tool_calls", KEY_TOOL_CALLS), { NULL, 0, KEY_OTHER }
};
static const Name usage_names[] = { NAME ("prompt_tokens", KEY_PROMPT_TOKENS),
                                    NAME ("completion_tokens", KEY_COMPLETION_TOKENS),
                                    NAME ("prompt_tokens_details", KEY_PROMPT_TOKENS_DETAILS),
                                    NAME ("completion_tokens_details",
                                          KEY_COMPLETION_TOKENS_DETAILS),
                                    { NULL, 0, KEY_OTHER } };
static const Name prompt_names[] = { NAME ("cached_tokens", KEY_CACHED_TOKENS),
                                     { NULL, 0, KEY_OTHER } };
static const Name completion_names[] = { NAME ("reasoning_tokens", KEY_REASONING_TOKENS),
                                         { NULL, 0, KEY_OTHER } };
static const Name timings_names[] = {
  NAME ("prompt_n", KEY_PROMPT_N),         NAME ("prompt_ms", KEY_PROMPT_MS),
  NAME ("cache_n", KEY_CACHE_N),           NAME ("predicted_n", KEY_PREDICTED_N),
  NAME ("predicted_ms", KEY_PREDICTED_MS), { NULL, 0, KEY_OTHER }
};
static const Name no_names[] = { { NULL, 0, KEY_OTHER } };

static gboolean
is_space (char c)
{
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void
skip_space (Scan *scan)
{
  while (scan->p < scan->end && is_space (*scan->p))
    scan->p++;
}

/* After "\u": four digits; the full reading mends NUL and lone surrogates, which are text too. */
static gboolean
scan_unicode (Scan *scan)
{
  if (scan->end - scan->p < 4)
    return FALSE;
  for (int i = 0; i < 4; i++)
    if (!g_ascii_isxdigit (*scan->p++))
      return FALSE;
  return TRUE;
}

static gboolean
scan_string (Scan *scan, Span *span)
{
  const char *p = scan->p;
  guchar bits = 0;

  if (p >= scan->end || *p != '"')
    return FALSE;
  span->text = ++p;
  span->escaped = FALSE;
  for (; p < scan->end; p++)
    {
      guchar c = (guchar) *p;

      bits |= c;
      if (G_LIKELY (c != '"' && c != '\\' && c >= 0x20))
        continue;
      if (c == '"')
        {
          span->length = (gsize) (p - span->text);
          scan->p = p + 1;
          scan->beyond_ascii |= bits >= 0x80;
          return TRUE;
        }
      if (c < 0x20)
        return FALSE;
      span->escaped = TRUE;
      if (++p >= scan->end || *p == '\0' || strchr ("\"\\/bfnrtu", *p) == NULL)
        return FALSE;
      if (*p == 'u')
        {
          scan->p = p + 1;
          if (!scan_unicode (scan))
            return FALSE;
          p = scan->p - 1;
        }
    }
  return FALSE;
}

/* Whole numbers of at most 15 digits and fractions of such; others are read in full. */
static gboolean
scan_number (Scan *scan, gint64 *whole, double *real)
{
  const char *from = scan->p;
  const char *digits;
  gint64 value = 0;
  gboolean negative = FALSE;

  if (scan->p < scan->end && *scan->p == '-')
    negative = TRUE, scan->p++;
  digits = scan->p;
  while (scan->p < scan->end && g_ascii_isdigit (*scan->p) && scan->p - digits < 16)
    value = value * 10 + (*scan->p++ - '0');
  if (scan->p == digits || scan->p - digits > 15 || (*digits == '0' && scan->p - digits > 1))
    return FALSE;
  *whole = negative ? -value : value;
  if (scan->p < scan->end && *scan->p == '.')
    {
      digits = ++scan->p;
      while (scan->p < scan->end && g_ascii_isdigit (*scan->p))
        scan->p++;
      if (scan->p == digits)
        return FALSE;
      *whole = -1;
      if (real != NULL)
        *real = g_ascii_strtod (from, NULL);
    }
  else if (real != NULL)
    *real = (double) *whole;
  return scan->p >= scan->end || (*scan->p != 'e' && *scan->p != 'E');
}

static gboolean
scan_word (Scan *scan, const char *word, gsize length)
{
  if ((gsize) (scan->end - scan->p) < length || memcmp (scan->p, word, length) != 0)
    return FALSE;
  scan->p += length;
  return TRUE;
}

static gboolean
scan_null (Scan *scan)
{
  return scan_word (scan, "null", 4);
}

typedef gboolean (*MemberFunc) (Scan *scan, Key key, guint depth);
static gboolean scan_object (Scan *scan, const Name *names, MemberFunc func, guint depth);

static gboolean skip_value (Scan *scan, guint depth);

static gboolean
skip_array (Scan *scan, guint depth)
{
  scan->p++;
  skip_space (scan);
  if (scan->p < scan->end && *scan->p == ']')
    {
      scan->p++;
      return TRUE;
    }
  while (skip_value (scan, depth + 1))
    {
      skip_space (scan);
      if (scan->p >= scan->end)
        return FALSE;
      if (*scan->p == ']')
        {
          scan->p++;
          return TRUE;
        }
      if (*scan->p++ != ',')
        return FALSE;
      skip_space (scan);
    }
  return FALSE;
}

static gboolean
skip_value (Scan *scan, guint depth)
{
  Span span;
  gint64 whole;

  if (depth > MAX_DEPTH || scan->p >= scan->end)
    return FALSE;
  switch (*scan->p)
    {
    case '"':
      return scan_string (scan, &span);
    case '{':
      return scan_object (scan, no_names, NULL, depth);
    case '[':
      return skip_array (scan, depth);
    case 'n':
      return scan_null (scan);
    case 't':
      return scan_word (scan, "true", 4);
    case 'f':
      return scan_word (scan, "false", 5);
    default:
      return scan_number (scan, &whole, NULL);
    }
}

static Key
find_name (const Name *names, const Span *span)
{
  for (; names->name != NULL; names++)
    if (names->length == span->length && memcmp (names->name, span->text, span->length) == 0)
      return names->key;
  return KEY_OTHER;
}

/* Calls `func` with the scan at the value of each member in `names`; skips the others. */
static gboolean
scan_object (Scan *scan, const Name *names, MemberFunc func, guint depth)
{
  guint32 seen = 0;

  if (depth > MAX_DEPTH || scan->p >= scan->end || *scan->p != '{')
    return FALSE;
  scan->p++;
  skip_space (scan);
  if (scan->p < scan->end && *scan->p == '}')
    {
      scan->p++;
      return TRUE;
    }
  for (;;)
    {
      Span name;
      Key key;

      if (!scan_string (scan, &name) || name.escaped)
        return FALSE;
      skip_space (scan);
      if (scan->p >= scan->end || *scan->p++ != ':')
        return FALSE;
      skip_space (scan);
      key = find_name (names, &name);
      if (key != KEY_OTHER && (seen & (1u << key)))
        return FALSE;
      seen |= 1u << key;
      if (key == KEY_OTHER ? !skip_value (scan, depth + 1) : !func (scan, key, depth + 1))
        return FALSE;
      skip_space (scan);
      if (scan->p >= scan->end)
        return FALSE;
      if (*scan->p == '}')
        {
          scan->p++;
          return TRUE;
        }
      if (*scan->p++ != ',')
        return FALSE;
      skip_space (scan);
    }
}

/* An object or null. */
static gboolean
scan_child (Scan *scan, const Name *names, MemberFunc func, guint depth)
{
  return scan_null (scan) || scan_object (scan, names, func, depth);
}

/* Text or null: sets *said if there is some. */
static gboolean
scan_text (Scan *scan, gboolean *said)
{
  Span span;

  if (scan_null (scan))
    return TRUE;
  if (!scan_string (scan, &span))
    return FALSE;
  *said |= span.length > 0;
  return TRUE;
}

/* A count: a plain whole number or null. */
static gboolean
scan_count (Scan *scan, gint64 *count)
{
  gint64 whole;
  double real = -1;

  if (scan_null (scan))
    return TRUE;
  if (!scan_number (scan, &whole, &real) || whole < 0 || real != (double) whole)
    return FALSE;
  *count = whole;
  return TRUE;
}

static gboolean
scan_ms (Scan *scan, double *ms)
{
  gint64 whole;
  double real;

  if (scan_null (scan))
    return TRUE;
  if (!scan_number (scan, &whole, &real))
    return FALSE;
  *ms = real >= 0 ? real : NAN;
  return TRUE;
}

static gboolean
delta_member (Scan *scan, Key key, guint depth)
{
  switch ((int) key)
    {
    case KEY_CONTENT:
      return scan_text (scan, &scan->event->has_content);
    case KEY_REASONING_CONTENT:
    case KEY_REASONING:
      return scan_text (scan, &scan->event->has_reasoning);
    default: /* tool_calls, reasoning_details */
      return scan_null (scan) || scan_word (scan, "[]", 2);
    }
}

static gboolean
choice_member (Scan *scan, Key key, guint depth)
{
  Span span;

  switch ((int) key)
    {
    case KEY_DELTA:
      return scan_object (scan, delta_names, delta_member, depth);
    case KEY_TEXT:
      return scan_text (scan, &scan->event->has_content);
    case KEY_FINISH_REASON:
      return scan_null (scan) || (scan_string (scan, &span) && !span.escaped &&
                                  !(span.length == 5 && memcmp (span.text, "error", 5) == 0));
    default: /* message: not of a stream */
      return FALSE;
    }
}

/* No choice or one; we never ask for more. */
static gboolean
scan_choices (Scan *scan, guint depth)
{
  if (scan_null (scan))
    return TRUE;
  if (scan->p >= scan->end || *scan->p++ != '[')
    return FALSE;
  skip_space (scan);
  if (scan->p < scan->end && *scan->p == '{')
    {
      if (!scan_object (scan, choice_names, choice_member, depth + 1))
        return FALSE;
      skip_space (scan);
    }
  return scan->p < scan->end && *scan->p++ == ']';
}

static gboolean
usage_member (Scan *scan, Key key, guint depth)
{
  TachoUsage *usage = &scan->event->usage;

  switch ((int) key)
    {
    case KEY_PROMPT_TOKENS:
      return scan_count (scan, &usage->prompt_tokens);
    case KEY_COMPLETION_TOKENS:
      return scan_count (scan, &usage->output_tokens);
    case KEY_CACHED_TOKENS:
      return scan_count (scan, &usage->cached_tokens);
    case KEY_REASONING_TOKENS:
      return scan_count (scan, &usage->reasoning_tokens);
    case KEY_PROMPT_TOKENS_DETAILS:
      return scan_child (scan, prompt_names, usage_member, depth);
    default:
      return scan_child (scan, completion_names, usage_member, depth);
    }
}

static gboolean
timings_member (Scan *scan, Key key, guint depth)
{
  TachoTimings *timings = &scan->event->timings;

  switch ((int) key)
    {
    case KEY_PROMPT_N:
      return scan_count (scan, &timings->prompt_n);
    case KEY_CACHE_N:
      return scan_count (scan, &timings->cached_n);
    case KEY_PREDICTED_N:
      return scan_count (scan, &timings->predicted_n);
    case KEY_PROMPT_MS:
      return scan_ms (scan, &timings->prompt_ms);
    default:
      return scan_ms (scan, &timings->predicted_ms);
    }
}

static gboolean
root_member (Scan *scan, Key key, guint depth)
{
  Span span;

  switch ((int) key)
    {
    case KEY_ID:
      if (scan_null (scan))
        return TRUE;
      if (!scan_string (scan, &span) || span.escaped)
        return FALSE;
      scan->id = span.text;
      scan->id_length = span.length;
      return TRUE;
    case KEY_CHOICES:
      return scan_choices (scan, depth);
    case KEY_USAGE:
      return scan_child (scan, usage_names, usage_member, depth);
    case KEY_TIMINGS:
      return scan_child (scan, timings_names, timings_member, depth);
    case KEY_OBJECT:
    case KEY_TYPE:
      return scan_string (scan, &span) && !span.escaped &&
             !(span.length == 5 && memcmp (span.text, "error", 5) == 0);
    default: /* error, x_groq */
      return scan_null (scan);
    }
}

/**
 * tacho_json_scan_chunk:
 * @text: the chunk, NUL-terminated after @length bytes
 * @length: its length in bytes
 * @event: (out caller-allocates): what the chunk says; undefined where %FALSE is returned
 * @id: (out) (transfer none) (nullable): the response id within @text, not NUL-terminated; %NULL if
 *   there is none
 * @id_length: (out): bytes of @id
 *
 * Reads one chunk of the OpenAI shape without allocating. It fills only the always-set part of
 * @event, with what tacho_openai_read_chunk() would have put there.
 *
 * Returns: %TRUE if @text is strict JSON and was read; %FALSE for anything unusual or wrong, which
 *   is to be read in full
 */
gboolean
tacho_json_scan_chunk (const char *text,
                       gsize length,
                       TachoStreamEvent *event,
                       const char **id,
                       gsize *id_length)
{
  Scan scan = { .p = text, .end = text + length, .event = event };
  TachoUsage *usage = &event->usage;
  TachoTimings *timings = &event->timings;

  tacho_openai_event_clear (event);
  skip_space (&scan);
  if (!scan_object (&scan, root_names, root_member, 0))
    return FALSE;
  skip_space (&scan);
  if (scan.p != scan.end || (scan.beyond_ascii && !g_utf8_validate_len (text, length, NULL)))
    return FALSE;
  event->has_usage = usage->prompt_tokens > 0 || usage->output_tokens > 0;
  if (!event->has_usage)
    tacho_usage_clear (usage);
  event->has_timings = !isnan (timings->prompt_ms) || !isnan (timings->predicted_ms);
  if (!event->has_timings)
    tacho_timings_clear (timings);
  *id = scan.id;
  *id_length = scan.id_length;
  return TRUE;
}
