/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * WebSocket clients on a loop: against our own server on the same loop, and
 * against listeners that are no such server.
 */
#include "net/ws_dial.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/url.h"
#include "net/http.h"
#include "net/loop.h"
#include "net/ws.h"
#include "proc/crew.h"
#include "t/unit/scratch.h"
#include "t/unit/scratch_clock.h"
#include "t/unit/tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "t/unit/loop_crew.h"
#include "t/unit/loop_until.h"

#define PATIENCE_MS 20000
#define STALL_MS 5000
#define OPEN_MS 4000
#define MOST_BYTES (8 * 1024 * 1024)

static struct loop *loop;
static struct crew *crew;
static struct http *http;
static uint16_t server_port;
static struct wire *accepted; /* the server's end; NULL: none */

/* One client, and what it heard: texts end with a line end. */
struct test {
	struct ws_dial *dial;
	struct buf heard;
	unsigned opens, drains, ends;
	int code;
	char why[256];
	bool frees_on_text;
	bool frees_on_end;
};

/* ---- the server ---- */

static void on_wire_text(void *arg, const char *text, size_t len)
{
	(void)arg;
	wire_send(accepted, text, len);
}

static void on_wire_binary(void *arg)
{
	(void)arg;
}

static void on_wire_gone(void *arg)
{
	(void)arg;
	accepted = NULL;
}

static const struct wire_handlers wire_handlers = {
    .on_text = on_wire_text,
    .on_binary = on_wire_binary,
    .on_drain = on_wire_binary,
    .on_gone = on_wire_gone,
};

static void get_ws(struct http_req *req, void *arg)
{
	struct ws_limits limits = {
	    .max_message_bytes = MOST_BYTES,
	    .max_fragments = 65536,
	    .max_output_bytes = 2 * MOST_BYTES,
	};

	(void)arg;
	accepted = ws_accept(req, &limits);
	wire_take(accepted, &wire_handlers, NULL);
}

static int listen_somewhere(uint16_t *port)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof in;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (void *)&in, sizeof in) < 0 ||
	    listen(fd, 8) < 0 || getsockname(fd, (void *)&in, &len) < 0)
		fatal("ws_dial: no listener");
	*port = ntohs(in.sin_port);
	return fd;
}

static void serve(int *fd)
{
	struct http_setup setup = {
	    .listeners = fd,
	    .n_listeners = 1,
	    .max_body_bytes = 1000,
	    .max_connections = 100,
	    .request_timeout_ms = 60000,
	    .trusted_proxies = "",
	};

	http = http_new(loop, &setup);
	http_route(http, "WEBSOCKET", "/ws", get_ws, NULL);
	http_start(http);
}

/* ---- the client ---- */

static void on_open(void *arg)
{
	struct test *x = arg;

	x->opens++;
}

static void on_text(void *arg, const char *text, size_t len)
{
	struct test *x = arg;

	buf_append(&x->heard, text, len);
	buf_char(&x->heard, '\n');
	if (x->frees_on_text)
		ws_dial_free(&x->dial);
}

static void on_drain(void *arg)
{
	struct test *x = arg;

	x->drains++;
}

static void on_end(void *arg, int code, const char *why)
{
	struct test *x = arg;

	x->ends++;
	x->code = code;
	(void)snprintf(x->why, sizeof x->why, "%s", why);
	if (x->frees_on_end)
		ws_dial_free(&x->dial);
}

static const struct ws_dial_handlers handlers = {
    .on_open = on_open,
    .on_text = on_text,
    .on_drain = on_drain,
    .on_end = on_end,
};

static void dial(struct test *x, uint16_t port, const char *path)
{
	char text[64];
	const char *why;
	struct url url;

	(void)snprintf(text, sizeof text, "ws://127.0.0.1:%u%s", port, path);
	if (url_parse(&url, text, &why) != 0)
		abort();
	struct ws_dial_setup setup = {
	    .loop = loop,
	    .crew = crew,
	    .url = &url,
	    .open_timeout_ms = OPEN_MS,
	    .stall_timeout_ms = STALL_MS,
	    .max_message_bytes = MOST_BYTES,
	    .handlers = &handlers,
	    .arg = x,
	};
	x->dial = ws_dial_open(&setup);
	url_fini(&url);
}

