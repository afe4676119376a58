/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The llama-server of this computer that the program starts: one, with what the settings say. */
#define G_LOG_DOMAIN "tacho-engine"

#include "config.h"

#include "app/tacho-engine.h"
#include "app/tacho-settings.h"

static TachoLocalEngine *engine;

/**
 * tacho_engine_get_default:
 *
 * Returns: (transfer none): the engine of this program
 */
TachoLocalEngine *
tacho_engine_get_default (void)
{
  if (engine == NULL)
    engine = tacho_local_engine_new ();
  return engine;
}

/**
 * tacho_engine_start:
 * @error: return location
 *
 * Starts it on the models of the settings.
 *
 * Returns: %FALSE if there is nothing to start; the error says what is missing
 */
gboolean
tacho_engine_start (GError **error)
{
  TachoSettings *settings = tacho_settings_get_default ();
  g_autofree char *program = tacho_settings_get_string (settings, "engine-program");
  g_autofree char *models = tacho_settings_get_string (settings, "engine-models");
  TachoLocalEngineOptions options = {
    .program = program[0] != '\0' ? program : NULL,
    .models = models[0] != '\0' ? models : NULL,
    .context = (guint) tacho_settings_get_int (settings, "engine-context"),
    .gpu_layers = tacho_settings_get_int (settings, "engine-gpu-layers"),
  };

  return tacho_local_engine_start (tacho_engine_get_default (), &options, error);
}

/**
 * tacho_engine_is_at:
 * @url: address of a server
 *
 * Returns: whether it is this engine's, and so of no use at the next start
 */
gboolean
tacho_engine_is_at (const char *url)
{
  return engine != NULL && url != NULL && g_strcmp0 (tacho_local_engine_get_url (engine), url) == 0;
}

/**
 * tacho_engine_shut_down:
 *
 * For the end of the program.
 */
void
tacho_engine_shut_down (void)
{
  if (engine != NULL)
    tacho_local_engine_stop (engine);
  g_clear_object (&engine);
}
