/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Conversations when their file, their disk or their program fails. */
#include "test-conversations.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A child that talks until it is killed: stores a prompt, a reply, and lets that grow. */
static void
talk_for_ever (Fixture *f, int fd, guint round)
{
  g_autofree char *notice = NULL;
  g_autofree char *id = NULL;
  TachoConversations *self = tacho_conversations_open (f->path, &notice, NULL);

  g_random_set_seed (round + 1); /* a fork would make the same ids as its siblings */
  if (self != NULL)
    id = begin (self);
  for (guint i = 0; self != NULL; i++)
    {
      g_autofree char *text = g_strdup_printf ("%u.%u", round, i);
      g_autoptr (TachoConversationMessage) prompt =
          tacho_conversation_message_new (TACHO_ROLE_USER, text);
      g_autoptr (TachoConversationMessage) reply =
          tacho_conversation_message_new (TACHO_ROLE_ASSISTANT, NULL);

      reply->state = TACHO_MESSAGE_STREAMING;
      if (!tacho_conversations_append (self, id, prompt, NULL) || write (fd, "p", 1) != 1 ||
          !tacho_conversations_append (self, id, reply, NULL) || write (fd, "r", 1) != 1)
        break;
      g_free (reply->text);
      reply->text = g_strdup (text);
      if (!tacho_conversations_update (self, reply, NULL) || write (fd, "g", 1) != 1)
        break;
      reply->state = TACHO_MESSAGE_DONE;
      if (!tacho_conversations_update (self, reply, NULL) || write (fd, "d", 1) != 1)
        break;
    }
  _exit (1);
}

/* All that the child told of is there, and at most one thing more. */
static void
check_round (TachoConversations *self, const char *id, guint round, const char *told)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) messages = tacho_conversations_load (self, id, &error);
  gsize n = strlen (told);
  guint stored = 0;

  g_assert_no_error (error);
  for (const char *p = told; *p != '\0'; p++)
    stored += *p == 'p' || *p == 'r';
  g_assert_cmpuint (messages->len, >=, stored);
  g_assert_cmpuint (messages->len, <=, stored + 1);
  for (guint i = 0; i < messages->len; i++)
    {
      const TachoConversationMessage *message = g_ptr_array_index (messages, i);
      g_autofree char *text = g_strdup_printf ("%u.%u", round, i / 2);
      gsize step = i / 2 * 4; /* of "prgd" again and again */

      if (i % 2 == 0)
        g_assert_cmpstr (message->text, ==, text);
      else if (n > step + 2)
        g_assert_cmpstr (message->text, ==, text); /* it grew */
      if (i % 2 == 1 && n > step + 3)
        g_assert_cmpint (message->state, ==, TACHO_MESSAGE_DONE);
      else if (i % 2 == 1 && n < step + 3)
        g_assert_cmpint (message->state, ==, TACHO_MESSAGE_INTERRUPTED);
    }
}

static void
test_killed (Fixture *f, gconstpointer data)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (20261124);

  for (guint round = 0; round < 25; round++)
    {
      g_autoptr (GString) told = g_string_new (NULL);
      guint wanted = (guint) g_rand_int_range (random, 1, 14);
      int fds[2];
      pid_t child;
      char byte;

      g_assert_cmpint (pipe (fds), ==, 0);
      child = fork ();
      if (child == 0)
        talk_for_ever (f, fds[1], round);
      close (fds[1]);
      while (told->len < wanted && read (fds[0], &byte, 1) == 1)
        g_string_append_c (told, byte);
      g_assert_cmpuint (told->len, ==, wanted);
      kill (child, SIGKILL);
      waitpid (child, NULL, 0);
      while (read (fds[0], &byte, 1) == 1)
        g_string_append_c (told, byte);
      close (fds[0]);
      {
        g_autoptr (TachoConversations) self = open_it (f);
        g_autoptr (TachoConversationInfo) newest = g_list_model_get_item (G_LIST_MODEL (self), 0);

        g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (self)), ==, round + 1);
        check_round (self, tacho_conversation_info_get_id (newest), round, told->str);
      }
    }
}

/* A reply that grows in this very process is not interrupted by a second opening. */
static void
test_second_opening (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autofree char *id = begin (self);
  g_autoptr (TachoConversationMessage) reply =
      tacho_conversation_message_new (TACHO_ROLE_ASSISTANT, "so far");
  g_autoptr (TachoConversations) second = NULL;
  g_autoptr (GPtrArray) messages = NULL;
  g_autoptr (GError) error = NULL;

  reply->state = TACHO_MESSAGE_STREAMING;
  g_assert_true (tacho_conversations_append (self, id, reply, &error));
  second = open_it (f);
  messages = tacho_conversations_load (second, id, &error);
  g_assert_cmpint (((TachoConversationMessage *) messages->pdata[0])->state, ==,
                   TACHO_MESSAGE_STREAMING);
}

