/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_change.h"

#include "access/access.h"
#include "api/api_body.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"
#include "door/door.h"
#include "door/known_session.h"
#include "door/reply.h"
#include "door/signed_request.h"
#include "net/http.h"
#include "session/session.h"

#include <stdlib.h>
#include <string.h>

/* ---- changes in progress ---- */

struct pending {
	struct http_req *req;
	struct session *session;
	struct session_change *change;
	struct buf reply;
};

static void pending_free(struct pending *p)
{
	session_close(&p->session);
	buf_fini(&p->reply);
	free(p);
}

static void on_gone(void *arg)
{
	struct pending *p = arg;
	session_change_forget(&p->change);
	pending_free(p);
}

static void on_changed(void *arg, const struct err *err)
{
	struct pending *p = arg;
	http_on_gone(p->req, NULL, NULL);
	if (err)
		reply_err(p->req, err);
	else
		reply_json(p->req, 200, &p->reply);
	pending_free(p);
}

/* Takes the session. */
static struct pending *pend(struct http_req *req, struct session *s)
{
	struct pending *p = mem_zero(sizeof *p);
	p->req = req;
	p->session = s;
	buf_str(&p->reply, "{\"session_id\":");
	buf_json_str(&p->reply, session_id(s));
	http_on_gone(req, on_gone, p);
	return p;
}

/* ---- who may ---- */

/*
 * Open the session of the path for a caller that may change it; a failure is
 * the reply.
 */
static struct session *open_held(struct http_req *req,
    const struct door_setup *setup, const struct caller *who)
{
	struct session *s = known_session_of(req, setup, who);
	struct err err;
	if (s && known_session_may_change(s, who, http_place(req), &err) != 0) {
		session_close(&s);
		reply_err(req, &err);
	}
	return s;
}

/* ---- the requests ---- */

/*
 * A request; what it says is the payload of its body if that is signed, else
 * the body.
 */
struct asked {
	struct http_req *req;
	const struct door_setup *setup;
	const struct caller *who;
	const struct json *said;
};

static void set_title(const struct asked *a)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *title =
	    json_str(json_get(a->said, "title"), &scratch, &len);
	struct session *s;
	if (!title || len > SESSION_TITLE_MAX) {
		http_reply_error(
		    a->req, 400, "title must be a text of at most 200 bytes");
	} else if ((s = open_held(a->req, a->setup, a->who))) {
		struct pending *p = pend(a->req, s);
		buf_str(&p->reply, ",\"title\":");
		buf_json(&p->reply, title, len);
		buf_char(&p->reply, '}');
		p->change = session_set_title(
		    s, title, len, a->who->address, on_changed, p);
	}
	buf_fini(&scratch);
}

static void delete_it(const struct asked *a)
{
	struct session *s = open_held(a->req, a->setup, a->who);
	if (!s)
		return;
	struct pending *p = pend(a->req, s);
	buf_str(&p->reply, ",\"deleted\":true}");
	p->change = session_delete(s, on_changed, p);
}

/*
 * The body of a request, an object; NULL if it is none, and the request was
 * answered.
 */
static const struct json *read_body(struct http_req *req, struct json_doc *doc)
{
	struct err err;
	const struct json *body = api_body_json(req, doc, &err);
	if (!body) {
		reply_err(req, &err);
		return NULL;
	}
	if (json_is(body, JSON_OBJECT))
		return body;
	http_reply_error(req, 400, "the body must be a JSON object");
	return NULL;
}

static bool has_signed_body(const struct json *body)
{
	return json_get(body, "payload") || json_get(body, "from") ||
	       json_get(body, "signature");
}

static void run(struct http_req *req, const struct door_setup *setup,
    const struct caller *who)
{
	struct json_doc doc = {0};
	const struct json *body = read_body(req, &doc);
	struct asked a = {.req = req, .setup = setup, .who = who};
	a.said = has_signed_body(body) ? json_get(body, "payload") : body;
	if (body && strcmp(http_method(req), "DELETE") == 0)
		delete_it(&a);
	else if (body)
		set_title(&a);
	json_fini(&doc);
}

static void on_verdict(
    void *arg, struct http_req *req, const struct access_verdict *v)
{
	if (v->err)
		signed_request_refuse(req, v->err);
	else
		run(req, arg, v->caller);
}

/* Another session's request must not be taken for this one. */
static const char *complaint(
    const struct http_req *req, const struct json *payload)
{
	return json_str_is(json_get(payload, "method"), http_method(req)) &&
		       json_str_is(json_get(payload, "path"), http_path(req))
		   ? NULL
		   : "unauthorized: method and path of the payload are not "
		     "those of the request";
}

static void ask_body(struct http_req *req, void *setup, const struct json *body)
{
	struct access_ask question = {
	    .use = ACCESS_CONNECT,
	    .payload = json_get(body, "payload"),
	    .from = json_get(body, "from"),
	    .signature = json_get(body, "signature"),
	    .place = http_place(req),
	};
	question.late = complaint(req, question.payload);
	signed_request_ask(req, setup, &question, on_verdict, setup);
}

/* Ask who sends a request with this body. */
static void ask(struct http_req *req, void *arg, const struct json *body)
{
	const struct door_setup *setup = arg;
	if (signed_request_is(req))
		signed_request_whole(req, setup, ACCESS_INPUT, on_verdict, arg);
	else if (has_signed_body(body))
		ask_body(req, arg, body);
	else if (access_is_open(setup->access))
		run(req, setup, &CALLER_NOBODY);
	else
		http_reply_error(
		    req, 401, "unauthorized: 'from' field required");
}

void api_change(struct http_req *req, void *arg)
{
	struct json_doc doc = {0};
	const struct json *body = read_body(req, &doc);
	if (body)
		ask(req, arg, body);
	json_fini(&doc);
}
