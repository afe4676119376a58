/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How busy the server is: a line for each thing that it tells, with a bar where it has a whole. */
#define G_LOG_DOMAIN "tacho-server-card"

#include "config.h"

#include "app/tacho-server-card.h"
#include "app/tacho-display.h"
#include "app/tacho-settings.h"
#include "base/tacho-text.h"
#include "service/tacho-server-status.h"

#include <glib/gi18n.h>
#include <math.h>

#define MAX_WORDS 200

typedef enum
{
  LINE_SLOTS,
  LINE_RUNNING,
  LINE_QUEUE,
  LINE_KV_CACHE,
  LINE_GPU_MEMORY,
  LINE_GPU,
  LINE_OUTPUT,
  LINE_PROMPT,
  LINE_MODELS,
  N_LINES
} LineId;

typedef struct
{
  GtkWidget *name;
  GtkWidget *value;
  GtkWidget *bar;
} Line;

struct _TachoServerCard
{
  AdwBin parent_instance;
  TachoServerStatus *status;
  Line lines[N_LINES];

  GtkToggleButton *header;
  GtkImage *arrow;
  GtkRevealer *revealer;
  GtkGrid *grid;
  GtkLabel *failure;
};

G_DEFINE_FINAL_TYPE (TachoServerCard, tacho_server_card, ADW_TYPE_BIN)

static const char *const names[N_LINES] = {
  [LINE_SLOTS] = N_ ("Slots"),           [LINE_RUNNING] = N_ ("Running"),
  [LINE_QUEUE] = N_ ("Waiting"),         [LINE_KV_CACHE] = N_ ("KV cache"),
  [LINE_GPU_MEMORY] = N_ ("GPU memory"), [LINE_GPU] = N_ ("GPU load"),
  [LINE_OUTPUT] = N_ ("Generating"),     [LINE_PROMPT] = N_ ("Reading"),
  [LINE_MODELS] = N_ ("Models"),
};

/* Takes `value`; NULL: the server does not tell. fraction: NaN where there is no whole. */
static void
set_line (TachoServerCard *self, LineId id, char *value, double fraction)
{
  g_autofree char *taken = value;
  const Line *line = &self->lines[id];
  gboolean has_bar = taken != NULL && isfinite (fraction);

  gtk_widget_set_visible (line->name, taken != NULL);
  gtk_widget_set_visible (line->value, taken != NULL);
  gtk_widget_set_visible (line->bar, has_bar);
  if (taken != NULL && strcmp (gtk_label_get_label (GTK_LABEL (line->value)), taken) != 0)
    {
      g_autofree char *spoken = g_strdup_printf ("%s: %s", _ (names[id]), taken);

      gtk_label_set_label (GTK_LABEL (line->value), taken);
      gtk_accessible_update_property (GTK_ACCESSIBLE (line->value), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                      spoken, -1);
    }
  if (has_bar)
    gtk_level_bar_set_value (GTK_LEVEL_BAR (line->bar), CLAMP (fraction, 0, 1));
}

static char *
format_count (double count)
{
  return isnan (count) ? NULL : g_strdup_printf ("%.0f", count);
}

static char *
format_share (double share)
{
  return isnan (share) ? NULL : g_strdup_printf (_ ("%.0f %%"), share * 100);
}

static char *
format_rate (double rate)
{
  g_autofree char *number = isnan (rate) ? NULL : tacho_display_number (rate);

  return number != NULL ? g_strdup_printf (_ ("%s tokens/s"), number) : NULL;
}

static char *
format_gpu_memory (const TachoServerMetrics *metrics)
{
  g_autofree char *used = NULL;
  g_autofree char *total = NULL;

  if (isnan (metrics->gpu_memory_used))
    return NULL;
  used = tacho_text_format_bytes ((guint64) metrics->gpu_memory_used);
  if (!(metrics->gpu_memory_total > 0))
    return g_steal_pointer (&used);
  total = tacho_text_format_bytes ((guint64) metrics->gpu_memory_total);
  return g_strdup_printf (_ ("%s of %s"), used, total);
}

