/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_BODY_H
#define API_API_BODY_H

/* The JSON body of a request to one of the server's routes. */
struct err;
struct http_req;
struct json;
struct json_doc;

/*
 * Parse the body into doc, which lives as long as the request; an empty body is
 * {}. A byte order mark is skipped. Returns NULL with *err: ERR_BAD_JSON, or
 * ERR_CODING for a compressed body; in that case the accepted coding has been
 * added to the reply.
 */
const struct json *api_body_json(
    struct http_req *req, struct json_doc *doc, struct err *err);

#endif
