/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The folded part of the plan editor: a table of numbers, switches and texts. */
#define G_LOG_DOMAIN "tacho-bench-options"

#include "config.h"

#include "app/tacho-bench-options.h"
#include "app/tacho-bench-field.h"
#include "app/tacho-bench-prompts-field.h"
#include "bench/tacho-slo.h"
#include "bench/tacho-until.h"

#include <glib/gi18n.h>
#include <math.h>

#define N_COLUMNS 4
#define WEEK 604800.0
#define MAX_EXACT 9007199254740991.0 /* whole numbers in a double */

typedef enum
{
  GROUP_LOAD,
  GROUP_WORK,
  GROUP_STOP,
  GROUP_CLIENT,
  N_GROUPS
} Group;

static const char *const group_titles[N_GROUPS] = {
  N_ ("Shape of the load"),
  N_ ("Prompts and replies"),
  N_ ("Goal, and when to stop early"),
  N_ ("How it is measured"),
};

typedef enum
{
  KIND_DOUBLE,
  KIND_UINT,
  KIND_UINT64,
} Kind;

/* Loads for which a number means something. */
#define CLOSED (1u << TACHO_LOAD_CLOSED)
#define GAMMA (1u << TACHO_LOAD_GAMMA)
#define TRACE (1u << TACHO_LOAD_TRACE)
#define TIMED ((1u << TACHO_LOAD_CONSTANT) | (1u << TACHO_LOAD_POISSON) | GAMMA)
#define ALL (CLOSED | TIMED | TRACE)

static const struct
{
  Group group;
  Kind kind;
  gsize offset;
  guint loads;
  const char *title;
  const char *tooltip;
  double min, max, step, scale; /* scale: shown = value * scale */
  int digits;
} numbers[] = {
  { GROUP_LOAD, KIND_UINT64, G_STRUCT_OFFSET (TachoBenchPlan, warmup_requests), ALL,
    N_ ("Warm-up requests"), N_ ("Sent first; in no figure"), 0, 10000000, 1, 1, 0 },
  { GROUP_LOAD, KIND_DOUBLE, G_STRUCT_OFFSET (TachoBenchPlan, warmup_s), ALL, N_ ("Warm-up, s"),
    N_ ("Load for so long before the measurement; in no figure"), 0, WEEK, 1, 1, 1 },
  { GROUP_LOAD, KIND_DOUBLE, G_STRUCT_OFFSET (TachoBenchPlan, ramp_s), CLOSED | TIMED,
    N_ ("Ramp, s"), N_ ("The load rises over so long; that does not count"), 0, WEEK, 1, 1, 1 },
  { GROUP_LOAD, KIND_DOUBLE, G_STRUCT_OFFSET (TachoBenchPlan, cooldown_s), ALL, N_ ("Cool-down, s"),
    N_ ("The load goes on so long after the end; in no figure"), 0, WEEK, 1, 1, 1 },
  { GROUP_LOAD, KIND_DOUBLE, G_STRUCT_OFFSET (TachoBenchPlan, gamma_shape), GAMMA,
    N_ ("Gamma shape"), N_ ("Below 1 burstier than Poisson, above 1 more even"), 0.001, 1000, 0.1,
    1, 3 },
  { GROUP_LOAD, KIND_DOUBLE, G_STRUCT_OFFSET (TachoBenchPlan, trace_scale), TRACE,
    N_ ("Stretch of time"), N_ ("The time stamps of the file are multiplied by this"), 0.001, 1000,
    0.1, 1, 3 },
  { GROUP_WORK, KIND_UINT, G_STRUCT_OFFSET (TachoBenchPlan, turns), CLOSED, N_ ("Turns"),
    N_ ("Of a conversation; 1: single requests"), 1, 1000, 1, 1, 0 },
  { GROUP_WORK, KIND_DOUBLE, G_STRUCT_OFFSET (TachoBenchPlan, think_s), CLOSED,
    N_ ("Think time, s"), N_ ("Between a reply and the next turn"), 0, WEEK, 0.5, 1, 1 },
  { GROUP_WORK, KIND_UINT64, G_STRUCT_OFFSET (TachoBenchPlan, seed), ALL, N_ ("Seed"),
    N_ ("The same seed gives the same prompts and arrivals"), 0, MAX_EXACT, 1, 1, 0 },
  { GROUP_WORK, KIND_DOUBLE, G_STRUCT_OFFSET (TachoBenchPlan, cancel_share), ALL,
    N_ ("Cancelled, %"), N_ ("So many of the requests are cancelled on purpose"), 0, 100, 1, 100,
    1 },
  { GROUP_WORK, KIND_DOUBLE, G_STRUCT_OFFSET (TachoBenchPlan, cancel_after_s), ALL,
    N_ ("Cancelled after, s"), N_ ("From the start of the request"), 0, WEEK, 0.1, 1, 2 },
  { GROUP_STOP, KIND_UINT64, G_STRUCT_OFFSET (TachoBenchPlan, max_errors), ALL,
    N_ ("Most failures"), N_ ("Stop after so many; 0: never"), 0, 10000000, 1, 1, 0 },
  { GROUP_STOP, KIND_DOUBLE, G_STRUCT_OFFSET (TachoBenchPlan, max_error_rate), ALL,
    N_ ("Most failures, %"), N_ ("Stop above this share of at least 20 requests; 0: never"), 0, 100,
    1, 100, 1 },
  { GROUP_CLIENT, KIND_UINT, G_STRUCT_OFFSET (TachoBenchPlan, threads), ALL, N_ ("Load threads"),
    N_ ("0: as many as the load needs"), 0, 64, 1, 1, 0 },
};

