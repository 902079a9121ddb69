/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_PUBLISH_H
#define API_API_PUBLISH_H

/*
 * The agent's own HTTP routes (spec 1.8). The agent names them, such as "GET
 * /public/report/{id}"; the first segment of the path determines who may call:
 * anybody, contacts, or admins, who must sign the whole request.
 *
 * A route is called like a tool of the same name (session_exec), which no
 * client can name. Its argument is an object with method, path (decoded), query
 * (as sent), headers, path_params, identity (an address or null) and the body
 * as "body" or, if that is not UTF-8, as "body_base64". Its result is the text
 * of an object with
 *
 *	status		default 200
 *	type		media type
 *	headers		an object of strings
 *	text, base64	the body, one of the two; neither: 204
 */
struct door_setup;
struct http;

/*
 * Add the routes of the agent, NULL-terminated and borrowed; NULL for none.
 * Call this after all other routes were added, so that those take precedence. A
 * malformed route is logged and left out.
 */
void api_publish_mount(struct http *http, const struct door_setup *setup,
    const char *const *routes);

/* The process is exiting: call no more routes. */
void api_publish_close_all(void);

#endif
