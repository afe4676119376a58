/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The figures of one reply: taken when it ends, kept with it, said in a line. */
#pragma once

#include "service/tacho-generation.h"

G_BEGIN_DECLS

/* NaN and -1: not known. */
typedef struct
{
  double ttft_ms;
  double total_ms;
  gint64 prompt_tokens;
  double read_s;          /* reading the prompt */
  gboolean read_measured; /* by the server; else it is the TTFT, waiting included */
  gint64 output_tokens;
  double write_s;     /* from the first token to the last */
  gboolean estimated; /* tokens were counted by chunks */
  double thought_s;
  gint64 context; /* what fits, in tokens */
  gboolean simulated;
  gboolean grpc;
  guint attempts;
  char finish[64]; /* why it ended, in the server's word; "": not said */
} TachoReplyStats;

void tacho_reply_stats_take (TachoReplyStats *stats,
                             TachoGeneration *generation,
                             gboolean simulated,
                             gint64 context,
                             double thought_s);
char *tacho_reply_stats_to_json (const TachoReplyStats *stats) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_reply_stats_from_json (TachoReplyStats *stats, const char *json);
char *tacho_reply_stats_to_words (const TachoReplyStats *stats) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
