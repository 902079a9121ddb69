/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "model/fault.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"
#include "model/completion.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool is_transient(long status)
{
	return status == 408 || status == 409 || status == 425 ||
	       status == 429 || status >= 500;
}

/* ---- parsing ---- */

static bool is_utf8(const char *s, size_t len)
{
	size_t n;

	for (size_t i = 0; i < len; i += n)
		if ((n = utf8_len(s + i, len - i)) == 0)
			return false;
	return true;
}

static void put_repaired(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(s + i, len - i);
		buf_append(out, n ? s + i : "\xef\xbf\xbd", n ? n : 3);
		i += n ? n : 1;
	}
}

const struct json *fault_parse(
    struct completion *r, const char *text, size_t len)
{
	struct json_error error = {.message = "it is not an object"};
	const struct json *o;

	/* The nodes refer to the text, which lives in the completion for them. */
	buf_reset(&r->repaired);
	if (!is_utf8(text, len)) {
		put_repaired(&r->repaired, text, len);
		text = r->repaired.data;
		len = r->repaired.len;
	}
	o = json_parse(&r->doc, text, len, 0, &error);
	if (json_is(o, JSON_OBJECT))
		return o;
	completion_fail(
	    r, true, "the provider sent what is no JSON object", text, len);
	return NULL;
}

/* ---- errors ---- */

/* Words with which providers say that the conversation is too long. */
static const char *const full[] = {
    "context_length_exceeded",
    "context length",
    "context window",
    "maximum context",
    "prompt is too long",
    "too many tokens",
    "exceeds the available context size",
};

static bool is_context_full(const char *text, size_t len)
{
	struct buf copy = {0};
	bool is_full = false;

	buf_append(&copy, text, len);
	for (size_t i = 0; i < sizeof full / sizeof *full; i++)
		is_full |= strcasestr(buf_cstr(&copy), full[i]) != NULL;
	buf_fini(&copy);
	return is_full;
}

static long status_of(const struct json *error, long status)
{
	int64_t code;

	if (status != 200)
		return status;
	if (json_int(json_get(error, "code"), &code) && code >= 400 &&
	    code < 600)
		return (long)code;
	/* Anthropic's words; OpenAI's "server_error". */
	if (json_str_is(json_get(error, "type"), "overloaded_error") ||
	    json_str_is(json_get(error, "type"), "api_error") ||
	    json_str_is(json_get(error, "type"), "server_error"))
		return 500;
	if (json_str_is(json_get(error, "type"), "rate_limit_error"))
		return 429;
	return status;
}

void fault_error(struct completion *r, long status, const struct json *object)
{
	const struct json *error = json_get(object, "error");
	const struct json *message =
	    json_is(error, JSON_STRING) ? error : json_get(error, "message");
	struct buf scratch = {0};
	size_t len, whole_len;
	const char *text = json_str(message, &scratch, &len);
	const char *whole = json_text(object, &whole_len);
	char what[64];

	status = status_of(error, status);
	(void)snprintf(what, sizeof what,
	    status == 200 ? "the provider reported an error"
			  : "the provider answered %ld",
	    status);
	r->is_context_full =
	    r->status != COMPLETION_FAILED && is_context_full(whole, whole_len);
	completion_fail(r, is_transient(status) && !r->is_context_full, what,
	    text ? text : whole, text ? len : whole_len);
	buf_fini(&scratch);
}

void fault_refused(
    struct completion *r, long status, const char *body, size_t len)
{
	struct json_doc doc = {0};
	struct json_error error;
	const struct json *o = json_parse(&doc, body, len, 0, &error);
	char what[64];

	/* Gemini's compatible endpoint puts the object into an array. */
	if (json_is(o, JSON_ARRAY))
		o = json_first(o);
	if (json_get(o, "error")) {
		fault_error(r, status, o);
	} else {
		(void)snprintf(
		    what, sizeof what, "the provider answered %ld", status);
		r->is_context_full = r->status != COMPLETION_FAILED &&
				     is_context_full(body, len);
		completion_fail(r, is_transient(status), what, body, len);
	}
	json_fini(&doc);
}

void fault_end(struct completion *r)
{
	bool is_empty = !r->text.len && !r->thinking.len && !r->n_calls;

	if (r->status == COMPLETION_UNFINISHED)
		completion_fail(r, true,
		    is_empty ? "the provider sent an empty answer"
			     : "the provider's answer was cut",
		    "", 0);
}