static char *
format_models (const TachoServerFigures *figures)
{
  g_autofree char *bytes = NULL;

  if (figures->models_memory == 0)
    return NULL;
  bytes = tacho_text_format_bytes (figures->models_memory);
  /* Translators: models that are loaded, and the memory that they take together. */
  return g_strdup_printf (ngettext ("%u loaded, %s", "%u loaded, %s", figures->models_loaded),
                          figures->models_loaded, bytes);
}

static void
update (TachoServerCard *self)
{
  const TachoServerFigures *figures;
  const TachoServerMetrics *metrics;
  const GError *error;
  gboolean has_slots;

  gtk_widget_set_visible (GTK_WIDGET (self),
                          self->status != NULL && tacho_server_status_get_told (self->status));
  if (self->status == NULL || !gtk_toggle_button_get_active (self->header))
    return;
  figures = tacho_server_status_get_figures (self->status);
  metrics = &figures->metrics;
  error = tacho_server_status_get_error (self->status);
  has_slots = figures->slots_total > 0;

  /* Translators: busy slots of all slots of a server. */
  set_line (self, LINE_SLOTS,
            has_slots
                ? g_strdup_printf (_ ("%u of %u busy"), figures->slots_busy, figures->slots_total)
                : NULL,
            has_slots ? (double) figures->slots_busy / figures->slots_total : NAN);
  set_line (self, LINE_RUNNING, has_slots ? NULL : format_count (metrics->requests_running), NAN);
  set_line (self, LINE_QUEUE, format_count (metrics->requests_waiting), NAN);
  set_line (self, LINE_KV_CACHE, format_share (metrics->kv_cache_usage), metrics->kv_cache_usage);
  set_line (self, LINE_GPU_MEMORY, format_gpu_memory (metrics),
            metrics->gpu_memory_used / metrics->gpu_memory_total);
  set_line (self, LINE_GPU, format_share (metrics->gpu_utilization), metrics->gpu_utilization);
  set_line (self, LINE_OUTPUT, format_rate (figures->output_rate), NAN);
  set_line (self, LINE_PROMPT, format_rate (figures->prompt_rate), NAN);
  set_line (self, LINE_MODELS, format_models (figures), NAN);
  gtk_widget_set_visible (GTK_WIDGET (self->failure), error != NULL);
  if (error != NULL)
    {
      g_autofree char *clean = tacho_text_sanitize_line (error->message, -1, MAX_WORDS);
      /* Translators: the figures above are old; %s says why there are no new ones. */
      g_autofree char *words = g_strdup_printf (_ ("Not up to date: %s"), clean);

      gtk_label_set_label (self->failure, words);
    }
}

static void
update_active (TachoServerCard *self)
{
  gboolean open = gtk_toggle_button_get_active (self->header);

  gtk_image_set_from_icon_name (self->arrow, open ? "pan-down-symbolic" : "pan-end-symbolic");
  if (open)
    gtk_widget_set_visible (GTK_WIDGET (self->revealer), TRUE);
  gtk_revealer_set_reveal_child (self->revealer, open);
  gtk_accessible_update_state (GTK_ACCESSIBLE (self->header), GTK_ACCESSIBLE_STATE_EXPANDED, open,
                               -1);
  if (self->status != NULL)
    tacho_server_status_set_active (self->status,
                                    open && gtk_widget_get_mapped (GTK_WIDGET (self)));
  update (self);
}

/* A screen reader still reads what a revealer has only folded away. */
static void
revealed_cb (TachoServerCard *self)
{
  if (!gtk_revealer_get_child_revealed (self->revealer))
    gtk_widget_set_visible (GTK_WIDGET (self->revealer),
                            gtk_toggle_button_get_active (self->header));
}

static void
toggled_cb (TachoServerCard *self)
{
  tacho_settings_set_boolean (tacho_settings_get_default (), "server-status-shown",
                              gtk_toggle_button_get_active (self->header));
  update_active (self);
}

