/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any text as a conversation to import: read or refused, and what is read goes out and comes back
 * as it was. Its texts are searched as well, as a person would. */
#include "tacho-fuzz.h"

#include "base/tacho-json.h"
#include "store/tacho-conversation-document.h"
#include "store/tacho-search-words-private.h"

static void
search (const char *text)
{
  g_autoptr (GPtrArray) words = tacho_search_words_parse (text);
  g_autofree char *separated = tacho_search_words_separate (text);

  for (guint i = 0; i < words->len; i++)
    {
      const TachoSearchWord *word = g_ptr_array_index (words, i);
      g_autofree char *snippet = tacho_search_words_snippet (text, word->needle);

      /* A word of the text stands in the text. */
      TACHO_FUZZ_CHECK (*word->needle == '\0' || tacho_search_words_find (text, word->needle) >= 0);
      TACHO_FUZZ_CHECK (g_utf8_validate (snippet, -1, NULL));
    }
  TACHO_FUZZ_CHECK (separated == NULL || g_utf8_validate (separated, -1, NULL));
}

static void
check (const TachoConversationDocument *document)
{
  g_autofree char *markdown = tacho_conversation_document_to_markdown (document);
  g_autoptr (JsonNode) node = tacho_conversation_document_to_json (document);
  g_autofree char *once = tacho_json_to_string (node, FALSE);
  g_autoptr (TachoConversationDocument) again =
      tacho_conversation_document_from_json (once, strlen (once), NULL);
  g_autoptr (JsonNode) node_again = NULL;
  g_autofree char *twice = NULL;

  TACHO_FUZZ_CHECK (again != NULL && g_utf8_validate (markdown, -1, NULL));
  node_again = tacho_conversation_document_to_json (again);
  twice = tacho_json_to_string (node_again, FALSE);
  TACHO_FUZZ_CHECK (g_str_equal (once, twice));
  for (guint i = 0; i < document->messages->len; i++)
    search (((TachoConversationMessage *) document->messages->pdata[i])->text);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, size_t size)
{
  g_autoptr (TachoConversationDocument) document =
      tacho_conversation_document_from_json ((const char *) data, size, NULL);

  if (document != NULL)
    check (document);
  return 0;
}
