/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_CONN_H
#define AGENTSERVER_AS_CONN_H

/*
 * A client's WebSocket: a cursor over the journal of its conversation, in one
 * of two forms (doc/agent-server.txt 3). It is made when the request is
 * admitted, and freed when its wire is gone. This file is what the others
 * share: as_socket.c has its life, as_feed.c what it sends, as_hear.c what it
 * says.
 */
#include "agentserver/as_event.h"
#include "agentserver/as_run.h"
#include "agentserver/as_talk.h"
#include "base/list.h"
#include "limits/limits.h"
#include "net/loop.h"
#include "session/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire;

/* Close codes after which these clients do not come back. */
enum { AS_CLOSE_UNAUTHORIZED = 4001, AS_CLOSE_UNKNOWN = 4004 };

/* The forms of a WebSocket. */
enum as_form {
	AS_EVENTS,  /* bare events; the client reads what it missed by pages */
	AS_SESSION, /* events with their numbers in frames */
};

/* What a client wants to be sent of what is there already. */
struct as_plan {
	uint64_t after;	  /* position; UINT64_MAX: nothing that is there */
	int64_t since_us; /* nothing older */
};

/* How many of a client's messages may wait to be durable. */
#define AS_MOST_RUNS 16

/* A message of this client that is not durable yet. */
struct as_saying {
	struct list link;
	struct as_conn *conn;
	struct as_run *run;
};

struct as_conn {
	struct list link;
	const struct door_setup *setup;
	struct wire *wire;
	struct limits_held held;
	enum as_form form;
	struct as_plan plan;
	char uuid[ENC_UUID_SIZE];
	char *place;
	bool is_closed; /* we have sent our close */

	/* Its conversation, once the client is admitted. */
	struct as_talk talk;
	struct attachment at;
	struct as_trail trail;
	uint64_t
	    shown_after;    /* events up to this position only leave a trail */
	uint64_t replay_to; /* events up to this position are a replay */
	bool is_replaying;
	bool is_resting; /* the wire is full; on_drain resumes */

	/* The state that follows the end of a run. */
	struct loop_timer snapshot;
	unsigned n_snapshots; /* sent since then */
	int64_t run_began_us; /* when the latest input came */

	struct loop_timer patience; /* for the key, or a reader that is slow */
	size_t stalled_at;	    /* bytes that waited when it was set */

	struct list sayings;
	unsigned n_sayings;
};

/* Close, with a reason for the client; does nothing if that was done. */
void as_conn_close(struct as_conn *c, int code, const char *reason);

/* Send one event that is in no journal, in the form of the client. */
void as_conn_send_state(
    struct as_conn *c, const char *key, const char *value, size_t len);

#endif
