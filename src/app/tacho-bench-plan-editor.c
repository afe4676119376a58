/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The form of a benchmark. */
#define G_LOG_DOMAIN "tacho-bench-plan-editor"

#include "config.h"

#include "app/tacho-bench-plan-editor.h"
#include "app/tacho-accessible.h"
#include "app/tacho-bench-archive.h"
#include "app/tacho-bench-cost.h"
#include "app/tacho-bench-estimate.h"
#include "app/tacho-bench-field.h"
#include "app/tacho-bench-options.h"
#include "app/tacho-bench-preset-row.h"
#include "app/tacho-bench-presets.h"
#include "app/tacho-display.h"
#include "app/tacho-model-chooser.h"
#include "app/tacho-settings.h"
#include "bench/tacho-sweep-points.h"

#include <glib/gi18n.h>
#include <math.h>

#define OPEN_CONCURRENCY 4096 /* the most at a time, where a rate is what is meant */

/* In the order of the drop-down. */
enum
{
  UNIT_REQUESTS,
  UNIT_SECONDS,
  UNIT_TRACE,
};

struct _TachoBenchPlanEditor
{
  AdwBin parent_instance;
  TachoConnection *connection;
  TachoBenchPlan *base; /* what the form does not show */
  gboolean filling;
  guint requests; /* the amount in the unit that is not shown is kept */
  double seconds;
  TachoBenchPace pace; /* of `paced` */
  char *paced;         /* id of a model */

  TachoBenchPresetRow *presets;
  TachoModelChooser *chooser;
  GtkDropDown *load;
  GtkLabel *concurrency_title;
  GtkSpinButton *concurrency;
  GtkWidget *rate_box;
  GtkSpinButton *rate;
  GtkSpinButton *amount;
  GtkDropDown *unit;
  AdwBin *loads_place;
  AdwBin *prompt_place;
  AdwBin *output_place;
  TachoBenchField *loads;
  TachoBenchField *prompt_tokens;
  TachoBenchField *output_tokens;
  TachoBenchOptions *options;
  GtkLabel *estimate;
  GtkWidget *paid;
  GtkLabel *paid_words;
};

G_DEFINE_FINAL_TYPE (TachoBenchPlanEditor, tacho_bench_plan_editor, ADW_TYPE_BIN)

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static TachoLoadKind
get_load (TachoBenchPlanEditor *self)
{
  return (TachoLoadKind) gtk_drop_down_get_selected (self->load);
}

static gboolean
check_length (const char *text, GError **error)
{
  TachoLengths lengths;

  return tacho_lengths_parse (text, &lengths, error);
}

/* Whole numbers only where requests are counted: that is checked with the plan. */
static gboolean
check_loads (const char *text, GError **error)
{
  g_autoptr (GArray) loads = *text != '\0' ? tacho_sweep_loads_parse (text, FALSE, error) : NULL;

  return *text == '\0' || loads != NULL;
}

static void
apply_amount (TachoBenchPlanEditor *self, TachoBenchPlan *plan)
{
  guint unit = gtk_drop_down_get_selected (self->unit);

  plan->requests = unit == UNIT_REQUESTS ? self->requests : 0;
  plan->duration_s = unit == UNIT_SECONDS ? self->seconds : 0;
}

static TachoBenchPlan *
read_form (TachoBenchPlanEditor *self, const char *model, GArray **loads, GError **error)
{
  g_autoptr (TachoBenchPlan) plan = tacho_bench_plan_copy (self->base);
  const char *list = tacho_bench_field_get_text (self->loads);

  g_free (plan->model);
  plan->model = g_strdup (model);
  plan->load = get_load (self);
  plan->concurrency = (guint) gtk_spin_button_get_value_as_int (self->concurrency);
  plan->rate = gtk_spin_button_get_value (self->rate);
  apply_amount (self, plan);
  if (!tacho_bench_field_check (self->loads, error) ||
      !tacho_bench_field_check (self->prompt_tokens, error) ||
      !tacho_bench_field_check (self->output_tokens, error) ||
      !tacho_lengths_parse (tacho_bench_field_get_text (self->prompt_tokens), &plan->prompt_tokens,
                            error) ||
      !tacho_lengths_parse (tacho_bench_field_get_text (self->output_tokens), &plan->output_tokens,
                            error) ||
      !tacho_bench_options_apply (self->options, plan, error))
    return NULL;
  if (*list != '\0')
    *loads = tacho_sweep_loads_parse (list, !tacho_bench_plan_is_open (plan), error);
  if (*list != '\0' && *loads == NULL)
    return NULL;
  return g_steal_pointer (&plan);
}

