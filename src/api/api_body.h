/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_API_BODY_H
#define API_API_BODY_H

/* The body of a request to a route of the server: a JSON text. */
struct err;
struct http_req;
struct json;
struct json_doc;

/*
 * Parse it into doc, which lives as long as the request; an empty one is {}. A
 * byte order mark before it is passed over. NULL with *err: ERR_BAD_JSON, or
 * ERR_CODING for one that is compressed, whose reply is told what is taken.
 */
const struct json *api_body_json(
    struct http_req *req, struct json_doc *doc, struct err *err);

#endif
