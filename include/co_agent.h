/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CO_AGENT_H
#define CO_AGENT_H

/*
 * Write an AI agent in C and let co-hostd host it:
 *
 *	#include <co_agent.h>
 *
 *	static int run(struct co_turn *turn)
 *	{
 *		return co_turn_answer(turn, "You said: %s", turn->prompt);
 *	}
 *
 *	static const struct co_agent agent = {
 *	    CO_AGENT_INIT, .name = "echo", .run = run};
 *
 *	const struct co_agent *create_agent(const struct co_host *host)
 *	{
 *		(void)host;
 *		return &agent;
 *	}
 *
 *	cc -shared -fPIC -o echo.so echo.c
 *	co-hostd -a c:echo.so
 *
 * An agent is a shared object that exports create_agent(). It needs this header
 * and no library: what it calls comes with the turn. co_agent(3) has examples.
 *
 * Life: a process loads the object and calls create_agent() once. It runs one
 * turn, an input of a user and its processing, by run(), or one direct call of
 * a tool; then it exits, by exit(3). The process may be started, and the agent
 * created, long before there is a turn (agent_pool), and for a description of
 * the agent. So what the object keeps in its variables is new in each turn; what
 * is to last belongs into the session (co_turn_set_session()) or into files.
 *
 * A crash, exit(3), abort(3), too much memory or a turn that takes too long
 * therefore fails one turn, and no other notices. The process runs in the
 * project directory, with the limits and as the user that host.yaml(5) names;
 * all processes that it leaves behind are ended with it. Its standard output and
 * standard error are the agent log, and its standard input is empty.
 *
 * Threads: run() and the functions of tools are called on the main thread. The
 * calls below may be made on any thread until run() returns, also at the same
 * time; a process that the agent forks must make none. They block where they say
 * so, and where the server makes a fast agent wait.
 *
 * Texts are UTF-8; bytes that are not become U+FFFD. Texts and values that the
 * calls return belong to the turn, and are valid until it ends. Those that they
 * are given are copied.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CO_AGENT_EXPORT __attribute__((visibility("default")))
#define CO_AGENT_PRINTF __attribute__((__format__(__printf__, 2, 3)))
#else
#define CO_AGENT_EXPORT
#define CO_AGENT_PRINTF
#endif

/*
 * The interface. It changes only where an object must be compiled again; such an
 * object is refused with these words. What is new is put behind what is there,
 * so that older objects go on working.
 */
#define CO_AGENT_ABI 1

/* What functions of the agent return, and the calls below. */
#define CO_TURN_OK 0
#define CO_TURN_FAILED (-1)	 /* the text says why */
#define CO_TURN_INTERRUPTED (-2) /* the user wants the turn to stop: return */
#define CO_TURN_REJECTED (-3)	 /* the user does not approve */
#define CO_TURN_INVALID (-4) /* a wrong argument; the agent log says which */

/* A value in a JSON text. NULL stands for one that is not there. */
struct co_json;

struct co_turn;
struct co_host;

/*
 * A function of a tool. args is the object of its arguments, of which nothing
 * has been checked. The turn is that of the call: co_turn_answer() is the
 * result of the tool and co_turn_fail() its error.
 */
typedef int co_tool_function(struct co_turn *turn, const struct co_json *args);

/* The user is asked for approval before co_turn_call() runs the tool. */
#define CO_TOOL_ASKS 1u

/* For a model that calls the tool: running it twice does no harm. */
#define CO_TOOL_IDEMPOTENT 2u

/* For a model: it changes nothing, so it may run in the mode read-only. */
#define CO_TOOL_READ_ONLY 4u

/* A tool. Its memory must stay as long as the process. */
struct co_tool {
	const char *name;	 /* 1 to 64 of A-Z a-z 0-9 _ - */
	const char *description; /* for a model, and for people */
	const char *schema;	 /* JSON Schema of the arguments: an object */
	co_tool_function *call;
	unsigned flags; /* CO_TOOL_..., or 0 */
};

