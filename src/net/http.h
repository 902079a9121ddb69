/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_HTTP_H
#define NET_HTTP_H

/*
 * The HTTP/1.1 server of one worker, on inherited listeners: routes, limits,
 * replies, streams and upgrades. It knows bytes, not their meaning. HTTP/2 is
 * off. The traps of libh2o are handled here and nowhere else.
 *
 * Life cycle: http_new(), http_route() for each route, http_start(),
 * http_drain(), and when http_connections() is 0, http_free(). Loop's thread
 * only.
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
	size_t max_body_bytes;	     /* 413 above this, before it is read */
	size_t max_unfinished_bytes; /* see base/unfinished.h */
	size_t max_connections;	     /* others wait in the backlog */
	int64_t request_timeout_ms;  /* to arrive whole; idle keep-alive */
	const char *trusted_proxies; /* "10.0.0.0/8, unix:"; "" trusts nobody */
	/*
	 * Which web pages may make requests if their visitor is on a private
	 * network (http_open_path()). Each may be NULL, and is copied.
	 */
	const char *allowed_origins; /* "loopback, https://x.example", "*" */
	const char *allowed_hosts;   /* our names, "agent.example", "*" */
	const char *own_hosts;	     /* likewise, derived from the machine */
	/*
	 * Whether a connection from this address may stay; it is counted in
	 * *hold, for release(). Not asked about trusted proxies and socket
	 * files. admit may be NULL: then all may stay.
	 */
	bool (*admit)(
	    void *arg, const char *peer, bool is_loopback, uint32_t *hold);
	void (*release)(void *arg, uint32_t *hold);
	void *admit_arg; /* of admit, release and is_fuller */
	/*
	 * Whether another process that accepts should have the next connection;
	 * it gets a moment. NULL: never.
	 */
	bool (*is_fuller)(void *arg);
	/* Counters, added to atomically; each may be NULL. */
	uint64_t *accepted_total;
	uint64_t *paused_total;
	uint64_t *yielded_total;
	uint64_t *connections; /* gauge of this process */
	uint64_t *requests_total;
	uint64_t *refused_total; /* 4xx replies made by this layer itself */
	uint64_t *unfinished;	 /* gauge of bytes (base/unfinished.h) */
	uint64_t *dropped_total; /* messages and bodies dropped for room */
};

/*
 * Create a server. Calls fatal() if trusted_proxies is invalid (conf has
 * checked it). Never returns NULL.
 */
struct http *http_new(struct loop *l, const struct http_setup *setup);

/* Returns the HTTP library and its release, such as "libh2o 2.2.5". */
const char *http_library(void);

/* Whether a trusted_proxies text is valid; if not, *why says what is wrong. */
bool http_proxies_are_valid(const char *text, const char **why);

/*
 * Whether a text of allowed_origins or allowed_hosts is valid; if not, *why
 * says what is wrong.
 */
bool http_origins_are_valid(const char *text, const char **why);
bool http_hosts_are_valid(const char *text, const char **why);

typedef void http_handler(struct http_req *req, void *arg);

/*
 * Answer method + path with fn. A path that ends in a star, as in
 * "/sessions/[star]", matches one more non-empty segment; "/a/[star]/b" matches
 * one in the middle (http_segment()); "/a/[star][star]" matches any rest, even
 * an empty one. The first matching route counts. A NULL method matches all but
 * OPTIONS. A GET route answers HEAD as well: the handler replies as to GET, and
 * the body is left out. Unknown routes get 404 {"error": "not found"}, other
 * methods of known routes 405 with Allow, OPTIONS gets 204, all with CORS
 * headers. A WebSocket request matches only routes of the method "WEBSOCKET",
 * and no other request does; without such a route it gets 403. Before any
 * handler, targets and headers over 64 KiB get 414 and 431, and a head that
 * another reader could parse differently (net/http_head.h) gets 400 and the end
 * of the connection.
 */
void http_route(struct http *h, const char *method, const char *path,
    http_handler *fn, void *arg);

enum http_open_to {
	HTTP_OPEN_TO_ALL,
	HTTP_OPEN_TO_VISITS, /* a person followed a link from another site */
};

/*
 * A client on loopback or a private address may be a browser that lends its
 * place in the network to a page from anywhere. So a request from there, made
 * by a page that is neither ours nor in allowed_origins, or that came by a
 * foreign Host, gets 403 before any handler; WebSockets as well. The path given
 * here is answered nevertheless: it must have no effect and reveal nothing
 * about the agent. path must be static; if it ends in a star, all paths that
 * begin so are meant.
 */
void http_open_path(struct http *h, const char *path, enum http_open_to to);

