/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Frames between a relay and a host: which client each is from and for. */
#include "link/link_frame.h"

#include "base/buf.h"
#include "t/unit/tap.h"

#include <string.h>

static struct json_doc doc;
static struct link_frame frame;

static const char *const kinds[] = {
    [LINK_FRAME_BAD] = "bad",
    [LINK_FRAME_CLIENT] = "client",
    [LINK_FRAME_CLOSE] = "close",
    [LINK_FRAME_OK] = "ok",
    [LINK_FRAME_ERROR] = "error",
    [LINK_FRAME_ASIDE] = "aside",
};

/* What was read of a frame, in one line. */
static const char *frame_as(void)
{
	static struct buf out;

	buf_reset(&out);
	buf_printf(&out, "%s %s %s %s", kinds[frame.kind],
	    buf_cstr(&frame.session), buf_cstr(&frame.conn),
	    buf_cstr(&frame.text));
	while (out.len && out.data[out.len - 1] == ' ')
		out.len--;
	return buf_cstr(&out);
}

static const char *read_as(const char *text, size_t len)
{
	link_frame_read(&frame, &doc, text, len);
	return frame_as();
}

static const struct {
	const char *text;
	const char *is;
} frames[] = {
    {"{\"type\":\"CONNECT\",\"session_id\":\"s\",\"conn_id\":\"c\"}",
	"client s c"},
    {"{\"conn_id\":null,\"session_id\":\"s\",\"type\":\"INPUT\"}", "client s"},
    {"{\"session_id\":\"\\u00e9\\\"\",\"type\":1}", "client \xc3\xa9\""},
    {"{\"session_id\":\"s\"}", "client s"},
    {"{\"type\":\"close\",\"session_id\":\"s\"}", "close s"},
    {"{\"type\":\"close\",\"session_id\":\"s\",\"conn_id\":\"c\"}",
	"close s c"},
    {"{\"type\":\"ANNOUNCE_OK\"}", "ok"},
    {"{\"type\":\"ANNOUNCE_OK\",\"session_id\":null,\"conn_id\":null}", "ok"},
    {"{\"type\":\"ANNOUNCE_OK\",\"session_id\":\"s\"}", "client s"},
    {"{\"type\":\"ERROR\",\"error\":\"no\",\"message\":\"yes\"}", "error   no"},
    {"{\"type\":\"ERROR\",\"error\":1,\"message\":\"no\"}", "error   no"},
    {"{\"type\":\"ERROR\"}", "error"},
    {"{\"type\":\"PING\",\"session_id\":null}", "aside"},
    {"{\"type\":\"INPUT\",\"prompt\":\"hi\"}", "bad"},
    {"{\"type\":\"INPUT\",\"session_id\":5}", "bad 5"},
    {"{\"session_id\":\"\"}", "bad"},
    {"{\"session_id\":\"a\\nb\"}", "bad"},
    {"{\"session_id\":\"s\",\"conn_id\":7}", "bad s"},
    {"{\"conn_id\":\"c\"}", "bad"},
    {"[]", "bad"},
    {"{", "bad"},
    {"", "bad"},
    {"\"ANNOUNCE_OK\"", "bad"},
};

static void test_read(void)
{
	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
		const char *is = frames[i].is;
		const char *got =
		    read_as(frames[i].text, strlen(frames[i].text));
		ok(strncmp(got, is, strcspn(is, " ")) == 0 &&
			(strncmp(is, "bad", 3) == 0 || strcmp(got, is) == 0),
		    "case %zu of frames is read as %s, not %s", i, is, got);
	}
}

static void test_long(void)
{
	struct buf text = {0};

	buf_str(&text, "{\"session_id\":\"s\",\"conn_id\":\"");
	for (int i = 0; i <= LINK_FRAME_CONN_MAX; i++)
		buf_char(&text, 'x');
	buf_str(&text, "\"}");
	(void)read_as(text.data, text.len);
	is_int(
	    frame.kind, LINK_FRAME_BAD, "the id of a connection has a limit");
	buf_fini(&text);
}

static const struct {
	const char *conn;
	const char *text;
	const char *is;
} stamps[] = {
    {"c", "{\"type\":\"PING\"}",
	"{\"session_id\":\"r\",\"conn_id\":\"c\",\"type\":\"PING\"}"},
    {"c", "{\"type\":\"CONNECTED\",\"session_id\":\"own\",\"x\":{\"y\":[1]}}",
	"{\"conn_id\":\"c\",\"type\":\"CONNECTED\",\"session_id\":\"own\","
	"\"x\":{\"y\":[1]}}"},
    {"", "{\"type\":\"CONNECTED\",\"session_id\":\"own\",\"x\":1.50}",
	"{\"session_id\":\"r\",\"type\":\"CONNECTED\",\"x\":1.50}"},
    {"", "{}", "{\"session_id\":\"r\"}"},
    {"c", "{\"session_id\":null,\"conn_id\":\"other\"}",
	"{\"session_id\":\"r\",\"conn_id\":\"c\"}"},
    {"q\"", "{}", "{\"session_id\":\"r\",\"conn_id\":\"q\\\"\"}"},
    {"c", "[]", ""},
    {"c", "", ""},
};

static void test_stamp(void)
{
	struct buf out = {0};

	for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++) {
		struct link_frame_place place = {"r", stamps[i].conn};
		buf_reset(&out);
		link_frame_stamp(
		    &out, &place, stamps[i].text, strlen(stamps[i].text));
		is_str(buf_cstr(&out), stamps[i].is,
		    "case %zu of answers has its route", i);
	}
	buf_fini(&out);
}

static void test_end(void)
{
	struct link_frame_place place = {"r", "c"};
	struct buf out = {0};

	link_frame_end(&out, &place, 4003, "b\"ye");
	is_str(buf_cstr(&out),
	    "{\"session_id\":\"r\",\"conn_id\":\"c\",\"type\":\"close\","
	    "\"code\":4003,\"reason\":\"b\\\"ye\"}",
	    "the end of a client has its route, code and reason");
	buf_fini(&out);
}

static void test_peek(void)
{
	static const struct {
		const char *name, *text, *is;
	} cases[] = {
	    {"ids before a large member",
		"{\"session_id\":\"s\",\"conn_id\":\"c\",\"files\":[{\"a",
		"client s c"},
	    {"only the id of the session",
		"{\"session_id\":\"s\",\"files\":[\"conn_id", "client s"},
	    {"only the id of the connection",
		"{\"conn_id\":\"c\",\"prompt\":\"a", "client  c"},
	    {"an id that repeats the one before",
		"{\"conn_id\":\"c\",\"conn_id\":\"d\",\"prompt\":\"a",
		"client  d"},
	    {"no id", "{\"files\":[", "bad"},
	    {"an id that is cut", "{\"session_id\":\"s", "bad"},
	    {"an id with an escape", "{\"session_id\":\"\\u0073\",", "bad"},
	    {"an id that is no text", "{\"conn_id\":12,\"a\":", "bad"},
	    {"an id inside a member",
		"{\"a\":{\"conn_id\":\"c\"},\"b\":", "bad"},
	    {"no object", "[", "bad"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		link_frame_peek(&frame, cases[i].text, strlen(cases[i].text));
		is_str(frame_as(), cases[i].is,
		    "the beginning of a frame shows %s", cases[i].name);
	}
}

int main(void)
{
	test_read();
	test_long();
	test_peek();
	test_stamp();
	test_end();
	link_frame_fini(&frame);
	json_fini(&doc);
	return done();
}
