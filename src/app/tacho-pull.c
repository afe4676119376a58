/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fetching of one model as the window shows it. */
#define G_LOG_DOMAIN "tacho-pull"

#include "config.h"

#include "app/tacho-pull.h"
#include "app/tacho-display.h"
#include "base/tacho-clock.h"
#include "base/tacho-error.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>
#include <math.h>

#define TICK_MS 500
#define WINDOW 12 /* ticks that the rate is the mean of */
#define MAX_WORDS 400

struct _TachoPull
{
  GObject parent_instance;
  TachoConnection *connection;
  char *id;
  TachoModelPull *pull;
  GCancellable *cancellable;
  TachoPullState state;
  char *failure;
  guint tick;
  guint64 total; /* of the file that the samples belong to */
  guint64 samples[WINDOW];
  gint64 times_ns[WINDOW];
  guint n_samples, next_sample;
};

G_DEFINE_FINAL_TYPE (TachoPull, tacho_pull, G_TYPE_OBJECT)

static guint changed_signal;

static void
stop_tick (TachoPull *self)
{
  if (self->tick != 0)
    g_source_remove (self->tick);
  self->tick = 0;
}

static void
take_sample (TachoPull *self)
{
  guint64 completed = tacho_model_pull_get_completed (self->pull);
  guint64 total = tacho_model_pull_get_total (self->pull);
  guint last = (self->next_sample + WINDOW - 1) % WINDOW;

  /* A model is several files; the rate of one says nothing of the next one's beginning. */
  if (total != self->total || (self->n_samples > 0 && completed < self->samples[last]))
    self->n_samples = self->next_sample = 0;
  self->total = total;
  self->samples[self->next_sample] = completed;
  self->times_ns[self->next_sample] = tacho_clock_now_ns ();
  self->next_sample = (self->next_sample + 1) % WINDOW;
  self->n_samples = MIN (self->n_samples + 1, WINDOW);
}

/* Bytes a second, NaN before there are two looks at a file. */
static double
get_rate (TachoPull *self)
{
  guint last = (self->next_sample + WINDOW - 1) % WINDOW;
  guint first = (self->next_sample + WINDOW - self->n_samples) % WINDOW;
  double seconds;

  if (self->n_samples < 2)
    return NAN;
  seconds = (double) (self->times_ns[last] - self->times_ns[first]) / TACHO_NS_PER_S;
  return seconds > 0 ? (double) (self->samples[last] - self->samples[first]) / seconds : NAN;
}

static gboolean
tick_cb (gpointer user_data)
{
  TachoPull *self = user_data;

  take_sample (self);
  g_signal_emit (self, changed_signal, 0);
  return G_SOURCE_CONTINUE;
}

static void
ended_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoPull) self = user_data;
  g_autoptr (GError) error = NULL;

  stop_tick (self);
  if (tacho_model_service_pull_finish (TACHO_MODEL_SERVICE (source), result, &error))
    self->state = TACHO_PULL_DONE;
  else if (g_cancellable_is_cancelled (self->cancellable))
    self->state = TACHO_PULL_CANCELLED;
  else
    self->state = TACHO_PULL_FAILED;
  g_free (self->failure);
  self->failure = error != NULL ? tacho_text_sanitize_line (error->message, -1, MAX_WORDS) : NULL;
  g_signal_emit (self, changed_signal, 0);
}

static void
tacho_pull_dispose (GObject *object)
{
  TachoPull *self = TACHO_PULL (object);

  stop_tick (self);
  g_clear_object (&self->pull);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->connection);

  G_OBJECT_CLASS (tacho_pull_parent_class)->dispose (object);
}

static void
tacho_pull_finalize (GObject *object)
{
  TachoPull *self = TACHO_PULL (object);

  g_free (self->id);
  g_free (self->failure);

  G_OBJECT_CLASS (tacho_pull_parent_class)->finalize (object);
}

static void
tacho_pull_class_init (TachoPullClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = tacho_pull_dispose;
  object_class->finalize = tacho_pull_finalize;
  changed_signal = g_signal_new ("changed", TACHO_TYPE_PULL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 0);
}

static void
tacho_pull_init (TachoPull *self)
{
}

