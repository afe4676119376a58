/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What passes as a URL or a header holds nothing that could end a line on the wire. */
#include "tacho-fuzz.h"

#include "base/tacho-url.h"

static void
check_wire (const char *text, gboolean tab)
{
  for (; *text != '\0'; text++)
    TACHO_FUZZ_CHECK (((guchar) *text >= 0x20 && *text != 0x7f) || (tab && *text == '\t'));
}

static void
check_url (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *url = tacho_url_normalize (text, &error);
  g_autofree char *again = NULL;
  g_autofree char *origin = NULL;

  TACHO_FUZZ_CHECK ((url == NULL) == (error != NULL));
  if (url == NULL)
    {
      TACHO_FUZZ_CHECK (g_utf8_validate (error->message, -1, NULL));
      return;
    }
  check_wire (url, FALSE);
  TACHO_FUZZ_CHECK (g_utf8_validate (url, -1, NULL));
  tacho_url_is_loopback (url);
  if (tacho_url_is_sim (url))
    return;
  TACHO_FUZZ_CHECK (g_str_has_prefix (url, "http://") || g_str_has_prefix (url, "https://"));
  TACHO_FUZZ_CHECK (g_str_is_ascii (url));
  again = tacho_url_normalize (url, NULL);
  TACHO_FUZZ_CHECK (again != NULL);
  TACHO_FUZZ_CHECK (g_str_has_prefix (url, again));
  origin = tacho_url_origin (url);
  TACHO_FUZZ_CHECK (origin != NULL);
  check_wire (origin, FALSE);
}

static void
check_header (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *name = NULL;
  g_autofree char *value = NULL;

  if (!tacho_header_parse (text, &name, &value, &error))
    {
      TACHO_FUZZ_CHECK (error != NULL && name == NULL && value == NULL);
      return;
    }
  check_wire (name, FALSE);
  check_wire (value, TRUE);
  TACHO_FUZZ_CHECK (strpbrk (name, " :()<>@,;\\\"/[]?={}") == NULL && *name != '\0');
  TACHO_FUZZ_CHECK (tacho_header_check (name, value, NULL));
  tacho_header_is_secret (name);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);

  check_url (text);
  check_header (text);
  return 0;
}
