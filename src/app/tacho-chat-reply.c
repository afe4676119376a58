/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reply of a conversation: the model is loaded if need be, the text comes, and what came is
 * kept once a second and at its end. */
#define G_LOG_DOMAIN "tacho-chat"

#include "config.h"

#include "app/tacho-chat-private.h"
#include "app/tacho-generation-words.h"
#include "app/tacho-reply-stats.h"

#include <glib/gi18n.h>
#include <math.h>

#define SAVE_S 1

void
tacho_chat_set_phase (TachoChat *self, TachoChatPhase phase)
{
  if (self->phase == phase)
    return;
  self->phase = phase;
  g_signal_emit_by_name (self, "phase");
}

static char *
join (const char *base, const char *text)
{
  return base != NULL ? g_strconcat (base, text, NULL) : g_strdup (text);
}

/* What has come, into the message and from there to the disk. */
static void
save (TachoChat *self)
{
  TachoConversationMessage *message = tacho_chat_get_last (self);
  g_autoptr (GError) error = NULL;

  if (self->generation != NULL)
    {
      const char *reasoning = tacho_generation_get_reasoning (self->generation);

      g_free (message->text);
      message->text = join (self->base, tacho_generation_get_text (self->generation));
      g_free (message->reasoning);
      message->reasoning = reasoning[0] != '\0' ? join (self->base_reasoning, reasoning)
                                                : g_strdup (self->base_reasoning);
    }
  if (message->id == 0)
    tacho_chat_store_missing (self);
  else if (self->store != NULL && !tacho_conversations_update (self->store, message, &error))
    tacho_chat_store_failed (self, error);
}

static gboolean
save_cb (gpointer user_data)
{
  save (user_data);
  return G_SOURCE_CONTINUE;
}

static TachoMessageState
get_state (TachoGeneration *generation)
{
  switch (tacho_generation_get_state (generation))
    {
    case TACHO_GENERATION_DONE:
      return TACHO_MESSAGE_DONE;
    case TACHO_GENERATION_TRUNCATED:
      return TACHO_MESSAGE_TRUNCATED;
    case TACHO_GENERATION_CANCELLED:
      return TACHO_MESSAGE_STOPPED;
    case TACHO_GENERATION_FAILED:
    case TACHO_GENERATION_WAITING:
    case TACHO_GENERATION_READING:
    case TACHO_GENERATION_GENERATING:
    default:
      return TACHO_MESSAGE_FAILED;
    }
}

static void
end (TachoChat *self, TachoMessageState state, const char *failure)
{
  TachoConversationMessage *message = tacho_chat_get_last (self);

  g_clear_handle_id (&self->save_id, g_source_remove);
  message->state = state;
  g_free (message->failure);
  message->failure = g_strdup (failure);
  save (self);
  g_clear_object (&self->generation);
  g_clear_pointer (&self->base, g_free);
  g_clear_pointer (&self->base_reasoning, g_free);
  self->phase = TACHO_CHAT_IDLE;
  g_signal_emit_by_name (self, "ended");
  g_signal_emit_by_name (self, "phase");
}

static void
end_thought (TachoChat *self)
{
  if (self->thought_us != 0 && isnan (self->thought_s))
    self->thought_s =
        (double) (g_get_monotonic_time () - self->thought_us) / (double) G_USEC_PER_SEC;
}

static void
keep_stats (TachoChat *self)
{
  TachoConversationMessage *message = tacho_chat_get_last (self);
  TachoReplyStats stats;

  tacho_reply_stats_take (&stats, self->generation,
                          tacho_connection_is_simulated (self->connection),
                          tacho_model_get_info (self->model)->context_window, self->thought_s);
  g_free (message->stats);
  message->stats = tacho_reply_stats_to_json (&stats);
}

static void
ended_cb (TachoGeneration *generation, TachoChat *self)
{
  g_autofree char *fault = NULL;

  if (generation != self->generation || self->phase != TACHO_CHAT_RUNNING)
    return;
  fault = tacho_generation_words_fault (generation);
  end_thought (self);
  keep_stats (self);
  end (self, get_state (generation), fault);
}

static void
delta_cb (TachoGeneration *generation, const char *text, gboolean reasoning, TachoChat *self)
{
  if (generation != self->generation)
    return;
  if (reasoning && self->thought_us == 0)
    self->thought_us = g_get_monotonic_time ();
  else if (!reasoning)
    end_thought (self);
  g_signal_emit_by_name (self, "delta", text, reasoning);
}

static void
progress_cb (TachoGeneration *generation, double fraction, TachoChat *self)
{
  self->progress = fraction;
}

