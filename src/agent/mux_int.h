/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_MUX_INT_H
#define AGENT_MUX_INT_H

/*
 * Private to mux*.c: one process with many turns, bottom-up. mux_life.c writes
 * to the process, lets go of its turns, and ends it; mux_pulse.c notices that it
 * does not answer; mux_channel.c is the turns' side, mux_in.c the process's side;
 * mux.c starts it and begins turns.
 *
 * A callback of the owner or of a turn may end the process. The mux is freed
 * then, unless it is held further up the stack: who uses it after a callback
 * holds it (busy), and looks at is_over.
 */
#include "agent/line.h"
#include "agent/mux.h"
#include "agent/mux_turn.h"
#include "base/json.h"
#include "base/line_queue.h"
#include "base/list.h"
#include "net/loop.h"

struct runner;

/* Whether a process answers that has said that it will. */
struct mux_pulse {
	struct loop_timer timer;
	int64_t looked_ms; /* 0: it has not said so */
	unsigned n_silent; /* looks in a row, since it was asked */
	bool is_asked;
	bool is_heard; /* something came since the last look */
};

struct mux {
	const struct mux_setup *setup;
	struct mux_handlers handlers;
	void *arg;
	struct runner *runner;
	struct line_queue frames;
	struct json_doc doc;
	struct mux_table running; /* turns without a last frame, by number */
	struct list turns;	  /* the same */
	struct mux_turn *current; /* it is getting output; NULL: it let go */
	uint64_t n_begun;	  /* also the last number */
	size_t n_heard;		  /* running turns to which somebody listens */
	size_t task_bytes;	  /* first lines of the running turns */
	size_t n_blocking;	  /* turns that exceeded their credit */
	size_t n_allowed;	  /* turns for which it may have processes */
	struct loop_timer deadline;
	struct mux_pulse pulse;
	unsigned busy;
	bool is_leaving;
	bool has_fault;
	bool is_lost;	/* a turn said that it ends the process */
	bool is_silent; /* it has closed its socket, and will be gone soon */
	bool is_over;
};

/* Queue a frame: one line with its newline. */
void mux_life_write(struct mux *m, uint64_t number, const char *line, size_t n);
void mux_life_say(struct mux *m, uint64_t number, const char *line);

/* Returns how many bytes wait, without the tasks, which have no limit. */
size_t mux_life_waiting(const struct mux *m);

/* Give n bytes of credit (0: none). Returns false if nothing is read. */
bool mux_life_give(struct mux_turn *t, size_t n);

/*
 * A process that does not count credit cannot be held back for one turn: read
 * nothing from it until this turn has room.
 */
void mux_life_block(struct mux_turn *t);
void mux_life_unblock(struct mux_turn *t);

/* Start the time in which the turn has to stop, unless it runs. */
void mux_life_stop(struct mux_turn *t);

/*
 * The process has nothing to do with the turn any more. Frees it if nobody
 * listens to it.
 */
void mux_life_detach(struct mux_turn *t);

/* The same, and who listens to it is told that this is its end. */
void mux_life_end(struct mux_turn *t, const struct channel_end *end);

/* No further turn may begin, for this reason. May free the mux. */
void mux_life_fault(struct mux *m, const char *why);

/* Start the time in which the turns of a leaving process have to end. */
void mux_life_expire(struct mux *m);

/* End the process if that is due. May free the mux. */
void mux_life_settle(struct mux *m);

/*
 * The process has ended, or is killed: tell the owner and all turns. May free
 * the mux.
 */
void mux_life_over(struct mux *m, enum err_reason reason, const char *why);

/* Hold the mux no more. May free it. */
void mux_life_release(struct mux *m);

/* Free it at once. */
void mux_life_dispose(struct mux *m);

/*
 * The process answers PING: end it when it does not answer for hang_ms. May be
 * called again.
 */
void mux_pulse_start(struct mux *m);

/* Write a line of the turn to its process. */
void mux_channel_write(struct mux_turn *t, const char *line, size_t n);

/* Handle what the process wrote. May free the mux. */
void mux_in_take(struct mux *m, const char *data, size_t len);

#endif
