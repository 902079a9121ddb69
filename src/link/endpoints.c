/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "link/endpoints.h"

#include "base/buf.h"
#include "base/ip.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* More addresses than a record needs: container bridges come by the dozen. */
#define MOST_ADDRESSES 16

struct list_of_hosts {
	char hosts[MOST_ADDRESSES][INET6_ADDRSTRLEN];
	size_t n;
};

static void add(struct list_of_hosts *list, const char *host)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->hosts[i], host) == 0)
			return;
	if (list->n < MOST_ADDRESSES && strlen(host) < sizeof list->hosts[0])
		(void)snprintf(
		    list->hosts[list->n++], sizeof list->hosts[0], "%s", host);
}

/* Add an address if it is of this class, and of a family we listen on. */
static void add_if(struct list_of_hosts *list, const struct sockaddr *a,
    bool has_v6, enum ip_class class)
{
	char text[INET6_ADDRSTRLEN];

	if (a->sa_family == AF_INET) {
		const struct in_addr *v4 =
		    &((const struct sockaddr_in *)(const void *)a)->sin_addr;
		if (ip_class_v4(v4) == class &&
		    inet_ntop(AF_INET, v4, text, sizeof text))
			add(list, text);
	} else if (a->sa_family == AF_INET6 && has_v6) {
		const struct in6_addr *v6 =
		    &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
		if (!IN6_IS_ADDR_LINKLOCAL(v6) && ip_class_v6(v6) == class &&
		    inet_ntop(AF_INET6, v6, text, sizeof text))
			add(list, text);
	}
}

/* Neighbours are tried first, so their addresses come first. */
static void add_interfaces(struct list_of_hosts *list, bool has_v6)
{
	static const enum ip_class order[] = {IP_PRIVATE, IP_PUBLIC};
	struct ifaddrs *all;

	if (getifaddrs(&all) != 0)
		return; /* the relay remains */
	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		for (const struct ifaddrs *a = all; a; a = a->ifa_next)
			if (a->ifa_addr && a->ifa_flags & IFF_UP)
				add_if(list, a->ifa_addr, has_v6, order[i]);
	freeifaddrs(all);
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return ip_class_v4(&v4) == IP_LOOPBACK;
	return inet_pton(AF_INET6, host, &v6) == 1 &&
	       ip_class_v6(&v6) == IP_LOOPBACK;
}

static void find_hosts(
    struct list_of_hosts *list, const struct endpoints *e, const char *host)
{
	bool has_v6 = strcmp(host, "::") == 0;
	bool is_any = has_v6 || strcmp(host, "0.0.0.0") == 0;

	if (e->has_loopback && (is_any || is_loopback(host)))
		add(list, is_any ? "localhost" : host);
	if (is_any)
		add_interfaces(list, has_v6);
	else if (!is_loopback(host))
		add(list, host);
}

static void put(
    struct buf *out, const char *scheme, const char *host, const char *rest)
{
	struct buf url = {0};

	buf_printf(&url, "%s%s%s", scheme, host, rest);
	if (out->data[out->len - 1] != '[')
		buf_char(out, ',');
	buf_json(out, url.data, url.len);
	buf_fini(&url);
}

static void put_host(struct buf *out, const char *host, const char *port)
{
	char with_port[INET6_ADDRSTRLEN + 16];

	(void)snprintf(with_port, sizeof with_port,
	    strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	put(out, "http://", with_port, "");
	put(out, "ws://", with_port, "/ws");
}

/* Split "ADDRESS:PORT"; an IPv6 address is in brackets. */
static const char *split(const char *bound, char host[INET6_ADDRSTRLEN])
{
	const char *colon = strrchr(bound, ':');
	size_t n = colon ? (size_t)(colon - bound) : 0;

	if (!n || strncmp(bound, "unix:", 5) == 0)
		return NULL;
	if (*bound == '[' && n > 2) {
		bound++;
		n -= 2;
	}
	if (n >= INET6_ADDRSTRLEN)
		return NULL;
	memcpy(host, bound, n);
	host[n] = '\0';
	return colon + 1;
}

void endpoints_write(struct buf *out, const struct endpoints *e)
{
	struct list_of_hosts list = {.n = 0};
	char host[INET6_ADDRSTRLEN];
	const char *port = split(e->bound, host);

	buf_char(out, '[');
	if (*e->domain) {
		put(out, "https://", e->domain, "");
		put(out, "wss://", e->domain, "/ws");
	} else if (port) {
		find_hosts(&list, e, host);
		for (size_t i = 0; i < list.n; i++)
			put_host(out, list.hosts[i], port);
	}
	buf_char(out, ']');
}
