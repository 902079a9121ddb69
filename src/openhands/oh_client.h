/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_CLIENT_H
#define OPENHANDS_OH_CLIENT_H

/*
 * What this process has for a side of a client's session (engine/engine.h): a
 * WebSocket, a poll, or a POST. It is made when it is needed first and freed
 * with its side.
 */
#include "access/access.h"
#include "base/buf.h"
#include "base/list.h"
#include "session/session.h"

#include <stdbool.h>
#include <stddef.h>

struct engine_side;
struct oh_state;
struct err;

struct oh_client {
	struct engine_side *side;
	struct caller who;	 /* as oh_client_open() found it */
	struct session *session; /* whose events it reads; NULL: none */
	struct attachment at;
	struct access_call *asking; /* whether it may come in */
	bool is_quiet;		    /* nobody asked: a refusal is not told */
	bool needs_key;		    /* and has not shown it */
	struct buf held;	    /* an event that waits for the verdict */
	struct list calls;	    /* inputs that wait for their receipts */
	struct list runs;	    /* commands that run (openhands/oh_run.h) */
	int n_runs;
};

/* Returns the client of a side. */
struct oh_client *oh_client_of(struct engine_side *side);

/*
 * Open the session of its conversation, as the caller that has signed or
 * anonymously, and look the caller up. Returns NULL with *err if it cannot be
 * opened: ERR_FORBIDDEN (the caller is blocked now), ERR_NO_SESSION (another
 * caller owns it, or the client is gone), or as session_open().
 */
struct session *oh_client_open(struct oh_client *c, struct err *err);

/* Whether the caller of this state was blocked since it connected. */
bool oh_client_is_blocked(
    const struct engine_side *side, const struct oh_state *state);

/*
 * The caller is blocked: end its session within a second, and append the
 * packets that say so to *out.
 */
void oh_client_dismiss(struct engine_side *side, struct buf *out);

/* Release the session that it reads. */
void oh_client_detach(struct oh_client *c);

/* Free the client of a side, if there is one. */
void oh_client_free(struct engine_side *side);

#endif
