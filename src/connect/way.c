/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/way.h"

#include "base/buf.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/url.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The path without /ws and slashes at its end. */
static size_t base_len(const char *target)
{
	size_t n = strcspn(target, "?#");

	while (n && target[n - 1] == '/')
		n--;
	if (n >= 3 && !strncmp(target + n - 3, "/ws", 3))
		n -= 3;
	while (n && target[n - 1] == '/')
		n--;
	return n;
}

static char *with_scheme(
    const char *text, const char *clear, const char *secure, const char *tail)
{
	struct buf out = {0};
	struct url url;
	const char *why;

	if (url_parse(&url, text, &why) != 0)
		return NULL;
	buf_str(&out, url.is_secure ? secure : clear);
	url_put_host(&out, &url, false);
	buf_append(&out, url.target, base_len(url.target));
	buf_str(&out, tail);
	url_fini(&url);
	return buf_steal(&out, NULL);
}

char *way_base(const char *url)
{
	return with_scheme(url, "http://", "https://", "");
}

char *way_socket(const char *url)
{
	return with_scheme(url, "ws://", "wss://", "/ws");
}

/* A relay's base is known with ws:// or wss:// (url_relay()). */
static char *relay_url(const char *relay, const char *scheme, const char *path)
{
	struct buf out = {0};

	buf_str(&out, scheme);
	buf_str(&out, relay + strlen("ws"));
	buf_str(&out, path);
	return buf_steal(&out, NULL);
}

char *way_relay_http(const char *relay, const char *path)
{
	return relay_url(relay, "http", path);
}

char *way_relay_socket(const char *relay, const char *path)
{
	return relay_url(relay, "ws", path);
}

/* ---- the choice ---- */

static enum ip_class reach_of(const struct url *url)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (url_is_loopback(url))
		return IP_LOOPBACK;
	if (inet_pton(AF_INET, url->host, &v4) == 1)
		return ip_class_v4(&v4);
	if (inet_pton(AF_INET6, url->host, &v6) == 1)
		return ip_class_v6(&v6);
	return IP_PUBLIC;
}

/* The lower, the sooner it is tried; -1: not at all. */
static int rank_of(const char *text, bool takes_clear)
{
	struct url url;
	const char *why;
	int rank = -1;

	if (url_parse(&url, text, &why) != 0)
		return -1;
	if (url.is_http && !url.user && (url.is_secure || takes_clear))
		rank = 2 * (int)reach_of(&url) + !url.is_secure;
	url_fini(&url);
	return rank;
}

struct choice {
	char *bases[WAY_MAX];
	int ranks[WAY_MAX];
	size_t n;
};

static bool has_base(const struct choice *c, const char *base)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->bases[i], base))
			return true;
	return false;
}

/* Keep the order of the record among those of one rank. */
static void insert(struct choice *c, char *base, int rank)
{
	size_t at = c->n;

	while (at > 0 && c->ranks[at - 1] > rank)
		at--;
	if (at == WAY_MAX) {
		free(base);
		return;
	}
	if (c->n == WAY_MAX)
		free(c->bases[--c->n]);
	memmove(
	    c->bases + at + 1, c->bases + at, (c->n - at) * sizeof *c->bases);
	memmove(
	    c->ranks + at + 1, c->ranks + at, (c->n - at) * sizeof *c->ranks);
	c->bases[at] = base;
	c->ranks[at] = rank;
	c->n++;
}

size_t way_choose(
    char *bases[WAY_MAX], const struct json *record, bool takes_clear)
{
	const struct json *list = json_get(record, "endpoints");
	struct choice c = {.n = 0};

	if (!json_is(list, JSON_ARRAY))
		return 0;
	for (const struct json *v = json_first(list); v; v = json_next(v)) {
		char *text = json_strdup(v);
		int rank = text ? rank_of(text, takes_clear) : -1;
		char *base = rank >= 0 ? way_base(text) : NULL;
		free(text);
		if (base && !has_base(&c, base))
			insert(&c, base, rank);
		else
			free(base);
	}
	memcpy(bases, c.bases, sizeof c.bases);
	return c.n;
}
