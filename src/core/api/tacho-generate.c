/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked of a model and what comes back, as plain values. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-generate.h"

#include <math.h>

#include "base/tacho-error.h"

static void
message_free (gpointer data)
{
  TachoMessage *message = data;

  g_free (message->content);
  g_free (message);
}

/**
 * tacho_generate_request_new:
 * @model: (nullable): the model's id
 *
 * Returns: (transfer full): a streaming chat with no message and no parameter set
 */
TachoGenerateRequest *
tacho_generate_request_new (const char *model)
{
  TachoGenerateRequest *request = g_new0 (TachoGenerateRequest, 1);

  request->model = g_strdup (model);
  request->messages = g_ptr_array_new_with_free_func (message_free);
  request->stream = TRUE;
  request->max_tokens = -1;
  request->temperature = NAN;
  request->top_p = NAN;
  request->seed = -1;
  request->min_tokens = -1;
  return request;
}

/**
 * tacho_generate_request_copy:
 * @request: a request
 *
 * Returns: (transfer full): a deep copy
 */
TachoGenerateRequest *
tacho_generate_request_copy (const TachoGenerateRequest *request)
{
  TachoGenerateRequest *copy;

  g_return_val_if_fail (request != NULL, NULL);

  copy = g_memdup2 (request, sizeof *request);
  copy->model = g_strdup (request->model);
  copy->prompt = g_strdup (request->prompt);
  copy->stop = g_strdupv (request->stop);
  copy->messages = g_ptr_array_new_with_free_func (message_free);
  for (guint i = 0; i < request->messages->len; i++)
    {
      const TachoMessage *message = g_ptr_array_index (request->messages, i);

      tacho_generate_request_add_message (copy, message->role, message->content);
    }
  return copy;
}

/**
 * tacho_generate_request_free:
 * @request: (nullable) (transfer full): a request
 */
void
tacho_generate_request_free (TachoGenerateRequest *request)
{
  if (request == NULL)
    return;
  g_free (request->model);
  g_free (request->prompt);
  g_strfreev (request->stop);
  g_ptr_array_unref (request->messages);
  g_free (request);
}

/**
 * tacho_generate_request_add_message:
 * @request: a request
 * @role: who says it
 * @content: what is said
 *
 * Appends a copy of one message to the conversation.
 */
void
tacho_generate_request_add_message (TachoGenerateRequest *request,
                                    TachoRole role,
                                    const char *content)
{
  TachoMessage *message;

  g_return_if_fail (request != NULL);
  g_return_if_fail (content != NULL);

  message = g_new (TachoMessage, 1);
  message->role = role;
  message->content = g_strdup (content);
  g_ptr_array_add (request->messages, message);
}

static gboolean
check_text (const char *text, const char *what, GError **error)
{
  if (text == NULL || text[0] == '\0')
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "%s is empty; write some text first",
                 what);
  else if (!g_utf8_validate (text, -1, NULL))
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "%s is not valid UTF-8", what);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_texts (const TachoGenerateRequest *request, GError **error)
{
  if (request->model != NULL && !check_text (request->model, "The model's name", error))
    return FALSE;
  if (request->raw && !check_text (request->prompt, "The prompt", error))
    return FALSE;
  if (!request->raw && request->messages->len == 0)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                   "The conversation has no message; write some text first");
      return FALSE;
    }
  for (guint i = 0; !request->raw && i < request->messages->len; i++)
    {
      const TachoMessage *message = g_ptr_array_index (request->messages, i);
      g_autofree char *what = g_strdup_printf ("Message %u", i + 1);

      if (message->role > TACHO_ROLE_ASSISTANT)
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID, "%s has an unknown role", what);
          return FALSE;
        }
      if (!check_text (message->content, what, error))
        return FALSE;
    }
  for (guint i = 0; request->stop != NULL && request->stop[i] != NULL; i++)
    if (!check_text (request->stop[i], "A stop sequence", error))
      return FALSE;
  return TRUE;
}

/**
 * tacho_generate_request_validate:
 * @request: a request
 * @error: return location
 *
 * Refuses what no server could mean: a conversation or prompt without text, text that is not UTF-8,
 * a temperature outside 0..2, a top_p outside 0..1 or equal to 0 (an empty nucleus; servers differ
 * between refusing it and taking it for greedy, which temperature 0 says plainly), less than one
 * token.
 *
 * Returns: %TRUE, or %FALSE with %TACHO_ERROR_INVALID
 */
gboolean
tacho_generate_request_validate (const TachoGenerateRequest *request, GError **error)
{
  g_return_val_if_fail (request != NULL, FALSE);

  if (!check_texts (request, error))
    return FALSE;
  if (!isnan (request->temperature) && !(request->temperature >= 0 && request->temperature <= 2))
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "The temperature is %g; it must lie between 0 and 2", request->temperature);
  else if (!isnan (request->top_p) && !(request->top_p > 0 && request->top_p <= 1))
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "top_p is %g; it must be more than 0 and at most 1", request->top_p);
  else if (request->max_tokens != -1 && request->max_tokens < 1)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "max_tokens is %" G_GINT64_FORMAT "; it must be at least 1", request->max_tokens);
  else if (request->min_tokens != -1 && request->min_tokens < 0)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "min_tokens is %" G_GINT64_FORMAT "; it must not be negative",
                 request->min_tokens);
  else if (request->max_tokens != -1 && request->min_tokens > request->max_tokens)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "min_tokens (%" G_GINT64_FORMAT ") is more than max_tokens (%" G_GINT64_FORMAT ")",
                 request->min_tokens, request->max_tokens);
  else if (request->seed < -1)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
                 "The seed is %" G_GINT64_FORMAT "; it must not be negative", request->seed);
  else
    return TRUE;
  return FALSE;
}

/**
 * tacho_usage_clear:
 * @usage: (out): counts, all set to "the server did not say"
 */
void
tacho_usage_clear (TachoUsage *usage)
{
  g_return_if_fail (usage != NULL);

  *usage = (TachoUsage){ -1, -1, -1, -1 };
}

/**
 * tacho_timings_clear:
 * @timings: (out): times, all set to "the server did not say"
 */
void
tacho_timings_clear (TachoTimings *timings)
{
  g_return_if_fail (timings != NULL);

  *timings = (TachoTimings){
    .prompt_n = -1, .prompt_ms = NAN, .cached_n = -1, .predicted_n = -1, .predicted_ms = NAN
  };
}

/**
 * tacho_generate_reply_free:
 * @reply: (nullable) (transfer full): a reply
 */
void
tacho_generate_reply_free (TachoGenerateReply *reply)
{
  if (reply == NULL)
    return;
  g_free (reply->response_id);
  g_free (reply->model);
  g_free (reply->content);
  g_free (reply->reasoning);
  g_free (reply->finish_reason);
  g_free (reply);
}
