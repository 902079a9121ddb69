/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* What a server tells a relay about where it can be reached directly. */
#include "link/endpoints.h"

#include "base/buf.h"
#include "t/unit/tap.h"

#include <string.h>

static const struct {
	const char *what;
	struct endpoints ask;
	const char *urls;
} cases[] = {
    {"a public name", {"0.0.0.0:8000", "a.example", true},
	"[\"https://a.example\",\"wss://a.example/ws\"]"},
    {"a public name of a socket file", {"unix:/x:1", "a.example", false},
	"[\"https://a.example\",\"wss://a.example/ws\"]"},
    {"a socket file", {"unix:/run/co.sock", "", true}, "[]"},
    {"one address", {"192.0.2.7:80", "", true},
	"[\"http://192.0.2.7:80\",\"ws://192.0.2.7:80/ws\"]"},
    {"one IPv6 address", {"[2001:db8::7]:80", "", false},
	"[\"http://[2001:db8::7]:80\",\"ws://[2001:db8::7]:80/ws\"]"},
    {"loopback for others", {"127.0.0.1:8000", "", false}, "[]"},
    {"loopback for this machine", {"127.0.0.1:8000", "", true},
	"[\"http://127.0.0.1:8000\",\"ws://127.0.0.1:8000/ws\"]"},
};

static const char *urls_of(const struct endpoints *ask)
{
	static struct buf out;

	buf_reset(&out);
	endpoints_write(&out, ask);
	return buf_cstr(&out);
}

int main(void)
{
	static const char loop[] =
	    "[\"http://localhost:9\",\"ws://localhost:9/ws\"";
	struct endpoints any = {"0.0.0.0:9", "", true};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_str(urls_of(&cases[i].ask), cases[i].urls,
		    "%s is announced as it should", cases[i].what);
	ok(strncmp(urls_of(&any), loop, sizeof loop - 1) == 0,
	    "a listener on all addresses begins with localhost");
	any.has_loopback = false;
	ok(!strstr(urls_of(&any), "localhost") &&
		!strstr(urls_of(&any), "127."),
	    "loopback is left out for clients on other machines");
	any.bound = "[::]:9";
	ok(!strstr(urls_of(&any), "[::1]") && !strstr(urls_of(&any), "fe80"),
	    "addresses that reach one machine or link are left out");
	return done();
}
