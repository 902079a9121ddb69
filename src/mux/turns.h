/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef MUX_TURNS_H
#define MUX_TURNS_H

/*
 * The turns that the server has given to this process. A turn waits in the
 * queue until a thread takes it, and lives until its last frame is on its way.
 *
 *	turns_begin() -> waiting -> turns_take() -> running -> turns_end()
 *
 * Later frames of a turn wait in it until somebody listens to it, and are then
 * heard in the order in which they came, as those of all turns. How many there
 * are is limited by what the server sends. A process has one set of turns;
 * callers hold the lock of the process.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a turn may have written that the server has not given back. */
#define TURNS_WINDOW 262144

/* A frame without its number: JSON of len bytes. */
struct line {
	struct line *next;
	uint64_t turn;
	size_t len;
	char text[];
};

struct lines {
	struct line *first, **end;
	size_t bytes;
};

struct turn {
	struct turn *next; /* in its bucket */
	uint64_t number;
	int64_t credit;
	struct lines inbox;   /* until somebody listens */
	struct lines backlog; /* written, and without credit so far */
	uint64_t faults;      /* page faults of threads that have left it */
	bool is_running;
	bool is_heard;	/* somebody listens to it */
	bool is_closed; /* nobody reads what it writes */
	bool is_ending; /* its last frame is in the backlog */
};

/* Returns a copy of the text. */
struct line *turns_line(uint64_t turn, const char *text, size_t len);

/* Put a line at the end, which takes it. */
void turns_push(struct lines *l, struct line *line);

/* Returns the first line, which is the caller's; NULL if there is none. */
struct line *turns_pop(struct lines *l);

/* Returns NULL if it has ended, or was never begun. */
struct turn *turns_find(uint64_t number);

/* Put a new turn at the end of the queue; it takes its first line. */
void turns_begin(struct line *first);

/*
 * Take *t, the first turn of the queue. Returns its first line, which is the
 * caller's; NULL if none waits.
 */
struct line *turns_take(struct turn **t);

/* Listen to a turn from now on. */
void turns_listen(struct turn *t);

/* A later frame: it is kept, and heard when somebody listens. Takes it. */
void turns_later(struct turn *t, struct line *line);

/* Returns the next later frame of a turn that is heard, or NULL. */
struct line *turns_hear(void);

/* Whether turns_hear() would return one. */
bool turns_have_news(void);

/* Forget a turn and what it holds. */
void turns_end(struct turn *t);

/* How many wait, and how many run. */
size_t turns_waiting(void);
size_t turns_running(void);

/* Call back for each turn that runs. */
void turns_each(void (*call)(struct turn *t, void *arg), void *arg);

#endif
