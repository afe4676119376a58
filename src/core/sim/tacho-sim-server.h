/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The simulated server, in process and on a thread of its own (SoupServer, loopback only). The same
 * object is the program's default server, every test's peer, and `tacho-cli simulate`. Every reply
 * says "Server: tacho-sim/VERSION". All functions may be called from any thread. */
#pragma once

#include "config/tacho-profile.h"
#include "sim/tacho-sim-config.h"

G_BEGIN_DECLS

typedef struct
{
  guint64 requests;
  guint64 connections;   /* accepted */
  guint64 generations;   /* generation requests that began */
  guint64 completed;     /* ended with their terminal marker */
  guint64 aborted;       /* the client went away before the end */
  guint64 output_tokens; /* generated and sent */
  guint64 prompt_tokens;
  guint64 faults; /* faults that were played */
  guint active;   /* in a slot now */
  guint queued;
  guint max_active;    /* most in slots at a time */
  guint max_in_flight; /* most generations (active and queued) at a time */
} TachoSimCounters;

typedef struct
{
  guint64 number;
  char *method;
  char *path;
  GPtrArray *headers; /* of TachoHeader; secrets are "[redacted]" */
  char *body;
  gint64 time_ns;       /* CLOCK_MONOTONIC: received */
  gint64 first_byte_ns; /* of the reply, when it was written; 0: none was */
  gint64 last_byte_ns;  /* when the reply was over or cut off; 0: it goes on */
  guint status;         /* 0: no head was sent */
  char *fault;          /* id of the fault that was played, or NULL */
  guint n_events;       /* of a stream, that were sent */
  gboolean aborted;     /* the client left before the end */
  guint64 generation;   /* which generation it began, counted from 1; 0: none */
} TachoSimRequest;

void tacho_sim_request_free (TachoSimRequest *request);

#define TACHO_TYPE_SIM_SERVER (tacho_sim_server_get_type ())
G_DECLARE_FINAL_TYPE (TachoSimServer, tacho_sim_server, TACHO, SIM_SERVER, GObject)

TachoSimServer *tacho_sim_server_new (const TachoSimConfig *config) G_GNUC_WARN_UNUSED_RESULT;
/* port: of the first front, 0: as the configuration says; the others have theirs from there. */
gboolean tacho_sim_server_start (TachoSimServer *self, guint16 port, GError **error);
void tacho_sim_server_stop (TachoSimServer *self); /* closes every connection, joins the thread */
const char *
tacho_sim_server_get_url (TachoSimServer *self); /* of the first front: "http://127.0.0.1:PORT" */
guint tacho_sim_server_get_n_fronts (TachoSimServer *self);
/* "http://…", "https://…", "grpc://…" or "grpcs://…"; NULL before the first start. */
const char *tacho_sim_server_get_front_url (TachoSimServer *self, guint index);
void tacho_sim_server_get_counters (TachoSimServer *self, TachoSimCounters *counters);
GPtrArray *tacho_sim_server_take_requests (TachoSimServer *self)
    G_GNUC_WARN_UNUSED_RESULT; /* of TachoSimRequest; empties */
void tacho_sim_server_add_fault (TachoSimServer *self, const TachoSimFault *fault);
void tacho_sim_server_clear_faults (TachoSimServer *self);
/* Closes every front of a side, connections included, or listens on the same ports again. Returns
 * when that is done. */
void tacho_sim_server_set_side (TachoSimServer *self, gboolean grpc, gboolean up);

/* If the profile is "sim:" or "sim:NAME": starts the server and sets the profile's endpoints; the
 * caller keeps the returned object as long as the profile is used. NULL without error if it is not.
 */
TachoSimServer *tacho_sim_server_host_profile (TachoProfile *profile,
                                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

G_END_DECLS
