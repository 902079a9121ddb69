/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_login.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/span.h"
#include "core/conf.h"
#include "core/err.h"
#include "dialin/dialin_dock.h"
#include "door/door.h"
#include "door/reply.h"
#include "net/http.h"
#include "ons/ons_message.h"
#include "onsembl/ons_asked.h"
#include "onsembl/ons_codes.h"
#include "onsembl/ons_token.h"
#include "onsembl/ons_uuid.h"
#include "onsembl/ons_withdrawn.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MILLISECONDS 1000

/* How long a token to refresh is good. */
#define REFRESH_TTL_S ((int64_t)30 * 86400)

/* The longest code of a user that is passed on, in bytes. */
#define MAX_CODE 32

#define DEVICE_GRANT "urn:ietf:params:oauth:grant-type:device_code"

static const struct ons_site *site;

/* Memory for reading a body; {0} at first. */
struct reading {
	struct ons_reader reader;
	const struct json *body;
};

static void read_body(struct reading *r, struct http_req *req)
{
	struct json_error why;
	size_t len;
	const char *body = http_body(req, &len);
	/* As much as all its texts need: none moves when the next is read. */
	(void)buf_reserve(&r->reader.text, len);
	r->body = json_parse(&r->reader.doc, body, len, 0, &why);
}

static struct span member(struct reading *r, const char *key)
{
	return ons_text(&r->reader, r->body, key);
}

/*
 * Read what a program shows by its body: *shown is the member with this key.
 * Returns false after a reply; otherwise r->reader is to be freed.
 */
static bool begin(struct http_req *req, struct reading *r, const char *key,
    struct span *shown)
{
	if (!ons_asked_count(site, req))
		return false;
	read_body(r, req);
	*shown = member(r, key);
	return true;
}

static struct ons_codes *codes(void)
{
	return ons_codes_of(site->setup->dock->setup.heritage);
}

/* ---- errors ---- */

/* In the words of RFC 6749. */
static void refuse(
    struct http_req *req, int status, const char *error, const char *why)
{
	struct buf out = {0};
	buf_char(&out, '{');
	ons_put_str(&out, "error", error);
	ons_put_str(&out, "error_description", why);
	buf_char(&out, '}');
	reply_json(req, status, &out);
	buf_fini(&out);
}

static void refuse_busy(struct http_req *req)
{
	http_add_header(req, "retry-after", "5");
	refuse(req, 503, "temporarily_unavailable",
	    "the server has too much to do: try again in 5 seconds");
}

static void refuse_unsigned(struct http_req *req)
{
	refuse(req, 503, "temporarily_unavailable",
	    "this server makes no tokens: set ONSEMBL_JWT_SECRET or "
	    "onsembl_secret_file");
}

/* ---- tokens ---- */

static void put_token(struct buf *out, const char *key,
    const struct ons_claims *claims, enum ons_use use, int64_t ttl_s)
{
	struct buf text = {0};
	struct err err;
	struct ons_claims c = *claims;
	c.use = use;
	c.expires_s = clock_wall_ms() / MILLISECONDS + ttl_s;
	/* That there is a secret was checked before. */
	(void)ons_token_make(site->keys, &c, &text, &err);
	ons_put_text(out, key, (struct span){text.data, text.len});
	buf_fini(&text);
}

static void reply_tokens(struct http_req *req, const struct ons_claims *claims)
{
	struct buf out = {0};
	struct ons_claims named;
	if (!*claims->login) {
		named = *claims;
		enc_uuid(named.login);
		claims = &named;
	}
	buf_char(&out, '{');
	put_token(&out, "access_token", claims, ONS_USE_CLI, ONS_TOKEN_TTL_S);
	put_token(
	    &out, "refresh_token", claims, ONS_USE_REFRESH, REFRESH_TTL_S);
	ons_put_str(&out, "token_type", "Bearer");
	ons_put_int(&out, "expires_in", ONS_TOKEN_TTL_S);
	ons_put_str(&out, "scope", "agent:manage");
	buf_char(&out, '}');
	http_add_header(req, "cache-control", "no-store");
	reply_json(req, 200, &out);
	buf_fini(&out);
}

/* ---- POST /api/auth/device/authorize ---- */

