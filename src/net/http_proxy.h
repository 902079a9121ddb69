/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef NET_HTTP_PROXY_H
#define NET_HTTP_PROXY_H

/*
 * Private to net/: who the client is when proxies stand between. A forwarding
 * header counts only as far as trusted proxies vouch for it, reading from the
 * right. Everything here is pure: no I/O, no state.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Room for an address as text, with its NUL. */
#define HTTP_ADDR_TEXT INET6_ADDRSTRLEN

/* The maximum number of entries in a trusted_proxies text. */
#define HTTP_PROXY_MAX 64

/* An address: AF_INET, AF_INET6 (mapped IPv4 becomes AF_INET) or AF_UNIX. */
struct http_addr {
	sa_family_t family; /* AF_UNSPEC: unknown */
	uint8_t bytes[16];
};

/* Parse a bare address; returns false if it is not one. */
bool http_addr_parse(struct http_addr *a, const char *text);

/* Whether it is a loopback address. */
bool http_addr_is_loopback(const struct http_addr *a);

/* The proxies that we trust; {0} trusts none. */
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

/* The client of a request. */
struct http_client {
	char text[HTTP_ADDR_TEXT]; /* without an address: "unix", "unknown" */
	bool is_loopback;
	bool is_near;  /* loopback, private, a socket file, or unknown */
	bool is_vague; /* an untrusted proxy forwarded for it */
};

/*
 * Parse "10.0.0.0/8, ::1, unix:"; returns false with *why (static) if invalid.
 */
bool http_proxy_parse(
    struct http_proxy_set *set, const char *text, const char **why);

/* Whether what an address forwards counts. */
bool http_proxy_is_trusted(
    const struct http_proxy_set *set, const struct http_addr *a);

/* Returns the address in a socket address. */
struct http_addr http_proxy_addr(const struct sockaddr *sa);

/* Determine the client of a request whose connection comes from direct. */
void http_proxy_client(struct http_client *client,
    const struct http_proxy_set *set, const struct http_addr *direct,
    const struct http_forwarded *forwarded);

#endif
