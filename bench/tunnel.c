/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
/*
 * Load for a relay: agents that announce themselves, and clients that talk to
 * them, all in this process, which checks every frame.
 *
 *   tunnel PORT AGENTS CLIENTS SECONDS RATE DIRECT
 *
 * Each client belongs to one agent and sends RATE frames a second, three at
 * once; agents send each one back. DIRECT more clients have no relay between
 * them and their agent, for comparison. Prints "announced", waits for a line on
 * standard input, prints "talking", and at the end what it counted, a name and a
 * number on each line:
 *
 *   lost		on connections that did not break: never answered
 *   reordered		in another order than sent, or twice
 *   misdelivered	to an agent or a client that it is not for
 *   breaks, cut	connections that ended, and frames on their way then
 *
 * A connection that breaks is made again after a moment, as programs do.
 */
#include "bench/announcer.h"
#include "bench/peer.h"
#include "bench/times.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES 65536
#define MAX_EVENTS 512
#define WINDOW 64 /* frames on their way, per client */
#define BURST 3
#define PAD "................................................................"
#define RETRY_US 500000
#define DRAIN_US 15000000
#define DIALS_AT_ONCE 100 /* connections that are being made */

enum kind { AGENT, CLIENT, DIRECT, SERVED };

struct conn {
	enum kind kind;
	unsigned n;
	int fd; /* -1: it is about to be made again */
	bool is_open;
	int64_t at_us; /* when to connect, or to send next */
	struct buf in, out;
	size_t written;
};

/* A client, as both ends see it. */
struct client {
	struct conn conn;
	unsigned agent;
	unsigned run;			/* of its connections */
	unsigned sent, answered, heard; /* numbers of frames in this run */
	unsigned heard_run;
	int64_t sent_us[WINDOW];
};

struct agent {
	struct conn conn;
	bool is_announced;
	struct announcer who;
};

static struct {
	unsigned port, n_agents, n_clients, n_direct, direct_port;
	double rate;
	bool talks, dials_clients;
	unsigned announced, connected, dialling;
	uint64_t sent, answered, lost, reordered, misdelivered, breaks, cut;
} all;

static struct agent *agents;
static struct client *clients; /* and behind them those without a relay */
static struct times first, relayed, direct;
static int epoll;

/* ---- connections ---- */

static void want(struct conn *c, int op, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = c};
	if (epoll_ctl(epoll, op, c->fd, &e) != 0)
		die("epoll: %s", strerror(errno));
}

static struct client *client_of(struct conn *c)
{
	return (struct client *)c;
}

static void broke(struct conn *c)
{
	if (c->fd < 0)
		return;
	(void)close(c->fd);
	c->fd = -1;
	if (!c->is_open)
		all.dialling--;
	if (c->kind == SERVED) {
		c->is_open = false;
		return;
	}
	if (c->is_open) {
		all.breaks++;
		all.connected -= c->kind == CLIENT || c->kind == DIRECT;
	}
	if (c->kind == AGENT && ((struct agent *)c)->is_announced) {
		((struct agent *)c)->is_announced = false;
		all.announced--;
	}
	if (c->kind == CLIENT || c->kind == DIRECT) {
		struct client *client = client_of(c);
		all.cut += client->sent - client->answered;
		client->sent = client->answered = 0;
	}
	c->is_open = false;
	c->written = 0;
	buf_reset(&c->in);
	buf_reset(&c->out);
	c->at_us = now_us() + RETRY_US + rand() % RETRY_US;
}

static void flush(struct conn *c)
{
	while (c->fd >= 0 && c->written < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->written,
		    c->out.len - c->written, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			want(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
			return;
		}
		if (n < 0) {
			broke(c);
			return;
		}
		c->written += (size_t)n;
	}
	buf_reset(&c->out);
	c->written = 0;
}

/* A frame, masked with 0 if it goes to a server. */
static void put_frame(struct conn *c, unsigned op, const char *text, size_t len)
{
	unsigned mask = c->kind == SERVED ? 0 : 0x80;
	buf_char(&c->out, (char)(0x80 | op));
	buf_char(&c->out, (char)(mask | (len < 126 ? len : 126)));
	if (len >= 126) {
		buf_char(&c->out, (char)(len >> 8));
		buf_char(&c->out, (char)len);
	}
	if (mask)
		buf_append(&c->out, "\0\0\0", 4);
	buf_append(&c->out, text, len);
}

static void say(struct conn *c, const struct buf *text)
{
	put_frame(c, 1, text->data, text->len);
	flush(c);
}

