/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_DOCS_H
#define API_API_DOCS_H

/*
 * GET /docs: the page docs.html. Its policy allows it to run only its own
 * script and style, to talk only to this server, and not to be framed.
 */
struct http_req;

/* An http_handler; its arg is not used. */
void api_docs_get(struct http_req *req, void *arg);

/* An http_handler for GET /, which redirects to /docs. */
void api_docs_root(struct http_req *req, void *arg);

#endif
