/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tacho-cli prompt: one prompt, its reply as it comes. */
#define G_LOG_DOMAIN "tacho-cli"

#include "cli-commands.h"
#include "cli-endpoints.h"
#include "cli-profile.h"

#include "base/tacho-error.h"
#include "service/tacho-inference-service.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define MAX_STDIN ((gsize) 16 * 1024 * 1024)

typedef struct
{
  char *model;
  char *system;
  char *max_tokens;
  char *temperature;
  char *top_p;
  char *seed;
  char **stop;
  gboolean stream;
  gboolean no_stream;
  gboolean stats;
} PromptOptions;

typedef struct
{
  CliSession *session;
  TachoGeneration *generation;
  gboolean ended;
  gboolean quiet; /* --json: nothing is streamed */
  gboolean wrote;
  gboolean reasoning_open; /* reasoning was shown last */
} Prompt;

static void
prompt_options_clear (PromptOptions *options)
{
  g_free (options->model);
  g_free (options->system);
  g_free (options->max_tokens);
  g_free (options->temperature);
  g_free (options->top_p);
  g_free (options->seed);
  g_strfreev (options->stop);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PromptOptions, prompt_options_clear)

static char *
read_stdin (GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char buffer[65536];

  for (;;)
    {
      gssize n = read (STDIN_FILENO, buffer, sizeof buffer);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          g_set_error (error, TACHO_ERROR, TACHO_ERROR_IO, "cannot read the standard input: %s",
                       g_strerror (errno));
          return NULL;
        }
      if (n == 0)
        break;
      g_string_append_len (text, buffer, n);
      if (text->len > MAX_STDIN)
        {
          g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                       "The prompt on the standard input is longer than %u MiB.",
                       (guint) (MAX_STDIN >> 20));
          return NULL;
        }
    }
  /* The line end that echo and editors add is no part of the prompt. */
  if (text->len > 0 && text->str[text->len - 1] == '\n')
    g_string_truncate (text, text->len - 1);
  if (strlen (text->str) != text->len || !g_utf8_validate_len (text->str, text->len, NULL))
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                   "The prompt on the standard input is not UTF-8 text.");
      return NULL;
    }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static char *
read_prompt (char **words, GError **error)
{
  g_autofree char *text = NULL;
  gboolean from_stdin = words[0] == NULL || (g_str_equal (words[0], "-") && words[1] == NULL);

  if (words[0] == NULL && isatty (STDIN_FILENO))
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE,
                   "Which prompt? Give its text, or - to type it and end it with Ctrl-D.");
      return NULL;
    }
  text = from_stdin ? read_stdin (error) : g_strjoinv (" ", words);
  if (text == NULL)
    return NULL;
  if (*text == '\0')
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "The prompt is empty.");
      return NULL;
    }
  if (!g_utf8_validate (text, -1, NULL))
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "The prompt is not UTF-8 text.");
      return NULL;
    }
  return g_steal_pointer (&text);
}

static TachoGenerateRequest *
make_request (const PromptOptions *options, const char *text, GError **error)
{
  g_autoptr (TachoGenerateRequest) request = tacho_generate_request_new (NULL);
  guint64 number;

  if (options->max_tokens != NULL)
    {
      if (!cli_parse_uint ("max-tokens", options->max_tokens, 1, 100000000, &number, error))
        return NULL;
      request->max_tokens = (gint64) number;
    }
  if (options->seed != NULL)
    {
      if (!cli_parse_uint ("seed", options->seed, 0, G_MAXINT64, &number, error))
        return NULL;
      request->seed = (gint64) number;
    }
  if (options->temperature != NULL &&
      !cli_parse_double ("temperature", options->temperature, 0, 2, &request->temperature, error))
    return NULL;
  if (options->top_p != NULL &&
      !cli_parse_double ("top-p", options->top_p, 0, 1, &request->top_p, error))
    return NULL;
  request->stream = !options->no_stream;
  request->stop = g_strdupv (options->stop);
  if (options->stream && options->no_stream)
    {
      g_set_error (error, CLI_ERROR, CLI_ERROR_USAGE, "Give --stream or --no-stream, not both.");
      return NULL;
    }
  if (options->system != NULL && *options->system != '\0')
    tacho_generate_request_add_message (request, TACHO_ROLE_SYSTEM, options->system);
  tacho_generate_request_add_message (request, TACHO_ROLE_USER, text);
  return g_steal_pointer (&request);
}

