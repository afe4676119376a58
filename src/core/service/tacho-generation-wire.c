/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What went over the wire for a generation, for a person who wants to see it. Bodies only: headers
 * hold secrets. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-generation-private.h"

void
tacho_attempt_free (gpointer data)
{
  TachoAttempt *attempt = data;

  g_free (attempt->target);
  g_free (attempt->error);
  g_free (attempt->decision);
  g_free (attempt->method);
  g_free (attempt->path);
  g_clear_pointer (&attempt->request, g_bytes_unref);
  if (attempt->reply != NULL)
    g_string_free (attempt->reply, TRUE);
  g_free (attempt);
}

static TachoAttempt *
last_attempt (TachoGeneration *self)
{
  GPtrArray *attempts = tacho_generation_get_attempts (self);

  return attempts->len > 0 ? g_ptr_array_index (attempts, attempts->len - 1) : NULL;
}

/**
 * tacho_generation_keep_request:
 * @self: a generation whose attempt was begun
 * @request: what is sent
 *
 * Keeps it with the attempt.
 */
void
tacho_generation_keep_request (TachoGeneration *self, const TachoHttpRequest *request)
{
  TachoAttempt *attempt = last_attempt (self);

  if (attempt == NULL || attempt->method != NULL)
    return;
  attempt->method = g_strdup (request->method);
  attempt->path = g_strdup (request->path);
  attempt->request = request->body != NULL ? g_bytes_ref (request->body) : NULL;
}

/**
 * tacho_generation_keep_reply:
 * @self: a generation whose attempt was begun
 * @data: (array length=length): bytes that came
 * @length: how many
 *
 * Keeps them with the attempt, up to %TACHO_ATTEMPT_MAX_REPLY.
 */
void
tacho_generation_keep_reply (TachoGeneration *self, const char *data, gsize length)
{
  TachoAttempt *attempt = last_attempt (self);
  gsize room;

  if (attempt == NULL)
    return;
  if (attempt->reply == NULL)
    attempt->reply = g_string_new (NULL);
  room = TACHO_ATTEMPT_MAX_REPLY - attempt->reply->len;
  attempt->reply_cut = attempt->reply_cut || length > room;
  g_string_append_len (attempt->reply, data, (gssize) MIN (length, room));
}
