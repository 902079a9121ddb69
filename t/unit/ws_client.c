/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * A WebSocket client over bytes: the handshake, a proxy before it, frames from
 * a server as they were recorded, and TLS against OpenSSL's own server.
 */
#include "websocket/ws_client.h"

#include "base/buf.h"
#include "base/url.h"
#include "t/unit/tap.h"
#include "websocket/ws_hello.h"
#include "websocket/ws_proxy.h"
#include "websocket/ws_tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_BYTES 1000
#define MOST_FRAGMENTS 5

/* What the client reported, one line for each. */
static struct buf heard;
static struct ws_client *client;

static void on_open(void *arg)
{
	(void)arg;
	buf_str(&heard, "open\n");
}

static void on_text(void *arg, const char *text, size_t len)
{
	(void)arg;
	buf_printf(&heard, "text %.*s\n", (int)len, text);
}

static void on_end(void *arg, int code, const char *why)
{
	(void)arg;
	buf_printf(&heard, "end %d %s\n", code, why);
}

static const struct ws_client_handlers handlers = {
    .on_open = on_open,
    .on_text = on_text,
    .on_end = on_end,
};

/* With large messages, of which only sizes are reported. */
#define FIRST_BYTES ((size_t)100000)

static struct {
	size_t granted; /* 0: no large messages */
} large;

static size_t may_grow(void *arg, const char *text, size_t len)
{
	(void)arg;
	buf_printf(&heard, "%s %.3s\n",
	    len >= WS_CLIENT_BEGINNING && len < FIRST_BYTES ? "grow" : "late",
	    text);
	return large.granted;
}

static void on_refused(void *arg, const char *text, size_t len)
{
	(void)arg;
	(void)len;
	buf_printf(&heard, "refused %.3s\n", text);
}

static void on_size(void *arg, const char *text, size_t len)
{
	(void)arg;
	buf_printf(&heard, "size %zu %.3s\n", len, text);
}

static const struct ws_client_handlers large_handlers = {
    .on_open = on_open,
    .on_text = on_size,
    .may_grow = may_grow,
    .on_refused = on_refused,
    .on_end = on_end,
};

/* ---- words of the tests ---- */

static void begin(
    const char *url, const char *proxy, const struct ws_trust *trust)
{
	struct url to, by = {0};
	const char *why;

	if (url_parse(&to, url, &why) != 0 ||
	    (proxy && url_parse(&by, proxy, &why) != 0))
		abort();
	struct ws_client_setup setup = {
	    .url = &to,
	    .proxy = proxy ? &by : NULL,
	    .trust = trust,
	    .user_agent = "test/1",
	    .fields = "X-More: 1\r\n",
	    .max_message_bytes = large.granted ? SIZE_MAX / 2 : MOST_BYTES,
	    .first_bytes = FIRST_BYTES,
	    .max_fragments = MOST_FRAGMENTS,
	    .handlers = large.granted ? &large_handlers : &handlers,
	};
	buf_reset(&heard);
	client = ws_client_new(&setup);
	url_fini(&to);
	url_fini(&by);
}

static void finish(void)
{
	ws_client_free(&client);
	ok(client == NULL, "a freed client is NULL");
}

/* What the client wants to send, taken from it. */
static const char *taken(size_t *len)
{
	static struct buf text;
	struct buf *out = ws_client_output(client);

	buf_reset(&text);
	buf_append(&text, out->data, out->len);
	buf_consume(out, out->len);
	*len = text.len;
	return buf_cstr(&text);
}

static const char *words(void)
{
	size_t len;

	return taken(&len);
}

/* What was reported since the last call. */
static const char *said(void)
{
	static struct buf text;

	buf_reset(&text);
	buf_append(&text, heard.data, heard.len);
	buf_reset(&heard);
	return buf_cstr(&text);
}

static void feed(const char *text)
{
	ws_client_feed(client, text, strlen(text));
}

/* The value of a field of a request. */
static void field_of(const char *request, const char *name, char out[64])
{
	const char *at = strstr(request, name);

	*out = '\0';
	if (at)
		(void)sscanf(at + strlen(name), ": %63[^\r]", out);
}

