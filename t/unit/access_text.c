/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "status/access_text.h"

#include "net/http_access.h"
#include "status/access_log.h"
#include "t/unit/tap.h"

#include <string.h>

static char text[ACCESS_TEXT_MAX];

/* The line without its time and its newline. */
static const char *line_of(const struct access_line *line)
{
	size_t n = access_text(text, line, 3, false);
	text[n - 1] = '\0';
	return strchr(text, ' ') + 1;
}

static void test_lines(void)
{
	struct access_line line = {
	    .peer = "::1",
	    .who = "0xabc",
	    .method = "GET",
	    .method_len = 3,
	    .path = "/a b\"\n\x7f\xff",
	    .path_len = 8,
	    .route = "/a/*",
	    .route_len = 4,
	    .id = "t1",
	    .id_len = 2,
	    .status = 200,
	    .bytes_in = 7,
	    .bytes_out = UINT64_MAX,
	    .took_us = 1234567,
	};
	is_str(line_of(&line),
	    "::1 0xabc GET /a%20b%22%0A%7F%FF 200 in=7 "
	    "out=18446744073709551615 ms=1234.567 route=/a/* worker=3 id=t1",
	    "a line has all that was told");
	size_t n = access_text(text, &line, 3, true);
	text[n] = '\0';
	ok(strstr(text, "\"path\":\"/a%20b%22%0A%7F%FF\",\"status\":200") !=
		NULL,
	    "a line may be an object of JSON");
	ok(text[n - 1] == '\n' && text[n - 2] == '}', "an object is a line");
	line = (struct access_line){.took_us = -5};
	is_str(line_of(&line),
	    "- - - - 0 in=0 out=0 ms=0.000 route=- worker=3 id=-",
	    "what is missing is a hyphen");
}

static void test_size(void)
{
	static char noise[10000];
	memset(noise, 1, sizeof noise - 1);
	const struct access_line line = {
	    .peer = noise,
	    .who = noise,
	    .method = noise,
	    .method_len = sizeof noise,
	    .path = noise,
	    .path_len = sizeof noise,
	    .route = noise,
	    .route_len = sizeof noise,
	    .id = noise,
	    .id_len = sizeof noise,
	    .status = 2147483647,
	    .bytes_in = UINT64_MAX,
	    .bytes_out = UINT64_MAX,
	    .took_us = INT64_MAX,
	};
	ok(access_text(text, &line, 127, false) <= ACCESS_TEXT_MAX,
	    "the longest line fits");
	ok(access_text(text, &line, 127, true) <= ACCESS_TEXT_MAX,
	    "the longest object fits");
}

static void test_ids(void)
{
#define TRACE "0af7651916cd43dd8448eb211c80319c"
	static const struct {
		const char *trace, *id, *want;
	} cases[] = {
	    {"00-" TRACE "-b7ad6b7169203331-01", NULL, TRACE},
	    {"00-" TRACE "-b7ad6b7169203331-01", "other", TRACE},
	    {"01-" TRACE "-b7ad6b7169203331-01-more", NULL, TRACE},
	    {"ff-" TRACE "-b7ad6b7169203331-01", NULL, NULL},
	    {"00-00000000000000000000000000000000-b7ad6b7169203331-01", "x",
		"x"},
	    {"00-" TRACE, "nginx-1.2_3", "nginx-1.2_3"},
	    {NULL, "a b", NULL},
	    {NULL, "", NULL},
	    {NULL, NULL, NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *trace = cases[i].trace, *id = cases[i].id;
		size_t len;
		const char *got = http_access_id(trace,
		    trace ? strlen(trace) : 0, id, id ? strlen(id) : 0, &len);
		if (cases[i].want)
			ok(got && len == strlen(cases[i].want) &&
				memcmp(got, cases[i].want, len) == 0,
			    "the id is %s", cases[i].want);
		else
			ok(!got && !len, "what is no id is not taken");
	}
}

int main(void)
{
	test_lines();
	test_size();
	test_ids();
	return done();
}
