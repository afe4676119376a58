/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A side that goes down closes its ports and its connections, as a process that is killed; what
 * comes up again is on the same ports, with the same models. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-sides.h"

#include <string.h>

#include "sim/tacho-sim-grpc.h"
#include "sim/tacho-sim-player.h"

struct _TachoSimSides
{
  TachoSimHost *host;
  GPtrArray *listeners;   /* of TachoSimListener */
  GPtrArray *grpcs;       /* of TachoSimGrpc */
  GPtrArray *urls;        /* of each front */
  TachoSimPlayer *player; /* of the timeline; NULL: it does not run */
};

/**
 * tacho_sim_sides_new: (skip)
 * @host: what answers
 *
 * Returns: (transfer full): the sides, all down
 */
TachoSimSides *
tacho_sim_sides_new (TachoSimHost *host)
{
  TachoSimSides *sides = g_new0 (TachoSimSides, 1);

  sides->host = host;
  sides->listeners = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_sim_listener_free);
  sides->grpcs = g_ptr_array_new_with_free_func ((GDestroyNotify) tacho_sim_grpc_free);
  sides->urls = g_ptr_array_new_with_free_func (g_free);
  return sides;
}

/**
 * tacho_sim_sides_free: (skip)
 * @sides: (nullable) (transfer full): sides that are down
 */
void
tacho_sim_sides_free (TachoSimSides *sides)
{
  if (sides == NULL)
    return;
  tacho_sim_player_free (sides->player);
  g_ptr_array_unref (sides->listeners);
  g_ptr_array_unref (sides->grpcs);
  g_ptr_array_unref (sides->urls);
  g_free (sides);
}

/* Connections end in idle sources of libsoup's: let them run before the context goes. */
static void
drain (GMainContext *context)
{
  for (guint i = 0; i < 1000 && g_main_context_iteration (context, FALSE); i++)
    ;
}

/* Listens on a front; what it is called goes to *url. */
static gboolean
listen_on (TachoSimSides *sides, const TachoSimFront *front, char **url, GError **error)
{
  TachoSimListener *listener;
  TachoSimGrpc *grpc;

  if (front->grpc)
    {
      grpc = tacho_sim_grpc_new (sides->host, front, error);
      if (grpc == NULL)
        return FALSE;
      g_ptr_array_add (sides->grpcs, grpc);
      *url = g_strdup_printf ("%s://127.0.0.1:%u", front->tls ? "grpcs" : "grpc",
                              tacho_sim_grpc_get_port (grpc));
      return TRUE;
    }
  listener = tacho_sim_listener_new (sides->host, front, error);
  if (listener == NULL)
    return FALSE;
  g_ptr_array_add (sides->listeners, listener);
  *url = g_strdup_printf ("%s://127.0.0.1:%u", front->tls ? "https" : "http",
                          tacho_sim_listener_get_port (listener));
  return TRUE;
}

/**
 * tacho_sim_sides_open: (skip)
 * @sides: sides that are down
 * @port: of the first front; 0: as the configuration says
 * @error: return location
 *
 * Returns: whether every front listens; if not, none does
 */
gboolean
tacho_sim_sides_open (TachoSimSides *sides, guint16 port, GError **error)
{
  const TachoSimConfig *config = sides->host->config;

  g_ptr_array_set_size (sides->urls, 0);
  for (guint i = 0; i < config->fronts->len; i++)
    {
      TachoSimFront front = *tacho_sim_config_get_front (config, i);
      char *url = NULL;

      if (i == 0 && port != 0)
        front.port = port;
      if (!listen_on (sides, &front, &url, error))
        {
          tacho_sim_sides_close (sides);
          g_ptr_array_set_size (sides->urls, 0);
          return FALSE;
        }
      g_ptr_array_add (sides->urls, url);
    }
  return TRUE;
}

static void
close_rest (TachoSimSides *sides)
{
  tacho_sim_host_detach (sides->host);
  for (guint i = 0; i < sides->listeners->len; i++)
    soup_server_disconnect (((TachoSimListener *) g_ptr_array_index (sides->listeners, i))->soup);
}

/**
 * tacho_sim_sides_close: (skip)
 * @sides: the sides
 *
 * Takes all down, and forgets the steps to come. Must not be called from an exchange.
 */
void
tacho_sim_sides_close (TachoSimSides *sides)
{
  g_clear_pointer (&sides->player, tacho_sim_player_free);
  close_rest (sides);
  g_ptr_array_set_size (sides->grpcs, 0);
  drain (sides->host->context);
  g_ptr_array_set_size (sides->listeners, 0);
  drain (sides->host->context);
}

/**
 * tacho_sim_sides_get_url: (skip)
 * @sides: the sides
 * @index: of a front
 *
 * Returns: (nullable): where it is, or was when it was up
 */
const char *
tacho_sim_sides_get_url (TachoSimSides *sides, guint index)
{
  return index < sides->urls->len ? g_ptr_array_index (sides->urls, index) : NULL;
}

/**
 * tacho_sim_sides_is_up: (skip)
 * @sides: the sides
 * @grpc: which side
 *
 * Returns: whether it listens
 */
gboolean
tacho_sim_sides_is_up (TachoSimSides *sides, gboolean grpc)
{
  return grpc ? sides->grpcs->len > 0 : sides->listeners->len > 0;
}

