/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/http_proxy.h"
#include "t/unit/tap.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

static struct http_addr addr_of(const char *text)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	} sa;
	memset(&sa, 0, sizeof(sa));
	if (strcmp(text, "unix") == 0)
		sa.un.sun_family = AF_UNIX;
	else if (inet_pton(AF_INET, text, &sa.in.sin_addr) == 1)
		sa.in.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &sa.in6.sin6_addr) == 1)
		sa.in6.sin6_family = AF_INET6;
	return http_proxy_addr(&sa.any);
}

static void test_parse(void)
{
	static const struct {
		const char *text;
		bool is_good;
	} cases[] = {
	    {"", true},
	    {"  ", true},
	    {"10.0.0.0/8", true},
	    {" 10.0.0.1 ,\t::1/128, unix: ", true},
	    {"0.0.0.0/0, ::/0", true},
	    {"10.0.0.0/33", false},
	    {"::1/129", false},
	    {"10.0.0.0/", false},
	    {"10.0.0.0/8x", false},
	    {"10.0.0.0/-1", false},
	    {"10.0.0.0/0008", false},
	    {"10.0.0", false},
	    {"localhost", false},
	    {"10.0.0.1,,10.0.0.2", false},
	    {"unix", false},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	     "aaaaaaaaaaaa",
		false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_proxy_set set;
		const char *why = NULL;
		bool is_good = http_proxy_parse(&set, cases[i].text, &why);
		ok(is_good == cases[i].is_good && !why == is_good,
		    "\"%s\" is %s", cases[i].text,
		    cases[i].is_good ? "good" : "refused with a reason");
	}
	char many[65 * 10 + 1] = "";
	for (int i = 0; i < 65; i++)
		strcat(many, i ? ",10.0.0.1" : "10.0.0.1");
	struct http_proxy_set set;
	const char *why = NULL;
	ok(!http_proxy_parse(&set, many, &why) && why,
	    "more entries than there is room for are refused");
}