static void accept_for(const char *key, char out[64])
{
	char text[128];
	unsigned char sum[SHA_DIGEST_LENGTH];
	int n = snprintf(
	    text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);

	SHA1((unsigned char *)text, (size_t)n, sum);
	EVP_EncodeBlock((unsigned char *)out, sum, sizeof sum);
}

/* A server's good answer to this request, and more after it. */
static const char *answer(const char *request, const char *more)
{
	static struct buf text;
	char key[64], accept[64];

	field_of(request, "Sec-WebSocket-Key", key);
	accept_for(key, accept);
	buf_reset(&text);
	buf_printf(&text,
	    "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n"
	    "connection: keep-alive, upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n\r\n%s",
	    accept, more);
	return buf_cstr(&text);
}

static void open_client(void)
{
	begin("ws://h", NULL, NULL);
	feed(answer(words(), ""));
	(void)said();
}

/* Take one masked frame off what the client sends: its opcode, 0: none. */
static unsigned frame(char *data, size_t size)
{
	struct buf *out = ws_client_output(client);
	const unsigned char *p = (const unsigned char *)out->data;
	size_t at = 2, len;

	if (out->len < 2)
		return 0;
	len = p[1] & 127;
	if (len == 126) {
		len = (size_t)p[2] << 8 | p[3];
		at = 4;
	}
	const unsigned char *mask = p + at;
	at += 4;
	unsigned op = p[0] & 15;
	if (!(p[1] & 128) || out->len < at + len || len >= size)
		return 0;
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(p[at + i] ^ mask[i % 4]);
	data[len] = '\0';
	buf_consume(out, at + len);
	return op;
}

/* ---- the handshake ---- */

static void test_request(void)
{
	char key[64], other[64];

	begin("ws://Relay.example:8080/ws/announce?x", NULL, NULL);
	is_str(ws_client_host(client), "relay.example",
	    "a client without a proxy connects to the server");
	is_int(ws_client_port(client), 8080,
	    "a client without a proxy connects to the server's port");
	const char *request = words();
	field_of(request, "Sec-WebSocket-Key", key);
	ok(strncmp(request,
	       "GET /ws/announce?x HTTP/1.1\r\n"
	       "Host: relay.example:8080\r\n",
	       54) == 0,
	    "the request names target and host");
	ok(strstr(request, "\r\nUpgrade: websocket\r\n"
			   "Connection: Upgrade\r\n") &&
		strstr(request, "\r\nSec-WebSocket-Version: 13\r\n") &&
		strstr(request, "\r\nUser-Agent: test/1\r\n"),
	    "the request asks for a WebSocket, version 13");
	ok(strstr(request, "\r\nX-More: 1\r\n\r\n") != NULL,
	    "the request has the fields that its owner adds");
	is_int((int)strlen(key), 24, "the key has 24 characters");
	finish();
	begin("ws://h", NULL, NULL);
	field_of(words(), "Sec-WebSocket-Key", other);
	ok(strcmp(key, other) != 0, "each handshake has a key of its own");
	finish();
}

static void test_accepted(void)
{
	begin("ws://h", NULL, NULL);
	ok(!ws_client_is_open(client), "a client is not open at first");
	feed(answer(words(), "\x81\x02hi"));
	is_str(said(), "open\ntext hi\n",
	    "what follows the answer in the same bytes is read");
	ok(ws_client_is_open(client), "a client whose request was accepted is "
				      "open");
	finish();

	begin("ws://h", NULL, NULL);
	const char *text = answer(words(), "\x81\x02hi");
	for (; *text; text++)
		ws_client_feed(client, text, 1);
	is_str(said(), "open\ntext hi\n", "an answer may come byte by byte");
	finish();
}

