/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of a server's test as they go, and the question about a certificate. */
#define G_LOG_DOMAIN "tacho-server-steps"

#include "config.h"

#include "app/tacho-server-steps.h"
#include "app/tacho-display.h"
#include "base/tacho-error.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_WORDS 600 /* characters of a step */
#define MAX_NAME 300  /* of a certificate's field */

struct _TachoServerSteps
{
  AdwBin parent_instance;
  TachoServerTest *test;
  char *fingerprint;

  GtkListBox *list;
  GtkLabel *outcome;
  GtkWidget *certificate;
  GtkLabel *reason_label;
  GtkLabel *subject_label;
  GtkLabel *issuer_label;
  GtkLabel *names_label;
  GtkLabel *valid_label;
  GtkLabel *fingerprint_label;
};

G_DEFINE_FINAL_TYPE (TachoServerSteps, tacho_server_steps, ADW_TYPE_BIN)

enum
{
  SIGNAL_TRUST,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static const char *
name_kind (TachoTestKind kind)
{
  switch (kind)
    {
    case TACHO_TEST_RESOLVE:
      return _ ("Find the host");
    case TACHO_TEST_CONNECT:
      return _ ("Connect");
    case TACHO_TEST_TLS:
      return _ ("Encryption");
    case TACHO_TEST_API:
      return _ ("Which API");
    case TACHO_TEST_MODELS:
      return _ ("List the models");
    case TACHO_TEST_KEY:
    default:
      return _ ("API key");
    }
}

static TachoDisplayState
display_state (TachoTestState state)
{
  switch (state)
    {
    case TACHO_TEST_RUNNING:
      return (TachoDisplayState){ "tacho-status-busy-symbolic", _ ("Trying…"), "" };
    case TACHO_TEST_OK:
      return (TachoDisplayState){ "tacho-status-on-symbolic", _ ("OK"), "success" };
    case TACHO_TEST_FAILED:
      return (TachoDisplayState){ "tacho-status-failed-symbolic", _ ("Failed"), "error" };
    case TACHO_TEST_SKIPPED:
      return (TachoDisplayState){ "tacho-status-off-symbolic", _ ("Not tried"), "dim-label" };
    case TACHO_TEST_WAITING:
    default:
      return (TachoDisplayState){ "tacho-status-off-symbolic", _ ("Waits"), "dim-label" };
    }
}

typedef struct
{
  TachoTestStep *step;
  GtkWidget *row;
  GtkImage *icon;
  GtkLabel *title;
  GtkLabel *words;
  GtkLabel *state;
} StepRow;

static void
step_row_free (gpointer data, GClosure *closure)
{
  g_free (data);
}

static void
update_row (TachoTestStep *step, GParamSpec *pspec, StepRow *row)
{
  TachoDisplayState state = display_state (tacho_test_step_get_state (step));
  const char *words = tacho_test_step_get_words (step);
  g_autofree char *clean =
      words != NULL ? tacho_text_sanitize_line (words, -1, MAX_WORDS) : g_strdup ("");
  g_autofree char *spoken = NULL;

  gtk_image_set_from_icon_name (row->icon, state.icon);
  tacho_display_set_class (GTK_WIDGET (row->icon), state.css_class);
  gtk_label_set_label (row->state, state.words);
  tacho_display_set_class (GTK_WIDGET (row->state), state.css_class);
  gtk_label_set_label (row->words, clean);
  gtk_widget_set_visible (GTK_WIDGET (row->words), clean[0] != '\0');
  /* Translators: a step of a test, how it went, and what was seen. */
  spoken = g_strdup_printf (_ ("%s: %s. %s"), gtk_label_get_label (row->title), state.words, clean);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row->row), GTK_ACCESSIBLE_PROPERTY_LABEL, spoken,
                                  -1);
}

static GtkWidget *
new_label (const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);

  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  if (css_class != NULL)
    gtk_widget_add_css_class (label, css_class);
  return label;
}

static char *
make_title (TachoTestStep *step)
{
  const char *kind = name_kind (tacho_test_step_get_kind (step));

  if (tacho_test_step_get_kind (step) > TACHO_TEST_TLS ||
      tacho_test_step_get_protocol (step) == TACHO_PROTOCOL_REST)
    return g_strdup (kind);
  return g_strdup_printf ("gRPC: %s", kind);
}