static const struct
{
  Group group;
  gsize offset;
  const char *title;
  const char *tooltip;
} switches[] = {
  { GROUP_WORK, G_STRUCT_OFFSET (TachoBenchPlan, salt), N_ ("Unique prompts"),
    N_ ("A prefix of its own for each request, so that prefix caches do not flatter") },
  { GROUP_WORK, G_STRUCT_OFFSET (TachoBenchPlan, exact_tokens), N_ ("Exact lengths"),
    N_ ("Ask the server's tokenizer, where it has one, for words of one token each") },
  { GROUP_WORK, G_STRUCT_OFFSET (TachoBenchPlan, chat), N_ ("Chat requests"),
    N_ ("Off: raw completions, without a chat template") },
  { GROUP_CLIENT, G_STRUCT_OFFSET (TachoBenchPlan, watch_server), N_ ("Watch the server"),
    N_ ("Read the metrics of server and computer once a second meanwhile") },
  { GROUP_CLIENT, G_STRUCT_OFFSET (TachoBenchPlan, http2), N_ ("HTTP/2"),
    N_ ("Over TLS only; else HTTP/1.1") },
};

struct _TachoBenchOptions
{
  AdwBin parent_instance;
  GtkGrid *grids[N_GROUPS];
  guint filled[N_GROUPS];
  GtkSpinButton *numbers[G_N_ELEMENTS (numbers)];
  GtkWidget *boxes[G_N_ELEMENTS (numbers)];
  GtkCheckButton *switches[G_N_ELEMENTS (switches)];
  TachoBenchField *slo;
  TachoBenchField *until;
  TachoBenchPromptsField *prompts;
  GtkCheckButton *grpc;
};

