/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server that a person uses: where it is, how to talk to it. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define TACHO_TYPE_PROFILE (tacho_profile_get_type ())
G_DECLARE_FINAL_TYPE (TachoProfile, tacho_profile, TACHO, PROFILE, GObject)

/* Defaults: connect 5 s, first byte 120 s, idle 60 s, total 600 s; api "auto". The URL is
 * normalised (a missing scheme is mended); "sim:" and "sim:NAME" name the built-in simulated
 * server. */
TachoProfile *
tacho_profile_new (const char *name, const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

const char *tacho_profile_get_name (TachoProfile *self);
const char *
tacho_profile_get_url (TachoProfile *self); /* as the person knows it; "sim:" for the simulator */
/* Where requests go: the URL, or what the simulator was given by its host
 * (tacho_profile_set_endpoint). */
const char *tacho_profile_get_endpoint (TachoProfile *self);
void tacho_profile_set_endpoint (TachoProfile *self, const char *endpoint);
gboolean tacho_profile_is_sim (TachoProfile *self);
const char *tacho_profile_get_api (TachoProfile *self); /* "auto" or a family */
gboolean tacho_profile_set_api (TachoProfile *self, const char *api, GError **error);
const char *
tacho_profile_get_api_key (TachoProfile *self); /* never a GObject property, never logged */
gboolean tacho_profile_set_api_key (TachoProfile *self, const char *key, GError **error);
gboolean
tacho_profile_add_header (TachoProfile *self, const char *line, GError **error); /* "K: V" */
const char *const *tacho_profile_get_headers (TachoProfile *self);
const char *tacho_profile_get_ca_file (TachoProfile *self);
gboolean tacho_profile_set_ca_file (TachoProfile *self, const char *path, GError **error);

typedef enum
{
  TACHO_TIMEOUT_CONNECT,
  TACHO_TIMEOUT_FIRST,
  TACHO_TIMEOUT_IDLE,
  TACHO_TIMEOUT_TOTAL,
  TACHO_N_TIMEOUTS
} TachoTimeout;

double tacho_profile_get_timeout (TachoProfile *self, TachoTimeout which); /* seconds */
gboolean
tacho_profile_set_timeout (TachoProfile *self, TachoTimeout which, double seconds, GError **error);

G_END_DECLS
