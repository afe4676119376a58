/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The extra headers of a server, a row each, in a row that folds. Signal: "changed" (). */
#pragma once

#include <adwaita.h>
#include "config/tacho-profile.h"

G_BEGIN_DECLS

#define TACHO_TYPE_SERVER_HEADERS (tacho_server_headers_get_type ())
G_DECLARE_FINAL_TYPE (TachoServerHeaders,
                      tacho_server_headers,
                      TACHO,
                      SERVER_HEADERS,
                      AdwExpanderRow)

void tacho_server_headers_show (TachoServerHeaders *self, TachoProfile *profile);
/* FALSE: one of them cannot be sent, or not be stored, which its row says from now on. */
gboolean tacho_server_headers_apply (TachoServerHeaders *self, TachoProfile *profile);

G_END_DECLS
