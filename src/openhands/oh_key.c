/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_key.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/percent.h"
#include "base/span.h"
#include "identity/bearer.h"
#include "net/http.h"
#include "socketio/eio_request.h"

#include <stdlib.h>
#include <string.h>

static const char *key(void)
{
	const char *text = getenv("SESSION_API_KEY");
	return text && *text ? text : NULL;
}

bool oh_key_is_set(void)
{
	return key();
}

bool oh_key_is(const char *text, size_t len)
{
	const char *ours = key();
	return ours && bearer_is_same(text, len, ours);
}

/* ---- where it is shown ---- */

struct visit {
	bool (*fn)(void *arg, const char *text, size_t len);
	void *arg;
};

static bool visit_bearer(const struct visit *v, const char *header)
{
	const char *token = bearer_token(header);
	return token && v->fn(v->arg, token, strlen(token));
}

static bool visit_header(const struct visit *v, const char *header)
{
	return header && v->fn(v->arg, header, strlen(header));
}

static bool visit_query(const struct visit *v, const char *query)
{
	struct buf text = {0};
	struct span value = eio_query_find(query, OH_KEY_NAME);
	if (value.text)
		percent_bytes(&text, value.text, value.len, true);
	bool is_it = value.text && v->fn(v->arg, buf_cstr(&text), text.len);
	buf_fini(&text);
	return is_it;
}

/* One of "a=b; c=d". */
static bool visit_cookies(const struct visit *v, const char *header)
{
	const size_t n = sizeof OH_KEY_NAME;
	for (const char *at = header; at && *at;) {
		at += strspn(at, " ;");
		size_t len = strcspn(at, ";");
		if (len >= n && memcmp(at, OH_KEY_NAME "=", n) == 0 &&
		    v->fn(v->arg, at + n, len - n))
			return true;
		at += len;
	}
	return false;
}

bool oh_key_each(const struct http_req *req,
    bool (*fn)(void *arg, const char *text, size_t len), void *arg)
{
	const struct visit v = {fn, arg};
	return visit_header(&v, http_header(req, "x-session-api-key")) ||
	       visit_bearer(&v, http_header(req, "authorization")) ||
	       visit_query(&v, http_query(req)) ||
	       visit_cookies(&v, http_header(req, "cookie"));
}

static bool is_it(void *arg, const char *text, size_t len)
{
	(void)arg;
	return oh_key_is(text, len);
}

bool oh_key_is_shown(const struct http_req *req)
{
	return oh_key_each(req, is_it, NULL);
}

static bool is_member(const struct json *credentials, const char *name)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text =
	    json_str(json_get(credentials, name), &scratch, &len);
	bool is_good = text && oh_key_is(text, len);
	buf_fini(&scratch);
	return is_good;
}

bool oh_key_is_given(const struct json *credentials)
{
	return is_member(credentials, OH_KEY_NAME) ||
	       is_member(credentials, "token");
}