G_DEFINE_FINAL_TYPE (TachoBenchOptions, tacho_bench_options, ADW_TYPE_BIN)

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
changed_cb (TachoBenchOptions *self)
{
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static double
read_member (const TachoBenchPlan *plan, guint i)
{
  gconstpointer at = G_STRUCT_MEMBER_P (plan, numbers[i].offset);

  switch (numbers[i].kind)
    {
    case KIND_UINT:
      return *(const guint *) at;
    case KIND_UINT64:
      return (double) *(const guint64 *) at;
    case KIND_DOUBLE:
    default:
      return *(const double *) at;
    }
}

static void
write_member (TachoBenchPlan *plan, guint i, double value)
{
  gpointer at = G_STRUCT_MEMBER_P (plan, numbers[i].offset);

  switch (numbers[i].kind)
    {
    case KIND_UINT:
      *(guint *) at = (guint) value;
      break;
    case KIND_UINT64:
      *(guint64 *) at = (guint64) value;
      break;
    case KIND_DOUBLE:
    default:
      *(double *) at = value;
    }
}

static gboolean
check_slo (const char *text, GError **error)
{
  g_autoptr (TachoSlo) slo = *text != '\0' ? tacho_slo_parse (text, error) : NULL;

  return *text == '\0' || slo != NULL;
}

static gboolean
check_until (const char *text, GError **error)
{
  g_autoptr (TachoUntil) until = *text != '\0' ? tacho_until_parse (text, error) : NULL;

  return *text == '\0' || until != NULL;
}

static void
attach (TachoBenchOptions *self, Group group, GtkWidget *widget, int width)
{
  guint at = self->filled[group];

  gtk_widget_set_hexpand (widget, TRUE);
  gtk_widget_set_valign (widget, GTK_ALIGN_START);
  gtk_grid_attach (self->grids[group], widget, (int) (at % N_COLUMNS), (int) (at / N_COLUMNS),
                   width, 1);
  self->filled[group] += (guint) width;
}

static void
add_number (TachoBenchOptions *self, guint i)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 3);
  GtkWidget *title = gtk_label_new (_ (numbers[i].title));
  GtkWidget *spin =
      gtk_spin_button_new_with_range (numbers[i].min, numbers[i].max, numbers[i].step);

  gtk_label_set_xalign (GTK_LABEL (title), 0);
  gtk_label_set_ellipsize (GTK_LABEL (title), PANGO_ELLIPSIZE_END);
  gtk_label_set_mnemonic_widget (GTK_LABEL (title), spin);
  gtk_widget_add_css_class (title, "caption");
  gtk_widget_add_css_class (title, "dim-label");
  gtk_spin_button_set_numeric (GTK_SPIN_BUTTON (spin), TRUE);
  gtk_spin_button_set_digits (GTK_SPIN_BUTTON (spin), (guint) numbers[i].digits);
  gtk_editable_set_width_chars (GTK_EDITABLE (spin), 4);
  gtk_editable_set_max_width_chars (GTK_EDITABLE (spin), 8);
  gtk_widget_set_tooltip_text (spin, _ (numbers[i].tooltip));
  gtk_box_append (GTK_BOX (box), title);
  gtk_box_append (GTK_BOX (box), spin);
  g_signal_connect_object (spin, "value-changed", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  self->numbers[i] = GTK_SPIN_BUTTON (spin);
  self->boxes[i] = box;
  attach (self, numbers[i].group, box, 1);
}

static GtkCheckButton *
add_switch (TachoBenchOptions *self, Group group, const char *title, const char *tooltip)
{
  GtkWidget *check = gtk_check_button_new_with_label (title);

  gtk_widget_set_tooltip_text (check, tooltip);
  gtk_widget_set_margin_top (check, 18); /* in line with the numbers, which have names above */
  g_signal_connect_object (check, "toggled", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  attach (self, group, check, 1);
  return GTK_CHECK_BUTTON (check);
}

static void
add_texts (TachoBenchOptions *self)
{
  self->slo = TACHO_BENCH_FIELD (tacho_bench_field_new (
      _ ("A good request"), _ ("The objective of one request: TTFT, e2e, ITL or TPOT below a time"),
      "ttft<500ms,itl<50ms", check_slo));
  self->until = TACHO_BENCH_FIELD (tacho_bench_field_new (
      _ ("Stop when it is known"), _ ("Once the interval (95 %) of a figure is so narrow"),
      "p95(ttft_ms)±5%", check_until));
  self->prompts = TACHO_BENCH_PROMPTS_FIELD (tacho_bench_prompts_field_new ());
  g_signal_connect_object (self->slo, "changed", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->until, "changed", G_CALLBACK (changed_cb), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->prompts, "changed", G_CALLBACK (changed_cb), self,
                           G_CONNECT_SWAPPED);
  attach (self, GROUP_STOP, GTK_WIDGET (self->slo), 2);
  attach (self, GROUP_WORK, GTK_WIDGET (self->prompts), 3);
}

static void
add_groups (TachoBenchOptions *self)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 9);

  for (guint i = 0; i < N_GROUPS; i++)
    {
      GtkWidget *title = gtk_label_new (_ (group_titles[i]));
      GtkWidget *grid = gtk_grid_new ();

      gtk_label_set_xalign (GTK_LABEL (title), 0);
      gtk_widget_add_css_class (title, "heading");
      gtk_grid_set_column_homogeneous (GTK_GRID (grid), TRUE);
      gtk_grid_set_column_spacing (GTK_GRID (grid), 12);
      gtk_grid_set_row_spacing (GTK_GRID (grid), 6);
      gtk_widget_set_margin_bottom (grid, 6);
      gtk_box_append (GTK_BOX (box), title);
      gtk_box_append (GTK_BOX (box), grid);
      self->grids[i] = GTK_GRID (grid);
    }
  adw_bin_set_child (ADW_BIN (self), box);
}