/* Begin to accept connections. */
void http_start(struct http *h);

/*
 * Stop accepting, close idle keep-alive connections, let requests in flight
 * finish, and close their connections after the reply. A connection that has
 * not sent its first request yet has a second to do so. If no other process
 * will accept (is_last), connections in the backlog are accepted first.
 */
void http_drain(struct http *h, bool is_last);

/* Returns how many connections are open, including upgraded ones. */
size_t http_connections(const struct http *h);

/*
 * Free the server and set *h to NULL. Connections that are still open are cut,
 * and their requests told so, before it returns. Call it after loop_run() has
 * returned, never from a callback of the loop.
 */
void http_free(struct http **h);

/* Returns the method, NUL-terminated, valid until the reply. */
const char *http_method(const struct http_req *req);

/* Whether it is HEAD: it asks for the head of the reply to GET. */
bool http_is_head(const struct http_req *req);

/* Whether it is GET or HEAD. */
bool http_is_read(const struct http_req *req);

/*
 * Returns the path as sent, without the query, NUL-terminated, valid until the
 * reply.
 */
const char *http_path(const struct http_req *req);

/*
 * Returns the segment that the star in the route matched, NUL-terminated, not
 * decoded.
 */
const char *http_segment(const struct http_req *req);

/* Returns the text after '?', NUL-terminated, or "". */
const char *http_query(const struct http_req *req);

/*
 * Returns the value of a request header (name in lower case), NUL-terminated,
 * or NULL. Of duplicates the first counts. Headers that frame the body are not
 * kept.
 */
const char *http_header(const struct http_req *req, const char *name);

/*
 * Call fn for each request header that is kept, except Host. The name is in
 * lower case, the value as it came; neither is NUL-terminated.
 */
void http_each_header(const struct http_req *req,
    void (*fn)(void *arg, const char *name, size_t name_len, const char *value,
	size_t len),
    void *arg);

/* Returns the request body, *len bytes, valid until the reply. */
const char *http_body(const struct http_req *req, size_t *len);

/*
 * Returns the client's address as text, as seen through trusted proxies; "unix"
 * if it has none.
 */
const char *http_peer(const struct http_req *req);

/*
 * Returns a text that identifies where the client is, for comparison: its
 * address and, if a proxy that we do not trust stands between, what that proxy
 * says about the client. So clients of one such proxy are told apart, and the
 * text of each is stable. Valid until the reply.
 */
const char *http_place(const struct http_req *req);

/*
 * Whether that address is loopback, no proxy forwarded the request, and Host,
 * if present, is one of our names (allowed_hosts).
 */
bool http_peer_is_loopback(const struct http_req *req);

/*
 * Call fn(arg) if the request ends before its reply has begun or, for a stream,
 * before http_stream_end(): because the client left (or shut down its sending
 * side, which we treat alike) or the server closes. req must not be used after
 * that. A later call replaces an earlier one; fn NULL cancels it. Not called
 * after a finished reply.
 */
void http_on_gone(struct http_req *req, void (*fn)(void *arg), void *arg);

/*
 * Add a header to the reply; name must be in lower case, both are copied. A
 * CORS header added here suppresses the automatic one.
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
 * Reply with an error whose body is a JSON object (copied) that begins with the
 * member "error", a string. A client whose Accept names
 * application/problem+json gets the members of RFC 9457 before it, and that
 * type. Ends the request.
 */
void http_reply_problem(
    struct http_req *req, int status, const char *body, size_t len);

/*
 * Reply 405 if this path has routes for other methods (those with "**" do not
 * count). Returns whether it replied, which ends the request.
 */
bool http_reply_method(struct http_req *req);

/* Reply 405 with these methods and OPTIONS in Allow. Ends the request. */
void http_reply_allow(struct http_req *req, const char *methods);

/*
 * Answer HEAD with the head that http_stream_start() would send. Ends the
 * request.
 */
void http_reply_head(struct http_req *req, int status, const char *type);

/*
 * Begin a reply of unknown length (Cache-Control: no-store, X-Accel-Buffering:
 * no). on_drain(arg) is called whenever the kernel has taken all that was
 * written.
 */
void http_stream_start(struct http_req *req, int status, const char *type,
    void (*on_drain)(void *arg), void *arg);

/* Queue bytes of the reply (copied). */
void http_stream_write(struct http_req *req, const char *data, size_t len);

/* Returns how many bytes are queued and not yet taken by the kernel. */
size_t http_stream_pending(const struct http_req *req);

/* End the reply. Ends the request: req must not be used again. */
void http_stream_end(struct http_req *req);

#endif
