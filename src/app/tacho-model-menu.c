/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filters and order of the models as radio items of one menu. */
#define G_LOG_DOMAIN "tacho-model-menu"

#include "config.h"

#include "app/tacho-model-menu.h"
#include "app/tacho-display.h"
#include "app/tacho-settings.h"

#include <glib/gi18n.h>

struct _TachoModelMenu
{
  AdwBin parent_instance;
  GtkMenuButton *button;
  TachoModelSieve *sieve;
  GSimpleActionGroup *group;
};

G_DEFINE_FINAL_TYPE (TachoModelMenu, tacho_model_menu, ADW_TYPE_BIN)

typedef struct
{
  const char *value;
  const char *label;
} Item;

static const Item show_items[] = {
  { "all", N_ ("All Models") },
  { "loaded", N_ ("Loaded") },
  { "not-loaded", N_ ("Not Loaded") },
  { "failed", N_ ("Failed") },
  { NULL, NULL },
};
static const Item size_items[] = {
  { "all", N_ ("Any Size") },        { "small", N_ ("Under 4 GB") },
  { "medium", N_ ("4 to 16 GB") },   { "large", N_ ("16 to 64 GB") },
  { "huge", N_ ("64 GB and More") }, { NULL, NULL },
};
static const Item sort_items[] = {
  { "name", N_ ("Name") },
  { "size", N_ ("Size, Largest First") },
  { "recent", N_ ("Recently Loaded First") },
  { "state", N_ ("State, Loaded First") },
  { NULL, NULL },
};

/* In the order of TachoSieveChoice. */
static const struct
{
  const char *action;
  const char *key;   /* of the settings */
  const Item *items; /* NULL: any text */
} choices[] = {
  { "show", "models-show", show_items },
  { "kind", "models-kind", NULL },
  { "size", "models-size", size_items },
  { "sort", "models-sort", sort_items },
};

G_STATIC_ASSERT (G_N_ELEMENTS (choices) == TACHO_SIEVE_N_CHOICES);

static gboolean
is_known (const Item *items, const char *value)
{
  for (; items != NULL && items->value != NULL; items++)
    if (strcmp (items->value, value) == 0)
      return TRUE;
  return items == NULL;
}

static void
add_item (GMenu *menu, const char *label, const char *action, const char *value)
{
  g_autoptr (GMenuItem) item = g_menu_item_new (label, NULL);

  g_menu_item_set_action_and_target_value (item, action, g_variant_new_string (value));
  g_menu_append_item (menu, item);
}

static GMenuModel *
make_items (const Item *items, const char *action)
{
  GMenu *menu = g_menu_new ();

  for (; items->value != NULL; items++)
    add_item (menu, _ (items->label), action, items->value);
  return G_MENU_MODEL (menu);
}

/* The kinds that this server's models have, and the one that is chosen even if none has it. */
static GMenuModel *
make_kinds (TachoModelSieve *sieve, const char *chosen)
{
  GMenu *menu = g_menu_new ();
  g_auto (GStrv) kinds = tacho_model_sieve_get_kinds (sieve);

  add_item (menu, _ ("Any Kind"), "models.kind", "");
  for (gsize i = 0; kinds[i] != NULL; i++)
    {
      g_autofree char *words = tacho_display_model_kind (kinds[i]);

      add_item (menu, words, "models.kind", kinds[i]);
    }
  if (chosen[0] != '\0' && !g_strv_contains ((const char *const *) kinds, chosen))
    {
      g_autofree char *words = tacho_display_model_kind (chosen);

      add_item (menu, words, "models.kind", chosen);
    }
  return G_MENU_MODEL (menu);
}

/* Made anew each time: the kinds are those of the models that are there now. */
static void
make_popup_cb (GtkMenuButton *button, gpointer user_data)
{
  TachoModelMenu *self = user_data;
  g_autofree char *kind = tacho_settings_get_string (tacho_settings_get_default (), "models-kind");
  g_autoptr (GMenu) menu = g_menu_new ();
  g_autoptr (GMenu) more = g_menu_new ();
  g_autoptr (GMenuModel) show = make_items (show_items, "models.show");
  g_autoptr (GMenuModel) size = make_items (size_items, "models.size");
  g_autoptr (GMenuModel) sort = make_items (sort_items, "models.sort");
  g_autoptr (GMenuModel) kinds = NULL;

  if (self->sieve == NULL)
    return;
  kinds = make_kinds (self->sieve, kind);
  g_menu_append_section (menu, _ ("Show"), show);
  g_menu_append_submenu (more, _ ("Kind"), kinds);
  g_menu_append_submenu (more, _ ("Size on Disk"), size);
  g_menu_append_section (menu, NULL, G_MENU_MODEL (more));
  g_menu_append_section (menu, _ ("Sort By"), sort);
  gtk_menu_button_set_menu_model (button, G_MENU_MODEL (menu));
}

