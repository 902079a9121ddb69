/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NATIVE_INBOX_H
#define NATIVE_INBOX_H

/*
 * The lines that the server writes to a process of an agent in C: the task, then
 * answers, further input and an interrupt. There is no thread of ours: the calls
 * below read what is there. One that waits reads for all others, and wakes
 * them. All calls but inbox_init() may be made on any thread.
 */
#include "base/line_queue.h"
#include "base/list.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The maximum number of further inputs that wait here. Those beyond are left to
 * the server, which begins turns with what was not taken up.
 */
#define INBOX_INPUTS_MAX 256

/* Lives in its owner. */
struct inbox {
	int fd;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool is_being_read; /* by a thread that waits for more */
	bool is_interrupted;
	bool is_closed; /* the server is gone */
	struct line_queue lines;
	char *task; /* the first line */
	size_t task_len;
	char *answer; /* the line that answers the open question */
	size_t answer_len;
	const char *wanted; /* its type; NULL: no question is open */
	struct list inputs;
	unsigned n_inputs;
};

/* A prompt that came while the turn runs. The taker frees it by free(). */
struct inbox_input {
	struct list link;
	const char *id; /* both NUL-terminated, in the same memory */
	const char *prompt;
};

/* Initialise *in, which reads from fd. */
void inbox_init(struct inbox *in, int fd);

/* Free the contents. A process that exits need not. */
void inbox_fini(struct inbox *in);

/*
 * Wait for the first line. Returns it, *len bytes that live as long as the
 * inbox, or NULL if the server needs no turn.
 */
const char *inbox_task(struct inbox *in, size_t *len);

/*
 * A question of this kind is about to be asked: later lines of the type wanted,
 * static text, answer it.
 */
void inbox_expect(struct inbox *in, const char *wanted);

/*
 * Wait for the answer. Returns the line, *len bytes to be freed, or NULL if the
 * turn was interrupted. Closes the question.
 */
char *inbox_answer(struct inbox *in, size_t *len);

/* Returns whether the turn was interrupted. */
bool inbox_is_interrupted(struct inbox *in);

/*
 * Wait for input, an interrupt or the end of the time (-1: never). Returns
 * whether the turn was interrupted, or the server is gone.
 */
bool inbox_wait(struct inbox *in, int64_t timeout_ms);

/* Returns the next further input, which is then the caller's, or NULL. */
struct inbox_input *inbox_take(struct inbox *in);

#endif
