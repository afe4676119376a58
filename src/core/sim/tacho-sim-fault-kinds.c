/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Faults: what the simulated server does wrong on demand.
 *
 *   spec    = kind [":" option]...
 *   kind    = "status=CODE"       answer with an HTTP status, 200 to 599
 *           | "latency=SECONDS"   wait before the head
 *           | "slow=FACTOR"       multiply every time of the generation
 *           | "stall"             send nothing more, and keep the connection open
 *           | "drop"              reset the connection
 *           | "truncate"          end the body cleanly, without the terminal marker
 *           | "error"             report an error in the stream, then end it
 *           | "no_usage"          leave the usage and the timings out
 *           | "bundle=N"          N tokens in one chunk
 *           | a name of tacho-sim-wire.c, with its value: wrong bytes
 *           | a name of the table below: of the gRPC front
 *   option  = "p=0..1"            the share of the matching requests (1)
 *           | "after=N"           events that are sent first (0)
 *           | "bytes=N"           bytes of the body that are sent first, in place of "after"
 *           | "n=N" | "n=A-B" | "n=A-"   only these of the matching requests, counted from 1
 *           | "path=GLOB"         instead of the generation routes
 *           | "jitter=SECONDS"    latency: up to so much more
 *           | "delay=MS"          slice: between the pieces
 *           | "retry-after=S", "body=json|html|text|empty"   status
 *           | "to=URL"            redirect; the rest of the spec
 *
 * Example: "drop:after=3:n=5" resets the fifth generation after three events. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-fault.h"

#include <math.h>
#include <string.h>

#include "base/tacho-error.h"
#include "sim/tacho-sim-wire.h"

#define OPTIONS                                                                                    \
  "p=0..1, after=N, bytes=N, n=N, n=A-B, n=A-, path=GLOB, jitter=SECONDS, delay=MS, "              \
  "retry-after=SECONDS, body=json|html|text|empty, to=URL"
#define MAX_SPEC_LENGTH 1024

typedef struct
{
  const char *name;
  TachoSimFaultKind kind;
  gboolean has_value;
  double min, max;
  const char *help;
} KindRow;

static const KindRow kinds[] = {
  { "status", TACHO_SIM_FAULT_STATUS, TRUE, 200, 599, "answer with this HTTP status" },
  { "latency", TACHO_SIM_FAULT_LATENCY, TRUE, 0, 3600, "wait so many seconds before the head" },
  { "stall", TACHO_SIM_FAULT_STALL, FALSE, 0, 0, "send nothing more, and stay connected" },
  { "drop", TACHO_SIM_FAULT_DROP, FALSE, 0, 0, "reset the connection (RST)" },
  { "truncate", TACHO_SIM_FAULT_TRUNCATE, FALSE, 0, 0, "end the body cleanly, but too early" },
  { "error", TACHO_SIM_FAULT_ERROR, FALSE, 0, 0, "report an error inside the stream" },
  { "slow", TACHO_SIM_FAULT_SLOW, TRUE, 0.001, 1000, "multiply every time of the generation" },
  { "no_usage", TACHO_SIM_FAULT_NO_USAGE, FALSE, 0, 0, "leave the usage out" },
  { "bundle", TACHO_SIM_FAULT_BUNDLE, TRUE, 1, 10000, "so many tokens in one chunk" },
  { "grpc-status", TACHO_SIM_FAULT_GRPC, TRUE, 1, 16, "gRPC: end with this status" },
  { "goaway", TACHO_SIM_FAULT_GRPC, FALSE, 0, 0, "gRPC: close the connection gracefully" },
  { "grpc-big", TACHO_SIM_FAULT_GRPC, TRUE, 1, 1e9, "gRPC: a message of so many bytes" },
  { "grpc-metadata", TACHO_SIM_FAULT_GRPC, TRUE, 1, 1e7, "gRPC: so many bytes of metadata" },
  { "grpc-compressed", TACHO_SIM_FAULT_GRPC, FALSE, 0, 0, "gRPC: compressed messages" },
  { "grpc-bytes", TACHO_SIM_FAULT_GRPC, FALSE, 0, 0, "gRPC: a message that is no protobuf" },
  { "grpc-no-final", TACHO_SIM_FAULT_GRPC, FALSE, 0, 0, "gRPC: the final marker is left out" },
};

