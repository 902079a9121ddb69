/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/signed_request.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/err.h"
#include "door/door.h"
#include "door/reply.h"
#include "door/request_limit.h"
#include "identity/signed_http.h"
#include "net/http.h"
#include "net/http_access.h"

#include <stdlib.h>
#include <string.h>

/* A request whose verdict is pending. */
struct waiting {
	struct http_req *req;
	const struct door_setup *setup;
	struct access_call *call;
	signed_request_fn *fn;
	void *arg;
};

/* ---- asking ---- */

static void signed_request_on_gone(void *arg)
{
	struct waiting *w = arg;
	access_forget(&w->call);
	free(w);
}

static void signed_request_on_verdict(
    void *arg, const struct access_verdict *verdict)
{
	struct waiting *w = arg, old = *w;
	http_on_gone(w->req, NULL, NULL);
	free(w);
	if (!verdict->err)
		http_note_who(old.req, verdict->caller->address);
	if (verdict->err ||
	    request_limit_caller(old.req, old.setup, verdict->caller->address))
		old.fn(old.arg, old.req, verdict);
}

void signed_request_ask(struct http_req *req, const struct door_setup *setup,
    struct access_ask *ask, signed_request_fn *fn, void *arg)
{
	struct waiting *w = mem_zero(sizeof *w);
	w->req = req;
	w->setup = setup;
	w->fn = fn;
	w->arg = arg;
	ask->peer = http_peer(req);
	http_on_gone(req, signed_request_on_gone, w);
	w->call = access_ask(setup->access, ask, signed_request_on_verdict, w);
}

/* ---- headers ---- */

bool signed_request_is(const struct http_req *req)
{
	static const char *const names[] = {"x-co-from", "x-co-signature",
	    "x-co-timestamp", "x-co-to", "x-co-request-id"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (http_header(req, names[i]))
			return true;
	return false;
}

bool signed_request_is_legacy(const struct http_req *req)
{
	return http_header(req, "x-from") && http_header(req, "x-signature") &&
	       http_header(req, "x-timestamp");
}

static struct signed_http read_request(const struct http_req *req)
{
	struct signed_http r = {
	    .method = http_method(req),
	    .path = http_path(req),
	    .query = http_query(req),
	    .from = http_header(req, "x-co-from"),
	    .signature = http_header(req, "x-co-signature"),
	    .timestamp = http_header(req, "x-co-timestamp"),
	    .to = http_header(req, "x-co-to"),
	    .request_id = http_header(req, "x-co-request-id"),
	};
	r.body = http_body(req, &r.body_len);
	return r;
}

/* Ask for a verdict on the request in its JSON form. */
static void ask_about(struct http_req *req, const struct door_setup *setup,
    const struct buf *text, struct access_ask *ask, signed_request_fn *fn,
    void *arg)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *said =
	    json_parse(&doc, text->data, text->len, 0, &why);
	/* Without members it would count as anonymous. */
	if (!said)
		panic("signed_request: %s in our own JSON", why.message);
	ask->payload = json_get(said, "payload");
	ask->from = json_get(said, "from");
	ask->signature = json_get(said, "signature");
	signed_request_ask(req, setup, ask, fn, arg);
	json_fini(&doc);
}

void signed_request_whole(struct http_req *req, const struct door_setup *setup,
    enum access_use use, signed_request_fn *fn, void *arg)
{
	struct signed_http r = read_request(req);
	struct access_ask ask = {.use = use};
	struct buf text = {0};
	struct err err;
	if (signed_http_publisher(&text, &r, &err) == 0)
		ask_about(req, setup, &text, &ask, fn, arg);
	else
		signed_request_refuse(req, &err);
	buf_fini(&text);
}

/*
 * A malformed time is refused when its turn comes among the checks, but for
 * admins at once.
 */
static bool refuse_time(
    struct http_req *req, enum access_use use, const char *text)
{
	if (use == ACCESS_ADMIN)
		http_reply_error(req, 400, text);
	return use == ACCESS_ADMIN;
}

void signed_request_by_headers(struct http_req *req,
    const struct door_setup *setup, enum access_use use, signed_request_fn *fn,
    void *arg)
{
	struct signed_http r = read_request(req);
	struct access_ask ask = {.use = use};
	struct buf text = {0};
	if (r.request_id) {
		signed_request_whole(req, setup, use, fn, arg);
		return;
	}
	if (signed_http_get(&text, &r) ||
	    !refuse_time(req, use, "Invalid X-Co-Timestamp header"))
		ask_about(req, setup, &text, &ask, fn, arg);
	buf_fini(&text);
}

void signed_request_legacy(struct http_req *req, const struct door_setup *setup,
    enum access_use use, signed_request_fn *fn, void *arg)
{
	struct signed_http r = {
	    .from = http_header(req, "x-from"),
	    .signature = http_header(req, "x-signature"),
	    .timestamp = http_header(req, "x-timestamp"),
	};
	struct access_ask ask = {.use = use};
	struct buf text = {0};
	if (signed_http_legacy(&text, &r) ||
	    !refuse_time(req, use, "Invalid X-Timestamp header"))
		ask_about(req, setup, &text, &ask, fn, arg);
	buf_fini(&text);
}

/* ---- refusing ---- */

void signed_request_refuse(struct http_req *req, const struct err *err)
{
	static const char replay[] =
	    "misconfigured: replay protection unavailable";
	int status = err_status(err->code);
	if (err_is_retryable(err->code)) {
		reply_err(req, err);
		return;
	}
	/* If a list cannot be read, use the status codes of the Python host. */
	if (err->code == ERR_MISCONFIGURED && strcmp(err->text, replay) != 0)
		status = strcmp(http_path(req), "/input") == 0 ? 400 : 403;
	http_reply_error(req, status, err->text);
}
