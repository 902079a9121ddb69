/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/http.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/tcp.h"
#include "net/http_head.h"
#include "net/http_int.h"

#include <errno.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Connections accepted in one turn of the loop, so that workers share a burst.
 */
#define ACCEPTS_PER_TURN 16

/*
 * The longest request target, and the largest header block, that a handler
 * sees.
 */
#define MAX_HEAD_BYTES 65536

/* After running out of descriptors or memory, accept again after this time. */
#define RETRY_MS 200

/* How long a process with fewer connections gets to accept one. */
#define YIELD_MS 2

/* The interval between warnings that the connection limit is reached. */
#define WARN_EVERY_MS 60000

/* A peer that does not acknowledge what we sent for this long is dead. */
#define DEAD_PEER_MS 60000

/*
 * When draining, a connection without a request yet has this long to send one:
 * its client has no reason to believe that it is idle.
 */
#define FIRST_MS 1000

/*
 * How many turns of the loop http_free() gives to the connections that it cuts.
 */
#define FREE_TURNS 100

struct main_handler {
	h2o_handler_t super;
	struct http *http;
};

static void on_accept(h2o_socket_t *listener, const char *err);

static void pause_accept(struct http *h)
{
	if (h->is_paused)
		return;
	h->is_paused = true;
	http_count(h->setup.paused_total, 1);
	/*
	 * The loop is level-triggered: a listener that is not read would spin.
	 */
	for (size_t i = 0; h->listeners && i < h->n_listeners; i++)
		h2o_socket_read_stop(h->listeners[i]);
	int64_t now_ms = clock_mono_ms();
	if (h->warned_ms && now_ms - h->warned_ms < WARN_EVERY_MS)
		return;
	h->warned_ms = now_ms;
	log_warn("http: accept paused, connections=%zu of %zu: further ones "
		 "wait in the backlog",
	    h->n_conns, h->setup.max_connections);
}

static void resume_accept(struct http *h)
{
	if (!h->is_paused || h->n_conns >= h->setup.max_connections)
		return;
	h->is_paused = false;
	for (size_t i = 0; h->listeners && i < h->n_listeners; i++)
		h2o_socket_read_start(h->listeners[i], on_accept);
}

static void on_yielded(void *arg)
{
	struct http *h = arg;
	h->yielded_ms = clock_mono_ms();
	for (size_t i = 0; !h->is_paused && h->listeners && i < h->n_listeners;
	     i++)
		h2o_socket_read_start(h->listeners[i], on_accept);
}

/*
 * Let other processes accept first if they have fewer connections. Those that
 * do not, in time, have lost their turn.
 */
static bool yields(struct http *h)
{
	if (!h->setup.is_fuller ||
	    clock_mono_ms() - h->yielded_ms <= 2 * YIELD_MS ||
	    !h->setup.is_fuller(h->setup.admit_arg))
		return false;
	http_count(h->setup.yielded_total, 1);
	for (size_t i = 0; i < h->n_listeners; i++)
		h2o_socket_read_stop(h->listeners[i]);
	loop_timer_set(h->loop, &h->yield, YIELD_MS);
	return true;
}

static void on_retry(void *arg)
{
	resume_accept(arg);
}

/* Called when the descriptor is closed, whoever owned the connection last. */
static void on_conn_closed(void *data)
{
	struct http_conn *c = data;
	struct http *h = c->http;
	list_remove(&c->link);
	unfinished_release(&c->part);
	http_admit_end(h, &c->hold);
	free(c->peer);
	free(c);
	h->n_conns--;
	http_count(h->setup.connections, (uint64_t)-1);
	resume_accept(h);
}

static struct http_conn *http_adopt(
    struct http *h, h2o_socket_t *sock, struct http_addr peer)
{
	struct http_conn *c = mem_zero(sizeof *c);
	c->http = h;
	c->sock = sock;
	c->addr = peer;
	list_append(&h->conns, &c->link);
	sock->on_close.cb = on_conn_closed;
	sock->on_close.data = c;
	h->n_conns++;
	http_bodies_adopt(c);
	http_count(h->setup.connections, 1);
	return c;
}

/* The descriptor comes from another process of the server. */
h2o_socket_t *http_import(struct http *h, int fd)
{
	h2o_socket_t *sock = h2o_evloop_socket_create(
	    loop_h2o(h->loop), fd, H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION);
	struct http_conn *c = http_adopt(h, sock, (struct http_addr){0});
	c->is_upgraded = true;
	return sock;
}

