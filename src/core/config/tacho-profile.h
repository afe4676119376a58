/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server that a person uses: where it is, how to talk to it. */
#pragma once

#include <gio/gio.h>
#include "base/tacho-protocol.h"

G_BEGIN_DECLS

#define TACHO_TYPE_PROFILE (tacho_profile_get_type ())
G_DECLARE_FINAL_TYPE (TachoProfile, tacho_profile, TACHO, PROFILE, GObject)

/* Defaults: connect 5 s, first byte 120 s, idle 60 s, total 600 s; api "auto". The URL is
 * normalised (a missing scheme is mended); "sim:" and "sim:NAME" name the built-in simulated
 * server. url may be NULL if a gRPC target follows. */
TachoProfile *
tacho_profile_new (const char *name, const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a person set: not the key, and not what a simulator's host set. */
TachoProfile *tacho_profile_copy (TachoProfile *self) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_profile_equal (TachoProfile *self, TachoProfile *other);

const char *tacho_profile_get_name (TachoProfile *self);
gboolean tacho_profile_set_name (TachoProfile *self, const char *name, GError **error);
const char *tacho_profile_get_url (
    TachoProfile *self); /* as the person knows it; "sim:" for the simulator; NULL: gRPC only */
/* Drops the key if it would go to another origin from now on. */
gboolean tacho_profile_set_url (TachoProfile *self, const char *url, GError **error);
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
/* Where the key comes from when a connection is made: an environment variable, or the keyring. */
const char *tacho_profile_get_api_key_env (TachoProfile *self);
gboolean tacho_profile_set_api_key_env (TachoProfile *self, const char *variable, GError **error);
gboolean tacho_profile_get_key_in_keyring (TachoProfile *self);
void tacho_profile_set_key_in_keyring (TachoProfile *self, gboolean in_keyring);
/* scheme://host:port of each side, a blank between: where the key may go. NULL: nowhere yet. */
char *tacho_profile_dup_key_origin (TachoProfile *self) G_GNUC_WARN_UNUSED_RESULT;
/* "K: V". Not Authorization beside a key: one of the two would be sent in vain. */
gboolean tacho_profile_add_header (TachoProfile *self, const char *line, GError **error);
void tacho_profile_clear_headers (TachoProfile *self);
const char *const *tacho_profile_get_headers (TachoProfile *self);
/* The model to use where none is named, or NULL. */
const char *tacho_profile_get_model (TachoProfile *self);
gboolean tacho_profile_set_model (TachoProfile *self, const char *model, GError **error);
const char *tacho_profile_get_ca_file (TachoProfile *self);
gboolean tacho_profile_set_ca_file (TachoProfile *self, const char *path, GError **error);

/* --- how it is spoken to --- */

/* REST unless set. Hybrid uses the gRPC side first, unless the order says otherwise. */
TachoProtocol tacho_profile_get_protocol (TachoProfile *self);
gboolean tacho_profile_set_protocol (TachoProfile *self, TachoProtocol protocol, GError **error);
gboolean tacho_profile_get_rest_first (TachoProfile *self); /* the order of hybrid */
void tacho_profile_set_rest_first (TachoProfile *self, gboolean rest_first);
/* "HOST:PORT", "grpc://HOST:PORT" (plain text) or "grpcs://HOST:PORT" (TLS). Without a scheme it is
 * TLS if the REST URL is https. A profile may have a gRPC target and no URL at all (NULL). */
const char *tacho_profile_get_grpc_target (TachoProfile *self); /* as the person gave it, or NULL */
gboolean tacho_profile_set_grpc_target (TachoProfile *self, const char *target, GError **error);
/* Where gRPC calls go: "HOST:PORT", or NULL. The simulator's host sets its own. */
const char *tacho_profile_get_grpc_endpoint (TachoProfile *self);
void tacho_profile_set_grpc_endpoint (TachoProfile *self, const char *endpoint);
gboolean tacho_profile_get_grpc_tls (TachoProfile *self);

/* Client certificate and key (mTLS): absolute paths of PEM files, both or neither. */
const char *tacho_profile_get_cert_file (TachoProfile *self);
const char *tacho_profile_get_key_file (TachoProfile *self);
gboolean tacho_profile_set_client_cert (TachoProfile *self,
                                        const char *cert_file,
                                        const char *key_file,
                                        GError **error);
/* "sha256:" and 64 hexadecimal digits of the server's certificate (DER): that certificate, and no
 * other, is taken, whoever signed it. Colons between the digits are allowed. */
const char *tacho_profile_get_pin (TachoProfile *self);
gboolean tacho_profile_set_pin (TachoProfile *self, const char *pin, GError **error);
const char *tacho_profile_get_proxy (TachoProfile *self); /* URL, or NULL: none */
gboolean tacho_profile_set_proxy (TachoProfile *self, const char *proxy, GError **error);
/* A key over plain http to another machine can be read on the way: that must be allowed. */
gboolean tacho_profile_get_allow_plain_key (TachoProfile *self);
void tacho_profile_set_allow_plain_key (TachoProfile *self, gboolean allow);
/* TACHO_ERROR_INVALID if the key would go to another machine in plain text and was not allowed to.
 */
gboolean tacho_profile_check_plain_key (TachoProfile *self, GError **error);

/* Retries, breaker and connection pool: DESIGN section 5. */
typedef struct
{
  guint attempts;           /* in all, 1..5; 3 */
  double backoff_s;         /* 0.5: random(0, min(cap, backoff * 2^n)) */
  double backoff_cap_s;     /* 8 */
  double server_wait_s;     /* the longest Retry-After that is obeyed; 60 */
  guint breaker_failures;   /* in a row that open it; 5 */
  double breaker_open_s;    /* 30, doubled each time, up to 300 */
  guint max_connections;    /* 64 */
  double connection_idle_s; /* 60: an idle connection is closed after this */
  double connection_age_s;  /* 600: and none is used longer */
  double keepalive_s;       /* gRPC pings during a call; 300, which every server takes */
} TachoProfileTuning;

const TachoProfileTuning *tacho_profile_get_tuning (TachoProfile *self);
gboolean
tacho_profile_set_tuning (TachoProfile *self, const TachoProfileTuning *tuning, GError **error);
void tacho_profile_tuning_init (TachoProfileTuning *tuning); /* the defaults above */

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
