/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may go on the wire: base URLs, header names and values. */
#define G_LOG_DOMAIN "tacho"

#include "base/tacho-url.h"

#include <gio/gio.h>
#include <string.h>

G_DEFINE_QUARK (tacho_url_error_quark, tacho_url_error)

#define MAX_URL 4096

/* Only the host is decoded: a path whose escapes are not UTF-8 is as good as any. */
#define PARSE_FLAGS                                                                                \
  (G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED_PATH | G_URI_FLAGS_ENCODED_QUERY |               \
   G_URI_FLAGS_ENCODED_FRAGMENT)

static gboolean
has_control (const char *text)
{
  for (; *text != '\0'; text++)
    if (g_ascii_iscntrl (*text) || *text == ' ' || *text == '\\')
      return TRUE;
  return FALSE;
}

/* A host as GUri gives it, decoded and in ASCII: letters, digits and what names and addresses need,
 * nothing else. A percent-encoded line break would otherwise become one on the wire
 * (CVE-2026-3632). */
static gboolean
host_is_sane (const char *host)
{
  gboolean has_alnum = FALSE;

  if (host == NULL || strlen (host) > 253)
    return FALSE;
  if (strchr (host, ':') != NULL)
    return strchr (host, '%') == NULL && g_hostname_is_ip_address (host);
  for (; *host != '\0'; host++)
    if (g_ascii_isalnum (*host))
      has_alnum = TRUE;
    else if (strchr (".-_", *host) == NULL)
      return FALSE;
  return has_alnum;
}

/* The length of a scheme with its "://" at the beginning of @text, or 0. */
static gsize
find_scheme (const char *text)
{
  gsize n = 0;

  while (g_ascii_isalnum (text[n]) || (text[n] != '\0' && strchr ("+-.", text[n]) != NULL))
    n++;
  return n > 0 && g_str_has_prefix (text + n, "://") ? n + 3 : 0;
}

static char *
mend_scheme (const char *text)
{
  if (find_scheme (text) > 0)
    return g_strdup (text);
  return g_strconcat ("http://", g_str_has_prefix (text, "//") ? text + 2 : text, NULL);
}

/* Looked for by hand, before a message could quote a URL that does not even parse. */
static gboolean
has_userinfo (const char *text)
{
  const char *authority = text + find_scheme (text);

  authority += strspn (authority, "/");
  return memchr (authority, '@', strcspn (authority, "/?#")) != NULL;
}

/* What of a URL a message may quote: no query, which may hold a key, and only what is text. */
static char *
make_shown (const char *text)
{
  return g_utf8_make_valid (text, (gssize) MIN (strcspn (text, "?#"), 200));
}

