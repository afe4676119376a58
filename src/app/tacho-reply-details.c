/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a reply came: attempts, times, and what went over the wire. */
#define G_LOG_DOMAIN "tacho-reply-details"

#include "config.h"

#include "app/tacho-reply-details.h"
#include "app/tacho-accessible.h"
#include "app/tacho-display.h"
#include "base/tacho-clock.h"
#include "base/tacho-json.h"
#include "base/tacho-text.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <math.h>

#define MAX_LINE 36 /* characters of a value in one line */
#define MAX_SHOWN ((gsize) 256 * 1024)

static char *
dup_request (const TachoAttempt *attempt)
{
  gsize length = 0;
  const char *data = attempt->request != NULL ? g_bytes_get_data (attempt->request, &length) : NULL;
  g_autoptr (JsonNode) node = data != NULL ? tacho_json_parse (data, length, NULL) : NULL;
  g_autofree char *pretty = node != NULL ? tacho_json_to_string (node, TRUE) : NULL;

  return pretty != NULL
             ? tacho_text_sanitize (pretty, (gssize) MIN (strlen (pretty), MAX_SHOWN))
             : tacho_text_sanitize (data != NULL ? data : "", (gssize) MIN (length, MAX_SHOWN));
}

static char *
dup_reply (const TachoAttempt *attempt)
{
  g_autofree char *text = NULL;

  if (attempt->reply == NULL || attempt->reply->len == 0)
    return g_strdup (_ ("Nothing came."));
  text = tacho_text_sanitize (attempt->reply->str, (gssize) attempt->reply->len);
  return attempt->reply_cut ? g_strconcat (text, "\n…", NULL) : g_steal_pointer (&text);
}

/**
 * tacho_reply_details_dup_curl:
 * @attempt: an attempt
 *
 * Returns: (transfer full) (nullable): a command for a shell that sends the same; %NULL if it did
 *   not go over HTTP
 */
char *
tacho_reply_details_dup_curl (const TachoAttempt *attempt)
{
  g_autofree char *url = NULL;
  g_autofree char *quoted = NULL;
  g_autofree char *body = NULL;
  g_autofree char *quoted_body = NULL;
  gsize length = 0;
  const char *data;

  if (attempt->protocol != TACHO_PROTOCOL_REST || attempt->method == NULL)
    return NULL;
  url = g_strconcat (attempt->target, attempt->path, NULL);
  quoted = g_shell_quote (url);
  data = attempt->request != NULL ? g_bytes_get_data (attempt->request, &length) : NULL;
  if (data == NULL)
    return g_strdup_printf ("curl -N -X %s %s", attempt->method, quoted);
  body = g_strndup (data, length);
  quoted_body = g_shell_quote (body);
  return g_strdup_printf ("curl -N -X %s %s \\\n  -H 'Content-Type: application/json' \\\n"
                          "  ${API_KEY:+-H \"Authorization: Bearer $API_KEY\"} \\\n  -d %s",
                          attempt->method, quoted, quoted_body);
}

static void
add_row (GtkWidget *group, const char *title, const char *value)
{
  GtkWidget *row = adw_action_row_new ();
  GtkWidget *label = gtk_label_new (value);

  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  /* What may wrap is made as narrow as a letter by the row. */
  if (g_utf8_strlen (value, -1) > MAX_LINE)
    {
      gtk_label_set_wrap (GTK_LABEL (label), TRUE);
      gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
      gtk_label_set_width_chars (GTK_LABEL (label), MAX_LINE);
      gtk_label_set_max_width_chars (GTK_LABEL (label), MAX_LINE);
    }
  gtk_label_set_xalign (GTK_LABEL (label), 1);
  gtk_widget_add_css_class (label, "numeric");
  gtk_widget_add_css_class (label, "dim-label");
  adw_preferences_row_set_use_markup (ADW_PREFERENCES_ROW (row), FALSE);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_action_row_add_suffix (ADW_ACTION_ROW (row), label);
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (group), row);
}

static void
add_ms (GtkWidget *group, const char *title, double ms)
{
  g_autofree char *text = tacho_display_ms (ms);

  add_row (group, title, text);
}