static void test_client(void)
{
	static const struct {
		const char *name;
		const char *trusted;
		const char *direct;
		const char *chain;
		bool has_other;
		const char *text;
		bool is_loopback;
	} cases[] = {
	    {"a client without proxies", "", "192.0.2.1", NULL, false,
		"192.0.2.1", false},
	    {"a local client", "", "127.0.0.1", NULL, false, "127.0.0.1", true},
	    {"all of 127/8", "", "127.9.9.9", NULL, false, "127.9.9.9", true},
	    {"a local client over IPv6", "", "::1", NULL, false, "::1", true},
	    {"IPv4 inside IPv6", "", "::ffff:127.0.0.1", NULL, false,
		"127.0.0.1", true},
	    {"a header from nobody we trust", "10.0.0.0/8", "192.0.2.1",
		"127.0.0.1", false, "192.0.2.1", false},
	    {"a local proxy that is not trusted", "", "127.0.0.1",
		"198.51.100.7", false, "127.0.0.1", false},
	    {"a local proxy that says 127.0.0.1, not trusted", "", "127.0.0.1",
		"127.0.0.1", false, "127.0.0.1", false},
	    {"a trusted proxy", "127.0.0.1", "127.0.0.1", "198.51.100.7", false,
		"198.51.100.7", false},
	    {"a local client of a trusted proxy", "127.0.0.1", "127.0.0.1",
		"127.0.0.1", false, "127.0.0.1", false},
	    {"a forged hop before the real one", "127.0.0.1", "127.0.0.1",
		"127.0.0.1, 198.51.100.7", false, "198.51.100.7", false},
	    {"two trusted proxies", "127.0.0.1, 10.0.0.0/8", "127.0.0.1",
		"6.6.6.6, 198.51.100.7, 10.1.2.3", false, "198.51.100.7",
		false},
	    {"a chain of trusted proxies only", "127.0.0.1, 10.0.0.0/8",
		"127.0.0.1", "10.1.1.1,10.2.2.2", false, "10.1.1.1", false},
	    {"a hop with a port", "127.0.0.1", "127.0.0.1", "192.0.2.9:4711",
		false, "192.0.2.9", false},
	    {"a quoted IPv6 hop with a port", "127.0.0.1", "127.0.0.1",
		"\"[2001:db8::1]:80\"", false, "2001:db8::1", false},
	    {"a hop without an address", "127.0.0.1", "127.0.0.1",
		"127.0.0.1, unknown", false, "unknown", false},
	    {"an empty hop", "127.0.0.1", "127.0.0.1", "127.0.0.1,", false,
		"unknown", false},
	    {"an empty chain", "127.0.0.1", "127.0.0.1", "", false, "127.0.0.1",
		false},
	    {"a Forwarded header, which is not read", "127.0.0.1", "127.0.0.1",
		NULL, true, "127.0.0.1", false},
	    {"both headers from a trusted proxy", "127.0.0.1", "127.0.0.1",
		"127.0.0.1", true, "127.0.0.1", false},
	    {"a Unix socket", "", "unix", NULL, false, "unix", false},
	    {"a Unix socket that is not trusted", "", "unix", "127.0.0.1",
		false, "unix", false},
	    {"a proxy on a Unix socket", "unix:", "unix", "198.51.100.7", false,
		"198.51.100.7", false},
	    {"a network whose prefix ends inside a byte", "172.16.0.0/12",
		"172.31.255.255", "9.9.9.9", false, "9.9.9.9", false},
	    {"the address after that network", "172.16.0.0/12", "172.32.0.0",
		"9.9.9.9", false, "172.32.0.0", false},
	    {"an IPv6 network", "2001:db8::/33", "2001:db8:7fff::1", "9.9.9.9",
		false, "9.9.9.9", false},
	    {"the half after that network", "2001:db8::/33", "2001:db8:8000::1",
		"9.9.9.9", false, "2001:db8:8000::1", false},
	    {"a peer that has no address any more", "0.0.0.0/0", "?", NULL,
		false, "unknown", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_proxy_set set;
		const char *why = NULL;
		bool is_good = http_proxy_parse(&set, cases[i].trusted, &why);
		struct http_addr direct = addr_of(cases[i].direct);
		const char *chain = cases[i].chain;
		struct http_forwarded forwarded = {
		    .chain = chain,
		    .chain_len = chain ? strlen(chain) : 0,
		    .has_other = cases[i].has_other,
		};
		struct http_client client;
		http_proxy_client(&client, &set, &direct, &forwarded);
		ok(is_good && strcmp(client.text, cases[i].text) == 0 &&
			client.is_loopback == cases[i].is_loopback,
		    "%s is %s%s", cases[i].name, cases[i].text,
		    cases[i].is_loopback ? ", local" : "");
	}
}

static void test_near(void)
{
	static const struct {
		const char *direct;
		const char *chain;
		bool is_near;
		bool is_vague;
	} cases[] = {
	    {"127.0.0.1", NULL, true, false},
	    {"127.255.0.1", NULL, true, false},
	    {"::1", NULL, true, false},
	    {"::ffff:10.0.0.1", NULL, true, false},
	    {"10.255.255.255", NULL, true, false},
	    {"172.16.0.1", NULL, true, false},
	    {"172.31.255.255", NULL, true, false},
	    {"172.32.0.0", NULL, false, false},
	    {"192.168.77.1", NULL, true, false},
	    {"192.169.0.1", NULL, false, false},
	    {"169.254.9.9", NULL, true, false},
	    {"100.64.0.1", NULL, true, false},
	    {"100.128.0.1", NULL, false, false},
	    {"8.8.8.8", NULL, false, false},
	    {"fd00::1", NULL, true, false},
	    {"fe80::1", NULL, true, false},
	    {"2001:db8::1", NULL, false, false},
	    {"::2", NULL, false, false},
	    {"unix", NULL, true, false},
	    {"?", NULL, true, false},
	    {"10.0.0.1", "8.8.8.8", false, false},
	    {"10.0.0.1", "192.168.0.5", true, false},
	    {"10.0.0.1", "unknown", true, false},
	    {"127.0.0.1", "8.8.8.8", true, true},
	    {"8.8.8.8", "10.0.0.1", false, true},
	};
	struct http_proxy_set set;
	const char *why = NULL;
	bool is_good = http_proxy_parse(&set, "10.0.0.1", &why);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_addr direct = addr_of(cases[i].direct);
		const char *chain = cases[i].chain;
		struct http_forwarded forwarded = {
		    .chain = chain,
		    .chain_len = chain ? strlen(chain) : 0,
		};
		struct http_client client;
		http_proxy_client(&client, &set, &direct, &forwarded);
		ok(is_good && client.is_near == cases[i].is_near &&
			client.is_vague == cases[i].is_vague,
		    "%s%s%s is %s%s", cases[i].direct, chain ? " for " : "",
		    chain ? chain : "", cases[i].is_near ? "near" : "far",
		    cases[i].is_vague ? ", by a proxy that is not trusted"
				      : "");
	}
}

int main(void)
{
	test_parse();
	test_client();
	test_near();
	return done();
}
