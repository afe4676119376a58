/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program: command line, single instance, actions, appearance, keys kept for the session. */
#pragma once

#include <adwaita.h>
#include "config/tacho-profile.h"

G_BEGIN_DECLS

#define TACHO_TYPE_APPLICATION (tacho_application_get_type ())
G_DECLARE_FINAL_TYPE (TachoApplication, tacho_application, TACHO, APPLICATION, AdwApplication)

TachoApplication *tacho_application_new (void) G_GNUC_WARN_UNUSED_RESULT;

/* How a server is to be talked to, as told in this session. */
void tacho_application_remember (TachoApplication *self, TachoProfile *profile);
/* The profile of that name, told before or made of the address alone. */
TachoProfile *tacho_application_get_profile (TachoApplication *self,
                                             const char *address,
                                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
