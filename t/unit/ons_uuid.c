/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Names of agents and users as UUIDs. */
#include "onsembl/ons_uuid.h"

#include "t/unit/tap.h"

#include <string.h>

int main(void)
{
	static const char uuid[] = "01234567-89ab-4cde-8f01-23456789abcd";
	char a[ONS_UUID], b[ONS_UUID];
	ons_uuid_of(a, "agent", uuid);
	is_str(a, uuid, "a name that is a UUID stays as it is");
	ons_uuid_of(a, "agent", "mock-1");
	is_int(strlen(a), ONS_UUID - 1, "a UUID has 36 characters");
	is_int(a[14], '8', "a UUID that is made has version 8");
	ok(strchr("89ab", a[19]) && a[8] == '-' && a[23] == '-',
	    "a UUID that is made has the variant of RFC 9562");
	ons_uuid_of(b, "agent", "mock-1");
	is_str(a, b, "a name has one UUID");
	ons_uuid_of(b, "agent", "mock-2");
	ok(strcmp(a, b) != 0, "another name has another UUID");
	ons_uuid_of(b, "user", "mock-1");
	ok(strcmp(a, b) != 0, "another kind of name has another UUID");
	ons_uuid_of(b, "agent", "01234567-89ab-4cde-8f01-23456789abcx");
	ok(strcmp(b, "01234567-89ab-4cde-8f01-23456789abcx") != 0,
	    "a name that only looks like a UUID gets one");
	ok(ons_uuid_is(span_cstr("mock-1"), "agent", "mock-1"),
	    "a name is known by itself");
	ok(ons_uuid_is(span_cstr(a), "agent", "mock-1"),
	    "a name is known by its UUID");
	ok(!ons_uuid_is(span_cstr(a), "agent", "mock-2"),
	    "a name is not known by the UUID of another");
	ok(!ons_uuid_is((struct span){0}, "agent", "mock-1"),
	    "an absent text is no name");
	return done();
}
