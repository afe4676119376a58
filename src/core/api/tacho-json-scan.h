/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hot path of a measurement: one chunk of the OpenAI shape, without allocation. */
#pragma once

#include "api/tacho-generate.h"

G_BEGIN_DECLS

/* TRUE: `text` is strict JSON, and the always-set part of `event` is what the full reading gives;
 * the id, if any, is *id of *id_length bytes. FALSE: anything unusual or wrong, to be read in full.
 * `text` is NUL-terminated after `length` bytes. */
gboolean tacho_json_scan_chunk (const char *text,
                                gsize length,
                                TachoStreamEvent *event,
                                const char **id,
                                gsize *id_length);

G_END_DECLS