static void dial(struct conn *c)
{
	bool is_direct = c->kind == DIRECT;
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port =
		htons((uint16_t)(is_direct ? all.direct_port : all.port)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1;
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0)
		die("socket: %s", strerror(errno));
	all.dialling++;
	if (connect(c->fd, (void *)&to, sizeof to) != 0) {
		want(c, EPOLL_CTL_ADD, EPOLLIN);
		broke(c);
		return;
	}
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	want(c, EPOLL_CTL_ADD, EPOLLIN);
	buf_printf(&c->out,
	    "GET /ws/%s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	    c->kind == AGENT ? "announce" : "input");
	flush(c);
}

/* ---- agents ---- */

static void announce(struct agent *a)
{
	struct buf text = {0};
	announcer_put(&text, &a->who);
	say(&a->conn, &text);
	buf_fini(&text);
}

/* Returns the number of a member of a frame that we made ourselves. */
static unsigned number(const char *text, size_t len, const char *key)
{
	const char *at = memmem(text, len, key, strlen(key));
	return at ? (unsigned)strtoul(at + strlen(key), NULL, 10) : ~0u;
}

static bool has(const char *text, size_t len, const char *word)
{
	return memmem(text, len, word, strlen(word)) != NULL;
}

/* Frames of one run of a client come to one agent, in order. */
static void check_order(
    unsigned agent, struct client *c, unsigned run, unsigned n)
{
	if (c->agent != agent) {
		all.misdelivered++;
		return;
	}
	if (run != c->heard_run) {
		c->heard_run = run;
		c->heard = 0;
	}
	if (n != c->heard + 1)
		all.reordered++;
	c->heard = n;
}

/* Send a client's frame back; conn_id is "" without a relay. */
static void answer(struct conn *c, unsigned agent, const char *text, size_t len)
{
	static const char id_key[] = "\"conn_id\":\"";
	unsigned client = number(text, len, "\"client\":");
	unsigned run = number(text, len, "\"run\":");
	unsigned n = number(text, len, "\"n\":");
	const char *id = memmem(text, len, id_key, strlen(id_key));
	struct buf out = {0};
	if (client >= all.n_clients + all.n_direct) {
		all.misdelivered++;
		return;
	}
	check_order(agent, &clients[client], run, n);
	buf_printf(&out,
	    "{\"type\":\"OUTPUT\",\"agent\":%u,\"client\":%u,\"run\":%u,"
	    "\"n\":%u,\"pad\":\"" PAD "\",\"session_id\":\"s\","
	    "\"conn_id\":\"%.32s\"}",
	    agent, client, run, n, id ? id + strlen(id_key) : "");
	say(c, &out);
	buf_fini(&out);
}

static void agent_hears(struct agent *a, const char *text, size_t len)
{
	if (has(text, len, "\"ANNOUNCE_OK\"")) {
		all.announced += !a->is_announced;
		a->is_announced = true;
	} else if (has(text, len, "\"type\":\"ERROR\"")) {
		broke(&a->conn);
	} else if (has(text, len, "\"client\":")) {
		answer(&a->conn, a->conn.n, text, len);
	}
}

/* ---- clients ---- */

static void ask(struct client *c)
{
	struct buf text = {0};
	unsigned n = ++c->sent;
	buf_printf(&text,
	    "{\"type\":\"INPUT\",\"to\":\"%s\",\"client\":%u,\"run\":%u,"
	    "\"n\":%u,\"pad\":\"" PAD "\"}",
	    agents[c->agent].who.address, c->conn.n, c->run, n);
	c->sent_us[n % WINDOW] = now_us();
	all.sent++;
	say(&c->conn, &text);
	buf_fini(&text);
}

static void client_hears(struct client *c, const char *text, size_t len)
{
	unsigned n = number(text, len, "\"n\":");
	if (!has(text, len, "\"OUTPUT\""))
		return; /* an ERROR: the connection ends */
	if (number(text, len, "\"client\":") != c->conn.n ||
	    number(text, len, "\"run\":") != c->run ||
	    number(text, len, "\"agent\":") != c->agent) {
		all.misdelivered++;
		return;
	}
	if (n != c->answered + 1)
		all.reordered++;
	c->answered = n;
	all.answered++;
	struct times *to = n == 1 ? &first : &relayed;
	times_note(c->conn.kind == DIRECT ? &direct : to,
	    now_us() - c->sent_us[n % WINDOW]);
}

static void open_conn(struct conn *c)
{
	c->is_open = true;
	all.dialling--;
	if (c->kind == AGENT) {
		announce((struct agent *)c);
	} else if (c->kind != SERVED) {
		client_of(c)->run++;
		all.connected++;
		/* The first frame says whom it is for. */
		ask(client_of(c));
		c->at_us = now_us() + rand() % 1000000;
	}
}

/* ---- reading ---- */

static void on_frame(struct conn *c, unsigned op, const char *text, size_t len)
{
	if (op == 9) {
		put_frame(c, 10, text, len);
		flush(c);
	} else if (op == 8) {
		broke(c);
	} else if (op != 1) {
		return;
	} else if (c->kind == AGENT) {
		agent_hears((struct agent *)c, text, len);
	} else if (c->kind == SERVED) {
		answer(c, clients[c->n].agent, text, len);
	} else {
		client_hears(client_of(c), text, len);
	}
}

/* Returns the bytes of the frame at the head; 0: it is not whole yet. */
static size_t take_frame(struct conn *c, const char *in, size_t len)
{
	const unsigned char *b = (const unsigned char *)in;
	size_t n = len > 1 ? b[1] & 0x7f : 0, at = n == 126 ? 4 : 2;
	if (len < at)
		return 0;
	if (n == 127)
		die("a frame is too long");
	if (n == 126)
		n = (size_t)b[2] << 8 | b[3];
	at += b[1] & 0x80 ? 4 : 0;
	if (len < at + n)
		return 0;
	on_frame(c, b[0] & 0xf, in + at, n);
	return at + n;
}

/* The head of a handshake, of either side. */
static size_t take_head(struct conn *c, const char *in, size_t len)
{
	const char *end = memmem(in, len, "\r\n\r\n", 4);
	if (!end)
		return 0;
	if (c->kind == SERVED) {
		buf_str(&c->out, "HTTP/1.1 101 Switching Protocols\r\n\r\n");
		flush(c);
	} else if (memcmp(in, "HTTP/1.1 101", 12) != 0) {
		broke(c);
		return 0;
	}
	open_conn(c);
	return (size_t)(end + 4 - in);
}

static void hear(struct conn *c)
{
	char *room = buf_reserve(&c->in, READ_BYTES);
	ssize_t n = recv(c->fd, room, READ_BYTES, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		broke(c);
		return;
	}
	c->in.len += (size_t)n;
	size_t at = 0, took = 1;
	while (took && c->fd >= 0 && at < c->in.len) {
		took = c->is_open
			   ? take_frame(c, c->in.data + at, c->in.len - at)
			   : take_head(c, c->in.data + at, c->in.len - at);
		at += took;
	}
	if (c->fd >= 0)
		buf_consume(&c->in, at);
	if (!c->in.len)
		buf_fini(&c->in);
}

static void listen_direct(struct conn *listener)
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	listener->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (listener->fd < 0 || bind(listener->fd, (void *)&at, size) != 0 ||
	    listen(listener->fd, 1024) != 0 ||
	    getsockname(listener->fd, (void *)&at, &size) != 0)
		die("listen: %s", strerror(errno));
	all.direct_port = ntohs(at.sin_port);
	want(listener, EPOLL_CTL_ADD, EPOLLIN);
}

