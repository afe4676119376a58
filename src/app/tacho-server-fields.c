/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fields of a server's form: a profile into them and back, with what is wrong said at each. */
#define G_LOG_DOMAIN "tacho-server-dialog"

#include "config.h"

#include "app/tacho-connection.h"
#include "app/tacho-display.h"
#include "app/tacho-server-dialog-private.h"

#include <glib/gi18n.h>

/* In the order of the combo rows. */
static const char *const families[] = {
  "auto", "llamacpp",   "ollama", "lmstudio",        "vllm", "sglang", "tgi",
  "oip",  "ryzanstein", "openai", "openai-responses"
};
static const TachoProtocol protocols[] = { TACHO_PROTOCOL_REST, TACHO_PROTOCOL_HYBRID,
                                           TACHO_PROTOCOL_GRPC };

static char *
get_text (AdwEntryRow *row)
{
  return g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (row))));
}

static void
set_text (AdwEntryRow *row, const char *text)
{
  gtk_editable_set_text (GTK_EDITABLE (row), text != NULL ? text : "");
}

static TachoProtocol
get_protocol (TachoServerDialog *self)
{
  guint selected = adw_combo_row_get_selected (self->protocol_row);

  return protocols[MIN (selected, G_N_ELEMENTS (protocols) - 1)];
}

static const char *
typed_key (TachoServerDialog *self)
{
  return gtk_editable_get_text (GTK_EDITABLE (self->key_row));
}

void
tacho_server_dialog_fill (TachoServerDialog *self, TachoProfile *profile)
{
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    if (g_str_equal (families[i], tacho_profile_get_api (profile)))
      adw_combo_row_set_selected (self->api_row, i);
  for (guint i = 0; i < G_N_ELEMENTS (protocols); i++)
    if (protocols[i] == tacho_profile_get_protocol (profile))
      adw_combo_row_set_selected (self->protocol_row, i);
  adw_combo_row_set_selected (self->order_row, tacho_profile_get_rest_first (profile) ? 1 : 0);
  set_text (self->url_row, tacho_profile_get_url (profile));
  set_text (self->grpc_row, tacho_profile_get_grpc_target (profile));
  if (self->saved != NULL)
    set_text (self->name_row, tacho_profile_get_name (profile));
  if (self->saved == NULL && tacho_profile_get_api_key (profile) != NULL)
    set_text (ADW_ENTRY_ROW (self->key_row), tacho_profile_get_api_key (profile));
  set_text (self->env_row, tacho_profile_get_api_key_env (profile));
  gtk_switch_set_active (self->plain_switch, tacho_profile_get_allow_plain_key (profile));
  set_text (self->proxy_row, tacho_profile_get_proxy (profile));
  set_text (self->model_row, tacho_profile_get_model (profile));
  tacho_server_trust_show (self->trust, profile);
  tacho_server_headers_show (self->headers, profile);
  tacho_server_limits_show (self->limits, profile);
}

/* TRUE: nothing wrong. The error by its address: the argument before it is what sets it. */
static gboolean
judge (TachoFieldNote *note, gpointer row, gboolean fine, GError **error)
{
  tacho_field_note_set_error (note, GTK_WIDGET (row), fine ? NULL : (*error)->message);
  return fine;
}

static gboolean
missing (TachoServerDialog *self, TachoFieldNote *note, gpointer row, const char *words)
{
  tacho_field_note_set_error (note, GTK_WIDGET (row), self->attempted ? words : NULL);
  return FALSE;
}

static gboolean
collect_url (TachoServerDialog *self, TachoProfile *profile)
{
  g_autofree char *text = get_text (self->url_row);
  g_autoptr (GError) error = NULL;
  g_autofree char *hint = NULL;
  const char *url;

  tacho_field_note_set_error (self->url_note, GTK_WIDGET (self->url_row), NULL);
  if (get_protocol (self) == TACHO_PROTOCOL_GRPC)
    return tacho_profile_set_url (profile, NULL, NULL);
  if (text[0] == '\0')
    return missing (self, self->url_note, self->url_row, _ ("Enter the address of a server"));
  if (!judge (self->url_note, self->url_row, tacho_profile_set_url (profile, text, &error), &error))
    return FALSE;
  url = tacho_profile_get_url (profile);
  /* Translators: %s is the URL as it will be used. */
  hint = g_strdup_printf (_ ("Will use %s"), url);
  if (!g_str_equal (url, text))
    tacho_field_note_set_hint (self->url_note, GTK_WIDGET (self->url_row), hint);
  return TRUE;
}

