/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_HTTP_ACCESS_H
#define NET_HTTP_ACCESS_H

/*
 * What was served: a call for each request when its reply has been sent or its
 * client is gone, and for each WebSocket when it ends. One function in a
 * process gets them; without one they cost nothing.
 */
#include <stddef.h>
#include <stdint.h>

struct http_req;

/* Texts may be NULL; those with a length are not NUL-terminated. */
struct http_access {
	const char *peer;   /* address of the client */
	const char *who;    /* address of a caller that has signed */
	const char *method; /* "SOCKET": the life of a WebSocket */
	size_t method_len;
	const char *path; /* as sent, without the query, which may hold keys */
	size_t path_len;
	const char *route; /* the pattern that it matched */
	size_t route_len;
	const char *id; /* of a proxy or the client: see http_access_id() */
	size_t id_len;
	int status;	   /* of a socket: 101 */
	uint64_t bytes_in; /* of bodies; of a socket: all */
	uint64_t bytes_out;
	int64_t took_us;
};

typedef void http_access_fn(const struct http_access *access, void *arg);

/* Call fn from now on; NULL: nothing. Before the server is made. */
void http_access_to(http_access_fn *fn, void *arg);

/*
 * Note who has signed a request; copied. The reply must not have begun. Does
 * nothing if nobody asks for it.
 */
void http_note_who(struct http_req *req, const char *address);

/*
 * Get what identifies a request: the trace id of a traceparent (W3C Trace
 * Context), else a request id of letters, digits, '-', '_' and '.', at most 64.
 * Either value may be NULL. Returns its beginning, or NULL, and sets *len.
 */
const char *http_access_id(const char *traceparent, size_t traceparent_len,
    const char *request_id, size_t request_id_len, size_t *len);

#endif
