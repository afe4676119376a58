/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The form of a server: added or edited, tried, saved. Nothing that was typed is lost by an
 * error. */
#define G_LOG_DOMAIN "tacho-server-dialog"

#include "config.h"

#include "app/tacho-server-dialog-private.h"
#include "app/tacho-accessible.h"
#include "app/tacho-connection.h"
#include "app/tacho-display.h"
#include "app/tacho-servers.h"
#include "base/tacho-error.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_EVIDENCE 4 /* lines */

G_DEFINE_FINAL_TYPE (TachoServerDialog, tacho_server_dialog, ADW_TYPE_WINDOW)

enum
{
  SIGNAL_SAVED,
  SIGNAL_NOTICE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* --- the test --- */

static void
stop_test (TachoServerDialog *self)
{
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  if (self->sim != NULL)
    tacho_sim_server_stop (self->sim);
  g_clear_object (&self->sim);
  g_clear_object (&self->test);
  gtk_button_set_label (self->test_button, _ ("Test"));
}

/* What did not answer tells as little as it does on a page of its own. */
static gboolean
is_telling (const char *evidence)
{
  return strstr (evidence, "answered HTTP 4") == NULL &&
         strstr (evidence, "something else") == NULL;
}

static void
show_findings (TachoServerDialog *self)
{
  const char *family = tacho_server_test_get_family (self->test);
  const char *const *evidence = tacho_server_test_get_evidence (self->test);
  g_autoptr (GString) text = g_string_new (NULL);
  guint n = 0;

  if (family == NULL)
    return;
  /* Translators: %s is the API that a server was found to speak; what tells it follows. */
  g_string_printf (text, _ ("Found out: %s"), tacho_server_dialog_name_family (self, family));
  for (guint i = 0; evidence != NULL && evidence[i] != NULL && n < MAX_EVIDENCE; i++)
    {
      g_autofree char *line = tacho_text_sanitize_line (evidence[i], -1, 200);

      if (!is_telling (line))
        continue;
      g_string_append_printf (text, "\n· %s", line);
      n++;
    }
  tacho_field_note_set_hint (self->api_note, GTK_WIDGET (self->api_row), text->str);
}

/* The steps are below the fields, where a small window does not show them. */
static gboolean
scroll_cb (gpointer user_data)
{
  TachoServerDialog *self = user_data;
  GtkWidget *scrolled, *content;
  graphene_rect_t steps;
  GtkAdjustment *adjustment;

  if (self->steps == NULL)
    return G_SOURCE_REMOVE;
  scrolled = gtk_widget_get_ancestor (GTK_WIDGET (self->steps), GTK_TYPE_SCROLLED_WINDOW);
  content = gtk_widget_get_ancestor (GTK_WIDGET (self->steps), GTK_TYPE_VIEWPORT);
  if (scrolled == NULL || content == NULL ||
      !gtk_widget_compute_bounds (GTK_WIDGET (self->steps), content, &steps))
    return G_SOURCE_REMOVE;
  adjustment = gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (scrolled));
  gtk_adjustment_set_value (adjustment, gtk_adjustment_get_value (adjustment) + steps.origin.y +
                                            steps.size.height -
                                            gtk_adjustment_get_page_size (adjustment) + 18);
  return G_SOURCE_REMOVE;
}

static void
scroll_to_steps (TachoServerDialog *self)
{
  /* When the new rows have their size. */
  g_timeout_add_full (G_PRIORITY_DEFAULT_IDLE, 50, scroll_cb, g_object_ref (self), g_object_unref);
}

typedef struct
{
  TachoServerDialog *dialog;
  GCancellable *cancellable; /* of this test; a later one makes the answer stale */
  TachoProfile *profile;
} Trial;

static void
trial_free (Trial *trial)
{
  g_object_unref (trial->dialog);
  g_object_unref (trial->cancellable);
  g_object_unref (trial->profile);
  g_free (trial);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Trial, trial_free)

