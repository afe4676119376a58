/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An error as each family writes it: as a reply, and in the midst of a stream. */
#define G_LOG_DOMAIN "tacho"

#include "sim/tacho-sim-http.h"

#include "sim/tacho-sim-json.h"

static const char *
vllm_type (guint status)
{
  switch (status)
    {
    case 400:
      return "BadRequestError";
    case 404:
      return "NotFoundError";
    case 429:
      return "RateLimitError";
    default:
      return "InternalServerError";
    }
}

static const char *
tgi_type (guint status)
{
  switch (status)
    {
    case 400:
    case 404:
    case 422:
      return "validation";
    case 429:
      return "overloaded";
    case 503:
      return "healthcheck";
    default:
      return "generation";
    }
}

static const char *
openai_type (guint status)
{
  switch (status)
    {
    case 400:
    case 404:
    case 413:
      return "invalid_request_error";
    case 401:
      return "authentication_error";
    case 429:
      return "requests";
    default:
      return "server_error";
    }
}

/**
 * tacho_sim_error_body:
 * @family: how it is to look
 * @path: (nullable): of the request; some servers have two shapes
 * @status: HTTP status
 * @type: llama.cpp's error type
 * @message: words
 *
 * Returns: (transfer full): the JSON of an error reply
 */
char *
tacho_sim_error_body (TachoSimFamily family,
                      const char *path,
                      guint status,
                      const char *type,
                      const char *message)
{
  GString *json = g_string_new (NULL);
  gboolean openai_route = path != NULL && g_str_has_prefix (path, "/v1/");

  switch (family)
    {
    case TACHO_SIM_FAMILY_OPENAI:
      tacho_sim_json_add (json, "{'error':{'message':%s,'type':%s,'param':null,'code':%s}}",
                          message, openai_type (status),
                          status == 404   ? "model_not_found"
                          : status == 429 ? "rate_limit_exceeded"
                                          : NULL);
      break;
    case TACHO_SIM_FAMILY_OLLAMA:
      if (openai_route)
        tacho_sim_json_add (json, "{'error':{'message':%s,'type':%s,'param':null,'code':null}}",
                            message, status < 500 ? "invalid_request_error" : "api_error");
      else
        tacho_sim_json_add (json, "{'error':%s}", message);
      break;
    case TACHO_SIM_FAMILY_LMSTUDIO:
      tacho_sim_json_add (json, "{'error':{'message':%s,'type':%s,'param':null,'code':%s}}",
                          message, status < 500 ? "invalid_request" : "internal_error",
                          status == 404 ? "model_not_found" : NULL);
      break;
    case TACHO_SIM_FAMILY_VLLM:
      if (status == 401)
        tacho_sim_json_add (json, "{'error':'Unauthorized'}");
      else
        tacho_sim_json_add (json, "{'error':{'message':%s,'type':%s,'param':null,'code':%u}}",
                            message, vllm_type (status), status);
      break;
    case TACHO_SIM_FAMILY_SGLANG:
      tacho_sim_json_add (json, "{'object':'error','message':%s,'type':%s,'param':null,'code':%u}",
                          message, vllm_type (status), status);
      break;
    case TACHO_SIM_FAMILY_TGI:
      tacho_sim_json_add (json, "{'error':%s,'error_type':%s}", message, tgi_type (status));
      break;
    case TACHO_SIM_FAMILY_OIP:
    case TACHO_SIM_FAMILY_KSERVE:
      tacho_sim_json_add (json, "{'error':%s}", message);
      break;
    case TACHO_SIM_FAMILY_RYZANSTEIN:
      tacho_sim_json_add (json, "{'code':%s,'message':%s,'details':''}", type, message);
      break;
    case TACHO_SIM_FAMILY_ALL:
    case TACHO_SIM_FAMILY_LLAMACPP:
    case TACHO_SIM_N_FAMILIES:
    default:
      tacho_sim_json_add (json, "{'error':{'code':%u,'message':%s,'type':%s}}", status, message,
                          type);
      break;
    }
  return g_string_free (json, FALSE);
}

/**
 * tacho_sim_error_event:
 * @exchange: an exchange whose stream has begun
 * @message: words
 *
 * Returns: (transfer full): the error as the family puts it into a stream, to the stream's end
 */
char *
tacho_sim_error_event (const TachoSimExchange *exchange, const char *message)
{
  const char *path = exchange->path;
  gboolean openai_route = g_str_has_prefix (path, "/v1/");
  GString *out = g_string_new (NULL);

  switch (exchange->family)
    {
    case TACHO_SIM_FAMILY_VLLM:
    case TACHO_SIM_FAMILY_SGLANG:
      tacho_sim_json_add (out,
                          "data: {'error':{'message':%s,'type':'InternalServerError',"
                          "'param':null,'code':500}}\n\ndata: [DONE]\n\n",
                          message);
      break;
    case TACHO_SIM_FAMILY_OLLAMA:
      if (openai_route) /* its words are lost on this way */
        tacho_sim_json_add (out, "data: {'id':'chatcmpl-0','object':'chat.completion.chunk',"
                                 "'created':0,'model':'','system_fingerprint':'fp_ollama',"
                                 "'choices':[{'index':0,'delta':{'role':'assistant','content':''},"
                                 "'finish_reason':null}]}\n\n");
      else
        tacho_sim_json_add (out, "{'error':%s}\n", message);
      break;
    case TACHO_SIM_FAMILY_LMSTUDIO:
      if (g_str_has_prefix (path, "/api/v1/"))
        tacho_sim_json_add (out,
                            "event: error\ndata: {'type':'error','error':{'type':"
                            "'internal_error','message':%s}}\n\n",
                            message);
      else
        tacho_sim_json_add (out, "event: error\ndata: {'error':{'message':%s},'message':%s}\n\n",
                            message, message);
      break;
    case TACHO_SIM_FAMILY_TGI:
      if (openai_route)
        tacho_sim_json_add (
            out, "data:{'error':{'message':%s,'http_status_code':424}}\n\ndata:[DONE]\n\n",
            message);
      else
        tacho_sim_json_add (out, "data:{'error':%s,'error_type':'generation'}\n\n", message);
      break;
    case TACHO_SIM_FAMILY_OIP:
    case TACHO_SIM_FAMILY_KSERVE:
    case TACHO_SIM_FAMILY_RYZANSTEIN:
      tacho_sim_json_add (out, "data: {'error':%s}\n\n", message);
      break;
    case TACHO_SIM_FAMILY_ALL:
    case TACHO_SIM_FAMILY_LLAMACPP:
    case TACHO_SIM_FAMILY_OPENAI:
    case TACHO_SIM_N_FAMILIES:
    default:
      {
        g_autofree char *body =
            tacho_sim_error_body (exchange->family, path, 500, "server_error", message);

        g_string_append_printf (out, "data: %s\n\n", body);
        break;
      }
    }
  return g_string_free (out, FALSE);
}
