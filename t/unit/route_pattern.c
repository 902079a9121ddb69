/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/route_pattern.h"

#include "base/buf.h"
#include "t/unit/tap.h"

#define N(a) (sizeof(a) / sizeof(*(a)))

static void test_audience(void)
{
	static const struct {
		const char *path;
		enum publish_audience audience;
	} cases[] = {
	    {"/public/a", PUBLISH_PUBLIC},
	    {"/contacts/a/{b}/c", PUBLISH_CONTACTS},
	    {"/admin/{a}-{b}", PUBLISH_ADMIN},
	    {"/public/{_a1}", PUBLISH_PUBLIC},
	    {"/public", PUBLISH_NOBODY},
	    {"/public/", PUBLISH_NOBODY},
	    {"/publicity/a", PUBLISH_NOBODY},
	    {"/input", PUBLISH_NOBODY},
	    {"public/a", PUBLISH_NOBODY},
	    {"/public//a", PUBLISH_NOBODY},
	    {"/public/../input", PUBLISH_NOBODY},
	    {"/public/./a", PUBLISH_NOBODY},
	    {"/public/a?b", PUBLISH_NOBODY},
	    {"/public/a#b", PUBLISH_NOBODY},
	    {"/public/{a", PUBLISH_NOBODY},
	    {"/public/a}", PUBLISH_NOBODY},
	    {"/public/{}", PUBLISH_NOBODY},
	    {"/public/{1}", PUBLISH_NOBODY},
	    {"/public/{a}/{a}", PUBLISH_NOBODY},
	    {"", PUBLISH_NOBODY},
	};
	for (size_t i = 0; i < N(cases); i++)
		is_int(route_pattern_audience(cases[i].path), cases[i].audience,
		    "the callers of \"%s\" are known", cases[i].path);
}

static void test_match(void)
{
	static const struct {
		const char *pattern;
		const char *path;
		const char *params; /* NULL: no match */
	} cases[] = {
	    {"/public/a", "/public/a", "{}"},
	    {"/public/a", "/public/a/", NULL},
	    {"/public/a", "/public/ab", NULL},
	    {"/public/{x}", "/public/1", "{\"x\":\"1\"}"},
	    {"/public/{x}", "/public/", NULL},
	    {"/public/{x}", "/public/1/2", NULL},
	    {"/public/{x}/b", "/public/1/b", "{\"x\":\"1\"}"},
	    {"/public/{x}/b", "/public//b", NULL},
	    {"/public/{x}/{y}", "/public/1/2", "{\"x\":\"1\",\"y\":\"2\"}"},
	    {"/public/{x}/{y}", "/public/1/", NULL},
	    {"/public/{x}-{y}", "/public/a-b-c", "{\"x\":\"a-b\",\"y\":\"c\"}"},
	    {"/public/{x}-{y}", "/public/-b", NULL},
	    {"/public/{x}b{y}", "/public/abb", "{\"x\":\"a\",\"y\":\"b\"}"},
	    {"/public/{x}{y}", "/public/abc", "{\"x\":\"ab\",\"y\":\"c\"}"},
	    {"/public/{x}{y}", "/public/a", NULL},
	    {"/public/{x}.json", "/public/a.json", "{\"x\":\"a\"}"},
	    {"/public/{x}.json", "/public/.json", NULL},
	    {"/public/{x}/x{y}", "/public/q/xx/x1", NULL},
	    {"/public/{x}/x{y}", "/public/q/xx", "{\"x\":\"q\",\"y\":\"x\"}"},
	    {"/public/{x}", "/public/\"", "{\"x\":\"\\\"\"}"},
	    {"/public/{x}", "/public/..", "{\"x\":\"..\"}"},
	    {"/public/{x}", "/public/../", NULL},
	    {"/public/{x}", "/public/%2f", "{\"x\":\"%2f\"}"},
	    {"/public/{x}", "/pub", NULL},
	};
	struct buf params = {0};
	for (size_t i = 0; i < N(cases); i++) {
		buf_reset(&params);
		bool is_match = route_pattern_match(
		    cases[i].pattern, cases[i].path, &params);
		is_str(is_match ? buf_cstr(&params) : NULL, cases[i].params,
		    "%s and %s", cases[i].pattern, cases[i].path);
	}
	buf_fini(&params);
}

static void test_compare(void)
{
	static const struct {
		const char *a;
		const char *b;
		int sign;
	} cases[] = {
	    {"/public/a", "/public/{x}", 1},
	    {"/public/{x}/b", "/public/a/{y}", -1},
	    {"/public/{x}.json", "/public/{x}", 1},
	    {"/public/\xc3\xa9{x}", "/public/{x}e", 0},
	    {"/public/{x}", "/public/{y}", 0},
	    {"/public/a{x}", "/public/{y}b", 0},
	};
	for (size_t i = 0; i < N(cases); i++) {
		int n = route_pattern_compare(cases[i].a, cases[i].b);
		is_int((n > 0) - (n < 0), cases[i].sign,
		    "the better route of %s and %s is known", cases[i].a,
		    cases[i].b);
	}
}

int main(void)
{
	test_audience();
	test_match();
	test_compare();
	return done();
}