static void test_refused(void)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
	    {"HTTP/1.1 404 Not Found\r\n\r\n", "answered 404 Not Found"},
	    {"HTTP/1.0 503\r\n\r\n", "answered 503"},
	    {"HTTP/1.1 200 a\tb\x1b\r\n\r\n", "answered 200 a?b?"},
	    {"HTTP/1.1 101 x\r\n\r\n",
		"answered without \"Upgrade: websocket\""},
	    {"HTTP/1.1 101 x\r\nUpgrade: h2c\r\n\r\n",
		"answered without \"Upgrade: websocket\""},
	    {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n",
		"answered without \"Connection: Upgrade\""},
	    {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: close,Upgrade"
	     "\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
		"answered with a wrong Sec-WebSocket-Accept"},
	    {"SSH-2.0-x\r\n", "does not speak HTTP/1.1"},
	    {"HTTP/2 200 OK\r\n\r\n", "does not speak HTTP/1.1"},
	    {"HTTP/1.1 10x no\r\n\r\n", "does not speak HTTP/1.1"},
	    {"HTTP/1.1\r\n\r\n", "does not speak HTTP/1.1"},
	};
	struct buf want = {0};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		begin("ws://h", NULL, NULL);
		feed(cases[i].text);
		buf_reset(&want);
		buf_printf(&want, "end 1006 %s\n", cases[i].why);
		is_str(said(), buf_cstr(&want),
		    "case %zu of refusals ends the client and says why", i);
		feed("\x81\x02hi");
		is_str(said(), "", "case %zu hears nothing after its end", i);
		ws_client_free(&client);
	}
	buf_fini(&want);
}

static void test_unasked(void)
{
	struct buf text = {0};

	begin("ws://h", NULL, NULL);
	buf_str(&text, answer(words(), ""));
	text.len -= 2;
	buf_str(&text, "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
	ws_client_feed(client, text.data, text.len);
	is_str(said(),
	    "end 1006 chose an extension or protocol that was not offered\n",
	    "an extension that was not offered ends the client");
	buf_fini(&text);
	finish();
}

static void test_long_head(void)
{
	begin("ws://h", NULL, NULL);
	feed("HTTP/1.1 101 x\r\n");
	for (int i = 0; i < 2000; i++)
		feed("x: 0123456\r\n");
	is_str(said(), "end 1006 does not speak HTTP/1.1\n",
	    "a head without end has a limit");
	finish();
}

static void test_eof(void)
{
	begin("ws://h", NULL, NULL);
	ws_client_eof(client, "closed the connection");
	is_str(said(), "end 1006 closed the connection\n",
	    "a connection that ends before the answer is reported");
	ok(ws_client_is_over(client),
	    "a client whose connection ended is over");
	finish();
}

/* ---- a proxy ---- */

static void test_tunnel(void)
{
	begin("ws://relay:8000/ws", "http://a:b@proxy:3128", NULL);
	is_str(ws_client_host(client), "proxy",
	    "a client with a proxy connects to that");
	is_int(ws_client_port(client), 3128,
	    "a client with a proxy connects to the proxy's port");
	is_str(words(),
	    "CONNECT relay:8000 HTTP/1.1\r\nHost: relay:8000\r\n"
	    "Proxy-Authorization: Basic YTpi\r\n\r\n",
	    "a proxy is asked for a tunnel, with the user of its URL");
	feed("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n");
	const char *request = words();
	ok(strncmp(request, "GET /ws HTTP/1.1\r\nHost: relay:8000\r\n", 36) ==
		0,
	    "through the tunnel comes the request for a WebSocket");
	ok(!strstr(request, "Proxy-"),
	    "the server does not get the proxy's password");
	feed(answer(request, ""));
	is_str(said(), "open\n", "a client opens through a proxy");
	finish();
}

static void test_tunnel_refused(void)
{
	begin("ws://relay", "http://proxy", NULL);
	feed("HTTP/1.1 407 no\r\n\r\n");
	is_str(said(),
	    "end 1006 is behind a proxy that answered 407 to CONNECT\n",
	    "a proxy that refuses ends the client");
	finish();
	begin("ws://relay", "http://proxy", NULL);
	feed("HTTP/1.1 200 yes\r\n\r\nHTTP/1.1 101 x\r\n");
	is_str(said(),
	    "end 1006 is behind a proxy that sent more than its answer\n",
	    "a proxy that speaks for the server ends the client");
	finish();
}

static const struct {
	const char *url;
	const char *name, *value, *no_proxy;
	const char *proxy;
} choices[] = {
    {"wss://r", "https_proxy", "http://p:1", NULL, "p:1"},
    {"wss://r", "HTTPS_PROXY", "p:1", NULL, "p:1"},
    {"wss://r", "wss_proxy", "http://p", NULL, "p"},
    {"wss://r", "http_proxy", "http://p:1", NULL, ""},
    {"wss://r", "all_proxy", "http://p:1", NULL, "p:1"},
    {"ws://r", "http_proxy", "http://p:1", NULL, "p:1"},
    {"ws://r", "https_proxy", "http://p:1", NULL, "p:1"},
    {"ws://r", "HTTP_PROXY", "http://p:1", NULL, ""},
    {"ws://r", "https_proxy", "", NULL, ""},
    {"wss://a.b.c", "https_proxy", "http://p:1", "x, b.c", ""},
    {"wss://a.b.c", "https_proxy", "http://p:1", ".b.c", ""},
    {"wss://a.b.c", "https_proxy", "http://p:1", "*", ""},
    {"wss://ab.c", "https_proxy", "http://p:1", "b.c", "p:1"},
    {"wss://r:9", "https_proxy", "http://p:1", "r:8,", "p:1"},
    {"wss://r:9", "https_proxy", "http://p:1", "r:9", ""},
    {"wss://[::1]", "https_proxy", "http://p:1", "::1", ""},
    {"wss://[::1]:9", "https_proxy", "http://p:1", "[::1]:9", ""},
    {"wss://r", "https_proxy", "socks5://p:1", NULL,
	"the proxy that https_proxy names does not begin with wss://, ws://, "
	"https:// or http://"},
    {"wss://r", "https_proxy", "https://p:1", NULL,
	"the proxy that https_proxy names is not an http:// URL"},
};

static void test_choice(void)
{
	static const char *const all[] = {"wss_proxy", "ws_proxy",
	    "https_proxy", "http_proxy", "all_proxy", "no_proxy", "WSS_PROXY",
	    "WS_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"};

	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
		struct url url, proxy;
		struct buf got = {0};
		const char *fault;
		char why[200];
		for (size_t j = 0; j < sizeof all / sizeof *all; j++)
			(void)unsetenv(all[j]);
		(void)setenv(choices[i].name, choices[i].value, 1);
		if (choices[i].no_proxy)
			(void)setenv("no_proxy", choices[i].no_proxy, 1);
		if (url_parse(&url, choices[i].url, &fault) != 0)
			abort();
		int rc = ws_proxy_find(&proxy, &url, why, sizeof why);
		if (rc == 1)
			url_put_host(&got, &proxy, false);
		else if (rc < 0)
			buf_str(&got, why);
		is_str(buf_cstr(&got), choices[i].proxy,
		    "case %zu of the environment names its proxy, or none", i);
		url_fini(&proxy);
		url_fini(&url);
		buf_fini(&got);
	}
}

