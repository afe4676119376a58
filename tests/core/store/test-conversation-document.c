/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conversations as Markdown and JSON, and back. */
#include "test-conversations.h"

#include "base/tacho-json.h"

/* With versions, files, reasoning, a failure and everything else that a conversation can have. */
static char *
make_conversation (TachoConversations *self)
{
  char *id = begin (self);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoConversationMessage) question =
      tacho_conversation_message_new (TACHO_ROLE_USER, "Say *hello*");
  g_autoptr (TachoConversationMessage) answer =
      tacho_conversation_message_new (TACHO_ROLE_ASSISTANT, "Like so:\n\n```c\nputs (\"hi\");\n");
  g_autoptr (TachoConversationMessage) other =
      tacho_conversation_message_new (TACHO_ROLE_USER, "Say nothing");

  question->created = G_GINT64_CONSTANT (1795000000123457);
  answer->created = G_GINT64_CONSTANT (1795000001000000);
  g_assert_true (tacho_conversation_message_attach (question, "a_b.txt", "``` in it", 9, &error));
  g_assert_true (tacho_conversations_append (self, id, question, &error));
  answer->reasoning = g_strdup ("They want\n```\nhello\n");
  answer->model = g_strdup ("qwen<3>");
  answer->state = TACHO_MESSAGE_FAILED;
  answer->failure = g_strdup ("503: *busy*");
  answer->stats = g_strdup ("{\"ttft_ms\":1.5}");
  g_assert_true (tacho_conversations_append (self, id, answer, &error));
  g_assert_true (tacho_conversations_add_version (self, question->id, other, &error));
  g_assert_true (tacho_conversations_choose_version (self, question->id, 1, &error));
  g_assert_true (tacho_conversations_rename (self, id, "A [title]", &error));
  g_assert_true (tacho_conversations_set_pinned (self, id, TRUE, &error));
  g_assert_true (tacho_conversations_set_field (self, id, TACHO_CONVERSATION_SYSTEM_PROMPT,
                                                "Be brief", &error));
  g_assert_true (tacho_conversations_set_field (self, id, TACHO_CONVERSATION_SETTINGS,
                                                "{\"temperature\":0.5}", &error));
  g_assert_no_error (error);
  return id;
}

static void
test_markdown (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autofree char *id = make_conversation (self);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoConversationDocument) document =
      tacho_conversations_load_document (self, id, &error);
  g_autofree char *text = NULL;

  g_assert_no_error (error);
  document->created = G_GINT64_CONSTANT (1795000000000000);
  text = tacho_conversation_document_to_markdown (document);
  g_assert_cmpstr (text, ==,
                   "# A \\[title\\]\n"
                   "\n"
                   "- Model: qwen\n"
                   "- Server: here\n"
                   "- Begun: 2026-11-18 11:06 UTC\n"
                   "\n"
                   "## System\n"
                   "\n"
                   "Be brief\n"
                   "\n"
                   "## You · 2026-11-18 11:06 UTC\n"
                   "\n"
                   "Say *hello*\n"
                   "\n"
                   "Attached: **a\\_b.txt**\n"
                   "\n"
                   "````\n"
                   "``` in it\n"
                   "````\n"
                   "\n"
                   "## qwen\\<3\\> · 2026-11-18 11:06 UTC\n"
                   "\n"
                   "> **Reasoning**\n"
                   ">\n"
                   "> They want\n"
                   "> ```\n"
                   "> hello\n"
                   "\n"
                   "Like so:\n"
                   "\n"
                   "```c\n"
                   "puts (\"hi\");\n"
                   "```\n"
                   "\n"
                   "> **Failed**\n"
                   ">\n"
                   "> 503: *busy*\n");
}

