/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CONNECT_WAY_H
#define CONNECT_WAY_H

/*
 * URLs on the way to an agent. Pure functions; what they return is to be freed
 * by free().
 */

/*
 * Returns the base of a host's URL (http, https, ws or wss, with or without /ws)
 * with http:// or https://, without a slash at its end; NULL if it is no such
 * URL.
 */
char *way_base(const char *url);

/* Returns the WebSocket of a host, whose URL may have any of these forms. */
char *way_socket(const char *url);

#endif
