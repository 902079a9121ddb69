/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_HTTP_ORIGIN_H
#define NET_HTTP_ORIGIN_H

/*
 * Private to net/: whether the web page that made a request may use us.
 *
 * A browser lends every page its place in the network: a page from anywhere can
 * ask a server on the visitor's machine or in his house, which outsiders cannot
 * reach. So this is about near clients alone (http_client.is_near). From them,
 * a page must have an origin that is ours or allowed, and must have reached us
 * by a name of ours: a foreign name that leads here is how a page makes us its
 * own origin (DNS rebinding). Who sends neither Origin nor Sec-Fetch-* is no
 * page, and is not judged. Everything here is pure: no I/O, no state.
 */
#include <stdbool.h>
#include <stddef.h>

/* Lists, separated by commas, that http_origins_are_valid and so on passed. */
struct http_origin_rules {
	const char *origins; /* "loopback", "https://chat.example", "*" */
	const char *hosts;   /* "agent.example", "*.example", "*" */
	const char *own;     /* names of this machine, as hosts */
};

/* What a request says of itself; texts are not NUL-terminated. */
struct http_page {
	const char *origin; /* NULL: no such header */
	size_t origin_len;
	const char *host; /* NULL: no such header */
	size_t host_len;
	bool is_near;
	/*
	 * It has a Sec-Fetch-* header. Sec-Fetch-Mode does not count, for
	 * fetch() of Node sends it alone, and browsers never do.
	 */
	bool is_page;
	bool is_cross_site; /* Sec-Fetch-Site says so */
};

enum http_origin_verdict {
	HTTP_ORIGIN_GOOD,
	HTTP_ORIGIN_FOREIGN,	/* Origin is not ours and not allowed */
	HTTP_ORIGIN_CROSS_SITE, /* no Origin, but another site asked */
	HTTP_ORIGIN_HOST,	/* a page by a name that is not ours */
};

/* What to think of a request. */
enum http_origin_verdict http_origin_judge(
    const struct http_origin_rules *rules, const struct http_page *page);

/*
 * Whether a Host (perhaps with a port) is a name of ours: a loopback name, an
 * address, one of this machine, or allowed. So is none at all (NULL).
 */
bool http_origin_host_is_ours(
    const struct http_origin_rules *rules, const char *host, size_t len);

/* Whether any page may come. */
bool http_origin_is_any(const struct http_origin_rules *rules);

#endif
