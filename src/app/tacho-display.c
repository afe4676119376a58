/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words, icons and numbers as a person reads them. */
#define G_LOG_DOMAIN "tacho-display"

#include "config.h"

#include "app/tacho-display.h"
#include "base/tacho-text.h"
#include "base/tacho-url.h"

#include <glib/gi18n.h>
#include <math.h>

#define MAX_LINE 240 /* characters of a server's text in one line of the window */

static const char *const state_classes[] = { "success", "warning", "error", "accent", "dim-label" };

/**
 * tacho_display_model_state:
 * @status: status of a model
 *
 * Returns: icon, translated word and CSS class of @status
 */
TachoDisplayState
tacho_display_model_state (TachoModelStatus status)
{
  switch (status)
    {
    case TACHO_MODEL_STATUS_UNLOADED:
      return (TachoDisplayState){ "tacho-status-off-symbolic", _ ("Not loaded"), "dim-label" };
    case TACHO_MODEL_STATUS_LOADING:
      return (TachoDisplayState){ "tacho-status-busy-symbolic", _ ("Loading"), "accent" };
    case TACHO_MODEL_STATUS_LOADED:
      return (TachoDisplayState){ "tacho-status-on-symbolic", _ ("Loaded"), "success" };
    case TACHO_MODEL_STATUS_SLEEPING:
      return (TachoDisplayState){ "tacho-status-sleeping-symbolic", _ ("Asleep"), "dim-label" };
    case TACHO_MODEL_STATUS_FAILED:
      return (TachoDisplayState){ "tacho-status-failed-symbolic", _ ("Failed to load"), "error" };
    case TACHO_MODEL_STATUS_UNKNOWN:
    default:
      return (TachoDisplayState){ "tacho-status-on-symbolic", _ ("Available"), "success" };
    }
}

/**
 * tacho_display_connection_state:
 * @state: state of a connection
 *
 * Returns: icon, translated word and CSS class of @state
 */
TachoDisplayState
tacho_display_connection_state (TachoConnectionState state)
{
  switch (state)
    {
    case TACHO_CONNECTION_PROBING:
      return (TachoDisplayState){ "tacho-status-busy-symbolic", _ ("Connecting…"), "accent" };
    case TACHO_CONNECTION_CONNECTED:
      return (TachoDisplayState){ "tacho-status-on-symbolic", _ ("Connected"), "success" };
    case TACHO_CONNECTION_LOADING:
      return (TachoDisplayState){ "tacho-status-busy-symbolic", _ ("Server is loading"), "accent" };
    case TACHO_CONNECTION_DEGRADED:
      return (TachoDisplayState){ "tacho-status-warning-symbolic", _ ("Unsteady"), "warning" };
    case TACHO_CONNECTION_OFFLINE:
      return (TachoDisplayState){ "tacho-status-failed-symbolic", _ ("Offline"), "error" };
    case TACHO_CONNECTION_DISCONNECTED:
    default:
      return (TachoDisplayState){ "tacho-status-off-symbolic", _ ("Not connected"), "dim-label" };
    }
}

/**
 * tacho_display_endpoint_state:
 * @state: how one side of a server is
 *
 * Returns: (transfer none): the same in words
 */
const char *
tacho_display_endpoint_state (TachoEndpointState state)
{
  switch (state)
    {
    case TACHO_ENDPOINT_PROBING:
      return _ ("looking…");
    case TACHO_ENDPOINT_OK:
      return _ ("ready");
    case TACHO_ENDPOINT_LOADING:
      return _ ("loading");
    case TACHO_ENDPOINT_FAILING:
      return _ ("failing");
    case TACHO_ENDPOINT_DOWN:
      return _ ("down");
    case TACHO_ENDPOINT_UNKNOWN:
    default:
      return _ ("not asked yet");
    }
}

/**
 * tacho_display_set_class:
 * @widget: what shows a state
 * @css_class: the class of the state; empty for one without a colour
 *
 * Replaces the colour class of an earlier state.
 */
void
tacho_display_set_class (GtkWidget *widget, const char *css_class)
{
  for (gsize i = 0; i < G_N_ELEMENTS (state_classes); i++)
    if (strcmp (state_classes[i], css_class) != 0)
      gtk_widget_remove_css_class (widget, state_classes[i]);
  if (css_class[0] != '\0')
    gtk_widget_add_css_class (widget, css_class);
}

static gboolean
whole_cb (GtkLabel *label, int x, int y, gboolean keyboard, GtkTooltip *tooltip, gpointer data)
{
  const char *text = gtk_label_get_label (label);

  gtk_tooltip_set_text (tooltip, text);
  return text[0] != '\0';
}

/**
 * tacho_display_show_whole:
 * @label: may be cut where it is long
 *
 * Gives it a tooltip with the whole of whatever it says. It is made when it is asked for: to set
 * one, GTK asks the X server where the pointer is and waits for the answer, which a list that
 * scrolls would do for each of its rows.
 */
