/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_first.h"

#include "core/conf.h"
#include "door/door.h"
#include "oip/oip_conn.h"
#include "net/wire.h"
#include "t/unit/tap.h"

static void test_type(void)
{
	static const struct {
		const char *name, *text, *type;
	} cases[] = {
	    {"the first member", "{\"type\":\"CONNECT\",\"session\":{\"a",
		"CONNECT"},
	    {"with spaces", " { \"type\" : \"INPUT\" ", "INPUT"},
	    {"behind other members",
		"{\"a\":1,\"b\":\"},{\\\"\",\"c\":[{\"type\":\"X\"},2],"
		"\"d\":true,\"type\":\"INIT\"",
		"INIT"},
	    {"of an object inside it", "{\"a\":{\"type\":\"CONNECT\"},", NULL},
	    {"that breaks off", "{\"type\":\"CONN", NULL},
	    {"that has not come", "{\"session\":{\"type\":\"CONNECT\",", NULL},
	    {"that is no string", "{\"type\":1,\"type\":\"CONNECT\"", NULL},
	    {"of what is no object", "[\"type\",\"CONNECT\"", NULL},
	    {"of nothing", "", NULL},
	    {"of a lone backslash", "{\"\\", NULL},
	    {"behind a bracket too many", "{]\"type\":\"CONNECT\"", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct oip_first first =
		    oip_first_look(cases[i].text, strlen(cases[i].text));
		if (cases[i].type)
			is_mem(first.type, first.type_len, cases[i].type,
			    strlen(cases[i].type), "the type %s is read",
			    cases[i].name);
		else
			ok(!first.type, "the type %s is not read",
			    cases[i].name);
	}
}

static size_t may_grow(const struct oip_conn *c, const char *text)
{
	union {
		const struct oip_conn *conn;
		void *arg;
	} u = {.conn = c};
	return oip_first_may_grow(u.arg, text, strlen(text));
}

static void test_may_grow(void)
{
	struct conf conf = {.max_session = 5000};
	struct door_setup setup = {.conf = &conf};
	struct oip_conn c = {.setup = &setup};
	is_int(may_grow(&c, "{\"type\":\"CONNECT\""), OIP_FIRST_BYTES + 5000,
	    "a first CONNECT may bring a conversation");
	is_int(may_grow(&c, "{\"type\":\"ATTACH\""), OIP_FIRST_BYTES + 5000,
	    "a first ATTACH may bring a conversation");
	ok(may_grow(&c, "{\"type\":\"INPUT\"") > 100 * OIP_FIRST_BYTES,
	    "a first INPUT may bring files");
	is_int(may_grow(&c, "{\"from\":\"\",\"session\":{\"m\":["),
	    OIP_FIRST_BYTES + 5000,
	    "a first frame that begins with its session may bring a "
	    "conversation");
	ok(may_grow(&c, "{\"files\":[\"") > 100 * OIP_FIRST_BYTES,
	    "a first frame that begins with its files may bring files");
	is_int(may_grow(&c, "{\"from\":\"\",\"payload\":{\"prompt\":\"aaa"),
	    OIP_FIRST_BYTES,
	    "a first frame that begins with a payload may be long");
	c.has_spoken = true;
	is_int(may_grow(&c, "{\"type\":\"INPUT\""), WIRE_FIRST_BYTES,
	    "an INPUT after other frames may not be long");
	is_int(may_grow(&c, "{\"type\":\"EXEC\""), WIRE_FIRST_BYTES,
	    "another frame after others may not be long");
	is_int(may_grow(&c, "{\"x\":\"type"), WIRE_FIRST_BYTES,
	    "a frame without its type may not be long");
}

int main(void)
{
	test_type();
	test_may_grow();
	return done();
}