/* The maximum number of tools. */
#define CO_AGENT_MAX_TOOLS 256

/* The first members of an agent. */
#define CO_AGENT_INIT                                                   \
	.abi = CO_AGENT_ABI, .size = (uint32_t)sizeof(struct co_agent), \
	.tool_size = (uint32_t)sizeof(struct co_tool)

/* An agent. Its memory must stay as long as the process. */
struct co_agent {
	uint32_t abi; /* these three by CO_AGENT_INIT */
	uint32_t size;
	uint32_t tool_size;
	const char *name;	   /* shown to users, 1 to 200 bytes */
	const char *model;	   /* NULL: "c" */
	const char *system_prompt; /* NULL: none */
	const struct co_tool *tools;
	size_t n_tools;
	/*
	 * Run a turn. CO_TURN_OK: its result is the last co_turn_answer(), or
	 * nothing. Any other number: it has failed; the last co_turn_fail()
	 * goes to the agent log and never to a client. NULL: the server runs
	 * the turns, with a model that calls the tools; the settings say which
	 * model, and it gets the system prompt (host.yaml(5), "A model").
	 */
	int (*run)(struct co_turn *turn);
	void *data; /* the agent's own, as turn->data */
};

/*
 * Exported by the object. Returns the agent; or NULL, after a line to standard
 * error that says why there is none: the server then does not start.
 */
CO_AGENT_EXPORT const struct co_agent *create_agent(const struct co_host *host);

/* A turn. The server makes it, and may add members. */
struct co_turn {
	const struct co_host *host;
	void *data; /* that of the agent */
	const char *session_id;
	int64_t number; /* in the conversation, from 1; 0: a call of a tool */
	const char *prompt;	      /* "" in a call of a tool */
	size_t prompt_len;	      /* in bytes; the prompt may contain NUL */
	const struct co_json *images; /* array of data URLs (strings) */
	const struct co_json *files;  /* array of {name, path, size}, saved */
	/* The conversation: {"messages": [{"role", "content"}, ...]}, or {}. */
	const struct co_json *session;
	int is_owner; /* a call of a tool: whether by the agent's owner */
};

/* An answer to co_turn_approve(). */
struct co_approval {
	const char *scope;    /* "once", "session", ...: what the user said */
	const char *mode;     /* of a rejection: "reject_hard", ...; or "" */
	const char *feedback; /* of a rejection: its reason, or "" */
};

/* A step of a plan. */
struct co_step {
	const char *content;
	const char *priority; /* "high", "medium" or "low"; NULL: "medium" */
	const char *status;   /* "pending", "in_progress" or "completed" */
};

enum co_json_type {
	CO_JSON_NULL,
	CO_JSON_BOOL,
	CO_JSON_NUMBER,
	CO_JSON_STRING,
	CO_JSON_ARRAY,
	CO_JSON_OBJECT
};

/*
 * The functions of the server. Agents need not look at them: the calls below
 * say what they do.
 */
