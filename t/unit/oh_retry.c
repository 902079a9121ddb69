/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Which messages are the same, and for how long one is taken as a retry. */
#include "openhands/oh_retry.h"

#include "base/json.h"

#include "t/unit/tap.h"

static uint32_t digest_of(const char *text)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v = json_parse(&doc, text, strlen(text), 0, &why);
	uint32_t digest =
	    oh_retry_digest(json_get(v, "content"), json_get(v, "images"));
	json_fini(&doc);
	return digest;
}

static void test_digest(void)
{
	static const struct {
		const char *name, *a, *b;
		bool is_same;
	} cases[] = {
	    {"an escaped text", "{\"content\":\"h\\u00e9 \\u003c\"}",
		"{\"content\":\"h\xc3\xa9 <\"}", true},
	    {"another order of keys",
		"{\"images\":[\"a\"],\"content\":\"x\",\"more\":1}",
		"{\"content\":\"x\",\"images\":[\"a\"]}", true},
	    {"another text", "{\"content\":\"x\"}", "{\"content\":\"y\"}",
		false},
	    {"an image more", "{\"content\":\"x\"}",
		"{\"content\":\"x\",\"images\":[\"\"]}", false},
	    {"an image that is part of the text elsewhere",
		"{\"content\":\"xa\"}",
		"{\"content\":\"x\",\"images\":[\"a\"]}", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		is_int(digest_of(cases[i].a) == digest_of(cases[i].b),
		    cases[i].is_same,
		    "R16, R18: a message is told apart by "
		    "its content: %s",
		    cases[i].name);
	ok(digest_of("{}") != 0, "R18: every message has a digest");
}

static void test_window(void)
{
	struct oh_retry retry = {0};
	ok(!oh_retry_is_known(&retry, 7, 0),
	    "R18: nothing is a retry at first");
	oh_retry_acked(&retry, 7, 1000, 1000 + OH_RETRY_LATE_MS - 1);
	ok(!oh_retry_is_known(&retry, 7, 1600),
	    "R18: a message acknowledged in time may be said again");
	oh_retry_acked(&retry, 7, 1000, 1000 + OH_RETRY_LATE_MS);
	ok(oh_retry_is_known(&retry, 7, 1600),
	    "R18: a message acknowledged late is known when it comes again");
	ok(!oh_retry_is_known(&retry, 8, 1600),
	    "R18: another message is not known");
	ok(oh_retry_is_known(
	       &retry, 7, 999 + OH_RETRY_LATE_MS + OH_RETRY_WINDOW_MS),
	    "R18: a late message is known until its window ends");
	ok(!oh_retry_is_known(
	       &retry, 7, 1000 + OH_RETRY_LATE_MS + OH_RETRY_WINDOW_MS),
	    "R18: a late message may be said again after its window");
}

int main(void)
{
	test_digest();
	test_window();
	return done();
}
