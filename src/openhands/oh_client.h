/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_CLIENT_H
#define OPENHANDS_OH_CLIENT_H

/*
 * What this process has for a side of a client's session (engine/engine.h): a
 * WebSocket, a poll, or a POST. It is made when it is needed first and freed
 * with its side.
 */
#include "base/buf.h"
#include "base/list.h"
#include "session/session.h"

#include <stdbool.h>
#include <stddef.h>

struct access_call;
struct engine_side;
struct err;

struct oh_client {
	struct engine_side *side;
	struct session *session; /* whose events it reads; NULL: none */
	struct attachment at;
	struct access_call *asking; /* whether it may come in */
	bool is_quiet;		    /* nobody asked: a refusal is not told */
	struct buf held;	    /* an event that waits for the verdict */
	struct list calls;	    /* inputs that wait for their receipts */
};

/* Returns the client of a side. */
struct oh_client *oh_client_of(struct engine_side *side);

/*
 * Open the session of its conversation, anonymously: clients of OpenHands do
 * not sign. Returns NULL with *err if it cannot be opened, or the client is
 * gone.
 */
struct session *oh_client_open(const struct oh_client *c, struct err *err);

/* Release the session that it reads. */
void oh_client_detach(struct oh_client *c);

/* Free the client of a side, if there is one. */
void oh_client_free(struct engine_side *side);

#endif
