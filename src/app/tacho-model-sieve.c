/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filter and order of the model list, made for ten thousand models: sifted a piece at a time, each
 * model's searched text folded once, and a narrower search looks at the last one's results only. */
#define G_LOG_DOMAIN "tacho-model-sieve"

#include "config.h"

#include "app/tacho-model-sieve.h"

#define GB G_GUINT64_CONSTANT (1000000000)
#define MAX_KINDS 12
#define MAX_KIND 40 /* bytes */

struct _TachoModelSieve
{
  GObject parent_instance;

  GListModel *source;
  GPtrArray *watched; /* of TachoModel: the source's items, whose changes are followed */
  GtkCustomFilter *filter;
  GtkCustomSorter *sorter;
  GtkFilterListModel *filtered;
  GtkSortListModel *sorted;
  char *choices[TACHO_SIEVE_N_CHOICES];
  char *search; /* case-folded */
  char **words; /* of search */
  GSource *tick;
  gboolean stale; /* a model's state is not what the filter saw */
};

G_DEFINE_FINAL_TYPE (TachoModelSieve, tacho_model_sieve, G_TYPE_OBJECT)

static guint changed_signal;
static GQuark folded_quark;

/* --- what a model is --- */

/* What is searched, case-folded; kept with the model until that changes. */
static const char *
get_folded (TachoModel *model)
{
  const TachoModelInfo *info = tacho_model_get_info (model);
  char *folded = g_object_get_qdata (G_OBJECT (model), folded_quark);
  g_autofree char *joined = NULL;

  if (folded != NULL)
    return folded;
  joined = g_strjoin (" ", info->id, info->name != NULL ? info->name : "",
                      info->family != NULL ? info->family : "",
                      info->quantization != NULL ? info->quantization : "",
                      info->kind != NULL ? info->kind : "", NULL);
  folded = g_utf8_casefold (joined, -1);
  g_object_set_qdata_full (G_OBJECT (model), folded_quark, folded, g_free);
  return folded;
}

/* Abilities by which people look for a model; the rest of them says little in a menu. */
static gboolean
is_kind (const char *capability)
{
  static const char *const kinds[] = { "vision",    "tools",     "thinking", "embedding",
                                       "reasoning", "reranking", "audio",    NULL };

  return g_strv_contains (kinds, capability);
}

static gboolean
has_kind (const TachoModelInfo *info, const char *kind)
{
  if (g_strcmp0 (info->kind, kind) == 0)
    return TRUE;
  return info->capabilities != NULL && is_kind (kind) &&
         g_strv_contains ((const char *const *) info->capabilities, kind);
}

static gboolean
has_size (const TachoModelInfo *info, const char *size)
{
  guint64 bytes = info->size_bytes > 0 ? info->size_bytes : info->memory_bytes;

  switch (size[0])
    {
    case 's':
      return bytes > 0 && bytes < 4 * GB;
    case 'm':
      return bytes >= 4 * GB && bytes < 16 * GB;
    case 'l':
      return bytes >= 16 * GB && bytes < 64 * GB;
    case 'h':
      return bytes >= 64 * GB;
    default:
      return TRUE;
    }
}

/* A model of a server that has no notion of loading is there, and so as good as loaded. */
static gboolean
has_state (TachoModelStatus status, const char *show)
{
  gboolean loaded = status == TACHO_MODEL_STATUS_LOADED || status == TACHO_MODEL_STATUS_SLEEPING ||
                    status == TACHO_MODEL_STATUS_UNKNOWN;

  switch (show[0])
    {
    case 'l':
      return loaded;
    case 'n':
      return !loaded;
    case 'f':
      return status == TACHO_MODEL_STATUS_FAILED;
    default:
      return TRUE;
    }
}

static gboolean
match_cb (gpointer item, gpointer user_data)
{
  TachoModelSieve *self = user_data;
  const TachoModelInfo *info = tacho_model_get_info (item);
  const char *folded;

  if (!has_state (info->status, self->choices[TACHO_SIEVE_SHOW]) ||
      !has_size (info, self->choices[TACHO_SIEVE_SIZE]))
    return FALSE;
  if (self->choices[TACHO_SIEVE_KIND][0] != '\0' &&
      !has_kind (info, self->choices[TACHO_SIEVE_KIND]))
    return FALSE;
  if (self->words == NULL || self->words[0] == NULL)
    return TRUE;
  folded = get_folded (item);
  for (gsize i = 0; self->words[i] != NULL; i++)
    if (strstr (folded, self->words[i]) == NULL)
      return FALSE;
  return TRUE;
}