static void
tested_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Trial) trial = user_data;
  TachoServerDialog *self = trial->dialog;
  g_autoptr (GError) error = NULL;

  tacho_server_test_run_finish (TACHO_SERVER_TEST (source), result, &error);
  if (self->steps == NULL || self->test != TACHO_SERVER_TEST (source))
    return;
  tacho_server_steps_finish (self->steps, error);
  show_findings (self);
  stop_test (self);
  scroll_to_steps (self);
}

static void
run_test (Trial *trial)
{
  TachoServerDialog *self = trial->dialog;
  g_autoptr (GError) error = NULL;

  self->sim = tacho_sim_server_host_profile (trial->profile, &error);
  if (error != NULL)
    {
      tacho_field_note_set_error (self->url_note, GTK_WIDGET (self->url_row), error->message);
      stop_test (self);
      trial_free (trial);
      return;
    }
  self->test = tacho_server_test_new (trial->profile);
  tacho_server_steps_set_test (self->steps, self->test);
  scroll_to_steps (self);
  tacho_server_test_run_async (self->test, self->cancellable, tested_cb, trial);
}

static void
key_found_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Trial *trial = user_data;
  TachoServerDialog *self = trial->dialog;
  g_autoptr (GError) error = NULL;
  char *key = tacho_secrets_lookup_finish (TACHO_SECRETS (source), result, NULL, &error);

  if (self->steps == NULL || self->cancellable != trial->cancellable)
    trial_free (trial);
  else
    {
      if (error == NULL)
        tacho_profile_set_api_key (trial->profile, key, &error);
      /* Tried without it, which may work as well. */
      if (error != NULL)
        tacho_field_note_set_error (self->key_note, GTK_WIDGET (self->key_row), error->message);
      run_test (trial);
    }
  tacho_secret_free (key);
}

static void
test_cb (TachoServerDialog *self)
{
  g_autoptr (TachoProfile) profile = NULL;
  Trial *trial;

  if (self->cancellable != NULL)
    {
      g_cancellable_cancel (self->cancellable); /* the steps say that it was stopped */
      return;
    }
  self->attempted = TRUE;
  profile = tacho_server_dialog_collect (self);
  if (profile == NULL)
    return;
  self->cancellable = g_cancellable_new ();
  gtk_button_set_label (self->test_button, _ ("Stop"));
  trial = g_new0 (Trial, 1);
  trial->dialog = g_object_ref (self);
  trial->cancellable = g_object_ref (self->cancellable);
  trial->profile = g_object_ref (profile);
  if (tacho_servers_needs_key (profile))
    tacho_secrets_lookup_async (tacho_servers_get_secrets (), profile, TRUE, self->cancellable,
                                key_found_cb, trial);
  else
    run_test (trial);
}

static void
trust_cb (TachoServerDialog *self, const char *fingerprint)
{
  tacho_server_trust_set_pin (self->trust, fingerprint);
  test_cb (self);
}

/* --- the fields --- */

static void
changed_cb (TachoServerDialog *self)
{
  if (self->filling)
    return;
  self->changed = TRUE;
  stop_test (self);
  tacho_server_steps_set_test (self->steps, NULL);
  tacho_field_note_set_hint (self->api_note, GTK_WIDGET (self->api_row), NULL);
  tacho_server_dialog_check (self);
}

static void
forget_key_cb (TachoServerDialog *self)
{
  self->keeps_key = FALSE;
  gtk_editable_set_text (GTK_EDITABLE (self->key_row), "");
  changed_cb (self);
}

static void
keyring_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoServerDialog) self = user_data;
  g_autoptr (GError) error = NULL;

  tacho_secret_free (tacho_secrets_lookup_finish (TACHO_SECRETS (source), result, NULL, &error));
  if (self->key_group != NULL &&
      g_error_matches (error, TACHO_SECRETS_ERROR, TACHO_SECRETS_ERROR_UNAVAILABLE))
    adw_preferences_group_set_description (
        self->key_group, _ ("Sent to this server only. There is no keyring here: the key is kept "
                            "until Tacho is closed, and asked for at the next start."));
}