static void
add_count (GtkWidget *group, const char *title, gint64 count)
{
  g_autofree char *text =
      count >= 0 ? g_strdup_printf ("%'lld", (long long) count) : g_strdup ("—");

  add_row (group, title, text);
}

static GtkWidget *
make_times (TachoGeneration *generation)
{
  GtkWidget *group = adw_preferences_group_new ();
  const char *id = tacho_generation_get_response_id (generation);
  TachoGenerationMetrics m;

  tacho_generation_get_metrics (generation, &m);
  adw_preferences_group_set_title (ADW_PREFERENCES_GROUP (group), _ ("Measured Here"));
  add_ms (group, _ ("Time to first token"), m.ttft_ms);
  add_ms (group, _ ("Inter-token latency"), m.itl_ms);
  add_ms (group, _ ("Time per output token"), m.tpot_ms);
  add_ms (group, _ ("Whole request"), m.e2e_ms);
  add_count (group, _ ("Pieces of the stream"), (gint64) m.chunks);
  add_count (group, _ ("Prompt tokens"), m.prompt_tokens);
  add_count (group,
             g_strcmp0 (m.tokens_source, "usage") == 0 ? _ ("Output tokens, by the server's count")
                                                       : _ ("Output tokens, counted by pieces"),
             m.output_tokens);
  if (m.has_timings)
    {
      add_ms (group, _ ("Reading the prompt, by the server's clock"), m.timings.prompt_ms);
      add_ms (group, _ ("Writing the reply, by the server's clock"), m.timings.predicted_ms);
    }
  add_row (group, _ ("Connection"), m.connection_reused ? _ ("reused") : _ ("new"));
  if (id != NULL)
    {
      g_autofree char *clean = tacho_text_sanitize_line (id, -1, 120);

      add_row (group, _ ("The server's name for the reply"), clean);
    }
  return group;
}

static GtkWidget *
make_text (const char *title, const char *text)
{
  GtkWidget *expander = gtk_expander_new (title);
  GtkWidget *scroll = gtk_scrolled_window_new ();
  GtkWidget *view = gtk_text_view_new ();

  gtk_text_view_set_editable (GTK_TEXT_VIEW (view), FALSE);
  gtk_text_view_set_monospace (GTK_TEXT_VIEW (view), TRUE);
  gtk_text_view_set_wrap_mode (GTK_TEXT_VIEW (view), GTK_WRAP_WORD_CHAR);
  gtk_text_view_set_left_margin (GTK_TEXT_VIEW (view), 9);
  gtk_text_view_set_top_margin (GTK_TEXT_VIEW (view), 9);
  gtk_text_view_set_accepts_tab (GTK_TEXT_VIEW (view), FALSE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (view), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (GTK_TEXT_VIEW (view)), text, -1);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroll), view);
  gtk_scrolled_window_set_min_content_height (GTK_SCROLLED_WINDOW (scroll), 220);
  gtk_widget_add_css_class (scroll, "text-frame");
  gtk_widget_set_margin_top (scroll, 6);
  gtk_expander_set_child (GTK_EXPANDER (expander), scroll);
  tacho_accessible_name_expander (GTK_EXPANDER (expander));
  return expander;
}

static void
copy_cb (GtkButton *button, const char *text)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (button)), text);
  gtk_button_set_label (button, _ ("Copied"));
}

static void
free_closure (gpointer data, GClosure *closure)
{
  g_free (data);
}

static char *
describe_attempt (const TachoAttempt *attempt)
{
  g_autofree char *took =
      attempt->start_ns > 0 && attempt->end_ns > attempt->start_ns
          ? tacho_display_ms ((double) (attempt->end_ns - attempt->start_ns) / TACHO_NS_PER_MS)
          : g_strdup ("—");
  g_autofree char *reason =
      attempt->error != NULL ? tacho_text_sanitize_line (attempt->error, -1, 1000) : NULL;
  g_autofree char *decision =
      attempt->decision != NULL ? tacho_text_sanitize_line (attempt->decision, -1, 300) : NULL;
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%s · %s", reason != NULL ? reason : _ ("answered"), took);
  if (attempt->http_status > 0)
    g_string_append_printf (text, " · HTTP %u", attempt->http_status);
  if (decision != NULL)
    g_string_append_printf (text, "\n%s", decision);
  return g_string_free (text, FALSE);
}

