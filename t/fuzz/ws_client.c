/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Any bytes as what a WebSocket server, or the proxy before it, sends: as its
 * answer to the handshake, or as its frames after a good answer. Messages are
 * complete and within the limit, the end comes once and last, and all is the
 * same whether the bytes come at once or in pieces. The first byte says which
 * of these it is.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/url.h"
#include "websocket/ws_client.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#define MOST_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct story {
	struct ws_client *client;
	unsigned opens;
	unsigned ends;
	struct buf texts;
};

static void expect(bool is_true)
{
	if (!is_true)
		abort();
}

static void on_open(void *arg)
{
	struct story *s = arg;

	expect(s->opens++ == 0 && !s->ends);
	ws_client_send(s->client, "hello", 5);
}

static void on_text(void *arg, const char *text, size_t len)
{
	struct story *s = arg;

	expect(s->opens == 1 && !s->ends && len <= MOST_BYTES);
	buf_append(&s->texts, text, len);
	buf_char(&s->texts, '\n');
}

static void on_end(void *arg, int code, const char *why)
{
	struct story *s = arg;

	expect(s->ends++ == 0 && code >= 1000 && code < 5000 && *why);
}

static const struct ws_client_handlers handlers = {
    .on_open = on_open,
    .on_text = on_text,
    .on_end = on_end,
};

static void begin(struct story *s, bool has_proxy)
{
	char host[] = "h", proxy[] = "p", target[] = "/";
	struct url url = {.port = 80, .host = host, .target = target};
	struct url by = {.port = 80, .host = proxy, .target = target};
	struct ws_client_setup setup = {
	    .url = &url,
	    .proxy = has_proxy ? &by : NULL,
	    .max_message_bytes = MOST_BYTES,
	    .max_fragments = 16,
	    .handlers = &handlers,
	    .arg = s,
	};

	*s = (struct story){.client = ws_client_new(&setup)};
}

/* Let the handshake succeed. */
static void answer(struct story *s)
{
	struct buf *out = ws_client_output(s->client);
	const char *at = strstr(buf_cstr(out), "Sec-WebSocket-Key: ");
	unsigned char sum[SHA_DIGEST_LENGTH];
	char text[128], accept[32], head[256];
	int n;

	expect(at != NULL);
	n = snprintf(text, sizeof text,
	    "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", at + 19);
	SHA1((unsigned char *)text, (size_t)n, sum);
	EVP_EncodeBlock((unsigned char *)accept, sum, sizeof sum);
	n = snprintf(head, sizeof head,
	    "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n\r\n",
	    accept);
	ws_client_feed(s->client, head, (size_t)n);
	expect(s->opens == 1 && ws_client_is_open(s->client));
}

static void finish(struct story *s)
{
	ws_client_eof(s->client, "ended");
	expect(s->ends == 1 && ws_client_is_over(s->client));
	ws_client_feed(s->client, "x", 1);
	ws_client_send(s->client, "x", 1);
	ws_client_free(&s->client);
	buf_fini(&s->texts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct story whole, cut;

	if (!size)
		return 0;
	bool has_proxy = (data[0] & 3) == 1;
	bool is_frames = (data[0] & 3) == 2;
	size_t step = (size_t)(data[0] >> 2) + 1;
	begin(&whole, has_proxy);
	begin(&cut, has_proxy);
	if (is_frames) {
		answer(&whole);
		answer(&cut);
	}
	data++;
	size--;
	ws_client_feed(whole.client, data, size);
	for (size_t at = 0; at < size; at += step)
		ws_client_feed(
		    cut.client, data + at, size - at < step ? size - at : step);
	/* What a proxy says beyond its answer only counts if it is early. */
	if (!has_proxy) {
		expect(whole.ends == cut.ends);
		expect(
		    whole.texts.len == cut.texts.len &&
		    (!cut.texts.len || memcmp(whole.texts.data, cut.texts.data,
					   cut.texts.len) == 0));
	}
	finish(&whole);
	finish(&cut);
	return 0;
}
