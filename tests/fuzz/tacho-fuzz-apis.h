/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One API of each family and framing, made once, for the targets that try them all. */
#pragma once

#include "tacho-fuzz.h"

#include "api/tacho-api-llamacpp.h"
#include "api/tacho-api-lmstudio.h"
#include "api/tacho-api-oip.h"
#include "api/tacho-api-ollama.h"
#include "api/tacho-api-openai.h"
#include "api/tacho-api-responses.h"
#include "api/tacho-api-ryzanstein.h"

#define TACHO_FUZZ_MAX_WORDS 8192

/* (transfer none) (array zero-terminated=1) */
static inline TachoApi *const *
tacho_fuzz_apis (void)
{
  static const char *const extensions[] = { "model_repository", "model_configuration", "statistics",
                                            "generate", NULL };
  static TachoApi *apis[18];
  guint n = 0;

  if (apis[0] != NULL)
    return apis;
  apis[n++] = tacho_api_openai_new ();
  apis[n++] = tacho_api_openai_new_dialect (TACHO_OPENAI_DIALECT_VLLM, "0.6");
  apis[n++] = tacho_api_openai_new_dialect (TACHO_OPENAI_DIALECT_SGLANG, NULL);
  apis[n++] = tacho_api_openai_new_dialect (TACHO_OPENAI_DIALECT_TGI, "3.0");
  apis[n++] = tacho_api_llamacpp_new (FALSE, NULL);
  apis[n++] = tacho_api_llamacpp_new (TRUE, "b1");
  apis[n++] = tacho_api_ollama_new ("0.5");
  apis[n++] = tacho_api_lmstudio_new (FALSE);
  apis[n++] = tacho_api_lmstudio_new (TRUE);
  apis[n++] = tacho_api_oip_new (TACHO_PROTOCOL_REST, extensions, "triton", "2.5");
  apis[n++] = tacho_api_oip_new (TACHO_PROTOCOL_REST, NULL, "kserve", NULL);
  apis[n++] = tacho_api_oip_new (TACHO_PROTOCOL_GRPC, extensions, "triton", "2.5");
  apis[n++] = tacho_api_oip_new (TACHO_PROTOCOL_GRPC, NULL, "kserve", NULL);
  apis[n++] = tacho_api_ryzanstein_new (TACHO_PROTOCOL_REST, NULL);
  apis[n++] = tacho_api_ryzanstein_new (TACHO_PROTOCOL_GRPC, "1");
  apis[n++] = tacho_api_responses_new ();
  g_assert (n < G_N_ELEMENTS (apis));
  return apis;
}

/* A result or an error, whose words are bounded, clean and UTF-8. Takes the error. */
static inline void
tacho_fuzz_check_error (gboolean good, GError *error)
{
  TACHO_FUZZ_CHECK (good == (error == NULL));
  if (error == NULL)
    return;
  TACHO_FUZZ_CHECK (error->message[0] != '\0');
  TACHO_FUZZ_CHECK (strlen (error->message) < TACHO_FUZZ_MAX_WORDS);
  TACHO_FUZZ_CHECK (g_utf8_validate (error->message, -1, NULL));
  TACHO_FUZZ_CHECK (strchr (error->message, '\x1b') == NULL);
  g_error_free (error);
}