/* Those without a relay come in the order of their numbers. */
static void accept_direct(const struct conn *listener)
{
	static unsigned n;
	struct conn *c = calloc(1, sizeof *c);
	int one = 1;
	if (!c)
		die("out of memory");
	*c = (struct conn){.kind = SERVED, .n = all.n_clients + n++};
	c->fd = accept(listener->fd, NULL, NULL);
	if (c->fd < 0)
		die("accept: %s", strerror(errno));
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	all.dialling++;
	want(c, EPOLL_CTL_ADD, EPOLLIN);
}

/* ---- time ---- */

static void tick_conn(struct conn *c, int64_t now)
{
	if (c->fd < 0 && now >= c->at_us && all.dialling < DIALS_AT_ONCE)
		dial(c);
}

static void tick_client(struct client *c, int64_t now)
{
	tick_conn(&c->conn, now);
	if (!all.talks || !c->conn.is_open || !c->answered ||
	    now < c->conn.at_us)
		return;
	c->conn.at_us += (int64_t)(BURST * 1e6 / all.rate);
	for (int i = 0; i < BURST && c->conn.is_open; i++)
		if (c->sent - c->answered < WINDOW)
			ask(c);
}

static void tick(void)
{
	int64_t now = now_us();
	for (unsigned i = 0; i < all.n_agents; i++)
		tick_conn(&agents[i].conn, now);
	for (unsigned i = 0;
	     all.dials_clients && i < all.n_clients + all.n_direct; i++)
		tick_client(&clients[i], now);
}

