/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run in a list. */
#define G_LOG_DOMAIN "tacho"

#include "store/tacho-history-private.h"

struct _TachoHistoryEntry
{
  GObject parent_instance;

  TachoHistoryRow *row;
};

G_DEFINE_FINAL_TYPE (TachoHistoryEntry, tacho_history_entry, G_TYPE_OBJECT)

void
tacho_history_row_free (TachoHistoryRow *row)
{
  if (row == NULL)
    return;
  g_free (row->id);
  g_free (row->started);
  g_free (row->model);
  g_free (row->url);
  g_free (row->family);
  g_free (row->load);
  g_free (row->tags);
  g_free (row->notes);
  g_free (row);
}

static void
tacho_history_entry_finalize (GObject *object)
{
  tacho_history_row_free (TACHO_HISTORY_ENTRY (object)->row);

  G_OBJECT_CLASS (tacho_history_entry_parent_class)->finalize (object);
}

static void
tacho_history_entry_class_init (TachoHistoryEntryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tacho_history_entry_finalize;
}

static void
tacho_history_entry_init (TachoHistoryEntry *self)
{
}

TachoHistoryEntry *
tacho_history_entry_new (TachoHistoryRow *row)
{
  TachoHistoryEntry *self = g_object_new (TACHO_TYPE_HISTORY_ENTRY, NULL);

  self->row = row;
  return self;
}

/**
 * tacho_history_entry_get_row:
 * @self: an entry
 *
 * Returns: (transfer none): what is known of the run without reading it
 */
const TachoHistoryRow *
tacho_history_entry_get_row (TachoHistoryEntry *self)
{
  g_return_val_if_fail (TACHO_IS_HISTORY_ENTRY (self), NULL);
  return self->row;
}

/**
 * tacho_run_state_to_string:
 * @state: a state
 *
 * Returns: its name in files
 */
const char *
tacho_run_state_to_string (TachoRunState state)
{
  static const char *const names[] = { "running", "done", "interrupted" };

  return names[MIN ((gsize) state, G_N_ELEMENTS (names) - 1)];
}
