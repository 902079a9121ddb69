/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_SESSIONS_H
#define API_API_SESSIONS_H

/*
 * GET /sessions and GET /sessions/{id}. Who signs sees the whole record of what
 * is theirs or nobody's. Who does not sign sees little, and only of sessions
 * that are nobody's: the id of one is its only key, so there is no list of them
 * for strangers. What is another's is answered as if it were not.
 */
struct http_req;

/* GET /sessions; arg is a door_setup. */
void api_sessions_list(struct http_req *req, void *arg);

/* GET /sessions/{id}; arg is a door_setup. */
void api_sessions_get(struct http_req *req, void *arg);

#endif