static gboolean
parse_number (const char *text, double min, double max, double *value)
{
  char *end = NULL;

  if (text == NULL || *text == '\0')
    return FALSE;
  *value = g_ascii_strtod (text, &end);
  return *end == '\0' && isfinite (*value) && *value >= min && *value <= max;
}

static gboolean
parse_count (const char *text, guint64 min, guint64 *value)
{
  return g_ascii_string_to_unsigned (text, 10, min, G_MAXINT32, value, NULL);
}

static gboolean
parse_range (const char *text, TachoSimFault *fault)
{
  g_auto (GStrv) ends = g_strsplit (text, "-", 2);

  if (ends[0] == NULL || !parse_count (ends[0], 1, &fault->first))
    return FALSE;
  if (ends[1] == NULL)
    fault->last = fault->first;
  else if (*ends[1] == '\0')
    fault->last = 0;
  else
    return parse_count (ends[1], fault->first, &fault->last);
  return TRUE;
}

static const TachoSimWireRow *
find_wire (const char *name)
{
  for (const TachoSimWireRow *row = tacho_sim_wire_rows (); row->name != NULL; row++)
    if (g_str_equal (row->name, name))
      return row;
  return NULL;
}

static gboolean
parse_wire (const TachoSimWireRow *row,
            const char *value,
            TachoSimFault *fault,
            const char *spec,
            GError **error)
{
  g_auto (GStrv) words = row->words != NULL ? g_strsplit (row->words, " ", -1) : NULL;

  fault->kind = TACHO_SIM_FAULT_WIRE;
  fault->name = row->name;
  if (row->value == TACHO_SIM_WIRE_PLAIN && value == NULL)
    return TRUE;
  if (row->value == TACHO_SIM_WIRE_NUMBER &&
      parse_number (value, row->min, row->max, &fault->number))
    return TRUE;
  if (row->value == TACHO_SIM_WIRE_WORD && value != NULL &&
      g_strv_contains ((const char *const *) words, value))
    {
      fault->word = g_strdup (value);
      return TRUE;
    }
  if (row->value == TACHO_SIM_WIRE_PLAIN)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "Fault “%s”: “%s” takes no value", spec,
                 row->name);
  else if (row->value == TACHO_SIM_WIRE_NUMBER)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "Fault “%s”: “%s” needs a number from %g to %g", spec, row->name, row->min,
                 row->max);
  else
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "Fault “%s”: “%s” needs one of: %s", spec,
                 row->name, row->words);
  return FALSE;
}

static char *
list_kinds (void)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    g_string_append_printf (list, "%s%s%s", i > 0 ? ", " : "", kinds[i].name,
                            kinds[i].has_value ? "=N" : "");
  for (const TachoSimWireRow *row = tacho_sim_wire_rows (); row->name != NULL; row++)
    g_string_append_printf (list, ", %s%s", row->name,
                            row->value == TACHO_SIM_WIRE_PLAIN    ? ""
                            : row->value == TACHO_SIM_WIRE_NUMBER ? "=N"
                                                                  : "=WORD");
  return g_string_free (list, FALSE);
}

static gboolean
parse_kind (const char *text, TachoSimFault *fault, const char *spec, GError **error)
{
  const char *equals = strchr (text, '=');
  g_autofree char *name = equals ? g_strndup (text, (gsize) (equals - text)) : g_strdup (text);
  g_autofree char *list = NULL;
  const TachoSimWireRow *wire = find_wire (name);
  double value = 0;

  if (wire != NULL)
    return parse_wire (wire, equals != NULL ? equals + 1 : NULL, fault, spec, error);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      if (!g_str_equal (name, kinds[i].name))
        continue;
      fault->kind = kinds[i].kind;
      if (kinds[i].has_value != (equals != NULL) ||
          (equals != NULL && !parse_number (equals + 1, kinds[i].min, kinds[i].max, &value)))
        {
          if (kinds[i].has_value)
            g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                         "Fault “%s”: “%s” needs a number from %g to %g", spec, name, kinds[i].min,
                         kinds[i].max);
          else
            g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "Fault “%s”: “%s” takes no value",
                         spec, name);
          return FALSE;
        }
      if (fault->kind == TACHO_SIM_FAULT_STATUS)
        fault->status = (guint) value;
      else if (fault->kind == TACHO_SIM_FAULT_LATENCY)
        fault->seconds = value;
      else if (fault->kind == TACHO_SIM_FAULT_SLOW)
        fault->factor = value;
      fault->name = kinds[i].name;
      fault->number = value;
      return TRUE;
    }
  list = list_kinds ();
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "Fault “%s”: there is no fault “%s”. There are: %s", spec, name, list);
  return FALSE;
}