/* Serve all connections until is_done(), or for so long. */
static bool run(const struct conn *listener, bool (*is_done)(void), int64_t us)
{
	struct epoll_event events[MAX_EVENTS];
	int64_t end = now_us() + us, next = 0;
	while (now_us() < end && !is_done()) {
		int n = epoll_wait(epoll, events, MAX_EVENTS, 5);
		for (int i = 0; i < n; i++) {
			struct conn *c = events[i].data.ptr;
			if (c == listener) {
				accept_direct(listener);
				continue;
			}
			if (c->fd >= 0 && events[i].events & EPOLLOUT) {
				want(c, EPOLL_CTL_MOD, EPOLLIN);
				flush(c);
			}
			if (c->fd >= 0)
				hear(c);
		}
		if (now_us() >= next) {
			tick();
			next = now_us() + 10000;
		}
	}
	return is_done();
}

static bool are_announced(void)
{
	return all.announced == all.n_agents;
}

static bool are_connected(void)
{
	return all.connected == all.n_clients + all.n_direct;
}

static bool are_answered(void)
{
	return all.sent == all.answered + all.cut;
}

static bool never(void)
{
	return false;
}

/* ---- the whole ---- */

static void allow_files(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		die("getrlimit: %s", strerror(errno));
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0)
		die("setrlimit: %s", strerror(errno));
	if (r.rlim_cur < all.n_agents + all.n_clients + 2 * all.n_direct + 16)
		die("the limit on open files (ulimit -n) is %llu",
		    (unsigned long long)r.rlim_cur);
}

static void make_all(void)
{
	agents = calloc(all.n_agents, sizeof *agents);
	clients = calloc(all.n_clients + all.n_direct, sizeof *clients);
	if (!agents || !clients)
		die("out of memory");
	for (unsigned i = 0; i < all.n_agents; i++) {
		agents[i].conn = (struct conn){.kind = AGENT, .n = i, .fd = -1};
		announcer_init(&agents[i].who);
	}
	for (unsigned i = 0; i < all.n_clients + all.n_direct; i++) {
		clients[i].conn =
		    (struct conn){.kind = i < all.n_clients ? CLIENT : DIRECT,
			.n = i,
			.fd = -1};
		clients[i].agent = (unsigned)rand() % all.n_agents;
	}
}

static void tell(const char *word)
{
	printf("%s\n", word);
	(void)fflush(stdout);
}

int main(int argc, char **argv)
{
	struct conn listener = {0};
	char line[16];
	if (argc != 7)
		die("tunnel PORT AGENTS CLIENTS SECONDS RATE DIRECT");
	all.port = (unsigned)atoi(argv[1]);
	all.n_agents = (unsigned)atoi(argv[2]);
	all.n_clients = (unsigned)atoi(argv[3]);
	all.rate = atof(argv[5]);
	all.n_direct = (unsigned)atoi(argv[6]);
	allow_files();
	epoll = epoll_create1(0);
	make_all();
	listen_direct(&listener);
	if (!run(&listener, are_announced, 120000000))
		die("only %u agents are announced", all.announced);
	tell("announced");
	/* Pings of the relay are answered meanwhile. */
	(void)fcntl(0, F_SETFL, O_NONBLOCK);
	while (read(0, line, sizeof line) < 0)
		(void)run(&listener, never, 100000);
	all.dials_clients = true;
	if (!run(&listener, are_connected, 120000000))
		die("only %u clients are connected", all.connected);
	tell("talking");
	all.talks = true;
	(void)run(&listener, never, (int64_t)(atof(argv[4]) * 1e6));
	all.talks = false;
	(void)run(&listener, are_answered, DRAIN_US);
	all.lost = all.sent - all.answered - all.cut;
	printf("sent %llu\nanswered %llu\nlost %llu\nreordered %llu\n"
	       "misdelivered %llu\nbreaks %llu\ncut %llu\n",
	    (unsigned long long)all.sent, (unsigned long long)all.answered,
	    (unsigned long long)all.lost, (unsigned long long)all.reordered,
	    (unsigned long long)all.misdelivered,
	    (unsigned long long)all.breaks, (unsigned long long)all.cut);
	times_print("first", &first);
	times_print("relay", &relayed);
	times_print("direct", &direct);
	tell("end");
	return 0;
}
