/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_ADMIN_H
#define API_API_ADMIN_H

/*
 * Administration over HTTP (spec 1.6, 1.7): the agent log and the evals for
 * callers with a bearer token or an admin's signature; the trust lists for
 * admins; the list of admins for the holder of the agent's own key. Each
 * signature is valid once.
 */
struct door_setup;
struct http;

/*
 * Add the routes, after existing ones with the same prefixes. setup must
 * outlive the server.
 */
void api_admin_mount(struct http *http, const struct door_setup *setup);

#endif
