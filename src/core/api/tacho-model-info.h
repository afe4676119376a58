/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server says of one model, as a plain value. TachoModel (service) is the live object. */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef enum
{
  TACHO_MODEL_STATUS_UNKNOWN, /* the server has no notion of loading: the model is simply there */
  TACHO_MODEL_STATUS_UNLOADED,
  TACHO_MODEL_STATUS_LOADING,
  TACHO_MODEL_STATUS_LOADED,
  TACHO_MODEL_STATUS_SLEEPING,
  TACHO_MODEL_STATUS_FAILED,
} TachoModelStatus;

#define TACHO_TYPE_MODEL_STATUS (tacho_model_status_get_type ())
GType tacho_model_status_get_type (void);
const char *
tacho_model_status_to_string (TachoModelStatus status); /* "loaded", … for JSON and the terminal */

/* Unknown: NULL, or 0 for counts and sizes, NaN for progress. */
typedef struct
{
  char *id;
  char *name;
  char *family;       /* architecture: "llama", "qwen2" */
  char *kind;         /* "chat", "completion", "embedding", "vision" */
  char *quantization; /* "Q4_K_M" */
  guint64 n_params;
  guint64 size_bytes; /* on disk */
  guint64 memory_bytes;
  gint64 context_window;  /* tokens in use by the server */
  gint64 context_trained; /* tokens the model was trained for */
  gint64 max_output;
  char **capabilities; /* NULL-terminated, or NULL */
  char *owner;
  gint64 created; /* unix seconds, 0 unknown */
  TachoModelStatus status;
  char *chat_template; /* how a conversation becomes a prompt: Jinja, or Go's for Ollama */
  char *parameters;    /* what it generates with unless told otherwise, in the server's form */
  double progress;     /* 0..1 while loading, NaN unknown */
  char *status_reason; /* why it failed */
} TachoModelInfo;

TachoModelInfo *tacho_model_info_new (const char *id) G_GNUC_WARN_UNUSED_RESULT;
TachoModelInfo *tacho_model_info_copy (const TachoModelInfo *info) G_GNUC_WARN_UNUSED_RESULT;
void tacho_model_info_free (TachoModelInfo *info);
/* "tinyllama-1.1b.Q4_K_M.gguf" -> "Q4_K_M"; NULL if the name does not tell. */
char *tacho_model_info_guess_quantization (const char *name) G_GNUC_WARN_UNUSED_RESULT;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TachoModelInfo, tacho_model_info_free)

G_END_DECLS
