/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_docs.h"

#include "api/docs_page.h"
#include "base/buf.h"
#include "base/enc.h"
#include "net/http.h"

#include <stdint.h>
#include <string.h>

/*
 * The places in docs.html for the nonce that its script and style need to run.
 */
#define NONCE_MARK "@NONCE@"
#define NONCE_BYTES 16

/* Append the page with the nonce filled in. */
static void put_page(struct buf *out, const char *nonce)
{
	const char *at = docs_page_html, *mark;
	while ((mark = strstr(at, NONCE_MARK)) != NULL) {
		buf_append(out, at, (size_t)(mark - at));
		buf_str(out, nonce);
		at = mark + sizeof NONCE_MARK - 1;
	}
	buf_str(out, at);
}

/*
 * Not every browser applies 'self' to WebSockets too. A Host with unexpected
 * characters is kept out of the policy.
 */
static void put_socket(struct buf *out, const char *host)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789-._:[]";
	if (host && *host && !host[strspn(host, good)])
		buf_printf(out, " ws://%s wss://%s", host, host);
}

static void put_policy(
    struct buf *out, const struct http_req *req, const char *nonce)
{
	buf_printf(out,
	    "default-src 'none'; script-src 'nonce-%s'; style-src 'nonce-%s'; "
	    "img-src data:; connect-src 'self'",
	    nonce, nonce);
	put_socket(out, http_header(req, "host"));
	buf_str(out, "; base-uri 'none'; form-action 'none'; "
		     "frame-ancestors 'none'");
}

static void api_docs_add_headers(struct http_req *req, const char *nonce)
{
	static const struct {
		const char *name;
		const char *value;
	} headers[] = {
	    {"cache-control", "no-store"},
	    {"x-frame-options", "DENY"},
	    {"x-content-type-options", "nosniff"},
	    {"referrer-policy", "no-referrer"},
	    {"cross-origin-resource-policy", "same-origin"},
	};
	struct buf policy = {0};
	put_policy(&policy, req, nonce);
	http_add_header(req, "content-security-policy", buf_cstr(&policy));
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		http_add_header(req, headers[i].name, headers[i].value);
	buf_fini(&policy);
}

void api_docs_get(struct http_req *req, void *arg)
{
	(void)arg;
	uint8_t random[NONCE_BYTES];
	char nonce[2 * NONCE_BYTES + 1];
	struct buf page = {0};
	enc_random(random, sizeof random);
	enc_hex(nonce, random, sizeof random);
	api_docs_add_headers(req, nonce);
	put_page(&page, nonce);
	http_reply(req, 200, "text/html; charset=utf-8", page.data, page.len);
	buf_fini(&page);
}

void api_docs_root(struct http_req *req, void *arg)
{
	static const char page[] =
	    "<!doctype html><title>docs</title><a href=\"docs\">docs</a>\n";
	(void)arg;
	/* Relative, since a proxy may serve us below a path of its own. */
	http_add_header(req, "location", "docs");
	http_reply(req, 302, "text/html; charset=utf-8", page, sizeof page - 1);
}
