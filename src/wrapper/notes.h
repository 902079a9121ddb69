/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_NOTES_H
#define WRAPPER_NOTES_H

/*
 * What a dialect has to remember of a turn, to make whole events of co-agent(7):
 * the names of tools that are running, so that each tool_call has its
 * tool_result, and the answer so far.
 */
#include "base/buf.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dialect;
struct json;

/* The maximum size of the result of a tool in an event; more is cut off. */
#define NOTES_MAX_RESULT ((size_t)64 * 1024)

/* The maximum size of any other text in an event. */
#define NOTES_MAX_TEXT ((size_t)128 * 1024)

/* Larger arguments of a tool are left out of events, and their size told. */
#define NOTES_MAX_ARGS ((size_t)512 * 1024)

/* The maximum number of tools that run; of a further one no end is awaited. */
#define NOTES_MAX_TOOLS 64

struct notes {
	struct note_tool {
		char *id;
		char *name;
	} tools[NOTES_MAX_TOOLS];
	size_t n_tools;
	struct buf answer; /* the last text of the agent */
	int64_t input_tokens, output_tokens;
	double cost; /* dollars */
	bool has_usage;
};

/* Free the memory. */
void notes_fini(struct notes *n);

/* Append a text of JSON, un-escaped. Returns whether v is a text. */
bool notes_text(struct buf *out, const struct json *v);

/*
 * Report what the agent says or thinks; "" is skipped, and a long text becomes
 * several events.
 */
void notes_say(struct notes *n, struct dialect *d, const char *type,
    const struct buf *text);

/*
 * Report the begin of a tool, once for its id. args is JSON, an object; absent:
 * {}.
 */
void notes_call(struct notes *n, struct dialect *d, struct span id,
    struct span name, struct span args);

/* Report its end, if it has begun. */
void notes_result(struct notes *n, struct dialect *d, struct span id,
    bool is_success, const struct buf *result);

/* Ask whether a tool may be used. */
void notes_approval(struct notes *n, struct dialect *d, struct span name,
    struct span args, struct span description);

/*
 * Ask a question: a text, and an array of objects with a "label" to choose
 * from; is_multiple: more than one may be chosen.
 */
void notes_question(struct notes *n, struct dialect *d,
    const struct json *question, const struct json *options, bool is_multiple);

/* End the turn: tools that are open, then usage, then the answer or error. */
void notes_end(
    struct notes *n, struct dialect *d, bool is_success, const char *text);

/* The exact JSON of a value; absent if it is NULL. */
struct span notes_json(const struct json *v);

/* A text as a span, with what needs un-escaping in scratch. */
struct span notes_span(struct buf *scratch, const struct json *v);

#endif