static gboolean
check_text (const char *text, const char *shown, GError **error)
{
  if (*text == '\0')
    g_set_error_literal (error, TACHO_URL_ERROR, TACHO_URL_ERROR_SYNTAX,
                         "The URL is empty; it looks like http://127.0.0.1:8080");
  else if (strlen (text) > MAX_URL)
    g_set_error (error, TACHO_URL_ERROR, TACHO_URL_ERROR_SYNTAX,
                 "The URL is longer than %d characters", MAX_URL);
  else if (has_userinfo (text))
    g_set_error_literal (error, TACHO_URL_ERROR, TACHO_URL_ERROR_USERINFO,
                         "A URL must not hold a user name or a password; give a key apart from it");
  else if (has_control (text) || !g_utf8_validate (text, -1, NULL))
    g_set_error_literal (error, TACHO_URL_ERROR, TACHO_URL_ERROR_SYNTAX,
                         "The URL holds a space, a backslash or a control character; it looks like "
                         "http://127.0.0.1:8080");
  else if ((g_ascii_strncasecmp (text, "http:", 5) == 0 ||
            g_ascii_strncasecmp (text, "https:", 6) == 0) &&
           find_scheme (text) == 0)
    g_set_error (error, TACHO_URL_ERROR, TACHO_URL_ERROR_SYNTAX,
                 "“%s” is not a URL; it looks like http://127.0.0.1:8080", shown);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_uri (GUri *uri, const char *text, GError **error)
{
  const char *scheme = g_uri_get_scheme (uri);

  if (!g_str_equal (scheme, "http") && !g_str_equal (scheme, "https"))
    {
      g_set_error (error, TACHO_URL_ERROR, TACHO_URL_ERROR_SCHEME,
                   "A server's URL begins with http:// or https://, not %s://", scheme);
      return FALSE;
    }
  if (g_uri_get_userinfo (uri) != NULL)
    {
      g_set_error_literal (
          error, TACHO_URL_ERROR, TACHO_URL_ERROR_USERINFO,
          "A URL must not hold a user name or a password; give a key apart from it");
      return FALSE;
    }
  if (!host_is_sane (g_uri_get_host (uri)) || g_uri_get_port (uri) == 0)
    {
      g_set_error (error, TACHO_URL_ERROR, TACHO_URL_ERROR_HOST,
                   "“%s” names no host and port that can be reached", text);
      return FALSE;
    }
  return TRUE;
}

/* The path without its trailing slashes and without a final "/v1". */
static char *
clean_path (const char *path)
{
  /* Non-ASCII and the like must not go raw into a request line; escapes stay as they are. */
  g_autofree char *copy = g_uri_escape_string (path, "!$&'()*+,;=:@/%", FALSE);
  gsize length = strlen (copy);

  while (length > 0 && copy[length - 1] == '/')
    copy[--length] = '\0';
  if (g_str_has_suffix (copy, "/v1"))
    copy[length -= 3] = '\0';
  while (length > 0 && copy[length - 1] == '/')
    copy[--length] = '\0';
  return g_steal_pointer (&copy);
}

/**
 * tacho_url_normalize:
 * @text: what a person typed
 * @error: return location
 *
 * Mends and checks the base URL of a server: a missing scheme becomes http, a query, a fragment,
 * trailing slashes and a final "/v1" go, a path prefix stays. "sim:" and "sim:NAME" pass unchanged.
 * An international host name becomes its ASCII form. An IPv6 address with a zone is refused.
 *
 * Returns: (transfer full): the URL, or %NULL with a %TACHO_URL_ERROR
 */
char *
tacho_url_normalize (const char *text, GError **error)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (text != NULL ? text : ""));
  g_autofree char *mended = NULL;
  g_autofree char *path = NULL;
  g_autofree char *shown = NULL;
  g_autofree char *host = NULL;
  g_autoptr (GUri) uri = NULL;
  char port[16] = "";

  shown = make_shown (trimmed);
  if (!check_text (trimmed, shown, error))
    return NULL;
  if (tacho_url_is_sim (trimmed))
    return g_steal_pointer (&trimmed);
  mended = mend_scheme (trimmed);
  uri = g_uri_parse (mended, PARSE_FLAGS, NULL);
  if (uri == NULL)
    {
      g_set_error (error, TACHO_URL_ERROR, TACHO_URL_ERROR_SYNTAX,
                   "“%s” is not a URL; it looks like http://127.0.0.1:8080", shown);
      return NULL;
    }
  if (!check_uri (uri, shown, error))
    return NULL;
  host = g_ascii_strdown (g_uri_get_host (uri), -1);
  path = clean_path (g_uri_get_path (uri));
  if (g_uri_get_port (uri) > 0)
    g_snprintf (port, sizeof port, ":%d", g_uri_get_port (uri));
  return g_strconcat (g_uri_get_scheme (uri), "://", strchr (host, ':') != NULL ? "[" : "", host,
                      strchr (host, ':') != NULL ? "]" : "", port, path, NULL);
}

/**
 * tacho_url_join:
 * @base: a normalised base URL
 * @path: begins with "/"
 *
 * Returns: (transfer full): the URL of @path under @base
 */
char *
tacho_url_join (const char *base, const char *path)
{
  return g_strconcat (base, path, NULL);
}

/**
 * tacho_url_is_loopback:
 * @url: (nullable): a URL
 *
 * Returns: whether it names this machine: 127.0.0.0/8, ::1, localhost or a name under it; 0.0.0.0,
 * an address to listen on, does not
 */
gboolean
tacho_url_is_loopback (const char *url)
{
  g_autoptr (GUri) uri = url != NULL ? g_uri_parse (url, PARSE_FLAGS, NULL) : NULL;
  g_autoptr (GInetAddress) address = NULL;
  const char *host = uri != NULL ? g_uri_get_host (uri) : NULL;

  if (host == NULL)
    return FALSE;
  address = g_inet_address_new_from_string (host);
  if (address != NULL)
    return g_inet_address_get_is_loopback (address);
  return g_ascii_strcasecmp (host, "localhost") == 0 ||
         (strlen (host) > 10 && g_ascii_strcasecmp (host + strlen (host) - 10, ".localhost") == 0);
}

/**
 * tacho_url_is_sim:
 * @url: (nullable): a URL
 *
 * Returns: whether it is "sim:" or "sim:NAME", the built-in simulated server
 */
gboolean
tacho_url_is_sim (const char *url)
{
  return url != NULL && g_str_has_prefix (url, "sim:");
}

/**
 * tacho_url_origin:
 * @url: an http or https URL
 *
 * Returns: (transfer full) (nullable): "scheme://host:port" with the port always given
 */
