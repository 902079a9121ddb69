/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_TOOL_H
#define CORE_TOOL_H

/*
 * A tool is a function that a language model may call. A toolbox offers tools:
 * the built-in ones, commands of host.yaml, those of an MCP server. The agent
 * loop collects toolboxes and does not know which one it talks to.
 *
 * Life of a call: start -> [on_output ...] -> [on_question -> answer ...] ->
 * on_end, exactly once and never from inside start; or cancel, and nothing
 * follows. All of this happens on the loop's thread and may not block it. Whether
 * a call may run at all was decided before start (core/permit.h): a toolbox asks
 * nobody for approval.
 */
#include <stddef.h>
#include <stdint.h>

struct tool_run;
struct toolbox;

/* Running it twice does no harm: after a crash it may be run again. */
#define TOOL_IDEMPOTENT 1u

/* It changes nothing: it may run in the mode read-only. */
#define TOOL_READ_ONLY 2u

/* The maximum length of a name, and what it is made of: providers insist. */
#define TOOL_NAME_MAX 64
#define TOOL_NAME_CHARS              \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789_-"

/* The maximum size of a result; a longer one is cut by its toolbox, visibly. */
#define TOOL_RESULT_MAX ((size_t)256 << 10)

struct tool {
	const char *name;	 /* unique in the toolbox */
	const char *description; /* for the model */
	const char *schema;	 /* JSON Schema of its arguments: an object */
	unsigned flags;
};

/* A call. Borrowed for start(). */
struct tool_call {
	const struct tool *tool;
	const char *id; /* of the call, unique in the session */
	const char *session_id;
	const char *args; /* a JSON object; its members are not checked */
	size_t args_len;
};

enum tool_status {
	TOOL_SUCCESS,
	TOOL_ERROR, /* the result says what is wrong, for the model */
};

/* What a call tells its caller. The texts are borrowed for the callback. */
struct tool_call_ops {
	/* A piece of output while it runs, for people: any bytes. */
	void (*on_output)(void *arg, const char *text, size_t len);
	/*
	 * The call waits for answer(). body is that of an event ask_user:
	 * {"question","options","multi_select"}.
	 */
	void (*on_question)(void *arg, const char *body, size_t len);
	/*
	 * The call has ended and exists no more. The result is UTF-8 text of
	 * at most TOOL_RESULT_MAX bytes.
	 */
	void (*on_end)(
	    void *arg, enum tool_status status, const char *result, size_t len);
};

enum toolbox_load {
	TOOLBOX_LOADING, /* its tools are not known yet */
	TOOLBOX_LOADED,
	TOOLBOX_BROKEN, /* it has none at the moment; loading is retried */
};

struct toolbox_ops {
	/* Returns the state; a NULL pointer here: always loaded. */
	enum toolbox_load (*load)(const struct toolbox *b);
	/*
	 * Returns the i-th tool, from 0, or NULL behind the last one. Valid
	 * until the loop's next round.
	 */
	const struct tool *(*tool)(const struct toolbox *b, size_t i);
	/* Start a call. Never fails immediately: on_end tells of errors. */
	struct tool_run *(*start)(struct toolbox *b,
	    const struct tool_call *call, const struct tool_call_ops *ops,
	    void *arg);
	/*
	 * The answer to the last question, as the event answer has it: a JSON
	 * value. A NULL pointer here: its tools ask nothing.
	 */
	void (*answer)(struct tool_run *run, const char *answer, size_t len);
	/*
	 * End the call in any state, with all its processes, and set *run to
	 * NULL.
	 */
	void (*cancel)(struct tool_run **run);
	/* Close it, with all calls cancelled before, and set *b to NULL. */
	void (*close)(struct toolbox **b);
};

/* The first member of the struct of each kind of toolbox. */
struct toolbox {
	const struct toolbox_ops *ops;
};

#endif
