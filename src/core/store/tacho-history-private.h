/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The innards of the history. */
#pragma once

#include "store/tacho-history.h"

#include "store/tacho-database-private.h"

G_BEGIN_DECLS

struct _TachoHistory
{
  GObject parent_instance;

  TachoDatabase *base;
};

TachoHistoryEntry *tacho_history_entry_new (TachoHistoryRow *row); /* takes the row */
void tacho_history_row_free (TachoHistoryRow *row);

G_END_DECLS
