/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conversations: what a person does with them, and that nothing written is lost by it. */
#include "test-conversations.h"

static void
test_talk (Fixture *f, gconstpointer data)
{
  g_autofree char *id = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) messages = NULL;
  const TachoConversationMessage *prompt, *reply;

  {
    g_autoptr (TachoConversations) self = open_it (f);
    g_autoptr (TachoConversationMessage) question =
        tacho_conversation_message_new (TACHO_ROLE_USER, "\n  What is\tthis?  \nIt is attached.");
    g_autoptr (TachoConversationMessage) answer =
        tacho_conversation_message_new (TACHO_ROLE_ASSISTANT, "");

    id = begin (self);
    g_assert_true (tacho_conversation_message_attach (question, "../a.c", "int a;", 6, &error));
    g_assert_true (tacho_conversation_message_attach (question, "empty", NULL, 0, &error));
    g_assert_true (tacho_conversations_append (self, id, question, &error));
    answer->state = TACHO_MESSAGE_STREAMING;
    answer->model = g_strdup ("qwen");
    g_assert_true (tacho_conversations_append (self, id, answer, &error));
    g_free (answer->text);
    answer->text = g_strdup ("An int");
    answer->reasoning = g_strdup ("hm");
    g_assert_true (tacho_conversations_update (self, answer, &error));
    assert_shown (self, id, "\n  What is\tthis?  \nIt is attached.|An int");
    g_free (answer->text);
    answer->text = g_strdup ("An integer.");
    answer->state = TACHO_MESSAGE_FAILED;
    answer->failure = g_strdup ("The server went away");
    answer->stats = g_strdup ("{\"ttft_ms\":12}");
    g_assert_true (tacho_conversations_update (self, answer, &error));
    g_assert_no_error (error);
    g_assert_cmpstr (tacho_conversations_get_path (self), ==, f->path);
  }
  {
    g_autoptr (TachoConversations) self = open_it (f);
    TachoConversationInfo *info = tacho_conversations_find (self, id);

    g_assert_cmpstr (tacho_conversation_info_get_title (info), ==, "What is this?");
    g_assert_cmpstr (tacho_conversation_info_get_model (info), ==, "qwen");
    g_assert_cmpstr (tacho_conversation_info_get_server (info), ==, "here");
    g_assert_cmpuint (tacho_conversation_info_get_n_messages (info), ==, 2);
    g_assert_cmpint (tacho_conversation_info_get_updated (info), >=,
                     tacho_conversation_info_get_created (info));
    messages = tacho_conversations_load (self, id, &error);
    g_assert_no_error (error);
  }
  g_assert_cmpuint (messages->len, ==, 2);
  prompt = g_ptr_array_index (messages, 0);
  reply = g_ptr_array_index (messages, 1);
  g_assert_cmpint (prompt->role, ==, TACHO_ROLE_USER);
  g_assert_cmpint (prompt->state, ==, TACHO_MESSAGE_DONE);
  g_assert_cmpuint (prompt->attachments->len, ==, 2);
  g_assert_cmpstr (((TachoAttachment *) prompt->attachments->pdata[0])->name, ==, "../a.c");
  g_assert_cmpstr (((TachoAttachment *) prompt->attachments->pdata[0])->text, ==, "int a;");
  g_assert_cmpstr (((TachoAttachment *) prompt->attachments->pdata[1])->text, ==, "");
  g_assert_null (prompt->reasoning);
  g_assert_cmpint (reply->role, ==, TACHO_ROLE_ASSISTANT);
  g_assert_cmpint (reply->state, ==, TACHO_MESSAGE_FAILED);
  g_assert_cmpstr (reply->text, ==, "An integer.");
  g_assert_cmpstr (reply->reasoning, ==, "hm");
  g_assert_cmpstr (reply->model, ==, "qwen");
  g_assert_cmpstr (reply->failure, ==, "The server went away");
  g_assert_cmpstr (reply->stats, ==, "{\"ttft_ms\":12}");
  g_assert_cmpint (reply->follows, ==, prompt->id);
  g_assert_cmpint (reply->created, >=, prompt->created);
}

