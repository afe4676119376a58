/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding conversations: whatever a person types is text, and finds what it should. */
#include "test-conversations.h"

#include "store/tacho-conversations-private.h"

static GListModel *
search (TachoConversations *self, const char *text)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GListModel *list;

  tacho_conversations_search_async (self, text, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  list = tacho_conversations_search_finish (self, result, &error);
  g_assert_no_error (error);
  return list;
}

static void
assert_finds (TachoConversations *self, const char *text, const char *titles)
{
  g_autoptr (GListModel) list = search (self, text);

  assert_listed (list, titles);
}

static TachoConversations *
open_library (Fixture *f)
{
  static const char *const texts[][3] = {
    { "Rust", "How does the borrow checker work?", "It tracks *ownership* of each value." },
    { "Cooking", "Crème brûlée, bitte", "Take 4 egg yolks, don't boil the cream." },
    { "Чтение", "Война и мир", "Толстой" },
    { "GTK", "如何使用GTK窗口?", "创建一个应用程序 🎉 先" },
    { "C++", "templates in C++ or C#", "template<typename T> a->b; 100 % sure_thing" },
    { "ไทย", "สวัสดีครับ", "ยินดีต้อนรับ" },
  };
  TachoConversations *self = open_it (f);

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *id = begin (self);

      say (self, id, TACHO_ROLE_USER, texts[i][1]);
      say (self, id, TACHO_ROLE_ASSISTANT, texts[i][2]);
      g_assert_true (tacho_conversations_rename (self, id, texts[i][0], NULL));
    }
  return self;
}

static void
check_finds (TachoConversations *self)
{
  assert_finds (self, "borrow", "Rust");
  assert_finds (self, "  BORR\tchecker ", "Rust");
  assert_finds (self, "borrow ownership", "Rust"); /* in two messages */
  assert_finds (self, "rust borrow", "Rust");      /* in title and message */
  assert_finds (self, "borrow yolks", "");
  assert_finds (self, "egg", "Cooking");
  assert_finds (self, "don't", "Cooking");
  assert_finds (self, "C++", "C++");
  assert_finds (self, "c#", "C++");
  assert_finds (self, "a->b", "C++");
  assert_finds (self, "100 %", "C++");
  assert_finds (self, "sure_thing", "C++");
  assert_finds (self, "窗口", "GTK");
  assert_finds (self, "应用程序", "GTK");
  assert_finds (self, "用应", "");
  assert_finds (self, "🎉", "GTK");
  assert_finds (self, "🎂", "");
  assert_finds (self, "ครับ", "ไทย");
  assert_finds (self, "", "ไทย|C++|GTK|Чтение|Cooking|Rust");
  assert_finds (self, NULL, "ไทย|C++|GTK|Чтение|Cooking|Rust");
}

static void
test_finds (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_library (f);

  g_assert_true (self->indexed);
  check_finds (self);
  assert_finds (self, "creme BRULEE", "Cooking"); /* accents and case do not matter */
  assert_finds (self, "война", "Чтение");
  assert_finds (self, "\"borrow checker\"", "Rust");
  assert_finds (self, "(ownership)", "Rust");
  assert_finds (self, "gtk", "GTK");
  assert_finds (self, "gtk 使用", "GTK");
  assert_finds (self, "heck", ""); /* words, not parts of them */
}

/* The same without FTS5, but for what it takes a tokenizer to know. */
static void
test_finds_without_index (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_library (f);

  self->indexed = FALSE;
  check_finds (self);
}

/* No text is an error, and none is a command to FTS5 or LIKE. */
static void
test_hostile (Fixture *f, gconstpointer data)
{
  static const char *const texts[] = {
    "\"",
    "\"\"",
    "\"a",
    "a\"",
    "'",
    "*",
    "a*",
    "^a",
    "a:b",
    "text:zzz",
    "-zzz",
    "zzz -x",
    "+",
    "(",
    ")",
    "()",
    "{a b}:c",
    "NEAR",
    "NEAR(a b)",
    "AND",
    "zzz OR",
    "NOT",
    "a AND",
    "%",
    "_",
    "%%",
    "\\",
    "a\\",
    "; DROP TABLE messages",
    "\xff\xfe",
    "\xe2\x80",
    "\x1b[m",
    "\xef\xbf\xbd",
    ".",
    "…",
    "\xcc\x81",
    "a\xcc\x81",
    "NULL",
    "0",
    "🏳️‍🌈",
    "é",
  };
  g_autoptr (TachoConversations) self = open_library (f);
  g_autoptr (GString) many = g_string_new (NULL);
  g_autofree char *wide = g_strnfill (100000, '%');
  g_autofree char *thick = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_object_unref (search (self, texts[i]));
      g_string_append_printf (many, "%s ", texts[i]);
    }
  g_object_unref (search (self, many->str));
  g_object_unref (search (self, wide));
  memset (wide, '"', 100000);
  g_object_unref (search (self, wide));
  thick = g_strnfill (30000, 'x');
  for (gsize i = 0; i + 3 <= 30000; i += 3)
    memcpy (thick + i, "\xe7\xaa\x97", 3);
  g_object_unref (search (self, thick));
  assert_finds (self, "NOT", "");
  assert_finds (self, "borrow OR yolks", "");
  assert_finds (self, "bor*", "Rust"); /* the star is no word, and none is asked for */
}

