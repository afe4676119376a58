/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom a server's TLS is trusted by: authority, client certificate, pin. */
#define G_LOG_DOMAIN "tacho-server-trust"

#include "config.h"

#include "app/tacho-server-trust.h"
#include "app/tacho-field-note.h"

#include <glib/gi18n.h>

enum
{
  FIELD_CA,
  FIELD_CERT,
  FIELD_KEY,
  FIELD_PIN,
  N_FIELDS
};

struct _TachoServerTrust
{
  AdwExpanderRow parent_instance;
  GtkWidget *rows[N_FIELDS];
  GtkWidget *notes[N_FIELDS];
  GtkFileChooserNative *chooser;
  int choosing; /* the field that the chooser is for */
};

G_DEFINE_FINAL_TYPE (TachoServerTrust, tacho_server_trust, ADW_TYPE_EXPANDER_ROW)

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static const char *const titles[N_FIELDS] = {
  [FIELD_CA] = N_ ("Certificates to trust (PEM file)"),
  [FIELD_CERT] = N_ ("Client certificate (PEM file)"),
  [FIELD_KEY] = N_ ("Key of the client certificate (PEM file)"),
  [FIELD_PIN] = N_ ("Only this server certificate (SHA-256)"),
};

static char *
get_text (TachoServerTrust *self, int field)
{
  return g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->rows[field]))));
}

static void
changed_cb (TachoServerTrust *self)
{
  g_autofree char *ca = get_text (self, FIELD_CA);
  g_autofree char *cert = get_text (self, FIELD_CERT);
  g_autofree char *pin = get_text (self, FIELD_PIN);
  const char *trust = pin[0] != '\0'  ? _ ("One certificate is pinned")
                      : ca[0] != '\0' ? _ ("Trusts an authority of its own")
                                      : _ ("Trusts what the system trusts");
  /* Translators: whom is trusted, then that this client has a certificate of its own. */
  g_autofree char *both = g_strdup_printf (_ ("%s · client certificate"), trust);

  adw_expander_row_set_subtitle (ADW_EXPANDER_ROW (self), cert[0] != '\0' ? both : trust);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
response_cb (TachoServerTrust *self, int response)
{
  g_autoptr (GtkFileChooserNative) chooser = g_steal_pointer (&self->chooser);
  g_autoptr (GFile) file = NULL;
  g_autofree char *path = NULL;

  if (response == GTK_RESPONSE_ACCEPT)
    file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (chooser));
  if (file != NULL)
    path = g_file_get_path (file);
  if (path != NULL)
    gtk_editable_set_text (GTK_EDITABLE (self->rows[self->choosing]), path);
}

static void
choose_cb (GtkButton *button, TachoServerTrust *self)
{
  if (self->chooser != NULL)
    return;
  self->choosing = GPOINTER_TO_INT (g_object_get_data (G_OBJECT (button), "field"));
  self->chooser = gtk_file_chooser_native_new (
      _ (titles[self->choosing]), GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))),
      GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Choose"), _ ("_Cancel"));
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (response_cb), self,
                           G_CONNECT_SWAPPED);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->chooser), TRUE);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static void
add_field (TachoServerTrust *self, int field)
{
  self->rows[field] = adw_entry_row_new ();
  self->notes[field] = tacho_field_note_new ();
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->rows[field]), _ (titles[field]));
  g_signal_connect_object (self->rows[field], "changed", G_CALLBACK (changed_cb), self,
                           G_CONNECT_SWAPPED);
  if (field != FIELD_PIN)
    {
      GtkWidget *button = gtk_button_new_from_icon_name ("document-open-symbolic");
      /* Translators: %s is what the file is for. */
      g_autofree char *label = g_strdup_printf (_ ("Choose: %s"), _ (titles[field]));

      gtk_widget_set_valign (button, GTK_ALIGN_CENTER);
      gtk_widget_add_css_class (button, "flat");
      gtk_widget_set_tooltip_text (button, _ ("Choose a File"));
      gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                      -1);
      g_object_set_data (G_OBJECT (button), "field", GINT_TO_POINTER (field));
      g_signal_connect_object (button, "clicked", G_CALLBACK (choose_cb), self, 0);
      adw_entry_row_add_suffix (ADW_ENTRY_ROW (self->rows[field]), button);
    }
  adw_expander_row_add_row (ADW_EXPANDER_ROW (self), self->rows[field]);
  adw_expander_row_add_row (ADW_EXPANDER_ROW (self), self->notes[field]);
}

