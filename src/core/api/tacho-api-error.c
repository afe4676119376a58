/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of an error, whatever shape a server gives them, and a reply's JSON. */
#define G_LOG_DOMAIN "tacho-api"

#include "api/tacho-api-private.h"

#include <string.h>

#include "api/tacho-api-grpc.h"
#include "base/tacho-error.h"
#include "base/tacho-json.h"
#include "base/tacho-text.h"

/* An excerpt of hostile text, on one line. */
char *
tacho_api_excerpt (const char *text, gsize length)
{
  g_autofree char *line = NULL;

  /* Cut before cleaning: a body may be of megabytes. */
  line = tacho_text_sanitize_line (text, (gssize) MIN (length, 4 * TACHO_API_MAX_WORDS),
                                   TACHO_API_MAX_WORDS);
  return g_strdup (g_strstrip (line));
}

/* A count cannot be negative; a server that says so says nothing. */
gint64
tacho_api_get_count (JsonObject *object, const char *member, gint64 fallback)
{
  gint64 value = tacho_json_get_int (object, member, fallback);

  return value < 0 ? fallback : value;
}

static char *
with_type (const char *message, const char *type)
{
  g_autofree char *both = g_strdup_printf ("%s (%s)", message, type);

  return tacho_api_excerpt (both, strlen (both));
}

static char *
words_of_object (JsonObject *object)
{
  const char *message = tacho_json_get_string (object, "message", NULL);
  const char *type = tacho_json_get_string (object, "type", NULL);

  if (message == NULL || message[0] == '\0')
    message = tacho_json_get_string (object, "detail", NULL);
  if (message == NULL || message[0] == '\0')
    message = type;
  else if (type != NULL && type[0] != '\0' && strcmp (type, "error") != 0)
    return with_type (message, type);
  if (message == NULL || message[0] == '\0')
    return g_strdup ("no message was given");
  return tacho_api_excerpt (message, strlen (message));
}

static char *
words_of_node (JsonNode *node)
{
  g_autofree char *text = NULL;

  if (JSON_NODE_HOLDS_OBJECT (node))
    return words_of_object (json_node_get_object (node));
  if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_STRING)
    text = json_node_dup_string (node);
  else
    text = tacho_json_to_string (node, FALSE);
  return tacho_api_excerpt (text, strlen (text));
}

/* null, false and "" under "error" say that there is none. */
static gboolean
says_error (JsonNode *node)
{
  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return FALSE;
  if (!JSON_NODE_HOLDS_VALUE (node))
    return TRUE;
  if (json_node_get_value_type (node) == G_TYPE_BOOLEAN)
    return json_node_get_boolean (node);
  if (json_node_get_value_type (node) == G_TYPE_STRING)
    return json_node_get_string (node)[0] != '\0';
  return TRUE;
}

/* The shapes: {"error":{…}}, {"error":"text"}, {"object":"error",…}, {"type":"error",…}. */
char *
tacho_api_in_band_words (JsonObject *object)
{
  JsonNode *node = json_object_get_member (object, "error");

  if (says_error (node))
    {
      g_autofree char *words = words_of_node (node);
      const char *type = tacho_json_get_string (object, "error_type", NULL);

      /* TGI names the kind beside the text. */
      return type != NULL && type[0] != '\0' && JSON_NODE_HOLDS_VALUE (node)
                 ? with_type (words, type)
                 : g_steal_pointer (&words);
    }
  if (g_strcmp0 (tacho_json_get_string (object, "object", NULL), "error") == 0 ||
      g_strcmp0 (tacho_json_get_string (object, "type", NULL), "error") == 0)
    return words_of_object (object);
  return NULL;
}

/* FastAPI: {"detail":"text"} or {"detail":[{"loc":…,"msg":"text"}]}. */
static char *
words_of_detail (JsonObject *object)
{
  JsonNode *node = json_object_get_member (object, "detail");

  if (!says_error (node))
    return NULL;
  if (JSON_NODE_HOLDS_ARRAY (node))
    {
      JsonObject *first = tacho_json_array_get_object (json_node_get_array (node), 0);
      const char *message = tacho_json_get_string (first, "msg", NULL);

      if (message != NULL)
        return tacho_api_excerpt (message, strlen (message));
    }
  return words_of_node (node);
}

