/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * Replies about errors. Their form is that of ConnectOnion's host(), whose
 * clients may compare bodies; so only a client that names the type of RFC 9457
 * gets its members.
 */
#include "net/http_int.h"

#include "base/buf.h"

#include <string.h>

#define PROBLEM_TYPE "application/problem+json"

static const char error_member[] = "{\"error\":";

/* Whether a range of Accept, from its parameters on, has the weight 0. */
static bool is_refused(const char *params)
{
	size_t n = strcspn(params, ",");
	const char *q = memmem(params, n, "q=", 2);
	size_t zeros = q ? strspn(q + 2, "0.") : 0;
	return zeros && (q[2 + zeros] < '1' || q[2 + zeros] > '9');
}

static bool takes_problem(const struct http_req *req)
{
	const char *accept = http_header(req, "accept");
	const char *range = accept ? strcasestr(accept, PROBLEM_TYPE) : NULL;
	return range && !is_refused(range + sizeof PROBLEM_TYPE - 1);
}

/* Returns the length of the JSON string at the beginning of a text. */
static size_t string_len(const char *text, size_t len)
{
	size_t i = 1;
	while (i < len && text[i] != '"')
		i += text[i] == '\\' ? 2 : 1;
	return i < len ? i + 1 : 0;
}

/* Append the body with the members of RFC 9457; false if it is no error. */
static bool put_problem(
    struct buf *out, int status, const char *body, size_t len)
{
	size_t head = sizeof error_member - 1;
	if (len < head || memcmp(body, error_member, head) != 0)
		return false;
	head += strspn(body + head, " ");
	size_t detail = string_len(body + head, len - head);
	buf_printf(out,
	    "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,"
	    "\"detail\":",
	    http_req_reason(status), status);
	buf_append(out, body + head, detail);
	buf_char(out, ',');
	buf_append(out, body + 1, len - 1);
	return detail > 0;
}

void http_reply_problem(
    struct http_req *req, int status, const char *body, size_t len)
{
	struct buf out = {0};
	if (takes_problem(req) && put_problem(&out, status, body, len)) {
		http_add_header(req, "vary", "accept");
		http_reply(req, status, PROBLEM_TYPE, out.data, out.len);
	} else {
		http_reply(req, status, "application/json", body, len);
	}
	buf_fini(&out);
}

void http_reply_error(struct http_req *req, int status, const char *text)
{
	struct buf b = {0};
	buf_str(&b, "{\"error\": ");
	buf_json_str(&b, text);
	buf_char(&b, '}');
	http_reply_problem(req, status, b.data, b.len);
	buf_fini(&b);
}

void http_req_refuse(struct http_req *r, int status, const char *text)
{
	http_count(r->conn->http->setup.refused_total, 1);
	http_reply_error(r, status, text);
}
