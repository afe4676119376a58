/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asks for a server's URL, key and API, and can try it first. */
#define G_LOG_DOMAIN "tacho-add-server-dialog"

#include "config.h"

#include "app/tacho-add-server-dialog.h"
#include "app/tacho-connection.h"
#include "app/tacho-display.h"
#include "base/tacho-error.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_DETAIL 400 /* characters of a server's text */

struct _TachoAddServerDialog
{
  AdwWindow parent_instance;
  TachoConnection *trial;
  GCancellable *cancellable;

  AdwEntryRow *url_row;
  AdwPasswordEntryRow *key_row;
  AdwComboRow *api_row;
  AdwComboRow *protocol_row;
  AdwEntryRow *grpc_row;
  AdwActionRow *plain_row;
  GtkSwitch *plain_switch;
  GtkButton *connect_button;
  GtkButton *test_button;
  GtkSpinner *test_spinner;
  GtkImage *test_icon;
  GtkLabel *test_label;
};

G_DEFINE_FINAL_TYPE (TachoAddServerDialog, tacho_add_server_dialog, ADW_TYPE_WINDOW)

enum
{
  SIGNAL_CONNECT_TO,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* In the order of the combo rows. */
static const char *const families[] = {
  "auto", "llamacpp",   "ollama", "lmstudio",        "vllm", "sglang", "tgi",
  "oip",  "ryzanstein", "openai", "openai-responses"
};
static const TachoProtocol protocols[] = { TACHO_PROTOCOL_REST, TACHO_PROTOCOL_HYBRID,
                                           TACHO_PROTOCOL_GRPC };

static TachoProtocol
get_protocol (TachoAddServerDialog *self)
{
  guint selected = adw_combo_row_get_selected (self->protocol_row);

  return protocols[MIN (selected, G_N_ELEMENTS (protocols) - 1)];
}

static char *
get_text (AdwEntryRow *row)
{
  char *text = g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (row))));

  if (text[0] != '\0')
    return text;
  g_free (text);
  return NULL;
}

/* What the fields say, or why they cannot work. */
static TachoProfile *
make_profile (TachoAddServerDialog *self, GError **error)
{
  TachoProtocol protocol = get_protocol (self);
  guint selected = adw_combo_row_get_selected (self->api_row);
  g_autofree char *url = protocol != TACHO_PROTOCOL_GRPC ? get_text (self->url_row) : NULL;
  g_autofree char *target = protocol != TACHO_PROTOCOL_REST ? get_text (self->grpc_row) : NULL;
  const char *key = gtk_editable_get_text (GTK_EDITABLE (self->key_row));
  g_autoptr (TachoProfile) profile = NULL;

  if (protocol != TACHO_PROTOCOL_GRPC && url == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           _ ("Enter the address of a server"));
      return NULL;
    }
  if (protocol != TACHO_PROTOCOL_REST && target == NULL)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           _ ("Enter the address of its gRPC side"));
      return NULL;
    }
  profile = tacho_profile_new (NULL, url, error);
  if (profile == NULL || !tacho_profile_set_grpc_target (profile, target, error) ||
      !tacho_profile_set_protocol (profile, protocol, error) ||
      !tacho_profile_set_api (profile, families[MIN (selected, G_N_ELEMENTS (families) - 1)],
                              error) ||
      !tacho_profile_set_api_key (profile, key, error))
    return NULL;
  tacho_profile_set_allow_plain_key (profile, gtk_switch_get_active (self->plain_switch));
  return g_steal_pointer (&profile);
}

/* A key that would go out in plain text: that must be allowed, and only then is it asked. */
static void
update_plain_row (TachoAddServerDialog *self, TachoProfile *profile)
{
  gboolean exposed = FALSE;

  if (profile != NULL)
    {
      gboolean allowed = tacho_profile_get_allow_plain_key (profile);

      tacho_profile_set_allow_plain_key (profile, FALSE);
      exposed = !tacho_profile_check_plain_key (profile, NULL);
      tacho_profile_set_allow_plain_key (profile, allowed);
    }
  gtk_widget_set_visible (GTK_WIDGET (self->plain_row), exposed);
}

