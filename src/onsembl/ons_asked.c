/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_asked.h"

#include "base/buf.h"
#include "core/err.h"
#include "core/stat.h"
#include "door/door.h"
#include "door/reply.h"
#include "identity/bearer.h"
#include "limits/limits.h"
#include "net/http.h"
#include "ons/ons_message.h"
#include "onsembl/ons_token.h"

#include <stdlib.h>
#include <string.h>

void ons_asked_error(
    struct http_req *req, int status, const char *error, const char *message)
{
	struct buf out = {0};
	buf_char(&out, '{');
	ons_put_str(&out, "error", error);
	ons_put_str(&out, "message", message);
	buf_char(&out, '}');
	reply_json(req, status, &out);
	buf_fini(&out);
}

static const char *refusal(const char *header, const struct err *err)
{
	if (err->code == ERR_MISCONFIGURED)
		return err->text;
	if (!header)
		return "No authorization header provided";
	return bearer_token(header)
		   ? "Invalid or expired token"
		   : "Invalid authorization format. Use: Bearer <token>";
}

bool ons_asked_count(const struct ons_site *site, struct http_req *req)
{
	const struct limits_who who = {
	    .peer = http_peer(req),
	    .peer_is_loopback = http_peer_is_loopback(req),
	};
	struct limits_verdict v;
	if (limits_request(site->setup->limits, &who, 0, &v) == 0)
		return true;
	reply_err(req, &v.err);
	return false;
}

bool ons_asked_admit(const struct ons_site *site, struct http_req *req,
    struct ons_claims *claims)
{
	struct err err;
	const char *header = http_header(req, "authorization");
	const char *token = bearer_token(header);
	bool is_other = header && !token;
	if (!ons_asked_count(site, req))
		return false;
	if (is_other)
		(void)err_set(&err, ERR_UNAUTHORIZED, "not a bearer token");
	else if (ons_token_verify(site->keys, token, token ? strlen(token) : 0,
		     claims, &err) == 0)
		return true;
	stat_add(onsembl_refused, 1);
	ons_asked_error(req, 401, "UNAUTHORIZED", refusal(header, &err));
	return false;
}

bool ons_asked_number(struct http_req *req, const char *name, int64_t least,
    int64_t most, int64_t *out)
{
	char digits[12];
	char *end;
	size_t len = 0;
	const char *text = reply_query(req, name, &len);
	if (!text)
		return true;
	if (!len || len >= sizeof digits || *text < '0' || *text > '9')
		return false;
	memcpy(digits, text, len);
	digits[len] = 0;
	*out = strtoll(digits, &end, 10);
	return !*end && *out >= least && *out <= most;
}
