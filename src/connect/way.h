/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_WAY_H
#define CONNECT_WAY_H

/*
 * The ways to an agent: URLs of hosts and relays, and which of an agent's
 * endpoints are tried, in which order. Pure functions; texts that they return
 * are to be freed by free().
 */
#include <stdbool.h>
#include <stddef.h>

struct json;

/*
 * Returns the base of a host's URL (http, https, ws or wss, with or without /ws)
 * with http:// or https://, without a slash at its end; NULL if it is no such
 * URL.
 */
char *way_base(const char *url);

/* Returns the WebSocket of a host, whose URL may have any of these forms. */
char *way_socket(const char *url);

/* Returns the URL of a relay's HTTP (http or https), with this path. */
char *way_relay_http(const char *relay, const char *path);

/* Returns the URL of a relay's WebSocket, with this path. */
char *way_relay_socket(const char *relay, const char *path);

/* The most endpoints of an agent that are tried. */
#define WAY_MAX 8

/*
 * Choose among the endpoints of a relay's record: bases of http and https URLs,
 * without repetitions, the closest first (this machine, a private network,
 * others), then TLS before clear. Those in clear are left out unless
 * takes_clear. Returns their number.
 */
size_t way_choose(
    char *bases[WAY_MAX], const struct json *record, bool takes_clear);

#endif