static void
tacho_bench_options_class_init (TachoBenchOptionsClass *klass)
{
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", TACHO_TYPE_BENCH_OPTIONS, G_SIGNAL_RUN_LAST, 0,
                                          NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
tacho_bench_options_init (TachoBenchOptions *self)
{
  add_groups (self);
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    add_number (self, i);
  add_texts (self);
  for (guint i = 0; i < G_N_ELEMENTS (switches); i++)
    self->switches[i] =
        add_switch (self, switches[i].group, _ (switches[i].title), _ (switches[i].tooltip));
  attach (self, GROUP_STOP, GTK_WIDGET (self->until), 2);
  self->grpc = add_switch (self, GROUP_CLIENT, _ ("Measure gRPC"),
                           _ ("The gRPC side of the server instead of its REST side"));
}

/**
 * tacho_bench_options_set_plan:
 * @self: the options
 * @plan: what they are to say
 */
void
tacho_bench_options_set_plan (TachoBenchOptions *self, const TachoBenchPlan *plan)
{
  g_return_if_fail (TACHO_IS_BENCH_OPTIONS (self));

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    gtk_spin_button_set_value (self->numbers[i], read_member (plan, i) * numbers[i].scale);
  for (guint i = 0; i < G_N_ELEMENTS (switches); i++)
    gtk_check_button_set_active (self->switches[i],
                                 G_STRUCT_MEMBER (gboolean, plan, switches[i].offset));
  gtk_check_button_set_active (self->grpc, plan->protocol == TACHO_PROTOCOL_GRPC);
  tacho_bench_field_set_text (self->slo, plan->slo);
  tacho_bench_field_set_text (self->until, plan->until);
  tacho_bench_prompts_field_set_path (self->prompts, plan->prompts_file);
  tacho_bench_options_set_load (self, plan->load);
}

/**
 * tacho_bench_options_set_load:
 * @self: the options
 * @load: the kind of load
 *
 * What this kind has no use for is not shown, and not applied.
 */
void
tacho_bench_options_set_load (TachoBenchOptions *self, TachoLoadKind load)
{
  g_return_if_fail (TACHO_IS_BENCH_OPTIONS (self));

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    gtk_widget_set_visible (self->boxes[i], (numbers[i].loads & (1u << load)) != 0);
}

/**
 * tacho_bench_options_set_grpc:
 * @self: the options
 * @grpc: whether the server can be measured over gRPC as well as over REST
 */
void
tacho_bench_options_set_grpc (TachoBenchOptions *self, gboolean grpc)
{
  g_return_if_fail (TACHO_IS_BENCH_OPTIONS (self));

  gtk_widget_set_sensitive (GTK_WIDGET (self->grpc), grpc);
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->grpc),
                               grpc ? _ ("The gRPC side of the server instead of its REST side")
                                    : _ ("This server has one side only, which is measured"));
}

static void
take_text (char **member, const char *text)
{
  g_free (*member);
  *member = *text != '\0' ? g_strdup (text) : NULL;
}

/**
 * tacho_bench_options_apply:
 * @self: the options
 * @plan: gets what they say; its kind of load is set already
 * @error: return location
 *
 * Returns: whether all of it can be read
 */
gboolean
tacho_bench_options_apply (TachoBenchOptions *self, TachoBenchPlan *plan, GError **error)
{
  g_autoptr (TachoBenchPlan) defaults = tacho_bench_plan_new ();

  g_return_val_if_fail (TACHO_IS_BENCH_OPTIONS (self), FALSE);

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      gboolean meant = (numbers[i].loads & (1u << plan->load)) != 0;

      write_member (plan, i,
                    meant ? gtk_spin_button_get_value (self->numbers[i]) / numbers[i].scale
                          : read_member (defaults, i));
    }
  for (guint i = 0; i < G_N_ELEMENTS (switches); i++)
    G_STRUCT_MEMBER (gboolean, plan, switches[i].offset) =
        gtk_check_button_get_active (self->switches[i]);
  plan->protocol =
      gtk_widget_get_sensitive (GTK_WIDGET (self->grpc)) && gtk_check_button_get_active (self->grpc)
          ? TACHO_PROTOCOL_GRPC
          : TACHO_PROTOCOL_REST;
  if (!tacho_bench_field_check (self->slo, error) || !tacho_bench_field_check (self->until, error))
    return FALSE;
  take_text (&plan->slo, tacho_bench_field_get_text (self->slo));
  take_text (&plan->until, tacho_bench_field_get_text (self->until));
  take_text (&plan->prompts_file, tacho_bench_prompts_field_get_path (self->prompts));
  return tacho_bench_prompts_field_check (self->prompts, error);
}
