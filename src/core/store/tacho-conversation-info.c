/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A conversation in a list. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-conversations-private.h"

struct _TachoConversationInfo
{
  GObject parent_instance;

  TachoConversationRow *row;
  char *snippet;
  gint64 hit;
};

G_DEFINE_FINAL_TYPE (TachoConversationInfo, tacho_conversation_info, G_TYPE_OBJECT)

enum
{
  PROP_ID = 1,
  PROP_TITLE,
  PROP_PINNED,
  PROP_CREATED,
  PROP_UPDATED,
  PROP_DELETED,
  PROP_MODEL,
  PROP_SERVER,
  PROP_N_MESSAGES,
  PROP_SNIPPET,
  PROP_HIT,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

void
tacho_conversation_row_free (TachoConversationRow *row)
{
  if (row == NULL)
    return;
  g_free (row->id);
  g_free (row->title);
  g_free (row->model);
  g_free (row->server);
  g_free (row);
}

static void
tacho_conversation_info_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  TachoConversationInfo *self = TACHO_CONVERSATION_INFO (object);
  const TachoConversationRow *row = self->row;

  switch (id)
    {
    case PROP_ID:
      g_value_set_string (value, row->id);
      break;
    case PROP_TITLE:
      g_value_set_string (value, row->title);
      break;
    case PROP_PINNED:
      g_value_set_boolean (value, row->pinned);
      break;
    case PROP_CREATED:
      g_value_set_int64 (value, row->created);
      break;
    case PROP_UPDATED:
      g_value_set_int64 (value, row->updated);
      break;
    case PROP_DELETED:
      g_value_set_int64 (value, row->deleted);
      break;
    case PROP_MODEL:
      g_value_set_string (value, row->model);
      break;
    case PROP_SERVER:
      g_value_set_string (value, row->server);
      break;
    case PROP_N_MESSAGES:
      g_value_set_uint (value, row->n_messages);
      break;
    case PROP_SNIPPET:
      g_value_set_string (value, self->snippet);
      break;
    case PROP_HIT:
      g_value_set_int64 (value, self->hit);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
tacho_conversation_info_finalize (GObject *object)
{
  TachoConversationInfo *self = TACHO_CONVERSATION_INFO (object);

  tacho_conversation_row_free (self->row);
  g_free (self->snippet);

  G_OBJECT_CLASS (tacho_conversation_info_parent_class)->finalize (object);
}

#define READ_ONLY (G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS)

static void
tacho_conversation_info_class_init (TachoConversationInfoClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = tacho_conversation_info_get_property;
  object_class->finalize = tacho_conversation_info_finalize;

  props[PROP_ID] = g_param_spec_string ("id", NULL, NULL, NULL, READ_ONLY);
  props[PROP_TITLE] = g_param_spec_string ("title", NULL, NULL, NULL, READ_ONLY);
  props[PROP_PINNED] = g_param_spec_boolean ("pinned", NULL, NULL, FALSE, READ_ONLY);
  props[PROP_CREATED] =
      g_param_spec_int64 ("created", NULL, NULL, G_MININT64, G_MAXINT64, 0, READ_ONLY);
  props[PROP_UPDATED] =
      g_param_spec_int64 ("updated", NULL, NULL, G_MININT64, G_MAXINT64, 0, READ_ONLY);
  props[PROP_DELETED] =
      g_param_spec_int64 ("deleted", NULL, NULL, G_MININT64, G_MAXINT64, 0, READ_ONLY);
  props[PROP_MODEL] = g_param_spec_string ("model", NULL, NULL, NULL, READ_ONLY);
  props[PROP_SERVER] = g_param_spec_string ("server", NULL, NULL, NULL, READ_ONLY);
  props[PROP_N_MESSAGES] = g_param_spec_uint ("n-messages", NULL, NULL, 0, G_MAXUINT, 0, READ_ONLY);
  props[PROP_SNIPPET] = g_param_spec_string ("snippet", NULL, NULL, NULL, READ_ONLY);
  props[PROP_HIT] = g_param_spec_int64 ("hit", NULL, NULL, 0, G_MAXINT64, 0, READ_ONLY);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
tacho_conversation_info_init (TachoConversationInfo *self)
{
  self->snippet = g_strdup ("");
}

TachoConversationInfo *
tacho_conversation_info_new (TachoConversationRow *row)
{
  TachoConversationInfo *self = g_object_new (TACHO_TYPE_CONVERSATION_INFO, NULL);

  self->row = row;
  return self;
}

gint64
tacho_conversation_info_get_number (TachoConversationInfo *self)
{
  return self->row->number;
}

static void
notify_if (TachoConversationInfo *self, gboolean changed, guint prop)
{
  if (changed)
    g_object_notify_by_pspec (G_OBJECT (self), props[prop]);
}

void
tacho_conversation_info_assign (TachoConversationInfo *self, TachoConversationInfo *other)
{
  TachoConversationRow *old = self->row;
  TachoConversationRow *row = other->row;
  char *id = old->id;

  /* Its id stays where it is: whoever asked for it may still hold it. */
  old->id = row->id;
  row->id = id;
  self->row = row;
  other->row = old;
  notify_if (self, g_strcmp0 (old->title, row->title) != 0, PROP_TITLE);
  notify_if (self, old->pinned != row->pinned, PROP_PINNED);
  notify_if (self, old->updated != row->updated, PROP_UPDATED);
  notify_if (self, old->deleted != row->deleted, PROP_DELETED);
  notify_if (self, g_strcmp0 (old->model, row->model) != 0, PROP_MODEL);
  notify_if (self, g_strcmp0 (old->server, row->server) != 0, PROP_SERVER);
  notify_if (self, old->n_messages != row->n_messages, PROP_N_MESSAGES);
}

void
tacho_conversation_info_set_hit (TachoConversationInfo *self, const char *snippet, gint64 hit)
{
  gboolean other_snippet = g_strcmp0 (self->snippet, snippet) != 0;
  gboolean other_hit = self->hit != hit;

  if (other_snippet)
    {
      g_free (self->snippet);
      self->snippet = g_strdup (snippet);
    }
  self->hit = hit;
  notify_if (self, other_snippet, PROP_SNIPPET);
  notify_if (self, other_hit, PROP_HIT);
}

/* Pinned first, newest activity first; of equals, the later made. */
int
tacho_conversation_info_compare (gconstpointer a, gconstpointer b)
{
  const TachoConversationRow *one = (*(TachoConversationInfo *const *) a)->row;
  const TachoConversationRow *two = (*(TachoConversationInfo *const *) b)->row;

  if (one->pinned != two->pinned)
    return one->pinned ? -1 : 1;
  if (one->updated != two->updated)
    return one->updated > two->updated ? -1 : 1;
  return one->number > two->number ? -1 : one->number < two->number;
}

/**
 * tacho_conversation_info_get_id:
 * @self: a conversation
 *
 * Returns: its id, by which the store knows it
 */
const char *
tacho_conversation_info_get_id (TachoConversationInfo *self)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATION_INFO (self), NULL);
  return self->row->id;
}

/**
 * tacho_conversation_info_get_title:
 * @self: a conversation
 *
 * Returns: the name it was given, else the first line of its first prompt; one line, safe to show;
 *   empty: it has neither
 */
const char *
tacho_conversation_info_get_title (TachoConversationInfo *self)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATION_INFO (self), NULL);
  return self->row->title;
}

