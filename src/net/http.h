/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_HTTP_H
#define NET_HTTP_H

/*
 * The HTTP/1.1 server of one worker, on listeners it inherited: routes, limits,
 * replies, streams and upgrades. It knows bytes, not meaning. HTTP/2 is off.
 * The traps of libh2o are handled here and nowhere else.
 *
 * Life cycle: http_new, http_route for each route, http_start, http_drain, and
 * when http_connections is 0, http_free.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct http;
struct http_req;

struct http_setup {
	const int *listeners; /* descriptors that listen, non-blocking */
	size_t n_listeners;
	size_t max_body_bytes;	     /* above: 413 before it is read whole */
	size_t max_unfinished_bytes; /* of all messages and bodies that have
					not come whole (base/unfinished.h) */
	size_t max_connections;	    /* above it, wait in the kernel's backlog */
	int64_t request_timeout_ms; /* whole request, and idle keep-alive */
	const char *trusted_proxies; /* "10.0.0.0/8, unix:"; "" trusts nobody */
	/* Which web pages may ask, when their visitor is on a private network
	 * (http_open_path). Each may be NULL, and is copied. */
	const char *allowed_origins; /* "loopback, https://x.example", "*" */
	const char *allowed_hosts;   /* names of ours, "agent.example", "*" */
	const char *own_hosts;	     /* the same, as the machine is called */
	/* Counts; each may be NULL. They are added to atomically. */
	uint64_t *accepted_total;
	uint64_t *paused_total;
	uint64_t *connections; /* gauge of this process */
	uint64_t *requests_total;
	uint64_t *refused_total; /* 4xx that this layer itself answered */
	uint64_t *unfinished;	 /* gauge of bytes (base/unfinished.h) */
	uint64_t *dropped_total; /* messages and bodies it had no room for */
};

/*
 * A new server; fatal() when trusted_proxies does not parse (conf checked it).
 */
struct http *http_new(struct loop *l, const struct http_setup *setup);

/* The library below and its release, as "libh2o 2.2.5". */
const char *http_library(void);

/* Whether a trusted_proxies text is good; *why says what is not. */
bool http_proxies_are_valid(const char *text, const char **why);

/* Whether texts of allowed_origins and allowed_hosts are good; *why: what not. */
bool http_origins_are_valid(const char *text, const char **why);
bool http_hosts_are_valid(const char *text, const char **why);

typedef void http_handler(struct http_req *req, void *arg);

/*
 * Answer method + path with fn. A path that ends in a star, as
 * "/sessions/[star]", matches one more non-empty segment, "/a/[star]/b" one in
 * the middle (http_segment), "/a/[star][star]" whatever follows, if anything;
 * the first route that matches counts; method NULL is any but OPTIONS. A GET route
 * answers HEAD as well: it replies as to GET, and the body is left out. Unknown
 * routes get 404 {"error": "not found"}, other methods of known ones 405 with
 * Allow, OPTIONS gets 204, all with CORS headers. A request
 * for a WebSocket matches routes of the method "WEBSOCKET" alone, and no others
 * do; without such a route it gets 403. Targets and headers over 64 KiB get 414
 * and 431 before any handler, and a head that another reader could take for
 * another (net/http_head.h) 400 and the end of the connection.
 */
void http_route(struct http *h, const char *method, const char *path,
    http_handler *fn, void *arg);

enum http_open_to {
	HTTP_OPEN_TO_ALL,
	HTTP_OPEN_TO_VISITS, /* a person followed a link from another site */
};

/*
 * A client on loopback or a private address may be a browser that lends its
 * place to a page from anywhere. So from there a request of a page that is
 * neither ours nor in allowed_origins, or that came by a foreign Host, gets 403
 * before any handler, WebSockets as well. This path, which does nothing and
 * tells nothing of the agent, is answered nevertheless. path is static.
 */
void http_open_path(struct http *h, const char *path, enum http_open_to to);

/* Begin to accept. */
void http_start(struct http *h);

/*
 * Stop accepting, close idle keep-alive connections, let requests in flight end
 * and close their connections after the reply. When nobody else will accept
 * (is_last), those who are connected already are accepted first.
 */
