/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked of a model, and what comes back: values shared by every family and transport. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  TACHO_ROLE_SYSTEM,
  TACHO_ROLE_USER,
  TACHO_ROLE_ASSISTANT,
} TachoRole;

typedef struct
{
  TachoRole role;
  char *content;
} TachoMessage;

/* A value that was not set is not sent: NaN for doubles, -1 for integers, NULL for strings. */
typedef struct
{
  char *model;
  gboolean raw;        /* raw completion of `prompt` instead of a chat over `messages` */
  GPtrArray *messages; /* of TachoMessage */
  char *prompt;
  gboolean stream;
  gint64 max_tokens;
  double temperature; /* 0..2 */
  double top_p;       /* 0..1 */
  gint64 seed;
  char **stop;         /* NULL-terminated, or NULL */
  gboolean ignore_eos; /* sent only to families that know it */
  gint64 min_tokens;
  gboolean
      return_progress; /* ask for prompt-reading progress where the family has it (llama.cpp) */
} TachoGenerateRequest;

TachoGenerateRequest *
tacho_generate_request_new (const char *model) G_GNUC_WARN_UNUSED_RESULT; /* chat, streaming */
TachoGenerateRequest *
tacho_generate_request_copy (const TachoGenerateRequest *request) G_GNUC_WARN_UNUSED_RESULT;
void tacho_generate_request_free (TachoGenerateRequest *request);
void tacho_generate_request_add_message (TachoGenerateRequest *request,
                                         TachoRole role,
                                         const char *content);
/* Refuses what no server could mean: empty text, bad UTF-8, ranges. TACHO_ERROR_INVALID. */
gboolean tacho_generate_request_validate (const TachoGenerateRequest *request, GError **error);

/* Counts are -1 where the server did not say. */
typedef struct
{
  gint64 prompt_tokens;
  gint64 output_tokens;
  gint64 cached_tokens;
  gint64 reasoning_tokens;
} TachoUsage;

/* The server's own clock, in milliseconds; NaN / -1 where it did not say (llama.cpp `timings`). */
typedef struct
{
  gint64 prompt_n;
  double prompt_ms;
  gint64 cached_n;
  gint64 predicted_n;
  double predicted_ms;
} TachoTimings;

void tacho_usage_clear (TachoUsage *usage);
void tacho_timings_clear (TachoTimings *timings);

/* One thing that a stream said. Fields not said are NULL / FALSE. Valid during the callback only.
 */
typedef struct
{
  /* Always set, in both decode modes. A role-only or empty delta sets none of them. */
  gboolean has_content;
  gboolean has_reasoning;
  gboolean has_tool;
  gboolean done; /* the terminal marker: [DONE], "done":true */
  gboolean more; /* the server says that this is not the last: an end now is a cut */
  gboolean has_usage;
  gboolean usage_adds; /* output counts are of this event alone; the decoder sums them up */
  TachoUsage usage;
  gboolean has_timings;
  TachoTimings timings;
  GError *error;           /* in-band error (TACHO_ERROR_IN_BAND, the server's words) */
  const char *response_id; /* the `id` the server gave its reply */
  /* Only in TACHO_DECODE_FULL. */
  const char *content;
  const char *reasoning;
  const char *role;
  const char *finish_reason;
  int tool_index; /* -1: none */
  const char *tool_id;
  const char *tool_name;
  const char *tool_arguments;
  double prompt_progress; /* 0..1; NaN: not said */
  gint64 prompt_total;    /* tokens of the prompt, with prompt_progress; else -1 */
} TachoStreamEvent;

/* The whole of a reply that was not streamed. */
typedef struct
{
  char *response_id;
  char *model;
  char *content;
  char *reasoning;
  char *finish_reason;
  gboolean has_usage;
  TachoUsage usage;
  gboolean has_timings;
  TachoTimings timings;
} TachoGenerateReply;

void tacho_generate_reply_free (TachoGenerateReply *reply);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoGenerateRequest, tacho_generate_request_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoGenerateReply, tacho_generate_reply_free)

G_END_DECLS
