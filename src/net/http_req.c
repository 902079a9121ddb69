/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/http_int.h"

#include "base/buf.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* What proxies say of a client is compared by so many last bytes. */
#define PLACE_BYTES 200

static const char *reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
	    {200, "OK"},
	    {201, "Created"},
	    {202, "Accepted"},
	    {204, "No Content"},
	    {302, "Found"},
	    {400, "Bad Request"},
	    {401, "Unauthorized"},
	    {402, "Payment Required"},
	    {403, "Forbidden"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {408, "Request Timeout"},
	    {409, "Conflict"},
	    {410, "Gone"},
	    {413, "Content Too Large"},
	    {414, "URI Too Long"},
	    {415, "Unsupported Media Type"},
	    {417, "Expectation Failed"},
	    {422, "Unprocessable Content"},
	    {426, "Upgrade Required"},
	    {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"},
	    {500, "Internal Server Error"},
	    {501, "Not Implemented"},
	    {502, "Bad Gateway"},
	    {503, "Service Unavailable"},
	    {504, "Gateway Timeout"},
	};
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (reasons[i].status == status)
			return reasons[i].reason;
	}
	return "Status";
}

void http_req_head(h2o_req_t *q, int status, const char *type)
{
	static const char html[] = "text/html";
	/* Make room for what nearly every reply has, at once. */
	h2o_vector_reserve(&q->pool, &q->res.headers, 8);
	q->res.status = status;
	q->res.reason = reason_of(status);
	if (type) {
		h2o_iovec_t copy = h2o_strdup(&q->pool, type, SIZE_MAX);
		h2o_add_header(&q->pool, &q->res.headers,
		    H2O_TOKEN_CONTENT_TYPE, NULL, copy.base, copy.len);
	}
	if (!type || strncmp(type, html, sizeof(html) - 1) != 0)
		http_cors_add(q);
}

bool http_req_wants_ws(const struct http_req *r)
{
	const h2o_iovec_t *upgrade = &r->h2o->upgrade;
	return upgrade->base && h2o_lcstris(upgrade->base, upgrade->len,
				    H2O_STRLIT("websocket"));
}

static void unwatch(struct http_req *r)
{
	if (!r->is_watched)
		return;
	r->is_watched = false;
	h2o_socket_read_stop(r->conn->sock);
	h2o_socket_dont_read(r->conn->sock, 0);
}

h2o_req_t *http_req_finish(struct http_req *r)
{
	unwatch(r);
	r->conn->req = NULL;
	if (r->conn->http->is_draining)
		r->h2o->http1_is_persistent = 0;
	return r->h2o;
}

void http_req_tell_gone(struct http_req *r)
{
	void (*on_gone)(void *) = r->on_gone;
	r->on_gone = NULL;
	r->conn->req = NULL;
	if (on_gone)
		on_gone(r->gone_arg);
}

/* Answer into the void: the library then closes the connection. */
static void drop(h2o_req_t *q)
{
	static h2o_generator_t nothing;
	q->http1_is_persistent = 0;
	q->res.status = 500;
	q->res.content_length = 0;
	h2o_start_response(q, &nothing);
	h2o_send(q, NULL, 0, H2O_SEND_STATE_FINAL);
}

void http_req_cut(struct http_req *r)
{
	struct http_stream *stream = r->stream;
	h2o_req_t *q = r->h2o;
	unwatch(r);
	/* Whatever is being written fails from now on. */
	(void)shutdown(h2o_socket_get_fd(r->conn->sock), SHUT_RDWR);
	http_req_tell_gone(r);
	if (stream)
		http_stream_cut(stream);
	else
		drop(q);
}

/*
 * Something can be read while a request waits for its reply. Only look: the
 * request's bytes lie in the input buffer, which reading could move.
 */