static GtkWidget *
make_row (gpointer item, gpointer user_data)
{
  TachoTestStep *step = item;
  StepRow *row = g_new0 (StepRow, 1);
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 9);
  GtkWidget *column = gtk_box_new (GTK_ORIENTATION_VERTICAL, 2);
  g_autofree char *title = make_title (step);

  row->row = gtk_list_box_row_new ();
  row->icon = GTK_IMAGE (gtk_image_new ());
  row->title = GTK_LABEL (new_label (title, NULL));
  row->words = GTK_LABEL (new_label (NULL, "caption"));
  row->state = GTK_LABEL (gtk_label_new (NULL));
  gtk_widget_set_valign (GTK_WIDGET (row->icon), GTK_ALIGN_START);
  gtk_widget_set_valign (GTK_WIDGET (row->state), GTK_ALIGN_START);
  gtk_widget_add_css_class (GTK_WIDGET (row->state), "caption");
  gtk_label_set_selectable (row->words, TRUE);
  gtk_widget_set_can_focus (GTK_WIDGET (row->words), FALSE);
  gtk_widget_set_hexpand (column, TRUE);
  gtk_box_append (GTK_BOX (column), GTK_WIDGET (row->title));
  gtk_box_append (GTK_BOX (column), GTK_WIDGET (row->words));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (row->icon));
  gtk_box_append (GTK_BOX (box), column);
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (row->state));
  gtk_widget_add_css_class (box, "test-step");
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row->row), box);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row->row), FALSE);
  update_row (step, NULL, row);
  g_signal_connect_data (step, "notify::state", G_CALLBACK (update_row), row, step_row_free, 0);
  return row->row;
}

static void
trust_cb (TachoServerSteps *self)
{
  g_autofree char *fingerprint = g_strdup (self->fingerprint);

  gtk_widget_set_visible (self->certificate, FALSE);
  if (fingerprint != NULL)
    g_signal_emit (self, signals[SIGNAL_TRUST], 0, fingerprint);
}

static void
leave_cb (TachoServerSteps *self)
{
  gtk_widget_set_visible (self->certificate, FALSE);
}

static void
tacho_server_steps_dispose (GObject *object)
{
  TachoServerSteps *self = TACHO_SERVER_STEPS (object);

  /* The rows listen to the steps, which may outlive them. */
  if (self->list != NULL)
    tacho_server_steps_set_test (self, NULL);
  g_clear_pointer (&self->fingerprint, g_free);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_SERVER_STEPS);

  G_OBJECT_CLASS (tacho_server_steps_parent_class)->dispose (object);
}

static void
tacho_server_steps_class_init (TachoServerStepsClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_server_steps_dispose;

  signals[SIGNAL_TRUST] = g_signal_new ("trust", TACHO_TYPE_SERVER_STEPS, G_SIGNAL_RUN_LAST, 0,
                                        NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-server-steps.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoServerSteps, list);
  gtk_widget_class_bind_template_child (widget_class, TachoServerSteps, outcome);
  gtk_widget_class_bind_template_child (widget_class, TachoServerSteps, certificate);
  gtk_widget_class_bind_template_child (widget_class, TachoServerSteps, reason_label);
  gtk_widget_class_bind_template_child (widget_class, TachoServerSteps, subject_label);
  gtk_widget_class_bind_template_child (widget_class, TachoServerSteps, issuer_label);
  gtk_widget_class_bind_template_child (widget_class, TachoServerSteps, names_label);
  gtk_widget_class_bind_template_child (widget_class, TachoServerSteps, valid_label);
  gtk_widget_class_bind_template_child (widget_class, TachoServerSteps, fingerprint_label);
  gtk_widget_class_bind_template_callback (widget_class, trust_cb);
  gtk_widget_class_bind_template_callback (widget_class, leave_cb);
}

