/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_PENDING_H
#define OPENHANDS_OH_PENDING_H

/*
 * Requests that wait until what they want is stored: an input, a title, a
 * deletion. If the client leaves, it is done all the same.
 */
#include <stdbool.h>
#include <stddef.h>

struct err;
struct http_req;
struct oh_asked;
struct session;
struct session_input;

/*
 * Answers the request. id is that of the session; err is NULL, or why it was
 * refused.
 */
typedef void oh_pending_fn(
    struct http_req *req, const char *id, const struct err *err);

/* Submit an input, and reply when it is accepted. Takes the session. */
void oh_pending_input(struct oh_asked *a, struct session *s,
    const struct session_input *in, oh_pending_fn *reply);

/*
 * Set the title of a session; that stores one in which nothing was said. Takes
 * the session.
 */
void oh_pending_title(struct oh_asked *a, struct session *s, const char *title,
    size_t len, oh_pending_fn *reply);

/* Delete a session. Takes it. */
void oh_pending_delete(
    struct oh_asked *a, struct session *s, oh_pending_fn *reply);

/* This process exits: answer all of them. */
void oh_pending_close_all(void);

#endif