struct co_host {
	uint32_t abi;
	uint32_t size;
	int (*answer)(struct co_turn *, const char *, size_t);
	int (*fail)(struct co_turn *, const char *, size_t);
	int (*set_session)(struct co_turn *, const char *);
	int (*emit)(struct co_turn *, const char *, const char *);
	int (*say)(struct co_turn *, const char *, const char *, size_t);
	int (*log)(struct co_turn *, const char *, size_t);
	int (*plan)(struct co_turn *, const struct co_step *, size_t);
	int (*call)(
	    struct co_turn *, const char *, const char *, const char **);
	int (*ask)(struct co_turn *, const char *, const char *const *, int,
	    const char **);
	int (*approve)(struct co_turn *, const char *, const char *,
	    const char *, struct co_approval *);
	int (*review)(struct co_turn *, const char *, const char **);
	int (*is_interrupted)(struct co_turn *);
	int (*wait)(struct co_turn *, int64_t);
	const char *(*next_input)(struct co_turn *);
	int (*fd)(struct co_turn *);
	char *(*format)(struct co_turn *, size_t *, const char *, va_list);
	const char *(*quote)(struct co_turn *, const char *, size_t);
	const struct co_json *(*parse)(struct co_turn *, const char *, size_t);
	const struct co_json *(*member)(const struct co_json *, const char *);
	const struct co_json *(*first)(const struct co_json *);
	const struct co_json *(*next)(const struct co_json *);
	enum co_json_type (*type)(const struct co_json *);
	const char *(*text)(struct co_turn *, const struct co_json *, size_t *);
	const char *(*source)(
	    struct co_turn *, const struct co_json *, size_t *);
	int (*number)(const struct co_json *, double *);
	int (*integer)(const struct co_json *, int64_t *);
};

/* ---- the end of a turn, or of a call of a tool ---- */

/*
 * Set the result, as printf() would write it. Of several the last one counts.
 * Returns CO_TURN_OK, so that a function can return the result. The result of a
 * turn, as JSON, and each event may have agent_line bytes (host.yaml(5)).
 */
CO_AGENT_PRINTF
static inline int co_turn_answer(struct co_turn *turn, const char *format, ...)
{
	va_list list;
	size_t len;
	const char *text;

	va_start(list, format);
	text = turn->host->format(turn, &len, format, list);
	va_end(list);
	return turn->host->answer(turn, text, len);
}

/* The same with text that is not a format: len bytes. */
static inline int co_turn_answer_text(
    struct co_turn *turn, const char *text, size_t len)
{
	return turn->host->answer(turn, text, len);
}

/*
 * Set the reason of a failure, as printf() would write it. Returns
 * CO_TURN_FAILED, so that a function can return the result.
 */
CO_AGENT_PRINTF
static inline int co_turn_fail(struct co_turn *turn, const char *format, ...)
{
	va_list list;
	size_t len;
	const char *text;

	va_start(list, format);
	text = turn->host->format(turn, &len, format, list);
	va_end(list);
	return turn->host->fail(turn, text, len);
}

/*
 * Set the conversation as the next turn shall get it: a JSON object with at
 * least "messages". Without it, the server appends the prompt and the result to
 * the messages. Returns CO_TURN_OK, or CO_TURN_INVALID (no JSON object).
 */
static inline int co_turn_set_session(struct co_turn *turn, const char *json)
{
	return turn->host->set_session(turn, json);
}

/* ---- what clients see while the turn runs ---- */

/*
 * Send an event with this name; members is a JSON object, NULL for {}. Names
 * and members are those of co-agent(7), "Events"; other names are the agent's
 * own. Returns CO_TURN_OK, or CO_TURN_INVALID with nothing sent. Text in members
 * must be quoted by co_turn_quote(). In a direct call of a tool there is nobody
 * to see events: they are dropped.
 */
static inline int co_turn_emit(
    struct co_turn *turn, const char *name, const char *members)
{
	return turn->host->emit(turn, name, members);
}

/* Send an event assistant: text for the user, as printf() would write it. */
CO_AGENT_PRINTF
static inline int co_turn_assistant(
    struct co_turn *turn, const char *format, ...)
{
	va_list list;
	size_t len;
	const char *text;

	va_start(list, format);
	text = turn->host->format(turn, &len, format, list);
	va_end(list);
	return turn->host->say(turn, "assistant", text, len);
}

/* Send an event thinking: what the agent reasons. */
CO_AGENT_PRINTF
static inline int co_turn_thinking(
    struct co_turn *turn, const char *format, ...)
{
	va_list list;
	size_t len;
	const char *text;

	va_start(list, format);
	text = turn->host->format(turn, &len, format, list);
	va_end(list);
	return turn->host->say(turn, "thinking", text, len);
}