static void
tacho_server_steps_init (TachoServerSteps *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

static void
unwatch (TachoServerTest *test)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (test)); i++)
    {
      g_autoptr (TachoTestStep) step = g_list_model_get_item (G_LIST_MODEL (test), i);

      g_signal_handlers_disconnect_matched (step, G_SIGNAL_MATCH_FUNC, 0, 0, NULL, update_row,
                                            NULL);
    }
}

/**
 * tacho_server_steps_set_test:
 * @self: the steps
 * @test: (nullable): the test to follow; %NULL: none is shown
 */
void
tacho_server_steps_set_test (TachoServerSteps *self, TachoServerTest *test)
{
  g_return_if_fail (TACHO_IS_SERVER_STEPS (self));

  gtk_list_box_bind_model (self->list, NULL, NULL, NULL, NULL);
  if (self->test != NULL)
    unwatch (self->test);
  g_set_object (&self->test, test);
  gtk_widget_set_visible (self->certificate, FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->outcome), FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->list), test != NULL);
  if (test != NULL)
    gtk_list_box_bind_model (self->list, G_LIST_MODEL (test), make_row, NULL, NULL);
}

static void
set_field (GtkLabel *label, const char *text)
{
  g_autofree char *clean = text != NULL ? tacho_text_sanitize_line (text, -1, MAX_NAME) : NULL;

  gtk_label_set_label (label, clean != NULL && clean[0] != '\0' ? clean : "—");
}

static char *
format_date (GDateTime *date)
{
  g_autoptr (GDateTime) local = date != NULL ? g_date_time_to_local (date) : NULL;

  /* Translators: a date, as g_date_time_format() writes it: day, month, year. */
  return local != NULL ? g_date_time_format (local, _ ("%-e %B %Y")) : g_strdup ("?");
}

/* "AB:CD:…", as other programs show it. */
static char *
spell_fingerprint (const char *pin)
{
  const char *digits = strchr (pin, ':') != NULL ? strchr (pin, ':') + 1 : pin;
  GString *text = g_string_new (NULL);

  for (gsize i = 0; digits[i] != '\0'; i++)
    {
      if (i > 0 && i % 2 == 0)
        g_string_append_c (text, ':');
      g_string_append_c (text, g_ascii_toupper (digits[i]));
    }
  return g_string_free (text, FALSE);
}

static void
show_certificate (TachoServerSteps *self, const TachoCertificate *shown)
{
  g_autofree char *from = format_date (shown->not_before);
  g_autofree char *until = format_date (shown->not_after);
  /* Translators: dates from and until which a certificate is valid. */
  g_autofree char *valid = g_strdup_printf (_ ("%s to %s"), from, until);
  g_autofree char *fingerprint = spell_fingerprint (shown->fingerprint);
  /* Translators: %s is why, as a clause: "it was made for another host name". */
  g_autofree char *reason =
      g_strdup_printf (_ ("This machine does not trust it: %s."), shown->reason);

  g_free (self->fingerprint);
  self->fingerprint = g_strdup (shown->fingerprint);
  set_field (self->reason_label, reason);
  set_field (self->subject_label, shown->subject);
  set_field (self->issuer_label, shown->issuer);
  set_field (self->names_label, shown->names);
  set_field (self->valid_label, valid);
  set_field (self->fingerprint_label, fingerprint);
  gtk_widget_set_visible (self->certificate, TRUE);
}

/**
 * tacho_server_steps_finish:
 * @self: the steps
 * @error: (nullable): what failed first; %NULL: nothing
 */
void
tacho_server_steps_finish (TachoServerSteps *self, const GError *error)
{
  const TachoCertificate *untrusted;
  gboolean stopped;

  g_return_if_fail (TACHO_IS_SERVER_STEPS (self));

  if (self->test == NULL)
    return;
  untrusted = tacho_server_test_get_untrusted (self->test);
  stopped = g_error_matches (error, TACHO_ERROR, TACHO_ERROR_CANCELLED);
  gtk_label_set_label (self->outcome, error == NULL ? _ ("Everything works.")
                                      : stopped     ? _ ("The test was stopped.")
                                                    : _ ("Not everything works. The server can be "
                                                             "saved all the same."));
  gtk_widget_set_visible (GTK_WIDGET (self->outcome), TRUE);
  if (untrusted != NULL)
    show_certificate (self, untrusted);
}
