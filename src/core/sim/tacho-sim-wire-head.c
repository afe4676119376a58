/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The heads of broken replies, and what takes the place of a reply. */
#define G_LOG_DOMAIN "tacho"

#include "config.h"

#include "sim/tacho-sim-wire-private.h"

#include <string.h>

#define HUGE_HEADER ((gsize) 1024 * 1024)
#define MANY_HEADERS 10000

static void
put_header (TachoSimWire *wire, const char *name, const char *value)
{
  g_autofree char *line = g_strdup_printf ("%s: %s\r\n", name, value);

  tacho_sim_wire_put_text (wire, line);
}

static void
put_bad_header (TachoSimWire *wire)
{
  g_autofree char *huge = NULL;

  if (tacho_sim_wire_is_word (wire, "header", "nul"))
    tacho_sim_wire_put (wire, "X-Bad: a\0b\r\n", 12);
  else if (tacho_sim_wire_is_word (wire, "header", "cr"))
    tacho_sim_wire_put_text (wire, "X-Bad: a\rb\r\n");
  else if (tacho_sim_wire_is_word (wire, "header", "nocolon"))
    tacho_sim_wire_put_text (wire, "X-Bad without a colon\r\n");
  else if (tacho_sim_wire_is_word (wire, "header", "fold"))
    tacho_sim_wire_put_text (wire, "X-Folded: a\r\n b\r\n");
  else if (tacho_sim_wire_is_word (wire, "header", "non-utf8"))
    tacho_sim_wire_put_text (wire, "X-Bad: \xff\xfe\r\n");
  else if (tacho_sim_wire_is_word (wire, "header", "huge"))
    {
      huge = g_strnfill (HUGE_HEADER, 'x');
      put_header (wire, "X-Huge", huge);
    }
  else if (tacho_sim_wire_is_word (wire, "header", "many"))
    for (guint i = 0; i < MANY_HEADERS; i++)
      tacho_sim_wire_put_text (wire, "X-Many: 1\r\n");
  else
    {
      tacho_sim_wire_put_text (wire, "X-Endless: ");
      tacho_sim_wire_put_endless (wire, 'x');
    }
}

static void
put_length (TachoSimWire *wire, gssize length)
{
  g_autofree char *right = NULL;
  g_autofree char *line = NULL;

  if (length < 0)
    length = 1024 * 1024; /* a stream never gets there */
  right = g_strdup_printf ("%" G_GSSIZE_FORMAT, length);
  if (tacho_sim_wire_is_word (wire, "length", "negative"))
    put_header (wire, "Content-Length", "-1");
  else if (tacho_sim_wire_is_word (wire, "length", "junk"))
    line = g_strconcat (right, "abc", NULL);
  else if (tacho_sim_wire_is_word (wire, "length", "huge"))
    put_header (wire, "Content-Length", "99999999999999999999999999");
  else if (tacho_sim_wire_is_word (wire, "length", "two"))
    {
      put_header (wire, "Content-Length", right);
      put_header (wire, "Content-Length", "5");
    }
  else if (tacho_sim_wire_is_word (wire, "length", "list"))
    line = g_strconcat (right, ", 5", NULL);
  else if (tacho_sim_wire_is_word (wire, "length", "short"))
    line = g_strdup_printf ("%" G_GSSIZE_FORMAT, length / 2);
  else if (tacho_sim_wire_is_word (wire, "length", "long"))
    line = g_strdup_printf ("%" G_GSSIZE_FORMAT, length + 100);
  else
    line = g_steal_pointer (&right);
  if (line != NULL)
    put_header (wire, "Content-Length", line);
}

static void
put_framing (TachoSimWire *wire, gssize length)
{
  gboolean by_length = tacho_sim_wire_is (wire, "length") || tacho_sim_wire_is (wire, "cut-length");

  wire->chunked =
      !by_length &&
      (length < 0 || tacho_sim_wire_is (wire, "encoding") || tacho_sim_wire_is (wire, "chunk") ||
       tacho_sim_wire_is (wire, "cut-chunk") || tacho_sim_wire_is (wire, "both-lengths"));
  if (tacho_sim_wire_is (wire, "eof"))
    {
      wire->chunked = FALSE;
      return;
    }
  if (wire->chunked)
    put_header (wire, "Transfer-Encoding", "chunked");
  if (!wire->chunked || tacho_sim_wire_is (wire, "both-lengths"))
    put_length (wire, length);
}

static const char *
type_of (TachoSimWire *wire, const char *type)
{
  if (tacho_sim_wire_is_word (wire, "type", "html") || tacho_sim_wire_is (wire, "html"))
    return "text/html";
  if (tacho_sim_wire_is_word (wire, "type", "text"))
    return "text/plain";
  if (tacho_sim_wire_is_word (wire, "type", "junk"))
    return "x bogus";
  return tacho_sim_wire_is_word (wire, "type", "none") ? NULL : type;
}

