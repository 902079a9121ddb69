/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WEBSOCKET_WS_HELLO_H
#define WEBSOCKET_WS_HELLO_H

/*
 * The opening handshake of a WebSocket client (RFC 6455 section 4.1), and the
 * part of it that servers compute as well. No extension and no subprotocol is
 * offered. Pure functions, except for the random key.
 */
#include <stddef.h>

struct buf;
struct url;
struct ws_head;

/* Room for a key: 16 bytes in base64, NUL. */
#define WS_HELLO_KEY_SIZE 25

/* Room for a server's answer to it: 20 bytes in base64, NUL. */
#define WS_HELLO_ACCEPT_SIZE 29

/* Make a random key for one handshake. */
void ws_hello_key(char key[WS_HELLO_KEY_SIZE]);

/*
 * Compute the answer to a key of 24 characters, which need not be
 * NUL-terminated (Sec-WebSocket-Accept; RFC 6455 section 4.2.2).
 */
void ws_hello_accept(char accept[WS_HELLO_ACCEPT_SIZE], const char *key);

/*
 * Append the request. user_agent may be NULL, and so may fields: further header
 * fields, each with its CR LF.
 */
void ws_hello_ask(struct buf *out, const struct url *url, const char *key,
    const char *user_agent, const char *fields);

/*
 * Whether the response accepts the handshake with this key. Returns 0; or -1,
 * and why (size bytes) gets what is wrong with it, as the end of a sentence
 * about the server ("answered 404 Not Found").
 */
int ws_hello_check(
    const struct ws_head *h, const char *key, char *why, size_t size);

#endif