static gboolean
parse_option (const char *text, TachoSimFault *fault, const char *spec, GError **error)
{
  static const char *const bodies[] = { "json", "html", "text", "empty", NULL };
  guint64 count = 0;

  if (g_str_has_prefix (text, "p=") && parse_number (text + 2, 0, 1, &fault->probability))
    return TRUE;
  if (g_str_has_prefix (text, "after=") && parse_count (text + 6, 0, &count))
    {
      fault->after_events = (guint) count;
      return TRUE;
    }
  if (g_str_has_prefix (text, "bytes=") && parse_count (text + 6, 1, &fault->after_bytes))
    return TRUE;
  if (g_str_has_prefix (text, "jitter=") && parse_number (text + 7, 0, 3600, &fault->jitter_s))
    return TRUE;
  if (g_str_has_prefix (text, "delay=") && parse_number (text + 6, 0, 60000, &fault->delay_ms))
    return TRUE;
  if (g_str_has_prefix (text, "retry-after=") &&
      parse_number (text + 12, 0, 1e6, &fault->retry_after_s))
    return TRUE;
  if (g_str_has_prefix (text, "body=") && g_strv_contains (bodies, text + 5))
    {
      g_free (fault->body);
      fault->body = g_strdup (text + 5);
      return TRUE;
    }
  if (g_str_has_prefix (text, "n=") && parse_range (text + 2, fault))
    return TRUE;
  if (g_str_has_prefix (text, "path=/"))
    {
      g_free (fault->path);
      fault->path = g_strdup (text + 5);
      return TRUE;
    }
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "Fault “%s”: cannot use the option “%s”. There are: %s", spec, text, OPTIONS);
  return FALSE;
}

/* A spec is quoted in messages and in the reply's headers. */
static gboolean
is_printable (const char *text)
{
  if (!g_utf8_validate (text, -1, NULL))
    return FALSE;
  for (; *text != '\0'; text = g_utf8_next_char (text))
    if (g_unichar_iscntrl (g_utf8_get_char (text)))
      return FALSE;
  return TRUE;
}

/**
 * tacho_sim_fault_parse:
 * @spec: a fault in the grammar at the top of this file
 * @error: return location for a `TACHO_ERROR_INVALID` that lists what is allowed
 *
 * Returns: (transfer full) (nullable): the fault, or %NULL
 */
TachoSimFault *
tacho_sim_fault_parse (const char *spec, GError **error)
{
  g_autoptr (TachoSimFault) fault = g_new0 (TachoSimFault, 1);
  g_auto (GStrv) parts = NULL;
  g_autofree char *head = NULL;
  const char *to;

  g_return_val_if_fail (spec != NULL, NULL);

  fault->probability = 1;
  fault->factor = 1;
  fault->retry_after_s = NAN;
  if (strlen (spec) > MAX_SPEC_LENGTH || !is_printable (spec))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "A fault must be text of at most %d bytes without control characters",
                   MAX_SPEC_LENGTH);
      return NULL;
    }
  /* A target holds colons itself, and therefore comes last. */
  to = strstr (spec, ":to=");
  head = to != NULL ? g_strndup (spec, (gsize) (to - spec)) : g_strdup (spec);
  parts = g_strsplit (head, ":", -1);
  if (!parse_kind (parts[0] ? parts[0] : "", fault, spec, error))
    return NULL;
  for (guint i = 1; parts[0] != NULL && parts[i] != NULL; i++)
    if (!parse_option (parts[i], fault, spec, error))
      return NULL;
  if (to != NULL && !g_str_equal (fault->name, "redirect"))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "Fault “%s”: only “redirect” takes the option “to=”", spec);
      return NULL;
    }
  if (to != NULL)
    fault->word = g_strdup (to + 4);
  return g_steal_pointer (&fault);
}

/**
 * tacho_sim_fault_free:
 * @fault: (nullable) (transfer full): a fault
 */
void
tacho_sim_fault_free (TachoSimFault *fault)
{
  if (fault == NULL)
    return;
  g_free (fault->path);
  g_free (fault->word);
  g_free (fault->body);
  g_free (fault);
}

