/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Lists of doors: which are valid, and which doors each of them opens. */
#include "core/doors.h"

#include "t/unit/tap.h"

static void test_valid(void)
{
	static const char *const good[] = {"all", "http", "connectonion",
	    "http,connectonion", " http , connectonion ", "all, http"};
	static const char *const bad[] = {
	    "", ",", "http,", "HTTP", "http connectonion", "server", "al"};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		ok(doors_are_valid(good[i]), "'%s' is a list of doors",
		    good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ok(!doors_are_valid(bad[i]), "'%s' is no list of doors",
		    bad[i]);
}

static void test_have(void)
{
	static const struct {
		const char *list;
		bool has_http, has_connectonion;
	} cases[] = {
	    {"all", true, true},
	    {"http", true, false},
	    {" connectonion ", false, true},
	    {"http, connectonion", true, true},
	    {"http, all", true, true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *list = cases[i].list;
		ok(doors_have(list, DOOR_HTTP) == cases[i].has_http,
		    "'%s' decides about http", list);
		ok(doors_have(list, DOOR_CONNECTONION) ==
			cases[i].has_connectonion,
		    "'%s' decides about connectonion", list);
		ok(doors_have(list, DOOR_SERVER),
		    "'%s' leaves the server's own routes", list);
	}
}

int main(void)
{
	test_valid();
	test_have();
	return done();
}
