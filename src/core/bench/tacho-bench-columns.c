/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The requests of a run as columns of a JSON object, and back: what compare, merge and history need
 * so that nothing is lost. Times are nanoseconds from the start of the window, which may be
 * negative; null: not reached. */
#define G_LOG_DOMAIN "tacho"

#include "bench/tacho-bench-columns.h"

#include "base/tacho-json.h"

#define MAX_RECORDS 10000000u

typedef enum
{
  KIND_STAMP,
  KIND_INT64,
  KIND_UINT32,
  KIND_UINT16,
  KIND_BOOLEAN,
} ColumnKind;

static const struct
{
  const char *name;
  ColumnKind kind;
  gsize offset;
} columns[] = {
  { "id", KIND_INT64, G_STRUCT_OFFSET (TachoBenchRecord, id) },
  { "scheduled_ns", KIND_STAMP, G_STRUCT_OFFSET (TachoBenchRecord, scheduled_ns) },
  { "start_ns", KIND_STAMP, G_STRUCT_OFFSET (TachoBenchRecord, start_ns) },
  { "first_ns", KIND_STAMP, G_STRUCT_OFFSET (TachoBenchRecord, first_ns) },
  { "last_ns", KIND_STAMP, G_STRUCT_OFFSET (TachoBenchRecord, last_ns) },
  { "end_ns", KIND_STAMP, G_STRUCT_OFFSET (TachoBenchRecord, end_ns) },
  { "chunks", KIND_UINT32, G_STRUCT_OFFSET (TachoBenchRecord, chunks) },
  { "chunks_in_window", KIND_UINT32, G_STRUCT_OFFSET (TachoBenchRecord, chunks_in_window) },
  { "prompt_tokens", KIND_INT64, G_STRUCT_OFFSET (TachoBenchRecord, prompt_tokens) },
  { "output_tokens", KIND_INT64, G_STRUCT_OFFSET (TachoBenchRecord, output_tokens) },
  { "from_usage", KIND_BOOLEAN, G_STRUCT_OFFSET (TachoBenchRecord, tokens_from_usage) },
  { "http_status", KIND_UINT16, G_STRUCT_OFFSET (TachoBenchRecord, http_status) },
  { "reused", KIND_BOOLEAN, G_STRUCT_OFFSET (TachoBenchRecord, connection_reused) },
  { "warmup", KIND_BOOLEAN, G_STRUCT_OFFSET (TachoBenchRecord, warmup) },
  { "cooldown", KIND_BOOLEAN, G_STRUCT_OFFSET (TachoBenchRecord, cooldown) },
  { "voided", KIND_BOOLEAN, G_STRUCT_OFFSET (TachoBenchRecord, voided) },
  { "turn", KIND_UINT16, G_STRUCT_OFFSET (TachoBenchRecord, turn) },
  { "thread", KIND_UINT16, G_STRUCT_OFFSET (TachoBenchRecord, thread) },
};

static void
add_value (JsonBuilder *builder, const TachoBenchRecord *record, gsize column, gint64 base_ns)
{
  gconstpointer at = G_STRUCT_MEMBER_P (record, columns[column].offset);
  gint64 value = 0;

  switch (columns[column].kind)
    {
    case KIND_STAMP:
      if (*(const gint64 *) at == 0)
        {
          json_builder_add_null_value (builder);
          return;
        }
      value = *(const gint64 *) at - base_ns;
      break;
    case KIND_INT64:
      value = *(const gint64 *) at;
      break;
    case KIND_UINT32:
      value = *(const guint32 *) at;
      break;
    case KIND_UINT16:
      value = *(const guint16 *) at;
      break;
    case KIND_BOOLEAN:
    default:
      value = *(const bool *) at;
    }
  json_builder_add_int_value (builder, value);
}

static void
add_words (JsonBuilder *builder, TachoBenchResult *result)
{
  json_builder_set_member_name (builder, "status");
  json_builder_begin_array (builder);
  for (guint i = 0; i < result->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (result->records, i);

      json_builder_add_string_value (builder, record->status == TACHO_RECORD_OK
                                                  ? "ok"
                                                  : tacho_record_status_to_string (record->status));
    }
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "error");
  json_builder_begin_array (builder);
  for (guint i = 0; i < result->records->len; i++)
    {
      const TachoBenchRecord *record = g_ptr_array_index (result->records, i);

      if (record->error != 0)
        json_builder_add_string_value (builder, tacho_error_class (record->error));
      else
        json_builder_add_null_value (builder);
    }
  json_builder_end_array (builder);
}