/* Another wording hides what followed the old one, and the old one brings it back. */
static void
test_versions (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autofree char *id = begin (self);
  g_autoptr (GError) error = NULL;
  TachoConversationInfo *info = tacho_conversations_find (self, id);
  gint64 q1 = say (self, id, TACHO_ROLE_USER, "q1");
  gint64 a1 = say (self, id, TACHO_ROLE_ASSISTANT, "a1");
  g_autoptr (TachoConversationMessage) again =
      tacho_conversation_message_new (TACHO_ROLE_ASSISTANT, "a1b");
  g_autoptr (TachoConversationMessage) edited =
      tacho_conversation_message_new (TACHO_ROLE_USER, "q1b");

  say (self, id, TACHO_ROLE_USER, "q2");
  say (self, id, TACHO_ROLE_ASSISTANT, "a2");
  assert_shown (self, id, "q1|a1|q2|a2");
  g_assert_true (tacho_conversations_add_version (self, a1, again, &error)); /* regenerate */
  g_assert_cmpuint (again->version, ==, 2);
  g_assert_cmpuint (again->n_versions, ==, 2);
  assert_shown (self, id, "q1|a1b");
  g_assert_cmpuint (tacho_conversation_info_get_n_messages (info), ==, 2);
  say (self, id, TACHO_ROLE_USER, "q2b");
  assert_shown (self, id, "q1|a1b|q2b");
  g_assert_true (tacho_conversations_add_version (self, q1, edited, &error)); /* edit and resend */
  assert_shown (self, id, "q1b");
  say (self, id, TACHO_ROLE_ASSISTANT, "a1c");
  assert_shown (self, id, "q1b|a1c");

  g_assert_true (tacho_conversations_choose_version (self, edited->id, 1, &error));
  assert_shown (self, id, "q1|a1b|q2b");
  g_assert_cmpuint (tacho_conversation_info_get_n_messages (info), ==, 3);
  g_assert_true (tacho_conversations_choose_version (self, again->id, 1, &error));
  assert_shown (self, id, "q1|a1|q2|a2");
  say (self, id, TACHO_ROLE_USER, "q3"); /* goes on from what is shown */
  assert_shown (self, id, "q1|a1|q2|a2|q3");
  g_assert_true (tacho_conversations_choose_version (self, q1, 2, &error));
  assert_shown (self, id, "q1b|a1c");
  {
    g_autoptr (GPtrArray) messages = tacho_conversations_load (self, id, &error);
    const TachoConversationMessage *first = g_ptr_array_index (messages, 0);

    g_assert_cmpuint (first->version, ==, 2);
    g_assert_cmpuint (first->n_versions, ==, 2);
    g_assert_cmpuint (((TachoConversationMessage *) messages->pdata[1])->n_versions, ==, 1);
  }
  g_assert_false (tacho_conversations_choose_version (self, q1, 3, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_false (tacho_conversations_choose_version (self, q1, 0, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  assert_shown (self, id, "q1b|a1c");
}

/* A person's words are never overwritten. */
static void
test_update (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autofree char *id = begin (self);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoConversationMessage) message =
      tacho_conversation_message_new (TACHO_ROLE_USER, "other");

  message->id = say (self, id, TACHO_ROLE_USER, "mine");
  g_assert_false (tacho_conversations_update (self, message, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_clear_error (&error);
  message->role = TACHO_ROLE_ASSISTANT; /* a caller that errs */
  g_assert_false (tacho_conversations_update (self, message, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  message->state = TACHO_MESSAGE_STREAMING;
  g_assert_false (tacho_conversations_update (self, message, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  assert_shown (self, id, "mine");
}

static void
changed_cb (GListModel *list, guint position, guint removed, guint added, gpointer user_data)
{
  g_string_append_printf (user_data, "%u-%u+%u ", position, removed, added);
}

static void
notify_cb (GObject *object, GParamSpec *pspec, gpointer user_data)
{
  g_string_append_printf (user_data, "%s ", pspec->name);
}

/* Pinned first, newest activity first; the list tells of each change and of no other. */
static void
test_list (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (GString) notified = g_string_new (NULL);
  g_autoptr (GError) error = NULL;
  g_autofree char *a = begin (self);
  g_autofree char *b = begin (self);
  g_autofree char *c = begin (self);
  const char *held;

  g_assert_true (tacho_conversations_rename (self, a, "A", &error));
  g_assert_true (tacho_conversations_rename (self, b, "B", &error));
  g_assert_true (tacho_conversations_rename (self, c, "C", &error));
  assert_listed (G_LIST_MODEL (self), "C|B|A");
  g_signal_connect (self, "items-changed", G_CALLBACK (changed_cb), seen);
  g_signal_connect (tacho_conversations_find (self, a), "notify", G_CALLBACK (notify_cb), notified);
  say (self, a, TACHO_ROLE_USER, "up");
  assert_listed (G_LIST_MODEL (self), "A|C|B");
  g_assert_cmpstr (seen->str, ==, "2-1+0 0-0+1 ");
  g_assert_cmpstr (notified->str, ==, "updated n-messages ");
  g_string_truncate (seen, 0);
  say (self, a, TACHO_ROLE_ASSISTANT, "it stays");
  g_assert_cmpstr (seen->str, ==, "");
  g_assert_true (tacho_conversations_set_pinned (self, b, TRUE, &error));
  assert_listed (G_LIST_MODEL (self), "B|A|C");
  say (self, c, TACHO_ROLE_USER, "up, but below the pin");
  assert_listed (G_LIST_MODEL (self), "B|C|A");
  g_assert_true (tacho_conversations_set_pinned (self, b, FALSE, &error));
  assert_listed (G_LIST_MODEL (self), "C|A|B");
  g_string_truncate (notified, 0);
  held = tacho_conversation_info_get_id (tacho_conversations_find (self, a));
  g_assert_true (tacho_conversations_set_model (self, held, "other", NULL, &error));
  g_assert_cmpstr (notified->str, ==, "model server ");
  g_assert_cmpstr (held, ==, a); /* whatever happens to it, its id is the same string */
  g_clear_object (&self);
  self = open_it (f);
  assert_listed (G_LIST_MODEL (self), "C|A|B");
  g_assert_true (g_list_model_get_item_type (G_LIST_MODEL (self)) == TACHO_TYPE_CONVERSATION_INFO);
  g_assert_null (g_list_model_get_item (G_LIST_MODEL (self), 3));
}

static void
test_titles (Fixture *f, gconstpointer data)
{
  static const struct
  {
    const char *prompt, *title;
  } cases[] = {
    { "Hello", "Hello" },
    { "\n\n  two\nlines", "two" },
    { " \n\t ", "" },
    { "<b>no\x1b[31m markup</b>", "<b>no\357\277\275[31m markup</b>" },
    { "\xe2\x80\xaereversed", "reversed" },
    { "caf\xc3\xa9 \xff", "caf\xc3\xa9 \357\277\275" },
    { "0123456789012345678901234567890123456789012345678901234567890123456789",
      "012345678901234567890123456789012345678901234567890123456789\xe2\x80\xa6" },
  };
  g_autoptr (TachoConversations) self = open_it (f);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *id = begin (self);
      TachoConversationInfo *info = tacho_conversations_find (self, id);

      g_assert_cmpstr (tacho_conversation_info_get_title (info), ==, "");
      say (self, id, TACHO_ROLE_SYSTEM, "Be brief");
      say (self, id, TACHO_ROLE_USER, cases[i].prompt);
      say (self, id, TACHO_ROLE_ASSISTANT, "reply");
      g_assert_cmpstr (tacho_conversation_info_get_title (info), ==, cases[i].title);
      g_assert_cmpuint (tacho_conversation_info_get_n_messages (info), ==, 2);
      g_assert_true (tacho_conversations_rename (self, id, " a\nname ", &error));
      g_assert_cmpstr (tacho_conversation_info_get_title (info), ==, "a name");
      g_assert_true (tacho_conversations_rename (self, id, " ", &error));
      g_assert_cmpstr (tacho_conversation_info_get_title (info), ==, cases[i].title);
    }
}

static void
test_fields (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autofree char *id = begin (self);
  g_autoptr (GError) error = NULL;

  for (TachoConversationField i = 0; i <= TACHO_CONVERSATION_DRAFT; i++)
    {
      g_autofree char *none = tacho_conversations_dup_field (self, id, i, &error);
      g_autofree char *text = g_strdup_printf ("text %d; DROP TABLE messages", i);
      g_autofree char *read = NULL;

      g_assert_cmpstr (none, ==, "");
      g_assert_true (tacho_conversations_set_field (self, id, i, text, &error));
      read = tacho_conversations_dup_field (self, id, i, &error);
      g_assert_cmpstr (read, ==, text);
    }
  g_assert_no_error (error);
}

static void
test_delete (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autoptr (GListModel) deleted = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *a = begin (self);
  g_autofree char *b = begin (self);
  g_autofree char *c = begin (self);
  g_autofree char *sql = NULL;

  say (self, a, TACHO_ROLE_USER, "A");
  say (self, b, TACHO_ROLE_USER, "B");
  say (self, c, TACHO_ROLE_USER, "C");
  g_assert_true (tacho_conversations_delete (self, b, &error));
  assert_listed (G_LIST_MODEL (self), "C|A");
  g_assert_null (tacho_conversations_find (self, b));
  g_assert_false (tacho_conversations_delete (self, b, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_true (tacho_conversations_undelete (self, b, &error)); /* to its old place */
  assert_listed (G_LIST_MODEL (self), "C|B|A");
  assert_shown (self, b, "B");

  /* Deleted for 29 days it can be brought back, for 31 it is gone when next opened. */
  g_assert_true (tacho_conversations_delete (self, a, &error));
  g_assert_true (tacho_conversations_delete (self, b, &error));
  deleted = tacho_conversations_list_deleted (self, &error);
  assert_listed (deleted, "B|A");
  g_clear_object (&self);
  sql = g_strdup_printf ("UPDATE conversations SET deleted = deleted - 86400000000 * "
                         "(CASE id WHEN '%s' THEN 29 ELSE 31 END) WHERE deleted > 0",
                         a);
  execute (f, sql);
  self = open_it (f);
  assert_listed (G_LIST_MODEL (self), "C");
  g_assert_true (tacho_conversations_undelete (self, a, &error));
  assert_listed (G_LIST_MODEL (self), "C|A");
  g_assert_false (tacho_conversations_undelete (self, b, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
}

/* What is purged is not in the file any more. */
static void
test_purge (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autoptr (GError) error = NULL;
  g_autofree char *a = begin (self);
  g_autofree char *b = begin (self);
  g_autofree char *text = NULL;
  gsize length;

  say (self, a, TACHO_ROLE_USER, "xylophone secret words");
  say (self, b, TACHO_ROLE_USER, "zeppelin");
  g_assert_true (tacho_conversations_purge (self, a, &error));
  assert_listed (G_LIST_MODEL (self), "zeppelin");
  g_assert_false (tacho_conversations_purge (self, a, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
  g_clear_object (&self);
  g_assert_true (g_file_get_contents (f->path, &text, &length, NULL));
  g_assert_null (memmem (text, length, "xylophone", 9));
  g_assert_nonnull (memmem (text, length, "zeppelin", 8));
}

static void
test_unknown (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autoptr (TachoConversationMessage) message =
      tacho_conversation_message_new (TACHO_ROLE_ASSISTANT, "text");
  GError *errors[10] = { NULL };
  guint n = 0;

  g_assert_false (tacho_conversations_append (self, "none", message, &errors[n++]));
  g_assert_false (tacho_conversations_add_version (self, 5, message, &errors[n++]));
  g_assert_false (tacho_conversations_choose_version (self, 5, 1, &errors[n++]));
  message->id = 5;
  g_assert_false (tacho_conversations_update (self, message, &errors[n++]));
  g_assert_null (tacho_conversations_load (self, "none", &errors[n++]));
  g_assert_false (tacho_conversations_rename (self, "none", "a", &errors[n++]));
  g_assert_false (tacho_conversations_set_pinned (self, "none", TRUE, &errors[n++]));
  g_assert_false (tacho_conversations_set_model (self, "none", "m", "s", &errors[n++]));
  g_assert_false (
      tacho_conversations_set_field (self, "none", TACHO_CONVERSATION_DRAFT, "", &errors[n++]));
  g_assert_null (
      tacho_conversations_dup_field (self, "none", TACHO_CONVERSATION_DRAFT, &errors[n++]));
  for (guint i = 0; i < n; i++)
    {
      g_assert_error (errors[i], TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
      g_clear_error (&errors[i]);
    }
  g_assert_null (tacho_conversations_find (self, "none"));
  g_assert_null (tacho_conversations_find (self, NULL));
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (self)), ==, 0);
}

static void
test_hostile (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autofree char *id = begin (self);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoConversationMessage) message =
      tacho_conversation_message_new (TACHO_ROLE_USER, "a\xff");
  g_autoptr (TachoConversationMessage) reply =
      tacho_conversation_message_new (TACHO_ROLE_ASSISTANT, NULL);
  g_autofree char *full = NULL;
  const TachoAttachment *file;

  g_assert_cmpstr (message->text, ==, "a\357\277\275");
  g_assert_false (tacho_conversation_message_attach (message, "a.bin", "a\0b", 3, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, "a.bin"));
  g_clear_error (&error);
  g_assert_false (tacho_conversation_message_attach (message, "big", "",
                                                     TACHO_CONVERSATION_MAX_TEXT + 1, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_clear_error (&error);
  g_assert_true (
      tacho_conversation_message_attach (message, "x\n\x1b[m", "``` `````\xfe", 10, &error));
  file = g_ptr_array_index (message->attachments, 0);
  g_assert_cmpstr (file->name, ==, "x \357\277\275[m");
  g_assert_true (tacho_conversations_append (self, id, message, &error));
  full = tacho_conversation_message_dup_full_text (message);
  g_assert_cmpstr (full, ==,
                   "a\357\277\275\n\nx \357\277\275[m:\n``````\n``` `````\357\277\275\n``````");

  g_assert_true (tacho_conversations_append (self, id, reply, &error));
  g_free (reply->text);
  reply->text = g_strdup ("r\xc3(");
  reply->stats = g_strdup ("\xe2\x82");
  reply->state = TACHO_MESSAGE_STOPPED;
  g_assert_true (tacho_conversations_update (self, reply, &error));
  assert_shown (self, id, "a\357\277\275|r\357\277\275(");
  g_free (reply->stats);
  reply->stats = g_strnfill (TACHO_CONVERSATION_MAX_STATS + 1, 'x');
  g_assert_false (tacho_conversations_update (self, reply, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
}

static void
test_names (void)
{
  for (TachoMessageState i = 0; i <= TACHO_MESSAGE_INTERRUPTED; i++)
    {
      TachoMessageState back = TACHO_MESSAGE_DONE;

      g_assert_true (tacho_message_state_from_string (tacho_message_state_to_string (i), &back));
      g_assert_cmpint (back, ==, i);
    }
  for (TachoRole i = 0; i <= TACHO_ROLE_ASSISTANT; i++)
    {
      TachoRole back = TACHO_ROLE_SYSTEM;

      g_assert_true (tacho_role_from_string (tacho_role_to_string (i), &back));
      g_assert_cmpint (back, ==, i);
    }
  g_assert_false (tacho_message_state_from_string (NULL, &(TachoMessageState){ 0 }));
  g_assert_false (tacho_role_from_string ("tool", &(TachoRole){ 0 }));
}

static void
test_copy (void)
{
  g_autoptr (TachoConversationMessage) message =
      tacho_conversation_message_new (TACHO_ROLE_USER, "text");
  g_autoptr (TachoConversationMessage) copy = NULL;

  message->stats = g_strdup ("{}");
  g_assert_true (tacho_conversation_message_attach (message, "a", "b", 1, NULL));
  copy = g_boxed_copy (TACHO_TYPE_CONVERSATION_MESSAGE, message);
  g_clear_pointer (&message, tacho_conversation_message_free);
  g_assert_cmpstr (copy->text, ==, "text");
  g_assert_cmpstr (copy->stats, ==, "{}");
  g_assert_cmpstr (((TachoAttachment *) copy->attachments->pdata[0])->text, ==, "b");
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/conversations/talk", test_talk);
  ADD ("/conversations/versions", test_versions);
  ADD ("/conversations/update", test_update);
  ADD ("/conversations/list", test_list);
  ADD ("/conversations/titles", test_titles);
  ADD ("/conversations/fields", test_fields);
  ADD ("/conversations/delete", test_delete);
  ADD ("/conversations/purge", test_purge);
  ADD ("/conversations/unknown", test_unknown);
  ADD ("/conversations/hostile", test_hostile);
  g_test_add_func ("/conversations/names", test_names);
  g_test_add_func ("/conversations/copy", test_copy);
  return g_test_run ();
}
