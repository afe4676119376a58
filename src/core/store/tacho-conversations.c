/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The list of conversations, and what is done to one as a whole. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-conversations-private.h"

#include "base/tacho-error.h"
#include "base/tacho-text.h"

#include <string.h>

#define TITLE_CHARS 60

static void list_model_init (GListModelInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TachoConversations,
                               tacho_conversations,
                               G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_LIST_MODEL, list_model_init))

gboolean
tacho_conversations_no_such (const char *id, GError **error)
{
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND, "There is no conversation %.60s", id);
  return FALSE;
}

gboolean
tacho_conversations_check_length (const char *text, gsize most, GError **error)
{
  if (text == NULL || strlen (text) <= most)
    return TRUE;
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "This text has %" G_GSIZE_FORMAT " MB; a conversation keeps texts of up to "
               "%" G_GSIZE_FORMAT " MB: shorten it",
               strlen (text) >> 20, most >> 20);
  return FALSE;
}

char *
tacho_conversations_make_title (const char *prompt)
{
  const char *line = prompt + strspn (prompt, " \t\r\n");
  g_autofree char *title =
      tacho_text_sanitize_line (line, (gssize) strcspn (line, "\r\n"), TITLE_CHARS);

  return g_strdup (g_strstrip (title));
}

static guint
find_place (TachoConversations *self, TachoConversationInfo *info)
{
  guint low = 0, high = self->infos->len;

  while (low < high)
    {
      guint middle = low + (high - low) / 2;

      if (tacho_conversation_info_compare (&self->infos->pdata[middle], &info) < 0)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

static void
insert (TachoConversations *self, TachoConversationInfo *info)
{
  guint at = find_place (self, info);

  g_hash_table_insert (self->by_id, g_strdup (tacho_conversation_info_get_id (info)), info);
  g_ptr_array_insert (self->infos, (int) at, g_object_ref (info));
  g_list_model_items_changed (G_LIST_MODEL (self), at, 0, 1);
}

static void
take_out (TachoConversations *self, TachoConversationInfo *info)
{
  guint at;

  if (!g_ptr_array_find (self->infos, info, &at))
    return;
  g_hash_table_remove (self->by_id, tacho_conversation_info_get_id (info));
  g_ptr_array_remove_index (self->infos, at);
  g_list_model_items_changed (G_LIST_MODEL (self), at, 1, 0);
}

static gboolean
stands_right (TachoConversations *self, guint at)
{
  gpointer *infos = self->infos->pdata;

  return (at == 0 || tacho_conversation_info_compare (&infos[at - 1], &infos[at]) < 0) &&
         (at + 1 == self->infos->len ||
          tacho_conversation_info_compare (&infos[at], &infos[at + 1]) < 0);
}

void
tacho_conversations_refresh (TachoConversations *self, const char *id)
{
  g_autoptr (GPtrArray) found =
      tacho_conversations_database_list (self->base, "id = ? AND deleted = 0", id, NULL);
  g_autoptr (TachoConversationInfo) info = NULL;
  TachoConversationInfo *now;
  guint at;

  if (found == NULL)
    return;
  g_set_object (&info, tacho_conversations_find (self, id));
  if (found->len == 0)
    {
      if (info != NULL)
        take_out (self, info);
      return;
    }
  now = g_ptr_array_index (found, 0);
  if (info == NULL)
    {
      insert (self, now);
      return;
    }
  tacho_conversation_info_assign (info, now);
  if (g_ptr_array_find (self->infos, info, &at) && !stands_right (self, at))
    {
      take_out (self, info);
      insert (self, info);
    }
}

static GType
get_item_type (GListModel *model)
{
  return TACHO_TYPE_CONVERSATION_INFO;
}

static guint
get_n_items (GListModel *model)
{
  return TACHO_CONVERSATIONS (model)->infos->len;
}

static gpointer
get_item (GListModel *model, guint position)
{
  TachoConversations *self = TACHO_CONVERSATIONS (model);

  return position < self->infos->len ? g_object_ref (self->infos->pdata[position]) : NULL;
}

static void
list_model_init (GListModelInterface *iface)
{
  iface->get_item_type = get_item_type;
  iface->get_n_items = get_n_items;
  iface->get_item = get_item;
}

static void
tacho_conversations_finalize (GObject *object)
{
  TachoConversations *self = TACHO_CONVERSATIONS (object);

  g_hash_table_unref (self->by_id);
  g_clear_pointer (&self->infos, g_ptr_array_unref);
  g_clear_pointer (&self->base, tacho_database_free);

  G_OBJECT_CLASS (tacho_conversations_parent_class)->finalize (object);
}

static void
tacho_conversations_class_init (TachoConversationsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_conversations_finalize;
}

static void
tacho_conversations_init (TachoConversations *self)
{
  self->by_id = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/**
 * tacho_conversations_open:
 * @path: (nullable): the file; %NULL: `TACHO_CONVERSATIONS` of the environment, else
 *   tacho/conversations.db in the user's data folder
 * @notice: (out): what a person should know, or %NULL
 * @error: return location
 *
 * Opens the conversations, makes the file if there is none, labels replies whose program is gone as
 * interrupted, and lets go for good of what was deleted 30 days ago.
 *
 * Returns: (transfer full): the conversations, or %NULL with %TACHO_ERROR_IO or
 *   %TACHO_ERROR_UNSUPPORTED
 */
TachoConversations *
tacho_conversations_open (const char *path, char **notice, GError **error)
{
  g_autoptr (TachoConversations) self = g_object_new (TACHO_TYPE_CONVERSATIONS, NULL);

  self->base = tacho_conversations_database_open (path, &self->indexed, notice, error);
  if (self->base != NULL)
    self->infos = tacho_conversations_database_list (self->base, "deleted = 0", NULL, error);
  if (self->infos == NULL)
    return NULL;
  g_ptr_array_sort (self->infos, tacho_conversation_info_compare);
  for (guint i = 0; i < self->infos->len; i++)
    {
      TachoConversationInfo *info = g_ptr_array_index (self->infos, i);

      g_hash_table_insert (self->by_id, g_strdup (tacho_conversation_info_get_id (info)), info);
    }
  return g_steal_pointer (&self);
}

typedef struct
{
  char *path;
  char *notice;
} OpenCall;

static void
open_call_free (gpointer data)
{
  OpenCall *call = data;

  g_free (call->path);
  g_free (call->notice);
  g_free (call);
}

static void
open_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  OpenCall *call = data;
  GError *error = NULL;
  TachoConversations *self = tacho_conversations_open (call->path, &call->notice, &error);

  if (self != NULL)
    g_task_return_pointer (task, self, g_object_unref);
  else
    g_task_return_error (task, error);
}

/**
 * tacho_conversations_open_async:
 * @path: (nullable): as for tacho_conversations_open()
 * @cancellable: (nullable): ends the wait; the file is opened all the same
 * @callback: called when it is open
 * @user_data: for @callback
 *
 * Opens the conversations in a thread.
 */
void
tacho_conversations_open_async (const char *path,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  OpenCall *call = g_new0 (OpenCall, 1);

  call->path = g_strdup (path);
  g_task_set_source_tag (task, tacho_conversations_open_async);
  g_task_set_task_data (task, call, open_call_free);
  g_task_run_in_thread (task, open_in_thread);
}

/**
 * tacho_conversations_open_finish:
 * @result: of tacho_conversations_open_async()
 * @notice: (out): as for tacho_conversations_open()
 * @error: return location
 *
 * Returns: (transfer full): as tacho_conversations_open()
 */
TachoConversations *
tacho_conversations_open_finish (GAsyncResult *result, char **notice, GError **error)
{
  OpenCall *call = g_task_get_task_data (G_TASK (result));

  *notice = g_strdup (call->notice);
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * tacho_conversations_get_path:
 * @self: the conversations
 *
 * Returns: their file
 */
const char *
tacho_conversations_get_path (TachoConversations *self)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), NULL);
  return self->base->path;
}

/**
 * tacho_conversations_find:
 * @self: the conversations
 * @id: of one
 *
 * Returns: (transfer none) (nullable): it, if it is in the list
 */
TachoConversationInfo *
tacho_conversations_find (TachoConversations *self, const char *id)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATIONS (self), NULL);
  return id != NULL ? g_hash_table_lookup (self->by_id, id) : NULL;
}