/* --- order; equal ones stay as the service has them, by name --- */

static int
rank_of (TachoModelStatus status)
{
  switch (status)
    {
    case TACHO_MODEL_STATUS_LOADING:
      return 0;
    case TACHO_MODEL_STATUS_LOADED:
      return 1;
    case TACHO_MODEL_STATUS_SLEEPING:
      return 2;
    case TACHO_MODEL_STATUS_UNKNOWN:
      return 3;
    case TACHO_MODEL_STATUS_FAILED:
      return 4;
    case TACHO_MODEL_STATUS_UNLOADED:
    default:
      return 5;
    }
}

static int
compare_cb (gconstpointer a, gconstpointer b, gpointer user_data)
{
  TachoModelSieve *self = user_data;
  TachoModel *x = (TachoModel *) a;
  TachoModel *y = (TachoModel *) b;
  guint64 size_x = tacho_model_get_info (x)->size_bytes;
  guint64 size_y = tacho_model_get_info (y)->size_bytes;
  int rank = rank_of (tacho_model_get_status (x)) - rank_of (tacho_model_get_status (y));
  gint64 since_x = tacho_model_get_loaded_at (x);
  gint64 since_y = tacho_model_get_loaded_at (y);

  switch (self->choices[TACHO_SIEVE_SORT][0])
    {
    case 's':
      if (self->choices[TACHO_SIEVE_SORT][1] == 't')
        return rank;
      return size_x == size_y ? 0 : size_x > size_y ? -1 : 1;
    case 'r':
      return since_x == since_y ? rank : since_x > since_y ? -1 : 1;
    default:
      return 0;
    }
}

/* --- following --- */

static gboolean
tick_cb (gpointer user_data)
{
  TachoModelSieve *self = user_data;
  gboolean stale = self->stale;

  g_clear_pointer (&self->tick, g_source_unref);
  self->stale = FALSE;
  if (stale && tacho_model_sieve_is_filtering (self))
    gtk_filter_changed (GTK_FILTER (self->filter), GTK_FILTER_CHANGE_DIFFERENT);
  if (stale && gtk_sort_list_model_get_sorter (self->sorted) != NULL)
    gtk_sorter_changed (GTK_SORTER (self->sorter), GTK_SORTER_CHANGE_DIFFERENT);
  g_signal_emit (self, changed_signal, 0);
  return G_SOURCE_REMOVE;
}

static void
queue_tick (TachoModelSieve *self)
{
  if (self->tick != NULL)
    return;
  self->tick = g_idle_source_new ();
  g_source_set_priority (self->tick, G_PRIORITY_DEFAULT);
  g_source_set_callback (self->tick, tick_cb, self, NULL);
  g_source_attach (self->tick, g_main_context_get_thread_default ());
}

static void
model_notify_cb (TachoModel *model, GParamSpec *pspec, gpointer user_data)
{
  TachoModelSieve *self = user_data;

  if (strcmp (pspec->name, "progress") == 0 || strcmp (pspec->name, "status-reason") == 0)
    return;
  if (strcmp (pspec->name, "status") != 0 && strcmp (pspec->name, "loaded-at") != 0)
    g_object_set_qdata (G_OBJECT (model), folded_quark, NULL);
  self->stale = TRUE;
  queue_tick (self);
}

static void
unwatch (gpointer model, gpointer self)
{
  g_signal_handlers_disconnect_by_func (model, model_notify_cb, self);
}

static void
source_changed_cb (GListModel *source,
                   guint position,
                   guint removed,
                   guint added,
                   gpointer user_data)
{
  TachoModelSieve *self = user_data;

  for (guint i = position; i < position + removed; i++)
    unwatch (g_ptr_array_index (self->watched, i), self);
  if (removed > 0)
    g_ptr_array_remove_range (self->watched, position, removed);
  for (guint i = position; i < position + added; i++)
    {
      TachoModel *model = g_list_model_get_item (source, i);

      g_signal_connect (model, "notify", G_CALLBACK (model_notify_cb), self);
      g_ptr_array_insert (self->watched, (int) i, model);
    }
  queue_tick (self);
}

/* --- object --- */

