/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DOOR_KNOWN_SESSION_H
#define DOOR_KNOWN_SESSION_H

/*
 * Sessions for callers that read or change them. session_open() would create a
 * session that is unknown, and these must not.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct caller;
struct door_setup;
struct err;
struct http_req;
struct session;

/*
 * Open the session of this id, if something is stored of it, for a caller that
 * may open it, or is an admin. Returns NULL with ERR_NOT_FOUND, also for
 * sessions of other callers; or ERR_DAMAGED, ERR_STORE, ERR_FULL.
 */
struct session *known_session_open(const struct door_setup *setup,
    const char *id, size_t len, const struct caller *who, struct err *err);

/*
 * The same for the segment of the path of a request; a failure is the reply.
 */
struct session *known_session_of(struct http_req *req,
    const struct door_setup *setup, const struct caller *who);

/*
 * Check that this caller may also change the session, from this origin
 * (http_place()). Returns 0, or -1 with ERR_FORBIDDEN: nobody owns the session,
 * and another client holds it.
 */
int known_session_may_change(const struct session *s, const struct caller *who,
    const char *place, struct err *err);

#endif
