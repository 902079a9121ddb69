/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "bench/peer.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define READ_BYTES 65536
#define MAX_EVENTS 256

enum { OP_TEXT = 1, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

static int epoll = -1;
static bool is_stopped;

void die(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	(void)fputs("load: ", stderr);
	(void)vfprintf(stderr, fmt, ap);
	(void)fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static int64_t read_clock(clockid_t id)
{
	struct timespec t;
	(void)clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t now_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t wall_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

static void ask(struct peer *p, int op, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = p};
	if (epoll_ctl(epoll, op, p->fd, &e) != 0)
		die("epoll: %s", strerror(errno));
}

static void flush(struct peer *p)
{
	while (p->written < p->out.len) {
		ssize_t n = send(p->fd, p->out.data + p->written,
		    p->out.len - p->written, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			ask(p, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
			return;
		}
		if (n < 0)
			die("send: %s", strerror(errno));
		p->written += (size_t)n;
	}
	buf_reset(&p->out);
	p->written = 0;
}

static void dial(struct peer *p)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)p->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1;
	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (p->fd < 0 || connect(p->fd, (void *)&to, sizeof to) != 0)
		die("connect to port %u: %s", p->port, strerror(errno));
	(void)setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	ask(p, EPOLL_CTL_ADD, EPOLLIN);
	if (!p->ws_path)
		return;
	buf_printf(&p->out,
	    "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	    p->ws_path);
	flush(p);
}

struct peer *peer_open(unsigned port, const char *ws_path, unsigned n,
    void (*on_message)(struct peer *p, const char *text, size_t len))
{
	struct peer *p = calloc(1, sizeof *p);
	if (epoll < 0)
		epoll = epoll_create1(0);
	if (!p || epoll < 0)
		die("out of memory");
	*p = (struct peer){
	    .port = port, .ws_path = ws_path, .n = n, .on_message = on_message};
	dial(p);
	return p;
}

void peer_renew(struct peer *p)
{
	p->is_over = true;
}

/* What came on the old connection is forgotten. */
static void renew(struct peer *p)
{
	(void)close(p->fd);
	p->is_open = p->is_over = false;
	p->written = 0;
	buf_reset(&p->in);
	buf_reset(&p->out);
	dial(p);
}

void peer_request(struct peer *p, const char *path, const char *body)
{
	buf_printf(&p->out, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n",
	    body ? "POST" : "GET", path);
	if (body)
		buf_printf(&p->out,
		    "Content-Type: application/json\r\n"
		    "Content-Length: %zu\r\n",
		    strlen(body));
	buf_printf(&p->out, "\r\n%s", body ? body : "");
	p->sent_us = now_us();
	flush(p);
}

/* A masked frame (RFC 6455 section 5.2); the mask is 0. */
static void put_frame(
    struct peer *p, unsigned opcode, const char *text, size_t len)
{
	static const char mask[4];
	if (len > 65535)
		die("a message of %zu bytes is too long", len);
	buf_char(&p->out, (char)(0x80 | opcode));
	buf_char(&p->out, (char)(0x80 | (len < 126 ? len : 126)));
	if (len >= 126) {
		buf_char(&p->out, (char)(len >> 8));
		buf_char(&p->out, (char)len);
	}
	buf_append(&p->out, mask, sizeof mask);
	buf_append(&p->out, text, len);
}

void peer_say(struct peer *p, const char *text)
{
	put_frame(p, OP_TEXT, text, strlen(text));
	p->sent_us = now_us();
	flush(p);
}

/* One frame of the server at the head of p->in; 0: not whole yet. */
static size_t take_frame(struct peer *p, const char *in, size_t len)
{
	const unsigned char *b = (const unsigned char *)in;
	size_t at = 2, n = len > 1 ? b[1] & 0x7f : 0;
	if (len < 2 || (n == 126 && len < 4) || (n == 127 && len < 10))
		return 0;
	if (n == 126) {
		n = (size_t)b[2] << 8 | b[3];
		at = 4;
	} else if (n == 127) {
		n = 0;
		for (at = 2; at < 10; at++)
			n = n << 8 | b[at];
	}
	if (len < at + n)
		return 0;
	if ((b[0] & 0xf) == OP_CLOSE)
		die("the server closed a WebSocket");
	if ((b[0] & 0xf) == OP_PING) {
		put_frame(p, OP_PONG, in + at, n);
		flush(p);
	}
	if ((b[0] & 0xf) == OP_TEXT)
		p->on_message(p, in + at, n);
	return at + n;
}

/* The value of a field of an answer's head, or NULL. */
static const char *field_of(const char *in, const char *end, const char *name)
{
	size_t n = strlen(name);
	/* Line by line: long heads must not cost the client much more. */
	for (const char *c = in; c && c < end;
	     c = memchr(c + 1, '\n', (size_t)(end - c)))
		if (!strncasecmp(c, name, n))
			return c + n;
	return NULL;
}

/* Bytes of a body in chunks, its end included; 0: not whole yet. */
static size_t chunks_len(const char *body, size_t len)
{
	size_t at = 0, n = 1;
	while (n) {
		const char *line = memchr(body + at, '\n', len - at);
		if (!line)
			return 0;
		n = strtoul(body + at, NULL, 16);
		at = (size_t)(line + 1 - body) + n + 2;
		if (at > len)
			return 0;
	}
	return at;
}

/* One HTTP answer at the head of p->in; 0: not whole yet. */
static size_t take_answer(struct peer *p, const char *in, size_t len)
{
	const char *end = memmem(in, len, "\r\n\r\n", 4);
	if (!end)
		return 0;
	size_t head = (size_t)(end - in) + 4, body = 0;
	const char *want = p->ws_path ? "HTTP/1.1 101" : "HTTP/1.1 200";
	if (memcmp(in, want, 12) != 0)
		die("the server answered %.*s", (int)(len < 600 ? len : 600),
		    in);
	const char *length = field_of(in, end, "\ncontent-length:");
	if (length)
		body = strtoul(length, NULL, 10);
	else if (field_of(in, end, "\ntransfer-encoding: chunked") &&
		 !(body = chunks_len(in + head, len - head)))
		return 0;
	if (len < head + body)
		return 0;
	p->is_open = p->ws_path != NULL;
	p->on_message(p, in + head, body);
	return head + body;
}

static void hear(struct peer *p)
{
	char *room = buf_reserve(&p->in, READ_BYTES);
	ssize_t n = recv(p->fd, room, READ_BYTES, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		die("the server ended a connection");
	p->in.len += (size_t)n;
	size_t at = 0, took = 1;
	while (took && !p->is_over && at < p->in.len) {
		took = p->is_open
			   ? take_frame(p, p->in.data + at, p->in.len - at)
			   : take_answer(p, p->in.data + at, p->in.len - at);
		at += took;
	}
	if (p->is_over) {
		renew(p);
		return;
	}
	buf_consume(&p->in, at);
	if (!p->in.len && p->in.cap > READ_BYTES)
		buf_fini(&p->in);
}

void peers_run(int64_t us)
{
	struct epoll_event events[MAX_EVENTS];
	int64_t end = now_us() + us;
	is_stopped = false;
	while (!is_stopped) {
		int64_t left = end - now_us();
		if (left <= 0)
			return;
		int n = epoll_wait(
		    epoll, events, MAX_EVENTS, (int)(left / 1000) + 1);
		for (int i = 0; i < n; i++) {
			struct peer *p = events[i].data.ptr;
			if (events[i].events & EPOLLOUT) {
				ask(p, EPOLL_CTL_MOD, EPOLLIN);
				flush(p);
			}
			if (events[i].events & (EPOLLIN | EPOLLHUP))
				hear(p);
		}
	}
}

void peers_stop(void)
{
	is_stopped = true;
}

/* The inode of the server's socket whose peer is our port. */
static unsigned long inode_of(unsigned server, unsigned ours)
{
	char line[512];
	unsigned long inode = 0, found;
	unsigned local, remote;
	FILE *f = fopen("/proc/net/tcp", "r");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line,
			" %*d: %*x:%x %*x:%x %*x %*s %*s %*s %*d %*d %lu",
			&local, &remote, &found) == 3 &&
		    local == server && remote == ours)
			inode = found;
	if (f)
		(void)fclose(f);
	return inode;
}

static bool holds(int pid, unsigned long inode)
{
	char name[300];
	struct stat st;
	bool found = false;
	const struct dirent *e;
	(void)snprintf(name, sizeof name, "/proc/%d/fd", pid);
	DIR *dir = opendir(name);
	while (dir && !found && (e = readdir(dir))) {
		(void)snprintf(
		    name, sizeof name, "/proc/%d/fd/%s", pid, e->d_name);
		found = stat(name, &st) == 0 && S_ISSOCK(st.st_mode) &&
			st.st_ino == inode;
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

int peer_worker(const struct peer *p, unsigned port, const int *pids, int n)
{
	struct sockaddr_in mine;
	socklen_t size = sizeof mine;
	if (getsockname(p->fd, (void *)&mine, &size) != 0)
		die("getsockname: %s", strerror(errno));
	unsigned long inode = inode_of(port, ntohs(mine.sin_port));
	for (int i = 0; i < n; i++)
		if (inode && holds(pids[i], inode))
			return pids[i];
	return 0;
}
