/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/http.h"
#include "net/http_origin.h"
#include "t/unit/tap.h"

#include <string.h>

#define PRESET "loopback, https://chat.openonion.ai"

static void test_lists(void)
{
	static const struct {
		const char *text;
		bool is_origins;
		bool is_hosts;
	} cases[] = {
	    {"", true, true},
	    {" ", true, true},
	    {"*", true, true},
	    {"loopback", true, true /* a name like any other */},
	    {PRESET, true, false},
	    {"https://a.example,", true, false},
	    {"https://a.example:8443 , http://[::1]:80", true, false},
	    {"https://*.example.com", true, false},
	    {"chrome-extension://abcdefghij", true, false},
	    {"https://a.example/", true, false},
	    {"null", false, true /* the same */},
	    {"https://a.example/path", false, false},
	    {"https://user@a.example", false, false},
	    {"https://a.example:0", false, false},
	    {"https://a.example:65536", false, false},
	    {"https://", false, false},
	    {"://a.example", false, false},
	    {"https:/a.example", false, false},
	    {"agent.example.com", false, true},
	    {"agent.example.com:8443, *.example.com", false, true},
	    {"a b.example", false, false},
	    {"a/b", false, false},
	    {"*.*", false, false},
	    {"[::1", false, false},
	    {"[agent]", false, false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why[2] = {NULL, NULL};
		bool is_origins = http_origins_are_valid(cases[i].text, why);
		bool is_hosts = http_hosts_are_valid(cases[i].text, why + 1);
		ok(is_origins == cases[i].is_origins && !why[0] == is_origins,
		    "\"%s\" is %s list of origins", cases[i].text,
		    cases[i].is_origins ? "a" : "no");
		ok(is_hosts == cases[i].is_hosts && !why[1] == is_hosts,
		    "\"%s\" is %s list of hosts", cases[i].text,
		    cases[i].is_hosts ? "a" : "no");
	}
}

static void test_hosts(void)
{
	static const struct {
		const char *host;
		bool is_ours;
	} cases[] = {
	    {NULL, true},
	    {"localhost", true},
	    {"LocalHost:8000", true},
	    {"localhost.", true},
	    {"localhost.:8000", true},
	    {"app.localhost:3000", true},
	    {".localhost", false},
	    {"notlocalhost", false},
	    {"localhost.evil.test", false},
	    {"127.0.0.1:8000", true},
	    {"203.0.113.5", true},
	    {"0.0.0.0:8000", true},
	    {"[::1]:8000", true},
	    {"[2001:DB8::1]", true},
	    {"[::1", false},
	    {"::1", false},
	    {"[evil]", false},
	    {"127.0.0.1.evil.test", false},
	    {"machine", true},
	    {"machine.local:8000", true},
	    {"agent.example", true},
	    {"AGENT.example.:443", true},
	    {"x.agent.example", false},
	    {"a.below.example", true},
	    {"a.b.below.example:1", true},
	    {"below.example", false},
	    {"xbelow.example", false},
	    {"evil.test", false},
	    {"evil.test:99999", false},
	    {"agent.example:x", false},
	    {"agent.example@evil.test", false},
	    {"", false},
	    {":8000", false},
	};
	static const struct http_origin_rules rules = {
	    .origins = "",
	    .hosts = "agent.example:9, *.below.example",
	    .own = "machine,machine.local",
	};
	static const struct http_origin_rules any = {
	    .origins = "", .hosts = "*", .own = ""};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *host = cases[i].host;
		ok(http_origin_host_is_ours(&rules, host,
		       host ? strlen(host) : 0) == cases[i].is_ours,
		    "Host %s is %s", host ? host : "(none)",
		    cases[i].is_ours ? "ours" : "foreign");
	}
	ok(http_origin_host_is_ours(&any, "evil.test", 9),
	    "allowed_hosts \"*\" makes every name ours");
	char name[300];
	memset(name, 'a', sizeof(name));
	ok(!http_origin_host_is_ours(&any, name, sizeof(name)),
	    "a name longer than names can be is foreign");
}

static const char *const words[] = {
    [HTTP_ORIGIN_GOOD] = "good",
    [HTTP_ORIGIN_FOREIGN] = "foreign",
    [HTTP_ORIGIN_CROSS_SITE] = "cross-site",
    [HTTP_ORIGIN_HOST] = "by a foreign name",
};

