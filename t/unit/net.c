/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * The HTTP and WebSocket server as clients see it: the server runs on a thread
 * of its own, the tests are blocking clients on plain sockets.
 */
#include "net/http.h"
#include "net/loop.h"
#include "net/ws.h"
#include "t/unit/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_BODY 100000
#define MAX_CONNECTIONS 40
#define MAX_MESSAGE 70000
#define MAX_FRAGMENTS 50
#define MAX_OUTPUT (1024 * 1024)

static struct {
	pthread_t thread;
	struct loop *loop;
	struct http *http;
	struct loop_wake *wake;
	void (*job)(void);
	sem_t ready;
	int fds[2];
	int port;
	char path[64];
	uint64_t accepted;
	uint64_t connections;
	uint64_t requests;
	uint64_t refused;
	uint64_t slow_readers;
	uint64_t oversized;
	atomic_int gone;
	atomic_int drained;
	struct http *left[2]; /* others, which have been drained */
	atomic_int binaries;
	atomic_int wires_gone;
	atomic_bool takes_binary; /* if it is text */
	atomic_bool is_hasty;	  /* messages must be complete soon */
	struct http_req *stream;
} server;

/* ---- the server's side ---- */

static void on_gone(void *arg)
{
	(void)arg;
	server.gone++;
	server.stream = NULL;
}

static void get_health(struct http_req *req, void *arg)
{
	(void)arg;
	http_reply(req, 200, "application/json", "{\"ok\":true}", 11);
}

static void get_html(struct http_req *req, void *arg)
{
	(void)arg;
	http_add_header(req, "x-test", "a\r\nx-forged: b");
	http_reply(req, 200, "text/html; charset=utf-8", "<p>", 3);
}

static void get_star(struct http_req *req, void *arg)
{
	(void)arg;
	const char *segment = http_segment(req);
	http_reply(req, 200, "text/plain", segment, strlen(segment));
}

static void get_parts(struct http_req *req, void *arg)
{
	(void)arg;
	char text[512];
	const char *x = http_header(req, "x-test");
	const char *host = http_header(req, "host");
	snprintf(text, sizeof(text), "%s|%s|%s|%s|%s|%d", http_path(req),
	    http_query(req), x ? x : "-", host ? host : "-", http_peer(req),
	    http_peer_is_loopback(req));
	http_reply(req, 200, "text/plain", text, strlen(text));
}

static void post_echo(struct http_req *req, void *arg)
{
	(void)arg;
	size_t len;
	const char *body = http_body(req, &len);
	http_reply(req, 200, "application/octet-stream", body, len);
}

static void any_hang(struct http_req *req, void *arg)
{
	http_on_gone(req, on_gone, arg);
}

static void on_late(void *arg)
{
	http_reply(arg, 200, "text/plain", "late", 4);
}

static void post_late(struct http_req *req, void *arg)
{
	(void)arg;
	static struct loop_timer timer;
	loop_timer_init(&timer, on_late, req);
	loop_timer_set(server.loop, &timer, 200);
}

static void on_stream_drain(void *arg)
{
	(void)arg;
	if (!server.drained++)
		http_stream_write(server.stream, "two", 3);
	else
		http_stream_end(server.stream);
}

static void get_stream(struct http_req *req, void *arg)
{
	(void)arg;
	server.drained = 0;
	server.stream = req;
	http_stream_start(req, 200, "text/event-stream", on_stream_drain, req);
	http_stream_write(req, "o", 1);
	http_stream_write(req, "ne", 2);
}

/* Writes for ever, with a bound on what waits. */
static void on_endless_drain(void *arg)
{
	static char bytes[16384];
	while (http_stream_pending(arg) < 4 * sizeof(bytes))
		http_stream_write(arg, bytes, sizeof(bytes));
}

static void get_endless(struct http_req *req, void *arg)
{
	(void)arg;
	http_on_gone(req, on_gone, NULL);
	http_stream_start(req, 200, "text/plain", on_endless_drain, req);
	on_endless_drain(req);
}

static void get_quiet(struct http_req *req, void *arg)
{
	(void)arg;
	http_on_gone(req, on_gone, NULL);
	http_stream_start(req, 200, "text/event-stream", NULL, NULL);
}

struct peer {
	struct wire *wire;
};

static void on_text(void *arg, const char *text, size_t len)
{
	struct peer *p = arg;
	static char kib[1024];
	if (len == 5 && memcmp(text, "close", 5) == 0) {
		wire_send(p->wire, "last", 4);
		wire_close(p->wire, 1000, "bye");
		wire_send(p->wire, "never", 5);
	} else if (len == 5 && memcmp(text, "flood", 5) == 0) {
		memset(kib, 'x', sizeof(kib));
		for (int i = 0; i < 8 * 1024; i++)
			wire_send(p->wire, kib, sizeof(kib));
	} else {
		wire_send(p->wire, text, len);
	}
}

static void on_binary(void *arg)
{
	(void)arg;
	server.binaries++;
}

static void on_drain(void *arg)
{
	(void)arg;
}

static void on_wire_gone(void *arg)
{
	server.wires_gone++;
	free(arg);
}

static const struct wire_handlers handlers = {
    .on_text = on_text,
    .on_binary = on_binary,
    .on_drain = on_drain,
    .on_gone = on_wire_gone,
};

static void get_ws(struct http_req *req, void *arg)
{
	if (!ws_is_handshake(req)) {
		http_reply_error(req, 404, "not found");
		return;
	}
	struct ws_limits limits = {
	    .max_message_bytes = MAX_MESSAGE,
	    .max_fragments = MAX_FRAGMENTS,
	    .max_output_bytes = MAX_OUTPUT,
	    .stall_timeout_ms = arg ? 200 : 60000,
	    .message_timeout_ms = server.is_hasty ? 300 : 60000,
	    .slow_readers_total = &server.slow_readers,
	    .oversized_total = &server.oversized,
	    .takes_binary = server.takes_binary,
	};
	struct peer *p = calloc(1, sizeof(*p));
	p->wire = ws_accept(req, &limits);
	wire_take(p->wire, &handlers, p);
}