static void put_page(struct buf *out, struct http_req *req)
{
	const char *host = http_header(req, "host");
	const char *scheme = http_header(req, "x-forwarded-proto");
	bool is_secure = scheme && strcmp(scheme, "https") == 0;
	buf_printf(out, "%s://%s/auth/device", is_secure ? "https" : "http",
	    host ? host : "localhost");
}

static void reply_codes(struct http_req *req, const struct ons_code_pair *pair)
{
	struct buf out = {0}, page = {0};
	put_page(&page, req);
	buf_char(&out, '{');
	ons_put_str(&out, "device_code", pair->device);
	ons_put_str(&out, "user_code", pair->user);
	ons_put_str(&out, "verification_uri", buf_cstr(&page));
	buf_printf(&page, "?user_code=%s", pair->user);
	ons_put_str(&out, "verification_uri_complete", buf_cstr(&page));
	ons_put_int(&out, "expires_in", ONS_CODES_TTL_S);
	ons_put_int(&out, "interval", ONS_CODES_INTERVAL_S);
	buf_char(&out, '}');
	http_add_header(req, "cache-control", "no-store");
	reply_json(req, 200, &out);
	buf_fini(&page);
	buf_fini(&out);
}

static void post_authorize(struct http_req *req, void *arg)
{
	struct ons_code_pair pair;
	(void)arg;
	if (!ons_asked_count(site, req))
		return;
	if (!ons_token_can_make(site->keys))
		refuse_unsigned(req);
	else if (ons_codes_add(codes(), http_place(req), &pair) !=
		 ONS_CODE_GOOD)
		refuse_busy(req);
	else
		reply_codes(req, &pair);
}

/* ---- POST /api/auth/device/confirm ---- */

static void refuse_guesser(struct http_req *req)
{
	char text[128], wait[16];
	(void)snprintf(text, sizeof text,
	    "This user has entered %d codes that do not exist: try again in "
	    "%d minutes",
	    ONS_CODES_GUESSES, ONS_CODES_TTL_S / 60);
	(void)snprintf(wait, sizeof wait, "%d", ONS_CODES_TTL_S);
	http_add_header(req, "retry-after", wait);
	ons_asked_error(req, 429, "TOO_MANY_CODES", text);
}

static void reply_entered(struct http_req *req, enum ons_code_state state)
{
	static const char done[] = "{\"success\":true,\"message\":\"Device "
				   "authorized successfully\"}";
	switch (state) {
	case ONS_CODE_GOOD:
		http_reply(req, 200, "application/json", done, sizeof done - 1);
		return;
	case ONS_CODE_EXPIRED:
		ons_asked_error(req, 400, "EXPIRED_CODE",
		    "The code has expired: begin the login again");
		return;
	case ONS_CODE_TAKEN:
		ons_asked_error(req, 400, "ALREADY_AUTHORIZED",
		    "The code has been entered already");
		return;
	case ONS_CODE_GUESSED:
		refuse_guesser(req);
		return;
	case ONS_CODE_FULL:
		refuse_busy(req);
		return;
	case ONS_CODE_PENDING:
	case ONS_CODE_SLOW:
	case ONS_CODE_UNKNOWN:
		break;
	}
	ons_asked_error(req, 400, "INVALID_CODE", "There is no such code");
}

static void post_confirm(struct http_req *req, void *arg)
{
	struct ons_claims claims;
	struct reading r = {0};
	(void)arg;
	if (!ons_asked_admit(site, req, &claims))
		return;
	read_body(&r, req);
	struct span code = member(&r, "user_code");
	reply_entered(req,
	    code.text ? ons_codes_enter(codes(), code.text, code.len, &claims)
		      : ONS_CODE_UNKNOWN);
	ons_reader_fini(&r.reader);
}

/* What could be one. */
static bool is_code(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)text[i]))
			return false;
	return len > 0 && len <= MAX_CODE;
}

/*
 * People open the address that a program shows: browsers get the command
 * centre, which asks whether the code is theirs.
 */
