/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What can be wrong in the bytes of a reply. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-wire.h"

static const TachoSimWireRow rows[] = {
  { "close", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "close the connection in the reply (FIN)" },
  { "half-close", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "end our side only, and keep the socket" },
  { "hangup", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "close after the reply without having said so" },
  { "cut-chunk", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "close in the midst of a chunk" },
  { "cut-length", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "close before Content-Length is reached" },
  { "eof", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL,
    "no framing: the end of the connection ends the body" },
  { "length", TACHO_SIM_WIRE_WORD, 0, 0, "short long negative junk huge two list",
    "a Content-Length that is wrong in this way" },
  { "both-lengths", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "Content-Length beside chunked" },
  { "chunk", TACHO_SIM_WIRE_WORD, 0, 0, "bad negative overflow extension trailer",
    "chunked framing that is wrong in this way" },
  { "extra", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "bytes after the end of the body" },
  { "header", TACHO_SIM_WIRE_WORD, 0, 0, "nul cr nocolon fold huge many endless non-utf8",
    "a header that is wrong in this way" },
  { "informational", TACHO_SIM_WIRE_NUMBER, 1, 1000000, NULL, "so many 100 replies first" },
  { "switch", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "101 Switching Protocols, unasked" },
  { "encoding", TACHO_SIM_WIRE_WORD, 0, 0, "bomb stacked corrupt truncated unasked",
    "Content-Encoding: gzip, which was not asked for" },
  { "type", TACHO_SIM_WIRE_WORD, 0, 0, "html text none junk", "another Content-Type" },
  { "html", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "a proxy's web page in place of the reply" },
  { "not-http", TACHO_SIM_WIRE_WORD, 0, 0, "ssh tls garbage http09",
    "another protocol's bytes in place of HTTP" },
  { "slow-head", TACHO_SIM_WIRE_NUMBER, 1, 3600000, NULL, "so many ms between the head's bytes" },
  { "redirect", TACHO_SIM_WIRE_NUMBER, 300, 399, NULL, "redirect with this status; to=URL" },
  { "challenge", TACHO_SIM_WIRE_WORD, 0, 0, "digest basic ntlm bearer",
    "401 with this WWW-Authenticate" },
  { "bad-json", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "an event whose JSON breaks off" },
  { "split-utf8", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL,
    "a character of two bytes, a chunk's end between them" },
  { "bad-utf8", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "an event with bytes that are no UTF-8" },
  { "nul", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "an event with a NUL byte" },
  { "bom", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "a byte order mark first" },
  { "crlf", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "lines that end with CR LF" },
  { "cr", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "lines that end with CR" },
  { "huge-line", TACHO_SIM_WIRE_NUMBER, 1, 1e9, NULL, "one line of so many bytes" },
  { "endless-line", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "a line that never ends" },
  { "comments", TACHO_SIM_WIRE_NUMBER, 1, 1e9, NULL, "so many comments in place of an event" },
  { "empty", TACHO_SIM_WIRE_NUMBER, 1, 1e6, NULL, "so many empty deltas first" },
  { "role-only", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL,
    "after the first event nothing but the last ones" },
  { "no-marker", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "the terminal marker is left out" },
  { "usage-zero", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "every count of the usage is 0" },
  { "usage-twice", TACHO_SIM_WIRE_PLAIN, 0, 0, NULL, "the usage comes twice" },
  { "slice", TACHO_SIM_WIRE_NUMBER, 1, 1e6, NULL, "in pieces of so many bytes; delay=MS" },
  { "bandwidth", TACHO_SIM_WIRE_NUMBER, 1, 1e9, NULL, "so many bytes a second" },
  { NULL },
};

/**
 * tacho_sim_wire_rows: (skip)
 *
 * Returns: (transfer none): the faults in the bytes, up to a row without a name
 */
const TachoSimWireRow *
tacho_sim_wire_rows (void)
{
  return rows;
}
