/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ENGINE_ENGINE_SIDE_H
#define ENGINE_ENGINE_SIDE_H

/*
 * Private to engine/: what all sides have in common (engine.h), and the list of
 * those that give packets of a session in the table. engine_poll.c and
 * engine_socket.c have the kinds.
 */
#include "base/list.h"
#include "engine/engine.h"
#include "engine/engine_table.h"
#include "socketio/eio_request.h"

#include <stdint.h>

/* How long a client that was refused or has disconnected may stay. */
#define ENGINE_LEAVE_MS 1000

/* What the kinds do differently. */
struct engine_side_ops {
	/*
	 * Look at the session: pass on what waits. It may end the side. NULL:
	 * the side gives no packets.
	 */
	void (*look)(struct engine_side *side);
	/* Queue packets for the client; the session is not in the table. */
	void (*send)(struct engine_side *side, const char *packets, size_t len);
	/* It is no longer busy, or was released: go on. */
	void (*go_on)(struct engine_side *side);
	/* The session is over: end the side, now or at the end of the tick. */
	void (*end)(struct engine_side *side);
	/* Count it for a caller (engine_hold_caller()); NULL: it is none. */
	int (*hold)(
	    struct engine_side *side, const char *address, struct err *err);
	/* Stop reading what comes, or go on. */
	void (*pause)(struct engine_side *side, bool is_paused);
};

struct engine_side {
	const struct engine_side_ops *ops;
	char sid[EIO_SID + 1];
	/* In the table; otherwise state is its own, and the rest is unused. */
	bool is_shared;
	uint64_t number;
	void *state;
	void *mine;
	const char *peer;
	const char *place;
	bool peer_is_loopback;
	bool is_busy;
	bool is_leaving;  /* engine_leave() */
	bool is_over;	  /* nothing of it is passed to the user any more */
	bool is_stuck;	  /* see engine_side_take() */
	unsigned n_holds; /* engine_hold() */
	struct list link; /* of those that look */
};

struct engine_world {
	const struct door_setup *setup;
	const struct engine_user *user;
	struct engine_table *table;
	struct list lookers; /* those that were looked at longest ago first */
	size_t n_lookers;
	size_t n_waiting; /* of them in the present round */
	bool is_closing;
};

/* Returns what the engine of this worker has. */
struct engine_world *engine_side_world(void);

/* Fill in the common part of a side; the sid is that of a session. */
void engine_side_init(struct engine_side *side,
    const struct engine_side_ops *ops, const char *sid, uint64_t number);

/* Tell the user that the side is gone, and release what it has. */
void engine_side_fini(struct engine_side *side);

/* Let the side take part in looking. */
void engine_side_list(struct engine_side *side);

/*
 * Take the entry of a side. Returns NULL if the session is over, or if another
 * process is stuck with the lock of the table. In the second case side->is_stuck
 * is set, and stays so: what the side was about to do is left undone, so it must
 * ask its client to try again. Only one that merely looks, and will look again,
 * puts back what is_stuck was.
 */
struct engine *engine_side_take(struct engine_side *side);

/*
 * Tell those who hold requests of a session, in this process or in others, to
 * look at it.
 */
void engine_side_tell(const struct engine_holder *poller,
    const struct engine_holder *socket, uint64_t number);

/* Remove the session from the table, if it is there, and tell its holders. */
void engine_side_drop(struct engine_side *side, enum engine_end why);

/* How many sides are looked at before other work of the loop has its turn. */
#define ENGINE_LOOK_MOST 256

/*
 * Look at the next sides of this process that look, ENGINE_LOOK_MOST at most.
 * Returns whether that leaves some of the present round; otherwise the next call
 * begins another.
 */
bool engine_side_look(void);

#endif
