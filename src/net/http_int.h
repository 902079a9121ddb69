/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_HTTP_INT_H
#define NET_HTTP_INT_H

/*
 * Private to net/: what the files of the HTTP server share. No other folder may
 * include this.
 *
 * A connection carries one request at a time. A request (struct http_req) lives
 * in the library's memory pool of that request. conn->req points to it from the
 * start of the handler until its reply is handed over, its stream has ended, or
 * its client is gone.
 */
#include "base/list.h"
#include "base/unfinished.h"
#include "net/http.h"
#include "net/http_origin.h"
#include "net/http_proxy.h"
#include "net/loop_int.h"

struct http_stream;

struct http_route {
	char *method; /* NULL: all but OPTIONS and WEBSOCKET */
	char *path;
	size_t method_len;
	size_t path_len;
	size_t star;  /* position of the star; path_len: none */
	bool is_deep; /* two stars: any rest matches */
	http_handler *fn;
	void *arg;
};

/* A path that pages of any origin may request. */
struct http_open {
	const char *path;
	enum http_open_to to;
};

/* The maximum number of these paths. */
#define HTTP_OPEN_PATHS 16

struct http {
	struct loop *loop;
	struct http_setup setup; /* its listeners: NULL */
	struct http_proxy_set proxies;
	struct http_origin_rules pages; /* we own its texts */
	struct http_open open[HTTP_OPEN_PATHS];
	size_t n_open;
	h2o_globalconf_t conf;
	h2o_context_t context;
	h2o_socket_t **listeners; /* NULL unless we are accepting */
	int *fds;
	size_t n_listeners;
	struct http_route *routes;
	size_t n_routes;
	struct list conns;
	size_t n_conns;
	struct list lingering; /* connections of http_linger.c */
	size_t n_lingering;
	struct loop_timer retry;  /* when to accept again */
	struct loop_timer yield;  /* the same, after others had a chance */
	int64_t yielded_ms;	  /* when they had one */
	struct loop_timer sweep;  /* when to look for slow readers */
	struct loop_timer last;	  /* draining: the end of FIRST_MS */
	struct loop_timer bodies; /* when to look at http_conn.part */
	int64_t warned_ms;	  /* last warning about the connection limit */
	int64_t warned_page_ms;	  /* last warning about a refused page */
	bool is_paused;
	bool is_draining;
	bool options_are_inherited; /* by connections from listeners */
};

struct http_conn {
	struct http *http;
	struct list link;
	h2o_socket_t *sock;
	/*
	 * The hosts it was accepted with, NULL-terminated: they lead from the
	 * library's connection to this one.
	 */
	h2o_hostconf_t *hosts[2];
	struct http_req *req;	 /* in progress, or NULL */
	struct http_req *latest; /* for http_access.h; until it is freed */
	char *peer;		 /* the same; text of addr, or NULL */
	struct http_addr addr;	 /* of its other end */
	uint32_t hold;		 /* of setup.admit() */
	size_t body_bytes;	 /* received, besides those in sock's buffer */
	bool is_upgraded;
	bool has_asked;		/* its first request has come */
	bool was_stuck;		/* it was writing at the last sweep */
	uint64_t acked_bytes;	/* by the client, at the last sweep */
	struct unfinished part; /* an incomplete body */
};

struct http_req {
	struct http_conn *conn;
	h2o_req_t *h2o;
	struct http_stream *stream;	/* NULL before http_stream_start() */
	struct http_client *client;	/* NULL until http_req_client() */
	const struct http_route *route; /* NULL: none matched */
	const char *who;		/* see http_note_who() */
	int64_t began_us;		/* 0: nobody asks */
	const char *segment;		/* not NUL-terminated; NULL: no star */
	size_t segment_len;
	void (*on_gone)(void *arg);
	void *gone_arg;
	bool is_watched;
};

