/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of the conversations share. */
#pragma once

#include "base/tacho-error.h"
#include "store/tacho-conversations.h"
#include "test-store.h"

static inline TachoConversations *
open_it (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *notice = NULL;
  TachoConversations *self = tacho_conversations_open (f->path, &notice, &error);

  g_assert_no_error (error);
  g_assert_null (notice);
  return self;
}

/* The id of a new conversation. */
static inline char *
begin (TachoConversations *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoConversationInfo) info =
      tacho_conversations_create (self, "qwen", "here", &error);

  g_assert_no_error (error);
  return g_strdup (tacho_conversation_info_get_id (info));
}

static inline gint64
say (TachoConversations *self, const char *id, TachoRole role, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoConversationMessage) message = tacho_conversation_message_new (role, text);

  tacho_conversations_append (self, id, message, &error);
  g_assert_no_error (error);
  return message->id;
}

/* The texts that are shown, with bars between. */
static inline void
assert_shown (TachoConversations *self, const char *id, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) messages = tacho_conversations_load (self, id, &error);
  g_autoptr (GString) texts = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint i = 0; i < messages->len; i++)
    {
      const TachoConversationMessage *message = g_ptr_array_index (messages, i);

      g_assert_cmpuint (message->position, ==, i);
      g_string_append_printf (texts, "%s%s", i > 0 ? "|" : "", message->text);
    }
  g_assert_cmpstr (texts->str, ==, expected);
}

/* The titles of the list, with bars between. */
static inline void
assert_listed (GListModel *list, const char *expected)
{
  g_autoptr (GString) titles = g_string_new (NULL);

  for (guint i = 0; i < g_list_model_get_n_items (list); i++)
    {
      g_autoptr (TachoConversationInfo) info = g_list_model_get_item (list, i);

      g_string_append_printf (titles, "%s%s", i > 0 ? "|" : "",
                              tacho_conversation_info_get_title (info));
    }
  g_assert_cmpstr (titles->str, ==, expected);
}
