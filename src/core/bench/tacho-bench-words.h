/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which words a server's tokenizer takes as one token each: synthetic prompts made of them have
 * exactly the length that was asked for. */
#pragma once

#include "service/tacho-client-manager.h"

G_BEGIN_DECLS

/* A few short requests to the tokenizer endpoint, before a run. */
void tacho_bench_words_async (TachoClientManager *manager,
                              TachoApi *api,
                              const char *model,
                              GCancellable *cancellable,
                              GAsyncReadyCallback callback,
                              gpointer user_data);
/* (transfer full) of char *; NULL: the tokenizer cannot tell, or knows too few of them. */
GPtrArray *tacho_bench_words_finish (GAsyncResult *result, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