/**
 * tacho_pull_new:
 * @connection: the server that is to fetch it
 * @id: what it is called in the server's registry
 *
 * Returns: (transfer full): a pull that runs
 */
TachoPull *
tacho_pull_new (TachoConnection *connection, const char *id)
{
  TachoPull *self = g_object_new (TACHO_TYPE_PULL, NULL);

  self->connection = g_object_ref (connection);
  self->id = g_strdup (id);
  tacho_pull_start (self);
  return self;
}

/**
 * tacho_pull_start:
 * @self: a pull that has ended
 *
 * Orders it once more; servers go on where they were.
 */
void
tacho_pull_start (TachoPull *self)
{
  g_return_if_fail (TACHO_IS_PULL (self));
  g_return_if_fail (self->tick == 0);

  g_clear_object (&self->pull);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->failure, g_free);
  self->pull = tacho_model_pull_new (self->id);
  self->cancellable = g_cancellable_new ();
  self->state = TACHO_PULL_RUNNING;
  self->n_samples = self->next_sample = 0;
  self->tick = g_timeout_add (TICK_MS, tick_cb, self);
  tacho_model_service_pull_async (tacho_connection_get_models (self->connection), self->pull,
                                  self->cancellable, ended_cb, g_object_ref (self));
  g_signal_emit (self, changed_signal, 0);
}

/**
 * tacho_pull_cancel:
 * @self: a pull
 *
 * Stops it, on the server too where that can be told.
 */
void
tacho_pull_cancel (TachoPull *self)
{
  g_return_if_fail (TACHO_IS_PULL (self));

  g_cancellable_cancel (self->cancellable);
}

/**
 * tacho_pull_get_id:
 * @self: a pull
 *
 * Returns: (transfer none): which model
 */
const char *
tacho_pull_get_id (TachoPull *self)
{
  return self->id;
}

/**
 * tacho_pull_get_state:
 * @self: a pull
 *
 * Returns: whether it runs, or how it ended
 */
TachoPullState
tacho_pull_get_state (TachoPull *self)
{
  return self->state;
}

/**
 * tacho_pull_get_fraction:
 * @self: a pull
 *
 * Returns: how far the file is that is being fetched, 0 to 1; NaN if the server does not tell
 */
double
tacho_pull_get_fraction (TachoPull *self)
{
  guint64 total = tacho_model_pull_get_total (self->pull);
  guint64 completed = tacho_model_pull_get_completed (self->pull);

  return total > 0 ? (double) MIN (completed, total) / (double) total : NAN;
}

/**
 * tacho_pull_describe:
 * @self: a pull
 *
 * Returns: (transfer full): the server's word, how much is there, how fast, and the time that is
 *   left; or why it failed
 */
char *
tacho_pull_describe (TachoPull *self)
{
  guint64 total = tacho_model_pull_get_total (self->pull);
  guint64 completed = MIN (tacho_model_pull_get_completed (self->pull), total);
  const char *status = tacho_model_pull_get_status (self->pull);
  double rate = get_rate (self);
  g_autofree char *done = tacho_text_format_bytes (completed);
  g_autofree char *all = tacho_text_format_bytes (total);
  GString *words;

  if (self->failure != NULL)
    return g_strdup (self->failure);
  if (status == NULL)
    return g_strdup (_ ("Asking the server…"));
  words = g_string_new (NULL);
  if (total == 0)
    {
      g_autofree char *clean = tacho_text_sanitize_line (status, -1, 80);

      g_string_append (words, clean);
      return g_string_free (words, FALSE);
    }
  /* Translators: bytes that are there of all: "1.2 GB of 4.7 GB". */
  g_string_append_printf (words, _ ("%s of %s"), done, all);
  if (rate >= 0)
    {
      g_autofree char *speed = tacho_text_format_bytes ((guint64) rate);

      /* Translators: bytes a second. */
      g_string_append_printf (words, " · %s/s", speed);
    }
  if (rate >= 1 && completed < total)
    {
      g_autofree char *left = tacho_display_duration ((double) (total - completed) / rate);

      /* Translators: time until a file is fetched: "2 min 5 s left". */
      g_string_append (words, " · ");
      g_string_append_printf (words, _ ("%s left"), left);
    }
  return g_string_free (words, FALSE);
}