/* ---- frames ---- */

static void test_send(void)
{
	char text[2000], got[2000];

	open_client();
	ws_client_send(client, "hello", 5);
	is_int(frame(got, sizeof got), 1, "a message is a text frame, masked");
	is_str(got, "hello", "a message unmasks to what was sent");
	memset(text, 'x', sizeof text);
	ws_client_send(client, text, 1500);
	is_int(frame(got, sizeof got), 1, "a long message is one frame");
	is_mem(got, strlen(got), text, 1500,
	    "a long message unmasks to all of it");
	ws_client_ping(client);
	is_int(frame(got, sizeof got), 9, "a ping is sent");
	is_int((int)ws_client_output(client)->len, 0, "nothing else is sent");
	finish();
	begin("ws://h", NULL, NULL);
	(void)words();
	ws_client_send(client, "early", 5);
	is_int((int)ws_client_output(client)->len, 0,
	    "a message before the handshake's end is dropped");
	finish();
}

/* Bytes that servers sent, and what becomes of them. */
static const struct {
	const char *what;
	const char *bytes;
	size_t n;
	const char *said;
	unsigned opcode; /* of the frame that answers, 0: none */
} frames[] = {
    {"a message", "\x81\x02hi", 4, "text hi\n", 0},
    {"an empty message", "\x81\x00", 2, "text \n", 0},
    {"two messages",
	"\x81\x01"
	"a\x81\x01"
	"b",
	6, "text a\ntext b\n", 0},
    {"a message in fragments",
	"\x01\x01"
	"a\x00\x01"
	"b\x80\x01"
	"c",
	9, "text abc\n", 0},
    {"a ping between fragments",
	"\x01\x01"
	"a\x89\x01?\x80\x01"
	"b",
	9, "text ab\n", 10},
    {"a ping", "\x89\x02hi", 4, "", 10},
    {"a pong", "\x8a\x02hi", 4, "", 0},
    {"a binary message", "\x82\x02hi", 4, "", 0},
    {"a close with a code", "\x88\x02\x03\xe8", 4,
	"end 1000 closed the connection with code 1000\n", 8},
    {"a close without a code", "\x88\x00", 2,
	"end 1005 closed the connection with code 1005\n", 8},
    {"a close for a restart",
	"\x88\x05\x03\xf4"
	"bye",
	7, "end 1012 closed the connection with code 1012\n", 8},
    {"a close with an impossible code", "\x88\x02\x03\xf7", 4,
	"end 1006 broke the rules of WebSocket\n", 8},
    {"a masked frame", "\x81\x82\x00\x00\x00\x00hi", 8,
	"end 1006 broke the rules of WebSocket\n", 8},
    {"a reserved opcode", "\x83\x00", 2,
	"end 1006 broke the rules of WebSocket\n", 8},
    {"text that is not UTF-8", "\x81\x02\xff\xfe", 4,
	"end 1006 broke the rules of WebSocket\n", 8},
    {"a message over the limit", "\x81\x7e\x03\xe9x", 5,
	"end 1006 sent a message that is too large\n", 8},
    {"a message of 2^63 - 1 bytes", "\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xffx",
	11, "end 1006 sent a message that is too large\n", 8},
    {"more fragments than the limit",
	"\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 12,
	"end 1006 sent a message that is too large\n", 8},
};

