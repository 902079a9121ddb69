/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WRAPPER_DIALECT_H
#define WRAPPER_DIALECT_H

/*
 * A dialect is the protocol of lines of JSON that the program of an agent
 * speaks, translated to the events and answers of co-agent(7). No I/O: lines
 * come by take(), and what is to be written is in 'out', which the user empties.
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct dialect;
struct json;
struct span;

/* What a dialect reports. None may call it back. */
struct dialect_handlers {
	/* An event of co-agent(7), one JSON object. */
	void (*on_event)(void *arg, const char *json, size_t len);
	/*
	 * The turn is over: with an answer, or with what went wrong. The text
	 * is NUL-terminated and valid inside the call only.
	 */
	void (*on_end)(void *arg, bool is_success, const char *text);
	/*
	 * The program cannot begin, for the reason in the text, and takes no
	 * prompt any more: it has to be ended. on_end does not follow.
	 */
	void (*on_failure)(void *arg, const char *text);
};

struct dialect_ops {
	/* Write what comes before all prompts. dir is where the agent works. */
	void (*start)(struct dialect *d, const char *dir);
	/* Begin a turn; none runs. It is kept until the program is ready. */
	void (*prompt)(struct dialect *d, const char *text, size_t len);
	/* A line of the program, an object. */
	void (*take)(struct dialect *d, const struct json *line);
	/* An answer of co-agent(7); ignored if nothing was asked. */
	void (*answer)(struct dialect *d, const struct json *line);
	/* Stop the turn. Returns false if there is no way to ask for it. */
	bool (*interrupt)(struct dialect *d);
	void (*free)(struct dialect *d);
};

/* The head of every dialect. */
struct dialect {
	const struct dialect_ops *ops;
	const struct dialect_handlers *handlers; /* of its user, like arg */
	void *arg;
	struct buf out;
};

/* The dialects: each call creates one, that of a program that was started. */
struct dialect *claude_new(void);
struct dialect *codex_new(void);
struct dialect *acp_new(void);

#endif
