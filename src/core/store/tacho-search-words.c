/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words to find, and where they stand. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-search-words-private.h"

#include "base/tacho-text.h"

#include <string.h>

#define MAX_WORDS 16
#define MAX_WORD_BYTES 400
#define CHARS_BEFORE 30
#define CHARS_SHOWN 120

static void
word_free (gpointer data)
{
  TachoSearchWord *word = data;

  g_free (word->match);
  g_free (word->needle);
  g_free (word);
}

/* Scripts whose words stand next to each other: FTS5 would take a sentence for one word. */
static gboolean
has_no_blanks (gunichar c)
{
  if (c < 0xe00 || !g_unichar_isalpha (c))
    return FALSE;
  switch (g_unichar_get_script (c))
    {
    case G_UNICODE_SCRIPT_HAN:
    case G_UNICODE_SCRIPT_HIRAGANA:
    case G_UNICODE_SCRIPT_KATAKANA:
    case G_UNICODE_SCRIPT_HANGUL:
    case G_UNICODE_SCRIPT_BOPOMOFO:
    case G_UNICODE_SCRIPT_THAI:
    case G_UNICODE_SCRIPT_LAO:
    case G_UNICODE_SCRIPT_KHMER:
    case G_UNICODE_SCRIPT_MYANMAR:
    case G_UNICODE_SCRIPT_TIBETAN:
      return TRUE;
    default:
      return FALSE;
    }
}

char *
tacho_search_words_separate (const char *text)
{
  const char *p = text;
  GString *out;

  while (*p != '\0' && !has_no_blanks (g_utf8_get_char (p)))
    p = g_utf8_next_char (p);
  if (*p == '\0')
    return NULL;
  out = g_string_new_len (text, p - text);
  while (*p != '\0')
    {
      const char *next = g_utf8_next_char (p);
      gboolean apart = has_no_blanks (g_utf8_get_char (p));

      if (apart)
        g_string_append_c (out, ' ');
      /* Marks stay with the letter that they are for. */
      while (apart && g_unichar_ismark (g_utf8_get_char (next)))
        next = g_utf8_next_char (next);
      g_string_append_len (out, p, next - p);
      if (apart)
        g_string_append_c (out, ' ');
      p = next;
    }
  return g_string_free (out, FALSE);
}

/* Symbols are no part of a word for FTS5, and often are what a person means: "C++", "a->b", "€". */
static gboolean
is_symbol (gunichar c)
{
  switch (g_unichar_type (c))
    {
    case G_UNICODE_MATH_SYMBOL:
    case G_UNICODE_CURRENCY_SYMBOL:
    case G_UNICODE_MODIFIER_SYMBOL:
    case G_UNICODE_OTHER_SYMBOL:
      return TRUE;
    default:
      return c == '#' || c == '%' || c == '@';
    }
}

/* For FTS5: a phrase of the word's parts, the last of which may go on. In quotes everything but a
 * quote is text. */
static char *
quote (const char *word)
{
  g_autofree char *separated = tacho_search_words_separate (word);
  GString *out = g_string_new ("\"");

  for (const char *p = separated != NULL ? separated : word; *p != '\0'; p++)
    g_string_append_c (out, *p == '"' ? ' ' : *p);
  g_string_append (out, "\"*");
  return g_string_free (out, FALSE);
}

static TachoSearchWord *
word_new (const char *text)
{
  TachoSearchWord *word = g_new0 (TachoSearchWord, 1);
  const char *begin = NULL; /* the first run of letters and digits */
  const char *end = NULL;
  gboolean symbols = FALSE;

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);
      gboolean is_word = g_unichar_isalnum (c) || g_unichar_ismark (c);

      symbols = symbols || is_symbol (c);
      if (is_word && begin == NULL)
        begin = p;
      else if (!is_word && begin != NULL && end == NULL)
        end = p;
    }
  if (begin == NULL || symbols)
    word->needle = g_strdup (text);
  else
    {
      word->match = quote (text);
      word->needle = end != NULL ? g_strndup (begin, (gsize) (end - begin)) : g_strdup (begin);
    }
  return word;
}

GPtrArray *
tacho_search_words_parse (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GPtrArray *words = g_ptr_array_new_with_free_func (word_free);
  const char *p = valid;

  while (*p != '\0' && words->len < MAX_WORDS)
    {
      const char *begin = p;

      while (*p != '\0' && !g_unichar_isspace (g_utf8_get_char (p)))
        p = g_utf8_next_char (p);
      if (p > begin)
        {
          gsize length = MIN ((gsize) (p - begin), MAX_WORD_BYTES);
          g_autofree char *word = NULL;

          while ((begin[length] & 0xc0) == 0x80) /* whole characters */
            length--;
          word = g_strndup (begin, length);
          g_ptr_array_add (words, word_new (word));
        }
      if (*p != '\0')
        p = g_utf8_next_char (p);
    }
  return words;
}

/* A letter without case and accents. */
static gunichar
fold (gunichar c)
{
  gunichar parts[G_UNICHAR_MAX_DECOMPOSITION_LENGTH];

  if (c < 0x80)
    return (gunichar) g_ascii_tolower ((char) c);
  g_unichar_fully_decompose (c, FALSE, parts, G_N_ELEMENTS (parts));
  return g_unichar_tolower (parts[0]);
}

static gboolean
stands_at (const char *text, const char *needle)
{
  while (*needle != '\0')
    {
      gunichar c = g_utf8_get_char (needle);
      gunichar d = g_utf8_get_char (text);

      if (g_unichar_ismark (c))
        needle = g_utf8_next_char (needle);
      else if (d != 0 && g_unichar_ismark (d))
        text = g_utf8_next_char (text);
      else if (fold (c) != fold (d))
        return FALSE;
      else
        {
          needle = g_utf8_next_char (needle);
          text = g_utf8_next_char (text);
        }
    }
  return TRUE;
}

gssize
tacho_search_words_find (const char *text, const char *needle)
{
  gunichar first = fold (g_utf8_get_char (needle));
  gboolean within = FALSE; /* a word */
  gssize found = -1;

  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if ((!within || found < 0) && fold (c) == first && stands_at (p, needle))
        {
          if (!within)
            return p - text;
          found = p - text;
        }
      within = g_unichar_isalnum (c) && !has_no_blanks (c);
    }
  return found;
}

char *
tacho_search_words_snippet (const char *text, const char *needle)
{
  gssize at = tacho_search_words_find (text, needle);
  const char *begin, *end, *p;
  g_autofree char *line = NULL;

  if (at < 0)
    return g_strdup ("");
  begin = end = text + at;
  for (guint i = 0; i < CHARS_BEFORE && begin > text; i++)
    begin = g_utf8_prev_char (begin);
  /* Whole words, where there are blanks. */
  for (p = begin; begin > text && p < text + at; p = g_utf8_next_char (p))
    if (g_unichar_isspace (g_utf8_get_char (p)))
      {
        begin = g_utf8_next_char (p);
        break;
      }
  for (guint i = 0; i < CHARS_SHOWN && *end != '\0'; i++)
    end = g_utf8_next_char (end);
  line = tacho_text_sanitize_line (begin, end - begin, 0);
  g_strstrip (line);
  return g_strconcat (begin > text ? "…" : "", line, *end != '\0' ? "…" : "", NULL);
}
