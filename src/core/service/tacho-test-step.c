/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One step of the test of a server. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-server-test-private.h"

G_DEFINE_FINAL_TYPE (TachoTestStep, tacho_test_step, G_TYPE_OBJECT)

enum
{
  PROP_0,
  PROP_STATE, /* int; with it the words change */
  N_PROPS
};

static GParamSpec *properties[N_PROPS];

static void
tacho_test_step_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  TachoTestStep *self = TACHO_TEST_STEP (object);

  if (id == PROP_STATE)
    g_value_set_int (value, (int) self->state);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
tacho_test_step_finalize (GObject *object)
{
  g_free (TACHO_TEST_STEP (object)->words);

  G_OBJECT_CLASS (tacho_test_step_parent_class)->finalize (object);
}

static void
tacho_test_step_class_init (TachoTestStepClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = tacho_test_step_get_property;
  object_class->finalize = tacho_test_step_finalize;
  properties[PROP_STATE] =
      g_param_spec_int ("state", NULL, NULL, TACHO_TEST_WAITING, TACHO_TEST_SKIPPED,
                        TACHO_TEST_WAITING, G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPS, properties);
}

static void
tacho_test_step_init (TachoTestStep *self)
{
}

void
tacho_test_step_set (TachoTestStep *step, TachoTestState state, const char *words)
{
  step->state = state;
  g_free (step->words);
  step->words = g_strdup (words);
  g_object_notify_by_pspec (G_OBJECT (step), properties[PROP_STATE]);
}

/**
 * tacho_test_step_get_kind:
 * @self: a step
 *
 * Returns: what it tries
 */
TachoTestKind
tacho_test_step_get_kind (TachoTestStep *self)
{
  g_return_val_if_fail (TACHO_IS_TEST_STEP (self), TACHO_TEST_RESOLVE);
  return self->kind;
}

/**
 * tacho_test_step_get_protocol:
 * @self: a step
 *
 * Returns: the side that it is about: REST or gRPC
 */
TachoProtocol
tacho_test_step_get_protocol (TachoTestStep *self)
{
  g_return_val_if_fail (TACHO_IS_TEST_STEP (self), TACHO_PROTOCOL_REST);
  return self->protocol;
}

/**
 * tacho_test_step_get_state:
 * @self: a step
 *
 * Returns: how it went
 */
TachoTestState
tacho_test_step_get_state (TachoTestStep *self)
{
  g_return_val_if_fail (TACHO_IS_TEST_STEP (self), TACHO_TEST_WAITING);
  return self->state;
}

/**
 * tacho_test_step_get_words:
 * @self: a step
 *
 * Returns: (transfer none) (nullable): what was seen, or why it failed; may hold a server's own,
 *   hostile text
 */
const char *
tacho_test_step_get_words (TachoTestStep *self)
{
  g_return_val_if_fail (TACHO_IS_TEST_STEP (self), NULL);
  return self->words;
}
