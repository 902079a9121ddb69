/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/peer.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/tcp.h"
#include "base/url.h"
#include "connect/resolve.h"
#include "websocket/ws_client.h"
#include "websocket/ws_proxy.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* The time for a TCP connection to one address. */
#define CONNECT_TIMEOUT_MS 5000

/* How long sent bytes may stay unacknowledged. */
#define UNACKNOWLEDGED_MS 30000

/* What one step reads at most, so that others get their turn. */
#define READ_SIZE 65536
#define READS_PER_STEP 32

struct peer {
	int set; /* epoll: what is waited for, so that it is one descriptor */
	struct ws_client *client;
	struct resolve *resolve; /* NULL: done */
	struct addrinfo *list;	 /* of the host; NULL: none, or not yet */
	const struct addrinfo *at;
	int fd; /* -1: none */
	uint32_t watched;
	bool has_bad_proxy; /* why says what is wrong with it */
	bool is_connecting;
	bool is_open;
	bool is_over;
	int64_t began_ms;
	int64_t open_timeout_ms;
	int64_t dialled_ms; /* when the connection to *at began */
	int64_t heard_ms;
	int64_t pinged_ms;
	const struct ws_client_handlers *handlers;
	void *arg;
	char why[256];
};

/* ---- what the client says ---- */

static void on_open(void *arg)
{
	struct peer *p = arg;

	p->is_open = true;
	p->handlers->on_open(p->arg);
}

static void on_text(void *arg, const char *text, size_t len)
{
	struct peer *p = arg;

	p->handlers->on_text(p->arg, text, len);
}

static void on_end(void *arg, int code, const char *why)
{
	struct peer *p = arg;

	p->is_over = true;
	p->handlers->on_end(p->arg, code, why);
}

static const struct ws_client_handlers client_handlers = {
    .on_open = on_open,
    .on_text = on_text,
    .on_end = on_end,
};

static void fail(struct peer *p, const char *why)
{
	ws_client_eof(p->client, why);
}

/* ---- the socket ---- */

static void watch(struct peer *p, uint32_t events)
{
	struct epoll_event event = {.events = events, .data = {.fd = p->fd}};

	if (p->fd < 0 || events == p->watched)
		return;
	if (epoll_ctl(p->set, p->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, p->fd,
		&event) != 0)
		fatal("connect: epoll: %s", strerror(errno));
	p->watched = events;
}

static void cut(struct peer *p)
{
	if (p->fd >= 0)
		close(p->fd); /* which takes it out of the set */
	p->fd = -1;
	p->watched = 0;
	p->is_connecting = false;
}

