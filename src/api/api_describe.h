/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_DESCRIBE_H
#define API_API_DESCRIBE_H

/*
 * GET /openapi.json and GET /asyncapi.json: descriptions of the server's
 * interface for programs, made by scripts/describe when the server is built.
 */
struct http_req;

/* Answer GET /openapi.json; arg is not used. */
void api_describe_openapi(struct http_req *req, void *arg);

/* Answer GET /asyncapi.json; arg is not used. */
void api_describe_asyncapi(struct http_req *req, void *arg);

#endif