/* Write a line to the agent log, as printf() would write it. */
CO_AGENT_PRINTF
static inline int co_turn_log(struct co_turn *turn, const char *format, ...)
{
	va_list list;
	size_t len;
	const char *text;

	va_start(list, format);
	text = turn->host->format(turn, &len, format, list);
	va_end(list);
	return turn->host->log(turn, text, len);
}

/* Send an event plan with n steps: the plan as it is now. */
static inline int co_turn_plan(
    struct co_turn *turn, const struct co_step *steps, size_t n)
{
	return turn->host->plan(turn, steps, n);
}

/* ---- tools ---- */

/*
 * Call a tool of this agent, between an event tool_call and its tool_result.
 * args is a JSON object, NULL for {}. If the tool has CO_TOOL_ASKS, the user is
 * asked first. *result is then its result or its error, as a model should see
 * it. Returns
 *
 *	CO_TURN_OK		it has succeeded
 *	CO_TURN_FAILED		it has failed, or the arguments are no object
 *	CO_TURN_INVALID		there is no such tool
 *	CO_TURN_REJECTED	the user does not approve
 *	CO_TURN_INTERRUPTED	the turn is to stop; the tool may have run
 */
static inline int co_turn_call(struct co_turn *turn, const char *tool,
    const char *args, const char **result)
{
	return turn->host->call(turn, tool, args, result);
}

/* ---- the user ---- */

/*
 * Ask the user and wait for the answer, which may come much later and from
 * another client. options ends with NULL, or is NULL: any text. Several threads
 * ask one after another. *answer is the text of the answer, several being joined
 * by ", ". Returns CO_TURN_OK; CO_TURN_INTERRUPTED; or CO_TURN_FAILED in a
 * direct call of a tool, where there is nobody to answer. *answer is then "".
 */
static inline int co_turn_ask(struct co_turn *turn, const char *question,
    const char *const *options, const char **answer)
{
	return turn->host->ask(turn, question, options, 0, answer);
}

/* The same for a question of which several options may be chosen. */
static inline int co_turn_ask_several(struct co_turn *turn,
    const char *question, const char *const *options, const char **answer)
{
	return turn->host->ask(turn, question, options, 1, answer);
}

/*
 * Ask the user whether a tool may be used, and wait for the answer. args is a
 * JSON object or NULL, description is for people, or NULL. The permissions of
 * host.yaml(5) may answer at once. approval may be NULL. Returns CO_TURN_OK
 * (approved), CO_TURN_REJECTED, CO_TURN_INTERRUPTED, CO_TURN_INVALID (args are
 * no object), or CO_TURN_FAILED as co_turn_ask(). co_turn_call() does this for
 * tools with CO_TOOL_ASKS.
 */
static inline int co_turn_approve(struct co_turn *turn, const char *tool,
    const char *args, const char *description, struct co_approval *approval)
{
	return turn->host->approve(turn, tool, args, description, approval);
}

/*
 * Show a plan, in Markdown, and wait for what the user says of it: *message.
 * Returns as co_turn_ask().
 */
static inline int co_turn_review_plan(
    struct co_turn *turn, const char *plan, const char **message)
{
	return turn->host->review(turn, plan, message);
}

/*
 * Whether the user wants the turn to stop: 1 or 0. The function should then
 * return soon, with CO_TURN_INTERRUPTED or with the result so far; the process
 * is killed after interrupt_grace (host.yaml(5)). Cheap enough for each step of
 * a loop, and for the progress function of a library.
 */
static inline int co_turn_is_interrupted(struct co_turn *turn)
{
	return turn->host->is_interrupted(turn);
}

/*
 * Wait until further input comes, the turn is interrupted or the time is over
 * (-1: never). Returns CO_TURN_OK or CO_TURN_INTERRUPTED; the latter also if the
 * server is gone.
 */
