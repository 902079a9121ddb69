/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DIALIN_DIALIN_DOCK_H
#define DIALIN_DIALIN_DOCK_H

/*
 * The dock of a worker: the connections of agents that have dialed in to it
 * (dialin/dialin_conn.h), and the turns that they run (dialin/dialin_turn.h).
 * It knows which turn a command belongs to, and which connection of an agent is
 * the newest. Loop's thread only.
 */
#include "base/buf.h"
#include "base/list.h"
#include "base/span.h"
#include "dialin/dialin_table.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent_turn;
struct err;
struct heritage;
struct map;
struct ons_message;
struct wire;

/* What a dock needs. All of it outlives the dock. */
struct dialin_setup {
	struct loop *loop;
	struct heritage *heritage;
	unsigned slot;
	uint32_t generation;
	int64_t patience_ms; /* how long turns wait for an agent */
	/* An agent has come: turns may wait for it. */
	void (*on_arrival)(void *arg);
	void *arg;
};

/* A connection, by what dock and turns need of it. */
struct dialin_conn {
	struct list link;  /* dock->conns */
	struct list turns; /* that it runs, or will */
	struct dialin_dock *dock;
	struct wire *wire;
	uint64_t home;
	uint64_t alias;	     /* 0: it has no name */
	uint64_t connection; /* 0: not known yet */
	uint32_t place;	     /* in the table */
	uint32_t n_running;  /* of the turns, those that were sent */
	/* Whether this agent ever says that a command has begun or ended. */
	bool reports_ends;
	/* Its activeCommands are known; then they are in 'active'. */
	bool tells_active;
	struct buf active; /* ids, each after a NUL and before one */
	char id[DIALIN_ID_BYTES];
	char user[DIALIN_USER_BYTES]; /* of its token, as org */
	char org[DIALIN_USER_BYTES];
	struct agent_turn *latest;    /* that was sent; NULL: it has ended */
	struct loop_later send_later; /* for turns that have come */
	/* Why nothing more is read from it: dialin_read_on(). */
	bool is_paused;	 /* a turn of it has no room for more output */
	bool is_holding; /* too much that it said waits for turns */
};

typedef const char *dialin_verify(void *arg, const char *text, size_t len,
    struct dialin_who *who, struct err *err);

struct dialin_dock {
	struct dialin_setup setup;
	/*
	 * Whose token this is. text NULL: none was shown. Returns NULL with
	 * user and org filled in, or a refusal with the exact reason in *err.
	 * NULL: nobody may come.
	 */
	dialin_verify *verify;
	void *verify_arg;
	struct dialin_table *table;
	struct dialin_monitor *monitor;
	struct list conns;
	struct map *turns; /* home and command id -> struct agent_turn */
	bool is_draining;
};

/* Create the dock of this worker. Never NULL. */
struct dialin_dock *dialin_dock_new(const struct dialin_setup *setup);

/* Let this function decide whose token it is (struct dialin_setup). */
void dialin_dock_verify_by(
    struct dialin_dock *d, dialin_verify *verify, void *arg);

/* Free it, when all connections and turns are gone, and null *d. */
void dialin_dock_free(struct dialin_dock **d);

/*
 * Returns the newest connection here of the agent whose id or name has this
 * number, or NULL if there is none, or another worker has a newer one.
 */
struct dialin_conn *dialin_dock_conn(
    const struct dialin_dock *d, uint64_t home);

/* Add a turn, find it, and remove it. Adding fails if there is one. */
bool dialin_dock_add(struct dialin_dock *d, uint64_t home, struct span command,
    struct agent_turn *t);
struct agent_turn *dialin_dock_turn(
    const struct dialin_dock *d, uint64_t home, struct span command);
void dialin_dock_remove(
    struct dialin_dock *d, uint64_t home, struct span command);

/* Send a message to an agent, with a new id. */
void dialin_send(struct dialin_conn *c, const struct buf *message);

/* Read from an agent, or not, as the reasons against it are now. */
void dialin_read_on(struct dialin_conn *c);

/* Begin the ACK of a message, to which the caller adds and which it ends. */
void dialin_begin_ack(struct buf *out, const struct ons_message *m);

/* Append a new id for a message. */
void dialin_id(struct buf *out);

/* Tell the table how many commands this agent runs. */
void dialin_tell_running(struct dialin_conn *c, int change);

#endif
