/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_ADMIN_H
#define API_API_ADMIN_H

/*
 * Administration over HTTP (spec 1.6, 1.7): the agent log and the evals for who
 * has a token or signs as an admin; who is known, for admins; who is admin, for
 * the holder of our own key. Each signature is good once.
 */
struct door_setup;
struct http;

/*
 * Add the routes, behind those of the same prefixes that exist; setup must
 * outlive the server.
 */
void api_admin_mount(struct http *http, const struct door_setup *setup);

#endif