static inline int co_turn_wait(struct co_turn *turn, int64_t timeout_ms)
{
	return turn->host->wait(turn, timeout_ms);
}

/*
 * Take the next prompt that the user has sent since the turn began, or NULL. It
 * is part of the turn from now on. Prompts that are not taken begin turns of
 * their own.
 */
static inline const char *co_turn_next_input(struct co_turn *turn)
{
	return turn->host->next_input(turn);
}

/*
 * Returns a descriptor for poll(2), beside those of the agent: when it is
 * readable, call co_turn_is_interrupted() and co_turn_next_input(). Do not read
 * or close it.
 */
static inline int co_turn_fd(struct co_turn *turn)
{
	return turn->host->fd(turn);
}

/* ---- JSON ---- */

/* Returns text as a JSON string, with its quotes; NULL becomes null. */
static inline const char *co_turn_quote(struct co_turn *turn, const char *text)
{
	const char *at = text;

	while (at && *at)
		at++;
	return turn->host->quote(turn, text, text ? (size_t)(at - text) : 0);
}

/* Returns what printf() would write, in memory of the turn. */
CO_AGENT_PRINTF
static inline const char *co_turn_format(
    struct co_turn *turn, const char *format, ...)
{
	va_list list;
	size_t len;
	const char *text;

	va_start(list, format);
	text = turn->host->format(turn, &len, format, list);
	va_end(list);
	return text;
}

/* Parse len bytes of JSON. Returns the value, or NULL if they are not valid. */
static inline const struct co_json *co_turn_parse(
    struct co_turn *turn, const char *json, size_t len)
{
	return turn->host->parse(turn, json, len);
}

/* Returns the member of an object with this name, or NULL. */
static inline const struct co_json *co_turn_member(
    struct co_turn *turn, const struct co_json *object, const char *name)
{
	return turn->host->member(object, name);
}

/* Returns the first member of an array or object, or NULL. */
static inline const struct co_json *co_turn_first(
    struct co_turn *turn, const struct co_json *value)
{
	return turn->host->first(value);
}

/* Returns the member behind this one, or NULL. */
static inline const struct co_json *co_turn_next(
    struct co_turn *turn, const struct co_json *member)
{
	return turn->host->next(member);
}

/* Returns the type; CO_JSON_NULL for a value that is not there. */
static inline enum co_json_type co_turn_type(
    struct co_turn *turn, const struct co_json *value)
{
	return turn->host->type(value);
}

/*
 * Returns the text of a string, with a NUL behind it; an array's strings are
 * joined by ", ", and anything else is "". len may be NULL.
 */
static inline const char *co_turn_text(
    struct co_turn *turn, const struct co_json *value, size_t *len)
{
	return turn->host->text(turn, value, len);
}

/* Returns the value as JSON, with a NUL behind it. len may be NULL. */
static inline const char *co_turn_source(
    struct co_turn *turn, const struct co_json *value, size_t *len)
{
	return turn->host->source(turn, value, len);
}

/* Whether the member of an object is a number, which *out then is: 1 or 0. */
static inline int co_turn_number(struct co_turn *turn,
    const struct co_json *object, const char *name, double *out)
{
	return turn->host->number(turn->host->member(object, name), out);
}

/* The same for an integer of 64 bits, or true and false as 1 and 0. */
static inline int co_turn_integer(struct co_turn *turn,
    const struct co_json *object, const char *name, int64_t *out)
{
	return turn->host->integer(turn->host->member(object, name), out);
}

/* Returns the text of a string that is a member of an object, or NULL. */
static inline const char *co_turn_string(
    struct co_turn *turn, const struct co_json *object, const char *name)
{
	const struct co_json *value = turn->host->member(object, name);

	return turn->host->type(value) == CO_JSON_STRING
		   ? turn->host->text(turn, value, NULL)
		   : NULL;
}

#ifdef __cplusplus
}
#endif

#endif
