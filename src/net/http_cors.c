/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Requests made by web pages: which of them are refused (http_origin.h judges),
 * and the headers that let a page read the reply.
 */
#include "net/http_int.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#include <string.h>
#include <strings.h>

/* The interval between log lines about refused pages. */
#define WARN_EVERY_MS 60000

/* The request headers that a page may send beyond those always allowed. */
#define ALLOWED                                                          \
	"authorization, content-type, x-co-from, x-co-signature, "       \
	"x-co-timestamp, x-co-to, x-co-request-id, idempotency-key, "    \
	"last-event-id, cache-control, traceparent, x-session-api-key, " \
	"x-api-key, x-request-id"

/*
 * The methods: what ConnectOnion's host() tells, and what a preflight gets, since
 * the routes of an agent and of other protocols have more than that.
 */
#define METHODS "GET, POST, OPTIONS"
#define ALL_METHODS "GET, POST, PUT, PATCH, DELETE, OPTIONS"

/* The reply headers that a page may read beyond those always allowed. */
#define EXPOSED                                                        \
	"retry-after, ratelimit, ratelimit-policy, www-authenticate, " \
	"allow, location, etag, content-disposition"

static bool is_name(const h2o_header_t *h, const char *name, size_t len)
{
	return h->name->len == len && memcmp(h->name->base, name, len) == 0;
}

static bool is_value(const h2o_header_t *h, const char *value)
{
	return h->value.len == strlen(value) &&
	       strncasecmp(h->value.base, value, h->value.len) == 0;
}

/* Two Origin headers are joined into one value that no rule allows. */
static void add_origin(struct http_page *page, h2o_req_t *q, h2o_iovec_t value)
{
	if (page->origin)
		value = h2o_concat(&q->pool,
		    h2o_iovec_init(page->origin, page->origin_len),
		    h2o_iovec_init(H2O_STRLIT(", ")), value);
	page->origin = value.base;
	page->origin_len = value.len;
}

/* Collect what the headers say about the page; the caller sets is_near. */
static struct http_page page_of(h2o_req_t *q)
{
	static const char fetch[] = "sec-fetch-";
	const size_t n = sizeof fetch - 1;
	struct http_page page = {
	    .host = q->input.authority.base,
	    .host_len = q->input.authority.len,
	};
	for (size_t i = 0; i < q->headers.size; i++) {
		const h2o_header_t *h = &q->headers.entries[i];
		if (is_name(h, H2O_STRLIT("origin"))) {
			add_origin(&page, q, h->value);
			continue;
		}
		if (h->name->len < n || memcmp(h->name->base, fetch, n) != 0 ||
		    is_name(h, H2O_STRLIT("sec-fetch-mode")))
			continue;
		page.is_page = true;
		if (is_name(h, H2O_STRLIT("sec-fetch-site")) &&
		    is_value(h, "cross-site"))
			page.is_cross_site = true;
	}
	return page;
}

static bool is_of_page(const struct http_page *page)
{
	return page->origin || page->is_page;
}

static bool has_header(const h2o_req_t *q, const char *name, const char *value)
{
	ssize_t at =
	    h2o_find_header_by_str(&q->headers, name, strlen(name), -1);
	return at >= 0 && is_value(&q->headers.entries[at], value);
}

/*
 * A person follows a link: the reply is displayed, and no script can read it.
 */
static bool is_visit(const h2o_req_t *q)
{
	return h2o_memis(q->input.method.base, q->input.method.len,
		   H2O_STRLIT("GET")) &&
	       has_header(q, "sec-fetch-mode", "navigate") &&
	       has_header(q, "sec-fetch-dest", "document");
}

/* Whether the path is that of a rule, or below it if it ends in a star. */
static bool is_path_of(const struct http_open *open, const h2o_req_t *q)
{
	const char *path = q->input.path.base;
	size_t n = http_path_len(q), len = strlen(open->path);
	if (open->path[len - 1] != '*')
		return h2o_memis(path, n, open->path, len);
	return n >= len - 1 && memcmp(path, open->path, len - 1) == 0;
}

static bool is_open(
    const struct http *h, const h2o_req_t *q, enum http_origin_verdict verdict)
{
	for (size_t i = 0; i < h->n_open; i++) {
		const struct http_open *open = &h->open[i];
		if (is_path_of(open, q))
			return open->to == HTTP_OPEN_TO_ALL ||
			       (verdict == HTTP_ORIGIN_CROSS_SITE &&
				   is_visit(q));
	}
	return false;
}

/* ---- requests that are refused ---- */