/**
 * tacho_conversation_info_get_pinned:
 * @self: a conversation
 *
 * Returns: whether it stands before the others
 */
gboolean
tacho_conversation_info_get_pinned (TachoConversationInfo *self)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATION_INFO (self), FALSE);
  return self->row->pinned;
}

/**
 * tacho_conversation_info_get_created:
 * @self: a conversation
 *
 * Returns: when it was made, in µs since 1970
 */
gint64
tacho_conversation_info_get_created (TachoConversationInfo *self)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATION_INFO (self), 0);
  return self->row->created;
}

/**
 * tacho_conversation_info_get_updated:
 * @self: a conversation
 *
 * Returns: when a message last came, ended or was given another version, in µs since 1970
 */
gint64
tacho_conversation_info_get_updated (TachoConversationInfo *self)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATION_INFO (self), 0);
  return self->row->updated;
}

/**
 * tacho_conversation_info_get_deleted:
 * @self: a conversation
 *
 * Returns: when it was deleted, in µs since 1970; 0: it was not
 */
gint64
tacho_conversation_info_get_deleted (TachoConversationInfo *self)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATION_INFO (self), 0);
  return self->row->deleted;
}

/**
 * tacho_conversation_info_get_model:
 * @self: a conversation
 *
 * Returns: the model it is with; empty: none
 */
const char *
tacho_conversation_info_get_model (TachoConversationInfo *self)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATION_INFO (self), NULL);
  return self->row->model;
}

/**
 * tacho_conversation_info_get_server:
 * @self: a conversation
 *
 * Returns: the name of the profile it is with; empty: none
 */
const char *
tacho_conversation_info_get_server (TachoConversationInfo *self)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATION_INFO (self), NULL);
  return self->row->server;
}

/**
 * tacho_conversation_info_get_n_messages:
 * @self: a conversation
 *
 * Returns: how many messages are shown, system prompts aside
 */
guint
tacho_conversation_info_get_n_messages (TachoConversationInfo *self)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATION_INFO (self), 0);
  return self->row->n_messages;
}

/**
 * tacho_conversation_info_get_snippet:
 * @self: a conversation
 *
 * Returns: what stands around the last search's find, one line, safe to show; empty: nothing was
 *   searched, or the title has it
 */
const char *
tacho_conversation_info_get_snippet (TachoConversationInfo *self)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATION_INFO (self), NULL);
  return self->snippet;
}

/**
 * tacho_conversation_info_get_hit:
 * @self: a conversation
 *
 * Returns: the id of the message that the last search found; 0: none
 */
gint64
tacho_conversation_info_get_hit (TachoConversationInfo *self)
{
  g_return_val_if_fail (TACHO_IS_CONVERSATION_INFO (self), 0);
  return self->hit;
}