static void
test_damaged (Fixture *f, gconstpointer data)
{
  for (guint way = 0; way < N_DAMAGES; way++)
    {
      g_autofree char *notice = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (TachoConversations) self = NULL;

      {
        g_autoptr (TachoConversations) good = open_it (f);
        g_autofree char *id = begin (good);

        for (guint i = 0; i < 200; i++)
          say (good, id, TACHO_ROLE_USER, "Some words that take room in the file, and some more.");
      }
      damage (f, way);
      self = tacho_conversations_open (f->path, &notice, &error);
      g_assert_no_error (error);
      g_assert_nonnull (strstr (notice, "damaged"));
      g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (self)), ==, 0);
      g_assert_cmpuint (files_like (f, ".damaged-"), >=, way + 1);
      g_free (begin (self)); /* the new one works */
    }
}

static void
test_newer (Fixture *f, gconstpointer data)
{
  g_autofree char *notice = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) before = NULL;

  g_clear_object (&(TachoConversations *){ open_it (f) });
  before = make_newer (f);
  g_assert_null (tacho_conversations_open (f->path, &notice, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "TACHO_CONVERSATIONS"));
  assert_untouched (f, before);
}

/* As a user who may read it but not write: an error that says so, and the file stays as it is. */
static void
open_read_only (Fixture *f)
{
  g_autofree char *notice = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoConversations) self = tacho_conversations_open (f->path, &notice, &error);

  g_assert_null (self);
  g_assert_null (notice);
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_assert_nonnull (strstr (error->message, f->path));
}

static void
test_read_only (Fixture *f, gconstpointer data)
{
  g_autoptr (GBytes) before = NULL;

  {
    g_autoptr (TachoConversations) self = open_it (f);
    g_autofree char *id = begin (self);

    say (self, id, TACHO_ROLE_USER, "words");
  }
  before = read_bytes (f);
  g_assert_cmpint (g_chmod (f->path, 0444), ==, 0);
  g_assert_cmpint (g_chmod (f->folder, 0555), ==, 0);
  if (getuid () == 0)
    {
      /* Nothing is read-only for root. */
      pid_t child = fork ();
      int status;

      if (child == 0)
        {
          if (setgid (65534) == 0 && setuid (65534) == 0)
            open_read_only (f);
          _exit (0);
        }
      g_assert_cmpint (waitpid (child, &status, 0), ==, child);
      g_assert_cmpint (status, ==, 0);
    }
  else
    open_read_only (f);
  g_assert_cmpint (g_chmod (f->folder, 0700), ==, 0);
  assert_untouched (f, before);
}

/* Others cannot read it, nor could they before it was opened again. */
static void
test_permissions (Fixture *f, gconstpointer data)
{
  static const char *const suffixes[] = { "", "-wal", "-shm" };
  GStatBuf status;

  for (guint round = 0; round < 2; round++)
    {
      mode_t mask = umask (0);
      g_autoptr (TachoConversations) self = open_it (f);

      umask (mask);
      g_free (begin (self));
      for (guint i = 0; i < G_N_ELEMENTS (suffixes); i++)
        {
          g_autofree char *name = g_strconcat (f->path, suffixes[i], NULL);

          g_assert_cmpint (g_stat (name, &status), ==, 0);
          g_assert_cmpint (status.st_mode & 0777, ==, 0600);
        }
      g_clear_object (&self);
      g_assert_cmpint (g_chmod (f->path, 0644), ==, 0);
    }
}

/* A full disk, as the limit on a file's size has it: an error, nothing is half done, what was there
 * stays, and it goes on when there is room. */