static void test_frames(void)
{
	char got[200];

	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
		for (int by_byte = 0; by_byte < 2; by_byte++) {
			size_t step = by_byte ? 1 : frames[i].n;
			open_client();
			for (size_t at = 0; at < frames[i].n; at += step)
				ws_client_feed(
				    client, frames[i].bytes + at, step);
			is_str(said(), frames[i].said,
			    "%s is reported as it should%s", frames[i].what,
			    by_byte ? ", byte by byte" : "");
			is_int(frame(got, sizeof got), frames[i].opcode,
			    "%s is answered as it should%s", frames[i].what,
			    by_byte ? ", byte by byte" : "");
			ws_client_free(&client);
		}
	}
}

/* Append a frame of len letters. */
static void put_large(
    struct buf *out, int first_byte, char letter, uint32_t len)
{
	buf_char(out, (char)first_byte);
	buf_append(out, "\x7f\0\0\0", 5);
	for (int i = 24; i >= 0; i -= 8)
		buf_char(out, (char)(len >> i));
	for (uint32_t i = 0; i < len; i++)
		buf_char(out, letter);
}

static void feed_all(struct buf *bytes)
{
	for (size_t at = 0; at < bytes->len; at += 1000)
		ws_client_feed(client, bytes->data + at,
		    bytes->len - at < 1000 ? bytes->len - at : 1000);
	buf_fini(bytes);
}

static void test_large(void)
{
	struct buf bytes = {0};

	large.granted = 150000;
	open_client();
	put_large(&bytes, 0x81, 'a', 100000);
	put_large(&bytes, 0x81, 'b', 100001);
	feed_all(&bytes);
	is_str(said(), "size 100000 aaa\ngrow bbb\nsize 100001 bbb\n",
	    "a message above the first limit is asked for");
	put_large(&bytes, 0x81, 'c', 150001);
	buf_str(&bytes, "\x81\x03"
			"ddd");
	feed_all(&bytes);
	is_str(said(), "grow ccc\nrefused ccc\nsize 3 ddd\n",
	    "a message larger than allowed is dropped, and the next one read");
	put_large(&bytes, 0x01, 'e', 66000);
	put_large(&bytes, 0x00, 'f', 66000);
	put_large(&bytes, 0x00, 'g', 66000);
	put_large(&bytes, 0x80, 'h', 66000);
	buf_str(&bytes, "\x81\x03"
			"iii");
	feed_all(&bytes);
	is_str(said(), "grow eee\nrefused eee\nsize 3 iii\n",
	    "a message in fragments is refused once");
	finish();
	large.granted = 0;
}

