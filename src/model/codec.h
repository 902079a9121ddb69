/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MODEL_CODEC_H
#define MODEL_CODEC_H

/*
 * The form in which a provider of language models is spoken to. A codec writes
 * a request and reads the answer, whole or as a stream of events, into a struct
 * completion (model/completion.h). It does no input or output.
 *
 * A conversation is in one form everywhere, that of OpenAI's chat completions
 * (role, content, tool_calls, tool_call_id), which is also what the protocol
 * keeps in session.messages; other codecs translate it.
 */
#include "base/buf.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;
struct completion;

/* A tool that is offered to the model. */
struct model_tool {
	const char *name;
	const char *description;
	const char *schema; /* of its arguments: a JSON object */
};

/* A request. Everything is borrowed for the call. */
struct model_request {
	const char *model;
	const char *system;	     /* NULL: none */
	const struct json *messages; /* an array, as model/history.h makes it */
	const struct model_tool *tools;
	size_t n_tools;
	double temperature; /* negative: the provider's preset */
	int64_t max_tokens; /* of the answer; 0: the provider's preset */
	/* OpenAI has another name for it, which others do not know. */
	bool has_max_completion_tokens;
	bool is_streamed;
};

struct model_codec {
	const char *name; /* "openai", "anthropic" */
	const char *path; /* behind base_url: "/chat/completions" */
	/* Append the body of a request. */
	void (*write)(struct buf *out, const struct model_request *request);
	/* Append a header with the key, "Name: value". */
	void (*write_key)(struct buf *out, const char *key);
	const char *const *headers; /* others, NULL at the end */
	/*
	 * Take an event of a stream (base/sse.h). Returns false when nothing of interest
	 * follows: the completion is finished, or has failed.
	 */
	bool (*take)(struct completion *r, const char *name, const char *data,
	    size_t len);
	/* Take a whole answer, or an error, in one JSON object. */
	void (*take_whole)(struct completion *r, const char *body, size_t len);
};

extern const struct model_codec openai_codec;
extern const struct model_codec anthropic_codec;

/* Returns the codec of this name, or NULL. */
const struct model_codec *codec_find(const char *name);

#endif
