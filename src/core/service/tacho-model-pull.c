/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fetching of a model onto a server, as it goes: what is known of it. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-model-pull.h"

struct _TachoModelPull
{
  GObject parent_instance;

  char *id;
  char *status;
  guint64 completed;
  guint64 total;
  gboolean done;
};

G_DEFINE_FINAL_TYPE (TachoModelPull, tacho_model_pull, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_ID,
  PROP_STATUS,
  PROP_COMPLETED,
  PROP_TOTAL,
  PROP_DONE,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void
tacho_model_pull_finalize (GObject *object)
{
  TachoModelPull *self = TACHO_MODEL_PULL (object);

  g_free (self->id);
  g_free (self->status);

  G_OBJECT_CLASS (tacho_model_pull_parent_class)->finalize (object);
}

static void
tacho_model_pull_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  TachoModelPull *self = TACHO_MODEL_PULL (object);

  switch (prop_id)
    {
    case PROP_ID:
      g_value_set_string (value, self->id);
      break;
    case PROP_STATUS:
      g_value_set_string (value, self->status);
      break;
    case PROP_COMPLETED:
      g_value_set_uint64 (value, self->completed);
      break;
    case PROP_TOTAL:
      g_value_set_uint64 (value, self->total);
      break;
    case PROP_DONE:
      g_value_set_boolean (value, self->done);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tacho_model_pull_class_init (TachoModelPullClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->finalize = tacho_model_pull_finalize;
  object_class->get_property = tacho_model_pull_get_property;

  properties[PROP_ID] = g_param_spec_string ("id", NULL, NULL, NULL, flags);
  properties[PROP_STATUS] = g_param_spec_string ("status", NULL, NULL, NULL, flags);
  properties[PROP_COMPLETED] =
      g_param_spec_uint64 ("completed", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  properties[PROP_TOTAL] = g_param_spec_uint64 ("total", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  properties[PROP_DONE] = g_param_spec_boolean ("done", NULL, NULL, FALSE, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
tacho_model_pull_init (TachoModelPull *self)
{
}

/**
 * tacho_model_pull_new:
 * @id: the name by which the registry knows the model
 *
 * Returns: (transfer full): a pull that has not begun, for tacho_model_service_pull_async()
 */
TachoModelPull *
tacho_model_pull_new (const char *id)
{
  TachoModelPull *self;

  g_return_val_if_fail (id != NULL, NULL);

  self = g_object_new (TACHO_TYPE_MODEL_PULL, NULL);
  self->id = g_strdup (id);
  return self;
}

/**
 * tacho_model_pull_get_id:
 * @self: a pull
 *
 * Returns: (transfer none): which model
 */
const char *
tacho_model_pull_get_id (TachoModelPull *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL_PULL (self), NULL);
  return self->id;
}

/**
 * tacho_model_pull_get_status:
 * @self: a pull
 *
 * Returns: (transfer none) (nullable): the server's own word, cleaned
 */
const char *
tacho_model_pull_get_status (TachoModelPull *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL_PULL (self), NULL);
  return self->status;
}

/**
 * tacho_model_pull_get_completed:
 * @self: a pull
 *
 * Returns: bytes that are there, of what is being fetched now; 0 if not told
 */
guint64
tacho_model_pull_get_completed (TachoModelPull *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL_PULL (self), 0);
  return self->completed;
}

/**
 * tacho_model_pull_get_total:
 * @self: a pull
 *
 * Returns: bytes of what is being fetched now, which may be one part of the model; 0 if not told
 */
guint64
tacho_model_pull_get_total (TachoModelPull *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL_PULL (self), 0);
  return self->total;
}

/**
 * tacho_model_pull_get_done:
 * @self: a pull
 *
 * Returns: whether the model is there
 */
gboolean
tacho_model_pull_get_done (TachoModelPull *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL_PULL (self), FALSE);
  return self->done;
}

/**
 * tacho_model_pull_update:
 * @self: a pull
 * @status: (nullable): the server's own word
 * @completed: bytes that are there
 * @total: bytes in all
 * @done: whether that is the end
 *
 * Takes over what the server says now and notifies each changed property once.
 *
 * Returns: whether that is news
 */
gboolean
tacho_model_pull_update (TachoModelPull *self,
                         const char *status,
                         guint64 completed,
                         guint64 total,
                         gboolean done)
{
  gboolean renamed, moved, resized, ended;

  g_return_val_if_fail (TACHO_IS_MODEL_PULL (self), FALSE);

  renamed = g_strcmp0 (status, self->status) != 0;
  moved = completed != self->completed;
  resized = total != self->total;
  ended = done != self->done;
  g_object_freeze_notify (G_OBJECT (self));
  if (renamed)
    {
      g_free (self->status);
      self->status = g_strdup (status);
      g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_STATUS]);
    }
  self->completed = completed;
  self->total = total;
  self->done = done;
  if (moved)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_COMPLETED]);
  if (resized)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_TOTAL]);
  if (ended)
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DONE]);
  g_object_thaw_notify (G_OBJECT (self));
  return renamed || moved || resized || ended;
}
