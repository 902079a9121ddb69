/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agentserver/as_reply.h"

#include "base/buf.h"
#include "core/err.h"
#include "net/http.h"

#define JSON_TYPE "application/json"

void as_reply(struct http_req *req, int status, const struct buf *body)
{
	http_reply(req, status, JSON_TYPE, body->data, body->len);
}

void as_reply_success(struct http_req *req)
{
	static const char body[] = "{\"success\":true}";
	http_reply(req, 200, JSON_TYPE, body, sizeof body - 1);
}

void as_reply_detail(struct http_req *req, int status, const char *detail)
{
	struct buf body = {0};
	buf_str(&body, "{\"detail\":");
	buf_json_str(&body, detail);
	buf_char(&body, '}');
	as_reply(req, status, &body);
	buf_fini(&body);
}

static void add_retry_after(struct http_req *req, const struct err *err)
{
	struct buf seconds = {0};
	if (err->retry_after_ms || err_status(err->code) == 503) {
		buf_int(&seconds, err->retry_after_ms / 1000 + 1);
		http_add_header(req, "retry-after", buf_cstr(&seconds));
	}
	buf_fini(&seconds);
}

void as_reply_err(struct http_req *req, const struct err *err)
{
	add_retry_after(req, err);
	as_reply_detail(req, err_status(err->code), err_public_text(err));
}