static gboolean
is_web_page (const char *text, gsize length)
{
  while (length > 0 && g_ascii_isspace (*text))
    text++, length--;
  return length > 0 && text[0] == '<';
}

/* A page is told by its title, which proxies use for their one line of truth. */
static char *
words_of_page (const char *text, gsize length)
{
  g_autofree char *head = g_strndup (text, MIN (length, 16384));
  g_autofree char *lower = g_ascii_strdown (head, -1);
  const char *open = strstr (lower, "<title>");
  const char *close = open != NULL ? strstr (open, "</title>") : NULL;
  g_autofree char *title = NULL;

  if (close == NULL)
    return g_strdup ("a web page, not an API");
  open += strlen ("<title>");
  title = tacho_api_excerpt (head + (open - lower), (gsize) (close - open));
  return g_strdup_printf ("a web page, not an API, titled “%s”", title);
}

/* What the body of a refused request says, in whatever shape; NULL for an empty one. */
static char *
words_of_body (GBytes *body)
{
  gsize length;
  const char *text = g_bytes_get_data (body, &length);
  g_autoptr (JsonNode) root = NULL;
  g_autofree char *words = NULL;

  if (length == 0)
    return NULL;
  if (is_web_page (text, length))
    return words_of_page (text, length);
  root = tacho_json_parse (text, length, NULL);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root))
    {
      JsonObject *object = json_node_get_object (root);

      words = tacho_api_in_band_words (object);
      if (words == NULL)
        words = words_of_detail (object);
      if (words == NULL && tacho_json_get_string (object, "message", NULL) != NULL)
        words = words_of_object (object);
    }
  if (words == NULL)
    words = tacho_api_excerpt (text, length);
  return words[0] != '\0' ? g_steal_pointer (&words) : NULL;
}

static TachoErrorCode
code_of_status (guint status)
{
  if (status >= 200 && status < 300)
    return TACHO_ERROR_IN_BAND;
  if (status == 429)
    return TACHO_ERROR_HTTP_429;
  if (status >= 400 && status < 500)
    return TACHO_ERROR_HTTP_4XX;
  return status >= 500 && status < 600 ? TACHO_ERROR_HTTP_5XX : TACHO_ERROR_PROTOCOL;
}

static void
append_header_words (GString *message,
                     const TachoHttpReply *reply,
                     const char *name,
                     const char *format)
{
  const char *value = tacho_http_reply_get_header (reply, name);
  g_autofree char *clean = NULL;

  if (value == NULL)
    return;
  clean = tacho_text_sanitize_line (value, -1, 100);
  g_string_append (message, format);
  g_string_append (message, clean);
}

static GError *
error_from_grpc (const TachoHttpReply *reply, int status)
{
  const char *name = tacho_api_grpc_status_name (status);
  const char *said = tacho_http_reply_get_header (reply, "grpc-message");
  g_autofree char *words = said != NULL ? tacho_api_excerpt (said, strlen (said)) : NULL;
  g_autofree char *number = g_strdup_printf ("status %d", status);
  gboolean key_wanted = reply->status == 401 || reply->status == 403;

  return g_error_new (
      TACHO_ERROR, TACHO_ERROR_GRPC, "gRPC %s%s%s%s", name != NULL ? name : number,
      words != NULL && words[0] != '\0' ? ": " : " without a word", words != NULL ? words : "",
      key_wanted ? "; the server wants an API key: set the right one in the profile" : "");
}

/**
 * tacho_api_error_from_reply:
 * @reply: a reply that refuses what was asked
 *
 * Turns it into an error: the class by the status, the message in the server's own words, cleaned
 * and bounded, from any of the shapes that servers and proxies use. A 2xx reply is
 * %TACHO_ERROR_IN_BAND; a redirection, never followed, is %TACHO_ERROR_PROTOCOL; a gRPC status is
 * %TACHO_ERROR_GRPC.
 *
 * Returns: (transfer full): the error
 */