/* What a text leaves open is closed, and nothing else is added. */
static void
test_fences (void)
{
  static const struct
  {
    const char *text, *ending;
  } cases[] = {
    { "plain", "plain\n" },
    { "", "" },
    { "```\na\n```", "```\n" },
    { "```\na\n``", "``\n```\n" },
    { "~~~ `x`\na\n```\n", "```\n~~~\n" },
    { "`````c\n```\n", "```\n`````\n" },
    { "   ```\na", "a\n```\n" },
    { "    ```\nindented code", "indented code\n" },
    { "```inline``` is no fence", "no fence\n" },
    { "```\n```c\n", "```c\n```\n" },
    { "```\r\na\r\n```  \r\nend", "end\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (TachoConversationDocument) document = tacho_conversation_document_new ();
      TachoConversationMessage *message =
          tacho_conversation_message_new (TACHO_ROLE_USER, cases[i].text);
      g_autofree char *text = NULL;

      message->id = 1;
      g_ptr_array_add (document->messages, message);
      text = tacho_conversation_document_to_markdown (document);
      g_assert_true (g_str_has_prefix (text, "# Conversation\n\n## You\n\n"));
      g_assert_true (g_str_has_suffix (text, cases[i].ending));
      g_assert_cmpuint (strlen (text), <=, 25 + strlen (cases[i].text) + 8);
      g_assert_nonnull (strstr (text, cases[i].text));
    }
}

static char *export(TachoConversations *self, const char *id)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoConversationDocument) document =
      tacho_conversations_load_document (self, id, &error);
  g_autoptr (JsonNode) node = NULL;

  g_assert_no_error (error);
  node = tacho_conversation_document_to_json (document);
  return tacho_json_to_string (node, TRUE);
}

static void
test_round_trip (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autofree char *id = make_conversation (self);
  g_autofree char *json = export(self, id);
  g_autofree char *again = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoConversationDocument) document =
      tacho_conversation_document_from_json (json, strlen (json), &error);
  g_autoptr (TachoConversationInfo) info = NULL;
  const char *copy;

  g_assert_no_error (error);
  g_assert_nonnull (strstr (json, "\"tacho.conversation/1\""));
  g_assert_nonnull (strstr (json, "2026-11-18T11:06:40.123457Z"));
  info = tacho_conversations_import (self, document, &error);
  g_assert_no_error (error);
  copy = tacho_conversation_info_get_id (info);
  g_assert_cmpstr (copy, !=, id);
  g_assert_cmpuint (tacho_conversation_info_get_n_messages (info), ==, 2);
  again = export(self, copy);
  g_assert_cmpstr (again, ==, json);
  assert_shown (self, copy, "Say *hello*|Like so:\n\n```c\nputs (\"hi\");\n");
  assert_listed (G_LIST_MODEL (self), "A [title]|A [title]");
  say (self, copy, TACHO_ROLE_USER, "it goes on");
  g_clear_object (&self);
  self = open_it (f);
  assert_shown (self, id, "Say *hello*|Like so:\n\n```c\nputs (\"hi\");\n");
}

/* What another program would write by hand. */
static void
test_short (Fixture *f, gconstpointer data)
{
  static const char json[] =
      "{\"schema\":\"tacho.conversation/1\",\"messages\":["
      "{\"role\":\"user\",\"text\":\"Hi\\nthere\\u0000\"},"
      "{\"role\":\"assistant\",\"text\":\"Hello\",\"state\":\"streaming\",\"stats\":\"free text\"},"
      "{\"role\":\"user\",\"text\":\"Bye\"}]}";
  g_autoptr (TachoConversations) self = open_it (f);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoConversationDocument) document =
      tacho_conversation_document_from_json (json, strlen (json), &error);
  g_autoptr (TachoConversationInfo) info = NULL;
  g_autoptr (GPtrArray) messages = NULL;
  const TachoConversationMessage *reply;

  g_assert_no_error (error);
  info = tacho_conversations_import (self, document, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (tacho_conversation_info_get_title (info), ==, "Hi");
  g_assert_cmpint (tacho_conversation_info_get_created (info), >, 0);
  assert_shown (self, tacho_conversation_info_get_id (info), "Hi\nthere\357\277\275|Hello|Bye");
  messages = tacho_conversations_load (self, tacho_conversation_info_get_id (info), &error);
  reply = g_ptr_array_index (messages, 1);
  g_assert_cmpint (reply->state, ==, TACHO_MESSAGE_INTERRUPTED);
  g_assert_cmpstr (reply->stats, ==, "free text");
  g_assert_cmpint (reply->created, >, 0);
}

