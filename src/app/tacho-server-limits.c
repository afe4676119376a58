/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The times and numbers of a server: timeouts, retries, connections. */
#define G_LOG_DOMAIN "tacho-server-limits"

#include "config.h"

#include "app/tacho-server-limits.h"
#include "app/tacho-field-note.h"
#include "config/tacho-config-keys.h"

#include <glib/gi18n.h>

typedef enum
{
  KIND_TIMEOUT, /* field: a TachoTimeout */
  KIND_WHOLE,   /* field: offset of a guint in the tuning */
  KIND_SECONDS, /* field: offset of a double */
} Kind;

#define TUNING(member) G_STRUCT_OFFSET (TachoProfileTuning, member)

/* The key is that of the configuration file, which knows what is allowed. */
static const struct
{
  Kind kind;
  gsize field;
  const char *key;
  const char *title;
} limits[] = {
  { KIND_TIMEOUT, TACHO_TIMEOUT_CONNECT, "timeout-connect", N_ ("To connect, in seconds") },
  { KIND_TIMEOUT, TACHO_TIMEOUT_FIRST, "timeout-first", N_ ("To the first byte, in seconds") },
  { KIND_TIMEOUT, TACHO_TIMEOUT_IDLE, "timeout-idle", N_ ("Without a byte, in seconds") },
  { KIND_TIMEOUT, TACHO_TIMEOUT_TOTAL, "timeout-total", N_ ("A whole request, in seconds") },
  { KIND_WHOLE, TUNING (attempts), "attempts", N_ ("Attempts in all") },
  { KIND_SECONDS, TUNING (backoff_s), "backoff", N_ ("Wait before the second, in seconds") },
  { KIND_SECONDS, TUNING (backoff_cap_s), "backoff-cap", N_ ("Longest such wait, in seconds") },
  { KIND_SECONDS, TUNING (server_wait_s), "server-wait",
    N_ ("Longest wait that the server may ask for, in seconds") },
  { KIND_WHOLE, TUNING (breaker_failures), "breaker-failures",
    N_ ("Failures in a row until the server is left alone") },
  { KIND_SECONDS, TUNING (breaker_open_s), "breaker-open", N_ ("For how long, in seconds") },
  { KIND_WHOLE, TUNING (max_connections), "max-connections", N_ ("Connections at a time") },
  { KIND_SECONDS, TUNING (connection_idle_s), "connection-idle",
    N_ ("Close an idle connection after, in seconds") },
  { KIND_SECONDS, TUNING (connection_age_s), "connection-age",
    N_ ("Use no connection longer than, in seconds") },
  { KIND_SECONDS, TUNING (keepalive_s), "keepalive", N_ ("Between gRPC pings, in seconds") },
};

#define N_LIMITS G_N_ELEMENTS (limits)

struct _TachoServerLimits
{
  AdwPreferencesGroup parent_instance;
  GtkWidget *rows[N_LIMITS];
  GtkWidget *notes[N_LIMITS];
  GtkWidget *timeouts;
  GtkWidget *retries;
  GtkWidget *connections;
};