static void send_to_center(struct http_req *req)
{
	struct buf place = {0};
	size_t len = 0;
	const char *code = reply_query(req, "user_code", &len);
	buf_str(&place, "../agents");
	if (code && is_code(code, len)) {
		buf_str(&place, "?user_code=");
		buf_append(&place, code, len);
	}
	http_add_header(req, "location", buf_cstr(&place));
	http_reply(req, 302, "text/plain; charset=utf-8", "", 0);
	buf_fini(&place);
}

static void get_page(struct http_req *req, void *arg)
{
	static const char text[] =
	    "To let a program in, open SERVER/agents in a browser, or send its "
	    "code with your token:\n\n"
	    "  curl -H \"Authorization: Bearer TOKEN\" \\\n"
	    "    -d '{\"user_code\": \"CODE\"}' "
	    "SERVER/api/auth/device/confirm\n\n"
	    "\"co-hostd token USER\" makes a token.\n";
	const char *accept = http_header(req, "accept");
	(void)arg;
	if (site->setup->conf->web && accept && strstr(accept, "text/html"))
		send_to_center(req);
	else
		http_reply(req, 200, "text/plain; charset=utf-8", text,
		    sizeof text - 1);
}

/* ---- POST /api/auth/device/token ---- */

static void reply_asked(struct http_req *req, enum ons_code_state state,
    const struct ons_claims *claims)
{
	switch (state) {
	case ONS_CODE_GOOD:
		reply_tokens(req, claims);
		return;
	case ONS_CODE_PENDING:
		refuse(req, 400, "authorization_pending",
		    "nobody has entered the code yet");
		return;
	case ONS_CODE_SLOW:
		refuse(req, 400, "slow_down", "ask every 5 seconds at most");
		return;
	case ONS_CODE_EXPIRED:
		refuse(req, 400, "expired_token", "the code has expired");
		return;
	case ONS_CODE_FULL:
		refuse_busy(req);
		return;
	case ONS_CODE_TAKEN:
	case ONS_CODE_GUESSED:
	case ONS_CODE_UNKNOWN:
		break;
	}
	refuse(req, 400, "invalid_grant", "there is no such code");
}

static void post_token(struct http_req *req, void *arg)
{
	struct ons_claims claims = {.use = ONS_USE_CLI};
	struct reading r = {0};
	struct span code;
	(void)arg;
	if (!begin(req, &r, "device_code", &code))
		return;
	if (!ons_token_can_make(site->keys))
		refuse_unsigned(req);
	else if (!ons_is(member(&r, "grant_type"), DEVICE_GRANT))
		refuse(req, 400, "unsupported_grant_type",
		    "grant_type must be " DEVICE_GRANT);
	else if (!code.text)
		refuse(req, 400, "invalid_request", "device_code is missing");
	else
		reply_asked(req,
		    ons_codes_ask(codes(), code.text, code.len, &claims),
		    &claims);
	ons_reader_fini(&r.reader);
}

/* ---- POST /api/auth/cli/refresh and revoke ---- */

/* A request that waits until its token is withdrawn. */
struct exchange {
	struct http_req *req; /* NULL: the client is gone */
	struct ons_claims claims;
	void (*reply)(const struct exchange *x, enum use_result result);
};

static void on_gone(void *arg)
{
	struct exchange *x = arg;
	x->req = NULL;
}

static void on_withdrawn(void *arg, enum use_result result)
{
	struct exchange *x = arg;
	if (x->req) {
		http_on_gone(x->req, NULL, NULL);
		if (result == USE_FAILED)
			refuse_busy(x->req);
		else
			x->reply(x, result);
	}
	free(x);
}

/* Withdraw a token, then call reply, if the client is still there. */
static void exchange(struct http_req *req, struct span token,
    const struct ons_claims *claims, const char *place,
    void (*reply)(const struct exchange *x, enum use_result result))
{
	struct exchange *x = mem_zero(sizeof *x);
	x->req = req;
	x->claims = *claims;
	x->reply = reply;
	if (!ons_withdrawn_add(site->setup, token.text, token.len, claims,
		place, on_withdrawn, x)) {
		free(x);
		refuse_busy(req);
		return;
	}
	http_on_gone(req, on_gone, x);
}

static void refuse_refresh(struct http_req *req)
{
	ons_asked_error(
	    req, 401, "UNAUTHORIZED", "Invalid or expired refresh token");
}

