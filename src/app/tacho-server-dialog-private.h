/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the form of a server and its fields share. */
#pragma once

#include "app/tacho-field-note.h"
#include "app/tacho-server-dialog.h"
#include "app/tacho-server-headers.h"
#include "app/tacho-server-limits.h"
#include "app/tacho-server-steps.h"
#include "app/tacho-server-trust.h"
#include "app/tacho-servers.h"
#include "sim/tacho-sim-server.h"

G_BEGIN_DECLS

struct _TachoServerDialog
{
  AdwWindow parent_instance;
  TachoProfile *saved; /* as it is in the file; NULL: a new one */
  TachoProfile *base;  /* what the form began with, or NULL */
  gboolean keeps_key;  /* the one that was stored, unless another is typed */
  gboolean filling;
  gboolean changed;
  gboolean attempted; /* from now on a field that is missing is said to be */

  TachoServerTest *test;
  TachoSimServer *sim;
  GCancellable *cancellable; /* of the test */

  GtkLabel *failure_label;
  AdwEntryRow *url_row;
  TachoFieldNote *url_note;
  AdwEntryRow *name_row;
  TachoFieldNote *name_note;
  AdwComboRow *protocol_row;
  AdwEntryRow *grpc_row;
  TachoFieldNote *grpc_note;
  AdwComboRow *order_row;
  AdwComboRow *api_row;
  TachoFieldNote *api_note;
  AdwPreferencesGroup *key_group;
  AdwPasswordEntryRow *key_row;
  GtkWidget *forget_button;
  TachoFieldNote *key_note;
  GtkWidget *plain_row;
  GtkSwitch *plain_switch;
  AdwEntryRow *env_row;
  TachoFieldNote *env_note;
  GtkButton *test_button;
  TachoServerSteps *steps;
  TachoServerTrust *trust;
  TachoServerHeaders *headers;
  AdwEntryRow *proxy_row;
  TachoFieldNote *proxy_note;
  AdwEntryRow *model_row;
  TachoFieldNote *model_note;
  TachoServerLimits *limits;
  GtkButton *save_button;
};

/* tacho-server-fields.c */
void tacho_server_dialog_fill (TachoServerDialog *self, TachoProfile *profile);
/* What the fields say; NULL: one of them is wrong, which it says, and which has the focus now. */
TachoProfile *tacho_server_dialog_collect (TachoServerDialog *self);
/* The same, for the notes alone. */
void tacho_server_dialog_check (TachoServerDialog *self);
/* "llama.cpp", as the form has it. */
const char *tacho_server_dialog_name_family (TachoServerDialog *self, const char *family);
TachoKeyChange tacho_server_dialog_get_key_change (TachoServerDialog *self);

G_END_DECLS
