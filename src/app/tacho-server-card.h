/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How busy the server is, folded by default; hidden where the server tells nothing. The server is
 * asked only while the card is unfolded and on screen. */
#pragma once

#include <adwaita.h>
#include "app/tacho-connection.h"

G_BEGIN_DECLS

#define TACHO_TYPE_SERVER_CARD (tacho_server_card_get_type ())
G_DECLARE_FINAL_TYPE (TachoServerCard, tacho_server_card, TACHO, SERVER_CARD, AdwBin)

void tacho_server_card_set_connection (TachoServerCard *self, TachoConnection *connection);

G_END_DECLS
