/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

/*
 * The transports of Engine.IO: WebSocket, long-polling, and the upgrade from
 * one to the other, with their heartbeat and their errors, at /socket.io. What
 * clients and server say to each other is the user's: it gets the packets of
 * Socket.IO that come, and is asked for those that go.
 *
 * A session of Engine.IO has a state: some bytes that the user defines, which
 * are in shared memory if the client polls (engine/engine_table.h). In a worker
 * it has sides. A side is a WebSocket, a GET that waits for packets, or a POST
 * that brings some: a GET only gives packets, a POST only takes them, a
 * WebSocket does both. The sides of a session may be in several workers, and
 * share nothing but its state.
 *
 * One engine per worker. Loop's thread only; the calls of struct engine_user
 * may make any call on the side unless they say otherwise.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct door_setup;
struct engine_side;
struct err;
struct http;
struct http_req;

struct engine_user {
	size_t state_bytes; /* at most ENGINE_USER_BYTES */
	/*
	 * A client begins a session by this request: fill in the state, which
	 * is zeroed. Nothing else may be done here.
	 */
	void (*begin)(void *state, const struct http_req *req);
	/*
	 * A packet of Socket.IO came. It is not called while the side is busy,
	 * nor after engine_fail() or engine_leave().
	 */
	void (*packet)(struct engine_side *side, const char *text, size_t len);
	/* An attachment came; its bytes are dropped. */
	void (*attachment)(struct engine_side *side);
	/* A client that began with a WebSocket has said nothing for 3 s. */
	void (*silent)(struct engine_side *side);
	/* Whether the client has connected to a namespace, by its state. */
	bool (*is_connected)(const void *state);
	/*
	 * Append at most 'most' packets for the client, separated by
	 * EIO_SEPARATOR, and some hundred kilobytes. It is called when a GET
	 * begins, after engine_ready(), after the state was changed, and from
	 * time to time, even if there is nothing. Of the calls below it may
	 * make engine_leave(), and those for the state. Returns whether there
	 * is more already.
	 */
	bool (*fill)(struct engine_side *side, struct buf *out, size_t most);
	/* The side is gone: free what engine_set_mine() gave it. */
	void (*gone)(struct engine_side *side);
};

/* Add the routes. Both must outlive the server. */
void engine_mount(struct http *http, const struct door_setup *setup,
    const struct engine_user *user);

/*
 * The process exits: close the WebSockets, and send polls that wait away, so
 * that their clients ask another worker.
 */
void engine_close_all(void);

/* Another process has changed the session of this number (MSG_ENGINE). */
void engine_receive(uint64_t number);

/* ---- what the user may do with a side ---- */

/* Something of the user's own, NULL at first. */
void *engine_mine(const struct engine_side *side);
void engine_set_mine(struct engine_side *side, void *mine);

/* What was passed to engine_mount(). */
const struct door_setup *engine_setup(const struct engine_side *side);

/*
 * Take the state of the session, to read or change a few bytes: no other call
 * may be made before engine_give_state(). Returns NULL, with nothing taken, if
 * the session is over, or its table is locked by a process that is stuck; then
 * the engine asks the client to try again.
 */
void *engine_take_state(struct engine_side *side);
void engine_give_state(struct engine_side *side);

/* Whether the side is a WebSocket, which lives as long as its client. */
bool engine_is_socket(const struct engine_side *side);

/* As it was when the side began. */
const char *engine_peer(const struct engine_side *side);
const char *engine_place(const struct engine_side *side);
bool engine_peer_is_loopback(const struct engine_side *side);

/*
 * The client is this caller (a verified address). Counts its WebSocket for the
 * caller (limit_sockets). Returns 0, or -1 with ERR_LIMIT.
 */
int engine_hold_caller(
    struct engine_side *side, const char *address, struct err *err);

/*
 * Call fn for each side of this process that gives packets; fn may end it.
 */
void engine_each(void (*fn)(struct engine_side *side));

/*
 * Queue packets for the client, separated, before those of later events. A
 * session without room for them is ended.
 */
void engine_answer(struct engine_side *side, const char *packets, size_t len);

/*
 * Hold back what comes until it is false again, in order, while the user finds
 * out what to do with the packet that it has.
 */
void engine_set_busy(struct engine_side *side, bool is_busy);

/*
 * A POST is answered, and its side is gone, when all of it was passed on and
 * it was released as often as it was held. Nothing for a WebSocket.
 */
void engine_hold(struct engine_side *side);
void engine_release(struct engine_side *side);

/* There may be something for fill(). */
void engine_ready(struct engine_side *side);

/*
 * The state was changed in a way that concerns fill(): it is called for the
 * side that gives packets, in whatever process.
 */
void engine_changed(struct engine_side *side);

/*
 * End the session at once: the client has broken a rule, which is counted, and
 * logged once a minute at most. Its library connects again.
 */
void engine_fail(struct engine_side *side, const char *why);

/*
 * End the session within a second, in which the client should leave by itself:
 * it was refused or has disconnected.
 */
void engine_leave(struct engine_side *side);

#endif
