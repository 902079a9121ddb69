/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "fetch/fetch.h"

#include "base/buf.h"
#include "base/mem.h"
#include "net/loop.h"
#include "t/unit/fake_backend.h"
#include "t/unit/tap.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#define DEADLINE_MS 20000

#define MAX_CALLS 64

static struct loop *loop;
static struct fetch *fetch;
static struct loop_timer deadline;

/* What came of a request. */
struct got {
	unsigned n;
	bool has_error;
	long status;
	int64_t retry_after_s;
	char *body;
};

static int running;

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void on_answer(void *arg, const struct fetch_answer *answer)
{
	struct got *got = arg;
	got->n++;
	got->has_error = answer->error != NULL;
	got->status = answer->status;
	got->retry_after_s = answer->retry_after_s;
	free(got->body);
	got->body = mem_strndup(answer->body, answer->body_len);
	if (answer->error)
		printf("# %s\n", answer->error);
	if (--running == 0)
		loop_stop(loop);
}

static void run(void)
{
	loop_timer_set(loop, &deadline, DEADLINE_MS);
	loop_run(loop);
	loop_timer_stop(loop, &deadline);
}

static struct fetch_ask ask_for(const char *url)
{
	return (struct fetch_ask){
	    .url = url, .timeout_ms = DEADLINE_MS / 2, .max_bytes = 1000};
}

static struct got get(const struct fetch_ask *ask)
{
	struct got got = {0};
	running = 1;
	(void)fetch_start(fetch, ask, on_answer, &got);
	ok(got.n == 0, "no request is answered from inside the call");
	run();
	is_int(got.n, 1, "there is one answer");
	return got;
}

/* ---- what comes ---- */

static struct fetch_call *asked; /* the call whose header is read */
static char type[64];

static void read_type(const char *name)
{
	const char *value = fetch_header(asked, name);
	(void)snprintf(type, sizeof type, "%s", value ? value : "none");
}

static void on_typed(void *arg, const struct fetch_answer *answer)
{
	read_type("content-type");
	on_answer(arg, answer);
}

static void on_untyped(void *arg, const struct fetch_answer *answer)
{
	read_type("mcp-session-id");
	on_answer(arg, answer);
}

static void test_header(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_for(fake_backend_url(b));
	struct got got = {0};
	fake_backend_json(b, "{}");
	running = 1;
	asked = fetch_start(fetch, &ask, on_typed, &got);
	run();
	is_str(type, "application/json", "an answer has its headers");
	fake_backend_json(b, "{}");
	running = 1;
	asked = fetch_start(fetch, &ask, on_untyped, &got);
	run();
	is_str(type, "none", "a header that did not come is absent");
	free(got.body);
	fake_backend_free(&b);
}

static void test_get(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_for(fake_backend_url(b));
	fake_backend_json(b, "{\"a\":1}");
	struct got got = get(&ask);
	ok(!got.has_error && got.status == 200,
	    "a request is answered with status 200");
	is_str(got.body, "{\"a\":1}", "an answer has its body");
	ok(!strncmp(fake_backend_request(b, 0), "GET / HTTP/1.1\r\n", 16),
	    "a request without a body is a GET");
	free(got.body);
	fake_backend_free(&b);
}

static void test_post(void)
{
	static const char *const headers[] = {"X-One: 1", "X-Two: 2", NULL};
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_for(fake_backend_url(b));
	ask.headers = headers;
	ask.body = "a\nb";
	ask.body_len = 3;
	fake_backend_json(b, "");
	struct got got = get(&ask);
	const char *request = fake_backend_request(b, 0);
	ok(!got.has_error && !*got.body, "an answer may be empty");
	ok(!strncmp(request, "POST / ", 7) && strstr(request, "\r\n\r\na\nb"),
	    "a body is posted as it is");
	ok(strstr(request, "\r\nX-One: 1\r\n") &&
		strstr(request, "\r\nX-Two: 2\r\n"),
	    "the headers go along");
	free(got.body);
	fake_backend_free(&b);
}

