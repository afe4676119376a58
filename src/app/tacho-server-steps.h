/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of a server's test as they go, and the question about a certificate that is not
 * trusted. Signal: "trust" (const char *fingerprint): the person takes the certificate. */
#pragma once

#include <adwaita.h>
#include "service/tacho-server-test.h"

G_BEGIN_DECLS

#define TACHO_TYPE_SERVER_STEPS (tacho_server_steps_get_type ())
G_DECLARE_FINAL_TYPE (TachoServerSteps, tacho_server_steps, TACHO, SERVER_STEPS, AdwBin)

/* Shows a test from its beginning; NULL: none. */
void tacho_server_steps_set_test (TachoServerSteps *self, TachoServerTest *test);
/* The test has ended: how, and what is left to ask. */
void tacho_server_steps_finish (TachoServerSteps *self, const GError *error);

G_END_DECLS
