/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The services as the window has them, bare libsoup beside them, and a way to run many operations
 * with some of them in flight. */
#pragma once

#include <libsoup/soup.h>

#include "service/tacho-inference-service.h"
#include "service/tacho-model-service.h"

G_BEGIN_DECLS

typedef struct
{
  TachoProfile *profile;
  TachoClientManager *manager;
  TachoModelService *models;
  TachoInferenceService *inference;
  TachoGenerateRequest *request; /* a question, not streamed */
} TachoBenchClient;

/* Of an OpenAI-like server at url; or, where url is NULL, of the profile, which it takes.
 * Probed. */
void tacho_bench_client_open (TachoBenchClient *self, const char *url, TachoProfile *profile);
/* The same, before anything was sent. */
void tacho_bench_client_open_cold (TachoBenchClient *self, const char *url, TachoProfile *profile);
void tacho_bench_client_close (TachoBenchClient *self);

/* A libsoup session as an application has it: 64 connections, nothing that is not needed. */
SoupSession *tacho_bench_soup_new (void) G_GNUC_WARN_UNUSED_RESULT;
SoupMessage *tacho_bench_soup_post (const char *url, gboolean stream) G_GNUC_WARN_UNUSED_RESULT;

/* Starts one operation; when it has ended it calls tacho_bench_many_ended. */
typedef struct _TachoBenchMany TachoBenchMany;
typedef void (*TachoBenchStart) (TachoBenchMany *many, gpointer user_data);
/* Runs n of them, in_flight at a time. Seconds that it took. */
double tacho_bench_run_many (guint n, guint in_flight, TachoBenchStart start, gpointer user_data);
void tacho_bench_many_ended (TachoBenchMany *many);

/* Operations for it. */
void tacho_bench_start_generation (TachoBenchMany *many, gpointer client);
void tacho_bench_start_list (TachoBenchMany *many, gpointer client); /* refreshed */
typedef struct
{
  SoupSession *session;
  const char *url;
  gboolean post; /* the question; else GET /v1/models */
} TachoBenchSoup;
void tacho_bench_start_soup (TachoBenchMany *many, gpointer soup);

G_END_DECLS
