/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/request_limit.h"

#include "base/buf.h"
#include "door/door.h"
#include "door/reply.h"
#include "limits/limits.h"
#include "net/http.h"

#include <stddef.h>

static long long seconds(int64_t ms)
{
	return (ms + 999) / 1000;
}

/* draft-ietf-httpapi-ratelimit-headers */
static void request_limit_add_headers(
    struct http_req *req, const struct limits_verdict *v)
{
	struct buf text = {0};
	if (!v->name)
		return;
	buf_printf(&text, "\"%s\";q=%lld;w=%lld", v->name, (long long)v->most,
	    seconds(v->window_ms));
	http_add_header(req, "ratelimit-policy", buf_cstr(&text));
	buf_reset(&text);
	buf_printf(&text, "\"%s\";r=%lld;t=%lld", v->name, (long long)v->left,
	    seconds(v->reset_ms));
	http_add_header(req, "ratelimit", buf_cstr(&text));
	buf_fini(&text);
}

/* Returns 0, or -1 with v->err. */
static int request_limit_try(struct http_req *req,
    const struct door_setup *setup, const struct limits_who *who,
    struct limits_verdict *v)
{
	size_t len = 0;
	(void)http_body(req, &len); /* only its length counts */
	return limits_request(setup->limits, who, (int64_t)len, v);
}

static struct limits_who peer_of(struct http_req *req)
{
	return (struct limits_who){
	    .peer = http_peer(req),
	    .peer_is_loopback = http_peer_is_loopback(req),
	};
}

int request_limit_count(
    struct http_req *req, const struct door_setup *setup, struct err *err)
{
	struct limits_who who = peer_of(req);
	struct limits_verdict v;
	if (request_limit_try(req, setup, &who, &v) == 0)
		return 0;
	*err = v.err;
	return -1;
}

static bool request_limit_ask(struct http_req *req,
    const struct door_setup *setup, const struct limits_who *who)
{
	struct limits_verdict v;
	int rc = request_limit_try(req, setup, who, &v);
	request_limit_add_headers(req, &v);
	if (rc != 0)
		reply_err(req, &v.err);
	return rc == 0;
}

bool request_limit_peer(struct http_req *req, const struct door_setup *setup)
{
	struct limits_who who = peer_of(req);
	return request_limit_ask(req, setup, &who);
}

bool request_limit_caller(
    struct http_req *req, const struct door_setup *setup, const char *address)
{
	struct limits_who who = {.caller = address};
	return request_limit_ask(req, setup, &who);
}
