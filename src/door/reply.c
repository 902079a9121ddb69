/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/reply.h"

#include "base/percent.h"
#include "core/err.h"
#include "net/http.h"

#include <string.h>

void reply_json(struct http_req *req, int status, const struct buf *body)
{
	http_reply(req, status, "application/json", body->data, body->len);
}

void reply_success(struct http_req *req)
{
	static const char body[] = "{\"success\":true}";
	http_reply(req, 200, "application/json", body, sizeof body - 1);
}

void reply_detail(struct http_req *req, int status, const char *text)
{
	struct buf out = {0};
	buf_str(&out, "{\"detail\":");
	buf_json_str(&out, text);
	buf_char(&out, '}');
	reply_json(req, status, &out);
	buf_fini(&out);
}

static void put_retry(struct buf *out, const struct err *err)
{
	buf_str(out, ",\"data\":{\"retryable\":true");
	if (err->retry_after_ms)
		buf_printf(out, ",\"retry_after_ms\":%lld",
		    (long long)err->retry_after_ms);
	buf_char(out, '}');
}

void reply_retry_after(struct http_req *req, const struct err *err)
{
	struct buf seconds = {0};
	if (err->retry_after_ms)
		buf_int(&seconds, (err->retry_after_ms + 999) / 1000);
	else if (err_status(err->code) == 503)
		buf_int(&seconds, 1);
	if (seconds.len)
		http_add_header(req, "retry-after", buf_cstr(&seconds));
	buf_fini(&seconds);
}

void reply_err(struct http_req *req, const struct err *err)
{
	struct buf out = {0};
	buf_str(&out, "{\"error\":");
	buf_json_str(&out, err_public_text(err));
	if (err_rpc(err->code))
		buf_printf(&out, ",\"code\":%d", err_rpc(err->code));
	if (err->reason)
		buf_printf(&out, ",\"reason\":\"%s\"", err->reason);
	if (err_is_retryable(err->code))
		put_retry(&out, err);
	buf_char(&out, '}');
	reply_retry_after(req, err);
	http_reply_problem(req, err_status(err->code), out.data, out.len);
	buf_fini(&out);
}

void reply_segment(struct http_req *req, struct buf *id)
{
	const char *segment = http_segment(req);
	/* A broken escape is kept as it is; no session has such an id. */
	percent_bytes(id, segment, strlen(segment), false);
}

const char *reply_query(struct http_req *req, const char *name, size_t *len)
{
	size_t name_len = strlen(name);
	for (const char *s = http_query(req); *s;) {
		size_t n = strcspn(s, "&");
		size_t key = strcspn(s, "=&");
		if (key == name_len && !memcmp(s, name, key)) {
			*len = key < n ? n - key - 1 : 0;
			return key < n ? s + key + 1 : s + n;
		}
		s += n;
		s += *s == '&';
	}
	return NULL;
}

/* Read up to 18 digits, with a sign. Returns false if it is no such number. */
static bool read_int(const char *text, size_t len, int64_t *value)
{
	bool is_negative = len && *text == '-';
	int64_t n = 0;
	if (is_negative)
		text++, len--;
	if (!len || len > 18)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		n = n * 10 + (text[i] - '0');
	}
	*value = is_negative ? -n : n;
	return true;
}

bool reply_query_int(struct http_req *req, const char *name, int64_t *value)
{
	size_t len = 0;
	const char *text = reply_query(req, name, &len);
	return !text || read_int(text, len, value);
}

void reply_seconds(struct buf *out, long long ms)
{
	buf_printf(out, "%lld.%03lld", ms / 1000, ms % 1000);
}
