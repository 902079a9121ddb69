/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_KEY_H
#define OPENHANDS_OH_KEY_H

/*
 * The key of clients of OpenHands, the environment variable SESSION_API_KEY of
 * the server. If it is set, a client must show it, and whoever does is let in;
 * otherwise the setting trust decides.
 */
#include <stdbool.h>
#include <stddef.h>

struct http_req;
struct json;

#define OH_KEY_NAME "session_api_key"

/*
 * Call fn for each text that a request may show as a key, until it returns
 * true: X-Session-API-Key, that of "Authorization: Bearer", and session_api_key
 * in its query and among its cookies. Returns whether it did.
 */
bool oh_key_each(const struct http_req *req,
    bool (*fn)(void *arg, const char *text, size_t len), void *arg);

/* Whether there is a key. */
bool oh_key_is_set(void);

/* Whether a text is the key. */
bool oh_key_is(const char *text, size_t len);

/* Whether a request shows it, in one of those places. */
bool oh_key_is_shown(const struct http_req *req);

/*
 * Whether the credentials of a CONNECT show it, as "session_api_key" or
 * "token"; NULL: there are none.
 */
bool oh_key_is_given(const struct json *credentials);

#endif