static GtkWidget *
make_attempt (const TachoAttempt *attempt, guint number)
{
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);
  GtkWidget *group = adw_preferences_group_new ();
  /* Translators: number of an attempt, protocol, address. */
  g_autofree char *title =
      g_strdup_printf (_ ("Attempt %u · %s · %s"), number,
                       attempt->protocol == TACHO_PROTOCOL_GRPC ? "gRPC" : "REST", attempt->target);
  g_autofree char *escaped = tacho_text_escape_markup (title, 300);
  g_autofree char *what = describe_attempt (attempt);
  g_autofree char *request = dup_request (attempt);
  g_autofree char *reply = dup_reply (attempt);
  char *curl = tacho_reply_details_dup_curl (attempt);

  adw_preferences_group_set_title (ADW_PREFERENCES_GROUP (group), escaped);
  add_row (group, _ ("Outcome"), what);
  gtk_box_append (GTK_BOX (box), group);
  if (attempt->protocol == TACHO_PROTOCOL_REST && attempt->method != NULL)
    {
      gtk_box_append (GTK_BOX (box), make_text (_ ("Request as it was sent"), request));
      gtk_box_append (GTK_BOX (box), make_text (_ ("Reply as it came"), reply));
    }
  if (curl != NULL)
    {
      GtkWidget *button = gtk_button_new_with_label (_ ("Copy as curl"));

      gtk_widget_set_halign (button, GTK_ALIGN_START);
      g_signal_connect_data (button, "clicked", G_CALLBACK (copy_cb), curl, free_closure, 0);
      gtk_box_append (GTK_BOX (box), button);
    }
  return box;
}

/**
 * tacho_reply_details_show:
 * @parent: the window that asks
 * @generation: a generation
 *
 * Opens a window on how it came.
 */
void
tacho_reply_details_show (GtkWindow *parent, TachoGeneration *generation)
{
  GtkWidget *window = adw_window_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);
  GtkWidget *content = gtk_box_new (GTK_ORIENTATION_VERTICAL, 18);
  GtkWidget *clamp = adw_clamp_new ();
  GtkWidget *scroll = gtk_scrolled_window_new ();
  GPtrArray *attempts = tacho_generation_get_attempts (generation);
  GtkEventController *keys = gtk_shortcut_controller_new ();

  gtk_box_append (GTK_BOX (content), make_times (generation));
  for (guint i = 0; i < attempts->len; i++)
    gtk_box_append (GTK_BOX (content), make_attempt (g_ptr_array_index (attempts, i), i + 1));
  g_object_set (content, "margin-top", 18, "margin-bottom", 18, "margin-start", 12, "margin-end",
                12, NULL);
  adw_clamp_set_child (ADW_CLAMP (clamp), content);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroll), GTK_POLICY_NEVER,
                                  GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroll), clamp);
  gtk_widget_set_vexpand (scroll, TRUE);
  gtk_box_append (GTK_BOX (box), adw_header_bar_new ());
  gtk_box_append (GTK_BOX (box), scroll);
  gtk_shortcut_controller_add_shortcut (
      GTK_SHORTCUT_CONTROLLER (keys), gtk_shortcut_new (gtk_keyval_trigger_new (GDK_KEY_Escape, 0),
                                                        gtk_named_action_new ("window.close")));
  gtk_widget_add_controller (window, keys);
  adw_window_set_content (ADW_WINDOW (window), box);
  gtk_window_set_title (GTK_WINDOW (window), _ ("Details of the Reply"));
  gtk_window_set_default_size (GTK_WINDOW (window), 640, 620);
  gtk_window_set_transient_for (GTK_WINDOW (window), parent);
  gtk_window_set_modal (GTK_WINDOW (window), TRUE);
  gtk_window_present (GTK_WINDOW (window));
}
