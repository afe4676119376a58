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
 *   option  = "p=0..1"            the share of the matching requests (1)
 *           | "after=N"           SSE events that are sent first (0); stall, drop, truncate, error
 *           | "n=N" | "n=A-B" | "n=A-"   only these of the matching requests, counted from 1
 *           | "path=GLOB"         instead of the generation routes
 *
 * Example: "drop:after=3:n=5" resets the fifth generation after three events. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-fault.h"

#include "base/tacho-error.h"
#include "sim/tacho-sim-text.h"

#include <math.h>
#include <string.h>

#define KINDS "status=CODE, latency=SECONDS, slow=FACTOR, stall, drop, truncate, error, no_usage"
#define OPTIONS "p=0..1, after=N, n=N, n=A-B, n=A-, path=GLOB"
#define MAX_SPEC_LENGTH 1024

typedef struct
{
  const char *name;
  TachoSimFaultKind kind;
  gboolean has_value;
  double min, max;
} KindRow;

static const KindRow kinds[] = {
  { "status", TACHO_SIM_FAULT_STATUS, TRUE, 200, 599 },
  { "latency", TACHO_SIM_FAULT_LATENCY, TRUE, 0, 3600 },
  { "stall", TACHO_SIM_FAULT_STALL, FALSE, 0, 0 },
  { "drop", TACHO_SIM_FAULT_DROP, FALSE, 0, 0 },
  { "truncate", TACHO_SIM_FAULT_TRUNCATE, FALSE, 0, 0 },
  { "error", TACHO_SIM_FAULT_ERROR, FALSE, 0, 0 },
  { "slow", TACHO_SIM_FAULT_SLOW, TRUE, 0.001, 1000 },
  { "no_usage", TACHO_SIM_FAULT_NO_USAGE, FALSE, 0, 0 },
};

typedef struct
{
  TachoSimFault *fault;
  char *id;
  guint64 seen; /* matching requests so far */
} Entry;

struct _TachoSimFaultSet
{
  guint64 seed;
  GPtrArray *entries;
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  tacho_sim_fault_free (entry->fault);
  g_free (entry->id);
  g_free (entry);
}

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

static gboolean
parse_kind (const char *text, TachoSimFault *fault, const char *spec, GError **error)
{
  const char *equals = strchr (text, '=');
  g_autofree char *name = equals ? g_strndup (text, (gsize) (equals - text)) : g_strdup (text);
  double value = 0;

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
      return TRUE;
    }
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "Fault “%s”: there is no fault “%s”. There are: %s", spec, name, KINDS);
  return FALSE;
}

static gboolean
parse_option (const char *text, TachoSimFault *fault, const char *spec, GError **error)
{
  guint64 count = 0;

  if (g_str_has_prefix (text, "p=") && parse_number (text + 2, 0, 1, &fault->probability))
    return TRUE;
  if (g_str_has_prefix (text, "after=") && parse_count (text + 6, 0, &count))
    {
      fault->after_events = (guint) count;
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

  g_return_val_if_fail (spec != NULL, NULL);

  fault->probability = 1;
  fault->factor = 1;
  if (strlen (spec) > MAX_SPEC_LENGTH || !g_utf8_validate (spec, -1, NULL))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "A fault must be text of at most %d bytes", MAX_SPEC_LENGTH);
      return NULL;
    }
  parts = g_strsplit (spec, ":", -1);
  if (!parse_kind (parts[0] ? parts[0] : "", fault, spec, error))
    return NULL;
  for (guint i = 1; parts[0] != NULL && parts[i] != NULL; i++)
    if (!parse_option (parts[i], fault, spec, error))
      return NULL;
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
  return copy;
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
  GString *spec = g_string_new (kinds[fault->kind].name);
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  if (fault->kind == TACHO_SIM_FAULT_STATUS)
    g_string_append_printf (spec, "=%u", fault->status);
  else if (fault->kind == TACHO_SIM_FAULT_LATENCY)
    g_string_append_printf (spec, "=%s",
                            g_ascii_formatd (number, sizeof number, "%g", fault->seconds));
  else if (fault->kind == TACHO_SIM_FAULT_SLOW)
    g_string_append_printf (spec, "=%s",
                            g_ascii_formatd (number, sizeof number, "%g", fault->factor));
  if (fault->after_events > 0)
    g_string_append_printf (spec, ":after=%u", fault->after_events);
  if (fault->probability < 1)
    g_string_append_printf (spec, ":p=%s",
                            g_ascii_formatd (number, sizeof number, "%g", fault->probability));
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
  return g_string_free (spec, FALSE);
}

/**
 * tacho_sim_play_clear:
 * @play: what a request meets
 *
 * Frees what @play holds and sets it to "nothing".
 */
void
tacho_sim_play_clear (TachoSimPlay *play)
{
  g_free (play->id);
  memset (play, 0, sizeof *play);
  play->factor = 1;
}