static void
tacho_model_sieve_dispose (GObject *object)
{
  TachoModelSieve *self = TACHO_MODEL_SIEVE (object);

  tacho_model_sieve_set_source (self, NULL);
  if (self->tick != NULL)
    g_source_destroy (self->tick);
  g_clear_pointer (&self->tick, g_source_unref);
  if (self->filter != NULL)
    gtk_custom_filter_set_filter_func (self->filter, NULL, NULL, NULL);
  if (self->sorter != NULL)
    gtk_custom_sorter_set_sort_func (self->sorter, NULL, NULL, NULL);
  g_clear_object (&self->sorted);
  g_clear_object (&self->filtered);
  g_clear_object (&self->filter);
  g_clear_object (&self->sorter);

  G_OBJECT_CLASS (tacho_model_sieve_parent_class)->dispose (object);
}

static void
tacho_model_sieve_finalize (GObject *object)
{
  TachoModelSieve *self = TACHO_MODEL_SIEVE (object);

  g_ptr_array_unref (self->watched);
  for (gsize i = 0; i < TACHO_SIEVE_N_CHOICES; i++)
    g_free (self->choices[i]);
  g_free (self->search);
  g_strfreev (self->words);

  G_OBJECT_CLASS (tacho_model_sieve_parent_class)->finalize (object);
}

static void
tacho_model_sieve_class_init (TachoModelSieveClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = tacho_model_sieve_dispose;
  object_class->finalize = tacho_model_sieve_finalize;
  changed_signal = g_signal_new ("changed", TACHO_TYPE_MODEL_SIEVE, G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 0);
  folded_quark = g_quark_from_static_string ("tacho-model-folded");
}

static void
tacho_model_sieve_init (TachoModelSieve *self)
{
  self->watched = g_ptr_array_new_with_free_func (g_object_unref);
  self->choices[TACHO_SIEVE_SHOW] = g_strdup ("all");
  self->choices[TACHO_SIEVE_KIND] = g_strdup ("");
  self->choices[TACHO_SIEVE_SIZE] = g_strdup ("all");
  self->choices[TACHO_SIEVE_SORT] = g_strdup ("name");
  self->filter = gtk_custom_filter_new (match_cb, self, NULL);
  self->sorter = gtk_custom_sorter_new (compare_cb, self, NULL);
  self->filtered = gtk_filter_list_model_new (NULL, GTK_FILTER (g_object_ref (self->filter)));
  gtk_filter_list_model_set_incremental (self->filtered, TRUE);
  self->sorted = gtk_sort_list_model_new (G_LIST_MODEL (g_object_ref (self->filtered)), NULL);
  gtk_sort_list_model_set_incremental (self->sorted, TRUE);
  g_signal_connect_object (self->sorted, "items-changed", G_CALLBACK (queue_tick), self,
                           G_CONNECT_SWAPPED);
  g_signal_connect_object (self->filtered, "notify::pending", G_CALLBACK (queue_tick), self,
                           G_CONNECT_SWAPPED);
}

/**
 * tacho_model_sieve_new:
 *
 * Returns: (transfer full): a sieve that lets everything pass, over no list yet
 */
TachoModelSieve *
tacho_model_sieve_new (void)
{
  return g_object_new (TACHO_TYPE_MODEL_SIEVE, NULL);
}

/**
 * tacho_model_sieve_get_list:
 * @self: a sieve
 *
 * Returns: (transfer none): the models that pass, in order
 */
GListModel *
tacho_model_sieve_get_list (TachoModelSieve *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL_SIEVE (self), NULL);
  return G_LIST_MODEL (self->sorted);
}

/**
 * tacho_model_sieve_set_source:
 * @self: a sieve
 * @source: (nullable): a list of TachoModel
 */
void
tacho_model_sieve_set_source (TachoModelSieve *self, GListModel *source)
{
  g_return_if_fail (TACHO_IS_MODEL_SIEVE (self));

  if (self->source == source)
    return;
  if (self->source != NULL)
    g_signal_handlers_disconnect_by_func (self->source, source_changed_cb, self);
  g_ptr_array_foreach (self->watched, unwatch, self);
  g_ptr_array_set_size (self->watched, 0);
  g_set_object (&self->source, source);
  gtk_filter_list_model_set_model (self->filtered, source);
  if (source == NULL)
    return;
  g_signal_connect (source, "items-changed", G_CALLBACK (source_changed_cb), self);
  source_changed_cb (source, 0, 0, g_list_model_get_n_items (source), self);
}

/**
 * tacho_model_sieve_set_search:
 * @self: a sieve
 * @text: words that must all be found in what identifies a model
 */