char *
tacho_url_origin (const char *url)
{
  g_autoptr (GUri) uri = g_uri_parse (url, PARSE_FLAGS, NULL);
  g_autofree char *host = NULL;
  int port;

  if (uri == NULL || g_uri_get_host (uri) == NULL)
    return NULL;
  host = g_ascii_strdown (g_uri_get_host (uri), -1);
  port = g_uri_get_port (uri);
  if (port < 0)
    port = g_str_equal (g_uri_get_scheme (uri), "https") ? 443 : 80;
  return g_strdup_printf (strchr (host, ':') != NULL ? "%s://[%s]:%d" : "%s://%s:%d",
                          g_uri_get_scheme (uri), host, port);
}

static gboolean
is_token (const char *name)
{
  if (*name == '\0')
    return FALSE;
  for (; *name != '\0'; name++)
    if (!g_ascii_isalnum (*name) && strchr ("!#$%&'*+-.^_`|~", *name) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
is_in (const char *name, const char *const *list)
{
  for (; *list != NULL; list++)
    if (g_ascii_strcasecmp (name, *list) == 0)
      return TRUE;
  return FALSE;
}

/**
 * tacho_header_check:
 * @name: a field name
 * @value: its value
 * @error: return location
 *
 * Whether a header may be sent: a token as name
 * ([RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-5.1)), no control character in the
 * value, and no field that frames the message.
 *
 * Returns: whether it may; else %TACHO_URL_ERROR_HEADER, which never quotes the value
 */
gboolean
tacho_header_check (const char *name, const char *value, GError **error)
{
  static const char *const framing[] = { "Host",
                                         "Connection",
                                         "Content-Length",
                                         "Transfer-Encoding",
                                         "Content-Encoding",
                                         "Accept-Encoding",
                                         "Keep-Alive",
                                         "Proxy-Connection",
                                         "TE",
                                         "Trailer",
                                         "Upgrade",
                                         "Expect",
                                         NULL };
  gsize length = strlen (value);

  if (!is_token (name))
    {
      g_set_error_literal (error, TACHO_URL_ERROR, TACHO_URL_ERROR_HEADER,
                           "A header name is letters, digits and hyphens");
      return FALSE;
    }
  if (is_in (name, framing))
    {
      g_set_error (error, TACHO_URL_ERROR, TACHO_URL_ERROR_HEADER,
                   "The header %s is set by the program itself", name);
      return FALSE;
    }
  for (const char *p = value; *p != '\0'; p++)
    if ((g_ascii_iscntrl (*p) && *p != '\t'))
      {
        g_set_error (error, TACHO_URL_ERROR, TACHO_URL_ERROR_HEADER,
                     "The value of the header %s holds a line break or another control character",
                     name);
        return FALSE;
      }
  if (length > 0 && (g_ascii_isspace (value[0]) || g_ascii_isspace (value[length - 1])))
    {
      g_set_error (error, TACHO_URL_ERROR, TACHO_URL_ERROR_HEADER,
                   "The value of the header %s begins or ends with a space", name);
      return FALSE;
    }
  return TRUE;
}

/**
 * tacho_header_parse:
 * @line: "Name: value"
 * @name: (out) (transfer full): the name
 * @value: (out) (transfer full): the value, trimmed
 * @error: return location
 *
 * Takes a header apart and checks it.
 *
 * Returns: whether it may be sent
 */
gboolean
tacho_header_parse (const char *line, char **name, char **value, GError **error)
{
  const char *colon = strchr (line, ':');
  g_autofree char *key = NULL;
  g_autofree char *text = NULL;

  if (colon == NULL)
    {
      g_set_error_literal (error, TACHO_URL_ERROR, TACHO_URL_ERROR_HEADER,
                           "A header is written 'Name: value'");
      return FALSE;
    }
  key = g_strndup (line, (gsize) (colon - line));
  for (colon++; *colon == ' ' || *colon == '\t'; colon++)
    ;
  text = g_strdup (colon);
  for (gsize n = strlen (text); n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\t'); n--)
    text[n - 1] = '\0';
  if (!tacho_header_check (key, text, error))
    return FALSE;
  *name = g_steal_pointer (&key);
  *value = g_steal_pointer (&text);
  return TRUE;
}

/**
 * tacho_header_is_secret:
 * @name: a field name
 *
 * Returns: whether its value is a credential and must not be shown or stored
 */
gboolean
tacho_header_is_secret (const char *name)
{
  static const char *const names[] = {
    "Authorization", "Proxy-Authorization", "X-Api-Key",      "Api-Key", "Cookie",
    "Set-Cookie",    "X-Auth-Token",        "X-Goog-Api-Key", NULL
  };
  g_autofree char *lower = g_ascii_strdown (name, -1);

  return is_in (name, names) || strstr (lower, "secret") != NULL ||
         strstr (lower, "token") != NULL || strstr (lower, "password") != NULL ||
         strstr (lower, "auth") != NULL || strstr (lower, "credential") != NULL ||
         g_str_has_suffix (lower, "key");
}
