/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_SESSIONS_H
#define API_API_SESSIONS_H

/*
 * GET /sessions and GET /sessions/{id}. A signed request gets complete records:
 * of the caller's own sessions, and of those without an owner (by id; listed
 * only for admins and on this machine). An unsigned request sees little, and
 * only of sessions without an owner: the id is the only protection of such a
 * session, so strangers cannot list them. A session owned by another caller is
 * reported as not found.
 */
struct http_req;

/* GET /sessions; arg is a door_setup. */
void api_sessions_list(struct http_req *req, void *arg);

/* GET /sessions/{id}; arg is a door_setup. */
void api_sessions_get(struct http_req *req, void *arg);

#endif
