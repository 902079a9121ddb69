/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_ADMIN_WATCH_H
#define API_ADMIN_WATCH_H

/*
 * What admins watch as event streams: snapshots of the server, one a second,
 * and the lines of its log (doc/status.txt). Nothing is read unless an admin
 * watches. A stream ends after ten minutes, and when its caller is no admin any
 * more; the client comes back with a new signature.
 */
struct door_setup;
struct http_req;

/*
 * Answer by the stream of GET /admin/live, or of GET /admin/logs/tail. The
 * caller has been checked.
 */
void admin_watch_live(
    struct http_req *req, const struct door_setup *setup, const char *caller);
void admin_watch_log(
    struct http_req *req, const struct door_setup *setup, const char *caller);

/* End the streams of callers that may not watch any more. */
void admin_watch_end_blocked(void);

/* End all streams. */
void admin_watch_close_all(void);

#endif
