/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every report of a run says, before it is put into a format. */
#pragma once

#include "bench/tacho-bench-result.h"

G_BEGIN_DECLS

/* Warnings that stand at the head: simulated, interrupted, distorted, voided. (transfer full) */
char **tacho_report_banners (TachoBenchResult *result) G_GNUC_WARN_UNUSED_RESULT;
/* Pairs of name and value: target, load, lengths, window, throughput. (transfer full) */
char **tacho_report_facts (TachoBenchResult *result) G_GNUC_WARN_UNUSED_RESULT;
/* "12.3", "1234", "–". (transfer full) */
char *tacho_report_ms (double ms) G_GNUC_WARN_UNUSED_RESULT;
/* "12.3 (11.9 to 12.8)", with "~" in front where the sample is too small. (transfer full) */
char *tacho_report_percentile (const TachoPercentile *percentile) G_GNUC_WARN_UNUSED_RESULT;
/* Metrics that a report of this run shows. */
gboolean tacho_report_shows (const TachoBenchResult *result, guint metric);

G_END_DECLS