static void test_statuses(void)
{
	static const struct {
		const char *answer;
		long status; /* 0: none */
		const char *name;
	} cases[] = {
	    {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404,
		"a refusal is an answer"},
	    {"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
	     "Content-Length: 0\r\n\r\n",
		302, "a redirect is not followed"},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n", 0,
		"a body that is announced too long is a failure"},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", 0,
		"a body that ends too early is a failure"},
	    {"\x80\x81\x82 no protocol at all\r\n\r\n", 0,
		"an answer that is no HTTP is a failure"},
	    {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
	     "Content-Length: 2\r\n\r\nab",
		200, "a compressed answer is not unpacked"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fake_backend *b = fake_backend(false);
		struct fetch_ask ask = ask_for(fake_backend_url(b));
		fake_backend_answer(b, cases[i].answer);
		struct got got = get(&ask);
		ok(got.has_error == (cases[i].status == 0) &&
			(got.has_error || got.status == cases[i].status),
		    "%s", cases[i].name);
		free(got.body);
		fake_backend_free(&b);
	}
}

static void test_long_body(void)
{
	char text[4096] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_for(fake_backend_url(b));
	memset(text + strlen(text), 'x', 3000);
	fake_backend_answer(b, text);
	struct got got = get(&ask);
	ok(got.has_error, "a body that grows too long is a failure");
	free(got.body);
	fake_backend_free(&b);
}

/* ---- what does not ---- */

/* A port on which nobody listens, for as long as the socket is open. */
static int closed_port(char url[64])
{
	struct sockaddr_in at = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		abort();
	(void)snprintf(url, 64, "http://127.0.0.1:%d/", ntohs(at.sin_port));
	return fd;
}