static void run_job(void *arg)
{
	(void)arg;
	server.job();
	sem_post(&server.ready);
}

static void add_routes(void)
{
	static const struct {
		const char *method;
		const char *path;
		http_handler *fn;
	} routes[] = {
	    {"GET", "/health", get_health},
	    {"GET", "/html", get_html},
	    {"GET", "/items/*", get_star},
	    {"GET", "/items/*/part", get_star},
	    {"GET", "/deep/a/*", get_star},
	    {"GET", "/deep/**", get_star},
	    {"GET", "/parts", get_parts},
	    {"POST", "/echo", post_echo},
	    {"GET", "/hang", any_hang},
	    {"POST", "/hang", any_hang},
	    {"POST", "/late", post_late},
	    {"GET", "/stream", get_stream},
	    {"GET", "/endless", get_endless},
	    {"GET", "/quiet", get_quiet},
	    {"WEBSOCKET", "/ws", get_ws},
	};
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		http_route(server.http, routes[i].method, routes[i].path,
		    routes[i].fn, NULL);
	http_route(server.http, "WEBSOCKET", "/ws-stall", get_ws, &server);
}

static void *run_server(void *arg)
{
	(void)arg;
	server.loop = loop_new();
	struct http_setup setup = {
	    .listeners = server.fds,
	    .n_listeners = 2,
	    .max_body_bytes = MAX_BODY,
	    .max_connections = MAX_CONNECTIONS,
	    .request_timeout_ms = 1500,
	    .trusted_proxies = "127.0.0.1, unix:",
	    .allowed_hosts = "example, h",
	    .allowed_origins = "https://chat.example",
	    .accepted_total = &server.accepted,
	    .connections = &server.connections,
	    .requests_total = &server.requests,
	    .refused_total = &server.refused,
	};
	server.http = http_new(server.loop, &setup);
	add_routes();
	server.wake = loop_wake_open(server.loop, run_job, NULL);
	http_start(server.http);
	sem_post(&server.ready);
	loop_run(server.loop);
	http_free(&server.http);
	http_free(&server.left[0]);
	http_free(&server.left[1]);
	loop_wake_close(&server.wake);
	return NULL;
}

/* Run fn on the server's loop, and wait until it has. */
static void on_loop(void (*fn)(void))
{
	server.job = fn;
	loop_wake_up(server.wake);
	sem_wait(&server.ready);
}

static void listen_all(void)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (void *)&in, sizeof(in)) < 0 ||
	    listen(fd, 128) < 0 || getsockname(fd, (void *)&in, &len) < 0)
		abort();
	server.fds[0] = fd;
	server.port = ntohs(in.sin_port);
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	snprintf(server.path, sizeof(server.path), "/tmp/co-net-%d.sock",
	    (int)getpid());
	memcpy(un.sun_path, server.path, strlen(server.path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (void *)&un, sizeof(un)) < 0 ||
	    listen(fd, 128) < 0)
		abort();
	server.fds[1] = fd;
}

/* ---- the clients' side ---- */

static int64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int connect_to(const void *sa, socklen_t len, int family)
{
	struct timeval limit = {.tv_sec = 8};
	int fd = socket(family, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, sa, len) < 0)
		abort();
	return fd;
}

static int dial(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)server.port),
	    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	return connect_to(&in, sizeof(in), AF_INET);
}

static int dial_unix(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	memcpy(un.sun_path, server.path, strlen(server.path) + 1);
	return connect_to(&un, sizeof(un), AF_UNIX);
}

static bool put(int fd, const void *p, size_t n)
{
	const char *at = p;
	while (n) {
		ssize_t done_bytes = send(fd, at, n, MSG_NOSIGNAL);
		if (done_bytes <= 0)
			return false;
		at += done_bytes;
		n -= (size_t)done_bytes;
	}
	return true;
}

static bool put_str(int fd, const char *s)
{
	return put(fd, s, strlen(s));
}