static void
delta_cb (TachoGeneration *generation, const char *text, gboolean reasoning, gpointer data)
{
  Prompt *prompt = data;

  if (prompt->quiet)
    return;
  if (reasoning)
    {
      cli_terminal_dim (prompt->session->terminal, text);
      prompt->reasoning_open = TRUE;
      return;
    }
  if (prompt->reasoning_open)
    cli_terminal_dim (prompt->session->terminal, "\n\n");
  prompt->reasoning_open = FALSE;
  prompt->wrote = TRUE;
  if (!cli_terminal_write_text (prompt->session->terminal, text, strlen (text)))
    tacho_generation_cancel (generation); /* nobody reads it: the server need not go on */
}

static void
progress_cb (TachoGeneration *generation, double fraction, gpointer data)
{
  Prompt *prompt = data;
  g_autofree char *line = g_strdup_printf ("Reading the prompt  %3.0f %%", fraction * 100);

  if (!prompt->wrote && !prompt->reasoning_open)
    cli_terminal_progress (prompt->session->terminal, line);
}

static void
ended_cb (TachoGeneration *generation, gpointer data)
{
  Prompt *prompt = data;

  prompt->ended = TRUE;
}

static void
interrupt_cb (CliSession *session, gpointer data)
{
  Prompt *prompt = data;

  tacho_generation_cancel (prompt->generation);
}

static void
append_number (GString *line, const char *name, double value, const char *unit)
{
  if (!isnan (value))
    g_string_append_printf (line, "%s%s %.1f %s", line->len > 0 ? "  " : "", name, value, unit);
}

static void
print_stats (CliSession *session,
             TachoGeneration *generation,
             const TachoGenerationMetrics *metrics)
{
  g_autoptr (GString) line = g_string_new (NULL);
  GPtrArray *attempts = tacho_generation_get_attempts (generation);

  append_number (line, "TTFT", metrics->ttft_ms, "ms");
  append_number (line, "speed", metrics->tokens_per_s, "tokens/s");
  append_number (line, "total", metrics->e2e_ms, "ms");
  g_string_append_printf (line, "%soutput %" G_GINT64_FORMAT " tokens (%s)",
                          line->len > 0 ? "  " : "", metrics->output_tokens,
                          g_strcmp0 (metrics->tokens_source, "usage") == 0
                              ? "counted by the server"
                              : "chunks: the server gave no count");
  if (metrics->prompt_tokens >= 0)
    g_string_append_printf (line, "  prompt %" G_GINT64_FORMAT " tokens", metrics->prompt_tokens);
  if (attempts->len > 0)
    {
      const TachoAttempt *last = g_ptr_array_index (attempts, attempts->len - 1);

      g_string_append_printf (line, "  by %s",
                              last->protocol == TACHO_PROTOCOL_GRPC ? "gRPC" : "REST");
    }
  if (tacho_client_manager_get_simulated (session->manager))
    g_string_append (line, "  (simulated server)");
  cli_terminal_say (session->terminal, "%s", line->str);
}

static void
add_timings (JsonBuilder *builder, const TachoGenerationMetrics *metrics)
{
  json_builder_set_member_name (builder, "timings");
  if (!metrics->has_timings)
    {
      json_builder_add_null_value (builder);
      return;
    }
  json_builder_begin_object (builder);
  cli_json_count (builder, "prompt_n", metrics->timings.prompt_n, -1);
  cli_json_double (builder, "prompt_ms", metrics->timings.prompt_ms);
  cli_json_count (builder, "cached_n", metrics->timings.cached_n, -1);
  cli_json_count (builder, "predicted_n", metrics->timings.predicted_n, -1);
  cli_json_double (builder, "predicted_ms", metrics->timings.predicted_ms);
  json_builder_end_object (builder);
}

