/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_REPLY_H
#define AGENTSERVER_AS_REPLY_H

/*
 * Replies in the form of the agent server: an error is {"detail": TEXT}. Each
 * call ends the request.
 */
struct buf;
struct err;
struct http_req;

/* Reply with a JSON body. */
void as_reply(struct http_req *req, int status, const struct buf *body);

/* Reply {"success": true}. */
void as_reply_success(struct http_req *req);

/* Reply with an error. */
void as_reply_detail(struct http_req *req, int status, const char *detail);

/* Reply with what err means to a client. */
void as_reply_err(struct http_req *req, const struct err *err);

#endif