static void test_close(void)
{
	char got[200], reason[300];

	open_client();
	ws_client_close(client, 1000, "bye");
	is_int(frame(got, sizeof got), 8, "a close is sent");
	is_str(got + 2, "bye", "a close is sent with its reason");
	ok(!ws_client_is_open(client), "after a close nothing may be sent");
	ws_client_send(client, "late", 4);
	ws_client_close(client, 1001, "twice");
	is_int((int)ws_client_output(client)->len, 0,
	    "a client sends nothing after its close");
	feed("\x81\x02hi");
	is_str(said(), "text hi\n", "messages before the answer are read");
	ws_client_feed(client, "\x88\x02\x03\xe8", 4);
	is_str(said(), "end 1000 closed the connection with code 1000\n",
	    "the answer to a close ends the client");
	finish();
	open_client();
	memset(reason, 'x', sizeof reason - 1);
	reason[sizeof reason - 1] = '\0';
	memcpy(reason + 122, "\xe2\x82\xac", 3);
	ws_client_close(client, 1000, reason);
	is_int(frame(got, sizeof got), 8, "a long reason is cut");
	is_int((int)strlen(got + 2), 122, "between two characters");
	finish();
}

/* ---- TLS ---- */

static X509 *cert;
static EVP_PKEY *key;

/* A certificate that signs itself, for "relay.test" and 127.0.0.1. */
static void make_cert(void)
{
	X509_EXTENSION *names;

	key = EVP_EC_gen("P-256");
	cert = X509_new();
	(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	(void)X509_set_version(cert, 2);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	(void)X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
	    MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
	(void)X509_set_issuer_name(cert, X509_get_subject_name(cert));
	names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
	    "DNS:relay.test, DNS:*.many.test, IP:127.0.0.1");
	(void)X509_add_ext(cert, names, -1);
	X509_EXTENSION_free(names);
	(void)X509_sign(cert, key, EVP_sha256());
}

/* Trust in that certificate, as SSL_CERT_FILE gives it. */
static struct ws_trust *trust_cert(bool does)
{
	char path[] = "/tmp/ws_client.XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w");

	if (!f || !PEM_write_X509(f, cert) || fclose(f) != 0)
		abort();
	(void)setenv("SSL_CERT_FILE", does ? path : "/dev/null", 1);
	(void)setenv("SSL_CERT_DIR", "/nowhere", 1);
	struct ws_trust *trust = ws_trust_open();
	(void)unlink(path);
	return trust;
}

struct server {
	SSL_CTX *context;
	SSL *ssl;
	BIO *in, *out;
	struct buf got; /* decrypted */
};

static void server_open(struct server *s, int version)
{
	*s = (struct server){.context = SSL_CTX_new(TLS_server_method())};
	(void)SSL_CTX_use_certificate(s->context, cert);
	(void)SSL_CTX_use_PrivateKey(s->context, key);
	(void)SSL_CTX_set_max_proto_version(s->context, version);
	s->ssl = SSL_new(s->context);
	s->in = BIO_new(BIO_s_mem());
	s->out = BIO_new(BIO_s_mem());
	SSL_set_bio(s->ssl, s->in, s->out);
	SSL_set_accept_state(s->ssl);
}

static void server_close(struct server *s)
{
	SSL_free(s->ssl);
	SSL_CTX_free(s->context);
	buf_fini(&s->got);
}