void
tacho_sim_wire_put_head (TachoSimWire *wire, guint status, const char *type, gssize length)
{
  g_autofree char *line =
      g_strdup_printf ("HTTP/1.1 %u %s\r\n", status, soup_status_get_phrase (status));

  tacho_sim_wire_put_text (wire, line);
  put_header (wire, "Server", "tacho-sim/" TACHO_VERSION);
  put_header (wire, "X-Tacho-Fault", wire->id);
  if (type_of (wire, type) != NULL)
    put_header (wire, "Content-Type", type_of (wire, type));
  /* What ends here says so, but where that is the fault. */
  if (!tacho_sim_wire_is (wire, "hangup") && !tacho_sim_wire_is (wire, "extra"))
    put_header (wire, "Connection", "close");
  if (tacho_sim_wire_is (wire, "encoding"))
    put_header (wire, "Content-Encoding",
                tacho_sim_wire_is_word (wire, "encoding", "stacked")
                    ? "gzip, gzip, gzip, gzip, gzip, gzip, gzip"
                    : "gzip");
  put_framing (wire, length);
  if (tacho_sim_wire_is (wire, "header"))
    put_bad_header (wire);
  if (!wire->over)
    tacho_sim_wire_put_text (wire, "\r\n");
  wire->head_done = TRUE;
}

static void
put_whole (TachoSimWire *wire, guint status, const char *headers, const char *body)
{
  g_autofree char *text = g_strdup_printf (
      "HTTP/1.1 %u %s\r\nServer: tacho-sim/%s\r\nX-Tacho-Fault: %s\r\n%sContent-Length: "
      "%zu\r\n\r\n%s",
      status, soup_status_get_phrase (status), TACHO_VERSION, wire->id, headers, strlen (body),
      body);

  tacho_sim_wire_put_text (wire, text);
  tacho_sim_wire_end_with (wire, TACHO_SIM_WIRE_END_CLOSE);
}

static const char *
challenge_of (TachoSimWire *wire)
{
  /* The domain is what crashes a client that lets libsoup 3.2 answer (CVE-2025-4476). */
  if (tacho_sim_wire_is_word (wire, "challenge", "digest"))
    return "WWW-Authenticate: Digest realm=\"x\", nonce=\"y\", domain=\"http:foo\"\r\n";
  if (tacho_sim_wire_is_word (wire, "challenge", "basic"))
    return "WWW-Authenticate: Basic realm=\"x\"\r\n";
  if (tacho_sim_wire_is_word (wire, "challenge", "ntlm"))
    return "WWW-Authenticate: NTLM\r\n";
  return "WWW-Authenticate: Bearer realm=\"http://127.0.0.1:1/token\"\r\n";
}

/* TRUE: it took the place of the reply. */
gboolean
tacho_sim_wire_put_instead (TachoSimWire *wire)
{
  static const char page[] = "<!DOCTYPE html><html><body><h1>Bad gateway</h1></body></html>\n";

  if (tacho_sim_wire_is_word (wire, "not-http", "ssh"))
    tacho_sim_wire_put_text (wire, "SSH-2.0-OpenSSH_9.2\r\n");
  else if (tacho_sim_wire_is_word (wire, "not-http", "tls"))
    tacho_sim_wire_put (wire, "\x15\x03\x03\x00\x02\x02\x28", 7);
  else if (tacho_sim_wire_is_word (wire, "not-http", "http09"))
    tacho_sim_wire_put_text (wire, page);
  else if (tacho_sim_wire_is (wire, "not-http"))
    tacho_sim_wire_put (wire, "\x00\x01\x02 garbage \xff\xfe\r\n\r\n", 18);
  else if (tacho_sim_wire_is (wire, "switch"))
    tacho_sim_wire_put_text (
        wire, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
  else if (tacho_sim_wire_is (wire, "redirect"))
    {
      g_autofree char *location =
          g_strdup_printf ("Location: %s\r\n", wire->word != NULL ? wire->word : "/elsewhere");

      put_whole (wire, (guint) wire->plan.number, location, "");
      return TRUE;
    }
  else if (tacho_sim_wire_is (wire, "challenge"))
    {
      put_whole (wire, 401, challenge_of (wire), "{\"error\":\"Unauthorized\"}");
      return TRUE;
    }
  else if (tacho_sim_wire_is (wire, "html"))
    {
      put_whole (wire, 200, "Content-Type: text/html\r\n", page);
      return TRUE;
    }
  else
    return FALSE;
  tacho_sim_wire_end_with (wire, TACHO_SIM_WIRE_END_CLOSE);
  return TRUE;
}
