/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_DOOR_H
#define DOOR_DOOR_H

/*
 * What every door is given when it is mounted. All of it outlives the server.
 */
struct access;
struct agent_about;
struct conf;
struct crew;
struct heritage;
struct limits;
struct loop;
struct permit;
struct sessions;

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

#endif
