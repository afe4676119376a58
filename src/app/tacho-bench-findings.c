/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The diagnosis of a run. It looks at every request: in a thread. */
#define G_LOG_DOMAIN "tacho-bench-findings"

#include "config.h"

#include "app/tacho-bench-findings.h"
#include "app/tacho-display.h"
#include "base/tacho-text.h"
#include "bench/tacho-diagnosis.h"

#include <glib/gi18n.h>

#define MAX_LINE 600 /* characters */

struct _TachoBenchFindings
{
  AdwBin parent_instance;
  GCancellable *looking;
  GtkBox *box;
};

G_DEFINE_FINAL_TYPE (TachoBenchFindings, tacho_bench_findings, ADW_TYPE_BIN)

static const struct
{
  const char *icon;
  const char *css_class;
  const char *words;
} severities[] = {
  [TACHO_FINDING_INFO] = { "tacho-details-symbolic", "dim-label", N_ ("Good to know") },
  [TACHO_FINDING_NOTICE] = { "tacho-details-symbolic", "accent", N_ ("Limit") },
  [TACHO_FINDING_WARNING] = { "tacho-status-warning-symbolic", "warning", N_ ("Warning") },
  [TACHO_FINDING_PROBLEM] = { "tacho-status-failed-symbolic", "error", N_ ("Problem") },
};

static void
tacho_bench_findings_dispose (GObject *object)
{
  TachoBenchFindings *self = TACHO_BENCH_FINDINGS (object);

  if (self->looking != NULL)
    g_cancellable_cancel (self->looking);
  g_clear_object (&self->looking);

  G_OBJECT_CLASS (tacho_bench_findings_parent_class)->dispose (object);
}

static void
tacho_bench_findings_class_init (TachoBenchFindingsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_bench_findings_dispose;
}

static void
tacho_bench_findings_init (TachoBenchFindings *self)
{
  self->box = GTK_BOX (gtk_box_new (GTK_ORIENTATION_VERTICAL, 9));
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->box), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ ("Diagnosis"), -1);
  adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (self->box));
}

static GtkWidget *
add_line (GtkWidget *box, const char *text, const char *css_class)
{
  g_autofree char *clean = tacho_text_sanitize_line (text, -1, MAX_LINE);
  GtkWidget *label = gtk_label_new (clean);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  if (css_class != NULL)
    gtk_widget_add_css_class (label, css_class);
  gtk_box_append (GTK_BOX (box), label);
  return label;
}

static void
add_finding (TachoBenchFindings *self, const TachoFinding *finding)
{
  guint severity = MIN ((guint) finding->severity, G_N_ELEMENTS (severities) - 1);
  GtkWidget *row = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 9);
  GtkWidget *icon = gtk_image_new_from_icon_name (severities[severity].icon);
  GtkWidget *lines = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);

  gtk_widget_set_valign (icon, GTK_ALIGN_START);
  gtk_widget_add_css_class (icon, severities[severity].css_class);
  gtk_widget_set_tooltip_text (icon, _ (severities[severity].words));
  gtk_accessible_update_property (GTK_ACCESSIBLE (icon), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ (severities[severity].words), -1);
  gtk_widget_set_hexpand (lines, TRUE);
  add_line (lines, finding->title, "heading");
  for (guint i = 0; i < finding->evidence->len; i++)
    gtk_widget_add_css_class (
        add_line (lines, g_ptr_array_index (finding->evidence, i), "dim-label"), "caption");
  for (guint i = 0; i < finding->advice->len; i++)
    {
      g_autofree char *advice =
          g_strdup_printf ("→ %s", (const char *) g_ptr_array_index (finding->advice, i));

      add_line (lines, advice, NULL);
    }
  gtk_box_append (GTK_BOX (row), icon);
  gtk_box_append (GTK_BOX (row), lines);
  gtk_box_append (self->box, row);
}

static void
clear (TachoBenchFindings *self)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->box))) != NULL)
    gtk_box_remove (self->box, child);
}

static void
diagnose_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  g_task_return_pointer (task, tacho_diagnose (data), (GDestroyNotify) g_ptr_array_unref);
}

static void
diagnosed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TachoBenchFindings *self = TACHO_BENCH_FINDINGS (source);
  g_autoptr (GPtrArray) findings = g_task_propagate_pointer (G_TASK (result), NULL);

  if (findings == NULL)
    return;
  clear (self);
  add_line (GTK_WIDGET (self->box), _ ("Diagnosis"), "heading");
  for (guint i = 0; i < findings->len; i++)
    add_finding (self, g_ptr_array_index (findings, i));
  if (findings->len == 0)
    add_line (GTK_WIDGET (self->box), _ ("Nothing was in the way, as far as the figures tell."),
              "dim-label");
}

/**
 * tacho_bench_findings_set_result:
 * @self: the findings
 * @result: (nullable): a run that ended
 */
void
tacho_bench_findings_set_result (TachoBenchFindings *self, TachoBenchResult *result)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (TACHO_IS_BENCH_FINDINGS (self));

  if (self->looking != NULL)
    g_cancellable_cancel (self->looking);
  g_clear_object (&self->looking);
  clear (self);
  if (result == NULL)
    return;
  self->looking = g_cancellable_new ();
  task = g_task_new (self, self->looking, diagnosed_cb, NULL);
  g_task_set_task_data (task, tacho_bench_result_ref (result),
                        (GDestroyNotify) tacho_bench_result_unref);
  g_task_run_in_thread (task, diagnose_thread);
}
