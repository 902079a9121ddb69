/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/wire.h"
#include "net/ws.h"
#include "t/unit/loop_until.h"

/* libh2o 2.2.5 does not free the queue of a context that it disposes of. */
const char *__lsan_default_suppressions(void)
    __attribute__((visibility("default")));

const char *__lsan_default_suppressions(void)
{
	return "leak:h2o_multithread_create_queue";
}

/* The server has one client, and both run on one thread. */
struct test {
	struct loop *loop;
	struct http *http;
	struct wire *wire;
	struct ws_limits limits;
	struct buf heard; /* texts, each with a line end */
	struct buf parts;
	size_t messages;
	size_t pause_after; /* so many messages; 0: never */
	size_t want;
	bool keeps; /* what comes is kept in 'kept', not copied */
	struct buf kept;
	bool is_gone;
	uint64_t connections;
	int listener;
	int client;
	struct buf got; /* by the client */
};

static void on_message(void *arg, struct buf *text)
{
	struct test *x = arg;

	buf_append(&x->heard, text->data, text->len);
	buf_char(&x->heard, '\n');
	if (++x->messages == x->pause_after)
		wire_pause(x->wire, true);
	if (x->keeps) {
		buf_fini(&x->kept);
		x->kept = *text;
		*text = (struct buf){0};
	}
}

static void on_part(void *arg, const char *part, size_t len)
{
	struct test *x = arg;

	buf_append(&x->parts, part, len);
}

static void on_nothing(void *arg)
{
	(void)arg;
}

static void on_gone(void *arg)
{
	struct test *x = arg;

	x->is_gone = true;
	x->wire = NULL;
}

static const struct wire_handlers handlers = {
    .on_message = on_message,
    .on_part = on_part,
    .on_binary = on_nothing,
    .on_drain = on_nothing,
    .on_gone = on_gone,
};

static void get_ws(struct http_req *req, void *arg)
{
	struct test *x = arg;

	x->wire = ws_accept(req, &x->limits);
	wire_take(x->wire, &handlers, x);
}

static bool until(struct test *x, bool (*is_reached)(struct test *x))
{
	return loop_until(x->loop, 10000, x, is_reached);
}

static void open_server(struct test *x, struct loop *l)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};

	*x = (struct test){.loop = l, .client = -1};
	x->limits = (struct ws_limits){
	    .max_message_bytes = 32 << 20,
	    .max_fragments = 1000,
	    .max_output_bytes = 64 << 20,
	    .is_exact = true,
	};
	x->listener =
	    socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (bind(x->listener, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(x->listener, 10) != 0)
		abort();
	struct http_setup setup = {
	    .listeners = &x->listener,
	    .n_listeners = 1,
	    .max_body_bytes = 1 << 20,
	    .max_connections = 100,
	    .request_timeout_ms = 60000,
	    .trusted_proxies = "",
	    .connections = &x->connections,
	};
	x->http = http_new(l, &setup);
	http_route(x->http, "WEBSOCKET", "/ws", get_ws, x);
	http_start(x->http);
}

static void client_write(struct test *x, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t done = write(x->client, at, n);
		if (done < 0)
			abort();
		at += done;
		n -= (size_t)done;
	}
}

