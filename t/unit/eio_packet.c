/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Packets and bodies of Engine.IO, and what its requests ask for. */
#include "socketio/eio_packet.h"
#include "socketio/eio_request.h"

#include "base/buf.h"
#include "t/unit/tap.h"

static void test_packets(void)
{
	static const struct {
		const char *text;
		int type; /* -1: refused */
		const char *data;
	} cases[] = {
	    {"2probe", EIO_PING, "probe"},
	    {"3", EIO_PONG, ""},
	    {"3\n", EIO_PONG, ""},
	    {"40{}\r\n", EIO_MESSAGE, "0{}"},
	    {"4 \t\n", EIO_MESSAGE, ""},
	    {"5", EIO_UPGRADE, ""},
	    {"6", EIO_NOOP, ""},
	    {"1", EIO_CLOSE, ""},
	    {"0", EIO_OPEN, ""},
	    {"7", -1, NULL},
	    {"b", -1, NULL},
	    {"", -1, NULL},
	    {"\n", -1, NULL},
	    {" 3", -1, NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct eio_packet p;
		bool is_read =
		    eio_packet_read(&p, cases[i].text, strlen(cases[i].text));
		if (cases[i].type < 0) {
			ok(!is_read, "message %zu is no packet", i);
			continue;
		}
		ok(is_read && (int)p.type == cases[i].type,
		    "message %zu is a packet of type %d", i, cases[i].type);
		is_mem(p.data.text, p.data.len, cases[i].data,
		    strlen(cases[i].data), "message %zu has its data", i);
	}
}

/* A body as "type:data|type:data|end". */
static void describe(struct buf *out, const char *body, size_t len)
{
	static const char *const ends[] = {"", "end", "bad", "crowd"};
	struct eio_payload payload = {.at = body, .left = len};
	struct eio_packet p;
	struct buf bytes = {0};
	enum eio_next next;
	while ((next = eio_payload_next(&payload, &p, &bytes)) == EIO_NEXT) {
		buf_printf(out, "%d:", (int)p.type);
		buf_append(out, p.data.text, p.data.len);
		buf_char(out, '|');
	}
	buf_str(out, ends[next]);
	buf_fini(&bytes);
}

static void test_bodies(void)
{
	static const struct {
		const char *name;
		const char *body;
		const char *want;
	} cases[] = {
	    {"one packet", "40", "4:0|end"},
	    {"two packets",
		"40\x1e"
		"42[\"x\"]",
		"4:0|4:2[\"x\"]|end"},
	    {"a pong before the connect",
		"3\x1e"
		"40",
		"3:|4:0|end"},
	    {"leaving in one body",
		"41\x1e"
		"1",
		"4:1|1:|end"},
	    {"a new line behind a packet",
		"40\n\x1e"
		"3\n",
		"4:0|3:|end"},
	    {"a new line inside JSON", "42[\"x\",\n1]", "4:2[\"x\",\n1]|end"},
	    {"binary", "bQUJD", "7:ABC|end"},
	    {"binary with line ends of Java", "bQU\nJD\n", "7:ABC|end"},
	    {"binary behind its event",
		"451-[]\x1e"
		"bQQ==",
		"4:51-[]|7:A|end"},
	    {"empty binary", "b", "7:|end"},
	    {"a broken base64", "bQ", "bad"},
	    {"other characters in base64", "bQU-D", "bad"},
	    {"an empty body", "", "bad"},
	    {"an empty packet", "40\x1e", "4:0|bad"},
	    {"an empty first packet",
		"\x1e"
		"40",
		"bad"},
	    {"an unknown type",
		"40\x1e"
		"9",
		"4:0|bad"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf got = {0};
		describe(&got, cases[i].body, strlen(cases[i].body));
		is_str(buf_cstr(&got), cases[i].want, "a body with %s is read",
		    cases[i].name);
		buf_fini(&got);
	}
}

static unsigned count_packets(const struct buf *body, enum eio_next *end)
{
	struct eio_payload payload = {.at = body->data, .left = body->len};
	struct eio_packet p;
	struct buf bytes = {0};
	unsigned n = 0;
	while ((*end = eio_payload_next(&payload, &p, &bytes)) == EIO_NEXT)
		n++;
	buf_fini(&bytes);
	return n;
}

static void test_crowd(void)
{
	struct buf body = {0};
	enum eio_next end;
	buf_char(&body, '3');
	for (int i = 1; i < EIO_MAX_PACKETS; i++)
		buf_append(&body,
		    "\x1e"
		    "3",
		    2);
	is_int(count_packets(&body, &end), EIO_MAX_PACKETS,
	    "a body may have %d packets", EIO_MAX_PACKETS);
	is_int(end, EIO_NEXT_END, "a body of the maximum is read to its end");
	buf_append(&body,
	    "\x1e"
	    "3",
	    2);
	(void)count_packets(&body, &end); /* the end counts here */
	is_int(end, EIO_NEXT_CROWD, "a body with one packet more is refused");
	buf_fini(&body);
}

static void test_sids(void)
{
	char one[EIO_SID + 1], other[EIO_SID + 1];
	eio_sid_new(one);
	eio_sid_new(other);
	ok(strlen(one) == EIO_SID && eio_sid_is_valid(one, EIO_SID),
	    "a new sid is valid");
	ok(strcmp(one, other) != 0, "two sids differ");
	ok(!eio_sid_is_valid(one, EIO_SID - 1), "a shorter sid is invalid");
	one[3] = '.';
	ok(!eio_sid_is_valid(one, EIO_SID), "a sid with a dot is invalid");
	one[3] = '\0';
	ok(!eio_sid_is_valid(one, EIO_SID), "a sid with a NUL is invalid");
}

static void test_query(void)
{
	static const struct {
		const char *query, *key, *want; /* NULL: absent */
	} cases[] = {
	    {"a=1&b=2", "b", "2"},
	    {"b=2&b=3", "b", "2"},
	    {"bb=1&b=2", "b", "2"},
	    {"b", "b", ""},
	    {"a&b&c", "b", ""},
	    {"b=", "b", ""},
	    {"b=x%20y&c", "b", "x%20y"},
	    {"&&b=1", "b", "1"},
	    {"a=b=1", "b", NULL},
	    {"", "b", NULL},
	    {"EIO=4&transport=polling", "sid", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct span got = eio_query_find(cases[i].query, cases[i].key);
		if (!cases[i].want)
			ok(!got.text, "'%s' has no %s", cases[i].query,
			    cases[i].key);
		else
			is_mem(got.text, got.len, cases[i].want,
			    strlen(cases[i].want), "'%s' has %s",
			    cases[i].query, cases[i].key);
	}
}

static void test_requests(void)
{
	static const struct {
		const char *query;
		bool is_get, is_websocket;
		enum eio_error want;
		enum eio_transport transport;
	} cases[] = {
	    {"EIO=4&transport=polling", true, false, EIO_FINE, EIO_POLLING},
	    {"EIO=4&transport=websocket", true, true, EIO_FINE, EIO_WEBSOCKET},
	    {"transport=polling&EIO=4", true, false, EIO_FINE, EIO_POLLING},
	    {"EIO=4", true, false, EIO_FINE, EIO_POLLING},
	    {"EIO=4", true, true, EIO_FINE, EIO_WEBSOCKET},
	    {"EIO=4&transport=foo", true, false, EIO_TRANSPORT_UNKNOWN, 0},
	    {"EIO=4&transport=", true, false, EIO_TRANSPORT_UNKNOWN, 0},
	    {"EIO=3&transport=foo", true, false, EIO_TRANSPORT_UNKNOWN, 0},
	    {"EIO=3&transport=polling", true, false, EIO_BAD_VERSION, 0},
	    {"EIO=3&transport=websocket", true, true, EIO_BAD_VERSION, 0},
	    {"EIO=44&transport=polling", true, false, EIO_BAD_VERSION, 0},
	    {"transport=polling", true, false, EIO_BAD_VERSION, 0},
	    {"", true, false, EIO_BAD_VERSION, 0},
	    {"EIO=4&transport=polling", false, false, EIO_BAD_METHOD, 0},
	    {"EIO=4&transport=websocket", true, false, EIO_BAD_REQUEST, 0},
	    {"EIO=4&transport=polling", true, true, EIO_BAD_REQUEST, 0},
	    {"transport=polling&sid=x", false, false, EIO_FINE, EIO_POLLING},
	    {"transport=polling&sid=x", true, false, EIO_FINE, EIO_POLLING},
	    {"EIO=3&transport=polling&sid=", false, false, EIO_FINE, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct eio_request request = {
		    cases[i].query, cases[i].is_get, cases[i].is_websocket};
		struct eio_wish wish;
		enum eio_error got = eio_request_read(&wish, &request);
		is_int(got, cases[i].want, "request %zu (%s) is judged", i,
		    cases[i].query);
		if (cases[i].want == EIO_FINE)
			is_int(wish.transport, cases[i].transport,
			    "request %zu (%s) has its transport", i,
			    cases[i].query);
	}
	is_int(eio_error_status(EIO_FORBIDDEN), 403, "forbidden is 403");
	is_int(eio_error_status(EIO_BAD_VERSION), 400, "other errors are 400");
}

int main(void)
{
	test_packets();
	test_bodies();
	test_crowd();
	test_sids();
	test_query();
	test_requests();
	return done();
}