/* Have the library read requests from a new connection. */
static void begin_http(struct http *h, struct http_conn *c)
{
	http_count(h->setup.accepted_total, 1);
	c->hosts[0] = h->conf.hosts[0];
	h2o_accept_ctx_t accept = {.ctx = &h->context, .hosts = c->hosts};
	h2o_accept(&accept, c->sock);
}

/*
 * Connections inherit the options of the listener, except on some systems that
 * only resemble Linux, and those that were made before the options were set,
 * which are the first to be accepted.
 */
static void ensure_options(struct http *h, int fd)
{
	int on = 0;
	socklen_t len = sizeof on;
	if (h->options_are_inherited)
		return;
	(void)getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len);
	h->options_are_inherited = on;
	if (!on)
		tcp_tune(fd, DEAD_PEER_MS);
}

/*
 * Accept one connection. The library's own call would set options that it
 * inherits from the listener, and would not tell whose connection it is.
 * Returns false with errno if there is none.
 */
static bool accept_one(struct http *h, h2o_socket_t *listener)
{
	union {
		struct sockaddr any;
		struct sockaddr_storage room;
	} sa = {.any.sa_family = AF_UNSPEC};
	socklen_t len = sizeof sa;
	int fd = accept4(h2o_socket_get_fd(listener), &sa.any, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return false;
	const struct http_addr peer = http_proxy_addr(&sa.any);
	uint32_t hold;
	if (!http_admit(h, fd, &peer, &hold)) {
		close(fd);
		return true;
	}
	ensure_options(h, fd);
	h2o_socket_t *sock = h2o_evloop_socket_create(
	    loop_h2o(h->loop), fd, H2O_SOCKET_FLAG_IS_ACCEPTED_CONNECTION);
	struct http_conn *c = http_adopt(h, sock, peer);
	c->hold = hold;
	begin_http(h, c);
	return true;
}

static void on_accept(h2o_socket_t *listener, const char *err)
{
	(void)err; /* accept() reports more */
	struct http *h = listener->data;
	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		if (h->n_conns >= h->setup.max_connections) {
			pause_accept(h);
			return;
		}
		if (yields(h))
			return;
		if (accept_one(h, listener))
			continue;
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
		    errno == ENOBUFS) {
			pause_accept(h);
			loop_timer_set(h->loop, &h->retry, RETRY_MS);
		}
		return;
	}
}

/* Returns the size in bytes of all request headers. */
static size_t header_bytes(const h2o_headers_t *headers)
{
	size_t n = 0;
	for (size_t i = 0; i < headers->size; i++)
		n += headers->entries[i].name->len +
		     headers->entries[i].value.len + 4;
	return n;
}

/*
 * Refuse a request that exceeds a limit of this layer. Returns whether it did.
 */
static bool refuse_oversize(const struct http *h, struct http_req *r)
{
	const h2o_req_t *q = r->h2o;
	if (q->input.path.len > MAX_HEAD_BYTES)
		http_req_refuse(r, 414, "Request target too long");
	else if (header_bytes(&q->headers) > MAX_HEAD_BYTES)
		http_req_refuse(r, 431, "Request header too large");
	else if (q->entity.base && q->entity.len > h->setup.max_body_bytes)
		http_req_refuse(r, 413, "Request body too large");
	else
		return false;
	return true;
}

/*
 * Returns what a proxy in front of us may have parsed differently in a request,
 * or NULL. If the head is gone, the end of the body is uncertain, so nothing
 * may follow on the connection.
 */
static const char *fault_of(h2o_req_t *q, const h2o_socket_t *sock)
{
	bool is_1_0 = q->version < 0x101;
	h2o_iovec_t head = libh2o_head(q, sock);
	if (head.base)
		return http_head_fault(head.base, head.len, is_1_0);
	q->http1_is_persistent = 0;
	return q->input.authority.base || is_1_0 ? NULL : "Host is missing";
}

/*
 * Refuse such a request and stop reading: what follows may not be what it
 * seems.
 */
static bool refuse_fault(struct http *h, struct http_req *r)
{
	const char *fault = fault_of(r->h2o, r->conn->sock);
	if (!fault)
		return false;
	r->h2o->http1_is_persistent = 0;
	http_req_refuse(r, 400, fault);
	http_linger(h, r->conn->sock);
	return true;
}

/* This comes before any route, so that handlers need not care about it. */
static bool refuse_page(struct http_req *r)
{
	const char *fault = http_cors_fault(r);
	if (fault)
		http_req_refuse(r, 403, fault);
	return fault;
}

