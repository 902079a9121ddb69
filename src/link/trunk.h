/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef LINK_TRUNK_H
#define LINK_TRUNK_H

/*
 * A trunk is the stream between the process that holds the connection to the
 * relay and a worker. It carries the messages of many wires, each identified by
 * a number that the link chooses, both ways and in order.
 *
 * What a wire sends waits in a lane of its own until the trunk has room; lanes
 * with messages take turns. A lane may have a window: then only so much of it
 * is under way until the other side has taken it, so a wire that takes nothing
 * never fills the trunk. Loop's thread only.
 */
#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct trunk;

enum trunk_type {
	TRUNK_OPEN,	/* link: a client came; the text describes it */
	TRUNK_TEXT,	/* a message of the wire */
	TRUNK_CLOSE,	/* the wire ends: a close code, and the reason */
	TRUNK_TAKEN,	/* worker: so many bytes of messages were taken */
	TRUNK_ADMITTED, /* worker: the client may send large messages */
	TRUNK_TYPES
};

/* A message, borrowed during calls. */
struct trunk_message {
	enum trunk_type type;
	uint32_t wire;
	uint32_t value; /* code of a close; bytes taken; 1: it has signed */
	const char *text;
	size_t len;
};

/* The outgoing messages of one wire; it lives in its owner's memory. */
struct trunk_lane {
	struct list link;    /* in the trunk, while something may go */
	struct list parcels; /* messages, the oldest first */
	size_t waiting;	     /* bytes of text in them */
	size_t under_way;    /* bytes sent and not taken */
	size_t window;	     /* of under_way; 0: unlimited */
};

/* Initialise an empty lane. */
void trunk_lane_init(struct trunk_lane *lane, size_t window);

/* Drop what waits in it. It is then as after trunk_lane_init(). */
void trunk_lane_fini(struct trunk_lane *lane);

struct trunk_handlers {
	/* A message came. */
	void (*on_message)(void *arg, const struct trunk_message *m);
	/* What waited was handed on: lanes are shorter. */
	void (*on_room)(void *arg);
	/*
	 * The other process is gone, or broke the protocol; called once, last.
	 * It may close the trunk.
	 */
	void (*on_end)(void *arg);
};

/*
 * Take ownership of fd, one end of a stream socket pair. A text longer than
 * max_bytes breaks the protocol. Never returns NULL.
 */
struct trunk *trunk_open(struct loop *l, int fd, size_t max_bytes,
    const struct trunk_handlers *handlers, void *arg);

/* Close it and null *t. Lanes keep what waits, and must not be used with it. */
void trunk_close(struct trunk **t);

/*
 * Queue a message of this lane behind its others. lane is NULL for one that
 * waits for nothing, such as TRUNK_TAKEN; it may overtake those of lanes.
 */
void trunk_send(
    struct trunk *t, struct trunk_lane *lane, const struct trunk_message *m);

/* Queue a message in a lane that has no trunk yet. */
void trunk_lane_keep(struct trunk_lane *lane, const struct trunk_message *m);

/* Send what waits in a lane that had no trunk. */
void trunk_adopt(struct trunk *t, struct trunk_lane *lane);

/* The other side has taken n bytes of the lane's messages. */
void trunk_taken(struct trunk *t, struct trunk_lane *lane, size_t n);

/* Whether lanes have to wait for the other side to read. */
bool trunk_is_full(const struct trunk *t);

/* Stop or resume reading. */
void trunk_pause(struct trunk *t, bool is_paused);

#endif
