/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message as JSON for the capture: the fields that are set, by their names in the .proto file. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-grpc-private.h"

#include "sim/tacho-sim-text.h"

#include <string.h>

#define MAX_DEPTH 16

static void append_message (GString *json, const ProtobufCMessage *message, guint depth);

static gsize
element_size (const ProtobufCFieldDescriptor *field)
{
  switch (field->type)
    {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
      return 8;
    case PROTOBUF_C_TYPE_BOOL:
      return sizeof (protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
      return sizeof (void *);
    case PROTOBUF_C_TYPE_BYTES:
      return sizeof (ProtobufCBinaryData);
    default:
      return 4;
    }
}

static void
append_bytes (GString *json, const ProtobufCBinaryData *bytes)
{
  gsize length = MIN (bytes->len, TACHO_SIM_CAPTURE_MAX_BODY);
  g_autofree char *text = NULL;

  if (bytes->len > 0 && g_utf8_validate_len ((const char *) bytes->data, length, NULL))
    text = g_strndup ((const char *) bytes->data, length);
  else
    text = g_base64_encode (bytes->data, length);
  tacho_sim_json_quote (json, text);
}

static void
append_number (GString *json, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (json, g_ascii_formatd (text, sizeof text, "%.9g", value));
}

static void
append_value (GString *json,
              const ProtobufCFieldDescriptor *field,
              gconstpointer value,
              guint depth)
{
  const char *text;

  switch (field->type)
    {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_ENUM:
      g_string_append_printf (json, "%d", *(const gint32 *) value);
      break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
      g_string_append_printf (json, "%u", *(const guint32 *) value);
      break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
      g_string_append_printf (json, "%" G_GINT64_FORMAT, *(const gint64 *) value);
      break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
      g_string_append_printf (json, "%" G_GUINT64_FORMAT, *(const guint64 *) value);
      break;
    case PROTOBUF_C_TYPE_FLOAT:
      append_number (json, (double) *(const float *) value);
      break;
    case PROTOBUF_C_TYPE_DOUBLE:
      append_number (json, *(const double *) value);
      break;
    case PROTOBUF_C_TYPE_BOOL:
      g_string_append (json, *(const protobuf_c_boolean *) value ? "true" : "false");
      break;
    case PROTOBUF_C_TYPE_STRING:
      text = *(const char *const *) value;
      tacho_sim_json_quote (json, text ? text : "");
      break;
    case PROTOBUF_C_TYPE_BYTES:
      append_bytes (json, value);
      break;
    case PROTOBUF_C_TYPE_MESSAGE:
    default:
      append_message (json, *(const ProtobufCMessage *const *) value, depth + 1);
      break;
    }
}

static gboolean
is_set (const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
  gconstpointer value = G_STRUCT_MEMBER_P (message, field->offset);
  static const guint8 zero[sizeof (ProtobufCBinaryData)];

  if (field->label == PROTOBUF_C_LABEL_REPEATED)
    return G_STRUCT_MEMBER (size_t, message, field->quantifier_offset) > 0;
  if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
    return G_STRUCT_MEMBER (guint32, message, field->quantifier_offset) == field->id;
  if (field->type == PROTOBUF_C_TYPE_STRING)
    return *(const char *const *) value != NULL && **(const char *const *) value != '\0';
  if (field->type == PROTOBUF_C_TYPE_BYTES)
    return ((const ProtobufCBinaryData *) value)->len > 0;
  return memcmp (value, zero, element_size (field)) != 0;
}

static void
append_field (GString *json,
              const ProtobufCMessage *message,
              const ProtobufCFieldDescriptor *field,
              guint depth)
{
  gconstpointer value = G_STRUCT_MEMBER_P (message, field->offset);
  gsize n;

  tacho_sim_json_quote (json, field->name);
  g_string_append_c (json, ':');
  if (field->label != PROTOBUF_C_LABEL_REPEATED)
    {
      append_value (json, field, value, depth);
      return;
    }
  n = G_STRUCT_MEMBER (size_t, message, field->quantifier_offset);
  g_string_append_c (json, '[');
  for (gsize i = 0; i < n && json->len < TACHO_SIM_CAPTURE_MAX_BODY; i++)
    {
      if (i > 0)
        g_string_append_c (json, ',');
      append_value (json, field, *(const guint8 *const *) value + i * element_size (field), depth);
    }
  g_string_append_c (json, ']');
}

static void
append_message (GString *json, const ProtobufCMessage *message, guint depth)
{
  gboolean first = TRUE;

  if (message == NULL || depth > MAX_DEPTH)
    {
      g_string_append (json, "null");
      return;
    }
  g_string_append_c (json, '{');
  for (guint i = 0; i < message->descriptor->n_fields; i++)
    {
      const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

      if (json->len >= TACHO_SIM_CAPTURE_MAX_BODY || !is_set (message, field))
        continue;
      if (!first)
        g_string_append_c (json, ',');
      first = FALSE;
      append_field (json, message, field, depth);
    }
  g_string_append_c (json, '}');
}

/**
 * tacho_sim_protobuf_to_json:
 * @message: a message
 *
 * Bytes are text where they are UTF-8, else base64. What is beyond 64 KiB is left out.
 *
 * Returns: (transfer full): JSON
 */
char *
tacho_sim_protobuf_to_json (const ProtobufCMessage *message)
{
  GString *json = g_string_new (NULL);

  append_message (json, message, 0);
  return g_string_free (json, FALSE);
}
