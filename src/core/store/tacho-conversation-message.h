/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One message of a conversation as it is kept: a person's words with the files they came with, or a
 * reply with what is known of it. A plain value: change its fields, then store it. */
#pragma once

#include "api/tacho-generate.h"

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum
{
  TACHO_MESSAGE_DONE,
  TACHO_MESSAGE_STREAMING,   /* it still grows */
  TACHO_MESSAGE_STOPPED,     /* by the person */
  TACHO_MESSAGE_FAILED,      /* see `failure` */
  TACHO_MESSAGE_TRUNCATED,   /* the stream ended without its end mark */
  TACHO_MESSAGE_INTERRUPTED, /* the program ended while it grew; what had come is kept */
} TachoMessageState;

const char *tacho_message_state_to_string (TachoMessageState state); /* "done", "streaming", … */
gboolean tacho_message_state_from_string (const char *name, TachoMessageState *state);
const char *tacho_role_to_string (TachoRole role); /* "system", "user", "assistant" */
gboolean tacho_role_from_string (const char *name, TachoRole *role);

/* A text file that was given with a prompt. */
typedef struct
{
  char *name;
  char *text;
} TachoAttachment;

#define TACHO_CONVERSATION_MAX_TEXT ((gsize) 64 * 1024 * 1024) /* bytes of one text */
#define TACHO_CONVERSATION_MAX_STATS ((gsize) 1024 * 1024)

typedef struct
{
  /* Set by the store. */
  gint64 id;        /* 0: not stored */
  gint64 follows;   /* id of the message before; 0: the first */
  guint position;   /* from 0 */
  guint version;    /* from 1: of those that stand at this place after the same message */
  guint n_versions; /* "version of n_versions" */
  gboolean active;  /* the version that is shown */
  gint64 created;   /* µs since 1970; 0: now, when stored */

  TachoRole role;
  TachoMessageState state;
  char *text;             /* never NULL */
  char *reasoning;        /* or NULL */
  char *model;            /* that replied, or NULL */
  char *failure;          /* what a person is told under it, or NULL */
  char *stats;            /* JSON of the caller's, or NULL */
  GPtrArray *attachments; /* of TachoAttachment; never NULL */
} TachoConversationMessage;

#define TACHO_TYPE_CONVERSATION_MESSAGE (tacho_conversation_message_get_type ())
GType tacho_conversation_message_get_type (void);
TachoConversationMessage *
tacho_conversation_message_new (TachoRole role, const char *text) G_GNUC_WARN_UNUSED_RESULT;
TachoConversationMessage *
tacho_conversation_message_copy (const TachoConversationMessage *self) G_GNUC_WARN_UNUSED_RESULT;
void tacho_conversation_message_free (TachoConversationMessage *self);
/* Bytes of a file: TACHO_ERROR_INVALID if they are no text (a NUL byte) or too many; what is not
 * UTF-8 in them is replaced. */
gboolean tacho_conversation_message_attach (TachoConversationMessage *self,
                                            const char *name,
                                            const char *data,
                                            gsize length,
                                            GError **error);
/* Prompt and files as one text, as it goes to a model: each file under its name, in a fence that
 * its text does not close. */
char *tacho_conversation_message_dup_full_text (const TachoConversationMessage *self)
    G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoConversationMessage, tacho_conversation_message_free)

G_END_DECLS
