/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One live model: what it keeps, what it announces. */
#include "test-utils.h"

#include "service/tacho-model.h"

#include <math.h>

static void
collect_notify (GObject *object, GParamSpec *pspec, GString *seen)
{
  g_string_append_printf (seen, "%s ", pspec->name);
}

static TachoModelInfo *
new_info (TachoModelStatus status)
{
  TachoModelInfo *info = tacho_model_info_new ("m");

  info->status = status;
  return info;
}

static void
test_update (void)
{
  g_autoptr (TachoModelInfo) full = new_info (TACHO_MODEL_STATUS_LOADED);
  g_autoptr (TachoModelInfo) brief = new_info (TACHO_MODEL_STATUS_LOADED);
  g_autoptr (TachoModelInfo) gone = new_info (TACHO_MODEL_STATUS_UNLOADED);
  g_autoptr (GString) seen = g_string_new (NULL);
  TachoModel *model;

  full->name = g_strdup ("Big");
  full->family = g_strdup ("llama");
  full->quantization = g_strdup ("Q4_K_M");
  full->n_params = 8000000000;
  full->size_bytes = 123;
  full->memory_bytes = 456;
  full->context_window = 4096;
  model = tacho_model_new (full);
  g_assert_cmpint (tacho_model_get_loaded_at (model), ==, 0); /* it was so before we looked */
  g_signal_connect (model, "notify", G_CALLBACK (collect_notify), seen);

  tacho_model_update (model, full);
  tacho_model_update (model, brief);
  g_assert_cmpstr (seen->str, ==, "");
  g_assert_cmpuint (tacho_model_get_info (model)->n_params, ==, 8000000000);
  g_assert_cmpuint (tacho_model_get_info (model)->memory_bytes, ==, 456);

  tacho_model_update (model, gone);
  g_assert_cmpstr (tacho_model_get_name (model), ==, "Big");
  g_assert_cmpuint (tacho_model_get_info (model)->size_bytes, ==, 123);
  g_assert_cmpuint (tacho_model_get_info (model)->memory_bytes, ==, 0);
  g_assert_nonnull (strstr (seen->str, "status "));
  g_assert_nonnull (strstr (seen->str, "memory-bytes "));
  g_assert_null (strstr (seen->str, "name "));
  g_assert_finalize_object (model);
}

static void
test_status (void)
{
  g_autoptr (TachoModelInfo) info = new_info (TACHO_MODEL_STATUS_UNLOADED);
  g_autoptr (GString) seen = g_string_new (NULL);
  TachoModel *model = tacho_model_new (info);
  gint64 before = g_get_real_time () / G_USEC_PER_SEC;
  g_autofree char *reason = NULL;
  double progress;

  g_assert_cmpstr (tacho_model_get_name (model), ==, "m");
  g_signal_connect (model, "notify", G_CALLBACK (collect_notify), seen);
  tacho_model_set_status (model, TACHO_MODEL_STATUS_LOADING, 0.25, NULL);
  g_assert_cmpstr (seen->str, ==, "progress status ");
  g_object_get (model, "progress", &progress, NULL);
  g_assert_cmpfloat (progress, ==, 0.25);
  g_string_truncate (seen, 0);
  tacho_model_set_status (model, TACHO_MODEL_STATUS_LOADING, 0.25, NULL);
  g_assert_cmpstr (seen->str, ==, "");

  tacho_model_set_status (model, TACHO_MODEL_STATUS_LOADED, NAN, NULL);
  g_assert_cmpint (tacho_model_get_loaded_at (model), >=, before);
  tacho_model_set_status (model, TACHO_MODEL_STATUS_FAILED, NAN, "no memory");
  g_assert_cmpint (tacho_model_get_loaded_at (model), ==, 0);
  g_object_get (model, "status-reason", &reason, NULL);
  g_assert_cmpstr (reason, ==, "no memory");
  tacho_model_update (model, info);
  g_assert_null (tacho_model_get_status_reason (model));
  g_assert_finalize_object (model);
}

/* Every property can be read and says what the value says. */
static void
test_properties (void)
{
  g_autoptr (TachoModelInfo) info = new_info (TACHO_MODEL_STATUS_LOADED);
  TachoModel *model = tacho_model_new (info);
  guint n;
  g_autofree GParamSpec **pspecs = g_object_class_list_properties (G_OBJECT_GET_CLASS (model), &n);

  g_assert_cmpuint (n, ==, 14);
  for (guint i = 0; i < n; i++)
    {
      g_auto (GValue) value = G_VALUE_INIT;

      g_value_init (&value, pspecs[i]->value_type);
      g_object_get_property (G_OBJECT (model), pspecs[i]->name, &value);
      if (g_str_equal (pspecs[i]->name, "id"))
        g_assert_cmpstr (g_value_get_string (&value), ==, "m");
      if (g_str_equal (pspecs[i]->name, "status"))
        g_assert_cmpint (g_value_get_enum (&value), ==, TACHO_MODEL_STATUS_LOADED);
    }
  g_assert_finalize_object (model);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
  g_test_add_func ("/service/model/update", test_update);
  g_test_add_func ("/service/model/status", test_status);
  g_test_add_func ("/service/model/properties", test_properties);
  return g_test_run ();
}