/* Move bytes both ways until nothing moves. */
static void exchange(struct server *s)
{
	struct buf *out = ws_client_output(client);
	char bytes[4096];
	int n;

	do {
		if (out->len)
			(void)BIO_write(s->in, out->data, (int)out->len);
		buf_consume(out, out->len);
		while ((n = SSL_read(s->ssl, bytes, sizeof bytes)) > 0)
			buf_append(&s->got, bytes, (size_t)n);
		while ((n = BIO_read(s->out, bytes, sizeof bytes)) > 0)
			ws_client_feed(client, bytes, (size_t)n);
	} while (out->len);
}

static void test_tls(int version, const char *name)
{
	struct ws_trust *trust = trust_cert(true);
	struct server s;
	char got[200];

	begin("wss://relay.test/ws", NULL, trust);
	server_open(&s, version);
	exchange(&s);
	is_str(SSL_get_servername(s.ssl, TLSEXT_NAMETYPE_host_name),
	    "relay.test", "%s: the server is told which name is meant", name);
	buf_char(&s.got, '\0');
	ok(strncmp(s.got.data, "GET /ws HTTP/1.1\r\n", 18) == 0,
	    "%s: the request comes encrypted", name);
	const char *text = answer(s.got.data, "\x81\x02hi");
	(void)SSL_write(s.ssl, text, (int)strlen(text));
	exchange(&s);
	is_str(said(), "open\ntext hi\n", "%s: messages come encrypted", name);
	buf_reset(&s.got);
	ws_client_send(client, "hello", 5);
	exchange(&s);
	is_int((int)s.got.len, 11, "%s: messages go encrypted", name);
	(void)SSL_write(s.ssl, "\x88\x00", 2);
	exchange(&s);
	is_str(said(), "end 1005 closed the connection with code 1005\n",
	    "%s: the end comes encrypted", name);
	ok(SSL_get_shutdown(s.ssl) & SSL_RECEIVED_SHUTDOWN,
	    "%s: TLS is ended as well", name);
	is_int(frame(got, sizeof got), 0, "%s: nothing goes in clear", name);
	server_close(&s);
	ws_client_free(&client);
	ws_trust_close(&trust);
}

static const struct {
	const char *url;
	bool is_trusted;
	const char *said;
} hosts[] = {
    {"wss://relay.test", true, ""},
    {"wss://a.many.test", true, ""},
    {"wss://127.0.0.1", true, ""},
    {"wss://other.test", true,
	"end 1006 cannot be trusted: its certificate: hostname mismatch\n"},
    {"wss://127.0.0.2", true,
	"end 1006 cannot be trusted: its certificate: IP address mismatch\n"},
    {"wss://relay.test", false,
	"end 1006 cannot be trusted: its certificate: self-signed "
	"certificate\n"},
};

static void test_trust(void)
{
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		struct ws_trust *trust = trust_cert(hosts[i].is_trusted);
		struct server s;
		begin(hosts[i].url, NULL, trust);
		server_open(&s, TLS1_3_VERSION);
		exchange(&s);
		is_str(said(), hosts[i].said,
		    "certificate %zu is trusted, or refused with a reason", i);
		is_int(s.got.len > 0, !*hosts[i].said,
		    "certificate %zu gets a request only if it is trusted", i);
		server_close(&s);
		ws_client_free(&client);
		ws_trust_close(&trust);
	}
}

static void test_no_tls(void)
{
	struct ws_trust *trust = trust_cert(true);

	begin("wss://relay.test", NULL, trust);
	(void)words();
	feed("HTTP/1.1 400 Bad Request\r\n\r\n");
	ok(strncmp(said(), "end 1006 cannot be trusted: TLS: ", 33) == 0,
	    "a server without TLS ends the client");
	finish();
	ws_trust_close(&trust);
}

int main(void)
{
	test_request();
	test_accepted();
	test_refused();
	test_unasked();
	test_long_head();
	test_eof();
	test_tunnel();
	test_tunnel_refused();
	test_choice();
	test_send();
	test_frames();
	test_large();
	test_close();
	make_cert();
	test_tls(TLS1_2_VERSION, "TLS 1.2");
	test_tls(TLS1_3_VERSION, "TLS 1.3");
	test_trust();
	test_no_tls();
	X509_free(cert);
	EVP_PKEY_free(key);
	buf_fini(&heard);
	return done();
}
