/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef AGENTSERVER_AS_REPLY_H
#define AGENTSERVER_AS_REPLY_H

/* Errors in the form of the agent server, which is {"detail": TEXT}. */
struct err;
struct http_req;

/* Reply with what err means to a client. This ends the request. */
void as_reply_err(struct http_req *req, const struct err *err);

#endif