static void put_why(struct buf *out, const struct http_page *page,
    enum http_origin_verdict verdict)
{
	if (verdict == HTTP_ORIGIN_HOST)
		buf_printf(out,
		    "forbidden: this server is not known to pages as "
		    "\"%.*s\"; if that is its name, it belongs in "
		    "allowed_hosts",
		    (int)(page->host_len > 100 ? 100 : page->host_len),
		    page->host);
	else if (verdict == HTTP_ORIGIN_FOREIGN)
		buf_printf(out,
		    "forbidden: pages of \"%.*s\" may not use this server; "
		    "those that may are in allowed_origins",
		    (int)(page->origin_len > 100 ? 100 : page->origin_len),
		    page->origin);
	else
		buf_str(out, "forbidden: pages of other sites may not use this "
			     "server; those that may are in allowed_origins");
}

static void warn(struct http *h, const struct http_req *r, const char *why)
{
	int64_t now_ms = clock_mono_ms();
	if (h->warned_page_ms && now_ms - h->warned_page_ms < WARN_EVERY_MS)
		return;
	h->warned_page_ms = now_ms;
	log_warn("http: peer=%s: %s", http_peer(r), why);
}

const char *http_cors_fault(struct http_req *r)
{
	struct http *h = r->conn->http;
	struct http_page page = page_of(r->h2o);
	if (!is_of_page(&page))
		return NULL;
	const struct http_client *client = http_req_client(r);
	page.is_near = client->is_near;
	enum http_origin_verdict verdict = http_origin_judge(&h->pages, &page);
	if (verdict == HTTP_ORIGIN_GOOD || is_open(h, r->h2o, verdict))
		return NULL;
	struct buf why = {0};
	put_why(&why, &page, verdict);
	if (client->is_vague)
		buf_str(&why, "; a proxy that stands before it belongs in "
			      "trusted_proxies");
	warn(h, r, buf_cstr(&why));
	const char *text = h2o_strdup(&r->h2o->pool, why.data, why.len).base;
	buf_fini(&why);
	return text;
}

/* ---- headers of replies ---- */

static void add(h2o_req_t *q, const char *name, const char *value, size_t len)
{
	size_t n = strlen(name);
	if (h2o_find_header_by_str(&q->res.headers, name, n, -1) == -1)
		h2o_add_header_by_str(
		    &q->pool, &q->res.headers, name, n, 0, NULL, value, len);
}

static const char everybody[] = "*";

/* Returns the origin that may read the reply, everybody, or NULL for none. */
static h2o_iovec_t reader_of(h2o_req_t *q, const struct http_page *page)
{
	struct http_conn *c = http_conn_of(q);
	const struct http_origin_rules *rules = &c->http->pages;
	struct http_page judged = *page;
	const h2o_iovec_t all = {(char *)(uintptr_t)everybody, 1};
	struct http_client client;
	if (!page->origin || http_origin_is_any(rules))
		return all;
	http_client_of(c, q, &client);
	judged.is_near = client.is_near;
	if (http_origin_judge(rules, &judged) != HTTP_ORIGIN_GOOD)
		return h2o_iovec_init(NULL, 0);
	if (client.is_near ||
	    http_origin_is_listed(rules, page->origin, page->origin_len))
		return h2o_iovec_init(page->origin, page->origin_len);
	return all;
}

static bool is_preflight(const h2o_req_t *q)
{
	return h2o_find_header_by_str(&q->headers,
		   H2O_STRLIT("access-control-request-method"), -1) >= 0;
}

void http_cors_add(h2o_req_t *q)
{
	struct http_page page = page_of(q);
	h2o_iovec_t reader = reader_of(q, &page);
	/* A cached copy must not be served to pages of other origins. */
	h2o_add_header_by_str(&q->pool, &q->res.headers, H2O_STRLIT("vary"), 0,
	    NULL, H2O_STRLIT("origin"));
	if (!reader.base)
		return;
	add(q, "access-control-allow-origin", reader.base, reader.len);
	/* Cookies are for pages that are named, not for any page. */
	if (reader.base != everybody)
		add(q, "access-control-allow-credentials", H2O_STRLIT("true"));
	if (is_preflight(q))
		add(q, "access-control-allow-methods", H2O_STRLIT(ALL_METHODS));
	else
		add(q, "access-control-allow-methods", H2O_STRLIT(METHODS));
	add(q, "access-control-allow-headers", H2O_STRLIT(ALLOWED));
	if (!page.origin)
		return;
	add(q, "access-control-expose-headers", H2O_STRLIT(EXPOSED));
	/*
	 * Browsers that send a preflight for a page from a public network want
	 * this too.
	 */
	if (has_header(q, "access-control-request-private-network", "true"))
		add(q, "access-control-allow-private-network",
		    H2O_STRLIT("true"));
}
