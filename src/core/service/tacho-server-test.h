/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server tried out before it is used, one step after another: is its name known, does it listen,
 * is its certificate trusted, which API is it, which models has it, does it take the key? A
 * GListModel of TachoTestStep. Changes nothing on the server and generates nothing. */
#pragma once

#include "config/tacho-profile.h"
#include "net/tacho-reach.h"

G_BEGIN_DECLS

typedef enum
{
  TACHO_TEST_RESOLVE,
  TACHO_TEST_CONNECT,
  TACHO_TEST_TLS,
  TACHO_TEST_API,
  TACHO_TEST_MODELS,
  TACHO_TEST_KEY,
} TachoTestKind;

typedef enum
{
  TACHO_TEST_WAITING,
  TACHO_TEST_RUNNING,
  TACHO_TEST_OK,
  TACHO_TEST_FAILED,
  TACHO_TEST_SKIPPED, /* a step before it failed, or the test was stopped */
} TachoTestState;

#define TACHO_TYPE_TEST_STEP (tacho_test_step_get_type ())
G_DECLARE_FINAL_TYPE (TachoTestStep, tacho_test_step, TACHO, TEST_STEP, GObject)

TachoTestKind tacho_test_step_get_kind (TachoTestStep *self);
TachoProtocol tacho_test_step_get_protocol (TachoTestStep *self); /* of the first three */
TachoTestState tacho_test_step_get_state (TachoTestStep *self);
/* What was seen, or why it failed: may be a server's own text. NULL: nothing yet. */
const char *tacho_test_step_get_words (TachoTestStep *self);

#define TACHO_TYPE_SERVER_TEST (tacho_server_test_get_type ())
G_DECLARE_FINAL_TYPE (TachoServerTest, tacho_server_test, TACHO, SERVER_TEST, GObject)

/* With the profile's key, if it has one. A simulated server must be hosted. */
TachoServerTest *tacho_server_test_new (TachoProfile *profile) G_GNUC_WARN_UNUSED_RESULT;
void tacho_server_test_run_async (TachoServerTest *self,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
/* TRUE if every step was passed; else the error of the first that was not. */
gboolean tacho_server_test_run_finish (TachoServerTest *self, GAsyncResult *result, GError **error);

/* What a server showed and is not trusted for; NULL: none. */
const TachoCertificate *tacho_server_test_get_untrusted (TachoServerTest *self);
const char *tacho_server_test_get_family (TachoServerTest *self); /* NULL: not found out */
const char *const *tacho_server_test_get_evidence (TachoServerTest *self);
const char *const *tacho_server_test_get_models (TachoServerTest *self); /* ids, never NULL */

G_END_DECLS
