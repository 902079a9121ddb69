/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_URL_H
#define BASE_URL_H

/*
 * URLs of servers that we connect to: ws, wss, http and https (RFC 3986,
 * RFC 6455 section 3). Pure functions.
 */
#include <stdbool.h>
#include <stdint.h>

struct buf;

/* The longest URL that is read, in bytes. */
#define URL_MAX_BYTES 4096

/* A URL in parts; url_fini() frees them. {0} owns nothing. */
struct url {
	bool is_secure; /* wss or https */
	bool is_http;	/* http or https */
	uint16_t port;	/* its own, or that of the scheme */
	char *host;	/* in lower case; an IPv6 address without brackets */
	char *user;	/* "NAME:PASSWORD", decoded; NULL: none */
	char *target;	/* path and query for a request line, from "/" on */
};

/*
 * Split a URL. Returns 0; or -1 with *u as {0} and *why saying what is wrong,
 * as the end of a sentence about the URL ("has no host").
 */
int url_parse(struct url *u, const char *text, const char **why);

/* Returns a copy, to be freed by url_fini(). */
struct url url_copy(const struct url *u);

/* Free the parts; *u is then {0}. */
void url_fini(struct url *u);

/*
 * Append the host as a Host field has it: with brackets around an IPv6 address,
 * and with the port if that is not the scheme's, or always.
 */
void url_put_host(struct buf *out, const struct url *u, bool with_port);

/* Whether the host is this machine: localhost, 127.0.0.0/8 or ::1. */
bool url_is_loopback(const struct url *u);

/*
 * Returns the base of a relay's URL with ws:// or wss://, to be freed: without
 * the slash, and without the path of one of its sockets ("/ws/announce", "/ws")
 * with which published programs name a relay. NULL if it is no such URL.
 */
char *url_relay(const char *text);

#endif
