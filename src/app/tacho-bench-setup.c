/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The form of a benchmark: model, concurrency, what ends the run, lengths, warm-up. */
#define G_LOG_DOMAIN "tacho-bench-setup"

#include "config.h"

#include "app/tacho-bench-setup.h"
#include "app/tacho-model-chooser.h"
#include "app/tacho-settings.h"

struct _TachoBenchSetup
{
  AdwBin parent_instance;
  guint requests; /* the amount in the unit that is not shown is kept */
  double seconds;
  TachoBenchPlan *base; /* what the form does not show */

  TachoModelChooser *chooser;
  GtkSpinButton *concurrency;
  GtkSpinButton *amount;
  GtkDropDown *unit;
  GtkSpinButton *prompt_tokens;
  GtkSpinButton *output_tokens;
  GtkSpinButton *warmup;
};

G_DEFINE_FINAL_TYPE (TachoBenchSetup, tacho_bench_setup, ADW_TYPE_BIN)

/* In the order of the drop-down. */
enum
{
  UNIT_REQUESTS,
  UNIT_SECONDS,
};

static void
amount_cb (TachoBenchSetup *self)
{
  if (gtk_drop_down_get_selected (self->unit) == UNIT_SECONDS)
    self->seconds = gtk_spin_button_get_value (self->amount);
  else
    self->requests = gtk_spin_button_get_value_as_int (self->amount);
}

static void
unit_cb (TachoBenchSetup *self)
{
  gboolean seconds = gtk_drop_down_get_selected (self->unit) == UNIT_SECONDS;
  double value = seconds ? self->seconds : self->requests;

  g_signal_handlers_block_by_func (self->amount, amount_cb, self);
  gtk_spin_button_set_range (self->amount, 1, seconds ? 604800 : 10000000);
  gtk_spin_button_set_value (self->amount, value);
  g_signal_handlers_unblock_by_func (self->amount, amount_cb, self);
}

static void
tacho_bench_setup_dispose (GObject *object)
{
  g_clear_pointer (&TACHO_BENCH_SETUP (object)->base, tacho_bench_plan_free);
  adw_bin_set_child (ADW_BIN (object), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (object), TACHO_TYPE_BENCH_SETUP);

  G_OBJECT_CLASS (tacho_bench_setup_parent_class)->dispose (object);
}

static void
tacho_bench_setup_class_init (TachoBenchSetupClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_bench_setup_dispose;
  g_type_ensure (TACHO_TYPE_MODEL_CHOOSER);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-bench-setup.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoBenchSetup, chooser);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchSetup, concurrency);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchSetup, amount);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchSetup, unit);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchSetup, prompt_tokens);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchSetup, output_tokens);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchSetup, warmup);
}