void
tacho_model_sieve_set_search (TachoModelSieve *self, const char *text)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_auto (GStrv) parts = NULL;
  g_autofree char *before = NULL;
  GtkFilterChange change = GTK_FILTER_CHANGE_DIFFERENT;

  g_return_if_fail (TACHO_IS_MODEL_SIEVE (self));

  before = g_steal_pointer (&self->search);
  self->search = g_utf8_casefold (text, -1);
  if (g_strcmp0 (before, self->search) == 0)
    return;
  parts = g_strsplit_set (self->search, " \t", -1);
  for (gsize i = 0; parts[i] != NULL; i++)
    if (parts[i][0] != '\0')
      g_strv_builder_add (builder, parts[i]);
  g_strfreev (self->words);
  self->words = g_strv_builder_end (builder);
  if (before == NULL || g_str_has_prefix (self->search, before))
    change = GTK_FILTER_CHANGE_MORE_STRICT;
  else if (g_str_has_prefix (before, self->search))
    change = GTK_FILTER_CHANGE_LESS_STRICT;
  gtk_filter_changed (GTK_FILTER (self->filter), change);
  queue_tick (self);
}

/**
 * tacho_model_sieve_set_choice:
 * @self: a sieve
 * @choice: what is chosen
 * @value: one of its values
 */
void
tacho_model_sieve_set_choice (TachoModelSieve *self, TachoSieveChoice choice, const char *value)
{
  GtkSorter *sorter;

  g_return_if_fail (TACHO_IS_MODEL_SIEVE (self));
  g_return_if_fail (choice < TACHO_SIEVE_N_CHOICES);

  if (strcmp (self->choices[choice], value) == 0)
    return;
  g_free (self->choices[choice]);
  self->choices[choice] = g_strdup (value);
  if (choice != TACHO_SIEVE_SORT)
    gtk_filter_changed (GTK_FILTER (self->filter), GTK_FILTER_CHANGE_DIFFERENT);
  else
    {
      /* The service's own order is by name. */
      sorter = value[0] == 's' || value[0] == 'r' ? GTK_SORTER (self->sorter) : NULL;
      gtk_sort_list_model_set_sorter (self->sorted, sorter);
      if (sorter != NULL)
        gtk_sorter_changed (sorter, GTK_SORTER_CHANGE_DIFFERENT);
    }
  queue_tick (self);
}

/**
 * tacho_model_sieve_is_filtering:
 * @self: a sieve
 *
 * Returns: whether a filter is set, the search aside
 */
gboolean
tacho_model_sieve_is_filtering (TachoModelSieve *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL_SIEVE (self), FALSE);

  return strcmp (self->choices[TACHO_SIEVE_SHOW], "all") != 0 ||
         strcmp (self->choices[TACHO_SIEVE_SIZE], "all") != 0 ||
         self->choices[TACHO_SIEVE_KIND][0] != '\0';
}

/**
 * tacho_model_sieve_is_pending:
 * @self: a sieve
 *
 * Returns: whether models are still to be looked at, so that the list may grow
 */
gboolean
tacho_model_sieve_is_pending (TachoModelSieve *self)
{
  g_return_val_if_fail (TACHO_IS_MODEL_SIEVE (self), FALSE);

  return gtk_filter_list_model_get_pending (self->filtered) > 0;
}

static int
compare_words (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
add_kind (GPtrArray *kinds, const char *kind)
{
  if (kind == NULL || kind[0] == '\0' || strlen (kind) > MAX_KIND || kinds->len >= MAX_KINDS ||
      g_ptr_array_find_with_equal_func (kinds, kind, g_str_equal, NULL))
    return;
  g_ptr_array_add (kinds, g_strdup (kind));
}

/**
 * tacho_model_sieve_get_kinds:
 * @self: a sieve
 *
 * Returns: (transfer full): the kinds and the main abilities that the models have, each once, in
 *   the server's words
 */
char **
tacho_model_sieve_get_kinds (TachoModelSieve *self)
{
  GPtrArray *kinds;

  g_return_val_if_fail (TACHO_IS_MODEL_SIEVE (self), NULL);

  kinds = g_ptr_array_new ();
  for (guint i = 0; i < self->watched->len; i++)
    {
      const TachoModelInfo *info = tacho_model_get_info (g_ptr_array_index (self->watched, i));

      add_kind (kinds, info->kind);
      for (gsize j = 0; info->capabilities != NULL && info->capabilities[j] != NULL; j++)
        if (is_kind (info->capabilities[j]))
          add_kind (kinds, info->capabilities[j]);
    }
  g_ptr_array_sort (kinds, compare_words);
  g_ptr_array_add (kinds, NULL);
  return (char **) g_ptr_array_free (kinds, FALSE);
}
