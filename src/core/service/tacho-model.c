/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One model of a server, live: keeps what was learnt of it and says which part of it changed. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-model.h"

#include <math.h>

struct _TachoModel
{
  GObject parent_instance;

  TachoModelInfo *info;
  gint64 loaded_at;
};

G_DEFINE_FINAL_TYPE (TachoModel, tacho_model, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_ID,
  PROP_NAME,
  PROP_FAMILY,
  PROP_KIND,
  PROP_QUANTIZATION,
  PROP_N_PARAMS,
  PROP_SIZE_BYTES,
  PROP_MEMORY_BYTES,
  PROP_CONTEXT_WINDOW,
  PROP_MAX_OUTPUT,
  PROP_STATUS,
  PROP_PROGRESS,
  PROP_STATUS_REASON,
  PROP_LOADED_AT,
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static gboolean
is_in_memory (TachoModelStatus status)
{
  return status == TACHO_MODEL_STATUS_LOADED || status == TACHO_MODEL_STATUS_SLEEPING;
}

static gboolean
doubles_differ (double a, double b)
{
  return isnan (a) != isnan (b) || (!isnan (a) && (a < b || a > b));
}

static void
keep_string (char **now, char *const *before)
{
  if (*now == NULL)
    *now = g_strdup (*before);
}

/* A list says less than the details that were asked for earlier: what a model *is* does not go away
 * because a shorter reply leaves it out. What a model *does* is taken as the server says it now. */
static void
keep_what_is_known (TachoModelInfo *now, const TachoModelInfo *before)
{
  keep_string (&now->name, &before->name);
  keep_string (&now->family, &before->family);
  keep_string (&now->kind, &before->kind);
  keep_string (&now->quantization, &before->quantization);
  keep_string (&now->owner, &before->owner);
  keep_string (&now->chat_template, &before->chat_template);
  keep_string (&now->parameters, &before->parameters);
  if (now->capabilities == NULL)
    now->capabilities = g_strdupv (before->capabilities);
  if (now->n_params == 0)
    now->n_params = before->n_params;
  if (now->size_bytes == 0)
    now->size_bytes = before->size_bytes;
  if (now->context_trained == 0)
    now->context_trained = before->context_trained;
  if (now->created == 0)
    now->created = before->created;
  if (now->status == before->status)
    {
      if (now->memory_bytes == 0)
        now->memory_bytes = before->memory_bytes;
      if (now->context_window == 0)
        now->context_window = before->context_window;
      if (now->max_output == 0)
        now->max_output = before->max_output;
    }
}

static void
notify_if (TachoModel *self, gboolean changed, guint property)
{
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), properties[property]);
}

/* Takes *info*, sets the load time, notifies what differs from what was before. */
static void
replace_info (TachoModel *self, TachoModelInfo *info)
{
  g_autoptr (TachoModelInfo) before = self->info;
  gint64 loaded_at = self->loaded_at;

  self->info = info;
  if (!is_in_memory (info->status))
    self->loaded_at = 0;
  else if (!is_in_memory (before->status))
    self->loaded_at = g_get_real_time () / G_USEC_PER_SEC;

  g_object_freeze_notify (G_OBJECT (self));
  notify_if (self, g_strcmp0 (before->name, info->name) != 0, PROP_NAME);
  notify_if (self, g_strcmp0 (before->family, info->family) != 0, PROP_FAMILY);
  notify_if (self, g_strcmp0 (before->kind, info->kind) != 0, PROP_KIND);
  notify_if (self, g_strcmp0 (before->quantization, info->quantization) != 0, PROP_QUANTIZATION);
  notify_if (self, before->n_params != info->n_params, PROP_N_PARAMS);
  notify_if (self, before->size_bytes != info->size_bytes, PROP_SIZE_BYTES);
  notify_if (self, before->memory_bytes != info->memory_bytes, PROP_MEMORY_BYTES);
  notify_if (self, before->context_window != info->context_window, PROP_CONTEXT_WINDOW);
  notify_if (self, before->max_output != info->max_output, PROP_MAX_OUTPUT);
  notify_if (self, before->status != info->status, PROP_STATUS);
  notify_if (self, doubles_differ (before->progress, info->progress), PROP_PROGRESS);
  notify_if (self, g_strcmp0 (before->status_reason, info->status_reason) != 0, PROP_STATUS_REASON);
  notify_if (self, loaded_at != self->loaded_at, PROP_LOADED_AT);
  g_object_thaw_notify (G_OBJECT (self));
}

