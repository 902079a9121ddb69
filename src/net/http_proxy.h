/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_HTTP_PROXY_H
#define NET_HTTP_PROXY_H

/*
 * Private to net/: who the client is when proxies stand between. A forwarding
 * header counts only as far as trusted proxies vouch for it, read from the
 * right. Everything here is pure: no I/O, no state.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for an address as text, with its NUL. */
#define HTTP_ADDR_TEXT INET6_ADDRSTRLEN

/* Most entries in a trusted_proxies text. */
#define HTTP_PROXY_MAX 64

/*
 * An address: family AF_INET, AF_INET6 (mapped IPv4 is made AF_INET), AF_UNIX.
 */
struct http_addr {
	sa_family_t family; /* AF_UNSPEC: not known */
	uint8_t bytes[16];
};

/* Read a bare address; false when it is none. */
bool http_addr_parse(struct http_addr *a, const char *text);

/* Whether it is one of the machine itself. */
bool http_addr_is_loopback(const struct http_addr *a);

/* Those we trust; {0} trusts nobody. */
struct http_proxy_set {
	struct {
		struct http_addr addr;
		unsigned bits;
	} nets[HTTP_PROXY_MAX];
	size_t n_nets;
	bool trusts_unix;
};

/* What the headers of one request say. */
struct http_forwarded {
	const char *chain; /* X-Forwarded-For, lines joined by commas; NULL */
	size_t chain_len;
	bool
	    has_other; /* Forwarded (RFC 7239) or X-Real-IP, which are not read */
};

/* Who the client is. */
struct http_client {
	char text[HTTP_ADDR_TEXT]; /* without an address: "unix", "unknown" */
	bool is_loopback;
	bool is_near;  /* loopback, private, a socket file, or unknown */
	bool is_vague; /* a proxy that we do not trust spoke for it */
};

/*
 * Read "10.0.0.0/8, ::1, unix:"; false with *why (static) when it is not good.
 */
bool http_proxy_parse(
    struct http_proxy_set *set, const char *text, const char **why);

/* The address in a socket address. */
struct http_addr http_proxy_addr(const struct sockaddr *sa);

/* The client of a request that came from direct. */
void http_proxy_client(struct http_client *client,
    const struct http_proxy_set *set, const struct http_addr *direct,
    const struct http_forwarded *forwarded);

#endif