static void
print_json (CliSession *session, TachoGeneration *generation, const char *model)
{
  const GError *error = tacho_generation_get_error (generation);
  TachoGenerationMetrics metrics;
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  tacho_generation_get_metrics (generation, &metrics);
  json_builder_begin_object (builder);
  cli_json_string (builder, "schema", "tacho.prompt/1");
  cli_json_string (builder, "model", model);
  cli_json_string (builder, "response_id", tacho_generation_get_response_id (generation));
  cli_json_string (builder, "status",
                   tacho_generation_state_to_string (tacho_generation_get_state (generation)));
  cli_json_string (builder, "text", tacho_generation_get_text (generation));
  cli_json_string (builder, "reasoning", tacho_generation_get_reasoning (generation));
  cli_json_string (builder, "tool_calls", tacho_generation_get_tool_calls (generation));
  cli_json_string (builder, "finish_reason", tacho_generation_get_finish_reason (generation));
  cli_json_count (builder, "prompt_tokens", metrics.prompt_tokens, -1);
  cli_json_count (builder, "output_tokens", metrics.output_tokens, -1);
  cli_json_string (builder, "tokens_source", metrics.tokens_source);
  cli_json_count (builder, "chunks", (gint64) metrics.chunks, -1);
  cli_json_double (builder, "ttft_ms", metrics.ttft_ms);
  cli_json_double (builder, "e2e_ms", metrics.e2e_ms);
  cli_json_double (builder, "itl_ms", metrics.itl_ms);
  cli_json_double (builder, "tpot_ms", metrics.tpot_ms);
  cli_json_double (builder, "output_tokens_per_s", metrics.tokens_per_s);
  add_timings (builder, &metrics);
  cli_attempts_add_json (builder, generation);
  cli_json_string (builder, "error",
                   error != NULL && error->domain == TACHO_ERROR
                       ? tacho_error_class ((TachoErrorCode) error->code)
                       : NULL);
  cli_json_string (builder, "message", error != NULL ? error->message : NULL);
  json_builder_set_member_name (builder, "simulated");
  json_builder_add_boolean_value (builder, tacho_client_manager_get_simulated (session->manager));
  json_builder_end_object (builder);
  cli_session_print_json (session, builder);
}

static int
finish_prompt (Prompt *prompt, const PromptOptions *options, const char *model)
{
  CliSession *session = prompt->session;
  TachoGenerationState state = tacho_generation_get_state (prompt->generation);
  const GError *error = tacho_generation_get_error (prompt->generation);
  const char *tools = tacho_generation_get_tool_calls (prompt->generation);
  TachoGenerationMetrics metrics;

  cli_terminal_progress (session->terminal, NULL);
  if (prompt->reasoning_open)
    cli_terminal_dim (session->terminal, "\n");
  if (prompt->quiet)
    print_json (session, prompt->generation, model);
  else if (prompt->wrote || state == TACHO_GENERATION_DONE)
    cli_terminal_end_text (session->terminal);
  if (!prompt->quiet && tools != NULL)
    cli_terminal_say (session->terminal, "The model asked for tools: %s", tools);
  tacho_generation_get_metrics (prompt->generation, &metrics);
  if (options->stats)
    {
      cli_attempts_say (session, prompt->generation);
      print_stats (session, prompt->generation, &metrics);
    }
  if (session->interrupts > 0)
    {
      cli_terminal_error (session->terminal, "interrupted; what came is kept");
      return CLI_EXIT_INTERRUPTED;
    }
  if (cli_terminal_is_broken (session->terminal) || state == TACHO_GENERATION_DONE)
    return CLI_EXIT_OK;
  return cli_session_fail (session, error);
}

/* The configuration's values for what no option says. They were checked when they were read. */
static void
apply_defaults (CliSession *session, const PromptOptions *options, TachoGenerateRequest *request)
{
  static const char *const keys[] = { "temperature", "top-p", "max-tokens", "streaming",
                                      "system-prompt" };
  TachoConfig *config = cli_session_get_config (session);
  g_autofree char *group = tacho_config_group_make ("model", request->model);
  g_autofree char *context = tacho_config_dup_value (config, group, "context", NULL);
  gint64 limit = context != NULL ? g_ascii_strtoll (context, NULL, 10) : G_MAXINT64;
  char *values[G_N_ELEMENTS (keys)] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    values[i] = tacho_config_dup_inference (config, request->model, keys[i], NULL);
  if (options->temperature == NULL && values[0] != NULL)
    request->temperature = g_ascii_strtod (values[0], NULL);
  if (options->top_p == NULL && values[1] != NULL)
    request->top_p = g_ascii_strtod (values[1], NULL);
  if (options->max_tokens == NULL && values[2] != NULL)
    request->max_tokens = g_ascii_strtoll (values[2], NULL, 10);
  if (!options->stream && !options->no_stream && values[3] != NULL)
    request->stream = g_str_equal (values[3], "true");
  if (options->system == NULL && values[4] != NULL && *values[4] != '\0')
    {
      GPtrArray *messages = request->messages;

      tacho_generate_request_add_message (request, TACHO_ROLE_SYSTEM, values[4]);
      g_ptr_array_insert (messages, 0, g_ptr_array_steal_index (messages, messages->len - 1));
    }
  if (request->max_tokens > limit)
    {
      cli_terminal_say (session->terminal,
                        "A reply of %" G_GINT64_FORMAT " tokens is asked for, not of "
                        "%" G_GINT64_FORMAT ": that is the context of %s in the configuration.",
                        limit, request->max_tokens, request->model);
      request->max_tokens = limit;
    }
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    g_clear_pointer (&values[i], g_free);
}

