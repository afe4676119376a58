/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asks for a key that cannot be had otherwise. */
#define G_LOG_DOMAIN "tacho-key-dialog"

#include "config.h"

#include "app/tacho-key-dialog.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_REASON 400 /* characters */

typedef struct
{
  TachoProfile *profile;
  GtkPasswordEntry *entry; /* held: the answer may come while the dialog is being taken apart */
  TachoKeyDialogFunc func;
  gpointer user_data;
  GDestroyNotify destroy;
} Question;

static void
question_free (gpointer data, GClosure *closure)
{
  Question *question = data;

  if (question->destroy != NULL)
    question->destroy (question->user_data);
  g_object_unref (question->profile);
  g_object_unref (question->entry);
  g_free (question);
}

static void
response_cb (AdwMessageDialog *dialog, const char *response, Question *question)
{
  const char *key = gtk_editable_get_text (GTK_EDITABLE (question->entry));

  if (strcmp (response, "use") == 0 && key[0] != '\0')
    question->func (question->profile, key, question->user_data);
  else if (strcmp (response, "without") == 0)
    question->func (question->profile, NULL, question->user_data);
  gtk_editable_set_text (GTK_EDITABLE (question->entry), "");
}

/**
 * tacho_key_dialog_ask:
 * @parent: the window
 * @profile: whose key
 * @reason: why it has to be asked for
 * @func: called with the key, or with %NULL to go on without; not at all if the person cancels
 * @user_data: for @func
 * @destroy: (nullable): frees @user_data
 */
void
tacho_key_dialog_ask (GtkWindow *parent,
                      TachoProfile *profile,
                      const char *reason,
                      TachoKeyDialogFunc func,
                      gpointer user_data,
                      GDestroyNotify destroy)
{
  GtkWidget *dialog = adw_message_dialog_new (parent, NULL, NULL);
  GtkWidget *entry = gtk_password_entry_new ();
  g_autofree char *name = tacho_text_sanitize_line (tacho_profile_get_name (profile), -1, 60);
  /* Translators: %s is the name of a server. */
  g_autofree char *heading = g_strdup_printf (_ ("API key for %s"), name);
  g_autofree char *body = tacho_text_sanitize_line (reason, -1, MAX_REASON);
  Question *question = g_new0 (Question, 1);

  question->profile = g_object_ref (profile);
  question->entry = g_object_ref_sink (GTK_PASSWORD_ENTRY (entry));
  question->func = func;
  question->user_data = user_data;
  question->destroy = destroy;
  adw_message_dialog_set_heading (ADW_MESSAGE_DIALOG (dialog), heading);
  adw_message_dialog_set_body (ADW_MESSAGE_DIALOG (dialog), body);
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "cancel", _ ("_Cancel"), "without",
                                    _ ("Go on _Without"), "use", _ ("_Use for This Session"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "use",
                                              ADW_RESPONSE_SUGGESTED);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "use");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "cancel");
  gtk_password_entry_set_show_peek_icon (question->entry, TRUE);
  g_object_set (entry, "activates-default", TRUE, NULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (entry), GTK_ACCESSIBLE_PROPERTY_LABEL, heading,
                                  -1);
  adw_message_dialog_set_extra_child (ADW_MESSAGE_DIALOG (dialog), entry);
  g_signal_connect_data (dialog, "response", G_CALLBACK (response_cb), question, question_free, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}
