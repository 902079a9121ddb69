/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_DOOR_H
#define DOOR_DOOR_H

/*
 * A door is a protocol for clients, served by the worker's HTTP server. The
 * worker has a table of doors and knows nothing else about them. It mounts the
 * doors that are on (core/doors.h), and makes no other call to the rest.
 */
#include "core/doors.h"

struct access;
struct agent_about;
struct conf;
struct crew;
struct heritage;
struct http;
struct dialin_dock;
struct engine_table;
struct limits;
struct loop;
struct msg;
struct permit;
struct sessions;
struct snapshot_source;

/* What a door receives when it is mounted. All of it outlives the server. */
struct door_setup {
	struct loop *loop;
	struct sessions *sessions;
	struct access *access;
	struct limits *limits; /* NULL: none */
	const struct conf *conf;
	const struct agent_about *about;
	const struct heritage *heritage;
	const struct snapshot_source *inside; /* for status/snapshot.h */
	struct crew *crew;		      /* reads files off the loop */
	const char *agent_log;		      /* path of the agent log */
	const struct permit *permit;	      /* what runs without approval */
	struct engine_table *engines; /* clients that poll; NULL: none */
	struct dialin_dock *dock;     /* agents that dial in; NULL: none may */
	const char *name; /* displayed name: conf->name, else about->name */
};

/*
 * The calls that the worker makes to a door, on the loop's thread. A call that
 * a door does not need is NULL.
 */
struct door {
	enum door_id id;
	/*
	 * The paths of its WebSockets, NULL-terminated; NULL: none. While the
	 * door is off they are answered as any unknown path is, by 404.
	 */
	const char *const *sockets;
	/* Add its routes; called once, before the server starts. */
	void (*mount)(struct http *http, const struct door_setup *setup);
	/*
	 * This process is draining: continue to serve, but attract no new
	 * clients.
	 */
	void (*drain)(void);
	/*
	 * Callers may have been blocked: tell those that are (DOOR_BLOCKED,
	 * access_is_blocked()) and end their connections. Their turns continue.
	 */
	void (*end_blocked)(void);
	/* A message of another worker to the doors (core/messages.tbl). */
	void (*receive)(const struct msg *m);
	/*
	 * This process exits: tell all clients that the server restarts, and
	 * end their connections. Clients reconnect and find their turns.
	 */
	void (*close_all)(void);
};

/* The message for a caller that is blocked while connected. */
#define DOOR_BLOCKED "forbidden: blocked"

#endif