/* --- what it will take --- */

/* The newest run of this model here; another server may be another machine. */
static void
find_pace (TachoBenchPlanEditor *self, const char *model)
{
  TachoHistory *history;
  g_autoptr (GListModel) runs = NULL;

  if (g_strcmp0 (self->paced, model) == 0)
    return;
  g_free (self->paced);
  self->paced = g_strdup (model);
  self->pace = (TachoBenchPace){ NAN, NAN };
  history = tacho_bench_archive_get_history (tacho_bench_archive_get_default ());
  if (history != NULL && model != NULL)
    runs = tacho_history_list (history, model, NULL);
  for (guint i = 0; runs != NULL && i < g_list_model_get_n_items (runs); i++)
    {
      g_autoptr (TachoHistoryEntry) entry = g_list_model_get_item (runs, i);
      const TachoHistoryRow *run = tacho_history_entry_get_row (entry);
      const char *url = tacho_profile_get_url (tacho_connection_get_profile (self->connection));

      if (g_strcmp0 (run->model, model) != 0 || (url != NULL && g_strcmp0 (run->url, url) != 0) ||
          !isfinite (run->ttft_ms_p50) || !isfinite (run->itl_ms_p50))
        continue;
      self->pace = (TachoBenchPace){ run->ttft_ms_p50, run->itl_ms_p50 };
      return;
    }
}

static void
update_paid (TachoBenchPlanEditor *self, const TachoBenchEstimate *estimate)
{
  g_autofree char *words =
      self->connection != NULL
          ? tacho_bench_cost_words (tacho_connection_get_profile (self->connection), estimate)
          : NULL;

  gtk_label_set_label (self->paid_words, words != NULL ? words : "");
  gtk_widget_set_visible (self->paid, words != NULL);
}

static void
update_estimate (TachoBenchPlanEditor *self)
{
  TachoModel *model =
      self->connection != NULL ? tacho_connection_get_model (self->connection) : NULL;
  const char *id = model != NULL ? tacho_model_get_id (model) : NULL;
  TachoBenchEstimate estimate = { NAN, NAN, NAN, NAN };
  g_autoptr (GArray) loads = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoBenchPlan) plan = NULL;
  g_autofree char *words = NULL;

  if (!gtk_widget_get_mapped (GTK_WIDGET (self)))
    return;
  find_pace (self, id);
  plan = read_form (self, id != NULL ? id : "-", &loads, &error);
  if (plan != NULL && tacho_bench_plan_validate (plan, &error))
    {
      tacho_bench_estimate (&estimate, plan, loads, &self->pace);
      words = tacho_bench_estimate_to_words (&estimate);
    }
  gtk_label_set_label (self->estimate, error != NULL ? error->message : words);
  tacho_display_set_class (GTK_WIDGET (self->estimate), error != NULL ? "error" : "");
  update_paid (self, &estimate);
}

static void
archive_cb (TachoBenchPlanEditor *self)
{
  g_clear_pointer (&self->paced, g_free);
  update_estimate (self);
}

/* --- the form --- */

static void
update_load (TachoBenchPlanEditor *self)
{
  TachoLoadKind load = get_load (self);
  gboolean sweep = *tacho_bench_field_get_text (self->loads) != '\0';
  gboolean timed = load != TACHO_LOAD_CLOSED && load != TACHO_LOAD_TRACE;

  gtk_label_set_label (self->concurrency_title,
                       load == TACHO_LOAD_CLOSED ? _ ("At a time") : _ ("At most at a time"));
  gtk_widget_set_sensitive (GTK_WIDGET (self->concurrency), load != TACHO_LOAD_CLOSED || !sweep);
  gtk_widget_set_visible (self->rate_box, timed);
  gtk_widget_set_sensitive (GTK_WIDGET (self->rate), !sweep);
  gtk_widget_set_visible (GTK_WIDGET (self->loads), load != TACHO_LOAD_TRACE);
  tacho_bench_options_set_load (self->options, load);
}

