/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_page.h"

#include "api/page_assets.h"
#include "core/conf.h"
#include "net/http.h"

#include <string.h>

#define INDEX "/index.html"

bool api_page_is_there(const struct conf *conf)
{
	return conf->web && page_assets_n > 0;
}

const char *api_page_build(void)
{
	return page_assets_build;
}

struct guard {
	const char *name; /* NULL: the end of a list */
	const char *value;
};

/* connect-src 'self' includes WebSockets to this host and port. */
static const struct guard page_guards[] = {
    {"content-security-policy",
	"default-src 'none'; script-src 'self'; style-src 'self'; "
	"img-src 'self' data: blob:; connect-src 'self'; frame-src 'self'; "
	"manifest-src 'self'; base-uri 'none'; form-action 'none'; "
	"frame-ancestors 'none'; require-trusted-types-for 'script'; "
	"trusted-types 'none'"},
    {"x-content-type-options", "nosniff"},
    {"x-frame-options", "DENY"},
    {"referrer-policy", "no-referrer"},
    {"cross-origin-resource-policy", "same-origin"},
    {"permissions-policy", "camera=(), microphone=(), geolocation=()"},
    {0},
};

/* Policies are for documents: with other files they are only weight. */
static const struct guard asset_guards[] = {
    {"x-content-type-options", "nosniff"},
    {"cross-origin-resource-policy", "same-origin"},
    {0},
};

/* What runs in the frame is the agent's, and is kept from all else. */
static const struct guard frame_guards[] = {
    {"content-security-policy",
	"sandbox allow-scripts; default-src 'none'; "
	"script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
	"img-src data:; frame-ancestors 'self'"},
    {"x-content-type-options", "nosniff"},
    {"referrer-policy", "no-referrer"},
    {"cross-origin-resource-policy", "same-origin"},
    {"permissions-policy", "camera=(), microphone=(), geolocation=()"},
    {0},
};

/*
 * Chromium complains on the console if a page by plain http has this policy. It
 * sends Sec-Fetch-* to origins that can have it.
 */
static void add_opener_policy(struct http_req *req)
{
	if (http_header(req, "sec-fetch-mode"))
		http_add_header(
		    req, "cross-origin-opener-policy", "same-origin");
}

static void reply_file(
    struct http_req *req, const char *path, const struct guard *guards)
{
	const struct http_asset *asset =
	    http_asset_find(page_assets, page_assets_n, path);
	if (!asset) {
		http_reply_error(req, 404, "not found");
		return;
	}
	for (; guards->name; guards++)
		http_add_header(req, guards->name, guards->value);
	http_reply_asset(req, asset);
}

void api_page_get(struct http_req *req, void *arg)
{
	(void)arg;
	add_opener_policy(req);
	reply_file(req, INDEX, page_guards);
}

void api_page_asset(struct http_req *req, void *arg)
{
	(void)arg;
	reply_file(req, http_path(req), asset_guards);
}

void api_page_frame(struct http_req *req, void *arg)
{
	(void)arg;
	reply_file(req, http_path(req), frame_guards);
}

static bool takes_html(const struct http_req *req)
{
	const char *accept = http_header(req, "accept");
	return accept && strstr(accept, "text/html");
}

void api_page_root(struct http_req *req, void *arg)
{
	http_add_header(req, "vary", "accept");
	if (takes_html(req)) {
		api_page_get(req, arg);
		return;
	}
	/* Relative, since a proxy may serve us below a path of its own. */
	static const char body[] =
	    "<!doctype html><title>docs</title><a href=\"docs\">docs</a>\n";
	http_add_header(req, "location", "docs");
	http_reply(req, 302, "text/html; charset=utf-8", body, sizeof body - 1);
}