static void finish(struct test *x)
{
	ws_dial_free(&x->dial);
	buf_fini(&x->heard);
}

static bool is_open(struct test *x)
{
	return x->opens > 0;
}

static bool has_heard(struct test *x)
{
	return x->heard.len > 0;
}

static bool has_ended(struct test *x)
{
	return x->ends > 0;
}

static bool is_alone(struct test *x)
{
	(void)x;
	return !accepted;
}

static bool wait_for(struct test *x, bool (*is_reached)(struct test *x))
{
	return loop_until(loop, PATIENCE_MS, x, is_reached);
}

static bool has_ticked(struct test *x)
{
	(void)x;
	static int n;

	return ++n % 50 == 0;
}

/* ---- tests ---- */

static void test_talk(void)
{
	struct test x = {.opens = 0};

	dial(&x, server_port, "/ws");
	ok(!x.opens && !x.ends, "dialling reports nothing before it returns");
	ws_dial_send(x.dial, "early", 5);
	ok(wait_for(&x, is_open), "a connection to a server opens");
	ws_dial_send(x.dial, "hello", 5);
	ok(wait_for(&x, has_heard), "a message is answered");
	is_str(buf_cstr(&x.heard), "hello\n",
	    "a message before the opening was dropped");
	ok(x.drains > 0, "the owner is told when its output was taken");
	ws_dial_close(x.dial, 1000, "bye");
	ok(wait_for(&x, has_ended), "a close ends the connection");
	is_int(x.code, 1000, "a close is answered with its code");
	is_int(x.ends, 1, "the end is reported once");
	ok(wait_for(&x, is_alone), "a closed connection is gone at the server");
	finish(&x);
}

static void test_large(void)
{
	struct test x = {.opens = 0};
	size_t n = 3 * 1024 * 1024;
	char *text = mem_alloc(n);

	memset(text, 'x', n);
	dial(&x, server_port, "/ws");
	(void)wait_for(&x, is_open);
	ws_dial_send(x.dial, text, n);
	ok(ws_dial_waiting(x.dial) >= n, "waiting output is counted");
	(void)wait_for(&x, has_heard);
	ok(x.heard.len == n + 1 && memcmp(x.heard.data, text, n) == 0,
	    "a message of 3 MiB goes there and comes back");
	is_int((int64_t)ws_dial_waiting(x.dial), 0,
	    "output that was taken waits no more");
	free(text);
	finish(&x);
	ok(wait_for(&x, is_alone), "a freed connection is gone at the server");
}

static void test_server_closes(void)
{
	struct test x = {.frees_on_end = true};

	dial(&x, server_port, "/ws");
	(void)wait_for(&x, is_open);
	wire_close(accepted, 1012, "restart");
	(void)wait_for(&x, has_ended);
	is_int(x.code, 1012, "the server's close code is reported");
	is_str(x.why, "closed the connection with code 1012",
	    "the server's close is described");
	ok(x.dial == NULL, "a connection may be freed by its last report");
	finish(&x);
	(void)wait_for(&x, is_alone);
}

static void test_free_inside(void)
{
	struct test x = {.frees_on_text = true};

	dial(&x, server_port, "/ws");
	(void)wait_for(&x, is_open);
	wire_send(accepted, "one", 3);
	wire_send(accepted, "two", 3);
	(void)wait_for(&x, is_alone);
	is_str(buf_cstr(&x.heard), "one\n",
	    "a connection freed by a message hears no other");
	is_int(x.ends, 0, "a freed connection reports no end");
	finish(&x);
}

static void test_pause(void)
{
	struct test x = {.opens = 0};

	dial(&x, server_port, "/ws");
	(void)wait_for(&x, is_open);
	ws_dial_pause(x.dial, true);
	wire_send(accepted, "one", 3);
	(void)wait_for(&x, has_ticked);
	is_int((int64_t)x.heard.len, 0, "a paused connection reads nothing");
	ws_dial_pause(x.dial, false);
	ok(wait_for(&x, has_heard), "a connection reads on after its pause");
	finish(&x);
	(void)wait_for(&x, is_alone);
}

