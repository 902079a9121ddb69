/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_PATH_H
#define RELAY_PATH_H

/*
 * The paths of the relay. Programs append theirs to the URL that they were
 * given, and published examples give the URL of a socket. So each path is also
 * known after any number of "/ws/announce", and after one "/ws". Pure.
 */
#include "identity/address.h"

#include <stdbool.h>

enum path_target {
	PATH_NONE,
	PATH_ANNOUNCE, /* agents: WebSocket */
	PATH_INPUT,    /* clients: WebSocket */
	PATH_LOOKUP,   /* FIND and GET_AGENT: WebSocket */
	PATH_HEALTH,
	PATH_METRICS,
	PATH_AGENT,   /* the record of an agent */
	PATH_PROFILE, /* its profile, with proof */
	PATH_SIGNED,  /* its signed record */
	PATH_SKILL,   /* the body of one skill */
};

/* The longest name of a skill, in bytes. */
#define PATH_NAME 200

struct path {
	enum path_target target;
	bool is_bad; /* what should be an address is none */
	char address[ADDRESS_SIZE];
	char name[PATH_NAME + 1]; /* of the skill */
};

/* Find out what a path (without its query) asks for. */
void path_read(struct path *out, const char *path);

#endif