static void
bring_up (TachoSimSides *sides, gboolean grpc)
{
  const TachoSimConfig *config = sides->host->config;

  for (guint i = 0; i < config->fronts->len; i++)
    {
      TachoSimFront front = *tacho_sim_config_get_front (config, i);
      g_autoptr (GError) error = NULL;
      g_autofree char *url = NULL;
      const char *old = tacho_sim_sides_get_url (sides, i);

      if (front.grpc != grpc || old == NULL)
        continue;
      front.port = (guint16) g_ascii_strtoull (strrchr (old, ':') + 1, NULL, 10);
      if (!listen_on (sides, &front, &url, &error))
        g_warning ("%s does not come up again: %s", old, error->message);
    }
}

/**
 * tacho_sim_sides_set: (skip)
 * @sides: the sides
 * @grpc: which side
 * @up: whether it is to listen
 *
 * Must not be called from an exchange of that side.
 */
void
tacho_sim_sides_set (TachoSimSides *sides, gboolean grpc, gboolean up)
{
  if (tacho_sim_sides_is_up (sides, grpc) == up)
    return;
  if (up)
    bring_up (sides, grpc);
  else if (grpc)
    g_ptr_array_set_size (sides->grpcs, 0);
  else
    {
      close_rest (sides);
      g_ptr_array_set_size (sides->listeners, 0);
    }
}

/* --- the timeline ----------------------------------------------------------------------------- */

static void
change_model (TachoSimHost *host, TachoSimRuntime *runtime, const TachoSimStep *step)
{
  switch (step->kind)
    {
    case TACHO_SIM_STEP_SPEED:
      runtime->slowness = step->factor;
      break;
    case TACHO_SIM_STEP_LOAD:
      tacho_sim_engine_load (host->engine, runtime);
      break;
    case TACHO_SIM_STEP_UNLOAD:
      tacho_sim_engine_unload (host->engine, runtime);
      break;
    case TACHO_SIM_STEP_FAIL:
      g_free (runtime->model->load_failure);
      runtime->model->load_failure = g_strdup (step->reason ? step->reason : "the model was lost");
      tacho_sim_engine_unload (host->engine, runtime);
      break;
    case TACHO_SIM_STEP_MEND:
      g_clear_pointer (&runtime->model->load_failure, g_free);
      break;
    case TACHO_SIM_STEP_ADD_FAULT:
    case TACHO_SIM_STEP_CLEAR_FAULTS:
    case TACHO_SIM_STEP_DOWN:
    case TACHO_SIM_STEP_UP:
    case TACHO_SIM_STEP_SLOTS:
    default:
      break;
    }
}

static void
change_models (TachoSimHost *host, const TachoSimStep *step)
{
  GPtrArray *runtimes = tacho_sim_engine_get_runtimes (host->engine);

  for (guint i = 0; i < runtimes->len; i++)
    {
      TachoSimRuntime *runtime = g_ptr_array_index (runtimes, i);

      if (step->model == NULL || g_str_equal (step->model, runtime->model->id))
        change_model (host, runtime, step);
    }
}

/**
 * tacho_sim_sides_take_step: (skip)
 * @sides: the sides
 * @step: what changes
 */
void
tacho_sim_sides_take_step (TachoSimSides *sides, const TachoSimStep *step)
{
  TachoSimHost *host = sides->host;

  switch (step->kind)
    {
    case TACHO_SIM_STEP_ADD_FAULT:
    case TACHO_SIM_STEP_CLEAR_FAULTS:
      g_mutex_lock (&host->fault_lock);
      if (step->kind == TACHO_SIM_STEP_ADD_FAULT)
        tacho_sim_fault_set_add (host->faults, step->fault);
      else
        tacho_sim_fault_set_clear (host->faults);
      g_mutex_unlock (&host->fault_lock);
      break;
    case TACHO_SIM_STEP_DOWN:
    case TACHO_SIM_STEP_UP:
      tacho_sim_sides_set (sides, step->grpc, step->kind == TACHO_SIM_STEP_UP);
      break;
    case TACHO_SIM_STEP_SLOTS:
      tacho_sim_engine_set_slots (host->engine, step->slots);
      break;
    case TACHO_SIM_STEP_SPEED:
    case TACHO_SIM_STEP_LOAD:
    case TACHO_SIM_STEP_UNLOAD:
    case TACHO_SIM_STEP_FAIL:
    case TACHO_SIM_STEP_MEND:
    default:
      change_models (host, step);
      break;
    }
}

/**
 * tacho_sim_sides_start_timeline: (skip)
 * @sides: sides that are up
 *
 * From now on the steps of the configuration are taken in their time.
 */
void
tacho_sim_sides_start_timeline (TachoSimSides *sides)
{
  g_clear_pointer (&sides->player, tacho_sim_player_free);
  sides->player = tacho_sim_player_new (sides, sides->host);
}

/**
 * tacho_sim_sides_add_step: (skip)
 * @sides: the sides
 * @step: (transfer full): taken so many seconds from now; never if the timeline does not run
 */
void
tacho_sim_sides_add_step (TachoSimSides *sides, TachoSimStep *step)
{
  if (sides->player != NULL)
    tacho_sim_player_add (sides->player, step);
  else
    tacho_sim_step_free (step);
}
