/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_DOOR_H
#define DOOR_DOOR_H

/*
 * A door is a protocol for clients, served by the worker's HTTP server. The
 * worker has a table of them and knows no more of a door than this.
 */
struct access;
struct agent_about;
struct conf;
struct crew;
struct heritage;
struct http;
struct limits;
struct loop;
struct permit;
struct sessions;

/* What a door is given when it is mounted. All of it outlives the server. */
struct door_setup {
	struct loop *loop;
	struct sessions *sessions;
	struct access *access;
	struct limits *limits; /* NULL: none */
	const struct conf *conf;
	const struct agent_about *about;
	const struct heritage *heritage;
	struct crew *crew;	     /* reads files off the loop */
	const char *agent_log;	     /* path of the agent log */
	const struct permit *permit; /* what runs without approval */
	const char *name; /* display name: conf->name, else about->name */
};

/* What the worker asks of a door, on the loop's thread; may be NULL: nothing. */
struct door {
	const char *name; /* for people */
	/* Add its routes; called once, before the server starts. */
	void (*mount)(struct http *http, const struct door_setup *setup);
	/* This process is draining: it serves on, but wants no new clients. */
	void (*drain)(void);
	/*
	 * Callers may have been blocked: tell those who are (DOOR_BLOCKED,
	 * access_is_blocked()) and end their connections. Their turns go on.
	 */
	void (*end_blocked)(void);
	/*
	 * This process leaves: tell all clients that the server restarts, and
	 * end their connections. Clients come back and find their turns.
	 */
	void (*close_all)(void);
};

/* What a caller is told who is blocked while connected. */
#define DOOR_BLOCKED "forbidden: blocked"

#endif