void
tacho_display_show_whole (GtkLabel *label)
{
  g_return_if_fail (GTK_IS_LABEL (label));

  gtk_widget_set_has_tooltip (GTK_WIDGET (label), TRUE);
  g_signal_connect (label, "query-tooltip", G_CALLBACK (whole_cb), NULL);
}

/**
 * tacho_display_model_status:
 * @model: a model
 *
 * Returns: (transfer full): its status in words, with progress or the reason of a failure
 */
char *
tacho_display_model_status (TachoModel *model)
{
  TachoModelStatus status = tacho_model_get_status (model);
  TachoDisplayState state = tacho_display_model_state (status);
  const char *reason = tacho_model_get_status_reason (model);
  double progress = tacho_model_get_progress (model);

  if (status == TACHO_MODEL_STATUS_LOADING && isfinite (progress))
    /* Translators: progress of loading a model, 0 to 100. */
    return g_strdup_printf (_ ("Loading %d %%"), (int) (CLAMP (progress, 0, 1) * 100));
  if (status == TACHO_MODEL_STATUS_LOADING)
    return g_strdup (_ ("Loading…"));
  if (status == TACHO_MODEL_STATUS_FAILED && reason != NULL && reason[0] != '\0')
    {
      g_autofree char *clean = tacho_text_sanitize_line (reason, -1, MAX_LINE);

      /* Translators: %s is the reason in the server's own words. */
      return g_strdup_printf (_ ("Failed to load: %s"), clean);
    }
  return g_strdup (state.words);
}

/**
 * tacho_display_model_kind:
 * @kind: what a server calls a kind of model, or one of its abilities
 *
 * Returns: (transfer full): the same in words; as it is, made safe, where it is not known
 */
char *
tacho_display_model_kind (const char *kind)
{
  static const struct
  {
    const char *kind;
    const char *words;
  } kinds[] = {
    { "chat", N_ ("Chat") },
    { "completion", N_ ("Completion") },
    { "embedding", N_ ("Embedding") },
    { "embeddings", N_ ("Embedding") },
    { "vision", N_ ("Vision") },
    { "audio", N_ ("Audio") },
    { "tools", N_ ("Tools") },
    { "tool_use", N_ ("Tools") },
    { "thinking", N_ ("Reasoning") },
    { "reasoning", N_ ("Reasoning") },
    { "reranking", N_ ("Reranking") },
    { "insert", N_ ("Insertion") },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (kinds[i].kind, kind) == 0)
      return g_strdup (_ (kinds[i].words));
  return tacho_text_sanitize_line (kind, -1, 40);
}

/**
 * tacho_display_context:
 * @tokens: a number of tokens
 *
 * Returns: (transfer full): "32K" for whole multiples of 1024, else the number
 */
char *
tacho_display_context (gint64 tokens)
{
  if (tokens >= 1024 && tokens % 1024 == 0)
    return g_strdup_printf ("%" G_GINT64_FORMAT "K", tokens / 1024);
  return g_strdup_printf ("%" G_GINT64_FORMAT, tokens);
}

/**
 * tacho_display_join:
 * @parts: (element-type utf8): figures and words
 *
 * Where text runs from right to left, each part keeps its own direction: without that, "40 GB" and
 * "8K context" beside each other would exchange their numbers.
 *
 * Returns: (transfer full): all of them in one line, with dots between them
 */
char *
tacho_display_join (GPtrArray *parts)
{
  gboolean isolate = gtk_widget_get_default_direction () == GTK_TEXT_DIR_RTL;
  GString *line = g_string_new (NULL);

  for (guint i = 0; i < parts->len; i++)
    {
      if (i > 0)
        g_string_append (line, " · ");
      /* U+2068 and U+2069 of the Unicode bidirectional algorithm, UAX #9 */
      g_string_append_printf (line, isolate ? "\u2068%s\u2069" : "%s",
                              (const char *) g_ptr_array_index (parts, i));
    }
  return g_string_free (line, FALSE);
}

/**
 * tacho_display_model_summary:
 * @model: a model
 *
 * Returns: (transfer full): quantisation, parameters, size and context, as far as known
 */
char *
tacho_display_model_summary (TachoModel *model)
{
  const TachoModelInfo *info = tacho_model_get_info (model);
  g_autoptr (GPtrArray) parts = g_ptr_array_new_with_free_func (g_free);

  if (info->quantization != NULL && info->quantization[0] != '\0')
    g_ptr_array_add (parts, tacho_text_sanitize_line (info->quantization, -1, 24));
  if (info->n_params > 0)
    g_ptr_array_add (parts, tacho_text_format_count (info->n_params));
  if (info->size_bytes > 0)
    g_ptr_array_add (parts, tacho_text_format_bytes (info->size_bytes));
  if (info->context_window > 0 || info->context_trained > 0)
    {
      g_autofree char *context = tacho_display_context (
          info->context_window > 0 ? info->context_window : info->context_trained);

      /* Translators: context window of a model; %s is "32K". */
      g_ptr_array_add (parts, g_strdup_printf (_ ("%s context"), context));
    }
  return tacho_display_join (parts);
}

