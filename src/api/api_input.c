/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_input.h"

#include "access/access.h"
#include "api/api_body.h"
#include "api/api_turn.h"
#include "base/buf.h"
#include "base/json.h"
#include "core/err.h"
#include "door/door.h"
#include "door/reply.h"
#include "door/signed_request.h"
#include "net/http.h"
#include "session/session.h"

#include <string.h>

/* The longest name that a client may give to an input, in bytes. */
#define INPUT_ID_BYTES 255

/* Parsing a longer body leaves too many nodes to keep. */
#define KEEP_NODES_BODY (256 * 1024)

/* ---- the request ---- */

struct request {
	const struct json *body;
	const struct json *said; /* the body, or its signed payload */
	const struct caller *caller;
	const struct json *session; /* NULL: none */
	struct buf prompt;
	struct buf session_id;
	struct buf input_id;
	struct session_input input;
};

static struct json_doc body_doc;

static void free_request(struct request *r, size_t body_len)
{
	buf_fini(&r->prompt);
	buf_fini(&r->session_id);
	buf_fini(&r->input_id);
	if (body_len > KEEP_NODES_BODY)
		json_fini(&body_doc);
}

/* Returns the member, or NULL if it is absent or null. */
static const struct json *member(const struct json *object, const char *key)
{
	const struct json *v = json_get(object, key);
	return json_type(v) == JSON_NULL ? NULL : v;
}

static int read_body(struct http_req *req, struct request *r, struct err *err)
{
	r->body = api_body_json(req, &body_doc, err);
	if (!r->body)
		return -1;
	if (!json_is(r->body, JSON_OBJECT))
		return err_set(err, ERR_BAD_JSON, NULL);
	r->said = r->body;
	return 0;
}

/*
 * Even null counts: a caller that tried to sign is never treated as anonymous.
 */
static bool is_signed(const struct request *r)
{
	return json_get(r->body, "payload") || json_get(r->body, "from") ||
	       json_get(r->body, "signature");
}

/* An unsigned member may stand beside the payload, but never overrides it. */
static const struct json *part(const struct request *r, const char *key)
{
	const struct json *v = member(r->said, key);
	return v ? v : member(r->body, key);
}

static int read_prompt(struct request *r, struct err *err)
{
	size_t len = 0;
	const char *s = json_str(json_get(r->said, "prompt"), &r->prompt, &len);
	/* A signed prompt may be empty, as it may in the reference. */
	if (!s || (len == 0 && r->said == r->body))
		return err_set(err, ERR_BAD_REQUEST, "prompt required");
	r->input.prompt = s;
	r->input.prompt_len = len;
	return 0;
}

static int read_session(struct request *r, struct err *err)
{
	r->session = part(r, "session");
	r->input.is_unscoped = true;
	if (!r->session)
		return 0;
	if (!json_is(r->session, JSON_OBJECT))
		return err_set(
		    err, ERR_BAD_REQUEST, "session must be an object");
	r->input.conversation =
	    json_text(r->session, &r->input.conversation_len);
	return 0;
}

/*
 * Extract the text of a header that may be an RFC 8941 string. Returns false if
 * it is malformed.
 */
static bool unquote(const char *s, struct buf *out)
{
	s += strspn(s, " \t");
	if (*s != '"') {
		buf_append(out, s, strcspn(s, " \t"));
		return true;
	}
	for (s++; *s && *s != '"'; s++) {
		if (*s == '\\' && *++s != '"' && *s != '\\')
			return false;
		buf_char(out, *s);
	}
	return *s == '"';
}

static int read_input_id(
    struct http_req *req, struct request *r, struct err *err)
{
	const char *key = http_header(req, "idempotency-key");
	const struct json *id = part(r, "input_id");
	size_t len = 0;
	const char *s = NULL;
	if (key && unquote(key, &r->input_id)) {
		s = r->input_id.data;
		len = r->input_id.len;
	} else if (!key && id) {
		s = json_str(id, &r->input_id, &len);
	} else if (!key) {
		return 0;
	}
	if (!s || len == 0 || len > INPUT_ID_BYTES)
		return err_set(err, ERR_BAD_REQUEST,
		    "%s must be a string of 1 to %d bytes",
		    key ? "Idempotency-Key" : "input_id", INPUT_ID_BYTES);
	r->input.input_id = s;
	r->input.input_id_len = len;
	return 0;
}