/* Asked with an entry that nobody has: whether the keyring can be asked at all. */
static void
look_for_keyring (TachoServerDialog *self)
{
  g_autoptr (TachoProfile) nobody = tacho_profile_new ("Tacho", "http://127.0.0.1:9", NULL);

  tacho_profile_set_key_in_keyring (nobody, TRUE);
  tacho_secrets_lookup_async (tacho_servers_get_secrets (), nobody, FALSE, NULL, keyring_cb,
                              g_object_ref (self));
}

/* --- saving and closing --- */

static void
settled_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoServerDialog) self = user_data;
  TachoProfile *profile = g_task_get_task_data (G_TASK (result));
  g_autofree char *notice = tacho_servers_settle_key_finish (result);

  if (notice != NULL)
    g_signal_emit (self, signals[SIGNAL_NOTICE], 0, notice);
  g_signal_emit (self, signals[SIGNAL_SAVED], 0, profile);
}

static void
save_cb (TachoServerDialog *self)
{
  g_autoptr (TachoProfile) profile = NULL;
  g_autoptr (GError) error = NULL;
  TachoKeyChange change = tacho_server_dialog_get_key_change (self);
  gboolean fine;

  self->attempted = TRUE;
  profile = tacho_server_dialog_collect (self);
  fine = profile != NULL && (tacho_profile_is_sim (profile) ||
                             tacho_servers_change (self->saved, profile, change, &error));
  gtk_label_set_label (self->failure_label, error != NULL ? error->message : "");
  gtk_widget_set_visible (GTK_WIDGET (self->failure_label), error != NULL);
  if (!fine)
    return;
  stop_test (self);
  self->changed = FALSE;
  if (tacho_profile_is_sim (profile))
    g_signal_emit (self, signals[SIGNAL_SAVED], 0, profile);
  else
    tacho_servers_settle_key_async (self->saved, profile, change, settled_cb, g_object_ref (self));
  gtk_window_close (GTK_WINDOW (self));
}

static gboolean
close_now_cb (gpointer user_data)
{
  gtk_window_close (GTK_WINDOW (user_data));
  return G_SOURCE_REMOVE;
}

static void
discard_cb (AdwMessageDialog *dialog, const char *response, TachoServerDialog *self)
{
  if (strcmp (response, "discard") != 0)
    return;
  self->changed = FALSE;
  /* GTK 4.8 still reaches for the parent of a dialog that outlives it. */
  gtk_window_set_transient_for (GTK_WINDOW (dialog), NULL);
  g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, close_now_cb, g_object_ref (self), g_object_unref);
}

