/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults in what a reply says: events and bodies that are changed on their way. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-wire-private.h"

#include <string.h>

static char *
with_line_ends (const char *text, const char *ending)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  return g_strjoinv (ending, lines);
}

/* An event is SSE, or a line of NDJSON. */
static gboolean
is_sse (const char *text)
{
  return *text != '{';
}

/* The families' last words: OpenAI's, Ollama's, the responses API's, LM Studio's. */
static gboolean
is_marker (const char *text)
{
  static const char *const markers[] = { "[DONE]", "\"done\":true", "\"done\": true",
                                         "\"response.completed\"", "\"chat.end\"" };

  for (gsize i = 0; i < G_N_ELEMENTS (markers); i++)
    if (strstr (text, markers[i]) != NULL)
      return TRUE;
  return FALSE;
}

static gboolean
is_last (const char *text)
{
  return is_marker (text) || strstr (text, "\"usage\":{") != NULL ||
         strstr (text, "\"finish_reason\":\"") != NULL;
}

/* The counts of a usage object, and Ollama's, which stand beside the reply. */
static char *
without_counts (const char *text)
{
  static const char names[] = "\"(?:[a-z_]*tokens|prompt_eval_count|eval_count)\":";
  g_autofree char *pattern = g_strconcat ("(", names, ")\\d+", NULL);
  g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, NULL);

  return g_regex_replace (regex, text, -1, 0, "\\g<1>0", 0, NULL);
}

/* Something in the text of the event: behind the first member that holds what is said. */
static char *
with_insertion (const char *text, const char *insertion)
{
  static const char *const names[] = { "\"content\":\"", "\"delta\":\"", "\"response\":\"",
                                       "\"text_output\":\"", "\"text\":\"" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const char *found = strstr (text, names[i]);

      if (found != NULL)
        {
          gsize before = (gsize) (found - text) + strlen (names[i]);
          g_autofree char *head = g_strndup (text, before);

          return g_strconcat (head, insertion, text + before, NULL);
        }
    }
  return NULL;
}

static char *
cut_json (const char *text)
{
  g_autofree char *half = NULL;

  if (is_sse (text))
    return g_strdup ("data: {\"choices\":[{\"delta\":\n\n");
  half = g_strndup (text, strlen (text) / 2);
  return g_strconcat (half, g_str_has_suffix (text, "\n") ? "\n" : "", NULL);
}

/* One more event of the reply's kind, with the bytes in a member that nobody knows. */
static GString *
extra_event (const char *text, const char *bytes, gsize length)
{
  GString *out = g_string_new (is_sse (text) ? "data: {\"x\":\"" : "{\"x\":\"");

  g_string_append_len (out, bytes, (gssize) length);
  g_string_append (out, is_sse (text) ? "\"}\n\n" : "\"}\n");
  return out;
}

static char *
finish (GString *out, gsize *length)
{
  *length = out->len;
  return g_string_free (out, FALSE);
}

static char *
repeat_before (const TachoSimWire *wire, const char *text)
{
  GString *out = g_string_new (NULL);
  const char *piece = tacho_sim_wire_is (wire, "comments") ? (is_sse (text) ? ": x\n\n" : "\n")
                      : is_sse (text)
                          ? "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},"
                            "\"finish_reason\":null}]}\n\n"
                          : "{\"message\":{\"role\":\"assistant\",\"content\":\"\"},"
                            "\"response\":\"\",\"done\":false}\n";

  for (guint64 i = 0; i < (guint64) wire->plan.number; i++)
    g_string_append (out, piece);
  g_string_append (out, text);
  return g_string_free (out, FALSE);
}

/* Changes of every event; NULL: none. */
static char *
change_each (const TachoSimWire *wire, const char *text)
{
  if (tacho_sim_wire_is (wire, "crlf"))
    return with_line_ends (text, "\r\n");
  if (tacho_sim_wire_is (wire, "cr"))
    return with_line_ends (text, "\r");
  if (tacho_sim_wire_is (wire, "usage-zero"))
    return without_counts (text);
  if (wire->whole)
    return NULL;
  if (tacho_sim_wire_is (wire, "no-marker") && is_marker (text))
    return g_strdup ("");
  if (tacho_sim_wire_is (wire, "role-only") && wire->n_events > 0 && !is_last (text))
    return g_strdup ("");
  if (tacho_sim_wire_is (wire, "usage-twice") && strstr (text, "\"usage\":{") != NULL)
    return g_strconcat (text, text, NULL);
  return NULL;
}

char *
tacho_sim_wire_change_event (const TachoSimWire *wire,
                             const char *text,
                             gsize length,
                             gsize *changed_length)
{
  char *changed;
  GString *out;

  *changed_length = 0;
  if (wire->whole) /* is changed already */
    return NULL;
  changed = change_each (wire, text);
  if (changed == NULL && tacho_sim_wire_is (wire, "split-utf8") &&
      wire->n_events >= wire->plan.after_events)
    changed = with_insertion (text, TACHO_SIM_WIRE_SPLIT);
  if (changed == NULL && wire->n_events == wire->plan.after_events)
    {
      if (tacho_sim_wire_is (wire, "bom"))
        changed = g_strconcat ("\xef\xbb\xbf", text, NULL);
      else if (tacho_sim_wire_is (wire, "bad-json"))
        changed = cut_json (text);
      else if (tacho_sim_wire_is (wire, "comments") || tacho_sim_wire_is (wire, "empty"))
        changed = repeat_before (wire, text);
      else if (tacho_sim_wire_is (wire, "bad-utf8") || tacho_sim_wire_is (wire, "nul"))
        {
          out = extra_event (text, tacho_sim_wire_is (wire, "nul") ? "\0" : "\xc3\x28",
                             tacho_sim_wire_is (wire, "nul") ? 1 : 2);
          g_string_append_len (out, text, (gssize) length);
          return finish (out, changed_length);
        }
      else if (tacho_sim_wire_is (wire, "huge-line"))
        {
          g_autofree char *line = g_strnfill ((gsize) wire->plan.number, 'x');

          out = extra_event (text, line, (gsize) wire->plan.number);
          g_string_append_len (out, text, (gssize) length);
          return finish (out, changed_length);
        }
    }
  if (changed != NULL)
    *changed_length = strlen (changed);
  return changed;
}

char *
tacho_sim_wire_change_body (const TachoSimWire *wire, const char *body, gsize *length)
{
  char *changed = change_each (wire, body);
  gboolean huge = tacho_sim_wire_is (wire, "huge-line");
  GString *out;

  if (changed == NULL && tacho_sim_wire_is (wire, "bom"))
    changed = g_strconcat ("\xef\xbb\xbf", body, NULL);
  else if (changed == NULL && tacho_sim_wire_is (wire, "bad-json"))
    changed = g_strndup (body, *length / 2);
  else if (changed == NULL && *body == '{' &&
           (huge || tacho_sim_wire_is (wire, "bad-utf8") || tacho_sim_wire_is (wire, "nul")))
    {
      out = g_string_new ("{\"x\":\"");
      for (guint64 i = 0; huge && i < (guint64) wire->plan.number; i++)
        g_string_append_c (out, 'x');
      if (tacho_sim_wire_is (wire, "bad-utf8"))
        g_string_append (out, "\xc3\x28");
      else if (!huge)
        g_string_append_c (out, '\0');
      g_string_append (out, body[1] == '}' ? "\"" : "\",");
      g_string_append (out, body + 1);
      return finish (out, length);
    }
  if (changed != NULL)
    *length = strlen (changed);
  return changed;
}
