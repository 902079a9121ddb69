/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Frames made smaller, and plans put into words that clients know. */
#include "oip/oip_fit.h"

#include "base/json.h"
#include "door/frame_plan.h"
#include "t/unit/tap.h"

static void add_many(struct buf *out, char c, size_t n)
{
	memset(buf_reserve(out, n), c, n);
	out->len += n;
}

/* A frame whose members are as many bytes of text as said; 0: short. */
static void make(struct buf *out, size_t result, size_t text, size_t image,
    size_t trace, size_t items)
{
	buf_str(out, "{\"type\":\"OUTPUT\",\"result\":\"");
	add_many(out, 'r', result);
	buf_str(out, "\",\"session\":{\"iteration\":3,\"messages\":["
		     "{\"content\":[{\"type\":\"text\",\"text\":\"");
	add_many(out, 't', text);
	buf_str(out, "\"},{\"type\":\"image_url\",\"image_url\":\"");
	add_many(out, 'i', image);
	buf_str(out, "\"}]}],\"trace\":[\"");
	add_many(out, 'x', trace);
	buf_str(out, "\"],\"other\":1},\"chat_items\":[\"");
	add_many(out, 'c', items);
	buf_str(out, "\"]}");
}

static void test_steps(void)
{
	enum { MIB = OIP_FIT_BYTES };
	static const struct {
		const char *name;
		size_t result, text, image, trace, items;
		bool fits;
		const char *tail; /* of the frame: what is after the result */
	} cases[] = {
	    {"chat_items go first", 1, 1, 1, 1, MIB, true,
		"\"session\":{\"iteration\":3,\"messages\":[{\"content\":[{"
		"\"type\":\"text\",\"text\":\"t\"},{\"type\":\"image_url\","
		"\"image_url\":\"i\"}]}],\"trace\":[\"x\"],\"other\":1}}"},
	    {"then the trace", 1, 1, 2000, MIB, 1, true,
		"\"trace\":[],\"other\":1}}"},
	    {"then images", 1, 1, MIB, 1, 1, true,
		"\"session\":{\"iteration\":3,\"messages\":[{\"content\":[{"
		"\"type\":\"text\",\"text\":\"t\"},{\"type\":\"text\","
		"\"text\":\"[image]\"}]}],\"trace\":[],\"other\":1}}"},
	    {"then all but the numbers", 1, MIB, 1, 1, 1, true,
		"\"session\":{\"iteration\":3,\"messages\":[],\"trace\":[]}}"},
	    {"the result never", MIB, 1, 1, 1, 1, false,
		"\"session\":{\"iteration\":3,\"messages\":[],\"trace\":[]}}"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf frame = {0};
		make(&frame, cases[i].result, cases[i].text, cases[i].image,
		    cases[i].trace, cases[i].items);
		bool fits = oip_fit(&frame, OIP_FIT_BYTES);
		size_t n = strlen(cases[i].tail);
		ok(fits == cases[i].fits && (frame.len < MIB) == fits &&
			frame.len > n &&
			memcmp(frame.data + frame.len - n, cases[i].tail, n) ==
			    0,
		    "what is left out: %s", cases[i].name);
		buf_fini(&frame);
	}
}

static void test_odd(void)
{
	static const char *const odd[] = {"", "{", "[1]",
	    "{\"session\":5,\"chat_items\":5}",
	    "{\"session\":{\"messages\":5,\"trace\":5}}"};
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		struct buf frame = {0};
		buf_str(&frame, odd[i]);
		(void)oip_fit(&frame, OIP_FIT_BYTES); /* must not crash */
		ok(true, "an odd frame does no harm: %s", odd[i]);
		buf_fini(&frame);
	}
}

static void test_plan(void)
{
	static const struct {
		const char *name, *entries, *want;
	} cases[] = {
	    {"known words stay",
		"[{\"content\":\"a\",\"priority\":\"high\",\"status\":"
		"\"completed\"}]",
		"[{\"content\":\"a\",\"priority\":\"high\",\"status\":"
		"\"completed\"}]"},
	    {"others become known ones",
		"[{\"content\":\"a\",\"priority\":\"urgent\",\"status\":1},{}]",
		"[{\"content\":\"a\",\"priority\":\"medium\",\"status\":"
		"\"pending\"},{\"content\":\"\",\"priority\":\"medium\","
		"\"status\":\"pending\"}]"},
	    {"no list is an empty plan", "5", "[]"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct json_doc doc = {0};
		struct json_error why;
		struct buf out = {0};
		const char *text = cases[i].entries;
		frame_plan_entries(
		    &out, json_parse(&doc, text, strlen(text), 0, &why));
		is_str(
		    buf_cstr(&out), cases[i].want, "a plan: %s", cases[i].name);
		buf_fini(&out);
		json_fini(&doc);
	}
}

int main(void)
{
	test_steps();
	test_odd();
	test_plan();
	return done();
}
