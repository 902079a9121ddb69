/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/ws_int.h"

#include "base/enc.h"
#include "base/log.h"
#include "websocket/ws_hello.h"

#include <string.h>

#define KEY_CHARS (WS_HELLO_KEY_SIZE - 1)
#define KEY_BYTES 16

#define KEY "sec-websocket-key"
#define VERSION "sec-websocket-version"

static const h2o_iovec_t *find_field(const h2o_req_t *q, const char *name)
{
	ssize_t at =
	    h2o_find_header_by_str(&q->headers, name, strlen(name), -1);
	return at < 0 ? NULL : &q->headers.entries[at].value;
}

static bool is_get(const h2o_req_t *q)
{
	return q->version >= 0x101 &&
	       h2o_memis(q->input.method.base, q->input.method.len,
		   H2O_STRLIT("GET"));
}

static bool is_version_good(const h2o_req_t *q)
{
	const h2o_iovec_t *version = find_field(q, VERSION);
	return version &&
	       h2o_memis(version->base, version->len, H2O_STRLIT("13"));
}

/* Whether there is exactly one key, of 16 bytes. */
static bool is_key_good(const h2o_req_t *q)
{
	unsigned char bytes[KEY_CHARS];
	size_t n = 0;
	const h2o_iovec_t *key = find_field(q, KEY);
	if (!key || key->len != KEY_CHARS ||
	    !enc_unbase64(bytes, &n, key->base, key->len) || n != KEY_BYTES)
		return false;
	ssize_t first =
	    h2o_find_header_by_str(&q->headers, H2O_STRLIT(KEY), -1);
	return h2o_find_header_by_str(&q->headers, H2O_STRLIT(KEY), first) < 0;
}

int ws_is_handshake(const struct http_req *req)
{
	const h2o_req_t *q = req->h2o;
	return http_req_wants_ws(req) && is_get(q) && is_version_good(q) &&
	       is_key_good(q);
}

void ws_refuse(struct http_req *req)
{
	const h2o_req_t *q = req->h2o;
	if (!is_get(q)) {
		http_req_refuse(
		    req, 400, "a WebSocket begins with GET in HTTP/1.1");
	} else if (!is_version_good(q)) {
		http_add_header(req, VERSION, "13");
		http_add_header(req, "upgrade", "websocket");
		http_req_refuse(req, 426, "Sec-WebSocket-Version must be 13");
	} else {
		http_req_refuse(req, 400,
		    "Sec-WebSocket-Key must be 16 bytes in base64, once");
	}
}

void ws_handshake_reply(
    struct http_req *req, h2o_http1_upgrade_cb on_upgraded, struct ws *w)
{
	h2o_req_t *q = req->h2o;
	const h2o_iovec_t *client_key = find_field(q, KEY);
	if (!client_key || !ws_is_handshake(req))
		panic("ws: accepted what is no handshake");
	req->conn->is_upgraded = true;
	http_req_finish(req);
	char *accept = libh2o_alloc(q, WS_HELLO_ACCEPT_SIZE);
	ws_hello_accept(accept, client_key->base);
	q->res.status = 101;
	q->res.reason = "Switching Protocols";
	h2o_add_header(&q->pool, &q->res.headers, H2O_TOKEN_UPGRADE, NULL,
	    H2O_STRLIT("websocket"));
	h2o_add_header_by_str(&q->pool, &q->res.headers,
	    H2O_STRLIT("sec-websocket-accept"), 0, NULL, accept,
	    WS_HELLO_ACCEPT_SIZE - 1);
	h2o_iovec_t early = libh2o_early_bytes(q);
	buf_append(&w->early, early.base, early.len);
	h2o_http1_upgrade(q, NULL, 0, on_upgraded, w);
}
