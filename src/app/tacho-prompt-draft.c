/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What cannot be kept is no reason to interrupt who writes it: it stays in sight, and that the disk
 * is full is said when it is sent. */
#define G_LOG_DOMAIN "tacho-prompt-draft"

#include "config.h"

#include "app/tacho-prompt-draft.h"
#include "app/tacho-settings.h"
#include "base/tacho-json.h"

#define NEW_TEXT "draft"
#define NEW_SETTINGS "draft-settings"
#define MAX_NEW (64 * 1024) /* bytes; more does not belong into settings */
#define PAUSE_MS 2000       /* without a change, until what is written is kept */

struct _TachoPromptDraft
{
  TachoConversations *store; /* NULL: not there */
  TachoChat *chat;           /* in sight; NULL: a new one */
  TachoComposer *composer;
  TachoPromptSettings *settings;
  char *text; /* as it is kept */
  char *asked_with;
  guint pause_id;
};

/* NULL: a conversation that is not stored (yet). */
static const char *
get_id (TachoPromptDraft *self)
{
  TachoConversationInfo *info =
      self->store != NULL && self->chat != NULL ? tacho_chat_get_info (self->chat) : NULL;

  return info != NULL ? tacho_conversation_info_get_id (info) : NULL;
}

static char *
dup_kept (TachoPromptDraft *self, TachoConversationField field, const char *key)
{
  const char *id = get_id (self);
  char *text = id == NULL ? tacho_settings_get_string (tacho_settings_get_default (), key)
                          : tacho_conversations_dup_field (self->store, id, field, NULL);

  return text != NULL ? text : g_strdup ("");
}

/* --- what is written --- */

static void
keep_text (TachoPromptDraft *self)
{
  g_autofree char *text = tacho_composer_dup_text (self->composer);
  const char *id = get_id (self);

  if (tacho_composer_get_index (self->composer) >= 0 || g_strcmp0 (text, self->text) == 0)
    return;
  if (id != NULL)
    tacho_conversations_set_field (self->store, id, TACHO_CONVERSATION_DRAFT, text, NULL);
  else if (strlen (text) <= MAX_NEW)
    tacho_settings_set_string (tacho_settings_get_default (), NEW_TEXT, text);
  g_free (self->text);
  self->text = g_steal_pointer (&text);
}

/**
 * tacho_prompt_draft_restore_text:
 * @self: the draft
 *
 * Shows what was written in the conversation, as it was kept last.
 */
void
tacho_prompt_draft_restore_text (TachoPromptDraft *self)
{
  g_free (self->text);
  self->text = dup_kept (self, TACHO_CONVERSATION_DRAFT, NEW_TEXT);
  tacho_composer_set_text (self->composer, self->text);
  g_clear_handle_id (&self->pause_id, g_source_remove);
}

/* --- what is asked with --- */

/* Both in one, as they are kept for a new conversation. "": the defaults. */
static char *
dup_asked_with (TachoPromptDraft *self)
{
  g_autofree char *parameters = NULL;
  g_autofree char *system_prompt = NULL;
  g_autoptr (JsonNode) node = NULL;

  if (tacho_prompt_settings_is_default (self->settings))
    return g_strdup ("");
  parameters = tacho_prompt_settings_dup_parameters (self->settings);
  system_prompt = tacho_prompt_settings_dup_system_prompt (self->settings);
  node = tacho_json_parse_object (parameters, strlen (parameters), NULL);
  if (system_prompt != NULL)
    json_object_set_string_member (json_node_get_object (node), "system_prompt", system_prompt);
  return tacho_json_to_string (node, FALSE);
}

static void
store_settings (TachoPromptDraft *self, const char *id)
{
  g_autofree char *parameters = tacho_prompt_settings_dup_parameters (self->settings);
  g_autofree char *system_prompt = tacho_prompt_settings_dup_system_prompt (self->settings);

  tacho_conversations_set_field (self->store, id, TACHO_CONVERSATION_SYSTEM_PROMPT, system_prompt,
                                 NULL);
  tacho_conversations_set_field (self->store, id, TACHO_CONVERSATION_SETTINGS, parameters, NULL);
}

