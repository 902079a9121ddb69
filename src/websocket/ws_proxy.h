/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef WEBSOCKET_WS_PROXY_H
#define WEBSOCKET_WS_PROXY_H

/*
 * HTTP proxies on the way to a WebSocket server: which one the environment
 * names, and the tunnel through it (RFC 9110 section 9.3.6).
 *
 * For wss:// that is wss_proxy, https_proxy or all_proxy; for ws:// ws_proxy,
 * https_proxy, http_proxy or all_proxy: the first that is set, in lower or upper
 * case (http_proxy in lower case only). Hosts that no_proxy lists are reached
 * directly: names with all below them, addresses, "*"; each may have a port.
 */
#include "base/url.h"

#include <stddef.h>

struct buf;

/*
 * Find the proxy for this URL. Returns 1 with *proxy to be freed by url_fini();
 * 0 if there is none; or -1 with a text in why (size bytes) about a proxy that
 * cannot be used.
 */
int ws_proxy_find(
    struct url *proxy, const struct url *url, char *why, size_t size);

/* Append the request for a tunnel to the server of url. */
void ws_proxy_ask(
    struct buf *out, const struct url *proxy, const struct url *url);

#endif
