/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/http_proxy.h"

#include "base/ip.h"
#include "base/span.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* The longest list entry that can still be an address. */
#define ENTRY_BYTES 64

/* Turn an IPv4-mapped address (::ffff:a.b.c.d) into the IPv4 address. */
static void unmap(struct http_addr *a)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
	if (a->family != AF_INET6 || memcmp(a->bytes, prefix, 12) != 0)
		return;
	memmove(a->bytes, a->bytes + 12, 4);
	memset(a->bytes + 4, 0, 12);
	a->family = AF_INET;
}

bool http_addr_parse(struct http_addr *a, const char *text)
{
	memset(a, 0, sizeof *a);
	if (inet_pton(AF_INET, text, a->bytes) == 1) {
		a->family = AF_INET;
		return true;
	}
	if (inet_pton(AF_INET6, text, a->bytes) != 1)
		return false;
	a->family = AF_INET6;
	unmap(a);
	return true;
}

/*
 * Read one hop of X-Forwarded-For: an address, optionally quoted, in brackets
 * or with a port. Anything else ("unknown", an obfuscated name) is AF_UNSPEC.
 */
static struct http_addr parse_hop(struct span hop)
{
	struct http_addr a = {.family = AF_UNSPEC};
	char text[ENTRY_BYTES];
	hop = span_trim(hop);
	if (hop.len >= 2 && hop.text[0] == '"' &&
	    hop.text[hop.len - 1] == '"') {
		hop.text++;
		hop.len -= 2;
	}
	if (!hop.len || hop.len >= sizeof text)
		return a;
	memcpy(text, hop.text, hop.len);
	text[hop.len] = '\0';
	char *host = text;
	char *colon = strchr(text, ':');
	if (text[0] == '[') {
		char *close = strchr(text, ']');
		if (!close)
			return a;
		*close = '\0';
		host = text + 1;
	} else if (colon && !strchr(colon + 1, ':')) {
		*colon = '\0'; /* a single colon: a port after IPv4 */
	}
	if (!http_addr_parse(&a, host))
		a.family = AF_UNSPEC;
	return a;
}

static bool has_prefix(
    const struct http_addr *a, const struct http_addr *net, unsigned bits)
{
	if (a->family != net->family)
		return false;
	unsigned whole = bits / 8;
	if (memcmp(a->bytes, net->bytes, whole) != 0)
		return false;
	unsigned rest = bits % 8;
	if (!rest)
		return true;
	unsigned mask = 0xffu & (0xffu << (8 - rest));
	return ((a->bytes[whole] ^ net->bytes[whole]) & mask) == 0;
}

bool http_proxy_is_trusted(
    const struct http_proxy_set *set, const struct http_addr *a)
{
	if (a->family == AF_UNIX)
		return set->trusts_unix;
	for (size_t i = 0; i < set->n_nets; i++) {
		if (has_prefix(a, &set->nets[i].addr, set->nets[i].bits))
			return true;
	}
	return false;
}

/* Addresses of socket files and unknown addresses have no reach. */
static enum ip_class class_of(const struct http_addr *a)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (a->family == AF_INET) {
		memcpy(&v4, a->bytes, sizeof v4);
		return ip_class_v4(&v4);
	}
	if (a->family != AF_INET6)
		return IP_PRIVATE;
	memcpy(&v6, a->bytes, sizeof v6);
	return ip_class_v6(&v6);
}

bool http_addr_is_loopback(const struct http_addr *a)
{
	return class_of(a) == IP_LOOPBACK;
}

static void write_text(char *out, const struct http_addr *a)
{
	if (a->family == AF_UNIX)
		snprintf(out, HTTP_ADDR_TEXT, "unix");
	else if (a->family == AF_UNSPEC ||
		 !inet_ntop(a->family, a->bytes, out, HTTP_ADDR_TEXT))
		snprintf(out, HTTP_ADDR_TEXT, "unknown");
}

/* Follow the chain from the right for as long as hops are trusted. */
static struct http_addr http_proxy_walk(const struct http_proxy_set *set,
    const struct http_addr *direct, const char *chain, size_t len)
{
	struct http_addr at = *direct;
	while (len && http_proxy_is_trusted(set, &at)) {
		size_t from = len;
		while (from && chain[from - 1] != ',')
			from--;
		at = parse_hop((struct span){chain + from, len - from});
		len = from ? from - 1 : 0;
	}
	return at;
}

/* Read one entry of trusted_proxies. Returns what is wrong with it, or NULL. */
static const char *parse_entry(struct http_proxy_set *set, struct span entry)
{
	char text[ENTRY_BYTES];
	if (!entry.len || entry.len >= sizeof text)
		return "an entry is empty or too long";
	memcpy(text, entry.text, entry.len);
	text[entry.len] = '\0';
	if (strcmp(text, "unix:") == 0) {
		set->trusts_unix = true;
		return NULL;
	}
	if (set->n_nets == HTTP_PROXY_MAX)
		return "there are more than 64 entries";
	char *slash = strchr(text, '/');
	if (slash)
		*slash++ = '\0';
	struct http_addr a;
	if (!http_addr_parse(&a, text))
		return "an entry is neither an address nor \"unix:\"";
	unsigned most = a.family == AF_INET ? 32 : 128;
	unsigned bits = most;
	if (slash) {
		size_t digits = strspn(slash, "0123456789");
		if (!digits || digits > 3 || slash[digits] ||
		    sscanf(slash, "%3u", &bits) != 1 || bits > most)
			return "a prefix length is out of range";
	}
	set->nets[set->n_nets].addr = a;
	set->nets[set->n_nets++].bits = bits;
	return NULL;
}

bool http_proxy_parse(
    struct http_proxy_set *set, const char *text, const char **why)
{
	memset(set, 0, sizeof *set);
	const char *end = text + strlen(text);
	while (text < end) {
		struct span entry = {text, strcspn(text, ",")};
		text += entry.len + 1;
		entry = span_trim(entry);
		if (!entry.len && text > end && !set->n_nets &&
		    !set->trusts_unix)
			return true; /* only spaces */
		*why = parse_entry(set, entry);
		if (*why)
			return false;
	}
	return true;
}

struct http_addr http_proxy_addr(const struct sockaddr *sa)
{
	struct http_addr a = {.family = sa->sa_family};
	const void *p = sa;
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = p;
		memcpy(a.bytes, &in->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = p;
		memcpy(a.bytes, &in6->sin6_addr, 16);
		unmap(&a);
	} else if (sa->sa_family != AF_UNIX) {
		a.family = AF_UNSPEC;
	}
	return a;
}

void http_proxy_client(struct http_client *client,
    const struct http_proxy_set *set, const struct http_addr *direct,
    const struct http_forwarded *forwarded)
{
	bool is_forwarded = forwarded->chain || forwarded->has_other;
	struct http_addr at = *direct;
	if (forwarded->chain)
		at = http_proxy_walk(
		    set, direct, forwarded->chain, forwarded->chain_len);
	write_text(client->text, &at);
	client->is_vague = is_forwarded && !http_proxy_is_trusted(set, direct);
	client->is_near = class_of(&at) != IP_PUBLIC;
	/*
	 * Behind a proxy no client is local, whatever the proxy says about it.
	 */
	client->is_loopback = !is_forwarded && http_addr_is_loopback(&at);
}