static void dispatch(struct http *h, struct http_req *r)
{
	const h2o_iovec_t *method = &r->h2o->input.method;
	if (refuse_fault(h, r) || refuse_oversize(h, r) || refuse_page(r))
		return;
	const struct http_route *rt = http_route_find(h, r);
	r->route = rt;
	if (rt)
		rt->fn(r, rt->arg);
	else if (h2o_memis(method->base, method->len, H2O_STRLIT("OPTIONS")))
		http_reply(r, 204, NULL, NULL, 0);
	else if (http_req_wants_ws(r))
		http_req_refuse(r, 403, "forbidden");
	else if (!http_reply_method(r))
		http_req_refuse(r, 404, "not found");
}

static int http_on_request(h2o_handler_t *self, h2o_req_t *q)
{
	struct http *h = ((struct main_handler *)self)->http;
	struct http_req *r = libh2o_alloc(q, sizeof *r);
	*r = (struct http_req){.conn = http_conn_of(q), .h2o = q};
	r->conn->req = r;
	r->conn->has_asked = true;
	http_count(h->setup.requests_total, 1);
	http_access_begin(r);
	dispatch(h, r);
	return 0;
}

/*
 * Returns how many bytes the client has acknowledged; without TCP, a different
 * number each time.
 */
static uint64_t acked_bytes(const struct http_conn *c)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof info;
	if (getsockopt(h2o_socket_get_fd(c->sock), IPPROTO_TCP, TCP_INFO, &info,
		&len) < 0)
		return c->acked_bytes + 1;
	return info.tcpi_bytes_acked;
}

/*
 * The library never times out a write. Cut clients that took nothing of a reply
 * for a whole period, or a few of them could hold all connections.
 */
static void http_on_sweep(void *arg)
{
	struct http *h = arg;
	list_each_safe(it, &h->conns)
	{
		struct http_conn *c = list_entry(it, struct http_conn, link);
		if (c->is_upgraded || !h2o_socket_is_writing(c->sock)) {
			c->was_stuck = false;
			continue;
		}
		uint64_t acked = acked_bytes(c);
		if (c->was_stuck && acked == c->acked_bytes)
			(void)shutdown(h2o_socket_get_fd(c->sock), SHUT_RDWR);
		c->was_stuck = true;
		c->acked_bytes = acked;
	}
	loop_timer_set(h->loop, &h->sweep, h->setup.request_timeout_ms);
}

static void set_conf(struct http *h)
{
	h2o_config_init(&h->conf);
	h->conf.server_name = h2o_iovec_init(H2O_STRLIT(""));
	h->conf.http1.req_timeout = (uint64_t)h->setup.request_timeout_ms;
	h->conf.http1.upgrade_to_http2 = 0;
	/*
	 * The library's limit for chunked bodies is exclusive; ours is checked
	 * again.
	 */
	h->conf.max_request_entity_size = h->setup.max_body_bytes + 1;
	h2o_hostconf_t *host = h2o_config_register_host(
	    &h->conf, h2o_iovec_init(H2O_STRLIT("default")), 65535);
	h2o_pathconf_t *all = h2o_config_register_path(host, "/", 0);
	struct main_handler *handler =
	    (void *)h2o_create_handler(all, sizeof *handler);
	handler->super.on_req = http_on_request;
	handler->http = h;
	http_access_install(all);
	/*
	 * Replies that never reach a handler use the host's fallback path and,
	 * in later releases, the path of the request if that is known.
	 */
	http_error_install(&host->fallback_path, h);
#ifdef HAVE_H2O_SENDVEC
	http_error_install(all, h);
#endif
	h2o_context_init(&h->context, loop_h2o(h->loop), &h->conf);
}

static void close_listeners(struct http *h)
{
	if (!h->listeners)
		return;
	for (size_t i = 0; i < h->n_listeners; i++)
		h2o_socket_close(h->listeners[i]);
	free(h->listeners);
	h->listeners = NULL;
	loop_timer_stop(h->loop, &h->retry);
}

/* Clients that are connected already get an answer instead of a reset. */
static void accept_rest(struct http *h)
{
	for (size_t i = 0; h->listeners && i < h->n_listeners; i++) {
		while (h->n_conns < h->setup.max_connections &&
		       accept_one(h, h->listeners[i]))
			;
	}
}

/* For each connection that waits for a request: take no more from it. */
static int end_idle(h2o_req_t *q, void *arg)
{
	struct http_conn *c = http_conn_of(q);
	const bool *only_used = arg;

	if (q->timestamps.request_begin_at.tv_sec ||
	    (*only_used && !c->has_asked))
		return 0;
	(void)shutdown(h2o_socket_get_fd(c->sock), SHUT_RD);
	return 0;
}

static void end_idles(struct http *h, bool only_used)
{
	libh2o_each_request(&h->context, end_idle, &only_used);
}