static void
edited_cb (TachoBenchPlanEditor *self)
{
  if (self->filling)
    return;
  tacho_bench_preset_row_set_chosen (self->presets, -1);
  update_load (self);
  update_estimate (self);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
load_cb (TachoBenchPlanEditor *self)
{
  if (self->filling)
    return;
  gtk_spin_button_set_value (self->concurrency,
                             get_load (self) == TACHO_LOAD_CLOSED ? 4 : OPEN_CONCURRENCY);
  if (get_load (self) == TACHO_LOAD_TRACE)
    gtk_drop_down_set_selected (self->unit, UNIT_TRACE);
  else if (gtk_drop_down_get_selected (self->unit) == UNIT_TRACE)
    gtk_drop_down_set_selected (self->unit, UNIT_REQUESTS);
  edited_cb (self);
}

static void
amount_cb (TachoBenchPlanEditor *self)
{
  if (gtk_drop_down_get_selected (self->unit) == UNIT_SECONDS)
    self->seconds = gtk_spin_button_get_value (self->amount);
  else
    self->requests = (guint) gtk_spin_button_get_value_as_int (self->amount);
  edited_cb (self);
}

static void
unit_cb (TachoBenchPlanEditor *self)
{
  guint unit = gtk_drop_down_get_selected (self->unit);
  double value = unit == UNIT_SECONDS ? self->seconds : self->requests;

  g_signal_handlers_block_by_func (self->amount, amount_cb, self);
  gtk_spin_button_set_range (self->amount, 1, unit == UNIT_SECONDS ? 604800 : 10000000);
  gtk_spin_button_set_value (self->amount, value);
  g_signal_handlers_unblock_by_func (self->amount, amount_cb, self);
  gtk_widget_set_sensitive (GTK_WIDGET (self->amount), unit != UNIT_TRACE);
  edited_cb (self);
}

static void
preset_cb (TachoBenchPlanEditor *self, guint at)
{
  guint n;
  const TachoBenchPreset *presets = tacho_bench_presets_get (&n);
  TachoModel *model =
      self->connection != NULL ? tacho_connection_get_model (self->connection) : NULL;
  g_autoptr (TachoBenchPlan) plan = tacho_bench_presets_make (
      at, model != NULL ? tacho_model_get_info (model)->context_window : 0);

  tacho_bench_plan_editor_set_plan (self, plan, presets[at].loads);
}

static void
tacho_bench_plan_editor_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (tacho_bench_plan_editor_parent_class)->map (widget);
  update_estimate (TACHO_BENCH_PLAN_EDITOR (widget));
}

static void
tacho_bench_plan_editor_dispose (GObject *object)
{
  TachoBenchPlanEditor *self = TACHO_BENCH_PLAN_EDITOR (object);

  if (self->connection != NULL)
    g_signal_handlers_disconnect_by_data (self->connection, self);
  g_clear_object (&self->connection);
  g_clear_pointer (&self->base, tacho_bench_plan_free);
  g_clear_pointer (&self->paced, g_free);
  self->filling = TRUE; /* the drop-downs change as they go */
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_BENCH_PLAN_EDITOR);

  G_OBJECT_CLASS (tacho_bench_plan_editor_parent_class)->dispose (object);
}