static void on_peer(h2o_socket_t *sock, const char *err)
{
	(void)err;
	struct http_conn *c = sock->on_close.data;
	char byte;
	ssize_t n = recv(h2o_socket_get_fd(sock), &byte, sizeof(byte),
	    MSG_PEEK | MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		/* A pipelined request; behind it we cannot see an end. */
		unwatch(c->req);
	else
		http_req_cut(c->req);
}

static const char *pool_text(
    const struct http_req *r, const char *p, size_t len)
{
	return h2o_strdup(&r->h2o->pool, p, len).base;
}

const char *http_method(const struct http_req *req)
{
	const h2o_iovec_t *method = &req->h2o->input.method;
	return pool_text(req, method->base, method->len);
}

bool http_is_head(const struct http_req *req)
{
	const h2o_iovec_t *method = &req->h2o->input.method;
	return h2o_memis(method->base, method->len, H2O_STRLIT("HEAD"));
}

bool http_is_read(const struct http_req *req)
{
	const h2o_iovec_t *method = &req->h2o->input.method;
	return http_is_head(req) ||
	       h2o_memis(method->base, method->len, H2O_STRLIT("GET"));
}

const char *http_path(const struct http_req *req)
{
	return pool_text(
	    req, req->h2o->input.path.base, http_path_len(req->h2o));
}

const char *http_segment(const struct http_req *req)
{
	if (!req->segment)
		return "";
	return pool_text(req, req->segment, req->segment_len);
}

const char *http_query(const struct http_req *req)
{
	const h2o_iovec_t *path = &req->h2o->input.path;
	size_t at = http_path_len(req->h2o);
	if (at == path->len)
		return "";
	return pool_text(req, path->base + at + 1, path->len - at - 1);
}

const char *http_header(const struct http_req *req, const char *name)
{
	/* The library keeps these two apart from the others. */
	const h2o_iovec_t *own = NULL;
	if (strcmp(name, "host") == 0)
		own = &req->h2o->input.authority;
	else if (strcmp(name, "upgrade") == 0)
		own = &req->h2o->upgrade;
	if (own)
		return own->base ? pool_text(req, own->base, own->len) : NULL;
	const h2o_headers_t *headers = &req->h2o->headers;
	ssize_t at = h2o_find_header_by_str(headers, name, strlen(name), -1);
	if (at < 0)
		return NULL;
	const h2o_iovec_t *value = &headers->entries[at].value;
	return pool_text(req, value->base, value->len);
}

void http_each_header(const struct http_req *req,
    void (*fn)(void *arg, const char *name, size_t name_len, const char *value,
	size_t len),
    void *arg)
{
	const h2o_headers_t *headers = &req->h2o->headers;
	for (size_t i = 0; i < headers->size; i++) {
		const h2o_header_t *h = &headers->entries[i];
		fn(arg, h->name->base, h->name->len, h->value.base,
		    h->value.len);
	}
}

const char *http_body(const struct http_req *req, size_t *len)
{
	const h2o_iovec_t *body = &req->h2o->entity;
	*len = body->base ? body->len : 0;
	return body->base ? body->base : "";
}

/* All X-Forwarded-For lines as one list. */
static void join_chain(struct http_forwarded *out, h2o_req_t *q)
{
	const h2o_headers_t *headers = &q->headers;
	h2o_iovec_t all = {NULL, 0};
	ssize_t at = -1;
	while ((at = h2o_find_header(headers, H2O_TOKEN_X_FORWARDED_FOR, at)) !=
	       -1) {
		h2o_iovec_t line = headers->entries[at].value;
		if (all.base)
			all = h2o_concat(&q->pool, all,
			    h2o_iovec_init(H2O_STRLIT(",")), line);
		else
			all = line;
	}
	out->chain = all.base;
	out->chain_len = all.len;
}

static const struct http_addr *direct_addr(struct http_conn *c)
{
	if (c->has_addr)
		return &c->addr;
	union {
		struct sockaddr any;
		struct sockaddr_storage room;
	} sa = {.any.sa_family = AF_UNSPEC};
	socklen_t len = sizeof(sa);
	if (getpeername(h2o_socket_get_fd(c->sock), &sa.any, &len) < 0)
		sa.any.sa_family = AF_UNSPEC; /* it has left: "unknown" */
	c->addr = http_proxy_addr(&sa.any);
	c->has_addr = true;
	return &c->addr;
}

void http_client_of(
    struct http_conn *c, h2o_req_t *q, struct http_client *client)
{
	struct http_forwarded forwarded = {
	    .has_other = h2o_find_header_by_str(
			     &q->headers, H2O_STRLIT("forwarded"), -1) != -1,
	};
	join_chain(&forwarded, q);
	http_proxy_client(
	    client, &c->http->proxies, direct_addr(c), &forwarded);
	/* A name that was made to lead here is how a page passes for local. */
	client->is_loopback =
	    client->is_loopback &&
	    http_origin_host_is_ours(&c->http->pages, q->input.authority.base,
		q->input.authority.len);
}

const struct http_client *http_req_client(const struct http_req *req)
{
	if (req->client)
		return req->client;
	struct http_client *client = libh2o_alloc(req->h2o, sizeof(*client));
	http_client_of(req->conn, req->h2o, client);
	/* A cache: the request is the same to whoever looks at it. */
	((struct http_req *)(uintptr_t)req)->client = client;
	return client;
}

const char *http_peer(const struct http_req *req)
{
	return http_req_client(req)->text;
}

/* The last Forwarded line, which the nearest proxy wrote. */
static h2o_iovec_t last_forwarded(const h2o_headers_t *headers)
{
	h2o_iovec_t last = {NULL, 0};
	ssize_t at = -1;
	while ((at = h2o_find_header_by_str(
		    headers, H2O_STRLIT("forwarded"), at)) != -1)
		last = headers->entries[at].value;
	return last;
}

/* The end of a list, where the nearest proxies are. */
static h2o_iovec_t tail_of(const char *text, size_t len)
{
	size_t cut = len > PLACE_BYTES ? len - PLACE_BYTES : 0;
	return text ? h2o_iovec_init(text + cut, len - cut)
		    : h2o_iovec_init(H2O_STRLIT(""));
}

const char *http_place(const struct http_req *req)
{
	const struct http_client *client = http_req_client(req);
	h2o_req_t *q = req->h2o;
	struct http_forwarded said = {.chain = NULL};
	if (!client->is_vague)
		return client->text;
	join_chain(&said, q);
	h2o_iovec_t other = last_forwarded(&q->headers);
	return h2o_concat(&q->pool,
	    h2o_iovec_init(client->text, strlen(client->text)),
	    h2o_iovec_init(H2O_STRLIT(" for ")),
	    tail_of(said.chain, said.chain_len),
	    h2o_iovec_init(H2O_STRLIT(" or ")), tail_of(other.base, other.len))
	    .base;
}

bool http_peer_is_loopback(const struct http_req *req)
{
	return http_req_client(req)->is_loopback;
}

void http_on_gone(struct http_req *req, void (*fn)(void *arg), void *arg)
{
	req->on_gone = fn;
	req->gone_arg = arg;
	if (!fn || req->is_watched)
		return;
	h2o_socket_t *sock = req->conn->sock;
	h2o_socket_dont_read(sock, 1);
	h2o_socket_read_start(sock, on_peer);
	req->is_watched = true;
}

void http_add_header(struct http_req *req, const char *name, const char *value)
{
	h2o_req_t *q = req->h2o;
	h2o_iovec_t copy = h2o_strdup(&q->pool, value, SIZE_MAX);
	h2o_iovec_t own_name = h2o_strdup(&q->pool, name, SIZE_MAX);
	/* A line end would let a value forge what follows. */
	for (size_t i = 0; i < copy.len; i++) {
		if (copy.base[i] == '\r' || copy.base[i] == '\n')
			copy.base[i] = ' ';
	}
	h2o_add_header_by_str(&q->pool, &q->res.headers, own_name.base,
	    own_name.len, 0, NULL, copy.base, copy.len);
}

void http_reply(struct http_req *req, int status, const char *type,
    const char *body, size_t len)
{
	static h2o_generator_t done;
	h2o_req_t *q = http_req_finish(req);
	http_req_head(q, status, type);
	q->res.content_length = len;
	h2o_iovec_t copy = {NULL, 0};
	if (len && !http_is_head(req))
		copy = h2o_strdup(&q->pool, body, len);
	h2o_start_response(q, &done);
	h2o_send(q, &copy, copy.len ? 1 : 0, H2O_SEND_STATE_FINAL);
}

void http_reply_error(struct http_req *req, int status, const char *text)
{
	struct buf b = {0};
	buf_str(&b, "{\"error\": ");
	buf_json_str(&b, text);
	buf_char(&b, '}');
	http_reply(req, status, "application/json", b.data, b.len);
	buf_fini(&b);
}

void http_req_refuse(struct http_req *r, int status, const char *text)
{
	http_count(r->conn->http->setup.refused_total, 1);
	http_reply_error(r, status, text);
}