static void on_last(void *arg)
{
	end_idles(arg, false);
}

static void cut_all(struct http *h)
{
	list_each_safe(it, &h->conns)
	{
		struct http_conn *c = list_entry(it, struct http_conn, link);
		if (c->req)
			http_req_cut(c->req);
		else
			(void)shutdown(h2o_socket_get_fd(c->sock), SHUT_RDWR);
	}
}

const char *http_library(void)
{
	return "libh2o " H2O_VERSION;
}

bool http_proxies_are_valid(const char *text, const char **why)
{
	struct http_proxy_set set;
	return http_proxy_parse(&set, text, why);
}

static void copy_pages(struct http *h, const struct http_setup *setup)
{
	h->pages = (struct http_origin_rules){
	    .origins = mem_strdup(
		setup->allowed_origins ? setup->allowed_origins : ""),
	    .hosts =
		mem_strdup(setup->allowed_hosts ? setup->allowed_hosts : ""),
	    .own = mem_strdup(setup->own_hosts ? setup->own_hosts : ""),
	};
}

static void free_pages(struct http_origin_rules *pages)
{
	free((char *)(uintptr_t)pages->origins);
	free((char *)(uintptr_t)pages->hosts);
	free((char *)(uintptr_t)pages->own);
}

struct http *http_new(struct loop *l, const struct http_setup *setup)
{
	struct http *h = mem_zero(sizeof *h);
	h->loop = l;
	h->setup = *setup;
	h->setup.listeners = NULL;
	list_init(&h->conns);
	list_init(&h->lingering);
	loop_timer_init(&h->retry, on_retry, h);
	loop_timer_init(&h->yield, on_yielded, h);
	http_bodies_begin(h);
	loop_timer_init(&h->sweep, http_on_sweep, h);
	loop_timer_init(&h->last, on_last, h);
	const char *why;
	if (!http_proxy_parse(&h->proxies, setup->trusted_proxies, &why))
		fatal("http: trusted_proxies: %s", why);
	copy_pages(h, setup);
	h->n_listeners = setup->n_listeners;
	h->fds = mem_alloc((setup->n_listeners + 1) * sizeof(int));
	for (size_t i = 0; i < setup->n_listeners; i++)
		h->fds[i] = setup->listeners[i];
	set_conf(h);
	return h;
}

void http_open_path(struct http *h, const char *path, enum http_open_to to)
{
	if (h->n_open == HTTP_OPEN_PATHS)
		panic("http: too many open paths");
	h->open[h->n_open++] = (struct http_open){path, to};
}

void http_start(struct http *h)
{
	h->listeners = mem_alloc((h->n_listeners + 1) * sizeof(h2o_socket_t *));
	for (size_t i = 0; i < h->n_listeners; i++) {
		tcp_tune(h->fds[i], DEAD_PEER_MS);
		h->listeners[i] = h2o_evloop_socket_create(
		    loop_h2o(h->loop), h->fds[i], H2O_SOCKET_FLAG_DONT_READ);
		h->listeners[i]->data = h;
		h2o_socket_read_start(h->listeners[i], on_accept);
	}
	loop_timer_set(h->loop, &h->sweep, h->setup.request_timeout_ms);
}

void http_drain(struct http *h, bool is_last)
{
	if (h->is_draining)
		return;
	h->is_draining = true;
	/* The library's own shutdown call would start an HTTP/2 timer. */
	h->context.shutdown_requested = 1;
	end_idles(h, true);
	loop_timer_set(h->loop, &h->last, FIRST_MS);
	if (is_last)
		accept_rest(h);
	close_listeners(h);
}

size_t http_connections(const struct http *h)
{
	return h->n_conns;
}

void http_free(struct http **h)
{
	struct http *it = *h;
	if (!it)
		return;
	*h = NULL;
	it->is_draining = true;
	close_listeners(it);
	http_linger_end(it);
	http_bodies_end(it);
	loop_timer_stop(it->loop, &it->sweep);
	loop_timer_stop(it->loop, &it->yield);
	loop_timer_stop(it->loop, &it->last);
	cut_all(it);
	for (int i = 0; it->n_conns && i < FREE_TURNS; i++)
		loop_turn(it->loop);
	if (it->n_conns) {
		/* The library owns their memory, and the process is ending. */
		log_warn("http: connections=%zu not cut", it->n_conns);
		return;
	}
	h2o_context_dispose(&it->context);
	h2o_config_dispose(&it->conf);
	http_route_free_all(it);
	free_pages(&it->pages);
	free(it->fds);
	free(it);
}
