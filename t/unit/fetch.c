/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/fetch.h"

#include "base/mem.h"
#include "net/loop.h"
#include "t/unit/fake_backend.h"
#include "t/unit/tap.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#define DEADLINE_MS 20000

static struct loop *loop;
static struct fetch *fetch;
static struct loop_timer deadline;

/* What came of a request. */
struct got {
	unsigned n;
	bool has_error;
	long status;
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
	ok(got.n == 0, "nothing is answered from inside the call");
	run();
	is_int(got.n, 1, "there is one answer");
	return got;
}

/* ---- what comes ---- */

static void test_get(void)
{
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_for(fake_backend_url(b));
	fake_backend_json(b, "{\"a\":1}");
	struct got got = get(&ask);
	ok(!got.has_error && got.status == 200, "a page is got");
	is_str(got.body, "{\"a\":1}", "with its body");
	ok(!strncmp(fake_backend_request(b, 0), "GET / HTTP/1.1\r\n", 16),
	    "by GET when there is nothing to send");
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
		"what is no HTTP is a failure"},
	    {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
	     "Content-Length: 2\r\n\r\nab",
		200, "what is compressed is not unpacked"},
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
	    {closed, "nobody listening is a failure"},
	    {"file:///etc/passwd", "a file is no place to ask"},
	    {"gopher://127.0.0.1/", "only HTTP is spoken"},
	    {"", "no URL is a failure"},
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

static void test_certificate(void)
{
	struct fake_backend *b = fake_backend(true);
	struct fetch_ask ask = ask_for(fake_backend_url(b));
	fake_backend_json(b, "secret");
	struct got got = get(&ask);
	ok(got.has_error && !*got.body,
	    "a certificate that nobody vouches for is refused");
	is_int((int64_t)fake_backend_count(b), 0,
	    "and the request is not even sent");
	free(got.body);
	fake_backend_free(&b);
}

/* ---- many ---- */

static void test_many(void)
{
	enum { MANY = FETCH_MAX_CALLS + 6 };
	static struct got got[MANY];
	struct fake_backend *b = fake_backend(false);
	struct fetch_ask ask = ask_for(fake_backend_url(b));
	int good = 0, bad = 0;
	for (int i = 0; i < FETCH_MAX_CALLS; i++)
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
	is_int(good, FETCH_MAX_CALLS, "all that may run at once are answered");
	is_int(bad, 6, "those above fail");
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
	ok(victim == NULL, "nothing can be broken off twice");
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
	ok(answer->error == NULL, "the first of two is answered");
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
	ok(victim == NULL && never.n == 0, "and break another one off");
	free(chain.got.body);
	fake_backend_free(&b);
	fake_backend_free(&silent);
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
	fetch = fetch_open(loop);
	test_get();
	test_post();
	test_statuses();
	test_long_body();
	test_unreachable();
	test_silence();
	test_certificate();
	test_many();
	test_forget();
	test_chain();
	test_close();
	return done();
}