static gboolean
collect_grpc (TachoServerDialog *self, TachoProfile *profile)
{
  g_autofree char *text = get_text (self->grpc_row);
  g_autoptr (GError) error = NULL;
  gboolean used = get_protocol (self) != TACHO_PROTOCOL_REST;

  tacho_field_note_set_error (self->grpc_note, GTK_WIDGET (self->grpc_row), NULL);
  if (used && text[0] == '\0' && !tacho_profile_is_sim (profile))
    return missing (self, self->grpc_note, self->grpc_row,
                    _ ("Enter the address of its gRPC side, as HOST:PORT"));
  return judge (self->grpc_note, self->grpc_row,
                tacho_profile_set_grpc_target (profile, used ? text : NULL, &error), &error);
}

/* An empty name is filled from the address. */
static gboolean
collect_name (TachoServerDialog *self, TachoProfile *profile, gboolean addressed)
{
  g_autofree char *text = get_text (self->name_row);
  g_autofree char *made = NULL;
  g_autofree char *hint = NULL;
  g_autoptr (GError) error = NULL;
  TachoProfile *other;

  tacho_field_note_set_error (self->name_note, GTK_WIDGET (self->name_row), NULL);
  if (text[0] == '\0')
    {
      if (!addressed)
        return TRUE;
      made = tacho_servers_make_name (profile, self->saved);
      /* Translators: %s is a name that is made from the address of a server. */
      hint = g_strdup_printf (_ ("Will be called %s"), made);
      tacho_field_note_set_hint (self->name_note, GTK_WIDGET (self->name_row), hint);
      return tacho_profile_set_name (profile, made, NULL);
    }
  other = tacho_config_lookup_profile (tacho_servers_get_config (), text);
  if (other != NULL &&
      (self->saved == NULL || !g_str_equal (text, tacho_profile_get_name (self->saved))))
    {
      tacho_field_note_set_error (self->name_note, GTK_WIDGET (self->name_row),
                                  _ ("Another server has this name"));
      return FALSE;
    }
  return judge (self->name_note, self->name_row, tacho_profile_set_name (profile, text, &error),
                &error);
}

/* The key that was stored goes to the address that it was given for, and to no other. */
static gboolean
is_same_origin (TachoServerDialog *self, TachoProfile *profile)
{
  g_autofree char *before = self->saved != NULL ? tacho_profile_dup_key_origin (self->saved) : NULL;
  g_autofree char *now = tacho_profile_dup_key_origin (profile);

  return self->saved != NULL && g_strcmp0 (before, now) == 0;
}

static gboolean
collect_key (TachoServerDialog *self, TachoProfile *profile)
{
  const char *key = typed_key (self);
  g_autofree char *variable = get_text (self->env_row);
  gboolean same = is_same_origin (self, profile);
  gboolean kept = self->keeps_key && same && key[0] == '\0';
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) env_error = NULL;
  gboolean fine;

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (self->key_row),
                                 kept ? _ ("API Key (unchanged)") : _ ("API Key"));
  gtk_widget_set_visible (self->forget_button, kept);
  fine = judge (self->key_note, self->key_row, tacho_profile_set_api_key (profile, key, &error),
                &error);
  if (fine && self->keeps_key && !same && key[0] == '\0')
    tacho_field_note_set_hint (
        self->key_note, GTK_WIDGET (self->key_row),
        _ ("The stored key was given for another address, and is not sent to this one: enter "
           "the key for it"));
  tacho_profile_set_key_in_keyring (profile, kept);
  if (key[0] != '\0' && variable[0] != '\0')
    {
      tacho_field_note_set_error (self->env_note, GTK_WIDGET (self->env_row),
                                  _ ("There is a key already: give the one or the other"));
      return FALSE;
    }
  return judge (self->env_note, self->env_row,
                tacho_profile_set_api_key_env (profile, variable, &env_error), &env_error) &&
         fine;
}

