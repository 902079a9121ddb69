/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENT_MUX_H
#define AGENT_MUX_H

/*
 * A mux is one long-lived process of an agent, over whose socket many turns are
 * multiplexed: the server's side of the frames of co-agent(7). It gives each
 * turn its channel (agent/channel.h) and its credit, and decides whose fault
 * the end of the process is. When it should start, and which turns it gets, its
 * owner decides (agent/fleet.h).
 *
 * Life: mux_start() -> on_ready -> turns begin -> [mux_leave(): it gets no
 * further turn] -> on_end, when the process and the mux are gone. The owner may
 * end it earlier by mux_free().
 */
#include "agent/channel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mux;
struct mux_turn;
struct runner_place;

/* How a process ended. The texts live as long as the call. */
struct mux_end {
	enum err_reason reason; /* as for a turn that was alone in it */
	const char *why;
	size_t n_lost; /* turns that ended although they were not its cause */
};

/* Callbacks, on the loop; they may begin turns. */
struct mux_handlers {
	/* A line of its standard error; it belongs to no turn. */
	void (*on_complaint)(void *arg, const char *text, size_t len);
	/* It takes turns. json is its frame READY; may be called again. */
	void (*on_ready)(void *arg, const char *json, size_t len);
	/* It wants to be replaced, and serves until then. */
	void (*on_retire)(void *arg, const char *why, size_t len);
	/* It must get no further turn: call mux_leave(). May be called again. */
	void (*on_fault)(void *arg, const char *why);
	/*
	 * It cannot begin turns: as on_fault(), but its turns have any time to
	 * end. The turn that it could not begin is told after this.
	 */
	void (*on_full)(void *arg);
	/*
	 * It has ended, by itself or after mux_leave(). Its turns are told
	 * after this, and it frees itself: the last call.
	 */
	void (*on_end)(void *arg, const struct mux_end *end);
};

/* What all processes of an agent share; the place has sockets. */
struct mux_setup {
	struct runner_place *place;
	size_t line_bytes;     /* of the longest line of a turn */
	size_t turn_processes; /* processes and threads that a turn adds */
	int64_t grace_ms;      /* for a turn to stop when it is told to */
	int64_t deadline_ms;   /* for other turns when one did not stop */
	int64_t hang_ms;       /* without an answer; 0: for ever */
};

/* Start a process. The setup must outlive it. Returns NULL with ERR_AGENT. */
struct mux *mux_start(const struct mux_setup *setup,
    const struct mux_handlers *handlers, void *arg, struct err *err);

/* Kill the process and free the mux, without callbacks; its turns are gone. */
void mux_free(struct mux **m);

/* Returns whether a turn may begin in it: it has not closed its socket. */
bool mux_is_open(const struct mux *m);

/* Returns how many turns it runs. */
size_t mux_load(const struct mux *m);

/*
 * It gets no further turn, and ends when its turns have ended. After a fault
 * they have deadline_ms, and then end as interrupted.
 */
void mux_leave(struct mux *m);

/* Create a turn that waits for a process. What is written to it is kept. */
struct mux_turn *mux_turn(const struct channel_handlers *handlers, void *arg);

/* Begin a turn that was created, in a process that is ready. */
void mux_begin(struct mux *m, struct mux_turn *t);

/* End a turn that has no process, for this reason. */
void mux_refuse(struct mux_turn *t, enum err_reason reason, const char *why);

#endif
