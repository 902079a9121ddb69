/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/ws_int.h"

#include "base/log.h"

#include <openssl/sha.h>
#include <string.h>

#define ACCEPT_CHARS 28
#define KEY_CHARS 24

static const h2o_iovec_t *find_field(const h2o_req_t *q, const char *name)
{
	ssize_t at =
	    h2o_find_header_by_str(&q->headers, name, strlen(name), -1);
	return at < 0 ? NULL : &q->headers.entries[at].value;
}

/* The answer to the client's key (RFC 6455 section 4.2.2). */
static void accept_key(char out[ACCEPT_CHARS + 1], const char *key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char text[KEY_CHARS + sizeof(guid) - 1];
	unsigned char sum[SHA_DIGEST_LENGTH];
	memcpy(text, key, KEY_CHARS);
	memcpy(text + KEY_CHARS, guid, sizeof(guid) - 1);
	SHA1(text, sizeof(text), sum);
	h2o_base64_encode(out, sum, sizeof(sum), 0);
	out[ACCEPT_CHARS] = '\0';
}

int ws_is_handshake(const struct http_req *req)
{
	const h2o_req_t *q = req->h2o;
	if (q->version < 0x101 || !http_req_wants_ws(req) ||
	    !h2o_memis(
		q->input.method.base, q->input.method.len, H2O_STRLIT("GET")))
		return 0;
	const h2o_iovec_t *key = find_field(q, "sec-websocket-key");
	const h2o_iovec_t *version = find_field(q, "sec-websocket-version");
	return key && key->len == KEY_CHARS && version &&
	       h2o_memis(version->base, version->len, H2O_STRLIT("13"));
}

void ws_handshake_reply(
    struct http_req *req, h2o_http1_upgrade_cb on_upgraded, struct ws *w)
{
	h2o_req_t *q = req->h2o;
	const h2o_iovec_t *client_key = find_field(q, "sec-websocket-key");
	if (!client_key || !ws_is_handshake(req))
		panic("ws: accepted what is no handshake");
	req->conn->is_upgraded = true;
	http_req_finish(req);
	char *key = libh2o_alloc(q, ACCEPT_CHARS + 1);
	accept_key(key, client_key->base);
	q->res.status = 101;
	q->res.reason = "Switching Protocols";
	h2o_add_header(&q->pool, &q->res.headers, H2O_TOKEN_UPGRADE, NULL,
	    H2O_STRLIT("websocket"));
	h2o_add_header_by_str(&q->pool, &q->res.headers,
	    H2O_STRLIT("sec-websocket-accept"), 0, NULL, key, ACCEPT_CHARS);
	h2o_iovec_t early = libh2o_early_bytes(q);
	buf_append(&w->early, early.base, early.len);
	h2o_http1_upgrade(q, NULL, 0, on_upgraded, w);
}
