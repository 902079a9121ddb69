/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NATIVE_TASK_H
#define NATIVE_TASK_H

/*
 * A task is what the server has started a process of an agent in C for: a turn,
 * or a direct call of a tool. It has parts: run() is one, and each call of a
 * tool is another, with a result of its own. A part is what the agent knows as
 * struct co_turn.
 *
 * A process has one task and then exits.
 */
#include "native/inbox.h"
#include "native/object.h"
#include "native/outlet.h"

#include <co_agent.h>

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct json;
struct kept;

/* Lives in its owner, until the process exits. */
struct task {
	const struct object *object;
	const struct co_host *host; /* what its parts are given */
	struct inbox inbox;
	struct outlet outlet;
	pthread_mutex_t lock;	/* of what follows, and of the parts' texts */
	pthread_mutex_t asking; /* held while a question is open */
	struct kept *kept;	/* memory that lives as long */
	char *session;		/* for the next turn; NULL: the server's */
	size_t session_len;
	unsigned n_calls; /* of tools */
	bool is_direct;	  /* a direct call of a tool */
	bool may_ask;	  /* the caller of it passes questions on */
};

/* The agent has a pointer to the first member. */
struct part {
	struct co_turn turn;
	struct task *task;
	char *answer; /* in the memory of the task; NULL: none yet */
	size_t answer_len;
	char *fault; /* why it failed; NULL: it did not say */
	size_t fault_len;
};

/* Initialise *t: the server writes to in and reads from out. */
void task_init(struct task *t, const struct co_host *host, int in, int out);

/* Returns the part behind the agent's pointer. */
struct part *task_part(struct co_turn *turn);

/* Returns n bytes that live as long as the task. */
void *task_alloc(struct task *t, size_t n);

/* Returns a copy of len bytes, with a NUL behind it, that lives so long. */
char *task_copy(struct task *t, const char *text, size_t len);

/*
 * Returns the value of a JSON text, which must live as long as the task, or
 * NULL. The value lives so long.
 */
const struct json *task_parse(struct task *t, const char *json, size_t len);

/*
 * Send an event: name, and the text of a JSON object or NULL. Returns
 * CO_TURN_OK, or CO_TURN_INVALID after a line in the agent log.
 */
int task_emit(struct task *t, const char *name, const char *members);

/* Write a line to the agent log. */
void task_log(struct task *t, const char *text, size_t len);

/* Tell the agent's author, in the agent log, what is wrong with a call. */
int task_refuse(struct task *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Set the result of a part. Returns CO_TURN_OK. */
int task_answer(struct part *p, const char *text, size_t len);

/* Set why a part failed. Returns CO_TURN_FAILED. */
int task_fail(struct part *p, const char *text, size_t len);

/* Set the session for the next turn, a JSON object. Returns CO_TURN_OK. */
int task_set_session(struct task *t, const char *json, size_t len);

/*
 * Wait for the task and run it with this object. Returns false if the server has
 * none: it closed its end.
 */
bool task_run(struct task *t, const struct object *object);

/* Run a tool as a part of the task. Returns what its function returned. */
int task_call(const struct part *caller, const struct co_tool *tool,
    const struct json *args, struct part *call);

#endif
