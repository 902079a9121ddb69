/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WEBSOCKET_WS_TLS_H
#define WEBSOCKET_WS_TLS_H

/*
 * TLS of a client over bytes in memory: its caller moves bytes between a
 * session and a socket of any kind. The peer's certificate and host name are
 * verified, and names are sent to the server (SNI). TLS 1.2 or later.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Certificates of authorities; sessions share them, and must not outlive it. */
struct ws_trust;

/*
 * Read those of the system, or those that SSL_CERT_FILE and SSL_CERT_DIR name.
 * This reads files, and may block. Returns NULL if OpenSSL cannot be used.
 */
struct ws_trust *ws_trust_open(void);

/* Free and null *t. */
void ws_trust_close(struct ws_trust **t);

/* A session. */
struct ws_tls;

/*
 * Begin a session with this host, a name or an address. The first bytes for the
 * peer are appended to *wire. Never returns NULL.
 */
struct ws_tls *ws_tls_new(
    const struct ws_trust *trust, const char *host, struct buf *wire);

/* Free and null *t. */
void ws_tls_free(struct ws_tls **t);

/*
 * Take n bytes from the peer. What they contain is appended to *plain, and what
 * has to be sent in return to *wire. Returns 0; or -1 when the session has
 * failed, with a text about it in *why that lives as long as the session.
 */
int ws_tls_feed(struct ws_tls *t, const void *bytes, size_t n,
    struct buf *plain, struct buf *wire, const char **why);

/* Whether the handshake is done, and the peer is who it should be. */
bool ws_tls_is_open(const struct ws_tls *t);

/* Append n bytes to *wire, encrypted. Only after the handshake. */
void ws_tls_put(
    struct ws_tls *t, const void *bytes, size_t n, struct buf *wire);

/* Append the end of our direction to *wire. */
void ws_tls_finish(struct ws_tls *t, struct buf *wire);

#endif
