/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom a server's TLS is trusted by: authority, client certificate, pin; in a row that folds.
 * Signal: "changed" (). */
#pragma once

#include <adwaita.h>
#include "config/tacho-profile.h"

G_BEGIN_DECLS

#define TACHO_TYPE_SERVER_TRUST (tacho_server_trust_get_type ())
G_DECLARE_FINAL_TYPE (TachoServerTrust, tacho_server_trust, TACHO, SERVER_TRUST, AdwExpanderRow)

void tacho_server_trust_show (TachoServerTrust *self, TachoProfile *profile);
void tacho_server_trust_set_pin (TachoServerTrust *self, const char *pin);
/* FALSE: one of them cannot be used, which its row says from now on. */
gboolean tacho_server_trust_apply (TachoServerTrust *self, TachoProfile *profile);

G_END_DECLS