static int read_request(
    struct http_req *req, struct request *r, struct err *err)
{
	if (read_prompt(r, err) < 0 || read_session(r, err) < 0 ||
	    read_input_id(req, r, err) < 0)
		return -1;
	r->input.images = part(r, "images");
	r->input.files = part(r, "files");
	r->input.caller = r->caller->address;
	r->input.level = r->caller->level;
	r->input.peer = http_peer(req);
	r->input.peer_is_loopback = http_peer_is_loopback(req);
	r->input.place = http_place(req);
	return 0;
}

/* Whether the stored conversation is newer than the client's. */
static bool is_server_newer(struct session *session, const struct request *r)
{
	struct buf winner = {0};
	bool is_newer = session_merge(
	    session, r->input.conversation, r->input.conversation_len, &winner);
	buf_fini(&winner);
	return is_newer;
}

static struct session *open_session(const struct door_setup *setup,
    struct request *r, bool *is_newer, struct err *err)
{
	size_t len = 0;
	enum session_status status;
	bool has_record;
	const char *id =
	    json_str(json_get(r->session, "session_id"), &r->session_id, &len);
	if (len == 0)
		id = NULL;
	r->input.is_unscoped = !id;
	struct session *session = session_open(setup->sessions, id, len,
	    r->caller->address, &status, &has_record, err);
	struct session_guest who = {
	    .caller = r->caller->address,
	    .place = r->input.place,
	    .conversation = r->session,
	};
	r->input.is_holder = session && session_is_held(session, &who);
	*is_newer = session && id && has_record && status != SESSION_RUNNING &&
		    is_server_newer(session, r);
	return session;
}

static void hand_over(
    struct http_req *req, const struct door_setup *setup, struct request *r)
{
	struct err err;
	bool is_newer;
	struct session *session = open_session(setup, r, &is_newer, &err);
	if (!session) {
		reply_err(req, &err);
		return;
	}
	struct api_turn turn = {
	    .session = session,
	    .input = &r->input,
	    .caller = r->caller,
	    .is_server_newer = is_newer,
	};
	api_turn_begin(req, setup, &turn);
}

static void api_input_take(
    struct http_req *req, const struct door_setup *setup, struct request *r)
{
	struct err err;
	if (read_request(req, r, &err) < 0)
		reply_err(req, &err);
	else
		hand_over(req, setup, r);
}

/* ---- the sender ---- */

static void api_input_on_verdict(
    void *arg, struct http_req *req, const struct access_verdict *v)
{
	struct request r = {.caller = v->caller};
	struct err err;
	size_t body_len;
	(void)http_body(req, &body_len);
	if (v->err) {
		signed_request_refuse(req, v->err);
		return;
	}
	/* The body was parsed before, but the parser has been reused since. */
	if (read_body(req, &r, &err) < 0) {
		reply_err(req, &err);
	} else {
		if (is_signed(&r))
			r.said = json_get(r.body, "payload");
		api_input_take(req, arg, &r);
	}
	free_request(&r, body_len);
}

static void api_input_ask(struct http_req *req, const struct door_setup *setup,
    const struct request *r)
{
	struct access_ask what = {
	    .use = ACCESS_INPUT,
	    .payload = json_get(r->body, "payload"),
	    .from = json_get(r->body, "from"),
	    .signature = json_get(r->body, "signature"),
	};
	union {
		const struct door_setup *setup;
		void *arg;
	} u = {.setup = setup};
	signed_request_ask(req, setup, &what, api_input_on_verdict, u.arg);
}

void api_input_post(struct http_req *req, void *arg)
{
	const struct door_setup *setup = arg;
	struct caller nobody = CALLER_NOBODY;
	struct request r = {.caller = &nobody};
	struct err err;
	size_t body_len;
	(void)http_body(req, &body_len);
	if (signed_request_is(req)) {
		(void)err_set(&err, ERR_UNAUTHORIZED, NULL);
		reply_err(req, &err);
		return;
	}
	if (read_body(req, &r, &err) < 0)
		reply_err(req, &err);
	else if (is_signed(&r) || !access_is_open(setup->access))
		api_input_ask(req, setup, &r);
	else
		api_input_take(req, setup, &r);
	free_request(&r, body_len);
}
