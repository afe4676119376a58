/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a prompt is written: editor, attached text files, Send and Stop. */
#define G_LOG_DOMAIN "tacho-composer"

#include "config.h"

#include "app/tacho-composer.h"
#include "app/tacho-settings.h"
#include "base/tacho-text.h"

#include <glib/gi18n.h>

#define MAX_FILE (2 * 1024 * 1024) /* bytes */
#define MAX_FILES 20

struct _TachoComposer
{
  AdwBin parent_instance;
  TachoConversationMessage *draft; /* its files; the text is in the editor */
  int index;                       /* of the message that is edited; -1: none */
  char *before;                    /* what was written when that began */
  gboolean running;
  char *obstacle;
  GtkFileChooserNative *chooser; /* open */

  GtkWidget *edit_row;
  GtkFlowBox *files;
  GtkTextView *editor;
  GtkLabel *placeholder;
  GtkButton *send_button;
};

G_DEFINE_FINAL_TYPE (TachoComposer, tacho_composer, ADW_TYPE_BIN)

static gboolean
ctrl_enter_sends (void)
{
  g_autofree char *key = tacho_settings_get_string (tacho_settings_get_default (), "send-key");

  return g_strcmp0 (key, "ctrl-enter") == 0;
}

static gboolean
is_empty (TachoComposer *self)
{
  g_autofree char *text = g_strstrip (tacho_composer_dup_text (self));

  return text[0] == '\0' && self->draft->attachments->len == 0;
}

static void
update (TachoComposer *self)
{
  GtkWidget *button = GTK_WIDGET (self->send_button);
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->editor);

  gtk_widget_set_visible (GTK_WIDGET (self->placeholder),
                          gtk_text_buffer_get_char_count (buffer) == 0);
  gtk_label_set_label (self->placeholder,
                       ctrl_enter_sends ()
                           ? _ ("Type a prompt. Ctrl+Enter sends, Enter breaks the line")
                           : _ ("Type a prompt. Enter sends, Shift+Enter breaks the line"));
  gtk_button_set_label (self->send_button, self->running ? _ ("Stop") : _ ("Send"));
  gtk_widget_remove_css_class (button, self->running ? "suggested-action" : "destructive-action");
  gtk_widget_add_css_class (button, self->running ? "destructive-action" : "suggested-action");
  gtk_widget_set_sensitive (button, self->running || (self->obstacle == NULL && !is_empty (self)));
  gtk_widget_set_tooltip_text (button, self->running            ? _ ("Stop (Esc)")
                                       : self->obstacle != NULL ? self->obstacle
                                       : ctrl_enter_sends ()    ? _ ("Send (Ctrl+Enter)")
                                                                : _ ("Send (Enter)"));
  gtk_widget_set_visible (self->edit_row, self->index >= 0);
  gtk_widget_set_visible (GTK_WIDGET (self->files), self->draft->attachments->len > 0);
}

static void fill_files (TachoComposer *self);

static void
remove_cb (GtkButton *button, TachoComposer *self)
{
  guint index = GPOINTER_TO_UINT (g_object_get_data (G_OBJECT (button), "index"));

  g_ptr_array_remove_index (self->draft->attachments, index);
  fill_files (self);
  update (self);
}

static void
fill_files (TachoComposer *self)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->files))) != NULL)
    gtk_flow_box_remove (self->files, child);
  for (guint i = 0; i < self->draft->attachments->len; i++)
    {
      const TachoAttachment *file = g_ptr_array_index (self->draft->attachments, i);
      g_autofree char *name = tacho_text_sanitize_line (file->name, -1, 40);
      g_autofree char *size = tacho_text_format_bytes (strlen (file->text));
      g_autofree char *text = g_strdup_printf ("📎 %s · %s", name, size);
      /* Translators: %s is the name of a file. */
      g_autofree char *label = g_strdup_printf (_ ("Remove %s"), name);
      GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 3);
      GtkWidget *button = gtk_button_new_from_icon_name ("window-close-symbolic");

      gtk_widget_add_css_class (button, "flat");
      gtk_widget_add_css_class (button, "message-button");
      gtk_widget_set_tooltip_text (button, label);
      gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL, label,
                                      -1);
      g_object_set_data (G_OBJECT (button), "index", GUINT_TO_POINTER (i));
      g_signal_connect (button, "clicked", G_CALLBACK (remove_cb), self);
      gtk_widget_add_css_class (box, "chip");
      gtk_box_append (GTK_BOX (box), gtk_label_new (text));
      gtk_box_append (GTK_BOX (box), button);
      gtk_flow_box_append (self->files, box);
    }
}

static void
attached_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TachoComposer) self = user_data;
  GFile *file = G_FILE (source);
  g_autofree char *name = g_file_get_basename (file);
  g_autofree char *data = NULL;
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  if (!g_file_load_contents_finish (file, result, &data, &length, NULL, &error))
    text = g_strdup_printf (_ ("Not attached: %s"), error->message);
  else if (length > MAX_FILE)
    text = g_strdup_printf (_ ("Not attached: %s is larger than 2 MB"), name);
  else if (self->draft->attachments->len >= MAX_FILES)
    text = g_strdup (_ ("Not attached: there are 20 files already"));
  else if (!tacho_conversation_message_attach (self->draft, name, data, length, &error))
    text = g_strdup_printf (_ ("Not attached: %s"), error->message);
  if (text != NULL)
    g_signal_emit_by_name (self, "notice", text);
  else if (gtk_widget_get_root (GTK_WIDGET (self)) != NULL)
    {
      fill_files (self);
      update (self);
    }
}

