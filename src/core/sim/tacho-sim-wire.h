/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A reply written by hand on a connection that was taken from libsoup, with one thing wrong in its
 * bytes: what no HTTP library would send. */
#pragma once

#include "sim/tacho-sim-config.h"

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* What the value of such a fault is. */
typedef enum
{
  TACHO_SIM_WIRE_PLAIN,  /* it has none */
  TACHO_SIM_WIRE_NUMBER, /* from min to max */
  TACHO_SIM_WIRE_WORD,   /* one of `words` */
} TachoSimWireValue;

typedef struct
{
  const char *name;
  TachoSimWireValue value;
  double min, max;
  const char *words; /* separated by spaces */
  const char *help;
} TachoSimWireRow;

/* The last row's name is NULL. */
const TachoSimWireRow *tacho_sim_wire_rows (void);

typedef struct _TachoSimWire TachoSimWire;

typedef struct
{
  const char *name; /* of a row */
  const char *word;
  double number;
  guint after_events;
  guint64 after_bytes; /* of the body; 0: by events */
  double bandwidth;    /* bytes a second, 0: none */
  guint slice_bytes;   /* in pieces of so many, 0: no */
  double slice_ms;
  const char *id; /* for X-Tacho-Fault */
} TachoSimWirePlan;

/* Takes the connection of the message. gone: called once the client has left or all is over; the
 * wire may be freed in it. */
TachoSimWire *tacho_sim_wire_new (SoupServerMessage *message,
                                  GMainContext *context,
                                  const TachoSimWirePlan *plan,
                                  void (*gone) (gpointer user_data),
                                  gpointer user_data) G_GNUC_WARN_UNUSED_RESULT;
void tacho_sim_wire_free (TachoSimWire *wire);
/* Head of a whole body of `length` bytes, or of a stream (-1). */
void tacho_sim_wire_head (TachoSimWire *wire, guint status, const char *type, gssize length);
/* FALSE: the fault ended the reply. */
gboolean tacho_sim_wire_send (TachoSimWire *wire, const char *text, gsize length);
void tacho_sim_wire_end (TachoSimWire *wire);
/* All of the three, for a body that is not streamed. */
void tacho_sim_wire_reply (TachoSimWire *wire, guint status, const char *type, const char *body);
/* FALSE: there are bytes that were not written, or the fault is to say nothing more. */
gboolean tacho_sim_wire_is_done (const TachoSimWire *wire);
/* For the capture: CLOCK_MONOTONIC, 0: nothing was written. */
void tacho_sim_wire_get_record (const TachoSimWire *wire,
                                gint64 *first_byte_ns,
                                gint64 *last_byte_ns,
                                guint *n_events);

G_END_DECLS
