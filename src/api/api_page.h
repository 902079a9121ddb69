/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_PAGE_H
#define API_API_PAGE_H

/*
 * The page that people use: its files (page_assets.h), with a policy that
 * allows it to run only its own scripts and styles, to talk only to this
 * server, to make no HTML of strings, and not to be framed. It answers at / to
 * browsers, and at paths below which nothing else is: the page itself reads
 * where it is.
 */
#include <stdbool.h>

struct conf;
struct http_req;

/* Whether the page is built in and served (the setting web). */
bool api_page_is_there(const struct conf *conf);

/*
 * Returns a short text that changes whenever a file of the page does, so that a
 * page that is open can tell that the server has another.
 */
const char *api_page_build(void);

/* An http_handler for the paths at which the page itself is. */
void api_page_get(struct http_req *req, void *arg);

/* An http_handler for the files of the page; 404 if there is none. */
void api_page_asset(struct http_req *req, void *arg);

/*
 * An http_handler for GET /frame.html, in which the page shows HTML of the
 * agent, without network, storage and an origin.
 */
void api_page_frame(struct http_req *req, void *arg);

/*
 * An http_handler for GET /: the page for those who take HTML, and a redirect
 * to /docs for others.
 */
void api_page_root(struct http_req *req, void *arg);

#endif
