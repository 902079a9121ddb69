/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_ASKED_H
#define OPENHANDS_OH_ASKED_H

/*
 * A request to the REST interface (oh_rest.h), for its handlers. It is counted,
 * its sender is known, and its body read, before a handler is called.
 */
#include "access/access.h"
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct door_setup;
struct http_req;
struct json;
struct session;
struct session_record;

/* A request of a client that may come in. Valid until its handler returns. */
struct oh_asked {
	struct http_req *req;
	const struct door_setup *setup;
	struct caller caller;
	bool has_key;		 /* it showed the key of the server */
	const struct json *body; /* an object; NULL: none */
	struct buf id; /* the session of the conversation in its path */
};

/* Answers the request, now or later. */
typedef void oh_asked_fn(struct oh_asked *a);

/*
 * Read the record of the conversation, without its text, into *r, with strings
 * in *memory. Returns 0, or -1 with *err: ERR_NOT_FOUND also if it belongs to
 * another caller.
 */
int oh_asked_find(struct oh_asked *a, struct buf *memory,
    struct session_record *r, struct err *err);

/*
 * Open the session of the conversation, which must exist. Returns NULL with
 * *err.
 */
struct session *oh_asked_open(struct oh_asked *a, struct err *err);

/* Whether the client may answer in the session, and delete it. */
bool oh_asked_is_holder(const struct oh_asked *a, const struct session *s);

/* Reply with what err means to a client. Ends the request. */
void oh_asked_refuse(struct http_req *req, const struct err *err);

/* Reply that there is no such conversation, or with another *err. */
void oh_asked_unknown(struct oh_asked *a, const struct err *err);

#endif