static void
attach (TachoComposer *self, GFile *file)
{
  g_file_load_contents_async (file, NULL, attached_cb, g_object_ref (self));
}

static void
chosen_cb (GtkNativeDialog *dialog, int response, TachoComposer *self)
{
  if (response == GTK_RESPONSE_ACCEPT)
    {
      g_autoptr (GListModel) files = gtk_file_chooser_get_files (GTK_FILE_CHOOSER (dialog));

      for (guint i = 0; i < g_list_model_get_n_items (files); i++)
        {
          g_autoptr (GFile) file = g_list_model_get_item (files, i);

          attach (self, file);
        }
    }
  g_clear_object (&self->chooser);
}

static void
attach_cb (TachoComposer *self)
{
  if (self->chooser != NULL)
    return;
  self->chooser = gtk_file_chooser_native_new (_ ("Attach Text Files"),
                                               GTK_WINDOW (gtk_widget_get_root (GTK_WIDGET (self))),
                                               GTK_FILE_CHOOSER_ACTION_OPEN, _ ("_Attach"), NULL);
  gtk_file_chooser_set_select_multiple (GTK_FILE_CHOOSER (self->chooser), TRUE);
  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (self->chooser), TRUE);
  g_signal_connect_object (self->chooser, "response", G_CALLBACK (chosen_cb), self, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (self->chooser));
}

static gboolean
drop_cb (GtkDropTarget *target, const GValue *value, double x, double y, TachoComposer *self)
{
  GSList *files = g_value_get_boxed (value);

  for (GSList *item = files; item != NULL; item = item->next)
    attach (self, item->data);
  return files != NULL;
}

static void
cancel_edit_cb (TachoComposer *self)
{
  tacho_composer_clear (self);
  tacho_composer_set_text (self, self->before);
  tacho_composer_focus (self);
}

static void
send_clicked_cb (TachoComposer *self)
{
  if (self->running)
    g_signal_emit_by_name (self, "stop");
  else
    tacho_composer_send (self);
  tacho_composer_focus (self);
}

/* Enter sends; with Shift it breaks the line; or the other way round. An input method that is
 * composing comes first. */
static gboolean
key_pressed_cb (GtkEventControllerKey *controller,
                guint keyval,
                guint keycode,
                GdkModifierType modifiers,
                TachoComposer *self)
{
  GdkModifierType held = modifiers & (GDK_SHIFT_MASK | GDK_CONTROL_MASK | GDK_ALT_MASK);

  if (keyval != GDK_KEY_Return && keyval != GDK_KEY_KP_Enter && keyval != GDK_KEY_ISO_Enter)
    return GDK_EVENT_PROPAGATE;
  if (held != (ctrl_enter_sends () ? GDK_CONTROL_MASK : 0))
    return GDK_EVENT_PROPAGATE;
  if (gtk_text_view_im_context_filter_keypress (
          self->editor, gtk_event_controller_get_current_event (GTK_EVENT_CONTROLLER (controller))))
    return GDK_EVENT_STOP;
  tacho_composer_send (self);
  return GDK_EVENT_STOP;
}

static void
tacho_composer_dispose (GObject *object)
{
  TachoComposer *self = TACHO_COMPOSER (object);

  if (self->chooser != NULL)
    gtk_native_dialog_destroy (GTK_NATIVE_DIALOG (self->chooser));
  g_clear_object (&self->chooser);
  g_clear_pointer (&self->draft, tacho_conversation_message_free);
  g_clear_pointer (&self->before, g_free);
  g_clear_pointer (&self->obstacle, g_free);
  adw_bin_set_child (ADW_BIN (self), NULL);
  gtk_widget_dispose_template (GTK_WIDGET (self), TACHO_TYPE_COMPOSER);

  G_OBJECT_CLASS (tacho_composer_parent_class)->dispose (object);
}

