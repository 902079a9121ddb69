/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MODEL_COMPLETION_H
#define MODEL_COMPLETION_H

/*
 * The answer of a language model as it comes: text, reasoning, calls of tools,
 * and what it cost. A codec (model/codec.h) fills it in; nothing here knows the
 * form of a provider.
 *
 * Text only grows while the answer comes: a reader that remembers how much it
 * has seen finds what is new behind it.
 *
 * The struct lives in its owner's memory: {0}, filled in, completion_fini().
 */
#include "base/buf.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The maximum number of calls in one answer. */
#define COMPLETION_MAX_CALLS 64

/* The maximum size of an answer, all its texts together. */
#define COMPLETION_MAX_BYTES ((size_t)8 << 20)

/* The maximum number of tokens that is believed. */
#define COMPLETION_MAX_TOKENS 1000000000

/* A call of a tool that the model asks for. */
struct completion_call {
	char *id;	 /* unique in the answer */
	char *name;	 /* "" until it is known */
	struct buf args; /* JSON, or whatever the model wrote in its place */
	/*
	 * A JSON object that the provider wants back with the call, for
	 * instance signatures of Gemini's reasoning; empty: none.
	 */
	struct buf extra;
	int64_t key; /* the provider's number of it */
};

enum completion_status {
	COMPLETION_UNFINISHED,
	COMPLETION_COMPLETE, /* the model came to an end */
	COMPLETION_FULL,     /* cut by the model's limit of output */
	COMPLETION_REFUSED,  /* the provider withheld it (content filter) */
	COMPLETION_FAILED,   /* error says why */
};

struct completion {
	enum completion_status status;
	struct buf text;
	struct buf thinking; /* reasoning that the provider shows */
	struct completion_call calls[COMPLETION_MAX_CALLS];
	size_t n_calls;
	/* As the provider counts; 0 without has_usage. */
	bool has_usage;
	int64_t input_tokens;  /* with those from its cache */
	int64_t cached_tokens; /* of the input */
	int64_t output_tokens;
	/* For COMPLETION_FAILED. */
	char *error;	      /* one line for operators, quoted and cut */
	bool is_transient;    /* the same request may succeed later */
	bool is_context_full; /* the conversation is too long for the model */
	/* Private to codecs. */
	struct json_doc doc;
	struct buf repaired; /* text of doc whose UTF-8 was invalid */
	size_t n_bytes;
	unsigned n_generated; /* ids made here */
};

/*
 * Read a number of tokens. A server may send any number: one that would spoil
 * the sums of a turn becomes 0, or the maximum. Returns false if v is none.
 */
bool completion_count(int64_t *out, const struct json *v);

/* Append a piece of text: a string, of which any other value has none. */
void completion_add_text(struct completion *r, const struct json *piece);

/* Append a piece of reasoning, in the same way. */
void completion_add_thinking(struct completion *r, const struct json *piece);

/*
 * Returns the call with this number, begun if there is none; NULL, with the
 * completion failed, if there are too many.
 */
struct completion_call *completion_call(struct completion *r, int64_t key);

/* Set what is not set yet; what is no text leaves it. */
void completion_call_name(
    struct completion_call *c, const struct json *id, const struct json *name);

/* Append a piece of its arguments, a string, or all of them, an object. */
void completion_add_args(
    struct completion *r, struct completion_call *c, const struct json *args);

/*
 * Set what the provider wants back with it, unless that is set. What is no
 * object is ignored.
 */
void completion_call_extra(
    struct completion *r, struct completion_call *c, const struct json *object);

/*
 * The end of the model's output. Gives ids to calls that have none. Does
 * nothing if the completion has failed.
 */
void completion_finish(struct completion *r, enum completion_status status);

/* Fail it; the first failure stays. detail is cut and made one line. */
void completion_fail(struct completion *r, bool is_transient, const char *what,
    const char *detail, size_t len);

/* Free everything; *r is then {0} again. */
void completion_fini(struct completion *r);

#endif
