/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pieces of tool calls come by index: the id and the name once, the arguments bit by bit. */
#define G_LOG_DOMAIN "tacho"

#include "service/tacho-tool-calls.h"

#include <string.h>

#include "base/tacho-json.h"

#define MAX_TOOL_CALLS 1024

typedef struct
{
  char *id;
  char *name;
  GString *arguments;
} ToolCall;

struct _TachoToolCalls
{
  GPtrArray *calls; /* of ToolCall */
  char *json;       /* built when asked for */
  gsize size;
};

static void
tool_call_free (gpointer data)
{
  ToolCall *call = data;

  g_free (call->id);
  g_free (call->name);
  g_string_free (call->arguments, TRUE);
  g_free (call);
}

/**
 * tacho_tool_calls_new: (skip)
 *
 * Returns: (transfer full): no calls yet
 */
TachoToolCalls *
tacho_tool_calls_new (void)
{
  TachoToolCalls *calls = g_new0 (TachoToolCalls, 1);

  calls->calls = g_ptr_array_new_with_free_func (tool_call_free);
  return calls;
}

/**
 * tacho_tool_calls_free: (skip)
 * @calls: (nullable) (transfer full): calls
 */
void
tacho_tool_calls_free (TachoToolCalls *calls)
{
  if (calls == NULL)
    return;
  g_ptr_array_unref (calls->calls);
  g_free (calls->json);
  g_free (calls);
}

/**
 * tacho_tool_calls_take: (skip)
 * @calls: calls
 * @event: an event with a piece of one; an index beyond the 1024 that are kept is ignored
 */
void
tacho_tool_calls_take (TachoToolCalls *calls, const TachoStreamEvent *event)
{
  ToolCall *call;
  const char *arguments = event->tool_arguments != NULL ? event->tool_arguments : "";

  if (event->tool_index < 0 || event->tool_index >= MAX_TOOL_CALLS)
    return;
  while (calls->calls->len <= (guint) event->tool_index)
    {
      call = g_new0 (ToolCall, 1);
      call->arguments = g_string_new (NULL);
      g_ptr_array_add (calls->calls, call);
    }
  call = g_ptr_array_index (calls->calls, event->tool_index);
  if (call->id == NULL)
    call->id = g_strdup (event->tool_id);
  if (call->name == NULL)
    call->name = g_strdup (event->tool_name);
  g_string_append (call->arguments, arguments);
  calls->size += strlen (arguments);
  g_clear_pointer (&calls->json, g_free);
}

/**
 * tacho_tool_calls_get_size: (skip)
 * @calls: calls
 *
 * Returns: bytes of arguments so far
 */
gsize
tacho_tool_calls_get_size (TachoToolCalls *calls)
{
  return calls->size;
}

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

/**
 * tacho_tool_calls_to_json: (skip)
 * @calls: calls
 *
 * Returns: (nullable): a JSON array in OpenAI's form, valid until more comes; %NULL if there are
 *   none
 */
const char *
tacho_tool_calls_to_json (TachoToolCalls *calls)
{
  g_autoptr (JsonBuilder) builder = NULL;
  g_autoptr (JsonNode) root = NULL;

  if (calls->calls->len == 0)
    return NULL;
  if (calls->json != NULL)
    return calls->json;
  builder = json_builder_new ();
  json_builder_begin_array (builder);
  for (guint i = 0; i < calls->calls->len; i++)
    {
      const ToolCall *call = g_ptr_array_index (calls->calls, i);

      /* A server that counts from 1 leaves the first place empty. */
      if (call->id == NULL && call->name == NULL && call->arguments->len == 0)
        continue;
      json_builder_begin_object (builder);
      add_string (builder, "id", call->id);
      add_string (builder, "type", "function");
      json_builder_set_member_name (builder, "function");
      json_builder_begin_object (builder);
      add_string (builder, "name", call->name);
      add_string (builder, "arguments", call->arguments->str);
      json_builder_end_object (builder);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  root = json_builder_get_root (builder);
  calls->json = tacho_json_to_string (root, FALSE);
  return calls->json;
}
