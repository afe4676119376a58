/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was asked and answered, and the request that goes on from there. */
#define G_LOG_DOMAIN "tacho-conversation"

#include "config.h"

#include "app/tacho-conversation.h"

typedef struct
{
  char *prompt;
  char *answer; /* the latest; NULL: none came */
} Turn;

struct _TachoConversation
{
  GPtrArray *turns; /* of Turn */
};

static void
turn_free (gpointer data)
{
  Turn *turn = data;

  g_free (turn->prompt);
  g_free (turn->answer);
  g_free (turn);
}

static Turn *
last_turn (const TachoConversation *self)
{
  return self->turns->len > 0 ? g_ptr_array_index (self->turns, self->turns->len - 1) : NULL;
}

/**
 * tacho_conversation_new:
 *
 * Returns: (transfer full): a conversation in which nothing was said
 */
TachoConversation *
tacho_conversation_new (void)
{
  TachoConversation *self = g_new0 (TachoConversation, 1);

  self->turns = g_ptr_array_new_with_free_func (turn_free);
  return self;
}

/**
 * tacho_conversation_free:
 * @self: a conversation
 *
 * Forgets it.
 */
void
tacho_conversation_free (TachoConversation *self)
{
  g_ptr_array_unref (self->turns);
  g_free (self);
}

/**
 * tacho_conversation_clear:
 * @self: a conversation
 *
 * Begins anew.
 */
void
tacho_conversation_clear (TachoConversation *self)
{
  g_ptr_array_set_size (self->turns, 0);
}

/**
 * tacho_conversation_is_empty:
 * @self: a conversation
 *
 * Returns: %TRUE if nothing was asked
 */
gboolean
tacho_conversation_is_empty (const TachoConversation *self)
{
  return self->turns->len == 0;
}

/**
 * tacho_conversation_ask:
 * @self: a conversation
 * @prompt: what is asked
 *
 * Begins a turn.
 */
void
tacho_conversation_ask (TachoConversation *self, const char *prompt)
{
  Turn *turn = g_new0 (Turn, 1);

  turn->prompt = g_strdup (prompt);
  g_ptr_array_add (self->turns, turn);
}

/**
 * tacho_conversation_answer:
 * @self: a conversation in which something was asked
 * @answer: text that came, whole or not
 *
 * Keeps the answer to the last prompt; an empty one never takes the place of text.
 */
void
tacho_conversation_answer (TachoConversation *self, const char *answer)
{
  Turn *turn = last_turn (self);

  if (turn == NULL || answer[0] == '\0')
    return;
  g_free (turn->answer);
  turn->answer = g_strdup (answer);
}

/**
 * tacho_conversation_get_answer:
 * @self: a conversation
 *
 * Returns: (transfer none) (nullable): the answer to the last prompt
 */
const char *
tacho_conversation_get_answer (const TachoConversation *self)
{
  const Turn *turn = last_turn (self);

  return turn != NULL ? turn->answer : NULL;
}

/**
 * tacho_conversation_make_request:
 * @self: a conversation in which something was asked
 * @model: id of a model
 * @system_prompt: (nullable): goes before all
 *
 * Earlier turns without an answer are left out: a model must not see a question that stands alone.
 *
 * Returns: (transfer full): a streaming chat request that ends with the last prompt
 */
TachoGenerateRequest *
tacho_conversation_make_request (const TachoConversation *self,
                                 const char *model,
                                 const char *system_prompt)
{
  TachoGenerateRequest *request = tacho_generate_request_new (model);

  if (system_prompt != NULL)
    tacho_generate_request_add_message (request, TACHO_ROLE_SYSTEM, system_prompt);
  for (guint i = 0; i < self->turns->len; i++)
    {
      const Turn *turn = g_ptr_array_index (self->turns, i);
      gboolean last = i + 1 == self->turns->len;

      if (!last && turn->answer == NULL)
        continue;
      tacho_generate_request_add_message (request, TACHO_ROLE_USER, turn->prompt);
      if (!last)
        tacho_generate_request_add_message (request, TACHO_ROLE_ASSISTANT, turn->answer);
    }
  return request;
}
