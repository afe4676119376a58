/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One queue in the order of time and one timer: a late wake-up does not change the order. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-player.h"

#include "sim/tacho-sim-timer.h"

#include <time.h>

typedef struct
{
  gint64 due_ns;
  TachoSimStep *step;
} Entry;

struct _TachoSimPlayer
{
  TachoSimSides *sides;
  GQueue entries; /* of Entry, the next one first */
  GSource *timer;
};

static gint64
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (gint64) now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  tacho_sim_step_free (entry->step);
  g_free (entry);
}

/* --- the queue -------------------------------------------------------------------------------- */

static void
arm (TachoSimPlayer *player)
{
  const Entry *next = g_queue_peek_head (&player->entries);

  tacho_sim_timer_set (player->timer, next ? MAX (next->due_ns, 1) : 0);
}

static gboolean
timer_cb (gpointer user_data)
{
  TachoSimPlayer *player = user_data;
  gint64 now = now_ns ();

  for (Entry *entry = g_queue_peek_head (&player->entries); entry != NULL && entry->due_ns <= now;
       entry = g_queue_peek_head (&player->entries))
    {
      g_queue_pop_head (&player->entries);
      tacho_sim_sides_take_step (player->sides, entry->step);
      entry_free (entry);
    }
  arm (player);
  return G_SOURCE_CONTINUE;
}

static int
compare (gconstpointer a, gconstpointer b, gpointer user_data)
{
  const Entry *first = a, *second = b;

  return (first->due_ns > second->due_ns) - (first->due_ns < second->due_ns);
}

static void
add (TachoSimPlayer *player, gint64 due_ns, TachoSimStep *step)
{
  Entry *entry = g_new0 (Entry, 1);

  entry->due_ns = due_ns;
  entry->step = step;
  g_queue_insert_sorted (&player->entries, entry, compare, NULL);
}

/**
 * tacho_sim_player_new:
 * @sides: what takes the steps
 * @host: the host, whose configuration has a timeline
 *
 * Returns: (transfer full): what takes its steps from now on
 */
TachoSimPlayer *
tacho_sim_player_new (TachoSimSides *sides, TachoSimHost *host)
{
  TachoSimPlayer *player = g_new0 (TachoSimPlayer, 1);
  gint64 begin = now_ns ();

  player->sides = sides;
  g_queue_init (&player->entries);
  player->timer = tacho_sim_timer_new (host->context, timer_cb, player);
  /* Equal times: insert_sorted puts the newcomer first, so the last one comes first here. */
  for (guint i = host->config->timeline->len; i > 0; i--)
    {
      const TachoSimStep *step = g_ptr_array_index (host->config->timeline, i - 1);

      add (player, begin + tacho_sim_engine_scale_ns (host->engine, step->at_s * 1000),
           tacho_sim_step_copy (step));
    }
  arm (player);
  return player;
}

/**
 * tacho_sim_player_free:
 * @player: (nullable) (transfer full): a player; its other steps are not taken
 */
void
tacho_sim_player_free (TachoSimPlayer *player)
{
  if (player == NULL)
    return;
  tacho_sim_timer_free (player->timer);
  g_queue_clear_full (&player->entries, entry_free);
  g_free (player);
}

/**
 * tacho_sim_player_add:
 * @player: a player
 * @step: (transfer full): its time counts from now, in seconds
 */
void
tacho_sim_player_add (TachoSimPlayer *player, TachoSimStep *step)
{
  add (player, now_ns () + (gint64) (step->at_s * 1e9), step);
  arm (player);
}
