/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/http_origin.h"

#include "net/http.h"
#include "net/http_proxy.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* The longest DNS name, with its NUL. */
#define NAME_BYTES 256

/* A host as it stands in Host or in a URL. */
struct host {
	char name[NAME_BYTES]; /* lower case, without a trailing dot */
	struct http_addr addr; /* AF_UNSPEC: a name */
	unsigned port;	       /* 0: none given */
	bool is_every_below;   /* "*.name", in a list */
};

struct origin {
	const char *scheme;
	size_t scheme_len;
	struct host host;
};

/* ---- reading hosts and origins ---- */

static bool http_origin_is_one_of(char c, const char *others)
{
	return isalnum((unsigned char)c) || (c && strchr(others, c));
}

static bool read_port(unsigned *port, const char *p, size_t len)
{
	if (!len || len > 5)
		return false;
	for (*port = 0; len; len--, p++) {
		if (*p < '0' || *p > '9')
			return false;
		*port = *port * 10 + (unsigned)(*p - '0');
	}
	return *port > 0 && *port < 65536;
}

/* Read a name without a port, in lower case and without a trailing dot. */
static bool http_origin_read_name(struct host *h, const char *p, size_t len)
{
	if (len && p[len - 1] == '.')
		len--;
	if (!len || len >= NAME_BYTES)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = p[i];
		if (!http_origin_is_one_of(c, "-._:") &&
		    (unsigned char)c < 0x80)
			return false;
		h->name[i] = (char)tolower((unsigned char)c);
	}
	h->name[len] = '\0';
	if (!http_addr_parse(&h->addr, h->name))
		h->addr.family = AF_UNSPEC;
	return true;
}

/* Read NAME, ADDRESS or [ADDRESS], optionally with a port. */
static bool read_host(struct host *h, const char *p, size_t len)
{
	const char *end = p + len;
	memset(h, 0, sizeof *h);
	const char *close = len && *p == '[' ? memchr(p, ']', len) : NULL;
	const char *colon;
	if (close) {
		colon = close + 1;
		if (!http_origin_read_name(h, p + 1, (size_t)(close - p - 1)) ||
		    h->addr.family == AF_UNSPEC)
			return false;
	} else {
		colon = memchr(p, ':', len);
		colon = colon ? colon : end;
		if (!http_origin_read_name(h, p, (size_t)(colon - p)))
			return false;
	}
	if (colon == end)
		return true;
	return *colon == ':' &&
	       read_port(&h->port, colon + 1, (size_t)(end - colon - 1));
}

/* Read SCHEME://HOST; some clients that are not browsers append a slash. */
static bool read_origin(struct origin *o, const char *p, size_t len)
{
	const char *sep = memmem(p, len, "://", 3);
	if (!sep || sep == p)
		return false;
	*o = (struct origin){.scheme = p, .scheme_len = (size_t)(sep - p)};
	for (size_t i = 0; i < o->scheme_len; i++) {
		if (!http_origin_is_one_of(p[i], "+-."))
			return false;
	}
	len -= o->scheme_len + 3;
	if (len && sep[3 + len - 1] == '/')
		len--;
	return read_host(&o->host, sep + 3, len);
}

static bool has_scheme(const struct origin *o, const char *scheme)
{
	return strlen(scheme) == o->scheme_len &&
	       strncasecmp(o->scheme, scheme, o->scheme_len) == 0;
}

static unsigned port_of(const struct origin *o)
{
	if (o->host.port)
		return o->host.port;
	return has_scheme(o, "https") ? 443 : has_scheme(o, "http") ? 80 : 0;
}

/* ---- comparing them ---- */

static bool is_loopback(const struct host *h)
{
	static const char below[] = ".localhost";
	size_t len = strlen(h->name), n = sizeof below - 1;
	if (h->addr.family != AF_UNSPEC)
		return http_addr_is_loopback(&h->addr);
	return strcmp(h->name, below + 1) == 0 ||
	       (len > n && strcmp(h->name + len - n, below) == 0);
}

/* Whether h is the host of a list entry or below it, regardless of ports. */
static bool is_host(const struct host *h, const struct host *listed)
{
	size_t len = strlen(h->name), n = strlen(listed->name);
	if (h->addr.family != listed->addr.family)
		return false;
	if (h->addr.family != AF_UNSPEC)
		return memcmp(&h->addr, &listed->addr, sizeof h->addr) == 0;
	if (listed->is_every_below)
		return len > n + 1 && h->name[len - n - 1] == '.' &&
		       strcmp(h->name + len - n, listed->name) == 0;
	return strcmp(h->name, listed->name) == 0;
}

/*
 * Whether a page of this origin came from this Host. A proxy may have dropped
 * the port from Host, but none adds a wrong one.
 */
static bool is_own(const struct origin *o, const struct host *host)
{
	if (!has_scheme(o, "http") && !has_scheme(o, "https"))
		return false;
	return is_host(&o->host, host) &&
	       (!host->port || host->port == port_of(o));
}

/* ---- lists ---- */

/* Take the next entry of a list, trimmed; returns false at the end. */
static bool next_entry(const char **at, const char **p, size_t *len)
{
	if (!*at)
		return false;
	*p = *at + strspn(*at, " \t");
	*len = strcspn(*p, ",");
	*at = (*p)[*len] ? *p + *len + 1 : NULL;
	while (*len && strchr(" \t", (*p)[*len - 1]))
		(*len)--;
	return true;
}