static void test_judge(void)
{
	enum { NO, YES, CROSS }; /* has Sec-Fetch-*; Sec-Fetch-Site */
	static const struct {
		const char *origins;
		const char *host;
		const char *origin;
		int fetch;
		enum http_origin_verdict verdict;
	} cases[] = {
	    /* No page. */
	    {PRESET, "127.0.0.1:8000", NULL, NO, HTTP_ORIGIN_GOOD},
	    {PRESET, "evil.test:8000", NULL, NO, HTTP_ORIGIN_GOOD},
	    /* Our own pages. */
	    {PRESET, "localhost:8000", "http://localhost:8000", YES,
		HTTP_ORIGIN_GOOD},
	    {PRESET, "localhost:8000", NULL, YES, HTTP_ORIGIN_GOOD},
	    {"", "localhost:8000", "http://localhost:8000", YES,
		HTTP_ORIGIN_GOOD},
	    {"", "LOCALHOST.:8000", "HTTP://LocalHost:8000/", YES,
		HTTP_ORIGIN_GOOD},
	    {"", "192.168.1.2:8000", "http://192.168.1.2:8000", NO,
		HTTP_ORIGIN_GOOD},
	    {"", "192.168.1.2:8000", "http://192.168.1.2:9000", NO,
		HTTP_ORIGIN_FOREIGN},
	    {"", "192.168.1.2", "http://192.168.1.2", NO, HTTP_ORIGIN_GOOD},
	    {"", "192.168.1.2:80", "http://192.168.1.2", NO, HTTP_ORIGIN_GOOD},
	    {"", "192.168.1.2:443", "http://192.168.1.2", NO,
		HTTP_ORIGIN_FOREIGN},
	    {"", "[fd00::2]:8000", "http://[FD00:0::2]:8000", NO,
		HTTP_ORIGIN_GOOD},
	    {"", "agent.example", "https://agent.example:8443", YES,
		HTTP_ORIGIN_GOOD /* a proxy dropped the port */},
	    {"", "agent.example", "ftp://agent.example", YES,
		HTTP_ORIGIN_FOREIGN},
	    {"", "agent.example", "http://192.168.1.3:8000", NO,
		HTTP_ORIGIN_FOREIGN},
	    /* Pages of this machine. */
	    {PRESET, "localhost:8000", "http://127.0.0.1:3000", YES,
		HTTP_ORIGIN_GOOD},
	    {PRESET, "192.168.1.2:8000", "http://localhost:3000", CROSS,
		HTTP_ORIGIN_GOOD},
	    {PRESET, "localhost:8000", "https://app.localhost", YES,
		HTTP_ORIGIN_GOOD},
	    {PRESET, "localhost:8000", "http://[::1]:3000", YES,
		HTTP_ORIGIN_GOOD},
	    {PRESET, "localhost:8000", "file://localhost", YES,
		HTTP_ORIGIN_FOREIGN},
	    {"https://chat.openonion.ai", "localhost:8000",
		"http://localhost:3000", YES, HTTP_ORIGIN_FOREIGN},
	    /* Pages that are allowed. */
	    {PRESET, "localhost:8000", "https://chat.openonion.ai", CROSS,
		HTTP_ORIGIN_GOOD},
	    {PRESET, "localhost:8000", "https://CHAT.openonion.ai:443", CROSS,
		HTTP_ORIGIN_GOOD},
	    {PRESET, "localhost:8000", "http://chat.openonion.ai", CROSS,
		HTTP_ORIGIN_FOREIGN},
	    {PRESET, "localhost:8000", "https://chat.openonion.ai:8443", CROSS,
		HTTP_ORIGIN_FOREIGN},
	    {PRESET, "localhost:8000", "https://chat.openonion.ai.evil.test",
		CROSS, HTTP_ORIGIN_FOREIGN},
	    {PRESET, "localhost:8000", "https://evil.test/chat.openonion.ai",
		CROSS, HTTP_ORIGIN_FOREIGN},
	    {PRESET, "localhost:8000", "https://chat.openonion.ai@evil.test",
		CROSS, HTTP_ORIGIN_FOREIGN},
	    {"https://*.example", "localhost", "https://a.b.example", CROSS,
		HTTP_ORIGIN_GOOD},
	    {"https://*.example", "localhost", "https://example", CROSS,
		HTTP_ORIGIN_FOREIGN},
	    {"https://*.example:8443", "localhost", "https://a.example:8443",
		CROSS, HTTP_ORIGIN_GOOD},
	    {"chrome-extension://abc", "localhost", "chrome-extension://abc",
		CROSS, HTTP_ORIGIN_GOOD},
	    {"chrome-extension://abc", "localhost", "chrome-extension://abd",
		CROSS, HTTP_ORIGIN_FOREIGN},
	    /* Pages that are not. */
	    {PRESET, "localhost:8000", "https://evil.test", CROSS,
		HTTP_ORIGIN_FOREIGN},
	    {PRESET, "localhost:8000", "https://evil.test", NO,
		HTTP_ORIGIN_FOREIGN},
	    {PRESET, "localhost:8000", "null", NO, HTTP_ORIGIN_FOREIGN},
	    {PRESET, "localhost:8000", "", NO, HTTP_ORIGIN_FOREIGN},
	    {PRESET, "localhost:8000",
		"http://localhost:8000, https://evil.test", NO,
		HTTP_ORIGIN_FOREIGN},
	    {PRESET, "localhost:8000", NULL, CROSS, HTTP_ORIGIN_CROSS_SITE},
	    {PRESET, NULL, "https://evil.test", NO, HTTP_ORIGIN_FOREIGN},
	    /* DNS rebinding: a page that made us its own origin. */
	    {PRESET, "evil.test:8000", "http://evil.test:8000", NO,
		HTTP_ORIGIN_HOST},
	    {PRESET, "evil.test:8000", NULL, YES, HTTP_ORIGIN_HOST},
	    {PRESET, "evil.test:8000", "https://chat.openonion.ai", CROSS,
		HTTP_ORIGIN_HOST},
	    {PRESET, "agent.example:8000", "http://agent.example:8000", NO,
		HTTP_ORIGIN_GOOD},
	    /* As it was. */
	    {"*", "localhost", "https://evil.test", CROSS, HTTP_ORIGIN_GOOD},
	    {"*", "evil.test", "https://evil.test", YES, HTTP_ORIGIN_GOOD},
	    {"loopback,*", "localhost", "null", CROSS, HTTP_ORIGIN_GOOD},
	    {"*", "localhost", NULL, CROSS, HTTP_ORIGIN_GOOD},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct http_origin_rules rules = {
		    .origins = cases[i].origins,
		    .hosts = "agent.example",
		    .own = "",
		};
		const char *host = cases[i].host, *origin = cases[i].origin;
		struct http_page page = {
		    .origin = origin,
		    .origin_len = origin ? strlen(origin) : 0,
		    .host = host,
		    .host_len = host ? strlen(host) : 0,
		    .is_near = true,
		    .is_page = cases[i].fetch != NO,
		    .is_cross_site = cases[i].fetch == CROSS,
		};
		ok(http_origin_judge(&rules, &page) == cases[i].verdict,
		    "Origin %s%s to Host %s with \"%s\" is %s",
		    origin ? origin : "(none)",
		    cases[i].fetch == CROSS ? ", cross-site" : "",
		    host ? host : "(none)", cases[i].origins,
		    words[cases[i].verdict]);
		page.is_near = false;
		ok(http_origin_judge(&rules, &page) == HTTP_ORIGIN_GOOD,
		    "Origin %s is good from a public address",
		    origin ? origin : "(none)");
	}
}

static void test_listed(void)
{
	static const struct {
		const char *origins;
		const char *origin;
		bool is_listed;
	} cases[] = {
	    {PRESET, "https://chat.openonion.ai", true},
	    {PRESET, "http://localhost:3000", true},
	    {PRESET, "https://evil.test", false},
	    {PRESET, "null", false},
	    {"*", "https://evil.test", false},
	    {"*, https://app.example", "https://app.example", true},
	    {"", "https://app.example", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct http_origin_rules rules = {
		    .origins = cases[i].origins, .hosts = "", .own = ""};
		ok(http_origin_is_listed(&rules, cases[i].origin,
		       strlen(cases[i].origin)) == cases[i].is_listed,
		    "Origin %s is %slisted in \"%s\"", cases[i].origin,
		    cases[i].is_listed ? "" : "not ", cases[i].origins);
	}
}

int main(void)
{
	test_listed();
	test_lists();
	test_hosts();
	test_judge();
	return done();
}
