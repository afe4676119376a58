/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words, icons and numbers as a person reads them: every state has an icon and a word. */
#pragma once

#include <gtk/gtk.h>
#include "base/tacho-error.h"
#include "service/tacho-client-manager.h"
#include "service/tacho-model.h"

G_BEGIN_DECLS

typedef struct
{
  const char *icon;      /* icon name */
  const char *words;     /* translated */
  const char *css_class; /* colour, never the only sign */
} TachoDisplayState;

TachoDisplayState tacho_display_model_state (TachoModelStatus status);
const char *tacho_display_endpoint_state (TachoEndpointState state); /* "down" */
TachoDisplayState tacho_display_connection_state (TachoConnectionState state);
/* Takes the old state's colour class off and puts the new one on. */
void tacho_display_set_class (GtkWidget *widget, const char *css_class);

void tacho_display_show_whole (GtkLabel *label);

char *tacho_display_model_status (TachoModel *model) G_GNUC_WARN_UNUSED_RESULT; /* "Loading 42 %" */
char *tacho_display_join (GPtrArray *parts) G_GNUC_WARN_UNUSED_RESULT;
char *tacho_display_model_summary (TachoModel *model)
    G_GNUC_WARN_UNUSED_RESULT; /* "Q4_K_M · 7.2 B · …" */
char *tacho_display_model_kind (const char *kind) G_GNUC_WARN_UNUSED_RESULT; /* "Embedding" */
char *tacho_display_context (gint64 tokens) G_GNUC_WARN_UNUSED_RESULT; /* "32K" */
char *tacho_display_ms (double ms) G_GNUC_WARN_UNUSED_RESULT;        /* "12.3 ms"; "—" for NaN */
char *tacho_display_number (double value) G_GNUC_WARN_UNUSED_RESULT; /* three significant digits */
char *tacho_display_duration (double seconds) G_GNUC_WARN_UNUSED_RESULT; /* "1 min 5 s" */
const char *tacho_display_error_class (TachoErrorCode code);
const char *tacho_display_finish_reason (const char *reason);
/* "Simulated server", "host:8080" */
char *tacho_display_url_name (const char *url) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