static gboolean
tacho_server_dialog_close_request (GtkWindow *window)
{
  TachoServerDialog *self = TACHO_SERVER_DIALOG (window);
  GtkWidget *dialog;

  if (!self->changed)
    {
      stop_test (self);
      return GTK_WINDOW_CLASS (tacho_server_dialog_parent_class)->close_request (window);
    }
  dialog = adw_message_dialog_new (window, _ ("Discard the Changes?"),
                                   _ ("What was entered about this server is not saved."));
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _ ("_Go on Editing"),
                                    "discard", _ ("_Discard"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "discard",
                                              ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  g_signal_connect_object (dialog, "response", G_CALLBACK (discard_cb), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
  return GDK_EVENT_STOP;
}

static void
tacho_server_dialog_dispose (GObject *object)
{
  TachoServerDialog *self = TACHO_SERVER_DIALOG (object);

  if (self->test_button != NULL)
    stop_test (self);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_SERVER_DIALOG);
  g_clear_object (&self->saved);
  g_clear_object (&self->base);

  G_OBJECT_CLASS (tacho_server_dialog_parent_class)->dispose (object);
}

#define BIND(name) gtk_widget_class_bind_template_child (widget_class, TachoServerDialog, name)

static void
tacho_server_dialog_class_init (TachoServerDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_server_dialog_dispose;
  GTK_WINDOW_CLASS (klass)->close_request = tacho_server_dialog_close_request;

  signals[SIGNAL_SAVED] = g_signal_new ("saved", TACHO_TYPE_SERVER_DIALOG, G_SIGNAL_RUN_LAST, 0,
                                        NULL, NULL, NULL, G_TYPE_NONE, 1, TACHO_TYPE_PROFILE);
  signals[SIGNAL_NOTICE] = g_signal_new ("notice", TACHO_TYPE_SERVER_DIALOG, G_SIGNAL_RUN_LAST, 0,
                                         NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);

  g_type_ensure (TACHO_TYPE_FIELD_NOTE);
  g_type_ensure (TACHO_TYPE_SERVER_HEADERS);
  g_type_ensure (TACHO_TYPE_SERVER_LIMITS);
  g_type_ensure (TACHO_TYPE_SERVER_STEPS);
  g_type_ensure (TACHO_TYPE_SERVER_TRUST);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-server-dialog.ui");
  BIND (failure_label);
  BIND (url_row);
  BIND (url_note);
  BIND (name_row);
  BIND (name_note);
  BIND (protocol_row);
  BIND (grpc_row);
  BIND (grpc_note);
  BIND (order_row);
  BIND (api_row);
  BIND (api_note);
  BIND (key_group);
  BIND (key_row);
  BIND (forget_button);
  BIND (key_note);
  BIND (plain_row);
  BIND (plain_switch);
  BIND (env_row);
  BIND (env_note);
  BIND (test_button);
  BIND (steps);
  BIND (trust);
  BIND (headers);
  BIND (proxy_row);
  BIND (proxy_note);
  BIND (model_row);
  BIND (model_note);
  BIND (limits);
  BIND (save_button);
  gtk_widget_class_bind_template_callback (widget_class, changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, forget_key_cb);
  gtk_widget_class_bind_template_callback (widget_class, test_cb);
  gtk_widget_class_bind_template_callback (widget_class, trust_cb);
  gtk_widget_class_bind_template_callback (widget_class, save_cb);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
tacho_server_dialog_init (TachoServerDialog *self)
{
  self->filling = TRUE;
  gtk_widget_init_template (GTK_WIDGET (self));
  tacho_accessible_name_rows (GTK_WIDGET (self));
}

/**
 * tacho_server_dialog_new:
 * @parent: the window
 * @profile: (nullable): what to begin with
 * @saved: whether @profile is in the file, so that it is changed there
 *
 * Returns: (transfer none): the form; present it
 */
TachoServerDialog *
tacho_server_dialog_new (GtkWindow *parent, TachoProfile *profile, gboolean saved)
{
  TachoServerDialog *self = g_object_new (TACHO_TYPE_SERVER_DIALOG, "transient-for", parent, NULL);

  if (profile != NULL)
    self->base = tacho_profile_copy (profile);
  if (saved)
    self->saved = g_object_ref (self->base);
  self->keeps_key = saved && tacho_profile_get_key_in_keyring (self->saved);
  gtk_window_set_title (GTK_WINDOW (self), saved ? _ ("Edit Server") : _ ("Add Server"));
  gtk_button_set_label (self->save_button, saved ? _ ("Save") : _ ("Connect"));
  if (profile != NULL)
    tacho_server_dialog_fill (self, profile);
  self->filling = FALSE;
  tacho_server_dialog_check (self);
  look_for_keyring (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->url_row));
  return self;
}

/**
 * tacho_server_dialog_test:
 * @self: the form
 *
 * Tries what the form says, as its button does.
 */
void
tacho_server_dialog_test (TachoServerDialog *self)
{
  g_return_if_fail (TACHO_IS_SERVER_DIALOG (self));

  if (self->cancellable == NULL)
    test_cb (self);
}

/**
 * tacho_server_dialog_set_name:
 * @self: the form of a new server
 * @name: what it is to be called
 */
void
tacho_server_dialog_set_name (TachoServerDialog *self, const char *name)
{
  g_return_if_fail (TACHO_IS_SERVER_DIALOG (self));

  gtk_editable_set_text (GTK_EDITABLE (self->name_row), name);
}
