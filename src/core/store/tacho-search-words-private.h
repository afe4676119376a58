/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a person types to find a text: words, no syntax. Case and accents do not matter, the end of
 * a word may be missing. Pure functions. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  char *match;  /* for FTS5: quoted; NULL: no tokenizer would find it (emoji, "C++") */
  char *needle; /* to be looked for as it is */
} TachoSearchWord;

/* (element-type TachoSearchWord): at most 16. */
GPtrArray *tacho_search_words_parse (const char *text) G_GNUC_WARN_UNUSED_RESULT;
/* For the index: characters of scripts that put no blanks between words are made words. NULL: the
 * text needs no change. */
char *tacho_search_words_separate (const char *text) G_GNUC_WARN_UNUSED_RESULT;
/* Where it stands in the text, best at the beginning of a word; -1: nowhere. */
gssize tacho_search_words_find (const char *text, const char *needle);
/* One line around that place, safe to show; empty if it stands nowhere. */
char *tacho_search_words_snippet (const char *text, const char *needle) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