/**
 * tacho_display_ms:
 * @ms: milliseconds, or NaN
 *
 * Returns: (transfer full): three significant digits with a unit; a dash for NaN
 */
char *
tacho_display_ms (double ms)
{
  if (!isfinite (ms))
    return g_strdup ("—");
  if (ms >= 9999.5)
    return g_strdup_printf (_ ("%.1f s"), ms / 1000);
  if (ms >= 999.5)
    return g_strdup_printf (_ ("%.2f s"), ms / 1000);
  if (ms >= 99.95)
    return g_strdup_printf (_ ("%.0f ms"), ms);
  if (ms >= 9.995)
    return g_strdup_printf (_ ("%.1f ms"), ms);
  return g_strdup_printf (_ ("%.2f ms"), ms);
}

/**
 * tacho_display_number:
 * @value: a rate, or NaN
 *
 * Returns: (transfer full): three significant digits; a dash for NaN
 */
char *
tacho_display_number (double value)
{
  if (!isfinite (value))
    return g_strdup ("—");
  if (value >= 99.95 || value == 0)
    return g_strdup_printf ("%'.0f", value);
  return g_strdup_printf (value >= 9.995 ? "%.1f" : "%.2f", value);
}

/**
 * tacho_display_duration:
 * @seconds: a length of time
 *
 * Returns: (transfer full): the time in words
 */
char *
tacho_display_duration (double seconds)
{
  if (!isfinite (seconds) || seconds < 0)
    return g_strdup ("—");
  if (seconds < 9.95)
    return g_strdup_printf (_ ("%.1f s"), seconds);
  if (seconds < 59.5)
    return g_strdup_printf (_ ("%.0f s"), seconds);
  if (seconds < 3600)
    return g_strdup_printf (_ ("%d min %d s"), (int) seconds / 60, (int) seconds % 60);
  return g_strdup_printf (_ ("%d h %d min"), (int) seconds / 3600, (int) seconds % 3600 / 60);
}

/**
 * tacho_display_error_class:
 * @code: an error class of the metrics
 *
 * Returns: (transfer none): what it means, in words
 */
const char *
tacho_display_error_class (TachoErrorCode code)
{
  switch ((int) code)
    {
    case TACHO_ERROR_REFUSED:
      return _ ("connection refused");
    case TACHO_ERROR_CONNECT:
      return _ ("no connection");
    case TACHO_ERROR_TLS:
      return _ ("TLS failed");
    case TACHO_ERROR_TIMEOUT_CONNECT:
      return _ ("time limit for connecting");
    case TACHO_ERROR_TIMEOUT_FIRST:
      return _ ("time limit for the first byte");
    case TACHO_ERROR_TIMEOUT_IDLE:
      return _ ("silent for too long");
    case TACHO_ERROR_TIMEOUT_TOTAL:
      return _ ("time limit for the whole request");
    case TACHO_ERROR_HTTP_4XX:
      return _ ("request refused by the server");
    case TACHO_ERROR_HTTP_429:
      return _ ("too many requests");
    case TACHO_ERROR_HTTP_5XX:
      return _ ("server error");
    case TACHO_ERROR_GRPC:
      return _ ("gRPC error");
    case TACHO_ERROR_PROTOCOL:
      return _ ("reply not understood");
    case TACHO_ERROR_IN_BAND:
      return _ ("error inside a reply");
    case TACHO_ERROR_TRUNCATED:
      return _ ("stream cut short");
    case TACHO_ERROR_CANCELLED:
      return _ ("cancelled");
    default:
      return _ ("other error");
    }
}

/**
 * tacho_display_finish_reason:
 * @reason: (nullable): the server's finish reason
 *
 * Returns: (transfer none) (nullable): in words; %NULL for one that is not known
 */
const char *
tacho_display_finish_reason (const char *reason)
{
  if (g_strcmp0 (reason, "stop") == 0)
    return _ ("ended by itself");
  if (g_strcmp0 (reason, "length") == 0)
    return _ ("token limit reached");
  if (g_strcmp0 (reason, "tool_calls") == 0)
    return _ ("asked for a tool");
  if (g_strcmp0 (reason, "content_filter") == 0)
    return _ ("stopped by the content filter");
  return NULL;
}

/**
 * tacho_display_url_name:
 * @url: a server's URL as the person knows it
 *
 * Returns: (transfer full): a short name for menus
 */
char *
tacho_display_url_name (const char *url)
{
  const char *rest = strstr (url, "://");

  if (strcmp (url, "sim:") == 0)
    return g_strdup (_ ("Simulated server"));
  if (tacho_url_is_sim (url))
    /* Translators: %s is the name of a variant of the built-in simulated server. */
    return g_strdup_printf (_ ("Simulated server (%s)"), url + strlen ("sim:"));
  return g_strdup (rest != NULL ? rest + strlen ("://") : url);
}