static void
show_outcome (TachoAddServerDialog *self, const char *icon, const char *css_class, const char *text)
{
  g_autofree char *clean = tacho_text_sanitize_line (text, -1, MAX_DETAIL);

  gtk_spinner_set_spinning (self->test_spinner, FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->test_spinner), FALSE);
  gtk_widget_set_visible (GTK_WIDGET (self->test_icon), icon != NULL);
  if (icon != NULL)
    {
      gtk_image_set_from_icon_name (self->test_icon, icon);
      tacho_display_set_class (GTK_WIDGET (self->test_icon), css_class);
    }
  gtk_label_set_label (self->test_label, clean);
}

static void
stop_trial (TachoAddServerDialog *self)
{
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  if (self->trial != NULL)
    tacho_connection_close (self->trial);
  g_clear_object (&self->trial);
}

static void
changed_cb (TachoAddServerDialog *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoProfile) profile = make_profile (self, &error);
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->url_row));
  const char *grpc = gtk_editable_get_text (GTK_EDITABLE (self->grpc_row));
  TachoProtocol protocol = get_protocol (self);
  const char *url = profile != NULL ? tacho_profile_get_url (profile) : NULL;

  stop_trial (self);
  gtk_widget_set_visible (GTK_WIDGET (self->url_row), protocol != TACHO_PROTOCOL_GRPC);
  gtk_widget_set_visible (GTK_WIDGET (self->grpc_row), protocol != TACHO_PROTOCOL_REST);
  update_plain_row (self, profile);
  gtk_widget_set_sensitive (GTK_WIDGET (self->connect_button), profile != NULL);
  gtk_widget_set_sensitive (GTK_WIDGET (self->test_button), profile != NULL);
  if (profile == NULL && (text[0] != '\0' || grpc[0] != '\0'))
    show_outcome (self, "tacho-status-warning-symbolic", "warning", error->message);
  else if (url != NULL && strcmp (url, text) != 0)
    {
      /* Translators: %s is the URL as it will be used. */
      g_autofree char *mended = g_strdup_printf (_ ("Will use %s"), url);

      show_outcome (self, NULL, "", mended);
    }
  else
    show_outcome (self, NULL, "", "");
}

typedef struct
{
  TachoAddServerDialog *dialog;
  GCancellable *cancellable; /* of this trial; a later one makes the answer stale */
} Trial;

static void
probe_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TachoClientManager *manager = TACHO_CLIENT_MANAGER (source);
  Trial *trial = user_data;
  g_autoptr (TachoAddServerDialog) self = trial->dialog;
  g_autoptr (GCancellable) cancellable = trial->cancellable;
  g_autoptr (GError) error = NULL;
  gboolean found = tacho_client_manager_probe_finish (manager, result, &error);

  g_free (trial);
  if (self->cancellable != cancellable)
    return;
  if (found)
    {
      const char *description = tacho_client_manager_get_description (manager);
      g_autofree char *latency = tacho_display_ms (tacho_client_manager_get_latency_ms (manager));
      /* Translators: description of a server, then how long it takes to answer. */
      g_autofree char *text =
          g_strdup_printf (_ ("Works: %s · answers in %s"),
                           description != NULL ? description : _ ("server"), latency);

      show_outcome (self, "tacho-status-on-symbolic", "success", text);
    }
  else
    show_outcome (self, "tacho-status-failed-symbolic", "error", error->message);
  stop_trial (self);
}

