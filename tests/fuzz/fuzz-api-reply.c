/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every parser of a whole reply, and the probe: a result or an error with bounded, clean words. */
#include "tacho-fuzz.h"

#include <string.h>

#include "api/tacho-api-llamacpp.h"
#include "api/tacho-api-openai.h"
#include "api/tacho-api-probe.h"

static void
check (gboolean good, GError *error)
{
  g_assert_true (good == (error == NULL));
  if (error == NULL)
    return;
  g_assert_cmpuint (strlen (error->message), <, 8192);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_assert_null (strchr (error->message, '\x1b'));
  g_error_free (error);
}

static void
parse_all (TachoApi *api, const TachoHttpReply *reply)
{
  GError *error = NULL;
  TachoHealth health;

  {
    g_autoptr (GPtrArray) models = tacho_api_parse_models (api, reply, &error);

    check (models != NULL, g_steal_pointer (&error));
  }
  {
    g_autoptr (TachoModelInfo) info = tacho_api_parse_model (api, "a", reply, &error);

    check (info != NULL, g_steal_pointer (&error));
  }
  {
    g_autoptr (TachoGenerateReply) result =
        tacho_api_parse_generate (api, TACHO_OP_CHAT, reply, &error);

    check (result != NULL, g_steal_pointer (&error));
  }
  {
    g_autoptr (GArray) slots = tacho_api_parse_slots (api, reply, &error);

    check (slots != NULL, g_steal_pointer (&error));
  }
  check (tacho_api_parse_health (api, reply, &health, &error), g_steal_pointer (&error));
  check (tacho_api_parse_change (api, TACHO_OP_LOAD_MODEL, "a", reply, &error),
         g_steal_pointer (&error));
  check (tacho_api_parse_tokenize (api, reply, &error) >= 0, g_steal_pointer (&error));
  check (FALSE, tacho_api_error_from_reply (reply));
}

static void
probe (const TachoHttpReply *reply)
{
  g_autoptr (TachoApiProbe) it = tacho_api_probe_new ("auto", NULL);
  g_autoptr (TachoApi) api = NULL;
  GError *error = NULL;

  for (guint n = 0;; n++)
    {
      g_autoptr (TachoHttpRequest) request = tacho_api_probe_next (it);

      if (request == NULL)
        break;
      g_assert_cmpuint (n, <, 4);
      tacho_api_probe_feed (it, reply);
    }
  api = tacho_api_probe_finish (it, &error);
  check (api != NULL, error);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const guint statuses[] = { 200, 200, 200, 301, 400, 401, 404, 429, 500, 501, 503 };
  static TachoApi *apis[3];
  g_autoptr (TachoHttpReply) reply = NULL;
  g_autoptr (GBytes) body = NULL;

  if (apis[0] == NULL)
    {
      apis[0] = tacho_api_openai_new ();
      apis[1] = tacho_api_llamacpp_new (FALSE, NULL);
      apis[2] = tacho_api_llamacpp_new (TRUE, "b1");
    }
  if (size < 1)
    return 0;
  body = g_bytes_new (data + 1, size - 1);
  reply = tacho_http_reply_new (statuses[data[0] % G_N_ELEMENTS (statuses)], body);
  for (gsize i = 0; i < G_N_ELEMENTS (apis); i++)
    parse_all (apis[i], reply);
  probe (reply);
  return 0;
}