static void
test_full (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autofree char *id = begin (self);
  g_autofree char *big = g_strnfill (1000000, 'x');
  g_autoptr (TachoConversationMessage) prompt =
      tacho_conversation_message_new (TACHO_ROLE_USER, big);
  g_autoptr (TachoConversationMessage) reply =
      tacho_conversation_message_new (TACHO_ROLE_ASSISTANT, "begun");
  TachoConversationInfo *info = tacho_conversations_find (self, id);
  g_autoptr (GError) error = NULL;
  struct rlimit limit;

  say (self, id, TACHO_ROLE_USER, "first");
  reply->state = TACHO_MESSAGE_STREAMING;
  g_assert_true (tacho_conversations_append (self, id, reply, &error));
  limit = fill_disk (300000);
  g_assert_false (tacho_conversations_append (self, id, prompt, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_clear_error (&error);
  g_assert_cmpint (prompt->id, ==, 0);
  g_free (reply->text);
  reply->text = g_strdup (big);
  g_assert_false (tacho_conversations_update (self, reply, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_clear_error (&error);
  g_assert_false (tacho_conversations_add_version (self, reply->id, prompt, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_clear_error (&error);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  assert_shown (self, id, "first|begun");
  g_assert_cmpuint (tacho_conversation_info_get_n_messages (info), ==, 2);
  reply->state = TACHO_MESSAGE_DONE;
  g_assert_true (tacho_conversations_update (self, reply, &error));
  g_assert_true (tacho_conversations_append (self, id, prompt, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (tacho_conversation_info_get_n_messages (info), ==, 3);
}

static void
test_no_folder (Fixture *f, gconstpointer data)
{
  g_autofree char *notice = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (tacho_conversations_open ("/proc/tacho/conversations.db", &notice, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
}

/* The environment names the file; opening in a thread gives the same. */
static void
test_async (Fixture *f, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GAsyncResult) failed = NULL;
  g_autoptr (TachoConversations) self = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *notice = NULL;

  g_assert_true (g_file_set_contents (f->path, "no database, but more than a few bytes", -1, NULL));
  g_setenv ("TACHO_CONVERSATIONS", f->path, TRUE);
  tacho_conversations_open_async (NULL, NULL, tacho_test_store_result_cb, &result);
  TACHO_TEST_SPIN_UNTIL (result != NULL);
  g_unsetenv ("TACHO_CONVERSATIONS");
  self = tacho_conversations_open_finish (result, &notice, &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (notice, "damaged"));
  g_assert_cmpstr (tacho_conversations_get_path (self), ==, f->path);
  g_free (begin (self));

  g_clear_pointer (&notice, g_free);
  tacho_conversations_open_async ("/proc/tacho/c.db", NULL, tacho_test_store_result_cb, &failed);
  TACHO_TEST_SPIN_UNTIL (failed != NULL);
  g_assert_null (tacho_conversations_open_finish (failed, &notice, &error));
  g_assert_error (error, TACHO_ERROR, TACHO_ERROR_IO);
  g_assert_null (notice);
}

/* 5,000 messages of 1 KB: loaded in one go, and fast enough for the main thread. */
static void
test_many (Fixture *f, gconstpointer data)
{
  g_autoptr (TachoConversations) self = open_it (f);
  g_autofree char *id = begin (self);
  g_autofree char *kilobyte = g_strnfill (1000, 'w');
  g_autofree char *sql = NULL;
  g_autoptr (GError) error = NULL;
  gint64 best = G_MAXINT64;

  g_clear_object (&self);
  sql = g_strdup_printf (
      "PRAGMA synchronous = OFF; BEGIN;"
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)"
      " INSERT INTO messages (id, conversation, follows, version, active, created, role, state, "
      "text)"
      " SELECT i, 1, i - 1, 1, 1, i, CASE i %% 2 WHEN 1 THEN 'user' ELSE 'assistant' END, 'done',"
      " i || ' %s' FROM n;"
      "UPDATE conversations SET last = 5000, n_messages = 5000; COMMIT",
      kilobyte);
  execute (f, sql);
  self = open_it (f);
  for (guint i = 0; i < 5; i++)
    {
      gint64 before = g_get_monotonic_time ();
      g_autoptr (GPtrArray) messages = tacho_conversations_load (self, id, &error);

      best = MIN (best, g_get_monotonic_time () - before);
      g_assert_no_error (error);
      g_assert_cmpuint (messages->len, ==, 5000);
      g_assert_cmpint (((TachoConversationMessage *) messages->pdata[4999])->id, ==, 5000);
    }
  g_test_message ("5,000 messages load in %.1f ms", (double) best / 1000);
  if (g_test_perf ())
    g_assert_cmpint (best, <, 50000);
  say (self, id, TACHO_ROLE_USER, "one more");
}

int
main (int argc, char **argv)
{
  tacho_test_init (&argc, &argv);
#define ADD(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)
  ADD ("/conversations-file/killed", test_killed);
  ADD ("/conversations-file/second-opening", test_second_opening);
  ADD ("/conversations-file/damaged", test_damaged);
  ADD ("/conversations-file/newer", test_newer);
  ADD ("/conversations-file/read-only", test_read_only);
  ADD ("/conversations-file/permissions", test_permissions);
  ADD ("/conversations-file/full", test_full);
  ADD ("/conversations-file/no-folder", test_no_folder);
  ADD ("/conversations-file/async", test_async);
  ADD ("/conversations-file/many", test_many);
  return g_test_run ();
}