/**
 * tacho_sim_fault_copy:
 * @fault: a fault
 *
 * Returns: (transfer full): a copy
 */
TachoSimFault *
tacho_sim_fault_copy (const TachoSimFault *fault)
{
  TachoSimFault *copy = g_memdup2 (fault, sizeof *fault);

  copy->path = g_strdup (fault->path);
  copy->word = g_strdup (fault->word);
  copy->body = g_strdup (fault->body);
  return copy;
}

static void
append_number (GString *spec, const char *name, double value)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append_printf (spec, "%s%s", name,
                          g_ascii_formatd (number, sizeof number, "%.10g", value));
}

/**
 * tacho_sim_fault_to_string:
 * @fault: a fault
 *
 * Returns: (transfer full): the fault's spec, which is also its id in `X-Tacho-Fault`
 */
char *
tacho_sim_fault_to_string (const TachoSimFault *fault)
{
  GString *spec = g_string_new (fault->name != NULL ? fault->name : kinds[fault->kind].name);

  if (fault->kind == TACHO_SIM_FAULT_STATUS)
    g_string_append_printf (spec, "=%u", fault->status);
  else if (fault->kind == TACHO_SIM_FAULT_LATENCY)
    append_number (spec, "=", fault->seconds);
  else if (fault->kind == TACHO_SIM_FAULT_SLOW)
    append_number (spec, "=", fault->factor);
  else if (fault->word != NULL && !g_str_equal (fault->name, "redirect"))
    g_string_append_printf (spec, "=%s", fault->word);
  else if (fault->number > 0)
    append_number (spec, "=", fault->number);
  if (fault->after_events > 0)
    g_string_append_printf (spec, ":after=%u", fault->after_events);
  if (fault->after_bytes > 0)
    g_string_append_printf (spec, ":bytes=%" G_GUINT64_FORMAT, fault->after_bytes);
  if (fault->jitter_s > 0)
    append_number (spec, ":jitter=", fault->jitter_s);
  if (fault->delay_ms > 0)
    append_number (spec, ":delay=", fault->delay_ms);
  if (!isnan (fault->retry_after_s))
    append_number (spec, ":retry-after=", fault->retry_after_s);
  if (fault->body != NULL)
    g_string_append_printf (spec, ":body=%s", fault->body);
  if (fault->probability < 1)
    append_number (spec, ":p=", fault->probability);
  if (fault->first > 0 && fault->last == fault->first)
    g_string_append_printf (spec, ":n=%" G_GUINT64_FORMAT, fault->first);
  else if (fault->first > 0 || fault->last > 0)
    {
      g_string_append_printf (spec, ":n=%" G_GUINT64_FORMAT "-", MAX (fault->first, 1));
      if (fault->last > 0)
        g_string_append_printf (spec, "%" G_GUINT64_FORMAT, fault->last);
    }
  if (fault->path != NULL)
    g_string_append_printf (spec, ":path=%s", fault->path);
  if (fault->word != NULL && g_str_equal (fault->name, "redirect"))
    g_string_append_printf (spec, ":to=%s", fault->word);
  return g_string_free (spec, FALSE);
}

/**
 * tacho_sim_fault_names:
 *
 * Returns: (transfer full): every fault there is, as "name=VALUE" and what it does, separated by a
 *   tab
 */
char **
tacho_sim_fault_names (void)
{
  GStrvBuilder *names = g_strv_builder_new ();
  char **list;

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      g_autofree char *line = g_strdup_printf ("%s%s\t%s", kinds[i].name,
                                               kinds[i].has_value ? "=N" : "", kinds[i].help);

      g_strv_builder_add (names, line);
    }
  for (const TachoSimWireRow *row = tacho_sim_wire_rows (); row->name != NULL; row++)
    {
      g_autofree char *words = g_strdup (row->words != NULL ? row->words : "");
      g_autofree char *line = g_strdup_printf (
          "%s%s%s\t%s", row->name, row->value == TACHO_SIM_WIRE_PLAIN ? "" : "=",
          row->value == TACHO_SIM_WIRE_NUMBER ? "N" : g_strdelimit (words, " ", '|'), row->help);

      g_strv_builder_add (names, line);
    }
  list = g_strv_builder_end (names);
  g_strv_builder_unref (names);
  return list;
}
