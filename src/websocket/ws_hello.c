/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "websocket/ws_hello.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/log.h"
#include "base/url.h"
#include "websocket/ws_head.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define KEY_BYTES 16
#define KEY_CHARS (WS_HELLO_KEY_SIZE - 1)
#define ACCEPT_CHARS (WS_HELLO_ACCEPT_SIZE - 1)

/* A reason phrase is cut to this length in messages. */
#define REASON_CHARS 60

void ws_hello_key(char key[WS_HELLO_KEY_SIZE])
{
	unsigned char bytes[KEY_BYTES];

	enc_random(bytes, sizeof bytes);
	(void)EVP_EncodeBlock((unsigned char *)key, bytes, sizeof bytes);
}

void ws_hello_ask(struct buf *out, const struct url *url, const char *key,
    const char *user_agent, const char *fields)
{
	buf_printf(out, "GET %s HTTP/1.1\r\nHost: ", url->target);
	url_put_host(out, url, false);
	buf_printf(out,
	    "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n",
	    key);
	if (user_agent)
		buf_printf(out, "User-Agent: %s\r\n", user_agent);
	if (fields)
		buf_str(out, fields);
	buf_str(out, "\r\n");
}

/*
 * SHA1() looks the algorithm up each time, which takes longer than the sum.
 * It is looked up once here, and kept until the process ends.
 */
static EVP_MD *sha1;

static void find_sha1(void)
{
	sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	if (!sha1)
		fatal("ws: the SSL library has no SHA-1");
}

static void sum_of(
    unsigned char sum[SHA_DIGEST_LENGTH], const void *text, size_t len)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, find_sha1);
	if (!EVP_Digest(text, len, sum, NULL, sha1, NULL))
		fatal("ws: SHA-1 of a handshake failed");
}

void ws_hello_accept(char accept[WS_HELLO_ACCEPT_SIZE], const char *key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char text[KEY_CHARS + sizeof guid - 1];
	unsigned char sum[SHA_DIGEST_LENGTH];

	memcpy(text, key, KEY_CHARS);
	memcpy(text + KEY_CHARS, guid, sizeof guid - 1);
	sum_of(sum, text, sizeof text);
	(void)EVP_EncodeBlock((unsigned char *)accept, sum, sizeof sum);
}

/* The peer's words are printable when they get into a log. */
static void tell_status(const struct ws_head *h, char *why, size_t size)
{
	char reason[REASON_CHARS + 1];
	size_t n = h->reason.len < REASON_CHARS ? h->reason.len : REASON_CHARS;

	for (size_t i = 0; i < n; i++) {
		char c = h->reason.text[i];
		reason[i] = c >= ' ' && c <= '~' ? c : '?';
	}
	reason[n] = '\0';
	(void)snprintf(
	    why, size, "answered %d%s%s", h->status, n ? " " : "", reason);
}

/* Returns which rule of the handshake the response breaks, or NULL. */
static const char *broken_rule(const struct ws_head *h, const char *key)
{
	char accept[WS_HELLO_ACCEPT_SIZE];
	struct span value;

	ws_hello_accept(accept, key);
	if (!ws_head_lists(h, "Upgrade", "websocket"))
		return "answered without \"Upgrade: websocket\"";
	if (!ws_head_lists(h, "Connection", "Upgrade"))
		return "answered without \"Connection: Upgrade\"";
	if (ws_head_find(h, "Sec-WebSocket-Accept", &value) != 1 ||
	    value.len != ACCEPT_CHARS ||
	    memcmp(value.text, accept, ACCEPT_CHARS) != 0)
		return "answered with a wrong Sec-WebSocket-Accept";
	if (ws_head_find(h, "Sec-WebSocket-Extensions", &value) ||
	    ws_head_find(h, "Sec-WebSocket-Protocol", &value))
		return "chose an extension or protocol that was not offered";
	return NULL;
}

int ws_hello_check(
    const struct ws_head *h, const char *key, char *why, size_t size)
{
	const char *broken;

	if (h->status != 101) {
		tell_status(h, why, size);
		return -1;
	}
	broken = broken_rule(h, key);
	if (broken)
		(void)snprintf(why, size, "%s", broken);
	return broken ? -1 : 0;
}