/* Earlier questions without an answer are left out: a model must not see one that stands alone. */
static void
add_messages (TachoChat *self, TachoGenerateRequest *request)
{
  guint n = self->messages->len - (self->base != NULL ? 0 : 1);

  if (self->system_prompt != NULL)
    tacho_generate_request_add_message (request, TACHO_ROLE_SYSTEM, self->system_prompt);
  for (guint i = 0; i < n; i++)
    {
      const TachoConversationMessage *message = g_ptr_array_index (self->messages, i);
      const TachoConversationMessage *next =
          i + 1 < n ? g_ptr_array_index (self->messages, i + 1) : NULL;
      g_autofree char *text = NULL;

      if (message->text[0] == '\0' && message->attachments->len == 0)
        continue;
      if (message->role == TACHO_ROLE_USER && next != NULL && next->text[0] == '\0')
        continue;
      text = tacho_conversation_message_dup_full_text (message);
      tacho_generate_request_add_message (request, message->role, text);
    }
}

static TachoGenerateRequest *
make_request (TachoChat *self)
{
  TachoGenerateRequest *request = tacho_generate_request_copy (self->parameters);

  g_free (request->model);
  request->model = g_strdup (tacho_model_get_id (self->model));
  request->return_progress = TRUE;
  if (request->raw)
    {
      /* A completion goes on from the last prompt alone, and from what was written after it. */
      const TachoConversationMessage *prompt =
          g_ptr_array_index (self->messages, self->messages->len - 2);
      g_autofree char *text = tacho_conversation_message_dup_full_text (prompt);

      g_free (request->prompt);
      request->prompt = g_strconcat (text, self->base, NULL);
    }
  else
    add_messages (self, request);
  return request;
}

static void
generate (TachoChat *self)
{
  g_autoptr (TachoGenerateRequest) request = make_request (self);
  g_autoptr (GError) error = NULL;
  gpointer *place;

  self->progress = NAN;
  self->thought_us = 0;
  self->thought_s = NAN;
  self->generation = tacho_inference_service_start (
      tacho_connection_get_inference (self->connection), request, &error);
  if (self->generation == NULL)
    {
      end (self, TACHO_MESSAGE_FAILED, error->message);
      return;
    }
  place = &g_ptr_array_index (self->generations, self->messages->len - 1);
  if (*place != NULL)
    g_object_unref (*place);
  *place = g_object_ref (self->generation);
  g_signal_connect_object (self->generation, "delta", G_CALLBACK (delta_cb), self, 0);
  g_signal_connect_object (self->generation, "progress", G_CALLBACK (progress_cb), self, 0);
  g_signal_connect_object (self->generation, "ended", G_CALLBACK (ended_cb), self, 0);
  self->save_id = g_timeout_add_seconds (SAVE_S, save_cb, self);
  tacho_chat_set_phase (self, TACHO_CHAT_RUNNING);
}

typedef struct
{
  TachoChat *chat;
  GCancellable *loading; /* stopped or replaced meanwhile: the answer is stale */
} Load;

static void
load_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Load *load = user_data;
  g_autoptr (TachoChat) self = load->chat;
  g_autoptr (GCancellable) loading = load->loading;
  g_autoptr (GError) error = NULL;
  gboolean loaded = tacho_connection_load_finish (TACHO_CONNECTION (source), result, &error);

  g_free (load);
  if (self->loading != loading || self->phase != TACHO_CHAT_LOADING)
    return;
  g_clear_object (&self->loading);
  if (loaded)
    generate (self);
  else
    end (self, TACHO_MESSAGE_FAILED, error->message);
}

void
tacho_chat_start (TachoChat *self)
{
  Load *load;

  g_set_object (&self->model, tacho_connection_get_model (self->connection));
  if (!tacho_connection_needs_load (self->connection, self->model))
    {
      generate (self);
      return;
    }
  load = g_new0 (Load, 1);
  g_clear_object (&self->loading);
  self->loading = g_cancellable_new ();
  load->chat = g_object_ref (self);
  load->loading = g_object_ref (self->loading);
  tacho_chat_set_phase (self, TACHO_CHAT_LOADING);
  tacho_connection_load_async (self->connection, tacho_model_get_id (self->model), load_cb, load);
}

/**
 * tacho_chat_stop:
 * @self: a conversation
 *
 * Stops the reply, before its first byte too, and closes the wire. What had come is kept.
 */
void
tacho_chat_stop (TachoChat *self)
{
  g_return_if_fail (TACHO_IS_CHAT (self));

  if (self->phase == TACHO_CHAT_LOADING)
    {
      g_clear_object (&self->loading);
      tacho_connection_cancel_change (self->connection, tacho_model_get_id (self->model));
      end (self, TACHO_MESSAGE_STOPPED, _ ("Stopped while the model was loading."));
    }
  else if (self->phase == TACHO_CHAT_RUNNING)
    {
      g_autoptr (TachoGeneration) generation = g_object_ref (self->generation);

      tacho_generation_cancel (generation);
      /* The state is final at once; the signal may come later. */
      if (tacho_generation_is_ended (generation))
        ended_cb (generation, self);
    }
}