static void
test_cb (TachoAddServerDialog *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoProfile) profile = make_profile (self, &error);
  Trial *trial;

  stop_trial (self);
  if (profile != NULL)
    self->trial = tacho_connection_new (profile, &error);
  if (self->trial == NULL)
    {
      show_outcome (self, "tacho-status-failed-symbolic", "error", error->message);
      return;
    }
  show_outcome (self, NULL, "", _ ("Trying…"));
  gtk_widget_set_visible (GTK_WIDGET (self->test_spinner), TRUE);
  gtk_spinner_set_spinning (self->test_spinner, TRUE);
  self->cancellable = g_cancellable_new ();
  trial = g_new0 (Trial, 1);
  trial->dialog = g_object_ref (self);
  trial->cancellable = g_object_ref (self->cancellable);
  tacho_client_manager_probe_async (tacho_connection_get_manager (self->trial), self->cancellable,
                                    probe_cb, trial);
}

static void
connect_cb (TachoAddServerDialog *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoProfile) profile = make_profile (self, &error);

  if (profile != NULL && !tacho_profile_check_plain_key (profile, &error))
    g_clear_object (&profile);
  if (profile == NULL)
    {
      show_outcome (self, "tacho-status-warning-symbolic", "warning", error->message);
      return;
    }
  stop_trial (self);
  g_signal_emit (self, signals[SIGNAL_CONNECT_TO], 0, profile);
  gtk_window_close (GTK_WINDOW (self));
}

static void
tacho_add_server_dialog_dispose (GObject *object)
{
  TachoAddServerDialog *self = TACHO_ADD_SERVER_DIALOG (object);

  stop_trial (self);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_ADD_SERVER_DIALOG);

  G_OBJECT_CLASS (tacho_add_server_dialog_parent_class)->dispose (object);
}

static void
tacho_add_server_dialog_class_init (TachoAddServerDialogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_add_server_dialog_dispose;

  signals[SIGNAL_CONNECT_TO] =
      g_signal_new ("connect-to", TACHO_TYPE_ADD_SERVER_DIALOG, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                    NULL, G_TYPE_NONE, 1, TACHO_TYPE_PROFILE);

  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-add-server-dialog.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoAddServerDialog, url_row);
  gtk_widget_class_bind_template_child (widget_class, TachoAddServerDialog, key_row);
  gtk_widget_class_bind_template_child (widget_class, TachoAddServerDialog, api_row);
  gtk_widget_class_bind_template_child (widget_class, TachoAddServerDialog, protocol_row);
  gtk_widget_class_bind_template_child (widget_class, TachoAddServerDialog, grpc_row);
  gtk_widget_class_bind_template_child (widget_class, TachoAddServerDialog, plain_row);
  gtk_widget_class_bind_template_child (widget_class, TachoAddServerDialog, plain_switch);
  gtk_widget_class_bind_template_child (widget_class, TachoAddServerDialog, connect_button);
  gtk_widget_class_bind_template_child (widget_class, TachoAddServerDialog, test_button);
  gtk_widget_class_bind_template_child (widget_class, TachoAddServerDialog, test_spinner);
  gtk_widget_class_bind_template_child (widget_class, TachoAddServerDialog, test_icon);
  gtk_widget_class_bind_template_child (widget_class, TachoAddServerDialog, test_label);
  gtk_widget_class_bind_template_callback (widget_class, changed_cb);
  gtk_widget_class_bind_template_callback (widget_class, test_cb);
  gtk_widget_class_bind_template_callback (widget_class, connect_cb);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
tacho_add_server_dialog_init (TachoAddServerDialog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  changed_cb (self);
  gtk_widget_grab_focus (GTK_WIDGET (self->url_row));
}

/**
 * tacho_add_server_dialog_new:
 * @parent: the window
 *
 * Returns: (transfer none): the dialog; present it
 */
TachoAddServerDialog *
tacho_add_server_dialog_new (GtkWindow *parent)
{
  return g_object_new (TACHO_TYPE_ADD_SERVER_DIALOG, "transient-for", parent, NULL);
}