static void
add_line (TachoServerCard *self, LineId id)
{
  Line *line = &self->lines[id];
  int row = (int) id;

  line->name = gtk_label_new (_ (names[id]));
  line->value = gtk_label_new (NULL);
  line->bar = gtk_level_bar_new_for_interval (0, 1);
  gtk_label_set_xalign (GTK_LABEL (line->name), 0);
  gtk_label_set_xalign (GTK_LABEL (line->value), 1);
  gtk_widget_add_css_class (line->name, "dim-label");
  gtk_widget_add_css_class (line->value, "numeric");
  gtk_widget_set_valign (line->bar, GTK_ALIGN_CENTER);
  gtk_widget_set_hexpand (line->bar, TRUE);
  /* A full server is not a low battery. */
  gtk_level_bar_remove_offset_value (GTK_LEVEL_BAR (line->bar), GTK_LEVEL_BAR_OFFSET_LOW);
  gtk_level_bar_remove_offset_value (GTK_LEVEL_BAR (line->bar), GTK_LEVEL_BAR_OFFSET_HIGH);
  gtk_level_bar_remove_offset_value (GTK_LEVEL_BAR (line->bar), GTK_LEVEL_BAR_OFFSET_FULL);
  gtk_accessible_update_property (GTK_ACCESSIBLE (line->bar), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  _ (names[id]), -1);
  gtk_grid_attach (self->grid, line->name, 0, row, 1, 1);
  gtk_grid_attach (self->grid, line->bar, 1, row, 1, 1);
  gtk_grid_attach (self->grid, line->value, 2, row, 1, 1);
  set_line (self, id, NULL, NAN);
}

static void
tacho_server_card_dispose (GObject *object)
{
  TachoServerCard *self = TACHO_SERVER_CARD (object);

  if (self->header != NULL)
    tacho_server_card_set_connection (self, NULL);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_SERVER_CARD);

  G_OBJECT_CLASS (tacho_server_card_parent_class)->dispose (object);
}

static void
tacho_server_card_class_init (TachoServerCardClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = tacho_server_card_dispose;
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-server-card.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoServerCard, header);
  gtk_widget_class_bind_template_child (widget_class, TachoServerCard, arrow);
  gtk_widget_class_bind_template_child (widget_class, TachoServerCard, revealer);
  gtk_widget_class_bind_template_child (widget_class, TachoServerCard, grid);
  gtk_widget_class_bind_template_child (widget_class, TachoServerCard, failure);
  gtk_widget_class_bind_template_callback (widget_class, revealed_cb);
  gtk_widget_class_bind_template_callback (widget_class, toggled_cb);
}

static void
tacho_server_card_init (TachoServerCard *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  for (LineId id = 0; id < N_LINES; id++)
    add_line (self, id);
  gtk_toggle_button_set_active (
      self->header,
      tacho_settings_get_boolean (tacho_settings_get_default (), "server-status-shown"));
  g_signal_connect (self, "map", G_CALLBACK (update_active), NULL);
  g_signal_connect (self, "unmap", G_CALLBACK (update_active), NULL);
  update_active (self);
}

/**
 * tacho_server_card_set_connection:
 * @self: the card
 * @connection: (nullable): the server in use
 */
void
tacho_server_card_set_connection (TachoServerCard *self, TachoConnection *connection)
{
  g_return_if_fail (TACHO_IS_SERVER_CARD (self));

  if (self->status != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->status, self);
      tacho_server_status_set_active (self->status, FALSE);
    }
  g_clear_object (&self->status);
  if (connection != NULL)
    {
      self->status = tacho_server_status_new (tacho_connection_get_models (connection));
      g_signal_connect_object (self->status, "changed", G_CALLBACK (update), self,
                               G_CONNECT_SWAPPED);
      g_signal_connect_object (self->status, "notify::told", G_CALLBACK (update), self,
                               G_CONNECT_SWAPPED);
    }
  update_active (self);
}
