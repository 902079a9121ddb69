/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "llm/model_call.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "fetch/fetch.h"
#include "model/codec.h"
#include "model/completion.h"
#include "net/loop.h"
#include "t/unit/fake_backend.h"
#include "t/unit/tap.h"

#define DEADLINE_MS 20000

#define SSE "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
#define PIECE(text) \
	"data: {\"choices\":[{\"delta\":{\"content\":\"" text "\"}}]}\n\n"
#define STOP                                                                  \
	"data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n" \
	"data: [DONE]\n\n"
#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"

static struct loop *loop;
static struct fetch *fetch;
static struct loop_timer deadline;
static struct model_call *call;

/* What came of a call. */
static struct got {
	enum completion_status status;
	struct buf text, error;
	unsigned n_more, n_retries, n_ends;
	int64_t delay_ms;
	bool forgets_at_more, forgets_at_end, forgets_at_retry;
} got;

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void on_more(void *arg, const struct completion *c)
{
	(void)arg;
	(void)c;
	got.n_more++;
	if (got.forgets_at_more) {
		model_call_forget(&call);
		loop_stop(loop);
	}
}

static void on_end(void *arg, const struct completion *c)
{
	(void)arg;
	got.n_ends++;
	got.status = c->status;
	buf_append(&got.text, c->text.data, c->text.len);
	if (c->error)
		buf_str(&got.error, c->error);
	if (got.forgets_at_end)
		model_call_forget(&call);
	call = NULL;
	loop_stop(loop);
}

static void on_retry(void *arg, const char *why, int64_t delay_ms)
{
	(void)arg;
	printf("# again: %s\n", why);
	got.n_retries++;
	got.delay_ms = delay_ms;
	if (got.forgets_at_retry) {
		model_call_forget(&call);
		loop_stop(loop);
	}
}

static const struct model_call_ops ops = {
    .on_more = on_more, .on_end = on_end, .on_retry = on_retry};

static void forget_got(void)
{
	buf_fini(&got.text);
	buf_fini(&got.error);
	got = (struct got){0};
}

static void run(const char *base_url)
{
	struct model_provider provider = {
	    .codec = &openai_codec,
	    .base_url = base_url,
	    .key = "secret",
	    .timeout_ms = DEADLINE_MS,
	};
	struct model_request request = {
	    .model = "m", .temperature = -1, .is_streamed = true};

	loop_timer_set(loop, &deadline, DEADLINE_MS);
	call = model_call_start(loop, fetch, &provider, &request, &ops, NULL);
	loop_run(loop);
	loop_timer_stop(loop, &deadline);
}

/* Ask a server that gives these answers in turn; NULL ends them. */
static size_t ask(const char *const *answers)
{
	struct fake_backend *b = fake_backend(false);

	for (; *answers; answers++)
		fake_backend_answer(b, *answers);
	run(fake_backend_url(b));
	size_t n = fake_backend_count(b);
	fake_backend_free(&b);
	return n;
}

static const struct {
	const char *title;
	const char *answers[MODEL_CALL_ATTEMPTS + 1];
	enum completion_status status;
	const char *text, *error;
	unsigned n_requests;
} cases[] = {
    {"a stream", {SSE PIECE("Hel") PIECE("lo") STOP}, COMPLETION_COMPLETE,
	"Hello", "", 1},
    {"one object although a stream was asked for",
	{"HTTP/1.1 200 OK\r\n\r\n\n {\"choices\":[{\"message\":{\"content\":"
	 "\"Hello\"}}]}"},
	COMPLETION_COMPLETE, "Hello", "", 1},
    {"a server that is busy twice", {BUSY, BUSY, SSE PIECE("Hello") STOP},
	COMPLETION_COMPLETE, "Hello", "", 3},
    {"an empty stream, then an answer", {SSE, SSE PIECE("Hello") STOP},
	COMPLETION_COMPLETE, "Hello", "", 2},
    {"a server that is always busy", {BUSY, BUSY, BUSY, BUSY},
	COMPLETION_FAILED, "", "the provider answered 503", 4},
    {"a wrong key",
	{"HTTP/1.1 401 No\r\n\r\n{\"error\":{\"message\":\"bad key\"}}"},
	COMPLETION_FAILED, "", "the provider answered 401: \"bad key\"", 1},
    {"a stream that is cut in the middle", {SSE PIECE("Hel")},
	COMPLETION_FAILED, "Hel", "the provider's answer was cut", 1},
    {"an error in the middle",
	{SSE PIECE("Hel") "data: {\"error\":{\"message\":\"oops\"}}\n\n"},
	COMPLETION_FAILED, "Hel", "the provider reported an error: \"oops\"",
	1},
    {"a Retry-After that is too long",
	{"HTTP/1.1 429 Slow\r\nRetry-After: 61\r\n\r\n"}, COMPLETION_FAILED, "",
	"the provider answered 429", 1},
};

static void test_answers(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t n = ask(cases[i].answers);
		is_int(got.n_ends, 1, "%s: one end is told", cases[i].title);
		is_int(got.status, cases[i].status, "%s: the status",
		    cases[i].title);
		is_str(buf_cstr(&got.text), cases[i].text, "%s: the text",
		    cases[i].title);
		is_str(buf_cstr(&got.error), cases[i].error, "%s: the error",
		    cases[i].title);
		is_int((int64_t)n, cases[i].n_requests,
		    "%s: the number of requests", cases[i].title);
		is_int(got.n_retries, cases[i].n_requests - 1,
		    "%s: each repetition is told", cases[i].title);
		forget_got();
	}
}

static void test_retry_after(void)
{
	static const char *const answers[] = {
	    "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\n\r\n",
	    SSE PIECE("Hello") STOP, NULL};

	(void)ask(answers);
	is_int(got.delay_ms, 1000, "Retry-After is waited for");
	is_str(buf_cstr(&got.text), "Hello", "the answer comes after it");
	forget_got();
}

static void test_request(void)
{
	struct fake_backend *b = fake_backend(false);

	fake_backend_answer(b, SSE STOP);
	run(fake_backend_url(b));
	const char *request = fake_backend_request(b, 0);
	ok(strncmp(request, "POST /chat/completions HTTP/1.1\r\n", 33) == 0,
	    "the path of the codec is asked for");
	ok(strstr(request, "\r\nAuthorization: Bearer secret\r\n") != NULL,
	    "the key goes along");
	ok(strstr(request, "\r\nContent-Type: application/json\r\n") != NULL,
	    "the body is announced as JSON");
	fake_backend_free(&b);
	forget_got();
}

static void test_forget(void)
{
	static const char *const answers[] = {SSE PIECE("Hello") STOP, NULL};
	static const char *const busy[] = {BUSY, NULL};

	got.forgets_at_more = true;
	(void)ask(answers);
	ok(!call && got.n_ends == 0,
	    "a call may be forgotten when there is more of its answer");
	forget_got();
	got.forgets_at_end = true;
	(void)ask(answers);
	is_int(got.n_ends, 1, "a call may be forgotten at its end");
	forget_got();
	got.forgets_at_retry = true;
	(void)ask(busy);
	ok(!call && got.n_ends == 0,
	    "a call may be forgotten before it is repeated");
	forget_got();
	model_call_forget(&call);
	ok(!call, "no call is forgotten without harm");
}

int main(void)
{
	(void)setenv("no_proxy", "*", 1);
	loop = loop_new();
	loop_timer_init(&deadline, stop, NULL);
	fetch = fetch_open(loop, 64);
	test_answers();
	test_retry_after();
	test_request();
	test_forget();
	fetch_close(&fetch);
	return done();
}