/* Begin to connect to an address. Returns 0, or errno. */
static int dial(struct peer *p, const struct addrinfo *a)
{
	p->fd = socket(a->ai_family,
	    a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
	if (p->fd < 0)
		return errno;
	tcp_tune(p->fd, UNACKNOWLEDGED_MS);
	p->dialled_ms = clock_mono_ms();
	p->is_connecting = true;
	if (connect(p->fd, a->ai_addr, a->ai_addrlen) != 0 &&
	    errno != EINPROGRESS)
		return errno;
	watch(p, EPOLLOUT);
	return 0;
}

/* Try the addresses from *at on; error is that of the one before. */
static void dial_on(struct peer *p, int error)
{
	char text[128];

	for (; p->at; p->at = p->at->ai_next) {
		error = dial(p, p->at);
		if (error == 0)
			return;
		cut(p);
	}
	(void)snprintf(p->why, sizeof p->why, "cannot be reached: %s",
	    strerror_r(error, text, sizeof text));
	fail(p, p->why);
}

static void dial_next(struct peer *p, int error)
{
	cut(p);
	p->at = p->at->ai_next;
	dial_on(p, error);
}

static void on_resolved(struct peer *p)
{
	if (!resolve_take(p->resolve, &p->list, p->why, sizeof p->why))
		return;
	resolve_free(&p->resolve);
	p->at = p->list;
	if (p->list)
		dial_on(p, 0);
	else
		fail(p, p->why);
}

/* Whether the connection is made; if not, the next one was begun, perhaps. */
static bool check_connecting(struct peer *p)
{
	int error = 0;
	socklen_t len = sizeof error;
	struct sockaddr_storage name;
	socklen_t name_len = sizeof name;

	if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (!error && getpeername(p->fd, (struct sockaddr *)&name, &name_len)) {
		if (clock_mono_ms() - p->dialled_ms < CONNECT_TIMEOUT_MS)
			return false;
		error = ETIMEDOUT;
	}
	if (error) {
		dial_next(p, error);
		return false;
	}
	p->is_connecting = false;
	p->heard_ms = clock_mono_ms();
	watch(p, EPOLLIN);
	return true;
}

static void write_some(struct peer *p)
{
	struct buf *out = ws_client_output(p->client);

	size_t at = 0;

	while (at < out->len && p->fd >= 0) {
		ssize_t n =
		    send(p->fd, out->data + at, out->len - at, MSG_NOSIGNAL);
		if (n > 0) {
			at += (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			cut(p);
			fail(p, "broke the connection");
			return;
		}
		break;
	}
	buf_consume(out, at);
	watch(p, out->len ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void read_some(struct peer *p)
{
	char bytes[READ_SIZE];

	for (int i = 0; i < READS_PER_STEP && p->fd >= 0 && !p->is_over; i++) {
		ssize_t n = recv(p->fd, bytes, sizeof bytes, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			cut(p);
			fail(p, n ? "broke the connection"
				  : "ended the connection");
			return;
		}
		p->heard_ms = clock_mono_ms();
		ws_client_feed(p->client, bytes, (size_t)n);
	}
}

/* ---- time ---- */

static void look_at_clock(struct peer *p)
{
	int64_t now_ms = clock_mono_ms();

	if (!p->is_open) {
		if (p->has_bad_proxy)
			fail(p, p->why);
		else if (now_ms - p->began_ms >= p->open_timeout_ms)
			fail(p, "did not answer in time");
		return;
	}
	if (now_ms - p->heard_ms >= WS_CLIENT_SILENT_MS) {
		fail(p, "is silent");
	} else if (now_ms - p->heard_ms >= WS_CLIENT_PING_AFTER_MS &&
		   now_ms - p->pinged_ms >= WS_CLIENT_PING_AFTER_MS) {
		p->pinged_ms = now_ms;
		ws_client_ping(p->client);
	}
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t peer_due_ms(const struct peer *p)
{
	int64_t ping_ms =
	    p->heard_ms > p->pinged_ms ? p->heard_ms : p->pinged_ms;

	if (p->is_over)
		return INT64_MAX;
	if (p->is_open)
		return earlier(p->heard_ms + WS_CLIENT_SILENT_MS,
		    ping_ms + WS_CLIENT_PING_AFTER_MS);
	int64_t open_ms =
	    p->has_bad_proxy ? p->began_ms : p->began_ms + p->open_timeout_ms;
	return p->is_connecting
		   ? earlier(open_ms, p->dialled_ms + CONNECT_TIMEOUT_MS)
		   : open_ms;
}

/* ---- calls ---- */

static void start(struct peer *p)
{
	p->resolve =
	    resolve_start(ws_client_host(p->client), ws_client_port(p->client));
	struct epoll_event event = {.events = EPOLLIN};
	if (epoll_ctl(p->set, EPOLL_CTL_ADD, resolve_fd(p->resolve), &event))
		fatal("connect: epoll: %s", strerror(errno));
}

struct peer *peer_open(const struct peer_setup *setup)
{
	struct peer *p = mem_zero(sizeof *p);
	struct url proxy;
	int has_proxy =
	    ws_proxy_find(&proxy, setup->url, p->why, sizeof p->why);
	struct ws_client_setup client = {
	    .url = setup->url,
	    .proxy = has_proxy > 0 ? &proxy : NULL,
	    .trust = setup->trust,
	    .user_agent = setup->user_agent,
	    .max_message_bytes = setup->max_message_bytes,
	    .max_fragments = WS_CLIENT_MAX_FRAGMENTS,
	    .handlers = &client_handlers,
	    .arg = p,
	};

	p->fd = -1;
	p->handlers = setup->handlers;
	p->arg = setup->arg;
	p->open_timeout_ms = setup->open_timeout_ms;
	p->began_ms = p->heard_ms = p->pinged_ms = clock_mono_ms();
	p->set = epoll_create1(EPOLL_CLOEXEC);
	if (p->set < 0)
		fatal("connect: epoll: %s", strerror(errno));
	p->client = ws_client_new(&client);
	url_fini(&proxy);
	p->has_bad_proxy = has_proxy < 0;
	if (!p->has_bad_proxy)
		start(p);
	return p;
}

void peer_free(struct peer **pp)
{
	struct peer *p = *pp;

	if (!p)
		return;
	*pp = NULL;
	p->is_over = true;
	if (p->fd >= 0 && p->is_open && ws_client_is_open(p->client)) {
		struct buf *out = ws_client_output(p->client);
		ws_client_close(p->client, 1000, "");
		/* What is not taken at once is lost, as with any cut. */
		(void)!send(
		    p->fd, out->data, out->len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	cut(p);
	resolve_free(&p->resolve);
	if (p->list)
		freeaddrinfo(p->list);
	close(p->set);
	ws_client_free(&p->client);
	free(p);
}

int peer_fd(const struct peer *p)
{
	return p->set;
}

void peer_step(struct peer *p)
{
	if (p->resolve)
		on_resolved(p);
	if (p->fd >= 0 && (!p->is_connecting || check_connecting(p)))
		read_some(p);
	if (!p->is_over)
		look_at_clock(p);
	if (p->fd >= 0 && !p->is_connecting)
		write_some(p);
}

void peer_send(struct peer *p, const char *text, size_t len)
{
	ws_client_send(p->client, text, len);
	if (!p->is_connecting)
		watch(p, EPOLLIN | EPOLLOUT);
}

int64_t peer_heard_ms(const struct peer *p)
{
	return p->heard_ms;
}
