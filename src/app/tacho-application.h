/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program: command line, single instance, actions, appearance, keys kept for the session. */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define TACHO_TYPE_APPLICATION (tacho_application_get_type ())
G_DECLARE_FINAL_TYPE (TachoApplication, tacho_application, TACHO, APPLICATION, AdwApplication)

TachoApplication *tacho_application_new (void) G_GNUC_WARN_UNUSED_RESULT;

/* How a server is to be talked to, as told in this session; "auto" and NULL if it was not. */
void tacho_application_remember (TachoApplication *self,
                                 const char *url,
                                 const char *api,
                                 const char *api_key);
const char *tacho_application_get_api (TachoApplication *self, const char *url);
const char *tacho_application_get_api_key (TachoApplication *self, const char *url);

G_END_DECLS