static bool get(int fd, void *p, size_t n)
{
	char *at = p;
	while (n) {
		ssize_t got = recv(fd, at, n, 0);
		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

struct reply {
	int status; /* 0: the connection ended */
	char head[4096];
	char body[2 * MAX_BODY];
	size_t len;
};

static bool get_line(int fd, char *line, size_t size)
{
	size_t n = 0;
	while (n + 1 < size && get(fd, line + n, 1)) {
		if (line[n++] == '\n') {
			line[n] = '\0';
			return true;
		}
	}
	return false;
}

static void get_chunks(int fd, struct reply *r)
{
	char line[64];
	for (;;) {
		if (!get_line(fd, line, sizeof(line)))
			return;
		size_t n = strtoul(line, NULL, 16);
		if (n > sizeof(r->body) - r->len ||
		    !get(fd, r->body + r->len, n) || !get(fd, line, 2))
			return;
		r->len += n;
		if (!n)
			return;
	}
}

/* Read one reply. */
static struct reply *read_reply(int fd)
{
	static struct reply r;
	memset(&r, 0, sizeof(r));
	size_t n = 0;
	while (n < sizeof(r.head) - 1 && get(fd, r.head + n, 1)) {
		if (++n >= 4 && memcmp(r.head + n - 4, "\r\n\r\n", 4) == 0)
			break;
	}
	if (n < 12)
		return &r;
	r.status = atoi(r.head + 9);
	const char *length = strcasestr(r.head, "content-length: ");
	if (strcasestr(r.head, "transfer-encoding: chunked"))
		get_chunks(fd, &r);
	else if (length) {
		r.len = strtoul(length + 16, NULL, 10);
		if (!get(fd, r.body, r.len))
			r.status = -1;
	}
	return &r;
}

/* Send a request on a new connection and read its reply. */
static struct reply *ask(const char *request)
{
	int fd = dial();
	put_str(fd, request);
	struct reply *r = read_reply(fd);
	close(fd);
	return r;
}

static bool is_body(const struct reply *r, int status, const char *body)
{
	if (r->status == status && strcmp(r->body, body) == 0)
		return true;
	printf("# got %d %s\n", r->status, r->body);
	return false;
}

static bool is_ended(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);
	return n == 0 || (n < 0 && errno != EAGAIN);
}

static bool wait_int(const atomic_int *n, int want)
{
	for (int64_t end = now_ms() + 5000; now_ms() < end;) {
		if (*n == want)
			return true;
		poll(NULL, 0, 2);
	}
	printf("# got %d, expected %d\n", *n, want);
	return false;
}

static bool wait_connections(uint64_t want)
{
	for (int64_t end = now_ms() + 5000; now_ms() < end;) {
		if (__atomic_load_n(&server.connections, __ATOMIC_RELAXED) ==
		    want)
			return true;
		poll(NULL, 0, 2);
	}
	return false;
}

#define CORS                                                          \
	"access-control-allow-origin: *\r\n"                          \
	"access-control-allow-methods: GET, POST, OPTIONS\r\n"        \
	"access-control-allow-headers: authorization, content-type, " \
	"x-co-from, x-co-signature, x-co-timestamp, x-co-to, "        \
	"x-co-request-id, idempotency-key, last-event-id, "           \
	"cache-control, traceparent, x-session-api-key, "             \
	"x-api-key, x-request-id\r\n"

/* ---- tests: HTTP ---- */

static void test_routes(void)
{
	static const struct {
		const char *request;
		int status;
		const char *body;
	} cases[] = {
	    {"GET /health HTTP/1.1", 200, "{\"ok\":true}"},
	    {"GET /health?a=/b HTTP/1.1", 200, "{\"ok\":true}"},
	    {"GET /health/ HTTP/1.1", 404, "{\"error\": \"not found\"}"},
	    {"GET /%68ealth HTTP/1.1", 404, "{\"error\": \"not found\"}"},
	    {"GET //health HTTP/1.1", 404, "{\"error\": \"not found\"}"},
	    {"POST /health HTTP/1.1", 405,
		"{\"error\": \"method not allowed\"}"},
	    {"GET /items/a%20b HTTP/1.1", 200, "a%20b"},
	    {"GET /items/ HTTP/1.1", 404, "{\"error\": \"not found\"}"},
	    {"GET /items/a/b HTTP/1.1", 404, "{\"error\": \"not found\"}"},
	    {"GET /items/a/part HTTP/1.1", 200, "a"},
	    {"GET /deep/x/y?z HTTP/1.1", 200, "x/y"},
	    {"GET /deep/ HTTP/1.1", 200, ""},
	    {"GET /deep/a/y HTTP/1.1", 200, "y"},
	    {"GET /deep/a/y/z HTTP/1.1", 200, "a/y/z"},
	    {"GET /deep HTTP/1.1", 404, "{\"error\": \"not found\"}"},
	    {"GET /items//part HTTP/1.1", 404, "{\"error\": \"not found\"}"},
	    {"GET /items/../health HTTP/1.1", 404,
		"{\"error\": \"not found\"}"},
#ifdef HAVE_H2O_SENDVEC
	    {"GET http://x/health HTTP/1.1", 200, "{\"ok\":true}"},
#else
	    {"GET http://x/health HTTP/1.1", 404, "{\"error\": \"not found\"}"},
#endif
	    {"OPTIONS * HTTP/1.1", 204, ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];
		snprintf(text, sizeof(text), "%s\r\nhost: h\r\n\r\n",
		    cases[i].request);
		struct reply *r = ask(text);
		ok(is_body(r, cases[i].status, cases[i].body), "%s is %d",
		    cases[i].request, cases[i].status);
	}
}

static void test_heads(void)
{
	struct reply *r = ask("OPTIONS /any HTTP/1.1\r\nhost: h\r\n\r\n");
	ok(r->status == 204 && strstr(r->head, CORS) &&
		strcasestr(r->head, "content-length: 0\r\n"),
	    "OPTIONS has the CORS headers and no body");
	r = ask("GET /health HTTP/1.1\r\nhost: h\r\n\r\n");
	ok(strstr(r->head, CORS) != NULL, "a JSON reply has CORS headers");
	ok(!strcasestr(r->head, "server:"), "no reply names the server");
	r = ask("GET /none HTTP/1.1\r\nhost: h\r\n\r\n");
	ok(strstr(r->head, CORS) != NULL, "a 404 has CORS headers");
	r = ask("GET /html HTTP/1.1\r\nhost: h\r\n\r\n");
	ok(!strstr(r->head, "access-control"), "HTML has no CORS headers");
	ok(strstr(r->head, "x-test: a  x-forged: b\r\n") != NULL,
	    "a header value cannot forge another header");
	int fd = dial();
	put_str(fd, "HEAD /health HTTP/1.1\r\nhost: h\r\n\r\n"
		    "GET /health HTTP/1.1\r\nhost: h\r\n\r\n");
	char line[256] = "";
	int statuses = 0;
	while (statuses < 2 && get_line(fd, line, sizeof(line)))
		statuses += strncmp(line, "HTTP/1.1 ", 9) == 0;
	ok(strncmp(line, "HTTP/1.1 200", 12) == 0,
	    "HEAD is GET without a body");
	close(fd);
	r = ask("GET /parts?x=1&y=%20 HTTP/1.1\r\nhost: example\r\n"
		"X-Test: a b\r\n\r\n");
	ok(is_body(r, 200, "/parts|x=1&y=%20|a b|example|127.0.0.1|1"),
	    "a handler sees path, query, headers and peer");
	r = ask("GET /parts HTTP/1.1\r\nhost: elsewhere\r\n\r\n");
	ok(is_body(r, 200, "/parts||-|elsewhere|127.0.0.1|0"),
	    "a peer that uses a foreign name has no privileges of loopback");
	r = ask("GET /parts HTTP/1.1\r\nhost: h\r\n"
		"x-forwarded-for: 127.0.0.1, 9.9.9.9\r\n"
		"x-forwarded-for: 127.0.0.1\r\n\r\n");
	ok(strstr(r->body, "|9.9.9.9|0") != NULL,
	    "lines of X-Forwarded-For are one list");
	fd = dial_unix();
	put_str(fd, "GET /parts HTTP/1.1\r\nhost: h\r\n\r\n");
	ok(is_body(read_reply(fd), 200, "/parts||-|h|unix|0"),
	    "a client on a Unix socket is called unix");
	close(fd);
}

/* A POST of n bytes, in one body or in chunks. */
static struct reply *post(const char *path, size_t n, size_t chunk)
{
	int fd = dial();
	char *body = malloc(n + 1);
	memset(body, 'b', n);
	char head[256];
	if (!chunk) {
		snprintf(head, sizeof(head),
		    "POST %s HTTP/1.1\r\nhost: h\r\ncontent-length: "
		    "%zu\r\n\r\n",
		    path, n);
		put_str(fd, head);
		put(fd, body, n);
	} else {
		snprintf(head, sizeof(head),
		    "POST %s HTTP/1.1\r\nhost: h\r\n"
		    "transfer-encoding: chunked\r\n\r\n",
		    path);
		put_str(fd, head);
		for (size_t at = 0; at < n; at += chunk) {
			size_t part = n - at < chunk ? n - at : chunk;
			snprintf(head, sizeof(head), "%zx\r\n", part);
			put_str(fd, head);
			put(fd, body + at, part);
			put_str(fd, "\r\n");
		}
		put_str(fd, "0\r\n\r\n");
	}
	free(body);
	struct reply *r = read_reply(fd);
	close(fd);
	return r;
}

static void test_bodies(void)
{
	static const struct {
		size_t bytes;
		size_t chunk;
		int status;
	} cases[] = {
	    {0, 0, 200},
	    {1, 0, 200},
	    {MAX_BODY, 0, 200},
	    {MAX_BODY + 1, 0, 413},
	    {MAX_BODY + 2, 0, 413},
	    {0, 7, 200},
	    {1000, 7, 200},
	    {MAX_BODY, 4096, 200},
	    {MAX_BODY + 1, 4096, 413},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply *r = post("/echo", cases[i].bytes, cases[i].chunk);
		bool is_good = r->status == cases[i].status;
		if (cases[i].status == 200)
			is_good = is_good && r->len == cases[i].bytes;
		else
			is_good =
			    is_good &&
			    strcmp(r->body,
				"{\"error\": \"Request body too large\"}") == 0;
		ok(is_good, "a body of %zu bytes, chunks of %zu, is %d",
		    cases[i].bytes, cases[i].chunk, cases[i].status);
	}
	ok(post("/echo", 40 * 1024 * 1024, 0)->status == 413,
	    "a client that first sends all of 40 MiB still gets its 413");
	int fd = dial();
	put_str(fd, "POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n"
		    "expect: 100-continue\r\n\r\n");
	ok(read_reply(fd)->status == 100, "100 Continue is sent");
	put_str(fd, "hi");
	ok(is_body(read_reply(fd), 200, "hi"),
	    "the body is read after 100 Continue");
	close(fd);
}

static void test_bad_requests(void)
{
	static char big[500000];
	static const struct {
		const char *name;
		const char *head;
		const char *repeat;
		size_t times;
		int status;
	} cases[] = {
	    {"no HTTP at all", "\x16\x03\x01 hello\r\n\r\n", "", 0, 400},
	    {"a broken chunk",
		"POST /echo HTTP/1.1\r\nhost: h\r\ntransfer-encoding: "
		"chunked\r\n\r\nzz",
		"\r\n", 1, 400},
	    {"an unknown transfer coding",
		"POST /echo HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip\r\n",
		"\r\n", 1, 400},
	    {"a negative length",
		"POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: -1\r\n",
		"\r\n", 1, 400},
	    {"an unknown expectation",
		"POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: "
		"1\r\nexpect: x\r\n",
		"\r\n", 1, 417},
	    {"10,000 headers", "GET /health HTTP/1.1\r\nhost: h\r\n",
		"a: b\r\n", 10000, 400},
	    {"a folded header",
		"GET /health HTTP/1.1\r\nhost: h\r\nx-test: a\r\n b\r\n",
		"\r\n", 1, 400},
	    {"70,000 bytes of headers",
		"GET /health HTTP/1.1\r\nhost: h\r\nx-test: ", "0123456789",
		7000, 431},
	    {"a target of 70,000 bytes", "GET /", "0123456789", 7000, 414},
	    {"a header of 450,000 bytes",
		"GET /health HTTP/1.1\r\nhost: h\r\nx-test: ", "0123456789",
		45000, 400},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *at = stpcpy(big, cases[i].head);
		for (size_t j = 0; j < cases[i].times; j++)
			at = stpcpy(at, cases[i].repeat);
		if (strncmp(big, "GET /0", 6) == 0)
			at = stpcpy(at, " HTTP/1.1\r\nhost: h");
		stpcpy(at, "\r\n\r\n");
		struct reply *r = ask(big);
		/* The 400 may be lost to a reset when much was unread. */
		bool is_good = r->status == cases[i].status ||
			       (cases[i].status == 400 && r->status == 0);
		ok(is_good && !strstr(r->body, "<"), "%s is %d", cases[i].name,
		    cases[i].status);
		if (!is_good)
			printf("# got %d %s\n", r->status, r->body);
	}
	ok(ask("GET /health HTTP/1.1\r\nhost: h\r\n\r\n")->status == 200,
	    "the server still answers after bad requests");
}

static void test_connections(void)
{
	int fd = dial();
	put_str(fd, "GET /items/a HTTP/1.1\r\nhost: h\r\n\r\n"
		    "GET /items/b HTTP/1.1\r\nhost: h\r\n\r\n"
		    "POST /echo HTTP/1.1\r\nhost: h\r\n"
		    "content-length: 1\r\n\r\nc"
		    "GET /items/d HTTP/1.1\r\nhost: h\r\n\r\n");
	ok(is_body(read_reply(fd), 200, "a") &&
		is_body(read_reply(fd), 200, "b") &&
		is_body(read_reply(fd), 200, "c"),
	    "pipelined requests are answered in order");
#ifdef HAVE_H2O_SENDVEC
	ok(is_ended(fd), "the connection ends with a request that has a body");
#else
	ok(is_body(read_reply(fd), 200, "d"),
	    "a request behind one with a body is answered");
#endif
	close(fd);
	fd = dial();
	put_str(fd, "GET /health HTTP/1.0\r\n\r\n");
	ok(read_reply(fd)->status == 200 && is_ended(fd),
	    "HTTP/1.0 closes after the reply");
	close(fd);
	fd = dial();
	put_str(fd, "GET /health HTTP/1.1\r\nhost:");
	ok(is_ended(fd), "a request that never ends is cut at the time limit");
	close(fd);
}

/* The end may come between a write and the news that it was taken. */
static void test_gone_at_once(void)
{
	char line[64];
	for (int i = 0; i < 300; i++) {
		int fd = dial();
		put_str(fd, "GET /quiet HTTP/1.1\r\nhost: h\r\n\r\n");
		(void)get_line(fd, line, sizeof(line));
		close(fd);
	}
	ok(wait_connections(0), "no connection is left by clients that leave "
				"when a stream begins");
}

static void test_gone(void)
{
	static const struct {
		const char *name;
		const char *request;
	} cases[] = {
	    {"a waiting GET", "GET /hang HTTP/1.1\r\nhost: h\r\n\r\n"},
	    {"a waiting POST", "POST /hang HTTP/1.1\r\nhost: "
			       "h\r\ncontent-length: 2\r\n\r\nhi"},
	    {"a quiet stream", "GET /quiet HTTP/1.1\r\nhost: h\r\n\r\n"},
	    {"a blocked stream", "GET /endless HTTP/1.1\r\nhost: h\r\n\r\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wait_connections(0);
		server.gone = 0;
		int fd = dial();
		put_str(fd, cases[i].request);
		poll(NULL, 0, 50);
		bool is_early = server.gone != 0;
		close(fd);
		ok(wait_int(&server.gone, 1) && !is_early,
		    "on_gone is called once when the client of %s leaves",
		    cases[i].name);
		ok(wait_connections(0),
		    "the connection of %s is closed when its client leaves",
		    cases[i].name);
	}
	int fd = dial();
	put_str(fd,
	    "POST /late HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nhi");
	poll(NULL, 0, 20);
	close(fd);
	ok(wait_connections(0), "a reply to a client that left is harmless");
	server.gone = 0;
	fd = dial();
	put_str(fd, "GET /endless HTTP/1.1\r\nhost: h\r\n\r\n");
	ok(wait_int(&server.gone, 1),
	    "a client that takes nothing of its reply is cut");
	close(fd);
}

static void test_streams(void)
{
	int fd = dial();
	put_str(fd, "GET /stream HTTP/1.1\r\nhost: h\r\n\r\n");
	struct reply *r = read_reply(fd);
	ok(is_body(r, 200, "onetwo"), "a stream arrives whole");
	ok(strstr(r->head, "cache-control: no-store\r\n") &&
		strstr(r->head, "x-accel-buffering: no\r\n") &&
		strstr(r->head, "content-type: text/event-stream\r\n"),
	    "a stream has the headers against buffering by proxies");
	ok(server.drained == 2, "on_drain is called for each part");
	put_str(fd, "GET /health HTTP/1.1\r\nhost: h\r\n\r\n");
	ok(read_reply(fd)->status == 200, "the connection goes on");
	close(fd);
	fd = dial();
	put_str(fd, "GET /stream HTTP/1.0\r\n\r\n");
	r = read_reply(fd);
	ok(r->status == 200 && get(fd, r->body, 6) && is_ended(fd) &&
		strcmp(r->body, "onetwo") == 0,
	    "HTTP/1.0 gets a stream without chunks");
	close(fd);
	fd = dial();
	put_str(fd, "GET /quiet HTTP/1.1\r\nhost: h\r\n\r\n");
	char line[64];
	ok(get_line(fd, line, sizeof(line)) &&
		strncmp(line, "HTTP/1.1 200", 12) == 0,
	    "the head of a stream does not wait for its body");
	close(fd);
}

static void test_cap(void)
{
	int fds[MAX_CONNECTIONS + 5];
	wait_connections(0);
	for (size_t i = 0; i < MAX_CONNECTIONS + 5; i++) {
		fds[i] = dial();
		put_str(fds[i], "GET /hang HTTP/1.1\r\nhost: h\r\n\r\n");
	}
	ok(wait_connections(MAX_CONNECTIONS),
	    "connections are served up to the limit");
	poll(NULL, 0, 50);
	struct rusage before, after;
	getrusage(RUSAGE_SELF, &before);
	poll(NULL, 0, 200);
	getrusage(RUSAGE_SELF, &after);
	long spent_us =
	    (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
	    after.ru_utime.tv_usec - before.ru_utime.tv_usec;
	ok(spent_us < 100000,
	    "connections above the limit wait without spinning the loop");
	for (size_t i = 0; i < MAX_CONNECTIONS; i++)
		close(fds[i]);
	ok(wait_connections(5),
	    "connections above the limit are served when there is room");
	for (size_t i = MAX_CONNECTIONS; i < MAX_CONNECTIONS + 5; i++)
		close(fds[i]);
	wait_connections(0);
}

/* ---- tests: WebSocket ---- */

#define FIN 0x80
#define TEXT 1
#define BINARY 2
#define CLOSE 8
#define PING 9
#define PONG 10

static int ws_dial(const char *path, const char *then, size_t n)
{
	char head[512];
	int fd = dial();
	int len = snprintf(head, sizeof(head),
	    "GET %s HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\n"
	    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	    path);
	memcpy(head + len, then, n);
	put(fd, head, (size_t)len + n);
	return fd;
}

static int ws_open(const char *path)
{
	int fd = ws_dial(path, "", 0);
	if (read_reply(fd)->status != 101)
		printf("# no 101\n");
	return fd;
}

/* Build a masked frame; returns its size. */
static size_t ws_frame(uint8_t *out, int first, const void *data, size_t n)
{
	static const uint8_t mask[4] = {1, 2, 3, 4};
	size_t at = 2;
	out[0] = (uint8_t)first;
	if (n < 126) {
		out[1] = (uint8_t)(0x80 | n);
	} else if (n < 65536) {
		out[1] = 0x80 | 126;
		out[2] = (uint8_t)(n >> 8);
		out[3] = (uint8_t)n;
		at = 4;
	} else {
		out[1] = 0x80 | 127;
		for (int i = 0; i < 8; i++)
			out[2 + i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
		at = 10;
	}
	memcpy(out + at, mask, 4);
	at += 4;
	for (size_t i = 0; i < n; i++)
		out[at + i] = ((const uint8_t *)data)[i] ^ mask[i % 4];
	return at + n;
}

static bool ws_put(int fd, int first, const void *data, size_t n)
{
	static uint8_t frame[2 * MAX_MESSAGE];
	return put(fd, frame, ws_frame(frame, first, data, n));
}

struct frame {
	int opcode; /* -1: the connection ended */
	int code;   /* of a close */
	size_t len;
	char data[2 * MAX_MESSAGE];
};

static struct frame *ws_get(int fd)
{
	static struct frame f;
	uint8_t head[10];
	memset(&f, 0, sizeof(f));
	f.opcode = -1;
	if (!get(fd, head, 2))
		return &f;
	size_t more = head[1] == 126 ? 2 : head[1] == 127 ? 8 : 0;
	f.len = more ? 0 : head[1];
	if (!get(fd, head + 2, more))
		return &f;
	for (size_t i = 0; i < more; i++)
		f.len = f.len << 8 | head[2 + i];
	if (f.len >= sizeof(f.data) || !get(fd, f.data, f.len))
		return &f;
	f.opcode = head[0] & 0x7f;
	if (f.opcode == CLOSE && f.len >= 2)
		f.code = (uint8_t)f.data[0] << 8 | (uint8_t)f.data[1];
	return &f;
}

static bool is_text(const struct frame *f, const char *text)
{
	if (f->opcode == TEXT && strcmp(f->data, text) == 0)
		return true;
	printf("# got opcode %d: %.40s\n", f->opcode, f->data);
	return false;
}

static void test_handshake(void)
{
	int fd = ws_dial("/ws", "", 0);
	struct reply *r = read_reply(fd);
	ok(r->status == 101 &&
		strcasestr(r->head,
		    "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") &&
		strcasestr(r->head, "upgrade: websocket\r\n") &&
		strcasestr(r->head, "connection: upgrade\r\n"),
	    "the handshake of RFC 6455 is answered");
	close(fd);
	fd = ws_dial("/other", "", 0);
	ok(is_body(read_reply(fd), 403, "{\"error\": \"forbidden\"}"),
	    "an upgrade on an unknown path is forbidden");
	close(fd);
	r = ask("GET /ws HTTP/1.1\r\nhost: h\r\n\r\n");
	ok(r->status == 404, "a plain GET is no handshake");
	r = ask("GET /ws HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\n"
		"upgrade: websocket\r\nsec-websocket-version: 8\r\n"
		"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	ok(r->status == 404, "version 8 is no handshake");
	r = ask("GET /ws HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\n"
		"upgrade: websocket\r\nsec-websocket-version: 13\r\n"
		"sec-websocket-key: short\r\n\r\n");
	ok(r->status == 404, "a key of the wrong length is no handshake");
	uint8_t frame[64];
	size_t n = ws_frame(frame, FIN | TEXT, "early", 5);
	fd = ws_dial("/ws", (char *)frame, n);
	ok(read_reply(fd)->status == 101 && is_text(ws_get(fd), "early"),
	    "a message sent with the handshake is not lost");
	close(fd);
}

static void test_echo(void)
{
	static const size_t sizes[] = {
	    0, 1, 125, 126, 127, 65535, 65536, MAX_MESSAGE};
	static char text[MAX_MESSAGE];
	memset(text, 't', sizeof(text));
	int fd = ws_open("/ws");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ws_put(fd, FIN | TEXT, text, sizes[i]);
		struct frame *f = ws_get(fd);
		ok(f->opcode == TEXT && f->len == sizes[i] &&
			memcmp(f->data, text, f->len) == 0,
		    "a message of %zu bytes comes back", sizes[i]);
	}
	ws_put(fd, TEXT, "a", 1);
	ws_put(fd, FIN | PING, "p", 1);
	struct frame *f = ws_get(fd);
	ok(f->opcode == PONG && f->len == 1 && f->data[0] == 'p',
	    "a ping between fragments is answered at once");
	ws_put(fd, 0, "\xc3", 1);
	ws_put(fd, FIN, "\xa9", 1);
	ok(is_text(ws_get(fd), "a\xc3\xa9"),
	    "fragments are put together, also within a character");
	server.binaries = 0;
	ws_put(fd, BINARY, text, 1000);
	ws_put(fd, FIN, text, 1000);
	ok(wait_int(&server.binaries, 1), "a binary message is told once");
	ws_put(fd, FIN | TEXT, "still", 5);
	ok(is_text(ws_get(fd), "still"),
	    "a socket goes on after a binary message");
	close(fd);
}

static void test_binary_text(void)
{
	server.takes_binary = true;
	int fd = ws_open("/ws");
	server.takes_binary = false;
	server.binaries = 0;
	ws_put(fd, BINARY, "a\xc3", 2);
	ws_put(fd, FIN | PING, "p", 1);
	ok(ws_get(fd)->opcode == PONG,
	    "a ping inside a binary message is answered");
	ws_put(fd, FIN, "\xa9", 1);
	ok(is_text(ws_get(fd), "a\xc3\xa9"),
	    "a binary message of valid UTF-8 is taken as text");
	ws_put(fd, FIN | BINARY, "", 0);
	ok(is_text(ws_get(fd), ""), "an empty binary message is taken as text");
	ws_put(fd, FIN | BINARY, "a\xff", 2);
	ok(wait_int(&server.binaries, 1),
	    "a binary message of invalid UTF-8 is no text");
	ws_put(fd, FIN | TEXT, "still", 5);
	ok(is_text(ws_get(fd), "still"),
	    "a socket goes on after a binary message that is no text");
	close(fd);
}

static void test_violations(void)
{
	static uint8_t big[MAX_MESSAGE + 1];
	static const struct {
		const char *name;
		int first;
		const char *data;
		size_t n;
		int code;
	} cases[] = {
	    {"text that is not UTF-8", FIN | TEXT, "\xff\xfe", 2, 1007},
	    {"text cut in a character", FIN | TEXT, "\xc3", 1, 1007},
	    {"a message that is too long", FIN | TEXT, (char *)big,
		MAX_MESSAGE + 1, 1009},
	    {"a reserved bit", FIN | 0x40 | TEXT, "a", 1, 1002},
	    {"a reserved opcode", FIN | 3, "a", 1, 1002},
	    {"a continuation of nothing", FIN, "a", 1, 1002},
	    {"a ping that is too long", FIN | PING, (char *)big, 126, 1002},
	    {"a ping in fragments", PING, "a", 1, 1002},
	    {"a close code that is reserved", FIN | CLOSE, "\x03\xed", 2, 1002},
	};
	uint64_t oversized = server.oversized;
	memset(big, 'b', sizeof(big));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		wait_connections(0);
		server.wires_gone = 0;
		int fd = ws_open("/ws");
		ws_put(fd, cases[i].first, cases[i].data, cases[i].n);
		struct frame *f = ws_get(fd);
		ok(f->opcode == CLOSE && f->code == cases[i].code,
		    "%s is closed with %d", cases[i].name, cases[i].code);
		if (f->code != cases[i].code)
			printf("# got %d %d\n", f->opcode, f->code);
		ok(wait_int(&server.wires_gone, 1) && ws_get(fd)->opcode == -1,
		    "%s is told to the user of the socket once", cases[i].name);
		close(fd);
	}
	int fd = ws_open("/ws");
	put(fd, "\x81\x01x", 3);
	ok(ws_get(fd)->code == 1002, "an unmasked frame is closed with 1002");
	close(fd);
	fd = ws_open("/ws");
	put(fd, "\x81\xff\x00\x00\x01\x00\x00\x00\x00\x00\1\2\3\4x", 15);
	ok(ws_get(fd)->code == 1009, "a terabyte is refused by its header");
	close(fd);
	fd = ws_open("/ws");
	ws_put(fd, TEXT, "", 0);
	for (int i = 0; i < MAX_FRAGMENTS + 10; i++)
		ws_put(fd, 0, "", 0);
	ok(ws_get(fd)->code == 1009, "too many fragments are closed with 1009");
	is_int((int64_t)(server.oversized - oversized), 3,
	    "each socket that is closed with 1009 is counted once");
	close(fd);
}

static void test_closes(void)
{
	wait_connections(0);
	server.wires_gone = 0;
	int fd = ws_open("/ws");
	ws_put(fd, FIN | CLOSE, "\x03\xe8ok", 4);
	struct frame *f = ws_get(fd);
	ok(f->opcode == CLOSE && f->code == 1000 && f->len == 4,
	    "a close is answered in kind");
	ok(ws_get(fd)->opcode == -1 && wait_int(&server.wires_gone, 1),
	    "the connection ends when the peer closes");
	close(fd);
	wait_connections(0);
	server.wires_gone = 0;
	fd = ws_open("/ws");
	ws_put(fd, FIN | TEXT, "close", 5);
	ok(is_text(ws_get(fd), "last"), "messages sent before a close arrive");
	f = ws_get(fd);
	ok(f->opcode == CLOSE && f->code == 1000 &&
		memcmp(f->data + 2, "bye", 3) == 0,
	    "a close has its code and reason and nothing behind it");
	ok(server.wires_gone == 0,
	    "a socket that closes waits for the peer's close");
	ws_put(fd, FIN | CLOSE, "\x03\xe8", 2);
	ok(ws_get(fd)->opcode == -1 && wait_int(&server.wires_gone, 1),
	    "the connection ends when the peer answers the close");
	close(fd);
	wait_connections(0);
	server.wires_gone = 0;
	fd = ws_open("/ws");
	ws_put(fd, FIN | TEXT, "close", 5);
	int64_t start = now_ms();
	while (ws_get(fd)->opcode != -1)
		continue;
	int64_t took_ms = now_ms() - start;
	ok(took_ms > 4000 && wait_int(&server.wires_gone, 1),
	    "a peer that does not answer a close is cut after 5 s");
	close(fd);
	wait_connections(0);
	server.wires_gone = 0;
	server.is_hasty = true;
	fd = ws_open("/ws");
	ws_put(fd, TEXT, "begun", 5);
	ok(ws_get(fd)->opcode == -1 && wait_int(&server.wires_gone, 1),
	    "a message that is never completed is cut");
	close(fd);
	server.is_hasty = false;
}

static void test_slow_readers(void)
{
	server.wires_gone = 0;
	server.slow_readers = 0;
	int fd = ws_open("/ws");
	ws_put(fd, FIN | TEXT, "flood", 5);
	ok(wait_int(&server.wires_gone, 1) && server.slow_readers == 1,
	    "a reader with too much waiting is cut and counted");
	close(fd);
	wait_connections(0);
	server.wires_gone = 0;
	int room = 4096;
	fd = ws_dial("/ws-stall", "", 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	read_reply(fd);
	struct timeval limit = {.tv_usec = 300000};
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	static uint8_t frames[100 * 80];
	char text[64];
	memset(text, 's', sizeof(text));
	size_t n = 0;
	for (int i = 0; i < 100; i++)
		n += ws_frame(frames + n, FIN | TEXT, text, sizeof(text));
	int sent = 0;
	while (sent < 1000000 && put(fd, frames, n))
		sent += 100;
	ok(wait_int(&server.wires_gone, 1) && server.slow_readers == 2,
	    "a reader that takes nothing is cut and counted");
	close(fd);
}

static long rss_kib(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%*d %ld", &pages) != 1)
		abort();
	fclose(f);
	return pages * 4;
}

static void test_flood(void)
{
	char text[64];
	static uint8_t frames[100 * 80];
	size_t n = 0;
	memset(text, 'f', sizeof(text));
	for (int i = 0; i < 100; i++)
		n += ws_frame(frames + n, FIN | TEXT, text, sizeof(text));
	int fd = ws_open("/ws");
	long before = rss_kib();
	/* Until the sockets are full: nobody reads the echoes. */
	int sent = 0;
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	size_t at = 0;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (sent < 100000 && poll(&p, 1, 300) == 1) {
		ssize_t w = send(fd, frames + at, n - at, MSG_NOSIGNAL);
		if (w <= 0)
			break;
		at = (at + (size_t)w) % n;
		if (!at)
			sent += 100;
	}
	long grown = rss_kib() - before;
	ok(grown < 32 * 1024, "a flood without reading costs %ld KiB", grown);
	fcntl(fd, F_SETFL, 0);
	int got = 0;
	while (got < sent && ws_get(fd)->opcode == TEXT)
		got++;
	ok(got == sent, "each of %d messages of a flood comes back", sent);
	close(fd);
}

/* ---- tests: the end ---- */

static void drain(void)
{
	http_drain(server.http, true);
}

static void close_wire(struct wire *w, void *arg)
{
	(void)arg;
	wire_close(w, 1001, "going away");
}

static void close_wires(void)
{
	ws_each(close_wire, NULL);
}

static void reply_stream(void)
{
	http_reply(server.stream, 200, "text/plain", "done", 4);
}

static void keep_request(struct http_req *req, void *arg)
{
	(void)arg;
	server.stream = req;
}

static void add_keep(void)
{
	http_route(server.http, "GET", "/keep", keep_request, NULL);
}

static void test_drain(void)
{
	on_loop(add_keep);
	wait_connections(0);
	int idle = dial();
	put_str(idle, "GET /health HTTP/1.1\r\nhost: h\r\n\r\n");
	read_reply(idle);
	int busy = dial();
	put_str(busy, "GET /keep HTTP/1.1\r\nhost: h\r\n\r\n");
	int ws = ws_open("/ws");
	int fresh = dial(), silent = dial();
	wait_connections(5);
	poll(NULL, 0, 50);
	int64_t start = now_ms();
	on_loop(drain);
	ok(is_ended(idle) && now_ms() - start < 1400,
	    "drain ends an idle connection at once");
	put_str(fresh, "GET /health HTTP/1.1\r\nhost: h\r\n\r\n");
	ok(read_reply(fresh)->status == 200,
	    "the first request of a new connection is answered while draining");
	ok(is_ended(fresh), "a new connection is closed after its reply");
	ok(is_ended(silent), "a connection without any request is closed");
	on_loop(reply_stream);
	struct reply *r = read_reply(busy);
	ok(is_body(r, 200, "done") && strcasestr(r->head, "connection: close"),
	    "a request in flight is answered");
	ok(is_ended(busy),
	    "the connection of a request in flight is closed when draining");
	on_loop(close_wires);
	struct frame *f = ws_get(ws);
	ok(f->opcode == CLOSE && f->code == 1001, "sockets are told to go");
	ws_put(ws, FIN | CLOSE, "\x03\xe9", 2);
	ok(wait_connections(0), "no connection is left after draining");
	close(idle);
	close(fresh);
	close(silent);
	close(busy);
	close(ws);
}

/* ---- who waits when a server leaves ---- */

static struct {
	bool is_last;
	int listener; /* as another process would have it */
	int client;
	uint64_t accepted, connections, requests, refused;
} leaving;

/* A server that leaves while somebody has connected and was not accepted. */
static void leave(void)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (void *)&in, sizeof(in)) < 0 ||
	    listen(fd, 8) < 0 || getsockname(fd, (void *)&in, &len) < 0)
		abort();
	leaving.listener = dup(fd);
	leaving.accepted = 0;
	struct http *http =
	    http_new(server.loop, &(struct http_setup){.listeners = &fd,
				      .n_listeners = 1,
				      .max_body_bytes = MAX_BODY,
				      .max_connections = MAX_CONNECTIONS,
				      .request_timeout_ms = 1500,
				      .trusted_proxies = "",
				      .allowed_hosts = "",
				      .allowed_origins = "",
				      .accepted_total = &leaving.accepted,
				      .connections = &leaving.connections,
				      .requests_total = &leaving.requests,
				      .refused_total = &leaving.refused});
	http_start(http);
	leaving.client = connect_to(&in, sizeof(in), AF_INET);
	http_drain(http, leaving.is_last);
	server.left[leaving.is_last] = http;
}

static void test_leaving(bool is_last, const char *title)
{
	leaving.is_last = is_last;
	on_loop(leave);
	int other = accept(leaving.listener, NULL, NULL);
	is_int(leaving.accepted, is_last, "%s", title);
	ok((other >= 0) == !is_last,
	    "%s: no other process gets the same client", title);
	close(leaving.client);
	close(leaving.listener);
	close(other);
}

static void stop(void)
{
	loop_stop(server.loop);
}

int main(void)
{
	listen_all();
	sem_init(&server.ready, 0, 0);
	if (pthread_create(&server.thread, NULL, run_server, NULL) != 0)
		abort();
	sem_wait(&server.ready);
	test_routes();
	test_heads();
	test_bodies();
	test_bad_requests();
	test_connections();
	test_streams();
	test_gone_at_once();
	test_gone();
	test_cap();
	test_handshake();
	test_echo();
	test_binary_text();
	test_violations();
	test_closes();
	test_slow_readers();
	test_flood();
	test_leaving(
	    false, "a waiting connection is left to the next generation");
	test_leaving(true,
	    "a waiting connection is accepted where no generation follows");
	test_drain();
	/* What is open at the very end is cut. */
	server.gone = 0;
	on_loop(stop);
	pthread_join(server.thread, NULL);
	ok(server.http == NULL, "the server stops");
	unlink(server.path);
	return done();
}