static void client_read(struct test *x)
{
	char bytes[65536];
	ssize_t n;

	while ((n = recv(x->client, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		buf_append(&x->got, bytes, (size_t)n);
}

static void client_dial(struct test *x)
{
	static const char hello[] =
	    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
	struct sockaddr_in a;
	socklen_t len = sizeof(a);

	if (getsockname(x->listener, (struct sockaddr *)&a, &len) != 0)
		abort();
	x->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(x->client, (struct sockaddr *)&a, sizeof(a)) != 0)
		abort();
	client_write(x, hello, sizeof(hello) - 1);
}

/* A text frame, masked with zeroes. */
static void put_frame(struct buf *out, const char *text, size_t len)
{
	buf_char(out, (char)0x81);
	if (len < 126) {
		buf_char(out, (char)(0x80 | len));
	} else if (len < 65536) {
		buf_char(out, (char)(0x80 | 126));
		buf_char(out, (char)(len >> 8));
		buf_char(out, (char)len);
	} else {
		buf_char(out, (char)(0x80 | 127));
		for (int i = 7; i >= 0; i--)
			buf_char(out, (char)((uint64_t)len >> (8 * i)));
	}
	buf_append(out, "\0\0\0\0", 4);
	buf_append(out, text, len);
}

static void client_say(struct test *x, const char *text)
{
	struct buf frame = {0};

	put_frame(&frame, text, strlen(text));
	client_write(x, frame.data, frame.len);
	buf_fini(&frame);
}

static bool is_open(struct test *x)
{
	client_read(x);
	return x->got.len &&
	       memmem(x->got.data, x->got.len, "\r\n\r\n", 4) != NULL;
}

static bool has_messages(struct test *x)
{
	return x->messages >= x->want;
}

static bool is_gone(struct test *x)
{
	return x->is_gone;
}

static bool has_no_connection(struct test *x)
{
	return x->connections == 0;
}

static void begin(struct test *x, struct loop *l)
{
	open_server(x, l);
	client_dial(x);
	if (!until(x, is_open))
		abort();
	buf_reset(&x->got);
}

/* The library forgets some of its memory when a server is freed. */
static struct http *drained[16];
static size_t n_drained;

static void end(struct test *x)
{
	close(x->client);
	if (x->wire)
		(void)until(x, is_gone);
	http_drain(x->http, false);
	drained[n_drained++] = x->http;
	buf_fini(&x->heard);
	buf_fini(&x->parts);
	buf_fini(&x->kept);
	buf_fini(&x->got);
}

/* ---- an exact pause ---- */

static void test_pause(struct loop *l)
{
	struct test x;

	begin(&x, l);
	x.pause_after = 1;
	x.want = 1;
	struct buf frames = {0};
	put_frame(&frames, "one", 3);
	put_frame(&frames, "two", 3);
	put_frame(&frames, "", 0);
	put_frame(&frames, "four", 4);
	client_write(&x, frames.data, frames.len);
	ok(until(&x, has_messages), "the first of four messages comes");
	x.want = 2;
	ok(!loop_until(l, 50, &x, has_messages),
	    "a pause in its handler holds back the next ones");
	is_str(buf_cstr(&x.heard), "one\n",
	    "only the message before the pause was delivered");
	x.pause_after = 3;
	wire_pause(x.wire, false);
	x.want = 3;
	ok(until(&x, has_messages), "the end of a pause delivers what waited");
	is_str(buf_cstr(&x.heard), "one\ntwo\n\n",
	    "a second pause holds as exactly as the first");
	wire_pause(x.wire, false);
	x.want = 4;
	ok(until(&x, has_messages) &&
		strcmp(buf_cstr(&x.heard), "one\ntwo\n\nfour\n") == 0,
	    "all messages come in order after two pauses");
	buf_fini(&frames);
	end(&x);
}

/* Frames cut anywhere are put together, whatever the length of their heads. */
static void test_cuts(struct loop *l)
{
	static const size_t sizes[] = {0, 1, 125, 126, 300, 65535, 65536};
	static char text[65536];
	struct test x;
	struct buf frames = {0}, expected = {0};

	begin(&x, l);
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		put_frame(&frames, text, sizes[i]);
		buf_append(&expected, text, sizes[i]);
		buf_char(&expected, '\n');
	}
	for (size_t at = 0, n = 1; at < frames.len; at += n, n = n * 3 + 1) {
		if (n > frames.len - at)
			n = frames.len - at;
		client_write(&x, frames.data + at, n);
		(void)loop_until(l, 3, &x, is_gone);
	}
	x.want = sizeof(sizes) / sizeof(*sizes);
	ok(until(&x, has_messages) && x.heard.len == expected.len &&
		memcmp(x.heard.data, expected.data, expected.len) == 0,
	    "messages in frames that were cut anywhere come whole");
	is_int((long long)x.parts.len,
	    (long long)(expected.len - sizeof(sizes) / sizeof(*sizes)),
	    "each byte of a message is reported as a part of it");
	buf_fini(&frames);
	buf_fini(&expected);
	end(&x);
}

/* ---- output that is passed on ---- */

/* Sockets share what they parse with, unless they are within a message. */
static void test_interleaved(struct loop *l)
{
	struct test x, y;
	struct buf of_x = {0}, of_y = {0};

	begin(&x, l);
	begin(&y, l);
	put_frame(&of_x, "one of x", 8);
	put_frame(&of_x, "two of x", 8);
	put_frame(&of_y, "one of y", 8);
	put_frame(&of_y, "two of y", 8);
	for (size_t i = 0; i < of_x.len; i++) {
		client_write(&x, of_x.data + i, 1);
		(void)loop_until(l, 2, &x, is_gone);
		client_write(&y, of_y.data + i, 1);
		(void)loop_until(l, 2, &y, is_gone);
	}
	x.want = y.want = 2;
	ok(until(&x, has_messages) && until(&y, has_messages),
	    "messages of two sockets come whole though their bytes alternate");
	is_str(buf_cstr(&x.heard), "one of x\ntwo of x\n",
	    "a socket gets its messages, and none of another socket");
	is_str(buf_cstr(&y.heard), "one of y\ntwo of y\n",
	    "another socket gets its messages at the same time");
	buf_fini(&of_x);
	buf_fini(&of_y);
	end(&x);
	end(&y);
}

static bool has_got(struct test *x)
{
	client_read(x);
	return x->got.len >= x->want;
}

static void test_pass(struct loop *l)
{
	enum { BIG = 5 << 20 };
	struct test x;
	struct buf frame = {0}, expected = {0};

	begin(&x, l);
	char *text = mem_alloc(BIG);
	for (size_t i = 0; i < BIG; i++)
		text[i] = (char)('a' + i % 26);
	fcntl(x.client, F_SETFL, O_NONBLOCK);
	put_frame(&frame, text, BIG);
	x.keeps = true;
	size_t at = 0;
	while (!x.messages) {
		ssize_t n = write(x.client, frame.data + at, frame.len - at);
		at += n > 0 ? (size_t)n : 0;
		(void)loop_until(l, 1, &x, is_gone);
	}
	is_int((long long)x.kept.len, BIG, "a handler may keep a message");
	wire_send(x.wire, "before", 6);
	wire_pass(x.wire, "<head>", 6, &x.kept, 3);
	ok(!x.kept.data, "bytes that are passed on are taken");
	wire_send(x.wire, "after", 5);
	is_int((long long)ws_total_pending(), (long long)wire_pending(x.wire),
	    "the output of all sockets is counted together");
	buf_append(&expected, "\x81\6before\x81\x7f\0\0\0\0\0", 15);
	size_t len = BIG - 3 + 6;
	for (int i = 2; i >= 0; i--)
		buf_char(&expected, (char)(len >> (8 * i)));
	buf_str(&expected, "<head>");
	buf_append(&expected, text + 3, BIG - 3);
	buf_append(&expected, "\x81\5after", 7);
	x.want = expected.len;
	ok(until(&x, has_got) && x.got.len == expected.len &&
		memcmp(x.got.data, expected.data, expected.len) == 0,
	    "what is passed on arrives between what was sent around it");
	is_int(
	    (long long)ws_total_pending(), 0, "written output is not counted");
	free(text);
	buf_fini(&frame);
	buf_fini(&expected);
	end(&x);
}

static void test_cut_with_output(struct loop *l)
{
	struct test x;
	struct buf big = {0};

	begin(&x, l);
	memset(buf_reserve(&big, 30 << 20), 'x', 30 << 20);
	big.len = 30 << 20;
	wire_pass(x.wire, "", 0, &big, 0);
	(void)loop_until(l, 20, &x, is_gone);
	ok(ws_total_pending() > 0,
	    "a client that does not read has output waiting");
	end(&x);
	is_int((long long)ws_total_pending(), 0,
	    "the output of a socket that is gone is not counted");
}

/* ---- moving ---- */

static void test_move(struct loop *l)
{
	struct test x, y;
	struct ws_parcel parcel;
	struct buf frames = {0};

	begin(&x, l);
	open_server(&y, l);
	put_frame(&frames, "first", 5);
	put_frame(&frames, "second", 6);
	x.pause_after = 1;
	x.want = 1;
	client_write(&x, frames.data, frames.len);
	if (!until(&x, has_messages))
		abort();
	ok(ws_detach(x.wire, &parcel), "a paused WebSocket can be detached");
	x.wire = NULL;
	ok(!x.is_gone, "a detached WebSocket does not count as gone");
	is_int((long long)parcel.input.len, 12,
	    "input that was read and not parsed goes with it");
	ok(until(&x, has_no_connection),
	    "the connection no longer counts at the old server");
	y.wire = ws_attach(y.http, &parcel, &y.limits);
	wire_take(y.wire, &handlers, &y);
	is_int((long long)y.connections, 1,
	    "the connection counts at the new server");
	is_str(y.wire->peer, "127.0.0.1",
	    "the address of the client goes with it");
	y.want = 1;
	ok(until(&y, has_messages) &&
		strcmp(buf_cstr(&y.heard), "second\n") == 0,
	    "the new server gets the message that was read before");
	client_say(&x, "third");
	y.want = 2;
	ok(until(&y, has_messages) &&
		strcmp(buf_cstr(&y.heard), "second\nthird\n") == 0,
	    "the new server gets what the client says later");
	wire_send(y.wire, "hello", 5);
	x.want = 7;
	ok(until(&x, has_got) && memcmp(x.got.data, "\x81\5hello", 7) == 0,
	    "the client gets what the new server says");
	close(x.client);
	ok(until(&y, is_gone), "the end of the client is noticed there");
	ok(until(&y, has_no_connection), "no connection is left");
	x.client = y.client = open("/dev/null", O_RDONLY | O_CLOEXEC);
	end(&x);
	y.client = -1;
	end(&y);
	buf_fini(&frames);
}

static void test_not_movable(struct loop *l)
{
	struct test x;
	struct ws_parcel parcel;
	struct buf frame = {0};

	begin(&x, l);
	put_frame(&frame, "whole", 5);
	client_write(&x, frame.data, 8);
	(void)loop_until(l, 20, &x, is_gone);
	ok(!ws_detach(x.wire, &parcel),
	    "a WebSocket in the middle of a message cannot be detached");
	client_write(&x, frame.data + 8, frame.len - 8);
	x.want = 1;
	ok(until(&x, has_messages),
	    "a refused move does not disturb the message");
	wire_close(x.wire, 1000, "");
	ok(!ws_detach(x.wire, &parcel),
	    "a WebSocket that is being closed cannot be detached");
	buf_fini(&frame);
	end(&x);
}

static void test_silence(struct loop *l)
{
	struct test x;

	open_server(&x, l);
	x.limits.silence_timeout_ms = 200;
	client_dial(&x);
	if (!until(&x, is_open))
		abort();
	ok(until(&x, is_gone), "a peer that says nothing is cut");
	end(&x);
}

int main(void)
{
	struct loop *l = loop_new();

	test_pause(l);
	test_cuts(l);
	test_interleaved(l);
	test_pass(l);
	test_cut_with_output(l);
	test_move(l);
	test_not_movable(l);
	test_silence(l);
	return done();
}
