/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Service-level objectives of one request ("ttft<500ms,itl<50ms") and assertions over a finished
 * run ("p99(ttft_ms)<2000"). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _TachoSlo TachoSlo;

TachoSlo *tacho_slo_parse (const char *text,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT; /* TACHO_ERROR_INVALID */
void tacho_slo_free (TachoSlo *slo);
/* NaN for a metric that this request does not define (itl of one token): that bound then holds. */
gboolean
tacho_slo_met (const TachoSlo *slo, double ttft_ms, double e2e_ms, double itl_ms, double tpot_ms);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoSlo, tacho_slo_free)

G_END_DECLS