G_DEFINE_FINAL_TYPE (TachoServerLimits, tacho_server_limits, ADW_TYPE_PREFERENCES_GROUP)

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
changed_cb (TachoServerLimits *self)
{
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static double
get_value (gsize i, TachoProfile *profile)
{
  const TachoProfileTuning *tuning = tacho_profile_get_tuning (profile);

  switch (limits[i].kind)
    {
    case KIND_TIMEOUT:
      return tacho_profile_get_timeout (profile, (TachoTimeout) limits[i].field);
    case KIND_WHOLE:
      return *(const guint *) G_STRUCT_MEMBER_P (tuning, limits[i].field);
    case KIND_SECONDS:
    default:
      return *(const double *) G_STRUCT_MEMBER_P (tuning, limits[i].field);
    }
}

static gboolean
set_value (gsize i, TachoProfile *profile, double value, GError **error)
{
  TachoProfileTuning tuning = *tacho_profile_get_tuning (profile);

  switch (limits[i].kind)
    {
    case KIND_TIMEOUT:
      return tacho_profile_set_timeout (profile, (TachoTimeout) limits[i].field, value, error);
    case KIND_WHOLE:
      *(guint *) G_STRUCT_MEMBER_P (&tuning, limits[i].field) = (guint) value;
      break;
    case KIND_SECONDS:
    default:
      *(double *) G_STRUCT_MEMBER_P (&tuning, limits[i].field) = value;
    }
  return tacho_profile_set_tuning (profile, &tuning, error);
}

static TachoProfile *
new_plain (void)
{
  return tacho_profile_new (NULL, "sim:", NULL);
}

static GtkWidget *
add_expander (TachoServerLimits *self, const char *title, const char *subtitle)
{
  GtkWidget *row = adw_expander_row_new ();

  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  adw_expander_row_set_subtitle (ADW_EXPANDER_ROW (row), subtitle);
  adw_preferences_group_add (ADW_PREFERENCES_GROUP (self), row);
  return row;
}

static void
add_limit (TachoServerLimits *self, gsize i, TachoProfile *plain, GtkWidget *expander)
{
  GtkWidget *row = adw_entry_row_new ();
  char usual[G_ASCII_DTOSTR_BUF_SIZE];
  g_autofree char *title = NULL;

  g_ascii_formatd (usual, sizeof usual, "%.4g", get_value (i, plain));
  /* Translators: title of a field, then its value if the field is left empty. */
  title = g_strdup_printf (_ ("%s (%s unless set)"), _ (limits[i].title), usual);
  adw_preferences_row_set_title (ADW_PREFERENCES_ROW (row), title);
  gtk_editable_set_width_chars (GTK_EDITABLE (row), 6);
  g_signal_connect_object (row, "changed", G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  self->rows[i] = row;
  self->notes[i] = tacho_field_note_new ();
  adw_expander_row_add_row (ADW_EXPANDER_ROW (expander), row);
  adw_expander_row_add_row (ADW_EXPANDER_ROW (expander), self->notes[i]);
}

static void
tacho_server_limits_class_init (TachoServerLimitsClass *klass)
{
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", TACHO_TYPE_SERVER_LIMITS, G_SIGNAL_RUN_LAST, 0,
                                          NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static GtkWidget *
expander_of (TachoServerLimits *self, gsize i)
{
  if (limits[i].kind == KIND_TIMEOUT)
    return self->timeouts;
  return limits[i].field >= TUNING (max_connections) ? self->connections : self->retries;
}

static void
tacho_server_limits_init (TachoServerLimits *self)
{
  g_autoptr (TachoProfile) plain = new_plain ();

  self->timeouts =
      add_expander (self, _ ("Timeouts"), _ ("A large model may need minutes to its first byte"));
  self->retries =
      add_expander (self, _ ("Retries"), _ ("What was begun to be answered is never sent again"));
  self->connections = add_expander (self, _ ("Connections"), "");
  for (gsize i = 0; i < N_LIMITS; i++)
    add_limit (self, i, plain, expander_of (self, i));
}

/**
 * tacho_server_limits_show:
 * @self: the rows
 * @profile: whose values to show; what is as usual stays empty
 */
void
tacho_server_limits_show (TachoServerLimits *self, TachoProfile *profile)
{
  g_autoptr (TachoProfile) plain = new_plain ();

  for (gsize i = 0; i < N_LIMITS; i++)
    {
      double value = get_value (i, profile);
      char text[G_ASCII_DTOSTR_BUF_SIZE];

      g_ascii_formatd (text, sizeof text, "%.12g", value);
      if (value == get_value (i, plain))
        continue;
      gtk_editable_set_text (GTK_EDITABLE (self->rows[i]), text);
      /* What is set is not folded away. */
      adw_expander_row_set_expanded (ADW_EXPANDER_ROW (expander_of (self, i)), TRUE);
    }
}

/* Seconds may have a unit, as in the file: 500ms, 2m. */
static gboolean
apply_limit (TachoServerLimits *self,
             gsize i,
             TachoProfile *profile,
             TachoProfile *plain,
             GError **error)
{
  const TachoConfigKey *key = tacho_config_key_find ("profile", limits[i].key);
  g_autofree char *text =
      g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (self->rows[i]))));
  g_autofree char *value = NULL;

  if (text[0] == '\0')
    return set_value (i, profile, get_value (i, plain), error);
  value = tacho_config_key_check (key, text, error);
  return value != NULL && set_value (i, profile, g_ascii_strtod (value, NULL), error);
}

/**
 * tacho_server_limits_apply:
 * @self: the rows
 * @profile: gets the values
 *
 * Returns: %FALSE if one of them is not allowed, which its row says from now on
 */
gboolean
tacho_server_limits_apply (TachoServerLimits *self, TachoProfile *profile)
{
  g_autoptr (TachoProfile) plain = new_plain ();
  gboolean fine = TRUE;

  for (gsize i = 0; i < N_LIMITS; i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean right = apply_limit (self, i, profile, plain, &error);

      tacho_field_note_set_error (TACHO_FIELD_NOTE (self->notes[i]), self->rows[i],
                                  right ? NULL : error->message);
      if (!right)
        adw_expander_row_set_expanded (ADW_EXPANDER_ROW (expander_of (self, i)), TRUE);
      fine = fine && right;
    }
  return fine;
}