static void test_unreachable(void)
{
	char closed[64];
	int fd = closed_port(closed);
	const struct {
		const char *url;
		const char *name;
	} cases[] = {
	    {closed, "a server that does not listen is a failure"},
	    {"file:///etc/passwd", "a file is no place to ask"},
	    {"gopher://127.0.0.1/", "a URL of another protocol is refused"},
	    {"", "a URL without a host is a failure"},
	    {"http://", "an empty host is a failure"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fetch_ask ask = ask_for(cases[i].url);
		struct got got = get(&ask);
		ok(got.has_error, "%s", cases[i].name);
		free(got.body);
	}
	(void)close(fd);
}

static void test_silence(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_for(fake_backend_url(b));
	ask.timeout_ms = 50;
	struct got got = get(&ask);
	ok(got.has_error, "a server that says nothing is given up");
	free(got.body);
	fake_backend_free(&b);
}

static void test_idle(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_for(fake_backend_url(b));
	ask.timeout_ms = 2 * (int64_t)DEADLINE_MS;
	ask.idle_timeout_s = 1;
	struct got got = get(&ask);
	ok(got.has_error, "a server that is silent for too long is given up");
	free(got.body);
	fake_backend_free(&b);
}

static void test_retry_after(void)
{
	static const struct {
		const char *header, *name;
		int64_t least, most;
	} cases[] = {
	    {"", "no Retry-After is 0", 0, 0},
	    {"Retry-After: 7\r\n", "Retry-After in seconds is told", 7, 7},
	    {"Retry-After: Wed, 01 Jan 2098 00:00:00 GMT\r\n",
		"Retry-After as a date is told in seconds", 1, INT64_MAX},
	    {"Retry-After: soon\r\n", "a Retry-After of no form is 0", 0, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fake_backend *b = fake_backend(false);
		struct fetch_ask ask = ask_for(fake_backend_url(b));
		struct buf answer = {0};
		buf_printf(&answer,
		    "HTTP/1.1 429 Slow down\r\n%sContent-Length: 0\r\n\r\n",
		    cases[i].header);
		fake_backend_answer(b, buf_cstr(&answer));
		struct got got = get(&ask);
		ok(got.retry_after_s >= cases[i].least &&
			got.retry_after_s <= cases[i].most,
		    "%s", cases[i].name);
		buf_fini(&answer);
		free(got.body);
		fake_backend_free(&b);
	}
}

static void test_certificate(void)
{
	struct fake_backend *b = fake_backend(true);
	struct fetch_ask ask = ask_for(fake_backend_url(b));
	fake_backend_json(b, "secret");
	struct got got = get(&ask);
	ok(got.has_error && !*got.body,
	    "a certificate that nobody vouches for is refused");
	is_int((int64_t)fake_backend_count(b), 0,
	    "a request is not sent to a server with a bad certificate");
	free(got.body);
	fake_backend_free(&b);
}

/* ---- many ---- */

static void test_many(void)
{
	enum { MANY = MAX_CALLS + 6 };
	static struct got got[MANY];
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_for(fake_backend_url(b));
	int good = 0, bad = 0;
	for (int i = 0; i < MAX_CALLS; i++)
		fake_backend_json(b, "{}");
	running = MANY;
	for (int i = 0; i < MANY; i++)
		(void)fetch_start(fetch, &ask, on_answer, &got[i]);
	run();
	for (int i = 0; i < MANY; i++) {
		good += got[i].n == 1 && !got[i].has_error;
		bad += got[i].n == 1 && got[i].has_error;
		free(got[i].body);
	}
	is_int(
	    good, MAX_CALLS, "all requests that may run at once are answered");
	is_int(bad, 6, "requests above the limit fail");
	fake_backend_free(&b);
}

/* ---- breaking off ---- */

static struct fetch_call *victim;

static void forget_victim(void *arg)
{
	(void)arg;
	fetch_forget(&victim);
	loop_stop(loop);
}

static void test_forget(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_for(fake_backend_url(b));
	struct loop_timer timer;
	struct got got = {0};
	running = 1;
	victim = fetch_start(fetch, &ask, on_answer, &got);
	loop_timer_init(&timer, forget_victim, NULL);
	loop_timer_set(loop, &timer, 50);
	run();
	ok(victim == NULL && got.n == 0, "a request can be broken off");
	fetch_forget(&victim);
	ok(victim == NULL,
	    "a request that was broken off can be broken off again");
	fake_backend_free(&b);
}

/* Another request from inside the answer. */
struct chain {
	const char *url;
	struct got got;
};

static void on_first(void *arg, const struct fetch_answer *answer)
{
	struct chain *chain = arg;
	struct fetch_ask ask = ask_for(chain->url);
	ok(answer->error == NULL,
	    "the first of two chained requests is answered");
	fetch_forget(&victim);
	(void)fetch_start(fetch, &ask, on_answer, &chain->got);
}

static void test_chain(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fake_backend *silent = fake_backend(false);
	struct chain chain = {.url = fake_backend_url(b)};
	struct fetch_ask ask = ask_for(chain.url);
	struct fetch_ask other = ask_for(fake_backend_url(silent));
	struct got never = {0};
	fake_backend_json(b, "1");
	fake_backend_json(b, "2");
	running = 1;
	victim = fetch_start(fetch, &other, on_answer, &never);
	(void)fetch_start(fetch, &ask, on_first, &chain);
	run();
	ok(chain.got.body && !strcmp(chain.got.body, "2"),
	    "an answer may lead to the next request");
	ok(victim == NULL && never.n == 0,
	    "an answer may break another request off");
	free(chain.got.body);
	fake_backend_free(&b);
	fake_backend_free(&silent);
}

/* ---- parts ---- */

/* The parts of one answer, and what to do with the next. */
struct parts {
	struct got got; /* first: on_answer() gets it */
	struct buf all;
	size_t n;
	size_t longest;
	long status;
	bool has_no_room;
	bool is_late; /* a part came after the answer */
	struct fetch_call *call;
	struct fetch_call **forget; /* at the first part */
};

static bool on_part(void *arg, long status, const char *data, size_t len)
{
	struct parts *p = arg;
	p->n++;
	p->status = status;
	p->is_late |= p->got.n > 0;
	p->longest = len > p->longest ? len : p->longest;
	buf_append(&p->all, data, len);
	if (p->forget) {
		fetch_forget(p->forget);
		loop_stop(loop);
	}
	return !p->has_no_room;
}

static struct fetch_ask ask_parts(struct fake_backend *b)
{
	struct fetch_ask ask = ask_for(fake_backend_url(b));
	ask.max_bytes = 8 << 20;
	ask.on_part = on_part;
	return ask;
}

static void begin_parts(struct parts *p, const struct fetch_ask *ask)
{
	running = 1;
	p->call = fetch_start(fetch, ask, on_answer, p);
}

static void end_parts(struct parts *p, struct fake_backend **b)
{
	free(p->got.body);
	buf_fini(&p->all);
	fake_backend_free(b);
}

/* A body of so many bytes that no two places of which look alike. */
static void make_body(struct buf *body, size_t len)
{
	for (int i = 0; body->len < len; i++)
		buf_printf(body, "%d,", i);
}

static void put_long_answer(struct fake_backend *b, struct buf *body)
{
	struct buf text = {0};
	make_body(body, 4 << 20);
	buf_printf(&text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
	    body->len, buf_cstr(body));
	fake_backend_answer(b, buf_cstr(&text));
	buf_fini(&text);
}

static void run_for(int64_t ms)
{
	loop_timer_set(loop, &deadline, ms);
	loop_run(loop);
}

static void test_parts(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_parts(b);
	struct parts p = {0};
	struct buf body = {0};
	put_long_answer(b, &body);
	begin_parts(&p, &ask);
	run();
	ok(p.got.n == 1 && !p.got.has_error && p.got.status == 200,
	    "a body that is taken in parts ends with an answer");
	ok(p.n > 1 && p.all.len == body.len &&
		memcmp(p.all.data, body.data, body.len) == 0,
	    "the parts together are the body");
	is_int(p.status, 200, "each part comes with the status");
	is_str(p.got.body, "", "the answer after the parts has no body");
	ok(!p.is_late, "no part comes after the answer");
	ok(p.longest < 2 * (size_t)FETCH_PART_BYTES,
	    "no part is much longer than it should be");
	buf_fini(&body);
	end_parts(&p, &b);
}

static void test_chunks(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_parts(b);
	struct parts p = {0};
	fake_backend_answer(b,
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "8\r\ndata: a\n\r\n8\r\ndata: b\n\r\n0\r\n\r\n");
	begin_parts(&p, &ask);
	run();
	is_str(buf_cstr(&p.all), "data: a\ndata: b\n",
	    "a chunked body comes in parts without its framing");
	end_parts(&p, &b);
}

static void test_parts_of_refusal(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_parts(b);
	struct parts p = {0};
	fake_backend_answer(b,
	    "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\n\r\nlate");
	begin_parts(&p, &ask);
	run();
	ok(p.status == 429 && p.got.status == 429 && !p.got.has_error,
	    "the body of a refusal comes in parts with its status");
	is_str(buf_cstr(&p.all), "late", "the parts of a refusal are its body");
	end_parts(&p, &b);
}

static void test_parts_too_long(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_parts(b);
	struct parts p = {0};
	struct buf text = {0};
	buf_str(&text, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	make_body(&text, 1 << 20);
	ask.max_bytes = 300000;
	fake_backend_answer(b, buf_cstr(&text));
	begin_parts(&p, &ask);
	run();
	ok(p.got.has_error && p.all.len <= ask.max_bytes,
	    "parts above the longest body are a failure, and are not told");
	buf_fini(&text);
	end_parts(&p, &b);
}

static void test_parts_broken(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_parts(b);
	struct parts p = {0};
	fake_backend_answer(
	    b, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
	begin_parts(&p, &ask);
	run();
	is_str(buf_cstr(&p.all), "ab",
	    "parts of a body that ends too early are told");
	ok(p.got.has_error, "a body in parts that ends too early is a failure");
	end_parts(&p, &b);
}

static void test_back_pressure(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_parts(b);
	struct parts p = {.has_no_room = true};
	struct buf body = {0};
	put_long_answer(b, &body);
	begin_parts(&p, &ask);
	while (p.n == 0)
		run_for(10);
	run_for(100);
	ok(p.n == 1 && p.got.n == 0,
	    "no further part comes while there is no room");
	fetch_resume(p.call);
	is_int((int64_t)p.n, 1, "no part comes from inside the call");
	while (p.n == 1)
		run_for(10);
	run_for(100);
	is_int((int64_t)p.n, 2, "with room once, one part comes");
	p.has_no_room = false;
	fetch_resume(p.call);
	run();
	ok(p.got.n == 1 && !p.got.has_error && p.all.len == body.len &&
		memcmp(p.all.data, body.data, body.len) == 0,
	    "nothing of a body that had to wait is lost");
	buf_fini(&body);
	end_parts(&p, &b);
}

static void test_forget_inside(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fake_backend *silent = fake_backend(false);
	struct fetch_ask ask = ask_parts(b), other = ask_parts(silent);
	struct parts p = {0}, never = {0};
	struct buf body = {0};
	put_long_answer(b, &body);
	begin_parts(&p, &ask);
	p.forget = &p.call;
	run();
	ok(p.call == NULL && p.n == 1 && p.got.n == 0,
	    "a call can be broken off from inside its part");
	put_long_answer(b, &body);
	p.forget = &never.call;
	begin_parts(&never, &other);
	begin_parts(&p, &ask);
	run();
	ok(never.call == NULL && never.n == 0,
	    "another call can be broken off from inside a part");
	p.forget = NULL;
	run();
	ok(p.got.n == 1 && !p.got.has_error,
	    "the call that broke another one off goes on");
	buf_fini(&body);
	end_parts(&never, &silent);
	end_parts(&p, &b);
}

static void test_close_paused(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fetch *own = fetch_open(loop, 1);
	struct fetch_ask ask = ask_parts(b);
	struct parts p = {.has_no_room = true};
	struct buf body = {0};
	put_long_answer(b, &body);
	p.call = fetch_start(own, &ask, on_answer, &p);
	while (p.n == 0)
		run_for(10);
	fetch_resume(p.call);
	fetch_close(&own);
	run_for(20);
	ok(p.n == 1 && p.got.n == 0,
	    "closing forgets a call that was about to go on");
	buf_fini(&body);
	end_parts(&p, &b);
}

static void test_close(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_for(fake_backend_url(b));
	struct got got = {0};
	(void)fetch_start(fetch, &ask, on_answer, &got);
	ask.url = "";
	(void)fetch_start(fetch, &ask, on_answer, &got);
	fetch_close(&fetch);
	ok(fetch == NULL && got.n == 0, "closing forgets what runs");
	fetch_close(&fetch);
	fake_backend_free(&b);
}

int main(void)
{
	(void)setenv("no_proxy", "*", 1);
	loop = loop_new();
	loop_timer_init(&deadline, stop, NULL);
	fetch = fetch_open(loop, MAX_CALLS);
	test_get();
	test_header();
	test_post();
	test_statuses();
	test_long_body();
	test_unreachable();
	test_silence();
	test_idle();
	test_retry_after();
	test_certificate();
	test_many();
	test_forget();
	test_chain();
	test_parts();
	test_chunks();
	test_parts_of_refusal();
	test_parts_too_long();
	test_parts_broken();
	test_back_pressure();
	test_forget_inside();
	test_close_paused();
	test_close();
	return done();
}