static void
tacho_model_finalize (GObject *object)
{
  TachoModel *self = TACHO_MODEL (object);

  g_clear_pointer (&self->info, tacho_model_info_free);

  G_OBJECT_CLASS (tacho_model_parent_class)->finalize (object);
}

static void
tacho_model_get_property (GObject *object, guint prop_id, GValue *value, GParamSpec *pspec)
{
  TachoModel *self = TACHO_MODEL (object);

  switch (prop_id)
    {
    case PROP_ID:
      g_value_set_string (value, self->info->id);
      break;
    case PROP_NAME:
      g_value_set_string (value, tacho_model_get_name (self));
      break;
    case PROP_FAMILY:
      g_value_set_string (value, self->info->family);
      break;
    case PROP_KIND:
      g_value_set_string (value, self->info->kind);
      break;
    case PROP_QUANTIZATION:
      g_value_set_string (value, self->info->quantization);
      break;
    case PROP_N_PARAMS:
      g_value_set_uint64 (value, self->info->n_params);
      break;
    case PROP_SIZE_BYTES:
      g_value_set_uint64 (value, self->info->size_bytes);
      break;
    case PROP_MEMORY_BYTES:
      g_value_set_uint64 (value, self->info->memory_bytes);
      break;
    case PROP_CONTEXT_WINDOW:
      g_value_set_int64 (value, self->info->context_window);
      break;
    case PROP_MAX_OUTPUT:
      g_value_set_int64 (value, self->info->max_output);
      break;
    case PROP_STATUS:
      g_value_set_enum (value, self->info->status);
      break;
    case PROP_PROGRESS:
      g_value_set_double (value, self->info->progress);
      break;
    case PROP_STATUS_REASON:
      g_value_set_string (value, self->info->status_reason);
      break;
    case PROP_LOADED_AT:
      g_value_set_int64 (value, self->loaded_at);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, prop_id, pspec);
    }
}

static void
tacho_model_class_init (TachoModelClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS;

  object_class->finalize = tacho_model_finalize;
  object_class->get_property = tacho_model_get_property;

  properties[PROP_ID] = g_param_spec_string ("id", NULL, NULL, NULL, flags);
  properties[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, flags);
  properties[PROP_FAMILY] = g_param_spec_string ("family", NULL, NULL, NULL, flags);
  properties[PROP_KIND] = g_param_spec_string ("kind", NULL, NULL, NULL, flags);
  properties[PROP_QUANTIZATION] = g_param_spec_string ("quantization", NULL, NULL, NULL, flags);
  properties[PROP_N_PARAMS] =
      g_param_spec_uint64 ("n-params", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  properties[PROP_SIZE_BYTES] =
      g_param_spec_uint64 ("size-bytes", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  properties[PROP_MEMORY_BYTES] =
      g_param_spec_uint64 ("memory-bytes", NULL, NULL, 0, G_MAXUINT64, 0, flags);
  properties[PROP_CONTEXT_WINDOW] =
      g_param_spec_int64 ("context-window", NULL, NULL, G_MININT64, G_MAXINT64, 0, flags);
  properties[PROP_MAX_OUTPUT] =
      g_param_spec_int64 ("max-output", NULL, NULL, G_MININT64, G_MAXINT64, 0, flags);
  properties[PROP_STATUS] = g_param_spec_enum ("status", NULL, NULL, TACHO_TYPE_MODEL_STATUS,
                                               TACHO_MODEL_STATUS_UNKNOWN, flags);
  properties[PROP_PROGRESS] =
      g_param_spec_double ("progress", NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE, 0, flags);
  properties[PROP_STATUS_REASON] = g_param_spec_string ("status-reason", NULL, NULL, NULL, flags);
  properties[PROP_LOADED_AT] =
      g_param_spec_int64 ("loaded-at", NULL, NULL, 0, G_MAXINT64, 0, flags);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
tacho_model_init (TachoModel *self)
{
}

/**
 * tacho_model_new:
 * @info: what the server says of it; copied
 *
 * Returns: (transfer full): the live object
 */
TachoModel *
tacho_model_new (const TachoModelInfo *info)
{
  TachoModel *self;

  g_return_val_if_fail (info != NULL && info->id != NULL, NULL);

  self = g_object_new (TACHO_TYPE_MODEL, NULL);
  self->info = tacho_model_info_copy (info);
  return self;
}

/**
 * tacho_model_get_info:
 * @self: a model
 *
 * Returns: (transfer none): all that is known of it; valid until the model changes
 */
const TachoModelInfo *
tacho_model_get_info (TachoModel *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL (self), NULL);
  return self->info;
}

/**
 * tacho_model_get_id:
 * @self: a model
 *
 * Returns: (transfer none): the name by which the server knows it
 */
const char *
tacho_model_get_id (TachoModel *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL (self), NULL);
  return self->info->id;
}

/**
 * tacho_model_get_name:
 * @self: a model
 *
 * Returns: (transfer none): what to show: the name, or the id where the server gave no name
 */
const char *
tacho_model_get_name (TachoModel *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL (self), NULL);
  return self->info->name != NULL ? self->info->name : self->info->id;
}

