/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration file on the disk. A save writes a file beside, makes it durable and renames it
 * over the old one, of which a copy stays as .bak; a lock on the folder lets one process at a time
 * do so. */
#define G_LOG_DOMAIN "tacho"

#include "config/tacho-config-file.h"

#include "base/tacho-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_SIZE ((gsize) 1024 * 1024)
#define LOCK_TRIES 200
#define LOCK_PAUSE_US 10000

/**
 * tacho_config_file_default_path:
 *
 * Returns: (transfer full): the file that `TACHO_CONFIG` names, else tacho/tacho.conf in the user's
 *   configuration folder
 */
char *
tacho_config_file_default_path (void)
{
  const char *named = g_getenv ("TACHO_CONFIG");

  if (named != NULL && *named != '\0')
    return g_canonicalize_filename (named, NULL);
  return g_build_filename (g_get_user_config_dir (), "tacho", "tacho.conf", NULL);
}

static gboolean
fail (GError **error, const char *what, const char *path, int saved_errno)
{
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "%s %s: %s", what, path,
               g_strerror (saved_errno));
  return FALSE;
}

static gboolean
broken (GError **error, const char *path, const char *reason)
{
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "The configuration file %s cannot be read: %s. The defaults are used; the file is "
               "left as it is, and is set aside when something is saved",
               path, reason);
  return FALSE;
}

/* 1: read; 0: there is no such file; -1: error. */
static int
read_content (const char *path, GString **content, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  struct stat info;
  char buffer[16384];
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

  if (fd < 0)
    {
      if (errno == ENOENT && lstat (path, &info) != 0)
        return 0;
      fail (error, "Cannot read the configuration file", path, errno);
      return -1;
    }
  if (fstat (fd, &info) != 0 || !S_ISREG (info.st_mode))
    {
      close (fd);
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO,
                   "The configuration file %s is no regular file", path);
      return -1;
    }
  for (;;)
    {
      gssize n = read (fd, buffer, sizeof buffer);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          fail (error, "Cannot read the configuration file", path, errno);
          close (fd);
          return -1;
        }
      if (n == 0 || text->len > MAX_SIZE)
        break;
      g_string_append_len (text, buffer, n);
    }
  close (fd);
  *content = g_steal_pointer (&text);
  return 1;
}

static gboolean
parse (const char *path, const GString *text, GKeyFile *keys, GError **error)
{
  g_autoptr (GError) reason = NULL;

  if (text->len > MAX_SIZE)
    return broken (error, path, "it is longer than 1 MiB");
  if (strlen (text->str) != text->len)
    return broken (error, path, "it holds a NUL byte");
  if (!g_utf8_validate (text->str, -1, NULL))
    return broken (error, path, "it is not UTF-8 text");
  if (text->len > 0 &&
      !g_key_file_load_from_data (keys, text->str, text->len,
                                  G_KEY_FILE_KEEP_COMMENTS | G_KEY_FILE_KEEP_TRANSLATIONS, &reason))
    return broken (error, path, reason->message);
  return TRUE;
}

/**
 * tacho_config_file_read:
 * @path: the file
 * @keys: (out) (transfer full): what it says; empty if there is no file, or an error
 * @content: (out) (transfer full) (nullable): its text; %NULL if there is no file
 * @error: return location
 *
 * Returns: %FALSE with %TACHO_ERROR_IO if it cannot be read, with %TACHO_ERROR_INVALID if it is
 *   no such file
 */
gboolean
tacho_config_file_read (const char *path, GKeyFile **keys, char **content, GError **error)
{
  g_autoptr (GString) text = NULL;
  g_autoptr (GKeyFile) parsed = g_key_file_new ();
  int found;

  g_return_val_if_fail (path != NULL && keys != NULL && content != NULL, FALSE);

  *keys = g_key_file_new ();
  *content = NULL;
  found = read_content (path, &text, error);
  if (found <= 0)
    return found == 0;
  *content = g_strdup (text->str);
  if (!parse (path, text, parsed, error))
    return FALSE;
  g_key_file_unref (*keys);
  *keys = g_steal_pointer (&parsed);
  return TRUE;
}

static gboolean
write_all (int fd, const char *data, gsize length)
{
  while (length > 0)
    {
      gssize n = write (fd, data, length);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      data += n;
      length -= (gsize) n;
    }
  return TRUE;
}

