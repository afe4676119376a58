/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asks for a key that cannot be had otherwise, to keep for this session. */
#pragma once

#include <adwaita.h>
#include "config/tacho-profile.h"

G_BEGIN_DECLS

/* key: NULL, if the person goes on without one. */
typedef void (*TachoKeyDialogFunc) (TachoProfile *profile, const char *key, gpointer user_data);

void tacho_key_dialog_ask (GtkWindow *parent,
                           TachoProfile *profile,
                           const char *reason,
                           TachoKeyDialogFunc func,
                           gpointer user_data,
                           GDestroyNotify destroy);

G_END_DECLS