static void
tacho_composer_class_init (TachoComposerClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  GType type = TACHO_TYPE_COMPOSER;

  G_OBJECT_CLASS (klass)->dispose = tacho_composer_dispose;
  g_signal_new ("send", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                TACHO_TYPE_CONVERSATION_MESSAGE | G_SIGNAL_TYPE_STATIC_SCOPE);
  g_signal_new ("edited", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  g_signal_new ("stop", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  g_signal_new ("notice", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE);
  gtk_widget_class_set_template_from_resource (widget_class,
                                               "/io/github/tacho/Tacho/tacho-composer.ui");
  gtk_widget_class_bind_template_child (widget_class, TachoComposer, edit_row);
  gtk_widget_class_bind_template_child (widget_class, TachoComposer, files);
  gtk_widget_class_bind_template_child (widget_class, TachoComposer, editor);
  gtk_widget_class_bind_template_child (widget_class, TachoComposer, placeholder);
  gtk_widget_class_bind_template_child (widget_class, TachoComposer, send_button);
  gtk_widget_class_bind_template_callback (widget_class, cancel_edit_cb);
  gtk_widget_class_bind_template_callback (widget_class, attach_cb);
  gtk_widget_class_bind_template_callback (widget_class, send_clicked_cb);
  gtk_widget_class_bind_template_callback (widget_class, key_pressed_cb);
}

static void
changed_cb (TachoComposer *self)
{
  update (self);
  g_signal_emit_by_name (self, "edited");
}

static void
tacho_composer_init (TachoComposer *self)
{
  GtkDropTarget *drop = gtk_drop_target_new (GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

  self->draft = tacho_conversation_message_new (TACHO_ROLE_USER, "");
  self->index = -1;
  gtk_widget_init_template (GTK_WIDGET (self));
  /* The text view would take the drop as text. */
  gtk_event_controller_set_propagation_phase (GTK_EVENT_CONTROLLER (drop), GTK_PHASE_CAPTURE);
  g_signal_connect (drop, "drop", G_CALLBACK (drop_cb), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (drop));
  g_signal_connect_object (gtk_text_view_get_buffer (self->editor), "changed",
                           G_CALLBACK (changed_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (tacho_settings_get_default (), "changed", G_CALLBACK (update), self,
                           G_CONNECT_SWAPPED);
  update (self);
}

/**
 * tacho_composer_set_running:
 * @self: the composer
 * @running: whether a reply comes: the button then stops it
 */
void
tacho_composer_set_running (TachoComposer *self, gboolean running)
{
  g_return_if_fail (TACHO_IS_COMPOSER (self));

  self->running = running;
  update (self);
}

/**
 * tacho_composer_set_obstacle:
 * @self: the composer
 * @obstacle: (nullable): why nothing can be sent; %NULL: it can
 */
void
tacho_composer_set_obstacle (TachoComposer *self, const char *obstacle)
{
  g_return_if_fail (TACHO_IS_COMPOSER (self));

  g_free (self->obstacle);
  self->obstacle = g_strdup (obstacle);
  update (self);
}

/**
 * tacho_composer_edit:
 * @self: the composer
 * @index: number of the message that is edited; -1: a new prompt
 * @message: (nullable): its text and files; %NULL: none
 */
void
tacho_composer_edit (TachoComposer *self, int index, const TachoConversationMessage *message)
{
  g_return_if_fail (TACHO_IS_COMPOSER (self));

  if (index >= 0 && self->index < 0)
    {
      g_free (self->before);
      self->before = tacho_composer_dup_text (self);
    }
  self->index = index;
  g_ptr_array_set_size (self->draft->attachments, 0);
  if (message != NULL)
    for (guint i = 0; i < message->attachments->len; i++)
      {
        const TachoAttachment *file = g_ptr_array_index (message->attachments, i);

        /* It was a text when it was attached first. */
        if (!tacho_conversation_message_attach (self->draft, file->name, file->text,
                                                strlen (file->text), NULL))
          g_assert_not_reached ();
      }
  fill_files (self);
  tacho_composer_set_text (self, message != NULL ? message->text : "");
  update (self);
}

/**
 * tacho_composer_get_index:
 * @self: the composer
 *
 * Returns: number of the message that is edited; -1: none
 */
int
tacho_composer_get_index (TachoComposer *self)
{
  return self->index;
}

/**
 * tacho_composer_dup_text:
 * @self: the composer
 *
 * Returns: (transfer full): what is written
 */
char *
tacho_composer_dup_text (TachoComposer *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->editor);
  GtkTextIter begin, end;

  gtk_text_buffer_get_bounds (buffer, &begin, &end);
  return gtk_text_buffer_get_text (buffer, &begin, &end, FALSE);
}

/**
 * tacho_composer_set_text:
 * @self: the composer
 * @text: what is to stand there
 */
void
tacho_composer_set_text (TachoComposer *self, const char *text)
{
  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->editor), text, -1);
}

/**
 * tacho_composer_clear:
 * @self: the composer
 *
 * Ready for a new prompt.
 */
void
tacho_composer_clear (TachoComposer *self)
{
  tacho_composer_edit (self, -1, NULL);
}

/**
 * tacho_composer_focus:
 * @self: the composer
 *
 * Puts the cursor into the editor.
 */
void
tacho_composer_focus (TachoComposer *self)
{
  gtk_widget_grab_focus (GTK_WIDGET (self->editor));
}

/**
 * tacho_composer_send:
 * @self: the composer
 *
 * Sends what is written, if it can be sent.
 */
void
tacho_composer_send (TachoComposer *self)
{
  g_autoptr (TachoConversationMessage) message = NULL;

  g_return_if_fail (TACHO_IS_COMPOSER (self));

  if (self->running || self->obstacle != NULL || is_empty (self))
    return;
  message = tacho_conversation_message_copy (self->draft);
  g_free (message->text);
  message->text = g_strstrip (tacho_composer_dup_text (self));
  g_signal_emit_by_name (self, "send", message);
}