static void test_refused(void)
{
	struct test x = {.opens = 0};
	uint16_t port;
	int fd = listen_somewhere(&port);

	close(fd);
	dial(&x, port, "/ws");
	(void)wait_for(&x, has_ended);
	is_str(x.why, "cannot be reached: Connection refused",
	    "a port where nobody listens is reported");
	finish(&x);
	x = (struct test){.opens = 0};
	dial(&x, server_port, "/other");
	(void)wait_for(&x, has_ended);
	is_str(x.why, "answered 403 Forbidden",
	    "a server without a WebSocket there is reported");
	is_int(x.opens, 0, "a refused connection never opens");
	finish(&x);
}

static void test_proxy(void)
{
	struct test x = {.opens = 0};

	(void)setenv("http_proxy", "socks5://x", 1);
	dial(&x, server_port, "/ws");
	is_int(x.ends, 0, "a bad proxy is not reported at once");
	(void)wait_for(&x, has_ended);
	ok(strstr(x.why, "the proxy that http_proxy names ") == x.why,
	    "a proxy that cannot be used is reported");
	(void)unsetenv("http_proxy");
	finish(&x);
}

static void test_silent(void)
{
	struct test x = {.opens = 0};
	uint16_t port;
	int fd = listen_somewhere(&port);

	dial(&x, port, "/ws");
	(void)wait_for(&x, has_ticked);
	is_int(x.ends, 0, "a server that does not answer is waited for");
	pass_ms(OPEN_MS);
	(void)wait_for(&x, has_ended);
	is_str(x.why, "did not answer in time",
	    "a server that does not answer is given up");
	finish(&x);
	close(fd);
}

static void test_idle(void)
{
	struct test x = {.opens = 0};

	dial(&x, server_port, "/ws");
	(void)wait_for(&x, is_open);
	for (int i = 0; i < 60 && !x.ends; i++) {
		pass_ms(5000);
		(void)wait_for(&x, has_ticked);
	}
	is_int(x.ends, 0, "a connection that is idle for 300 s is kept");
	finish(&x);
	(void)wait_for(&x, is_alone);
}

static void test_stalled(void)
{
	struct test x = {.opens = 0};
	size_t n = MOST_BYTES - 1;
	char *text = mem_alloc(n);

	memset(text, 'x', n);
	dial(&x, server_port, "/ws");
	(void)wait_for(&x, is_open);
	wire_pause(accepted, true);
	(void)wait_for(&x, has_ticked);
	ws_dial_send(x.dial, text, n);
	(void)wait_for(&x, has_ticked);
	is_int(x.ends, 0, "a server that reads slowly is waited for");
	for (int i = 0; i < 100 && !x.ends; i++) {
		pass_ms(STALL_MS / 5);
		(void)wait_for(&x, has_ticked);
	}
	is_str(x.why, "does not read what it is sent",
	    "a server that does not read is given up");
	free(text);
	finish(&x);
	if (accepted)
		wire_pause(accepted, false);
	(void)wait_for(&x, is_alone);
}

static void test_close_early(void)
{
	struct test x = {.opens = 0};

	dial(&x, server_port, "/ws");
	ws_dial_close(x.dial, 1000, "");
	(void)wait_for(&x, has_ended);
	is_int(x.code, 1006, "a connection may be closed before it opens");
	finish(&x);
}

int main(void)
{
	log_threshold(LOG_ERROR);
	follow_clock();
	loop = loop_new();
	loop_crew_open(&crew, loop, 1, 4);
	int fd = listen_somewhere(&server_port);
	serve(&fd);
	test_talk();
	test_large();
	test_server_closes();
	test_free_inside();
	test_pause();
	test_refused();
	test_proxy();
	test_silent();
	test_idle();
	test_stalled();
	test_close_early();
	loop_crew_close(&crew);
	http_free(&http);
	return done();
}