static void
test_refused (void)
{
#define CONVERSATION(messages) "{\"schema\":\"tacho.conversation/1\",\"messages\":" messages "}"
  static const struct
  {
    const char *json;
    int code; /* 0: of JSON */
    const char *words;
  } cases[] = {
    { "", 0, "" },
    { "[]", 0, "" },
    { "{}", TACHO_ERROR_INVALID, "schema" },
    { "{\"schema\":1}", TACHO_ERROR_INVALID, "schema" },
    { "{\"schema\":\"tacho.conversation/2\"}", TACHO_ERROR_UNSUPPORTED, "newer" },
    { "{\"schema\":\"tacho.conversation/1\"}", TACHO_ERROR_INVALID, "messages" },
    { CONVERSATION ("{}"), TACHO_ERROR_INVALID, "messages" },
    { CONVERSATION ("[1]"), TACHO_ERROR_INVALID, "message 1 is no object" },
    { CONVERSATION ("[{\"role\":\"user\"}]"), TACHO_ERROR_INVALID, "message 1 has no text" },
    { CONVERSATION ("[{\"text\":\"\"}]"), TACHO_ERROR_INVALID, "message 1 has no role" },
    { CONVERSATION ("[{\"role\":\"tool\",\"text\":\"\"}]"), TACHO_ERROR_INVALID, "role" },
    { CONVERSATION ("[{\"role\":\"user\",\"text\":\"\",\"state\":\"odd\"}]"), TACHO_ERROR_INVALID,
      "state" },
    { CONVERSATION ("[{\"role\":\"user\",\"text\":\"\",\"follows\":1}]"), TACHO_ERROR_INVALID,
      "follows" },
    { CONVERSATION ("[{\"role\":\"user\",\"text\":\"\",\"id\":0}]"), TACHO_ERROR_INVALID, "id" },
    { CONVERSATION (
          "[{\"role\":\"user\",\"text\":\"\"},{\"role\":\"user\",\"text\":\"\",\"id\":1}]"),
      TACHO_ERROR_INVALID, "message 2 has the id" },
    { CONVERSATION ("[{\"role\":\"user\",\"text\":\"\",\"attachments\":[1]}]"), TACHO_ERROR_INVALID,
      "attachment" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (
          tacho_conversation_document_from_json (cases[i].json, strlen (cases[i].json), &error));
      if (cases[i].code == 0)
        g_assert_true (error->domain == TACHO_JSON_ERROR);
      else
        g_assert_error (error, TACHO_ERROR, cases[i].code);
      g_assert_nonnull (strstr (error->message, cases[i].words));
    }
}

/* A conversation of which one message cannot be kept is not kept in part. */
static void
test_all_or_nothing (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autoptr (TachoConversationDocument) document = tacho_conversation_document_new ();
  g_autoptr (GError) error = NULL;

  for (gint64 i = 1; i <= 2; i++)
    {
      TachoConversationMessage *message =
          tacho_conversation_message_new (TACHO_ROLE_ASSISTANT, "text");

      message->id = i;
      message->follows = i - 1;
      g_ptr_array_add (document->messages, message);
      if (i == 2)
        message->stats = g_strnfill (TACHO_CONVERSATION_MAX_STATS + 1, 'x');
    }
  g_assert_null (tacho_conversations_import (self, document, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_INVALID);
  g_clear_error (&error);
  g_clear_object (&self);
  self = open_it (f);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (self)), ==, 0);
  g_assert_null (tacho_conversations_load_document (self, "none", &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/conversation-document/markdown", test_markdown);
  g_test_add_func ("/conversation-document/fences", test_fences);
  ADD ("/conversation-document/round-trip", test_round_trip);
  ADD ("/conversation-document/short", test_short);
  g_test_add_func ("/conversation-document/refused", test_refused);
  ADD ("/conversation-document/all-or-nothing", test_all_or_nothing);
  return g_test_run ();
}