/* Add to a counter that may be NULL and that other processes read. */
static inline void http_count(uint64_t *counter, uint64_t n)
{
	if (counter)
		__atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* Returns the connection of a request. */
static inline struct http_conn *http_conn_of(const h2o_req_t *q)
{
	return H2O_STRUCT_FROM_MEMBER(struct http_conn, hosts, q->conn->hosts);
}

/* Returns the length of the path as sent, without the query. */
static inline size_t http_path_len(const h2o_req_t *q)
{
	size_t query_at = q->input.query_at;
	return query_at < q->input.path.len ? query_at : q->input.path.len;
}

/* Returns the route of a request and sets the request's segment, or NULL. */
const struct http_route *http_route_find(
    const struct http *h, struct http_req *r);

/* Free all routes. */
void http_route_free_all(struct http *h);

/* Whether the client asks to speak WebSocket. */
bool http_req_wants_ws(const struct http_req *r);

/*
 * Make a connection of the server from a descriptor, as if it had been accepted
 * and upgraded.
 */
h2o_socket_t *http_import(struct http *h, int fd);

/* ---- http_admit.c: how many connections an address has ---- */

/*
 * Whether a connection from peer may stay; if not, it has been told why. Sets
 * *hold.
 */
bool http_admit(
    struct http *h, int fd, const struct http_addr *peer, uint32_t *hold);

/* The connection is closed. */
void http_admit_end(struct http *h, uint32_t *hold);

/* ---- http_client.c: who sent it ---- */

/* Find out who sent a request that came through c, from proxies and Host. */
void http_client_of(
    struct http_conn *c, h2o_req_t *q, struct http_client *client);

/* The same; the result is cached in the request. */
const struct http_client *http_req_client(const struct http_req *r);

/* ---- http_access.c: what was served ---- */

/* A logger of the library; it has no data of its own. */
struct http_access_logger {
	h2o_logger_t super;
};

/* A request reaches its handler. */
void http_access_begin(struct http_req *r);

/* Tell of the requests on this path. */
void http_access_install(h2o_pathconf_t *path);

/* Tell that a WebSocket ends. */
struct ws;
void http_access_socket(const struct ws *w);

/* ---- http_cors.c: requests of web pages ---- */

/*
 * Returns why a web page may not make this request, as text for a 403 (in the
 * request's memory), or NULL if it may or no page made it. Refusals are logged,
 * at most once per interval.
 */
const char *http_cors_fault(struct http_req *r);

/* Add the CORS headers that let allowed pages read the reply. */
void http_cors_add(h2o_req_t *q);

/* ---- http_reply.c: replies, and what streams share with them ---- */

/* Returns the words for a status, such as "Not Found". */
const char *http_req_reason(int status);

/* Set status, its reason phrase and the type (NULL: none). */
void http_req_status(h2o_req_t *q, int status, const char *type);

/* The same with CORS headers. */
void http_req_head(h2o_req_t *q, int status, const char *type);

/* Stop watching for the end of the connection; on_gone is kept. */
void http_req_unwatch(struct http_req *r);

/* The handler has answered the request: detach it and return h2o's. */
h2o_req_t *http_req_finish(struct http_req *r);

/* Report once that the request is gone, and detach it. */
void http_req_tell_gone(struct http_req *r);

/* ---- http_problem.c: errors ---- */

/* Answer with a 4xx made by this layer. */
void http_req_refuse(struct http_req *r, int status, const char *text);

/* ---- http_stream.c and http_gone.c: breaking off ---- */

/* Break off the stream of a request that was reported gone. */
void http_stream_cut(struct http_stream *s);

/* End a request and its connection now; reports the request as gone. */
void http_req_cut(struct http_req *r);

/* ---- the server ---- */

/*
 * Make the library's own error replies on this path look like ours: JSON with
 * CORS.
 */
void http_error_install(h2o_pathconf_t *path, struct http *h);

/* Start and stop counting incomplete bodies. */
void http_bodies_begin(struct http *h);
void http_bodies_end(struct http *h);

/* Initialise the count of a new connection. */
void http_bodies_adopt(struct http_conn *c);

/*
 * Read on for a while after an error reply on sock, when the library closes it.
 */
void http_linger(struct http *h, h2o_socket_t *sock);

/* Close all lingering connections. */
void http_linger_end(struct http *h);

#endif
