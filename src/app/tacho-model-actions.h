/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be done with a model now, in words and in deed; the same for its row, its details and
 * the keyboard. */
#pragma once

#include <adwaita.h>
#include "app/tacho-connection.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_MODEL_CHANGE_NONE, /* the server does not load on order */
  TACHO_MODEL_CHANGE_LOAD,
  TACHO_MODEL_CHANGE_RETRY,
  TACHO_MODEL_CHANGE_UNLOAD,
  TACHO_MODEL_CHANGE_CANCEL,
} TachoModelChange;

typedef struct
{
  TachoModelChange change;
  const char *reason; /* why not now, translated; NULL: it can be done */
} TachoModelOffer;

TachoModelOffer tacho_model_actions_get_offer (TachoConnection *connection, TachoModel *model);
/* Label, reason and accessible name; hidden where nothing is offered. */
void
tacho_model_actions_set_button (GtkButton *button, const TachoModelOffer *offer, const char *name);
void tacho_model_actions_change (TachoConnection *connection, TachoModel *model);

gboolean tacho_model_actions_server_has (TachoConnection *connection, TachoOperation operation);
const char *tacho_model_actions_why_no_delete (TachoConnection *connection,
                                               TachoModel *model); /* NULL: it can be deleted */
void
tacho_model_actions_ask_delete (GtkWidget *widget, TachoConnection *connection, TachoModel *model);
guint tacho_model_actions_count_loaded (TachoConnection *connection, guint *known);
void tacho_model_actions_unload_all (GtkWidget *widget, TachoConnection *connection);
void
tacho_model_actions_copy_id (GtkWidget *widget, TachoConnection *connection, TachoModel *model);

G_END_DECLS
