/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_DOCS_H
#define API_API_DOCS_H

/*
 * GET /docs: the page docs.html, which may run its own script and style alone,
 * talk to this server alone, and stand in no other page.
 */
struct http_req;

/* A http_handler; its arg is not used. */
void api_docs_get(struct http_req *req, void *arg);

/* A http_handler of GET /, which leads there. */
void api_docs_root(struct http_req *req, void *arg);

#endif
