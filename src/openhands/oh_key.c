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

#define NAME "session_api_key"

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

static bool is_in_query(const char *query)
{
	struct buf text = {0};
	struct span value = eio_query_find(query, NAME);
	if (value.text)
		percent_bytes(&text, value.text, value.len, true);
	bool is_it = value.text && oh_key_is(buf_cstr(&text), text.len);
	buf_fini(&text);
	return is_it;
}

static bool is_bearer(const char *header)
{
	const char *token = bearer_token(header);
	return token && oh_key_is(token, strlen(token));
}

/* Whether one of "a=b; c=d" is it. */
static bool is_cookie(const char *header)
{
	const size_t n = sizeof NAME;
	for (const char *at = header; at && *at;) {
		at += strspn(at, " ;");
		size_t len = strcspn(at, ";");
		if (len >= n && memcmp(at, NAME "=", n) == 0 &&
		    oh_key_is(at + n, len - n))
			return true;
		at += len;
	}
	return false;
}

bool oh_key_is_shown(const struct http_req *req)
{
	return is_bearer(http_header(req, "authorization")) ||
	       is_in_query(http_query(req)) ||
	       is_cookie(http_header(req, "cookie"));
}

static bool is_member(const struct json *credentials, const char *name)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text =
	    json_str(json_get(credentials, name), &scratch, &len);
	bool is_it = text && oh_key_is(text, len);
	buf_fini(&scratch);
	return is_it;
}

bool oh_key_is_given(const struct json *credentials)
{
	return is_member(credentials, NAME) || is_member(credentials, "token");
}
