/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_PUBLISH_H
#define API_API_PUBLISH_H

/*
 * The agent's own HTTP routes (spec 1.8). The agent names them, as
 * "GET /public/report/{id}"; the first segment of the path says who may call:
 * anybody, contacts, or admins, who sign the whole request.
 *
 * A route is called as a tool of the same name would be (session_exec), which
 * no client can name. Its argument is an object with method, path (decoded),
 * query (as sent), headers, path_params, identity (an address or null) and the
 * body as "body" or, if that is not UTF-8, as "body_base64". What it returns is
 * the text of an object with
 *
 *	status		200 if it is absent
 *	type		media type
 *	headers		an object of texts
 *	text, base64	the body, one of the two; neither: 204
 */
struct door_setup;
struct http;

/*
 * Add the routes of the agent, NULL-terminated and borrowed; NULL for none. To
 * be called after all other routes were added, which therefore come first. A
 * route that is none is told to the log and left out.
 */
void api_publish_mount(struct http *http, const struct door_setup *setup,
    const char *const *routes);

/* This process leaves: no route is called any more. */
void api_publish_close_all(void);

#endif
