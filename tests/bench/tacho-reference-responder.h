/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server that answers at once and from memory, in a process of its own: a list of models, a whole
 * reply, or a stream of any length as fast as it is read. What is measured against it is the
 * client. */
#pragma once

#include <glib.h>
#include <sys/types.h>

G_BEGIN_DECLS

#define TACHO_RESPONDER_MODELS 40
#define TACHO_RESPONDER_MODEL "qwen2.5-7b-instruct-q4_k_m-00"

typedef struct
{
  pid_t pid;
  guint16 port;
  char *url;
} TachoResponder;

/* events: of a streamed reply. closes: each reply ends its connection. */
void tacho_responder_start (TachoResponder *self, guint events, gboolean closes);
void tacho_responder_stop (TachoResponder *self);

G_END_DECLS
