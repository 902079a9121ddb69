/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_HTTP_ORIGIN_H
#define NET_HTTP_ORIGIN_H

/*
 * Private to net/: whether the web page that made a request may use us.
 *
 * A browser lends every page its place in the network: a page from anywhere can
 * send requests to a server on the visitor's machine or local network, which
 * outsiders cannot reach. So this concerns only near clients
 * (http_client.is_near). For them, a page must have an origin that is ours or
 * allowed, and must have reached us by one of our names: with a foreign name
 * that resolves to us, a page makes us its own origin (DNS rebinding). A
 * request with neither Origin nor Sec-Fetch-* was not made by a page and is not
 * judged. Everything here is pure: no I/O, no state.
 */
#include <stdbool.h>
#include <stddef.h>

/* Comma-separated lists that http_origins_are_valid() has accepted. */
struct http_origin_rules {
	const char *origins; /* "loopback", "https://chat.example", "*" */
	const char *hosts;   /* "agent.example", "*.example", "*" */
	const char *own;     /* names of this machine, as in hosts */
};

/* What a request says about itself; texts are not NUL-terminated. */
struct http_page {
	const char *origin; /* NULL: no such header */
	size_t origin_len;
	const char *host; /* NULL: no such header */
	size_t host_len;
	bool is_near;
	/*
	 * It has a Sec-Fetch-* header. Sec-Fetch-Mode alone does not count:
	 * fetch() of Node sends only that, and browsers never do.
	 */
	bool is_page;
	bool is_cross_site; /* according to Sec-Fetch-Site */
};

enum http_origin_verdict {
	HTTP_ORIGIN_GOOD,
	HTTP_ORIGIN_FOREIGN,	/* Origin is neither ours nor allowed */
	HTTP_ORIGIN_CROSS_SITE, /* no Origin, but from another site */
	HTTP_ORIGIN_HOST,	/* a page by a name that is not ours */
};

/* Returns the verdict on a request. */
enum http_origin_verdict http_origin_judge(
    const struct http_origin_rules *rules, const struct http_page *page);

/*
 * Whether a Host (with or without a port) is one of our names: a loopback name,
 * an address, a name of this machine, or an allowed one. NULL (no Host) counts
 * as ours.
 */
bool http_origin_host_is_ours(
    const struct http_origin_rules *rules, const char *host, size_t len);

/* Whether an origin is one of rules->origins, which name more than "*". */
bool http_origin_is_listed(
    const struct http_origin_rules *rules, const char *origin, size_t len);

/* Whether pages of all origins are allowed. */
bool http_origin_is_any(const struct http_origin_rules *rules);

#endif
