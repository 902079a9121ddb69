/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include "base/buf.h"
#include "base/sse.h"

static struct buf got;
static int n_left = 1000;

static bool on_event(void *arg, const char *name, const char *data, size_t len)
{
	(void)arg;
	buf_str(&got, name);
	buf_char(&got, '=');
	buf_append(&got, data, len);
	buf_char(&got, ';');
	return --n_left > 0;
}

/* Feed a text in pieces of n bytes; returns how it ended. */
static enum sse_result feed(const char *text, size_t n, size_t max)
{
	struct sse s = {.max_bytes = max, .fn = on_event};
	enum sse_result r = SSE_FED;
	size_t len = strlen(text);

	buf_reset(&got);
	for (size_t at = 0; at < len && r == SSE_FED; at += n)
		r = sse_feed(&s, text + at, len - at < n ? len - at : n);
	if (r == SSE_FED)
		r = sse_end(&s);
	sse_fini(&s);
	return r;
}

static const struct {
	const char *title, *text, *want;
} cases[] = {
    {"an event has the data of its lines", "data: a\ndata:b\n\n", "=a\nb;"},
    {"an event has a name", "event: x\ndata: 1\n\ndata: 2\n\n", "x=1;=2;"},
    {"lines may end with CR LF", "data: a\r\n\r\ndata: b\r\n\r\n", "=a;=b;"},
    {"lines may end with CR", "data: a\r\rdata: b\r\r", "=a;=b;"},
    {"comments, ids and unknown fields are no data",
	": keep\nid: 7\nretry: 1\nfoo: x\ndata: a\n\n", "=a;"},
    {"one space behind the colon is dropped", "data:  a\n\n", "= a;"},
    {"a line without a colon is a field with an empty value", "data\n\n", "=;"},
    {"an event without data is none", "event: x\n\ndata: a\n\n", "=a;"},
    {"a byte order mark is skipped",
	"\xef\xbb\xbf"
	"data: a\n\n",
	"=a;"},
    {"an event at the end of the stream needs no blank line", "data: a", "=a;"},
    {"empty lines are no events", "\n\n\r\n\r\n", ""},
};

static void test_forms(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (size_t n = 1; n < 5; n++) {
			(void)feed(cases[i].text, n, 100);
			is_str(buf_cstr(&got), cases[i].want,
			    "%s, in pieces of %zu bytes", cases[i].title, n);
		}
}

static void test_limits(void)
{
	is_int(feed("data: 1234567890\n\n", 3, 16), SSE_FED,
	    "an event of just the maximum size is taken");
	is_int(feed("data: 1234567890x\n\n", 3, 16), SSE_TOO_LONG,
	    "a line that is too long is refused");
	is_int(feed("data: 12345\ndata: 12345\ndata: 12345\n\n", 3, 16),
	    SSE_TOO_LONG,
	    "an event of lines that are too long together is "
	    "refused");
	n_left = 1;
	is_int(feed("data: a\n\ndata: b\n\n", 100, 100), SSE_STOPPED,
	    "the callback can stop the reading");
	is_str(buf_cstr(&got), "=a;", "no event follows then");
	n_left = 1000;
}

static const struct {
	const char *title, *text, *id;
	int retry_ms;
} resumptions[] = {
    {"the id of an event is kept", "id: 7\ndata: a\n\n", "7", 0},
    {"an event without an id keeps the last one",
	"id: 7\ndata: a\n\ndata: b\n\n", "7", 0},
    {"an event without data has an id", "id: x\nretry: 300\n\n", "x", 300},
    {"an event that is not complete has no id yet",
	"id: 7\ndata: a\n\nid: 8\ndata: b\n", "7", 0},
    {"an empty id takes the last one back", "id: 7\n\nid\n\n", "", 0},
    {"a delay that is no number is ignored", "retry: 1s\n\n", "", 0},
    {"a delay too long to be true is ignored", "retry: 1234567890\n\n", "", 0},
};

static void test_resumption(void)
{
	for (size_t i = 0; i < sizeof resumptions / sizeof *resumptions; i++) {
		struct sse s = {.max_bytes = 100, .fn = on_event};

		(void)sse_feed(
		    &s, resumptions[i].text, strlen(resumptions[i].text));
		is_str(buf_cstr(&s.id), resumptions[i].id, "%s",
		    resumptions[i].title);
		is_int(s.retry_ms, resumptions[i].retry_ms,
		    "%s (the delay before a reconnection)",
		    resumptions[i].title);
		sse_fini(&s);
	}
}

int main(void)
{
	test_forms();
	test_resumption();
	test_limits();
	buf_fini(&got);
	return done();
}