static void
tacho_bench_plan_editor_class_init (TachoBenchPlanEditorClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_bench_plan_editor_dispose;
  widget_class->map = tacho_bench_plan_editor_map;
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", TACHO_TYPE_BENCH_PLAN_EDITOR,
                                          G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  g_type_ensure (TACHO_TYPE_MODEL_CHOOSER);
  g_type_ensure (TACHO_TYPE_BENCH_OPTIONS);
  g_type_ensure (TACHO_TYPE_BENCH_PRESET_ROW);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-bench-plan-editor.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, presets);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, chooser);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, load);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, concurrency_title);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, concurrency);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, rate_box);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, rate);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, amount);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, unit);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, loads_place);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, prompt_place);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, output_place);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, options);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, estimate);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, paid);
  gtk_widget_class_bind_template_child (widget_class, TachoBenchPlanEditor, paid_words);
  gtk_widget_class_bind_template_callback (widget_class, edited_cb);
  gtk_widget_class_bind_template_callback (widget_class, preset_cb);
  gtk_widget_class_bind_template_callback (widget_class, load_cb);
  gtk_widget_class_bind_template_callback (widget_class, amount_cb);
  gtk_widget_class_bind_template_callback (widget_class, unit_cb);
}

static TachoBenchField *
place (TachoBenchPlanEditor *self, AdwBin *bin, GtkWidget *field)
{
  adw_bin_set_child (bin, field);
  g_signal_connect_object (field, "changed", G_CALLBACK (edited_cb), self, G_CONNECT_SWAPPED);
  return TACHO_BENCH_FIELD (field);
}

/* What the form said last, or the default. */
static void
restore (TachoBenchPlanEditor *self)
{
  TachoSettings *settings = tacho_settings_get_default ();
  g_autofree char *text = tacho_settings_get_string (settings, "bench-plan");
  g_autofree char *loads = tacho_settings_get_string (settings, "bench-loads");
  g_autoptr (JsonNode) node = *text != '\0' ? json_from_string (text, NULL) : NULL;
  g_autoptr (TachoBenchPlan) plan = NULL;

  if (node != NULL && JSON_NODE_HOLDS_OBJECT (node))
    plan = tacho_bench_plan_from_json (json_node_get_object (node));
  if (plan != NULL)
    tacho_bench_plan_editor_set_plan (self, plan, loads);
  else
    {
      preset_cb (self, 0);
      tacho_bench_preset_row_set_chosen (self->presets, 0);
    }
}

