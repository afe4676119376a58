/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the hand-written replies share. */
#pragma once

#include "sim/tacho-sim-wire.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_SIM_WIRE_END_OPEN,
  TACHO_SIM_WIRE_END_CLOSE,
  TACHO_SIM_WIRE_END_RESET,
  TACHO_SIM_WIRE_END_HALF,
} TachoSimWireEnding;

struct _TachoSimWire
{
  GIOStream *stream;
  GSocket *socket;
  GMainContext *context;
  char *name, *word, *id;
  TachoSimWirePlan plan;
  void (*gone) (gpointer user_data);
  gpointer user_data;

  GByteArray *out;  /* not written yet */
  gsize head_bytes; /* of these, the head's */
  guint64 body_bytes;
  guint64 endless; /* filler still to come */
  char filler;
  gboolean chunked;
  gboolean whole; /* one body, not a stream */
  gboolean head_done;
  gboolean over; /* nothing is added any more */
  TachoSimWireEnding ending;
  guint n_events;
  gint64 first_byte_ns, last_byte_ns; /* written; 0: none */
  GSource *writer;
  GSource *watch;
};

#define TACHO_SIM_WIRE_SPLIT "\xc3\xa9" /* e acute: what split-utf8 puts in, and parts */

/* What is sent in place of an event, NULL: itself; empty: nothing. */
char *tacho_sim_wire_change_event (const TachoSimWire *wire,
                                   const char *text,
                                   gsize length,
                                   gsize *changed_length) G_GNUC_WARN_UNUSED_RESULT;
/* What is sent in place of a whole body, NULL: itself. */
char *tacho_sim_wire_change_body (const TachoSimWire *wire,
                                  const char *body,
                                  gsize *length) G_GNUC_WARN_UNUSED_RESULT;
gboolean tacho_sim_wire_is (const TachoSimWire *wire, const char *name);
gboolean tacho_sim_wire_is_word (const TachoSimWire *wire, const char *name, const char *word);
void tacho_sim_wire_put (TachoSimWire *wire, const char *data, gsize length);
void tacho_sim_wire_put_text (TachoSimWire *wire, const char *text);
void tacho_sim_wire_put_endless (TachoSimWire *wire, char filler); /* and nothing after it */
void tacho_sim_wire_end_with (TachoSimWire *wire, TachoSimWireEnding ending);
void tacho_sim_wire_put_head (TachoSimWire *wire, guint status, const char *type, gssize length);
gboolean tacho_sim_wire_put_instead (TachoSimWire *wire); /* TRUE: the reply is over */

G_END_DECLS