/**
 * tacho_sim_fault_set_new:
 * @seed: of the faults with a probability
 *
 * Returns: (transfer full): an empty set
 */
TachoSimFaultSet *
tacho_sim_fault_set_new (guint64 seed)
{
  TachoSimFaultSet *set = g_new0 (TachoSimFaultSet, 1);

  set->seed = seed;
  set->entries = g_ptr_array_new_with_free_func (entry_free);
  return set;
}

/**
 * tacho_sim_fault_set_free:
 * @set: (nullable) (transfer full): a set
 */
void
tacho_sim_fault_set_free (TachoSimFaultSet *set)
{
  if (set == NULL)
    return;
  g_ptr_array_unref (set->entries);
  g_free (set);
}

/**
 * tacho_sim_fault_set_add:
 * @set: a set
 * @fault: copied; its request numbers count from now
 */
void
tacho_sim_fault_set_add (TachoSimFaultSet *set, const TachoSimFault *fault)
{
  Entry *entry = g_new0 (Entry, 1);

  entry->fault = tacho_sim_fault_copy (fault);
  entry->id = tacho_sim_fault_to_string (fault);
  g_ptr_array_add (set->entries, entry);
}

/**
 * tacho_sim_fault_set_clear:
 * @set: a set
 */
void
tacho_sim_fault_set_clear (TachoSimFaultSet *set)
{
  g_ptr_array_set_size (set->entries, 0);
}

static void
play_add (TachoSimPlay *play, const TachoSimFault *fault, const char *id)
{
  char *joined = play->id ? g_strconcat (play->id, ", ", id, NULL) : g_strdup (id);

  g_free (play->id);
  play->id = joined;
  play->n_faults++;
  switch (fault->kind)
    {
    case TACHO_SIM_FAULT_STATUS:
      play->status = fault->status;
      break;
    case TACHO_SIM_FAULT_LATENCY:
      play->latency_s += fault->seconds;
      break;
    case TACHO_SIM_FAULT_SLOW:
      play->factor *= fault->factor;
      break;
    case TACHO_SIM_FAULT_NO_USAGE:
      play->no_usage = TRUE;
      break;
    case TACHO_SIM_FAULT_STALL:
    case TACHO_SIM_FAULT_DROP:
    case TACHO_SIM_FAULT_TRUNCATE:
    case TACHO_SIM_FAULT_ERROR:
    default:
      play->has_stream_fault = TRUE;
      play->stream_fault = fault->kind;
      play->after_events = fault->after_events;
      break;
    }
}

/* The draw depends on the seed, the fault and its request number alone, so that a run can be
 * replayed. */
static gboolean
draw (TachoSimFaultSet *set, guint index, guint64 number, double probability)
{
  guint64 mixed = tacho_sim_mix (set->seed ^ tacho_sim_mix (((guint64) index << 40) + number));

  return probability >= 1 ||
         (double) (mixed >> 11) / (double) (G_GUINT64_CONSTANT (1) << 53) < probability;
}

/**
 * tacho_sim_fault_set_match:
 * @set: a set
 * @path: of the request
 * @generation: whether the request asks for a generation
 * @request_spec: (nullable): faults that the request itself asks for, separated by commas
 * @play: (out caller-allocates): what to play; clear it with tacho_sim_play_clear()
 * @error: return location for a `TACHO_ERROR_INVALID`: @request_spec cannot be read
 *
 * Counts the request for each fault whose path it matches, and finds what is to be played on it.
 *
 * Returns: %FALSE if @request_spec is wrong
 */
gboolean
tacho_sim_fault_set_match (TachoSimFaultSet *set,
                           const char *path,
                           gboolean generation,
                           const char *request_spec,
                           TachoSimPlay *play,
                           GError **error)
{
  g_auto (GStrv) specs = request_spec ? g_strsplit (request_spec, ",", 16) : NULL;

  memset (play, 0, sizeof *play);
  play->factor = 1;
  for (guint i = 0; i < set->entries->len; i++)
    {
      Entry *entry = g_ptr_array_index (set->entries, i);
      const TachoSimFault *fault = entry->fault;

      if (fault->path ? !g_pattern_match_simple (fault->path, path) : !generation)
        continue;
      entry->seen++;
      if ((fault->first > 0 && entry->seen < fault->first) ||
          (fault->last > 0 && entry->seen > fault->last) ||
          !draw (set, i, entry->seen, fault->probability))
        continue;
      play_add (play, fault, entry->id);
    }
  for (guint i = 0; specs != NULL && specs[i] != NULL; i++)
    {
      g_autoptr (TachoSimFault) fault = tacho_sim_fault_parse (g_strstrip (specs[i]), error);
      g_autofree char *id = NULL;

      if (fault == NULL)
        return FALSE;
      id = tacho_sim_fault_to_string (fault);
      play_add (play, fault, id);
    }
  return TRUE;
}