static void reply_refreshed(const struct exchange *x, enum use_result result)
{
	if (result == USE_GRANTED)
		reply_tokens(x->req, &x->claims);
	else
		refuse_refresh(x->req);
}

static void post_refresh(struct http_req *req, void *arg)
{
	struct ons_claims claims;
	struct reading r = {0};
	struct err err;
	struct span token;
	(void)arg;
	if (!begin(req, &r, "refresh_token", &token))
		return;
	if (!ons_token_can_make(site->keys))
		refuse_unsigned(req);
	else if (ons_token_verify_refresh(
		     site->keys, token.text, token.len, &claims, &err) != 0)
		refuse_refresh(req);
	else
		exchange(req, token, &claims, http_place(req), reply_refreshed);
	ons_reader_fini(&r.reader);
}

static void reply_revoked(struct http_req *req)
{
	static const char done[] = "{\"success\":true}";
	http_reply(req, 200, "application/json", done, sizeof done - 1);
}

/* It may have been withdrawn before. */
static void reply_withdrawn(const struct exchange *x, enum use_result result)
{
	(void)result;
	reply_revoked(x->req);
}

/*
 * What is withdrawn with a token: with one to refresh, all that its login has
 * given, the newest of which may be good for as long as one that is made now.
 */
static struct span withdrawn_with(struct span token, struct ons_claims *claims)
{
	if (claims->use != ONS_USE_REFRESH || !*claims->login)
		return token;
	claims->expires_s = clock_wall_ms() / MILLISECONDS + REFRESH_TTL_S;
	return (struct span){claims->login, strlen(claims->login)};
}

/* What is no token of ours is not good in any case (RFC 7009 section 2.2). */
static void post_revoke(struct http_req *req, void *arg)
{
	struct ons_claims claims;
	struct reading r = {0};
	struct err err;
	struct span token;
	(void)arg;
	if (!begin(req, &r, "token", &token))
		return;
	if (token.text && (ons_token_verify_refresh(site->keys, token.text,
			       token.len, &claims, &err) == 0 ||
			      ons_token_verify(site->keys, token.text,
				  token.len, &claims, &err) == 0))
		exchange(req, withdrawn_with(token, &claims), &claims, NULL,
		    reply_withdrawn);
	else
		reply_revoked(req);
	ons_reader_fini(&r.reader);
}

/* ---- POST /api/auth/cli/validate ---- */

static void reply_valid(struct http_req *req, const struct ons_claims *claims)
{
	struct buf out = {0};
	char uuid[ONS_UUID];
	ons_uuid_of(uuid, "user", claims->user);
	buf_char(&out, '{');
	ons_put_bool(&out, "valid", true);
	ons_put_str(&out, "user_id", uuid);
	ons_put_json(&out, "scopes", (struct span){"[\"agent:manage\"]", 16});
	ons_put_int(&out, "expires_at", claims->expires_s);
	buf_char(&out, '}');
	reply_json(req, 200, &out);
	buf_fini(&out);
}

static void post_validate(struct http_req *req, void *arg)
{
	struct ons_claims claims;
	struct reading r = {0};
	struct err err;
	struct span token;
	(void)arg;
	if (!begin(req, &r, "access_token", &token))
		return;
	if (token.text && ons_token_verify(site->keys, token.text, token.len,
			      &claims, &err) == 0)
		reply_valid(req, &claims);
	else
		ons_asked_error(
		    req, 401, "UNAUTHORIZED", "Invalid or expired token");
	ons_reader_fini(&r.reader);
}

void ons_login_mount(struct http *http, const struct ons_site *s)
{
	site = s;
	http_route(
	    http, "POST", "/api/auth/device/authorize", post_authorize, NULL);
	http_route(
	    http, "POST", "/api/auth/device/confirm", post_confirm, NULL);
	http_route(http, "POST", "/api/auth/device/token", post_token, NULL);
	http_route(http, "POST", "/api/auth/cli/refresh", post_refresh, NULL);
	http_route(http, "POST", "/api/auth/cli/revoke", post_revoke, NULL);
	http_route(http, "POST", "/api/auth/cli/validate", post_validate, NULL);
	http_route(http, "GET", "/auth/device", get_page, NULL);
}
