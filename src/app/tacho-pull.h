/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fetching of one model as the window shows it: words, rate, time left, and how it ended.
 * Signal: "changed" (). */
#pragma once

#include "app/tacho-connection.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_PULL_RUNNING,
  TACHO_PULL_DONE,
  TACHO_PULL_FAILED,
  TACHO_PULL_CANCELLED,
} TachoPullState;

#define TACHO_TYPE_PULL (tacho_pull_get_type ())
G_DECLARE_FINAL_TYPE (TachoPull, tacho_pull, TACHO, PULL, GObject)

TachoPull *tacho_pull_new (TachoConnection *connection, const char *id) G_GNUC_WARN_UNUSED_RESULT;
void tacho_pull_start (TachoPull *self); /* again, after a failure */
void tacho_pull_cancel (TachoPull *self);
const char *tacho_pull_get_id (TachoPull *self);
TachoPullState tacho_pull_get_state (TachoPull *self);
double tacho_pull_get_fraction (TachoPull *self); /* NaN: not told */
char *tacho_pull_describe (TachoPull *self) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
