/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which models of a server are shown, and in which order: a filtered and sorted list over the
 * service's. Signal: "changed" (): the list, or whether it is still being sifted, once per turn of
 * the main loop. */
#pragma once

#include <gtk/gtk.h>
#include "service/tacho-model.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_SIEVE_SHOW, /* "all", "loaded", "not-loaded", "failed" */
  TACHO_SIEVE_KIND, /* "" for all, else what tacho_model_sieve_get_kinds() has */
  TACHO_SIEVE_SIZE, /* "all", "small", "medium", "large", "huge" */
  TACHO_SIEVE_SORT, /* "name", "size", "recent", "state" */
  TACHO_SIEVE_N_CHOICES
} TachoSieveChoice;

#define TACHO_TYPE_MODEL_SIEVE (tacho_model_sieve_get_type ())
G_DECLARE_FINAL_TYPE (TachoModelSieve, tacho_model_sieve, TACHO, MODEL_SIEVE, GObject)

TachoModelSieve *tacho_model_sieve_new (void) G_GNUC_WARN_UNUSED_RESULT;
GListModel *tacho_model_sieve_get_list (TachoModelSieve *self);                /* (transfer none) */
void tacho_model_sieve_set_source (TachoModelSieve *self, GListModel *source); /* of TachoModel */
void tacho_model_sieve_set_search (TachoModelSieve *self, const char *text);
void tacho_model_sieve_set_choice (TachoModelSieve *self,
                                   TachoSieveChoice choice,
                                   const char *value);           /* unknown ones are the first */
gboolean tacho_model_sieve_is_filtering (TachoModelSieve *self); /* the search does not count */
gboolean tacho_model_sieve_is_pending (TachoModelSieve *self);   /* still being sifted */
char **tacho_model_sieve_get_kinds (TachoModelSieve *self) G_GNUC_WARN_UNUSED_RESULT; /* sorted */

G_END_DECLS
