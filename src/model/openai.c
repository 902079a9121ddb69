/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Chat completions as OpenAI documents them, and as the servers that imitate
 * them do: OpenRouter, Gemini's compatible endpoint, Ollama, vLLM, llama.cpp.
 */
#include "model/codec.h"

#include "base/json.h"
#include "model/completion.h"
#include "model/fault.h"

#include <string.h>

/* ---- request ---- */

static void openai_put_tool(struct buf *out, const struct model_tool *tool)
{
	buf_str(out, "{\"type\":\"function\",\"function\":{\"name\":");
	buf_json_str(out, tool->name);
	buf_str(out, ",\"description\":");
	buf_json_str(out, tool->description);
	buf_str(out, ",\"parameters\":");
	buf_str(out, tool->schema);
	buf_str(out, "}}");
}

static void openai_put_messages(
    struct buf *out, const struct model_request *request)
{
	const char *sep = "";

	buf_str(out, ",\"messages\":[");
	if (request->system) {
		buf_str(out, "{\"role\":\"system\",\"content\":");
		buf_json_str(out, request->system);
		buf_char(out, '}');
		sep = ",";
	}
	for (const struct json *m = json_first(request->messages); m;
	     m = json_next(m)) {
		size_t len;
		const char *text = json_text(m, &len);
		buf_str(out, sep);
		buf_append(out, text, len);
		sep = ",";
	}
	buf_char(out, ']');
}

static void openai_write(struct buf *out, const struct model_request *request)
{
	buf_str(out, "{\"model\":");
	buf_json_str(out, request->model);
	openai_put_messages(out, request);
	if (request->is_streamed)
		buf_str(out, ",\"stream\":true,"
			     "\"stream_options\":{\"include_usage\":true}");
	if (request->temperature >= 0)
		buf_printf(out, ",\"temperature\":%g", request->temperature);
	if (request->max_tokens > 0)
		buf_printf(out, ",\"%s\":%lld",
		    request->has_max_completion_tokens ? "max_completion_tokens"
						       : "max_tokens",
		    (long long)request->max_tokens);
	for (size_t i = 0; i < request->n_tools; i++) {
		buf_str(out, i ? "," : ",\"tools\":[");
		openai_put_tool(out, &request->tools[i]);
	}
	buf_str(out, request->n_tools ? "]}" : "}");
}

static void openai_write_key(struct buf *out, const char *key)
{
	buf_str(out, "Authorization: Bearer ");
	buf_str(out, key);
}

/* ---- answer ---- */

/* Whether a call without a number and an id is not the last one. */
static bool openai_is_next(const struct completion *r, const struct json *call)
{
	const struct json *name = json_get(json_get(call, "function"), "name");
	const struct completion_call *last =
	    r->n_calls ? &r->calls[r->n_calls - 1] : NULL;

	return last && !last->id && last->name && json_is(name, JSON_STRING) &&
	       !json_str_is(name, "");
}

/*
 * The number of a call. Some servers leave it out, or number all calls 0, and
 * send each of them whole: then a new id is a new call. Without ids as well, a
 * name begins a new one. A number that is new is a new call even if its id is
 * not.
 */
static int64_t openai_key(const struct completion *r, const struct json *call)
{
	const struct json *id = json_get(call, "id");
	int64_t last = r->n_calls ? r->calls[r->n_calls - 1].key : -1;
	int64_t key = last < 0 ? 0 : last;
	bool is_numbered = json_int(json_get(call, "index"), &key);

	if (is_numbered && key > last)
		return key;
	if (!json_is(id, JSON_STRING) || json_str_is(id, ""))
		return !is_numbered && openai_is_next(r, call) ? last + 1 : key;
	for (size_t i = 0; i < r->n_calls; i++) {
		const struct completion_call *c = &r->calls[i];
		if (c->id && json_str_is(id, c->id))
			return c->key;
		if (c->key == key && c->id)
			return last + 1;
	}
	return is_numbered ? key : last + 1;
}

static void openai_take_call(struct completion *r, const struct json *call)
{
	const struct json *function = json_get(call, "function");
	struct completion_call *c = completion_call(r, openai_key(r, call));

	if (!c)
		return;
	completion_call_name(
	    c, json_get(call, "id"), json_get(function, "name"));
	/* Some servers send the object itself. */
	completion_add_args(r, c, json_get(function, "arguments"));
	completion_call_extra(r, c, json_get(call, "extra_content"));
}

/* "delta" in a stream, "message" in a whole answer. */
static void openai_take_message(
    struct completion *r, const struct json *message)
{
	const struct json *calls = json_get(message, "tool_calls");

	completion_add_thinking(r, json_get(message, "reasoning_content"));
	completion_add_thinking(r, json_get(message, "reasoning"));
	completion_add_text(r, json_get(message, "content"));
	completion_add_text(r, json_get(message, "refusal"));
	if (json_is(calls, JSON_ARRAY))
		for (const struct json *c = json_first(calls); c;
		     c = json_next(c))
			openai_take_call(r, c);
}

static void openai_take_usage(struct completion *r, const struct json *usage)
{
	if (!json_is(usage, JSON_OBJECT))
		return;
	r->has_usage = completion_count(&r->input_tokens,
			   json_get(usage, "prompt_tokens")) &&
		       completion_count(&r->output_tokens,
			   json_get(usage, "completion_tokens"));
	(void)completion_count(&r->cached_tokens,
	    json_get(
		json_get(usage, "prompt_tokens_details"), "cached_tokens"));
	if (r->cached_tokens > r->input_tokens)
		r->cached_tokens = r->input_tokens;
}

static enum completion_status openai_status(const struct json *reason)
{
	if (json_str_is(reason, "length"))
		return COMPLETION_FULL;
	if (json_str_is(reason, "content_filter"))
		return COMPLETION_REFUSED;
	return COMPLETION_COMPLETE;
}

/* Returns false if the object is an error. */
static bool openai_take_object(
    struct completion *r, const struct json *o, const char *member)
{
	const struct json *error = json_get(o, "error");
	const struct json *choice = json_first(json_get(o, "choices"));
	const struct json *reason = json_get(choice, "finish_reason");

	if (error && !json_is(error, JSON_NULL)) {
		fault_error(r, 200, o);
		return false;
	}
	openai_take_usage(r, json_get(o, "usage"));
	openai_take_message(r, json_get(choice, member));
	if (json_is(reason, JSON_STRING))
		completion_finish(r, openai_status(reason));
	return r->status != COMPLETION_FAILED;
}

/* The usage comes behind the finish reason, and [DONE] behind that. */
static bool openai_take(
    struct completion *r, const char *name, const char *data, size_t len)
{
	(void)name;
	if (len == strlen("[DONE]") && memcmp(data, "[DONE]", len) == 0)
		return false;
	const struct json *o = fault_parse(r, data, len);
	return o && openai_take_object(r, o, "delta");
}

static void openai_take_whole(
    struct completion *r, const char *body, size_t len)
{
	const struct json *o = fault_parse(r, body, len);

	if (o && openai_take_object(r, o, "message") &&
	    r->status == COMPLETION_UNFINISHED &&
	    json_first(json_get(o, "choices")))
		completion_finish(r, COMPLETION_COMPLETE);
}

const struct model_codec openai_codec = {
    .name = "openai",
    .path = "/chat/completions",
    .write = openai_write,
    .write_key = openai_write_key,
    .take = openai_take,
    .take_whole = openai_take_whole,
};
