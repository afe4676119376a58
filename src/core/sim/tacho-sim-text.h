/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words: readable text from a seed, which says that it is simulated; and a simple tokenizer. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

guint64 tacho_sim_mix (guint64 value); /* splitmix64's finaliser: a seed's good neighbour */

typedef struct
{
  guint64 state;
  guint sentence; /* how many were begun */
  guint word;     /* next word of the sentence */
  guint n_words;
  const char *words[16];
} TachoSimText;

void tacho_sim_text_init (TachoSimText *text, guint64 seed);
/* Appends one token (a word with what stands before and behind it); TRUE at the end of a sentence.
 */
gboolean tacho_sim_text_next (TachoSimText *text, GString *out);

/* Appends a hash for each token: one a word, more for very long words. */
void tacho_sim_tokenize (const char *text, GArray *tokens /* of guint32 */);
void tacho_sim_json_quote (GString *out, const char *text);

G_END_DECLS