/* Under the lock, so that a file of this name is a leftover of a process that was killed. */
static gboolean
replace (const char *path, const char *text, gsize length, int folder, GError **error)
{
  g_autofree char *fresh = g_strconcat (path, ".new", NULL);
  int fd, saved_errno;

  g_unlink (fresh);
  fd = open (fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fail (error, "Cannot write", fresh, errno);
  if (!write_all (fd, text, length) || fsync (fd) != 0)
    {
      saved_errno = errno;
      close (fd);
      g_unlink (fresh);
      return fail (error, "Nothing is saved, the old file is kept: cannot write", fresh,
                   saved_errno);
    }
  if (close (fd) != 0 || g_rename (fresh, path) != 0)
    {
      saved_errno = errno;
      g_unlink (fresh);
      return fail (error, "Nothing is saved, the old file is kept: cannot replace", path,
                   saved_errno);
    }
  fsync (folder); /* some file systems cannot; the rename is done all the same */
  return TRUE;
}

static int
lock_folder (const char *folder, GError **error)
{
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    {
      fail (error, "Cannot open the folder", folder, errno);
      return -1;
    }
  for (guint i = 0; flock (fd, LOCK_EX | LOCK_NB) != 0; i++)
    {
      if (errno != EWOULDBLOCK && errno != EINTR)
        return fd; /* no locks here: renames are whole anyway */
      if (i == LOCK_TRIES)
        {
          close (fd);
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO,
                       "Another program keeps the folder %s locked: try again later", folder);
          return -1;
        }
      g_usleep (LOCK_PAUSE_US);
    }
  return fd;
}

/* The file behind a link, so that the link stays one. */
static char *
resolve (const char *path, GError **error)
{
  struct stat info;
  char *real;
  char *copy;

  if (lstat (path, &info) != 0 || !S_ISLNK (info.st_mode))
    return g_strdup (path);
  real = realpath (path, NULL);
  if (real == NULL)
    {
      fail (error, "Nothing is saved: cannot follow the link", path, errno);
      return NULL;
    }
  copy = g_strdup (real);
  free (real);
  return copy;
}

static char *
set_broken_aside (const char *path, GError **error)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *date = g_date_time_format (now, "%Y%m%dT%H%M%SZ");

  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *aside = i == 0 ? g_strdup_printf ("%s.broken-%s", path, date)
                                      : g_strdup_printf ("%s.broken-%s-%u", path, date, i);

      /* A link first: it never replaces a file, and until the new file is there the old one is. */
      if (link (path, aside) == 0)
        return g_steal_pointer (&aside);
      if (errno != EEXIST)
        {
          if (g_file_test (aside, G_FILE_TEST_EXISTS) || g_rename (path, aside) != 0)
            {
              fail (error, "Nothing is saved: cannot set the broken file aside as", aside, errno);
              return NULL;
            }
          return g_steal_pointer (&aside);
        }
    }
  fail (error, "Nothing is saved: cannot set the broken file aside beside", path, EEXIST);
  return NULL;
}

static gboolean
edit_locked (const char *path,
             int folder,
             TachoConfigEdit edit,
             gpointer user_data,
             char **set_aside,
             GError **error)
{
  g_autoptr (GString) old = NULL;
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autofree char *text = NULL;
  g_autofree char *backup = g_strconcat (path, ".bak", NULL);
  gboolean is_broken;
  gsize length = 0;
  int found = read_content (path, &old, error);

  if (found < 0)
    return FALSE;
  is_broken = found > 0 && !parse (path, old, keys, NULL);
  if (is_broken)
    {
      g_key_file_unref (keys);
      keys = g_key_file_new ();
    }
  if (!edit (keys, user_data, error))
    return FALSE;
  text = g_key_file_to_data (keys, &length, NULL);
  if (found > 0 && !is_broken && length == old->len && memcmp (text, old->str, length) == 0)
    return TRUE;
  if (found == 0 && length == 0)
    return TRUE;
  if (is_broken)
    {
      g_autofree char *aside = set_broken_aside (path, error);

      if (aside == NULL)
        return FALSE;
      if (set_aside != NULL)
        *set_aside = g_steal_pointer (&aside);
    }
  else if (found > 0 && !replace (backup, old->str, old->len, folder, error))
    return FALSE;
  return replace (path, text, length, folder, error);
}

/**
 * tacho_config_file_edit:
 * @path: the file; its folder is made, for this user only, if it is not there
 * @edit: (scope call): what is to change
 * @user_data: for @edit
 * @set_aside: (out) (optional) (nullable) (transfer full): where a broken file was moved to
 * @error: return location
 *
 * What stands in the file now is what is edited: nobody's change since it was last read is lost,
 * nor a comment or a key that is not known.
 *
 * Returns: %FALSE with %TACHO_ERROR_IO, or the error of @edit; the file is then as it was
 */
gboolean
tacho_config_file_edit (const char *path,
                        TachoConfigEdit edit,
                        gpointer user_data,
                        char **set_aside,
                        GError **error)
{
  g_autofree char *real = NULL;
  g_autofree char *folder = NULL;
  gboolean done;
  int fd;

  g_return_val_if_fail (path != NULL && edit != NULL, FALSE);

  if (set_aside != NULL)
    *set_aside = NULL;
  real = resolve (path, error);
  if (real == NULL)
    return FALSE;
  folder = g_path_get_dirname (real);
  if (g_mkdir_with_parents (folder, 0700) != 0)
    return fail (error, "Nothing is saved: cannot make the folder", folder, errno);
  fd = lock_folder (folder, error);
  if (fd < 0)
    return FALSE;
  done = edit_locked (real, fd, edit, user_data, set_aside, error);
  close (fd); /* gives the lock back */
  return done;
}
