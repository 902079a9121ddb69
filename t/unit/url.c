/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* URLs of servers, and the many forms in which people name a relay. */
#include "base/url.h"

#include "base/buf.h"
#include "t/unit/tap.h"

#include <string.h>

/* What a URL consists of, in one line. */
static const char *parts_of(const char *text)
{
	static struct buf out;
	struct url u;
	const char *why;

	buf_reset(&out);
	if (url_parse(&u, text, &why) != 0) {
		buf_str(&out, why);
		return buf_cstr(&out);
	}
	buf_printf(&out, "%s %s %u %s", u.is_secure ? "tls" : "clear", u.host,
	    u.port, u.target);
	if (u.user)
		buf_printf(&out, " %s", u.user);
	url_fini(&u);
	return buf_cstr(&out);
}

static void test_parts(void)
{
	static const struct {
		const char *text;
		const char *parts;
	} cases[] = {
	    {"wss://relay.example", "tls relay.example 443 /"},
	    {"ws://relay.example/ws", "clear relay.example 80 /ws"},
	    {"WSS://Relay.Example:8443/a/b?c=d#e",
		"tls relay.example 8443 /a/b?c=d"},
	    {"ws://h?x=/y", "clear h 80 /?x=/y"},
	    {"http://127.0.0.1:8000/", "clear 127.0.0.1 8000 /"},
	    {"https://h:", "tls h 443 /"},
	    {"ws://[2001:DB8::1]:80/x", "clear 2001:db8::1 80 /x"},
	    {"ws://[::1]", "clear ::1 80 /"},
	    {"http://me:p%40ss@proxy:3128", "clear proxy 3128 / me:p@ss"},
	    {"ws://a@b@c", "has a host with a character that none has"},
	    {"relay.example",
		"does not begin with wss://, ws://, https:// or http://"},
	    {"wss://", "has no host"},
	    {"wss:///ws", "has no host"},
	    {"wss://:443", "has no host"},
	    {"wss://h:0", "has a port that is not 1 to 65535"},
	    {"wss://h:65536", "has a port that is not 1 to 65535"},
	    {"wss://h:4x", "has a port that is not 1 to 65535"},
	    {"wss://h:-1", "has a port that is not 1 to 65535"},
	    {"wss://[::1", "has a \"[\" without \"]\""},
	    {"wss://[h]", "has no IPv6 address between \"[\" and \"]\""},
	    {"wss://[::1]8", "has something other than a port after \"]\""},
	    {"wss://h/a b", "has a character that must be escaped"},
	    {"wss://h\r\nx", "has a character that must be escaped"},
	    {"wss://h\xc3\xa9", "has a character that must be escaped"},
	    {"wss://a\"b", "has a host with a character that none has"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		is_str(parts_of(cases[i].text), cases[i].parts,
		    "case %zu of URLs has its parts, or is refused", i);
}

static void test_long(void)
{
	struct buf text = {0};

	buf_str(&text, "ws://h/");
	for (int i = 0; i < URL_MAX_BYTES; i++)
		buf_char(&text, 'x');
	is_str(parts_of(buf_cstr(&text)), "is longer than 4096 bytes",
	    "a URL has a limit");
	buf_fini(&text);
}

static void test_host(void)
{
	static const struct {
		const char *text;
		bool with_port;
		const char *host;
		bool is_loopback;
	} cases[] = {
	    {"ws://h", false, "h", false},
	    {"ws://h", true, "h:80", false},
	    {"wss://h:443", false, "h", false},
	    {"wss://h:80", false, "h:80", false},
	    {"ws://[::1]", true, "[::1]:80", true},
	    {"ws://LocalHost:1", false, "localhost:1", true},
	    {"ws://127.1.2.3", false, "127.1.2.3", true},
	    {"ws://128.0.0.1", false, "128.0.0.1", false},
	    {"ws://127.example", false, "127.example", false},
	};
	struct buf out = {0};
	struct url u;
	const char *why;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		(void)url_parse(&u, cases[i].text, &why);
		struct url copy = url_copy(&u);
		url_fini(&u);
		buf_reset(&out);
		url_put_host(&out, &copy, cases[i].with_port);
		is_str(buf_cstr(&out), cases[i].host,
		    "the Host of %s has brackets and a port where needed",
		    cases[i].text);
		is_int(url_is_loopback(&copy), cases[i].is_loopback,
		    "%s is on this machine, or not", cases[i].text);
		url_fini(&copy);
	}
	buf_fini(&out);
}

static void test_relay(void)
{
	static const struct {
		const char *text;
		const char *base;
	} cases[] = {
	    {"wss://oo.openonion.ai", "wss://oo.openonion.ai"},
	    {"wss://oo.openonion.ai/ws/announce", "wss://oo.openonion.ai"},
	    {"wss://r/ws/announce/ws/announce/", "wss://r"},
	    {"ws://r:1/ws", "ws://r:1"},
	    {"http://r:1", "ws://r:1"},
	    {"https://r/base//", "wss://r/base"},
	    {"https://r/base/ws", "wss://r/base"},
	    {"wss://ws", "wss://ws"},
	    {"wss:///ws", NULL},
	    {"wss://r?x", NULL},
	    {"wss://r#x", NULL},
	    {"wss://me:secret@r", NULL},
	    {"r", NULL},
	    {"", NULL},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *base = url_relay(cases[i].text);
		is_str(base, cases[i].base,
		    "the relay \"%s\" has its base, or is none", cases[i].text);
		free(base);
	}
}

int main(void)
{
	test_parts();
	test_long();
	test_host();
	test_relay();
	return done();
}
