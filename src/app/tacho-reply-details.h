/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a reply came: attempts, times, and what went over the wire. */
#pragma once

#include <gtk/gtk.h>

#include "service/tacho-generation.h"

G_BEGIN_DECLS

void tacho_reply_details_show (GtkWindow *parent, TachoGeneration *generation);
/* The same request in a terminal; secrets are left for the person to fill in. NULL: it was not
 * HTTP. */
char *tacho_reply_details_dup_curl (const TachoAttempt *attempt) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
