/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_DOOR_H
#define DOOR_DOOR_H

/*
 * What every door is given when it is mounted. All of it outlives the server.
 */
struct agent_about;
struct conf;
struct heritage;
struct loop;
struct sessions;

struct door_setup {
	struct loop *loop;
	struct sessions *sessions;
	const struct conf *conf;
	const struct agent_about *about;
	const struct heritage *heritage;
	const char *name; /* display name: conf->name, else about->name */
};

#endif
