/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the window shows before there is a server: the ways to one. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define TACHO_TYPE_WELCOME (tacho_welcome_get_type ())
G_DECLARE_FINAL_TYPE (TachoWelcome, tacho_welcome, TACHO, WELCOME, AdwBin)

/* Looks for servers on this computer. */
void tacho_welcome_show (TachoWelcome *self);

G_END_DECLS