static void
assert_snippet (TachoConversations *self, const char *text, const char *snippet)
{
  g_autoptr (GListModel) list = search (self, text);
  g_autoptr (TachoConversationInfo) info = g_list_model_get_item (list, 0);

  g_assert_cmpuint (g_list_model_get_n_items (list), ==, 1);
  g_assert_cmpstr (tacho_conversation_info_get_snippet (info), ==, snippet);
  g_assert_true ((tacho_conversation_info_get_hit (info) != 0) == (*snippet != '\0'));
}

static void
test_snippets (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autofree char *id = begin (self);
  g_autofree char *other = begin (self);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < 100; i++)
    g_string_append_printf (text, "word%u ", i);
  g_string_append (text, "the\nNaïve <b>approach</b>\x1b[31m is ");
  for (guint i = 100; i < 200; i++)
    g_string_append_printf (text, "word%u ", i);
  say (self, other, TACHO_ROLE_USER, "nothing of it");
  say (self, id, TACHO_ROLE_USER, "Title");
  say (self, id, TACHO_ROLE_ASSISTANT, text->str);
  assert_snippet (self, "naive",
                  "…word97 word98 word99 the Naïve <b>approach</b>\357\277\275[31m is "
                  "word100 word101 word102 word103 word104 word105 word106 word107 word108 "
                  "word109 word110 wo…");
  assert_snippet (self, "word0",
                  "word0 word1 word2 word3 word4 word5 word6 word7 word8 word9 word10 word11 "
                  "word12 word13 word14 word15 word16 word17 word…");
  assert_snippet (self, "nothing", "nothing of it");
  g_assert_true (tacho_conversations_rename (self, id, "Zebra", NULL));
  assert_snippet (self, "zebra", "");
  assert_snippet (self, "ebr", "");
  g_object_unref (search (self, "nothing"));
  /* That of a search before does not stay. */
  g_assert_cmpstr (tacho_conversation_info_get_snippet (tacho_conversations_find (self, id)), ==,
                   "");
}

/* What changes is found as it is; what is deleted is not. */
static void
test_changes (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autofree char *id = begin (self);
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoConversationMessage) reply =
      tacho_conversation_message_new (TACHO_ROLE_ASSISTANT, "alpha");
  g_autoptr (TachoConversationMessage) edited =
      tacho_conversation_message_new (TACHO_ROLE_USER, "delta");
  gint64 prompt = say (self, id, TACHO_ROLE_USER, "T gamma");

  reply->state = TACHO_MESSAGE_STREAMING;
  g_assert_true (tacho_conversations_append (self, id, reply, &error));
  g_free (reply->text);
  reply->text = g_strdup ("beta");
  g_assert_true (tacho_conversations_update (self, reply, &error));
  reply->state = TACHO_MESSAGE_DONE;
  g_assert_true (tacho_conversations_update (self, reply, &error));
  assert_finds (self, "alpha", "");
  assert_finds (self, "beta", "T gamma");
  reply->state = TACHO_MESSAGE_STREAMING; /* continued */
  g_assert_true (tacho_conversations_update (self, reply, &error));
  g_free (reply->text);
  reply->text = g_strdup ("beta epsilon");
  reply->state = TACHO_MESSAGE_STOPPED;
  g_assert_true (tacho_conversations_update (self, reply, &error));
  assert_finds (self, "beta epsilon", "T gamma");
  g_assert_true (tacho_conversations_add_version (self, prompt, edited, &error));
  assert_finds (self, "gamma", "T gamma"); /* also in a version that is not shown */
  assert_finds (self, "delta", "T gamma");
  g_assert_true (tacho_conversations_delete (self, id, &error));
  assert_finds (self, "delta", "");
  g_assert_true (tacho_conversations_undelete (self, id, &error));
  assert_finds (self, "delta", "T gamma");
  g_assert_true (tacho_conversations_purge (self, id, &error));
  assert_finds (self, "delta", "");
}

/* What an SQLite without FTS5 or a killed program left out of the index comes in when it is next
 * opened; a damaged index is made anew. */
static void
test_index_heals (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autofree char *id = begin (self);

  self->indexed = FALSE;
  say (self, id, TACHO_ROLE_USER, "alpha");
  self->indexed = TRUE;
  assert_finds (self, "alpha", "alpha"); /* by its title */
  g_assert_true (tacho_conversations_rename (self, id, "T", NULL));
  assert_finds (self, "alpha", "");
  g_clear_object (&self);
  self = open_it (f);
  assert_finds (self, "alpha", "T");
  g_clear_object (&self);
  execute (f, "UPDATE search_data SET block = x'ff00ff00ff'");
  self = open_it (f);
  assert_finds (self, "alpha", "T");
  say (self, id, TACHO_ROLE_USER, "beta"); /* is not lost, whatever the index says */
  assert_shown (self, id, "alpha|beta");
  g_clear_object (&self);
  self = open_it (f);
  assert_finds (self, "beta", "T");
}

static void
test_cancelled (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_library (f);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;

  tacho_conversations_search_async (self, "egg", cancellable, tacho_test_store_result_cb, &result);
  g_cancellable_cancel (cancellable);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_assert_null (tacho_conversations_search_finish (self, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/conversations-search/finds", test_finds);
  ADD ("/conversations-search/finds-without-index", test_finds_without_index);
  ADD ("/conversations-search/hostile", test_hostile);
  ADD ("/conversations-search/snippets", test_snippets);
  ADD ("/conversations-search/changes", test_changes);
  ADD ("/conversations-search/index-heals", test_index_heals);
  ADD ("/conversations-search/cancelled", test_cancelled);
  return g_test_run ();
}