/* A key that would go out in plain text: that must be allowed, and only then is it asked. */
static gboolean
collect_plain (TachoServerDialog *self, TachoProfile *profile)
{
  gboolean allowed = gtk_switch_get_active (self->plain_switch);
  g_autoptr (TachoProfile) scratch = tacho_profile_copy (profile);
  gboolean has_key = tacho_profile_get_api_key (profile) != NULL ||
                     tacho_profile_get_key_in_keyring (profile) ||
                     tacho_profile_get_api_key_env (profile) != NULL;
  gboolean exposed;

  tacho_profile_set_allow_plain_key (profile, allowed);
  tacho_profile_set_allow_plain_key (scratch, FALSE);
  if (has_key && !tacho_profile_set_api_key (scratch, "x", NULL))
    return FALSE;
  exposed = !tacho_profile_check_plain_key (scratch, NULL);
  gtk_widget_set_visible (self->plain_row, exposed);
  if (!exposed || allowed)
    return TRUE;
  if (!tacho_field_note_is_error (self->key_note))
    tacho_field_note_set_error (
        self->key_note, GTK_WIDGET (self->key_row),
        self->attempted ? _ ("The key would go to another machine in plain text: use an https "
                             "address, or allow that below")
                        : NULL);
  return FALSE;
}

static gboolean
collect_more (TachoServerDialog *self, TachoProfile *profile)
{
  g_autofree char *proxy = get_text (self->proxy_row);
  g_autofree char *model = get_text (self->model_row);
  g_autoptr (GError) proxy_error = NULL;
  g_autoptr (GError) model_error = NULL;
  gboolean fine = tacho_server_trust_apply (self->trust, profile);

  fine &= tacho_server_headers_apply (self->headers, profile);
  fine &= tacho_server_limits_apply (self->limits, profile);
  fine &= judge (self->proxy_note, self->proxy_row,
                 tacho_profile_set_proxy (profile, proxy, &proxy_error), &proxy_error);
  fine &= judge (self->model_note, self->model_row,
                 tacho_profile_set_model (profile, model[0] != '\0' ? model : NULL, &model_error),
                 &model_error);
  return fine;
}

static TachoProfile *
collect (TachoServerDialog *self)
{
  g_autoptr (TachoProfile) profile =
      self->base != NULL ? tacho_profile_copy (self->base) : tacho_profile_new (NULL, "sim:", NULL);
  TachoProtocol protocol = get_protocol (self);
  guint family = adw_combo_row_get_selected (self->api_row);
  gboolean addressed;
  gboolean fine;

  gtk_widget_set_visible (GTK_WIDGET (self->url_row), protocol != TACHO_PROTOCOL_GRPC);
  gtk_widget_set_visible (GTK_WIDGET (self->grpc_row), protocol != TACHO_PROTOCOL_REST);
  gtk_widget_set_visible (GTK_WIDGET (self->order_row), protocol == TACHO_PROTOCOL_HYBRID);
  /* Both sides are judged, and then the rest by them. */
  addressed = collect_url (self, profile);
  addressed &= collect_grpc (self, profile);
  fine = addressed && tacho_profile_set_protocol (profile, protocol, NULL);
  tacho_profile_set_rest_first (profile, adw_combo_row_get_selected (self->order_row) == 1);
  fine &=
      tacho_profile_set_api (profile, families[MIN (family, G_N_ELEMENTS (families) - 1)], NULL);
  fine &= collect_name (self, profile, addressed);
  fine &= collect_more (self, profile);
  fine &= collect_key (self, profile);
  fine &= collect_plain (self, profile);
  return fine ? g_steal_pointer (&profile) : NULL;
}

void
tacho_server_dialog_check (TachoServerDialog *self)
{
  TachoProfile *profile = collect (self);

  g_clear_object (&profile);
}

/* The first field that is wrong, above whose note it stands, gets the focus. */
static gboolean
focus_wrong (GtkWidget *widget)
{
  if (TACHO_IS_FIELD_NOTE (widget))
    return tacho_field_note_is_error (TACHO_FIELD_NOTE (widget)) &&
           gtk_widget_child_focus (gtk_widget_get_prev_sibling (widget), GTK_DIR_TAB_FORWARD);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    if (focus_wrong (child))
      return TRUE;
  return FALSE;
}

TachoProfile *
tacho_server_dialog_collect (TachoServerDialog *self)
{
  TachoProfile *profile = collect (self);

  if (profile == NULL)
    focus_wrong (GTK_WIDGET (self));
  return profile;
}

TachoKeyChange
tacho_server_dialog_get_key_change (TachoServerDialog *self)
{
  if (typed_key (self)[0] != '\0')
    return TACHO_KEY_NEW;
  return self->keeps_key ? TACHO_KEY_KEEP : TACHO_KEY_NONE;
}

const char *
tacho_server_dialog_name_family (TachoServerDialog *self, const char *family)
{
  GtkStringList *names = GTK_STRING_LIST (adw_combo_row_get_model (self->api_row));

  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    if (g_str_equal (families[i], family))
      return gtk_string_list_get_string (names, i);
  return family;
}