/**
 * tacho_bench_columns_to_json:
 * @result: a run
 * @builder: where an object is to be added
 *
 * Adds the requests, a column for each field.
 */
void
tacho_bench_columns_to_json (TachoBenchResult *result, JsonBuilder *builder)
{
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "n");
  json_builder_add_int_value (builder, result->records->len);
  for (gsize column = 0; column < G_N_ELEMENTS (columns); column++)
    {
      json_builder_set_member_name (builder, columns[column].name);
      json_builder_begin_array (builder);
      for (guint i = 0; i < result->records->len; i++)
        add_value (builder, g_ptr_array_index (result->records, i), column,
                   result->window_start_ns);
      json_builder_end_array (builder);
    }
  add_words (builder, result);
  json_builder_end_object (builder);
}

static void
set_value (TachoBenchRecord *record, gsize column, JsonNode *node, gint64 base_ns)
{
  gpointer at = G_STRUCT_MEMBER_P (record, columns[column].offset);
  gint64 value = 0;

  if (JSON_NODE_HOLDS_VALUE (node))
    value = json_node_get_int (node);
  else if (columns[column].kind == KIND_STAMP)
    return;
  switch (columns[column].kind)
    {
    case KIND_STAMP:
      /* Zero means never; a stamp is moved off it. */
      *(gint64 *) at = value + base_ns != 0 ? value + base_ns : 1;
      break;
    case KIND_INT64:
      *(gint64 *) at = value;
      break;
    case KIND_UINT32:
      *(guint32 *) at = (guint32) CLAMP (value, 0, G_MAXUINT32);
      break;
    case KIND_UINT16:
      *(guint16 *) at = (guint16) CLAMP (value, 0, G_MAXUINT16);
      break;
    case KIND_BOOLEAN:
    default:
      *(bool *) at = value != 0;
    }
}

static gboolean
invalid (GError **error, const char *member)
{
  g_set_error (error, TACHO_ERROR, TACHO_ERROR_INVALID,
               "The requests of the run are damaged: “%s” has not one value for each", member);
  return FALSE;
}

static gboolean
read_words (TachoBenchRecord *record, JsonArray *status, JsonArray *error, guint i)
{
  const char *class = NULL;

  if (!JSON_NODE_HOLDS_VALUE (json_array_get_element (status, i)) ||
      !tacho_record_status_from_string (json_array_get_string_element (status, i),
                                        &record->status))
    return FALSE;
  if (error != NULL && i < json_array_get_length (error) &&
      JSON_NODE_HOLDS_VALUE (json_array_get_element (error, i)))
    class = json_array_get_string_element (error, i);
  for (int code = 1; class != NULL && code < TACHO_ERROR_N_CLASSES; code++)
    if (g_strcmp0 (class, tacho_error_class ((TachoErrorCode) code)) == 0)
      record->error = (TachoErrorCode) code;
  return TRUE;
}

/**
 * tacho_bench_columns_from_json:
 * @object: what tacho_bench_columns_to_json() wrote
 * @result: a run without requests, whose window_start_ns is set
 * @error: return location
 *
 * Adds the requests to the run.
 *
 * Returns: whether all are well; else %TACHO_ERROR_INVALID
 */
gboolean
tacho_bench_columns_from_json (JsonObject *object, TachoBenchResult *result, GError **error)
{
  gint64 n = tacho_json_get_int (object, "n", -1);
  JsonArray *status = tacho_json_get_array (object, "status");
  JsonArray *errors = tacho_json_get_array (object, "error");

  if (n < 0 || n > MAX_RECORDS)
    return invalid (error, "n");
  if (status == NULL || json_array_get_length (status) != (guint) n)
    return invalid (error, "status");
  for (guint i = 0; i < (guint) n; i++)
    {
      TachoBenchRecord *record = g_new0 (TachoBenchRecord, 1);

      g_ptr_array_add (result->records, record);
      if (!read_words (record, status, errors, i))
        return invalid (error, "status");
    }
  for (gsize column = 0; column < G_N_ELEMENTS (columns); column++)
    {
      JsonArray *values = tacho_json_get_array (object, columns[column].name);

      if (values == NULL)
        continue;
      if (json_array_get_length (values) != (guint) n)
        return invalid (error, columns[column].name);
      for (guint i = 0; i < (guint) n; i++)
        set_value (g_ptr_array_index (result->records, i), column,
                   json_array_get_element (values, i), result->window_start_ns);
    }
  return TRUE;
}
