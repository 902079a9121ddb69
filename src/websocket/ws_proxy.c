/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "websocket/ws_proxy.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/span.h"

#include <openssl/evp.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the variable's value, or NULL if it is not set or empty. */
static const char *read_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/*
 * The upper case of http_proxy is left out: a web server sets HTTP_PROXY for
 * its CGI programs to what a client sends.
 */
static const char *read_either(const char *name)
{
	char upper[16];
	size_t i = 0;
	const char *value = read_variable(name);

	if (value || strcmp(name, "http_proxy") == 0)
		return value;
	for (; name[i] && i < sizeof upper - 1; i++)
		upper[i] = (char)toupper((unsigned char)name[i]);
	upper[i] = '\0';
	return read_variable(upper);
}

static const char *find_variable(const struct url *url, const char **name)
{
	static const char *const secure[] = {
	    "wss_proxy", "https_proxy", "all_proxy", NULL};
	static const char *const plain[] = {
	    "ws_proxy", "https_proxy", "http_proxy", "all_proxy", NULL};
	const char *const *names = url->is_secure ? secure : plain;

	for (; *names; names++) {
		const char *value = read_either(*names);
		*name = *names;
		if (value)
			return value;
	}
	return NULL;
}

/* Take a port off the end of an entry; 0 if it has none. */
static unsigned take_port(struct span *entry)
{
	const char *colon = memrchr(entry->text, ':', entry->len);
	unsigned port = 0;

	/* An IPv6 address without brackets has several colons. */
	if (!colon ||
	    (memchr(entry->text, ':', entry->len) != colon && colon[-1] != ']'))
		return 0;
	for (const char *c = colon + 1; c < entry->text + entry->len; c++) {
		if (!isdigit((unsigned char)*c) || port > UINT16_MAX)
			return 0;
		port = port * 10 + (unsigned)(*c - '0');
	}
	entry->len = (size_t)(colon - entry->text);
	return port;
}

static void strip(struct span *entry, char c)
{
	if (entry->len && *entry->text == c) {
		entry->text++;
		entry->len--;
	}
}

/* Whether an entry of no_proxy names the host, or a domain that it is in. */
static bool is_spared_by(const struct url *url, struct span entry)
{
	size_t n = strlen(url->host);

	if (!entry.len)
		return false;
	if (span_is_like(entry, "*"))
		return true;
	unsigned port = take_port(&entry);
	if (port && port != url->port)
		return false;
	strip(&entry, '[');
	if (entry.len && entry.text[entry.len - 1] == ']')
		entry.len--;
	strip(&entry, '.');
	if (!entry.len || entry.len > n)
		return false;
	return strncasecmp(url->host + n - entry.len, entry.text, entry.len) ==
		   0 &&
	       (entry.len == n || url->host[n - entry.len - 1] == '.');
}

static bool is_spared(const struct url *url)
{
	const char *list = read_either("no_proxy");

	while (list) {
		const char *comma = strchr(list, ',');
		size_t n = comma ? (size_t)(comma - list) : strlen(list);
		if (is_spared_by(url, span_trim((struct span){list, n})))
			return true;
		list = comma ? comma + 1 : NULL;
	}
	return false;
}

/* As other programs do, take a proxy without a scheme for one of HTTP. */
static int parse(struct url *proxy, const char *value, const char **why)
{
	struct buf text = {0};

	if (!strstr(value, "://"))
		buf_str(&text, "http://");
	buf_str(&text, value);
	int rc = url_parse(proxy, buf_cstr(&text), why);
	buf_fini(&text);
	if (rc == 0 && (!proxy->is_http || proxy->is_secure)) {
		*why = "is not an http:// URL";
		url_fini(proxy);
		return -1;
	}
	return rc;
}

int ws_proxy_find(
    struct url *proxy, const struct url *url, char *why, size_t size)
{
	const char *name, *fault;
	const char *value = find_variable(url, &name);

	*proxy = (struct url){0};
	if (!value || is_spared(url))
		return 0;
	if (parse(proxy, value, &fault) == 0)
		return 1;
	/* The value may contain a password. */
	(void)snprintf(why, size, "the proxy that %s names %s", name, fault);
	return -1;
}

static void put_base64(struct buf *out, const char *text)
{
	size_t n = strlen(text);
	unsigned char *room =
	    (unsigned char *)buf_reserve(out, (n + 2) / 3 * 4 + 1);

	out->len +=
	    (size_t)EVP_EncodeBlock(room, (const unsigned char *)text, (int)n);
}

void ws_proxy_ask(
    struct buf *out, const struct url *proxy, const struct url *url)
{
	buf_str(out, "CONNECT ");
	url_put_host(out, url, true);
	buf_str(out, " HTTP/1.1\r\nHost: ");
	url_put_host(out, url, true);
	buf_str(out, "\r\n");
	if (proxy->user) {
		buf_str(out, "Proxy-Authorization: Basic ");
		put_base64(out, proxy->user);
		buf_str(out, "\r\n");
	}
	buf_str(out, "\r\n");
}