void http_drain(struct http *h, bool is_last);

/* Connections open now, upgraded ones included. */
size_t http_connections(const struct http *h);

/*
 * Free it and null *h; connections still open are cut, and told so, before it
 * returns. Call it when loop_run() has returned, never from a callback of the
 * loop.
 */
void http_free(struct http **h);

/* The method, NUL-terminated, good until the reply. */
const char *http_method(const struct http_req *req);

/* Whether it asks for what GET would get, and for the head of it alone. */
bool http_is_head(const struct http_req *req);

/* Whether it is GET or HEAD. */
bool http_is_read(const struct http_req *req);

/* The path as sent, without the query, NUL-terminated, good until the reply. */
const char *http_path(const struct http_req *req);

/*
 * The segment that the star in the route matched, NUL-terminated, not decoded.
 */
const char *http_segment(const struct http_req *req);

/* The text after '?', NUL-terminated, or "". */
const char *http_query(const struct http_req *req);

/*
 * A request header's value (lower-case name), NUL-terminated, or NULL; the
 * first one when it is doubled. The headers that frame the body are not kept.
 */
const char *http_header(const struct http_req *req, const char *name);

/*
 * Call fn for each request header that is kept, but Host, as it came but for
 * the name, which is lower-case; neither is NUL-terminated.
 */
void http_each_header(const struct http_req *req,
    void (*fn)(void *arg, const char *name, size_t name_len, const char *value,
	size_t len),
    void *arg);

/* The request body; *len bytes, good until the reply. */
const char *http_body(const struct http_req *req, size_t *len);

/*
 * The client's address as text, through
 * trusted proxies; "unix" when there is none.
 */
const char *http_peer(const struct http_req *req);

/*
 * Where the client is, as a text to compare: the address, and where a proxy that
 * we do not trust stands between, what that says of the client. So clients of
 * one such proxy are told apart, and each stays the same. Good until the reply.
 */
const char *http_place(const struct http_req *req);

/*
 * Whether that address is loopback, no proxy spoke for it, and it called us by
 * a name of ours, if by any (allowed_hosts).
 */
bool http_peer_is_loopback(const struct http_req *req);

/*
 * Call fn(arg) if the request dies before its reply has begun or, for a stream,
 * ends: the client left (or ended its sending side, which we take for it) or
 * the server closes. req must not be used after that. A later call replaces an
 * earlier one; fn NULL forgets it. Not called after a finished reply.
 */
void http_on_gone(struct http_req *req, void (*fn)(void *arg), void *arg);

/*
 * Add a header to the reply; name is lower-case, both are copied. A CORS header
 * that was added is not added again.
 */
void http_add_header(struct http_req *req, const char *name, const char *value);

/*
 * Reply with a body (copied) and its Content-Length, with CORS headers unless
 * type is text/html. Ends the request: req must not be used again. May be
 * called in the handler or any time later.
 */
void http_reply(struct http_req *req, int status, const char *type,
    const char *body, size_t len);

/* Reply {"error": text} as JSON. Ends the request. */
void http_reply_error(struct http_req *req, int status, const char *text);

/*
 * Reply 405 if there are routes for this path and other methods, without "**";
 * else do nothing. Whether it ended the request.
 */
bool http_reply_method(struct http_req *req);

/* Reply 405 with these methods, and OPTIONS, in Allow. Ends the request. */
void http_reply_allow(struct http_req *req, const char *methods);

/* Reply to HEAD what http_stream_start would begin. Ends the request. */
void http_reply_head(struct http_req *req, int status, const char *type);

/*
 * Begin a reply of unknown length (Cache-Control: no-store, X-Accel-Buffering:
 * no). on_drain(arg) runs when all that was written has been taken by the
 * kernel.
 */
void http_stream_start(struct http_req *req, int status, const char *type,
    void (*on_drain)(void *arg), void *arg);

/* Queue bytes of the reply (copied). */
void http_stream_write(struct http_req *req, const char *data, size_t len);

/* Bytes queued and not yet taken by the kernel. */
size_t http_stream_pending(const struct http_req *req);

/* End the reply. Ends the request: req must not be used again. */
void http_stream_end(struct http_req *req);

#endif