static void
keep_settings (TachoPromptDraft *self)
{
  g_autofree char *now = dup_asked_with (self);
  const char *id = get_id (self);

  if (g_strcmp0 (now, self->asked_with) == 0)
    return;
  if (id != NULL)
    store_settings (self, id);
  else if (strlen (now) <= MAX_NEW)
    tacho_settings_set_string (tacho_settings_get_default (), NEW_SETTINGS, now);
  g_free (self->asked_with);
  self->asked_with = g_steal_pointer (&now);
}

/* One that was kept by a Tacho that did not keep them yet has the defaults. */
static void
restore_settings (TachoPromptDraft *self)
{
  g_autofree char *kept = dup_kept (self, TACHO_CONVERSATION_SETTINGS, NEW_SETTINGS);
  g_autoptr (JsonNode) node = tacho_json_parse_object (kept, strlen (kept), NULL);
  const char *id = get_id (self);
  g_autofree char *system_prompt = NULL;

  if (id != NULL)
    system_prompt =
        tacho_conversations_dup_field (self->store, id, TACHO_CONVERSATION_SYSTEM_PROMPT, NULL);
  else if (node != NULL)
    system_prompt =
        g_strdup (tacho_json_get_string (json_node_get_object (node), "system_prompt", NULL));
  if (node != NULL)
    tacho_prompt_settings_show (self->settings, system_prompt, json_node_get_object (node));
  else
    tacho_prompt_settings_show_defaults (self->settings);
  g_free (self->asked_with);
  self->asked_with = dup_asked_with (self);
}

/* --- both --- */

/**
 * tacho_prompt_draft_keep:
 * @self: the draft
 *
 * Keeps what was written and set since.
 */
void
tacho_prompt_draft_keep (TachoPromptDraft *self)
{
  g_clear_handle_id (&self->pause_id, g_source_remove);
  keep_text (self);
  keep_settings (self);
}

/**
 * tacho_prompt_draft_asked:
 * @self: the draft
 *
 * A prompt of the conversation was sent: what it was asked with is written to it, the defaults too,
 * so that it goes on with the same when these have become others. The next new conversation begins
 * with the defaults.
 */
void
tacho_prompt_draft_asked (TachoPromptDraft *self)
{
  const char *id = get_id (self);

  keep_text (self);
  if (id == NULL)
    return;
  store_settings (self, id);
  g_free (self->asked_with);
  self->asked_with = dup_asked_with (self);
  tacho_settings_set_string (tacho_settings_get_default (), NEW_SETTINGS, "");
}

/**
 * tacho_prompt_draft_show:
 * @self: the draft
 * @store: (nullable): where conversations are kept
 * @chat: (nullable): the conversation that is in sight from now on
 *
 * Shows what belongs to it. What belongs to the one before should have been kept.
 */
void
tacho_prompt_draft_show (TachoPromptDraft *self, TachoConversations *store, TachoChat *chat)
{
  g_set_object (&self->store, store);
  g_set_object (&self->chat, chat);
  tacho_prompt_draft_restore_text (self);
  restore_settings (self);
}

static void
edited_cb (TachoPromptDraft *self)
{
  g_clear_handle_id (&self->pause_id, g_source_remove);
  self->pause_id = g_timeout_add_once (PAUSE_MS, (GSourceOnceFunc) tacho_prompt_draft_keep, self);
}

/**
 * tacho_prompt_draft_new:
 * @composer: what is written in
 * @settings: what is set in
 *
 * Returns: (transfer full): the draft of no conversation yet; see tacho_prompt_draft_show()
 */
TachoPromptDraft *
tacho_prompt_draft_new (TachoComposer *composer, TachoPromptSettings *settings)
{
  TachoPromptDraft *self = g_new0 (TachoPromptDraft, 1);

  self->composer = composer;
  self->settings = settings;
  g_signal_connect_swapped (composer, "edited", G_CALLBACK (edited_cb), self);
  return self;
}

/**
 * tacho_prompt_draft_free:
 * @self: (transfer full): the draft, kept before
 */
void
tacho_prompt_draft_free (TachoPromptDraft *self)
{
  g_signal_handlers_disconnect_by_data (self->composer, self);
  g_clear_handle_id (&self->pause_id, g_source_remove);
  g_clear_object (&self->store);
  g_clear_object (&self->chat);
  g_free (self->text);
  g_free (self->asked_with);
  g_free (self);
}
