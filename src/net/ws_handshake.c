/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "net/ws_int.h"

#include "base/enc.h"
#include "base/log.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <string.h>

#define ACCEPT_CHARS 28
#define KEY_CHARS 24
#define KEY_BYTES 16

#define KEY "sec-websocket-key"
#define VERSION "sec-websocket-version"

static const h2o_iovec_t *find_field(const h2o_req_t *q, const char *name)
{
	ssize_t at =
	    h2o_find_header_by_str(&q->headers, name, strlen(name), -1);
	return at < 0 ? NULL : &q->headers.entries[at].value;
}

/*
 * SHA1() looks the algorithm up and allocates memory each time, which takes
 * longer than the sum.
 */
static void sum_of(
    unsigned char sum[SHA_DIGEST_LENGTH], const void *text, size_t len)
{
	static EVP_MD *sha1;
	static EVP_MD_CTX *context;
	if (!sha1)
		sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	if (!context)
		context = EVP_MD_CTX_new();
	if (!sha1 || !context || !EVP_DigestInit_ex(context, sha1, NULL) ||
	    !EVP_DigestUpdate(context, text, len) ||
	    !EVP_DigestFinal_ex(context, sum, NULL))
		fatal("ws: the SSL library has no SHA-1");
}

/* Compute the answer to the client's key (RFC 6455 section 4.2.2). */
static void accept_key(char out[ACCEPT_CHARS + 1], const char *key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char text[KEY_CHARS + sizeof guid - 1];
	unsigned char sum[SHA_DIGEST_LENGTH];
	memcpy(text, key, KEY_CHARS);
	memcpy(text + KEY_CHARS, guid, sizeof guid - 1);
	sum_of(sum, text, sizeof text);
	h2o_base64_encode(out, sum, sizeof sum, 0);
	out[ACCEPT_CHARS] = '\0';
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