static int
run_prompt (CliSession *session, const PromptOptions *options, TachoGenerateRequest *request)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TachoInferenceService) service = NULL;
  g_autoptr (TachoGeneration) generation = NULL;
  Prompt prompt = { .session = session, .quiet = session->globals.json };
  int status;

  if (!cli_session_connect (session, &error))
    return cli_session_fail (session, error);
  request->model = cli_session_use_model (session, options->model, &error);
  if (request->model == NULL)
    return cli_session_fail (session, error);
  apply_defaults (session, options, request);
  request->return_progress = cli_terminal_is_live (session->terminal) && request->stream;
  service = tacho_inference_service_new (session->manager);
  generation = tacho_inference_service_start (service, request, &error);
  if (generation == NULL)
    return cli_session_fail (session, error);
  prompt.generation = generation;
  g_signal_connect (generation, "delta", G_CALLBACK (delta_cb), &prompt);
  g_signal_connect (generation, "progress", G_CALLBACK (progress_cb), &prompt);
  g_signal_connect (generation, "ended", G_CALLBACK (ended_cb), &prompt);
  session->on_interrupt_data = &prompt;
  session->on_interrupt = interrupt_cb;
  while (!prompt.ended && !tacho_generation_is_ended (generation))
    g_main_context_iteration (NULL, TRUE);
  session->on_interrupt = NULL;
  status = finish_prompt (&prompt, options, request->model);
  g_signal_handlers_disconnect_by_data (generation, &prompt);
  return status;
}

int
cli_prompt (CliSession *session, int argc, char **argv)
{
  g_auto (PromptOptions) prompt = { NULL };
  const CliOption options[] = {
    { "model", 'm', "ID", FALSE, &prompt.model, "The model; else a loaded one, or the only one" },
    { "system", 0, "TEXT", FALSE, &prompt.system, "System prompt" },
    { "max-tokens", 0, "N", FALSE, &prompt.max_tokens, "Longest reply, in tokens" },
    { "temperature", 0, "X", FALSE, &prompt.temperature, "Sampling temperature, 0 to 2" },
    { "top-p", 0, "X", FALSE, &prompt.top_p, "Nucleus sampling, 0 to 1" },
    { "seed", 0, "N", FALSE, &prompt.seed, "Seed of the sampling" },
    { "stop", 0, "TEXT", TRUE, &prompt.stop, "End the reply before this text; may be repeated" },
    { "stream", 0, NULL, FALSE, &prompt.stream, "Show the reply as it comes (the default)" },
    { "no-stream", 0, NULL, FALSE, &prompt.no_stream, "Ask for the whole reply at once" },
    { "stats", 0, NULL, FALSE, &prompt.stats, "Times and tokens on the standard error" },
    { NULL },
  };
  const CliUsage usage = {
    .command = "prompt",
    .arguments = "TEXT|-",
    .summary = "Sends a prompt and prints the reply as it comes, exactly as the model sent it.\n"
               "Reasoning is shown dim on the terminal and never mixed into the reply.",
    .description = "Examples:\n"
                   "  tacho-cli prompt --url http://127.0.0.1:8080 \"Why is the sky blue?\"\n"
                   "  tacho-cli prompt --url sim:fast -m sim-tiny-1b-q8_0 --stats Hello\n"
                   "  git diff | tacho-cli prompt --system \"Review this change.\" -",
    .options = options,
    .uses_server = TRUE,
  };
  g_auto (GStrv) words = NULL;
  g_autofree char *text = NULL;
  g_autoptr (TachoGenerateRequest) request = NULL;
  g_autoptr (GError) error = NULL;
  int status = cli_begin (session, &usage, argc, argv, &words);

  if (status >= 0)
    return status;
  text = read_prompt (words, &error);
  if (text != NULL)
    request = make_request (&prompt, text, &error);
  if (request == NULL || !tacho_generate_request_validate (request, &error))
    return cli_session_fail (session, error);
  return run_prompt (session, &prompt, request);
}
