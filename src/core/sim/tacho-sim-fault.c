/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which faults a request meets. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-fault.h"

#include <math.h>
#include <string.h>

#include "sim/tacho-sim-json.h"
#include "sim/tacho-sim-text.h"

typedef struct
{
  TachoSimFault *fault;
  char *id;
  guint64 seen; /* matching requests so far */
  guint64 played;
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

/**
 * tacho_sim_play_init:
 * @play: (out caller-allocates): nothing is played
 */
void
tacho_sim_play_init (TachoSimPlay *play)
{
  *play = (TachoSimPlay){ .factor = 1, .bundle = 1, .retry_after_s = NAN };
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
  g_free (play->body);
  tacho_sim_fault_free (play->wire);
  tacho_sim_fault_free (play->grpc);
  tacho_sim_play_init (play);
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

/**
 * tacho_sim_fault_set_to_json:
 * @set: a set
 *
 * Returns: (transfer full): a JSON array of its faults: the spec, how many requests matched it, on
 *   how many of them it was played
 */
char *
tacho_sim_fault_set_to_json (const TachoSimFaultSet *set)
{
  GString *json = g_string_new ("[");

  for (guint i = 0; i < set->entries->len; i++)
    {
      const Entry *entry = g_ptr_array_index (set->entries, i);

      tacho_sim_json_comma (json);
      tacho_sim_json_add (json, "{'fault':%s,'matched':%i,'played':%i}", entry->id,
                          (gint64) entry->seen, (gint64) entry->played);
    }
  g_string_append_c (json, ']');
  return g_string_free (json, FALSE);
}

/* Pace goes with any other fault; of the others the last counts. */
static void
play_add_wire (TachoSimPlay *play, const TachoSimFault *fault)
{
  if (g_str_equal (fault->name, "slice"))
    {
      play->slice_bytes = (guint) fault->number;
      play->slice_ms = fault->delay_ms;
    }
  else if (g_str_equal (fault->name, "bandwidth"))
    play->bandwidth = fault->number;
  if (play->wire != NULL && (play->slice_bytes > 0 || play->bandwidth > 0) &&
      (g_str_equal (fault->name, "slice") || g_str_equal (fault->name, "bandwidth")))
    return;
  tacho_sim_fault_free (play->wire);
  play->wire = tacho_sim_fault_copy (fault);
}

static void
play_add (TachoSimPlay *play, const TachoSimFault *fault, const char *id, double share)
{
  char *joined = play->id ? g_strconcat (play->id, ", ", id, NULL) : g_strdup (id);

  g_free (play->id);
  play->id = joined;
  play->n_faults++;
  switch (fault->kind)
    {
    case TACHO_SIM_FAULT_STATUS:
      play->status = fault->status;
      play->retry_after_s = fault->retry_after_s;
      g_free (play->body);
      play->body = g_strdup (fault->body);
      break;
    case TACHO_SIM_FAULT_LATENCY:
      play->latency_s += fault->seconds + share * fault->jitter_s;
      break;
    case TACHO_SIM_FAULT_BUNDLE:
      play->bundle = (guint) fault->number;
      break;
    case TACHO_SIM_FAULT_GRPC:
      tacho_sim_fault_free (play->grpc);
      play->grpc = tacho_sim_fault_copy (fault);
      break;
    case TACHO_SIM_FAULT_WIRE:
      play_add_wire (play, fault);
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
      if (fault->after_bytes > 0 && fault->kind != TACHO_SIM_FAULT_ERROR)
        {
          play_add_wire (play, fault); /* libsoup knows no bytes */
          break;
        }
      play->has_stream_fault = TRUE;
      play->stream_fault = fault->kind;
      play->after_events = fault->after_events;
      break;
    }
}

/* What is drawn depends on the seed, the fault and its request number alone, so that a run can be
 * replayed. */
static double
draw (TachoSimFaultSet *set, guint index, guint64 number)
{
  guint64 mixed = tacho_sim_mix (set->seed ^ tacho_sim_mix (((guint64) index << 40) + number));

  return (double) (mixed >> 11) / (double) (G_GUINT64_CONSTANT (1) << 53);
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

  tacho_sim_play_init (play);
  for (guint i = 0; i < set->entries->len; i++)
    {
      Entry *entry = g_ptr_array_index (set->entries, i);
      const TachoSimFault *fault = entry->fault;

      if (fault->path ? !g_pattern_match_simple (fault->path, path) : !generation)
        continue;
      entry->seen++;
      if ((fault->first > 0 && entry->seen < fault->first) ||
          (fault->last > 0 && entry->seen > fault->last) ||
          (fault->probability < 1 && draw (set, i, entry->seen) >= fault->probability))
        continue;
      entry->played++;
      play_add (play, fault, entry->id, draw (set, i + 1000, entry->seen));
    }
  for (guint i = 0; specs != NULL && specs[i] != NULL; i++)
    {
      g_autoptr (TachoSimFault) fault = tacho_sim_fault_parse (g_strstrip (specs[i]), error);
      g_autofree char *id = NULL;

      if (fault == NULL)
        return FALSE;
      id = tacho_sim_fault_to_string (fault);
      play_add (play, fault, id, 1);
    }
  return TRUE;
}
