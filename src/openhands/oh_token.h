/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_TOKEN_H
#define OPENHANDS_OH_TOKEN_H

/*
 * Signatures of clients of OpenHands. They are those of CONNECT in the
 * ConnectOnion protocol: {"payload": {"to": our address, "timestamp": now},
 * "from": the signer, "signature": ...}. The credentials of a CONNECT may be
 * that object. Where there is only room for a text it is a token: the base64url
 * of its JSON, without padding. Whether it is a good one is not decided here.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct http_req;
struct json;
struct json_doc;

/* The longest token, without its NUL. */
#define OH_TOKEN_MAX 767

/*
 * Write the token that a request shows, as "Authorization: Bearer", or as
 * session_api_key in its query or among its cookies; "" if there is none.
 */
void oh_token_find(char out[OH_TOKEN_MAX + 1], const struct http_req *req);

/*
 * Returns what is signed: the credentials of a CONNECT (NULL: there are none),
 * or the token in their member "token" or "session_api_key", or else this token
 * ("": none). Its JSON is in *doc and *mem, which the caller owns. NULL: nothing
 * is signed.
 */
const struct json *oh_token_read(struct json_doc *doc, struct buf *mem,
    const struct json *credentials, const char *token);

#endif
