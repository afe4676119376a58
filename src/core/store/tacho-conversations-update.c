/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A reply grows and ends; a version is chosen. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-conversations-private.h"

#include "base/tacho-error.h"

/**
 * tacho_conversations_choose_version:
 * @self: the conversations
 * @message: id of any version
 * @version: the one to show, from 1
 * @error: return location
 *
 * What followed that version is shown again with it.
 *
 * Returns: whether it is written; %TACHO_ERROR_NOT_FOUND if there is no such version
 */
gboolean
tacho_conversations_choose_version (TachoConversations *self,
                                    gint64 message,
                                    guint version,
                                    GError **error)
{
  static const char exists[] = "SELECT max(version) FROM messages m WHERE (conversation, follows) ="
                               " (SELECT conversation, follows FROM messages WHERE id = ?)";
  g_auto (TachoConversationPlace) place = { 0 };
  g_autofree char *sql = g_strdup_printf (
      "UPDATE messages SET active = (version = %u) WHERE conversation = ?1 AND follows = ?2",
      version);
  gboolean ok;

  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), FALSE);
  if (!tacho_database_execute (self->base, "BEGIN IMMEDIATE", error))
    return FALSE;
  ok = tacho_conversations_place_of (self, message, &place, error);
  if (ok && (version == 0 || version > tacho_conversations_count (self, exists, message)))
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND,
                   "This message has no version %u: load the conversation again", version);
      ok = FALSE;
    }
  ok = ok && tacho_conversations_run (self, error, sql, place.number, place.follows) &&
       tacho_conversations_note_chain (self, &place, 0, error);
  if (!tacho_database_end (self->base, ok, error))
    return FALSE;
  tacho_conversations_refresh (self, place.id);
  return TRUE;
}

static gboolean
update_row (TachoConversations *self, const TachoConversationMessage *message, GError **error)
{
  sqlite3_stmt *statement = tacho_database_prepare (
      self->base,
      "UPDATE messages SET text = ?1, reasoning = ?2, model = ?3, failure = ?4, stats = ?5,"
      " state = ?6, pid = ?7, boot = ?8, process_start = ?9, indexed = 0"
      " WHERE id = ?10 AND role = 'assistant'",
      error);

  if (statement == NULL)
    return FALSE;
  tacho_conversations_bind_growing (self, statement, message);
  sqlite3_bind_int64 (statement, 10, message->id);
  if (!tacho_database_step (self->base, statement, error))
    return FALSE;
  if (sqlite3_changes (self->base->db) > 0)
    return TRUE;
  g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND,
                       "The conversation with this reply is not there any more");
  return FALSE;
}

/**
 * tacho_conversations_update:
 * @self: the conversations
 * @message: a reply that was stored, as it is now
 * @error: return location
 *
 * While its state is %TACHO_MESSAGE_STREAMING this is for what should outlive the program: the
 * system keeps it at once and the disk soon. In any other state it is on the disk.
 *
 * Returns: whether it is written; else also %TACHO_ERROR_INVALID for a person's words
 */
gboolean
tacho_conversations_update (TachoConversations *self,
                            const TachoConversationMessage *message,
                            GError **error)
{
  gboolean grows = message->state == TACHO_MESSAGE_STREAMING;
  g_auto (TachoConversationPlace) place = { 0 };
  gboolean ok;

  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), FALSE);
  if (message->role != TACHO_ROLE_ASSISTANT)
    {
      g_set_error_literal (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                           "Only a reply changes; other words for a prompt are a version of it");
      return FALSE;
    }
  if (!tacho_conversations_check (message, error))
    return FALSE;
  if (grows)
    {
      sqlite3_exec (self->base->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
      ok = update_row (self, message, error);
      sqlite3_exec (self->base->db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
      return ok;
    }
  if (!tacho_database_execute (self->base, "BEGIN IMMEDIATE", error))
    return FALSE;
  ok = tacho_conversations_place_of (self, message->id, &place, error) &&
       update_row (self, message, error) &&
       tacho_conversations_run (self, error,
                                "UPDATE conversations SET updated = ?2 WHERE number = ?1",
                                place.number, g_get_real_time ());
  if (!tacho_database_end (self->base, ok, error))
    return FALSE;
  tacho_conversations_written (self, place.id, message);
  return TRUE;
}