static void
tacho_server_trust_dispose (GObject *object)
{
  g_clear_object (&TACHO_SERVER_TRUST (object)->chooser);

  G_OBJECT_CLASS (tacho_server_trust_parent_class)->dispose (object);
}

static void
tacho_server_trust_class_init (TachoServerTrustClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_server_trust_dispose;

  signals[SIGNAL_CHANGED] = g_signal_new ("changed", TACHO_TYPE_SERVER_TRUST, G_SIGNAL_RUN_LAST, 0,
                                          NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
tacho_server_trust_init (TachoServerTrust *self)
{
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self), _ ("Encryption (TLS)"));
  for (int i = 0; i < N_FIELDS; i++)
    add_field (self, i);
  changed_cb (self);
}

static void
set_field (TachoServerTrust *self, int field, const char *text)
{
  gtk_editable_set_text (GTK_EDITABLE (self->rows[field]), text != NULL ? text : "");
}

/**
 * tacho_server_trust_show:
 * @self: the rows
 * @profile: whose trust to show
 */
void
tacho_server_trust_show (TachoServerTrust *self, TachoProfile *profile)
{
  set_field (self, FIELD_CA, tacho_profile_get_ca_file (profile));
  set_field (self, FIELD_CERT, tacho_profile_get_cert_file (profile));
  set_field (self, FIELD_KEY, tacho_profile_get_key_file (profile));
  set_field (self, FIELD_PIN, tacho_profile_get_pin (profile));
  for (int i = 0; i < N_FIELDS; i++)
    if (gtk_editable_get_text (GTK_EDITABLE (self->rows[i]))[0] != '\0')
      adw_expander_row_set_expanded (ADW_EXPANDER_ROW (self), TRUE);
}

/**
 * tacho_server_trust_set_pin:
 * @self: the rows
 * @pin: fingerprint of the only certificate to take
 */
void
tacho_server_trust_set_pin (TachoServerTrust *self, const char *pin)
{
  set_field (self, FIELD_PIN, pin);
}

static gboolean
note (TachoServerTrust *self, int field, gboolean fine, GError **error)
{
  tacho_field_note_set_error (TACHO_FIELD_NOTE (self->notes[field]), self->rows[field],
                              fine ? NULL : (*error)->message);
  return fine;
}

static const char *
given (const char *text)
{
  return text[0] != '\0' ? text : NULL;
}

/**
 * tacho_server_trust_apply:
 * @self: the rows
 * @profile: gets what they say
 *
 * Returns: %FALSE if one of them cannot be used, which its row says from now on
 */
gboolean
tacho_server_trust_apply (TachoServerTrust *self, TachoProfile *profile)
{
  g_autofree char *ca = get_text (self, FIELD_CA);
  g_autofree char *cert = get_text (self, FIELD_CERT);
  g_autofree char *key = get_text (self, FIELD_KEY);
  g_autofree char *pin = get_text (self, FIELD_PIN);
  g_autoptr (GError) ca_error = NULL;
  g_autoptr (GError) cert_error = NULL;
  g_autoptr (GError) pin_error = NULL;
  gboolean fine =
      note (self, FIELD_CA, tacho_profile_set_ca_file (profile, ca, &ca_error), &ca_error);

  fine &= note (self, FIELD_KEY,
                tacho_profile_set_client_cert (profile, given (cert), given (key), &cert_error),
                &cert_error);
  fine &= note (self, FIELD_PIN, tacho_profile_set_pin (profile, pin, &pin_error), &pin_error);
  if (!fine)
    adw_expander_row_set_expanded (ADW_EXPANDER_ROW (self), TRUE);
  return fine;
}