/**
 * tacho_model_get_status:
 * @self: a model
 *
 * Returns: whether it is in memory
 */
TachoModelStatus
tacho_model_get_status (TachoModel *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL (self), TACHO_MODEL_STATUS_UNKNOWN);
  return self->info->status;
}

/**
 * tacho_model_get_progress:
 * @self: a model
 *
 * Returns: how far its loading is, 0 to 1; NaN if not known
 */
double
tacho_model_get_progress (TachoModel *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL (self), NAN);
  return self->info->progress;
}

/**
 * tacho_model_get_status_reason:
 * @self: a model
 *
 * Returns: (transfer none) (nullable): the server's words on its status, %NULL if there are none
 */
const char *
tacho_model_get_status_reason (TachoModel *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL (self), NULL);
  return self->info->status_reason;
}

/**
 * tacho_model_get_loaded_at:
 * @self: a model
 *
 * Returns: Unix seconds at which this program saw it become loaded; 0 if it was so before, or is
 *   not
 */
gint64
tacho_model_get_loaded_at (TachoModel *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL (self), 0);
  return self->loaded_at;
}

/**
 * tacho_model_update:
 * @self: a model
 * @info: what the server says now; of the same id; copied
 *
 * Takes over what the server says, keeps earlier facts that it left out, and notifies each changed
 * property once.
 */
void
tacho_model_update (TachoModel *self, const TachoModelInfo *info)
{
  TachoModelInfo *now;

  g_return_if_fail (TACHO_IS_MODEL (self));
  g_return_if_fail (info != NULL && g_strcmp0 (info->id, self->info->id) == 0);

  now = tacho_model_info_copy (info);
  keep_what_is_known (now, self->info);
  replace_info (self, now);
}

/**
 * tacho_model_set_status:
 * @self: a model
 * @status: what is known of it now, before the server's list says so
 * @progress: 0..1, NaN unknown
 * @reason: (nullable): why it failed
 */
void
tacho_model_set_status (TachoModel *self,
                        TachoModelStatus status,
                        double progress,
                        const char *reason)
{
  TachoModelInfo *now;

  g_return_if_fail (TACHO_IS_MODEL (self));

  now = tacho_model_info_copy (self->info);
  now->status = status;
  now->progress = progress;
  g_free (now->status_reason);
  now->status_reason = g_strdup (reason);
  if (!is_in_memory (status))
    now->memory_bytes = 0;
  replace_info (self, now);
}