static bool is_word(const char *p, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(p, word, len) == 0;
}

/* Read a host in a list, with or without "*." in front. */
static bool read_listed_host(struct host *h, const char *p, size_t len)
{
	bool is_every_below = len > 2 && memcmp(p, "*.", 2) == 0;
	size_t skip = is_every_below ? 2 : 0;
	if (!read_host(h, p + skip, len - skip))
		return false;
	h->is_every_below = is_every_below;
	return true;
}

/* Read an origin in a list; the star is removed before parsing. */
static bool read_listed_origin(struct origin *o, const char *p, size_t len)
{
	const char *sep = memmem(p, len, "://", 3);
	size_t head = sep ? (size_t)(sep + 3 - p) : 0;
	if (!sep || len - head < 3 || memcmp(sep + 3, "*.", 2) != 0)
		return read_origin(o, p, len);
	char text[NAME_BYTES * 2];
	if (len >= sizeof text)
		return false;
	memcpy(text, p, head);
	memcpy(text + head, p + head + 2, len - head - 2);
	bool is_good = read_origin(o, text, len - 2);
	o->scheme = p;
	o->host.is_every_below = true;
	return is_good;
}

static bool is_in_hosts(const char *list, const struct host *h)
{
	const char *p;
	size_t len;
	struct host listed;
	while (next_entry(&list, &p, &len)) {
		if (is_word(p, len, "*") ||
		    (read_listed_host(&listed, p, len) && is_host(h, &listed)))
			return true;
	}
	return false;
}

static bool is_in_origins(const char *list, const struct origin *o)
{
	const char *p;
	size_t len;
	struct origin listed;
	bool is_web = has_scheme(o, "http") || has_scheme(o, "https");
	while (next_entry(&list, &p, &len)) {
		if (is_word(p, len, "loopback") && is_web &&
		    is_loopback(&o->host))
			return true;
		if (read_listed_origin(&listed, p, len) &&
		    listed.scheme_len == o->scheme_len &&
		    strncasecmp(listed.scheme, o->scheme, o->scheme_len) == 0 &&
		    port_of(&listed) == port_of(o) &&
		    is_host(&o->host, &listed.host))
			return true;
	}
	return false;
}

/* ---- what is good ---- */

bool http_origins_are_valid(const char *text, const char **why)
{
	const char *p;
	size_t len;
	struct origin o;
	while (next_entry(&text, &p, &len)) {
		if (is_word(p, len, "null")) {
			*why = "\"null\" is the origin of any page that hides "
			       "its own; \"*\" allows every page";
			return false;
		}
		if (len && !is_word(p, len, "*") &&
		    !is_word(p, len, "loopback") &&
		    !read_listed_origin(&o, p, len)) {
			*why = "an entry is neither \"loopback\", \"*\" nor an "
			       "origin such as https://chat.example.com";
			return false;
		}
	}
	return true;
}

bool http_hosts_are_valid(const char *text, const char **why)
{
	const char *p;
	size_t len;
	struct host h;
	while (next_entry(&text, &p, &len)) {
		if (len && !is_word(p, len, "*") &&
		    !read_listed_host(&h, p, len)) {
			*why = "an entry is neither \"*\" nor a host name such "
			       "as agent.example.com";
			return false;
		}
	}
	return true;
}

bool http_origin_is_listed(
    const struct http_origin_rules *rules, const char *origin, size_t len)
{
	struct origin o;
	return read_origin(&o, origin, len) &&
	       is_in_origins(rules->origins, &o);
}

bool http_origin_is_any(const struct http_origin_rules *rules)
{
	const char *list = rules->origins, *p;
	size_t len;
	while (next_entry(&list, &p, &len)) {
		if (is_word(p, len, "*"))
			return true;
	}
	return false;
}

bool http_origin_host_is_ours(
    const struct http_origin_rules *rules, const char *host, size_t len)
{
	struct host h;
	if (!host)
		return true;
	if (!read_host(&h, host, len))
		return false;
	return h.addr.family != AF_UNSPEC || is_loopback(&h) ||
	       is_in_hosts(rules->own, &h) || is_in_hosts(rules->hosts, &h);
}

enum http_origin_verdict http_origin_judge(
    const struct http_origin_rules *rules, const struct http_page *page)
{
	struct origin o;
	struct host host;
	if (!page->is_near || (!page->origin && !page->is_page) ||
	    http_origin_is_any(rules))
		return HTTP_ORIGIN_GOOD;
	if (!http_origin_host_is_ours(rules, page->host, page->host_len))
		return HTTP_ORIGIN_HOST;
	if (!page->origin)
		return page->is_cross_site ? HTTP_ORIGIN_CROSS_SITE
					   : HTTP_ORIGIN_GOOD;
	if (!read_origin(&o, page->origin, page->origin_len))
		return HTTP_ORIGIN_FOREIGN;
	if (page->host && read_host(&host, page->host, page->host_len) &&
	    is_own(&o, &host))
		return HTTP_ORIGIN_GOOD;
	return is_in_origins(rules->origins, &o) ? HTTP_ORIGIN_GOOD
						 : HTTP_ORIGIN_FOREIGN;
}