static void
tacho_bench_setup_init (TachoBenchSetup *self)
{
  TachoSettings *settings = tacho_settings_get_default ();
  g_autofree char *stop_by = tacho_settings_get_string (settings, "bench-stop-by");

  self->base = tacho_bench_plan_new ();
  gtk_widget_init_template (GTK_WIDGET (self));
  self->requests = tacho_settings_get_uint (settings, "bench-requests");
  self->seconds = tacho_settings_get_double (settings, "bench-duration");
  gtk_spin_button_set_value (self->concurrency,
                             tacho_settings_get_uint (settings, "bench-concurrency"));
  gtk_spin_button_set_value (self->prompt_tokens,
                             tacho_settings_get_uint (settings, "bench-prompt-tokens"));
  gtk_spin_button_set_value (self->output_tokens,
                             tacho_settings_get_uint (settings, "bench-output-tokens"));
  gtk_spin_button_set_value (self->warmup, self->base->warmup_requests);
  gtk_drop_down_set_selected (self->unit,
                              strcmp (stop_by, "seconds") == 0 ? UNIT_SECONDS : UNIT_REQUESTS);
  g_signal_connect_object (self->amount, "value-changed", G_CALLBACK (amount_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->unit, "notify::selected", G_CALLBACK (unit_cb), self,
                           G_CONNECT_SWAPPED);
  unit_cb (self);
}

/**
 * tacho_bench_setup_set_connection:
 * @self: the form
 * @connection: (nullable): the server in use
 */
void
tacho_bench_setup_set_connection (TachoBenchSetup *self, TachoConnection *connection)
{
  g_return_if_fail (TACHO_IS_BENCH_SETUP (self));

  tacho_model_chooser_set_connection (self->chooser, connection);
}

/**
 * tacho_bench_setup_make_plan:
 * @self: the form
 * @model: id of a model
 *
 * Returns: (transfer full): what the form says, for @model
 */
TachoBenchPlan *
tacho_bench_setup_make_plan (TachoBenchSetup *self, const char *model)
{
  TachoBenchPlan *plan = tacho_bench_plan_copy (self->base);
  gboolean seconds = gtk_drop_down_get_selected (self->unit) == UNIT_SECONDS;

  /* A number that is still being typed counts too. */
  gtk_spin_button_update (self->concurrency);
  gtk_spin_button_update (self->amount);
  gtk_spin_button_update (self->prompt_tokens);
  gtk_spin_button_update (self->output_tokens);
  gtk_spin_button_update (self->warmup);

  g_free (plan->model);
  plan->model = g_strdup (model);
  plan->concurrency = gtk_spin_button_get_value_as_int (self->concurrency);
  plan->requests = seconds ? 0 : self->requests;
  plan->duration_s = seconds ? self->seconds : 0;
  plan->warmup_requests = gtk_spin_button_get_value_as_int (self->warmup);
  plan->prompt_tokens.min = gtk_spin_button_get_value_as_int (self->prompt_tokens);
  plan->prompt_tokens.max = plan->prompt_tokens.min;
  plan->output_tokens.min = gtk_spin_button_get_value_as_int (self->output_tokens);
  plan->output_tokens.max = plan->output_tokens.min;
  return plan;
}

/**
 * tacho_bench_setup_set_plan:
 * @self: the form
 * @plan: what it is to say; its model is left out
 */
void
tacho_bench_setup_set_plan (TachoBenchSetup *self, const TachoBenchPlan *plan)
{
  g_return_if_fail (TACHO_IS_BENCH_SETUP (self));

  tacho_bench_plan_free (self->base);
  self->base = tacho_bench_plan_copy (plan);
  if (plan->requests > 0)
    self->requests = (guint) plan->requests;
  else
    self->seconds = plan->duration_s;
  gtk_drop_down_set_selected (self->unit, plan->requests > 0 ? UNIT_REQUESTS : UNIT_SECONDS);
  unit_cb (self);
  gtk_spin_button_set_value (self->concurrency, plan->concurrency);
  gtk_spin_button_set_value (self->prompt_tokens, plan->prompt_tokens.min);
  gtk_spin_button_set_value (self->output_tokens, plan->output_tokens.min);
  gtk_spin_button_set_value (self->warmup, (double) plan->warmup_requests);
}

/**
 * tacho_bench_setup_save:
 * @self: the form
 *
 * Remembers what it says for the next start.
 */
void
tacho_bench_setup_save (TachoBenchSetup *self)
{
  TachoSettings *settings = tacho_settings_get_default ();

  tacho_settings_set_uint (settings, "bench-concurrency",
                           gtk_spin_button_get_value_as_int (self->concurrency));
  tacho_settings_set_uint (settings, "bench-requests", self->requests);
  tacho_settings_set_double (settings, "bench-duration", self->seconds);
  tacho_settings_set_string (settings, "bench-stop-by",
                             gtk_drop_down_get_selected (self->unit) == UNIT_SECONDS ? "seconds"
                                                                                     : "requests");
  tacho_settings_set_uint (settings, "bench-prompt-tokens",
                           gtk_spin_button_get_value_as_int (self->prompt_tokens));
  tacho_settings_set_uint (settings, "bench-output-tokens",
                           gtk_spin_button_get_value_as_int (self->output_tokens));
}