GError *
tacho_api_error_from_reply (const TachoHttpReply *reply)
{
  g_autoptr (GString) message = g_string_new (NULL);
  g_autofree char *words = NULL;

  g_return_val_if_fail (reply != NULL, NULL);

  if (tacho_api_grpc_status (reply) > TACHO_GRPC_OK)
    return error_from_grpc (reply, tacho_api_grpc_status (reply));
  words = words_of_body (reply->body);
  g_string_printf (message, "HTTP %u%s%s", reply->status, words != NULL ? ": " : " without a word",
                   words != NULL ? words : "");
  if (reply->status >= 300 && reply->status < 400)
    append_header_words (message, reply, "Location",
                         "; redirections are not followed, use the address itself: ");
  else if (reply->status == 401 || reply->status == 403)
    g_string_append (message, "; the server wants an API key: set the right one in the profile");
  else if (reply->status == 429 || reply->status == 503)
    append_header_words (message, reply, "Retry-After", "; the server says to retry after ");
  return g_error_new_literal (TACHO_ERROR, code_of_status (reply->status), message->str);
}

JsonNode *
tacho_api_parse_reply (const TachoHttpReply *reply, GError **error)
{
  g_autoptr (JsonNode) root = NULL;
  g_autoptr (GError) reason = NULL;
  g_autofree char *words = NULL;
  gsize length;
  const char *text;

  if (reply->status < 200 || reply->status >= 300)
    {
      g_propagate_error (error, tacho_api_error_from_reply (reply));
      return NULL;
    }
  text = g_bytes_get_data (reply->body, &length);
  root = tacho_json_parse (text != NULL ? text : "", length, &reason);
  if (root == NULL || JSON_NODE_HOLDS_VALUE (root) || JSON_NODE_HOLDS_NULL (root))
    {
      words = words_of_body (reply->body);
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_PROTOCOL,
                   "The server's reply is not the JSON that was expected%s%s: %s",
                   reason != NULL ? ": " : "", reason != NULL ? reason->message : "",
                   words != NULL ? words : "it is empty");
      return NULL;
    }
  if (JSON_NODE_HOLDS_OBJECT (root))
    words = tacho_api_in_band_words (json_node_get_object (root));
  if (words != NULL)
    {
      g_set_error (error, TACHO_ERROR, TACHO_ERROR_IN_BAND, "The server reported an error: %s",
                   words);
      return NULL;
    }
  return g_steal_pointer (&root);
}

gboolean
tacho_api_check_model_reply (const char *model_id, const TachoHttpReply *reply, GError **error)
{
  g_autoptr (GError) reason = NULL;

  int grpc = tacho_api_grpc_status (reply);

  /* A call that is not there is no statement about a model. */
  if (grpc > TACHO_GRPC_OK ? grpc != TACHO_GRPC_NOT_FOUND : reply->status != 404)
    return TRUE;
  reason = tacho_api_error_from_reply (reply);
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_NOT_FOUND, "The server knows no model “%s” (%s)",
               model_id, reason->message);
  return FALSE;
}

gboolean
tacho_api_change_refused (const char *verb,
                          const char *model_id,
                          const TachoHttpReply *reply,
                          const GError *reason,
                          GError **error)
{
  if (reason == NULL)
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED,
                 "The server did not %s “%s”, without saying why", verb, model_id);
  else if (reply->status == 401 || reply->status == 403 || reply->status == 429 ||
           reason->code == TACHO_ERROR_PROTOCOL)
    g_propagate_error (error, g_error_copy (reason));
  else
    g_set_error (error, TACHO_ERROR, TACHO_ERROR_MODEL_FAILED, "The server did not %s “%s”: %s",
                 verb, model_id, reason->message);
  return FALSE;
}
