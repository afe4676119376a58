/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The probe of each family, fed with arbitrary replies: it ends after few questions, with an API or
 * with clean words. The replies stand one after the other: status, length, body. */
#include "tacho-fuzz-apis.h"

#include "api/tacho-api-probe.h"

#define MAX_QUESTIONS 32

typedef struct
{
  const uint8_t *data;
  gsize size;
} Rest;

/* The last one is given again and again once all were taken. */
static TachoHttpReply *
next_reply (Rest *rest, TachoHttpReply *last)
{
  static const guint statuses[] = { 200, 200, 200, 301, 401, 403, 404, 405, 429, 500, 503 };
  g_autoptr (GBytes) body = NULL;
  TachoHttpReply *reply;
  gsize length;
  guint status;

  if (rest->size < 3 && last != NULL)
    return last;
  tacho_http_reply_free (last);
  status = rest->size > 0 ? rest->data[0] : 0;
  length = rest->size > 2 ? rest->data[1] * 256u + rest->data[2] : 0;
  rest->data += MIN (rest->size, 3);
  rest->size -= MIN (rest->size, 3);
  length = MIN (length, rest->size);
  body = g_bytes_new (rest->data, length);
  rest->data += length;
  rest->size -= length;
  reply = tacho_http_reply_new (statuses[(status & 0xf) % G_N_ELEMENTS (statuses)], body);
  if ((status & 0x10) != 0)
    tacho_http_reply_add_header (reply, "Server", "llama.cpp");
  if ((status & 0x20) != 0)
    tacho_http_reply_add_header (reply, "Server", "tacho-sim/1\x1b");
  if ((status & 0x40) != 0)
    tacho_http_reply_add_header (reply, "grpc-status", (status & 0x80) != 0 ? "12" : "0");
  return reply;
}

static void
run (const char *family, gboolean grpc, const uint8_t *data, gsize size)
{
  g_autoptr (TachoApiProbe) probe =
      grpc ? tacho_api_probe_new_grpc (family, NULL) : tacho_api_probe_new (family, NULL);
  g_autoptr (TachoApi) api = NULL;
  g_autoptr (TachoHttpReply) reply = NULL;
  const char *const *evidence;
  Rest rest = { data, size };
  GError *error = NULL;

  TACHO_FUZZ_CHECK (probe != NULL || grpc);
  if (probe == NULL) /* not every family is spoken over gRPC */
    return;
  for (guint n = 0;; n++)
    {
      g_autoptr (TachoHttpRequest) request = tacho_api_probe_next (probe);

      if (request == NULL)
        break;
      TACHO_FUZZ_CHECK (n < MAX_QUESTIONS);
      TACHO_FUZZ_CHECK (request->path[0] == '/');
      reply = next_reply (&rest, reply);
      tacho_api_probe_feed (probe, reply);
    }
  api = tacho_api_probe_finish (probe, &error);
  tacho_fuzz_check_error (api != NULL, error);
  if (api != NULL)
    {
      g_autofree char *words = tacho_api_describe (api);

      TACHO_FUZZ_CHECK (g_utf8_validate (words, -1, NULL) && strpbrk (words, "\x1b\n") == NULL);
    }
  evidence = tacho_api_probe_get_evidence (probe);
  for (gsize i = 0; evidence[i] != NULL; i++)
    TACHO_FUZZ_CHECK (g_utf8_validate (evidence[i], -1, NULL) &&
                      strpbrk (evidence[i], "\x1b\n\r") == NULL);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *const *families = tacho_api_families ();

  for (gsize i = 0; families[i] != NULL; i++)
    {
      run (families[i], FALSE, data, size);
      run (families[i], TRUE, data, size);
    }
  return 0;
}