static void
tacho_bench_plan_editor_init (TachoBenchPlanEditor *self)
{
  self->requests = 64;
  self->seconds = 30;
  self->base = tacho_bench_plan_new ();
  self->filling = TRUE;
  gtk_widget_init_template (GTK_WIDGET (self));
  tacho_accessible_name_drop_down (self->load);
  tacho_accessible_name_drop_down (self->unit);
  self->loads = place (
      self, self->loads_place,
      tacho_bench_field_new (_ ("Sweep over"),
                             _ ("A run for each of these loads: 1,2,4,8 or 1:64:x2 or 10:100:+10"),
                             _ ("No sweep"), check_loads));
  self->prompt_tokens =
      place (self, self->prompt_place,
             tacho_bench_field_new (_ ("Prompt tokens"),
                                    _ ("Length of the prompts: 128, 64:512 or 256±64"), "128",
                                    check_length));
  self->output_tokens = place (
      self, self->output_place,
      tacho_bench_field_new (_ ("Output tokens"), _ ("Length of the replies: 64, 32:128 or 64±16"),
                             "64", check_length));
  g_signal_connect_object (self->options, "changed", G_CALLBACK (edited_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (tacho_bench_archive_get_default (), "changed", G_CALLBACK (archive_cb),
                           self, G_CONNECT_SWAPPED);
  self->filling = FALSE;
  restore (self);
}

/**
 * tacho_bench_plan_editor_set_connection:
 * @self: the form
 * @connection: (nullable): the server in use
 */
void
tacho_bench_plan_editor_set_connection (TachoBenchPlanEditor *self, TachoConnection *connection)
{
  g_return_if_fail (TACHO_IS_BENCH_PLAN_EDITOR (self));

  if (self->connection != NULL)
    g_signal_handlers_disconnect_by_data (self->connection, self);
  g_set_object (&self->connection, connection);
  tacho_model_chooser_set_connection (self->chooser, connection);
  g_clear_pointer (&self->paced, g_free);
  if (connection == NULL)
    return;
  g_signal_connect_object (connection, "notify::model", G_CALLBACK (update_estimate), self,
                           G_CONNECT_SWAPPED);
  tacho_bench_options_set_grpc (
      self->options, tacho_profile_get_protocol (tacho_connection_get_profile (connection)) ==
                         TACHO_PROTOCOL_HYBRID);
  update_estimate (self);
}

/**
 * tacho_bench_plan_editor_set_plan:
 * @self: the form
 * @plan: what it is to say; its model is left out
 * @loads: (nullable): of a sweep
 */
void
tacho_bench_plan_editor_set_plan (TachoBenchPlanEditor *self,
                                  const TachoBenchPlan *plan,
                                  const char *loads)
{
  g_autofree char *prompt = NULL;
  g_autofree char *output = NULL;
  guint unit = plan->requests > 0     ? UNIT_REQUESTS
               : plan->duration_s > 0 ? UNIT_SECONDS
                                      : UNIT_TRACE;

  g_return_if_fail (TACHO_IS_BENCH_PLAN_EDITOR (self));

  self->filling = TRUE;
  if (plan != self->base)
    {
      tacho_bench_plan_free (self->base);
      self->base = tacho_bench_plan_copy (plan);
    }
  self->requests = plan->requests > 0 ? (guint) plan->requests : self->requests;
  self->seconds = plan->duration_s > 0 ? plan->duration_s : self->seconds;
  gtk_drop_down_set_selected (self->unit, unit);
  unit_cb (self);
  gtk_drop_down_set_selected (self->load, plan->load);
  gtk_spin_button_set_value (self->concurrency, plan->concurrency);
  gtk_spin_button_set_value (self->rate, plan->rate > 0 ? plan->rate : 1);
  prompt = tacho_lengths_to_string (&plan->prompt_tokens);
  output = tacho_lengths_to_string (&plan->output_tokens);
  tacho_bench_field_set_text (self->prompt_tokens, prompt);
  tacho_bench_field_set_text (self->output_tokens, output);
  tacho_bench_field_set_text (self->loads, loads);
  tacho_bench_options_set_plan (self->options, plan);
  self->filling = FALSE;
  edited_cb (self);
}

/**
 * tacho_bench_plan_editor_make_plan:
 * @self: the form
 * @model: id of a model
 * @loads: (out) (nullable) (element-type double): of a sweep
 * @error: return location
 *
 * Returns: (transfer full): what the form says, for @model; else what is wrong with it
 */
TachoBenchPlan *
tacho_bench_plan_editor_make_plan (TachoBenchPlanEditor *self,
                                   const char *model,
                                   GArray **loads,
                                   GError **error)
{
  g_autoptr (TachoBenchPlan) plan = NULL;

  g_return_val_if_fail (TACHO_IS_BENCH_PLAN_EDITOR (self), NULL);

  *loads = NULL;
  /* A number that is still being typed counts too. */
  gtk_spin_button_update (self->concurrency);
  gtk_spin_button_update (self->rate);
  gtk_spin_button_update (self->amount);
  plan = read_form (self, model, loads, error);
  if (plan == NULL || !tacho_bench_plan_validate (plan, error))
    {
      g_clear_pointer (loads, g_array_unref);
      return NULL;
    }
  return g_steal_pointer (&plan);
}

/**
 * tacho_bench_plan_editor_save:
 * @self: the form
 *
 * Remembers what it says for the next start.
 */
void
tacho_bench_plan_editor_save (TachoBenchPlanEditor *self)
{
  TachoSettings *settings = tacho_settings_get_default ();
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GArray) loads = NULL;
  g_autoptr (TachoBenchPlan) plan = read_form (self, "-", &loads, NULL);
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;

  if (plan == NULL)
    return;
  tacho_bench_plan_to_json (plan, builder);
  node = json_builder_get_root (builder);
  text = json_to_string (node, FALSE);
  tacho_settings_set_string (settings, "bench-plan", text);
  tacho_settings_set_string (settings, "bench-loads", tacho_bench_field_get_text (self->loads));
}