static void
update_button (TachoModelMenu *self)
{
  gboolean filtering = self->sieve != NULL && tacho_model_sieve_is_filtering (self->sieve);
  const char *words =
      filtering ? _ ("Filter and sort models; a filter is on") : _ ("Filter and sort models");

  if (filtering)
    gtk_widget_add_css_class (GTK_WIDGET (self->button), "filter-on");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (self->button), "filter-on");
  gtk_widget_set_tooltip_text (GTK_WIDGET (self->button), words);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->button), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  words, -1);
}

static void
state_cb (GAction *action, GParamSpec *pspec, TachoModelMenu *self)
{
  g_autoptr (GVariant) state = g_action_get_state (action);
  const char *value = g_variant_get_string (state, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (choices); i++)
    {
      if (strcmp (g_action_get_name (action), choices[i].action) != 0)
        continue;
      if (self->sieve != NULL)
        tacho_model_sieve_set_choice (self->sieve, (TachoSieveChoice) i, value);
      tacho_settings_set_string (tacho_settings_get_default (), choices[i].key, value);
    }
  update_button (self);
}

static void
tacho_model_menu_dispose (GObject *object)
{
  TachoModelMenu *self = TACHO_MODEL_MENU (object);

  g_clear_object (&self->sieve);
  g_clear_object (&self->group);
  adw_bin_set_child (ADW_BIN (self), NULL);

  G_OBJECT_CLASS (tacho_model_menu_parent_class)->dispose (object);
}

static void
tacho_model_menu_class_init (TachoModelMenuClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tacho_model_menu_dispose;
}

static void
tacho_model_menu_init (TachoModelMenu *self)
{
  self->group = g_simple_action_group_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (choices); i++)
    {
      g_autofree char *value =
          tacho_settings_get_string (tacho_settings_get_default (), choices[i].key);
      const char *usable = is_known (choices[i].items, value) ? value : choices[i].items[0].value;
      g_autoptr (GSimpleAction) action = g_simple_action_new_stateful (
          choices[i].action, G_VARIANT_TYPE_STRING, g_variant_new_string (usable));

      g_signal_connect_object (action, "notify::state", G_CALLBACK (state_cb), self, 0);
      g_action_map_add_action (G_ACTION_MAP (self->group), G_ACTION (action));
    }
  gtk_widget_insert_action_group (GTK_WIDGET (self), "models", G_ACTION_GROUP (self->group));

  self->button = GTK_MENU_BUTTON (gtk_menu_button_new ());
  gtk_menu_button_set_icon_name (self->button, "tacho-filter-symbolic");
  gtk_menu_button_set_create_popup_func (self->button, make_popup_cb, self, NULL);
  adw_bin_set_child (ADW_BIN (self), GTK_WIDGET (self->button));
  update_button (self);
}

/**
 * tacho_model_menu_set_sieve:
 * @self: the menu
 * @sieve: what it is a menu of; takes over what was chosen last
 */
void
tacho_model_menu_set_sieve (TachoModelMenu *self, TachoModelSieve *sieve)
{
  g_return_if_fail (TACHO_IS_MODEL_MENU (self));

  g_set_object (&self->sieve, sieve);
  for (gsize i = 0; i < G_N_ELEMENTS (choices); i++)
    {
      g_autoptr (GVariant) state =
          g_action_group_get_action_state (G_ACTION_GROUP (self->group), choices[i].action);

      tacho_model_sieve_set_choice (sieve, (TachoSieveChoice) i,
                                    g_variant_get_string (state, NULL));
    }
  update_button (self);
}

/**
 * tacho_model_menu_show_all:
 * @self: the menu
 *
 * Takes every filter off; the order stays.
 */
void
tacho_model_menu_show_all (TachoModelMenu *self)
{
  g_return_if_fail (TACHO_IS_MODEL_MENU (self));

  g_action_group_change_action_state (G_ACTION_GROUP (self->group), "show",
                                      g_variant_new_string ("all"));
  g_action_group_change_action_state (G_ACTION_GROUP (self->group), "kind",
                                      g_variant_new_string (""));
  g_action_group_change_action_state (G_ACTION_GROUP (self->group), "size",
                                      g_variant_new_string ("all"));
}
