/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_TALK_H
#define AGENTSERVER_AS_TALK_H

/*
 * A conversation of these clients: a session, opened anonymously, since they do
 * not sign. It exists from the moment it is created, or another protocol has
 * run a turn in it; it may belong to nobody else.
 */
#include "base/enc.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct door_setup;
struct err;
struct json;
struct session;

struct as_talk {
	const struct door_setup *setup;
	struct session *session; /* referenced */
	char uuid[ENC_UUID_SIZE];
};

/*
 * Open the conversation of a UUID with dashes. Returns 0, or -1 with *err:
 * ERR_NOT_FOUND, or what session_open() says.
 */
int as_talk_open(struct as_talk *t, const struct door_setup *setup,
    const char *uuid, struct err *err);

/*
 * The same, but an unknown UUID is a new conversation, which exists once
 * session_keep() has made a record of it; *is_new says so.
 */
int as_talk_begin(struct as_talk *t, const struct door_setup *setup,
    const char *uuid, bool *is_new, struct err *err);

/* Returns the salt of the ids of its events (as_id.h). */
uint64_t as_talk_salt(const struct as_talk *t);

/*
 * Whether a client at a place (http_place()) may answer in it, name it and
 * delete it: it has shown the key of the server, or holds the session.
 */
bool as_talk_is_held(const struct as_talk *t, const char *place);

/* Release the session; does nothing if there is none. */
void as_talk_close(struct as_talk *t);

/*
 * Returns its execution_status. A question to the user counts as the end of a
 * run, which is what it is for these clients.
 */
const char *as_talk_status(const struct as_talk *t);

/*
 * Append what the server tells about it, an object: its status, and the rest of
 * what clients expect. "agent" is the agent of this server in the form of
 * theirs, whatever agent the client sent.
 */
void as_talk_put_info(struct buf *out, const struct as_talk *t);

/*
 * The same for a conversation that was just created: "agent" and "workspace"
 * are as they were sent, unless they are NULL.
 */
void as_talk_put_created(struct buf *out, const struct as_talk *t,
    const struct json *agent, const struct json *workspace);

#endif
