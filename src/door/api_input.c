/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/api_input.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/event.h"
#include "door/api_events.h"
#include "door/api_limit.h"
#include "door/api_reply.h"
#include "door/api_signed.h"
#include "door/door.h"
#include "door/oip_out.h"
#include "net/http.h"
#include "session/session.h"
#include "trust/access.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Longest name a client may give an input, in bytes. */
#define INPUT_ID_BYTES 255

/* Working memory above this is given back. */
#define KEEP_BYTES (1024 * 1024)

/* A parsed body that is longer leaves too many nodes to keep. */
#define KEEP_NODES_BODY (256 * 1024)

/* A request whose prompt was handed over and that waits for its turn to end. */
struct waiting {
	struct list link;
	struct http_req *req;
	const struct door_setup *setup;
	struct session *session;
	struct session_call *call; /* NULL after the receipt */
	char caller[ADDRESS_SIZE];
	struct attachment at;
	uint32_t turn;
	bool wants_stream;
	bool is_server_newer;
};

static struct list all_waiting = {&all_waiting, &all_waiting};

/* How a turn ended; the texts are borrowed. */
struct result {
	bool has_failed;
	const char *reason; /* why it failed */
	size_t reason_len;
	const char *json; /* the result, a JSON string */
	size_t json_len;
	int64_t duration_ms;
};

/* The terminal event that a read stopped at, with memory of its own. */
static struct {
	bool is_there;
	bool is_past;
	uint32_t turn; /* the one looked for */
	struct event event;
	struct buf body;
} ending;

/* ---- life ---- */

static void let_go(struct waiting *w)
{
	if (w->call)
		session_forget(&w->call);
	session_detach(&w->at);
	session_close(&w->session);
	list_remove(&w->link);
	free(w);
}

static void on_gone(void *arg)
{
	let_go(arg);
}

/*
 * Forget the waiting and give back its
 * request, which is then the caller's to end.
 */
static struct http_req *take_request(struct waiting *w)
{
	struct http_req *req = w->req;
	http_on_gone(req, NULL, NULL);
	let_go(w);
	return req;
}

static void refuse(struct waiting *w, const struct err *err)
{
	api_reply_err(take_request(w), err);
}

void api_input_close_all(void)
{
	struct err err;
	err_set(&err, ERR_DRAINING, NULL);
	list_each_safe(it, &all_waiting)
	    refuse(list_entry(it, struct waiting, link), &err);
}

/* ---- replies ---- */

static void put_failure(
    struct buf *out, const char *id, const struct result *result)
{
	buf_str(out, "{\"error\":");
	buf_json_str(out, err_text(ERR_AGENT));
	buf_printf(out, ",\"code\":%d", err_rpc(ERR_AGENT));
	if (result->reason) {
		buf_str(out, ",\"reason\":");
		buf_json(out, result->reason, result->reason_len);
	}
	buf_str(out, ",\"session_id\":");
	buf_json_str(out, id);
	buf_char(out, '}');
}

/* The conversation as it is now, and what a client shows of it. */
static void put_conversation(
    struct buf *out, const struct door_setup *setup, const char *id)
{
	static struct buf memory;
	struct session_record record;
	struct err err;
	buf_reset(&memory);
	buf_str(out, ",\"session\":");
	if (session_get(
		setup->sessions, id, strlen(id), &memory, &record, &err) == 0) {
		buf_append(out, record.conversation, record.conversation_len);
		buf_str(out, ",\"chat_items\":");
		oip_out_chat_items(
		    out, record.conversation, record.conversation_len);
	} else {
		buf_str(out, "{\"session_id\":");
		buf_json_str(out, id);
		buf_str(out, "},\"chat_items\":[]");
	}
	if (memory.cap > KEEP_BYTES)
		buf_fini(&memory);
}

static void put_success(struct buf *out, const struct waiting *w,
    const char *id, const struct result *result)
{
	buf_str(out, "{\"session_id\":");
	buf_json_str(out, id);
	buf_str(out, ",\"status\":\"done\",\"result\":");
	buf_append(out, result->json, result->json_len);
	buf_str(out, ",\"duration_ms\":");
	buf_int(out, result->duration_ms);
	put_conversation(out, w->setup, id);
	buf_str(out, w->is_server_newer ? ",\"server_newer\":true}"
					: ",\"server_newer\":false}");
}

static void reply(
    struct waiting *w, const char *id, const struct result *result)
{
	static struct buf out;
	buf_reset(&out);
	if (result->has_failed)
		put_failure(&out, id, result);
	else
		put_success(&out, w, id, result);
	int status = result->has_failed ? err_status(ERR_AGENT) : 200;
	api_reply_json(take_request(w), status, &out);
	if (out.cap > KEEP_BYTES)
		buf_fini(&out);
}

/* ---- waiting for the end of the turn ---- */

/* Called inside session_read(): only remembers. */
static bool take_event(const struct event *ev, void *arg)
{
	(void)arg;
	if (ev->turn > ending.turn) {
		ending.is_past = true;
		return false;
	}
	if (ev->turn < ending.turn || event_class(ev->type) != EVENT_TERMINAL)
		return true;
	buf_reset(&ending.body);
	buf_append(&ending.body, ev->body, ev->body_len);
	ending.event = *ev;
	ending.event.body = ending.body.data;
	ending.is_there = true;
	return false;
}

static void reply_ending(struct waiting *w)
{
	static struct json_doc doc;
	static struct buf text, scratch;
	struct result result = {
	    .has_failed = ending.event.type != EV_DONE,
	    .json = "\"\"",
	    .json_len = 2,
	};
	const struct json *fields = event_fields(&ending.event, &doc, &text);
	const struct json *value = json_get(fields, "result");
	if (json_is(value, JSON_STRING))
		result.json = json_text(value, &result.json_len);
	(void)json_int(json_get(fields, "duration_ms"), &result.duration_ms);
	buf_reset(&scratch);
	result.reason =
	    json_str(json_get(fields, "reason"), &scratch, &result.reason_len);
	reply(w, session_id(w->session), &result);
	if (text.cap > KEEP_BYTES)
		buf_fini(&text);
	if (ending.body.cap > KEEP_BYTES)
		buf_fini(&ending.body);
}

/*
 * The end of our turn is no longer kept,
 * or never was told: say what is certain.
 */
static void reply_lost(struct waiting *w)
{
	struct result result = {
	    .has_failed = true,
	    .reason = err_reason_word(REASON_INTERRUPTED),
	};
	result.reason_len = strlen(result.reason);
	reply(w, session_id(w->session), &result);
}

static void on_more(void *arg)
{
	struct waiting *w = arg;
	enum session_read how;
	ending.turn = w->turn;
	ending.is_there = ending.is_past = false;
	do
		how = session_read(&w->at, take_event, NULL);
	while (how == READ_GONE);
	if (ending.is_there)
		reply_ending(w);
	else if (ending.is_past)
		reply_lost(w);
}

/* ---- the receipt ---- */

/* Go on with an event stream; the stream takes the session over. */
static void become_stream(struct waiting *w, uint64_t after)
{
	const struct door_setup *setup = w->setup;
	struct session *session = w->session;
	struct api_events_plan plan = {
	    .after = after,
	    .until_turn = w->turn,
	};
	w->session = NULL;
	api_events_stream(take_request(w), setup, session, &plan);
}

static void wait_for_turn(struct waiting *w, uint64_t after)
{
	if (w->wants_stream)
		become_stream(w, after);
	else
		session_attach(w->session, &w->at, after, on_more, w);
}

static void reply_first(struct waiting *w, const struct session_receipt *r)
{
	struct buf json = {0};
	buf_json(&json, r->result, r->result ? r->result_len : 0);
	struct result result = {
	    .has_failed = r->has_failed,
	    .reason = r->reason,
	    .reason_len = r->reason ? strlen(r->reason) : 0,
	    .json = json.data,
	    .json_len = json.len,
	    .duration_ms = r->duration_ms,
	};
	reply(w, r->session_id, &result);
	buf_fini(&json);
}

/*
 * Exchange our session for the one in which the first input of this name runs.
 */
static bool switch_session(struct waiting *w, const char *id)
{
	enum session_status status;
	bool has_record;
	struct err err;
	struct session *first = session_open(w->setup->sessions, id, strlen(id),
	    w->caller, &status, &has_record, &err);
	if (!first) {
		refuse(w, &err);
		return false;
	}
	session_close(&w->session);
	w->session = first;
	return true;
}

/*
 * The first input's turn runs still, or is to be shown as events: attach to it.
 */
static void join_first(struct waiting *w, const struct session_receipt *r)
{
	if (!switch_session(w, r->session_id))
		return;
	uint64_t began = session_turn_began(w->session);
	bool is_latest = session_turn(w->session) == r->turn && began;
	wait_for_turn(w, is_latest ? began - 1 : 0);
}

static void on_repeated(struct waiting *w, const struct session_receipt *r)
{
	if (r->is_over)
		reply_first(w, r);
	else
		join_first(w, r);
}

static void on_receipt(void *arg, const struct session_receipt *r)
{
	struct waiting *w = arg;
	w->call = NULL;
	w->turn = r->turn;
	switch (r->outcome) {
	case INPUT_REFUSED:
		refuse(w, r->err);
		break;
	case INPUT_REPEATED:
		on_repeated(w, r);
		break;
	case INPUT_STARTED:
	case INPUT_ADDED:
	case INPUT_ANSWERED:
		/* From before the input itself, so that a stream shows it. */
		wait_for_turn(w, r->seq ? r->seq - 1 : 0);
		break;
	}
}

/* ---- the request ---- */

struct request {
	const struct json *body;
	const struct json *said; /* the body, or what of it is signed */
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

/* The member, or NULL when it is absent or null. */
static const struct json *member(const struct json *object, const char *key)
{
	const struct json *v = json_get(object, key);
	return json_type(v) == JSON_NULL ? NULL : v;
}

static int read_body(struct http_req *req, struct request *r, struct err *err)
{
	size_t len;
	struct json_error why;
	const char *text = http_body(req, &len);
	if (len == 0) {
		text = "{}";
		len = 2;
	}
	r->body = json_parse(&body_doc, text, len, 0, &why);
	if (!json_is(r->body, JSON_OBJECT))
		return err_set(err, ERR_BAD_JSON, NULL);
	r->said = r->body;
	return 0;
}

/* Even null: who tried to sign is never taken for anonymous. */
static bool is_signed(const struct request *r)
{
	return json_get(r->body, "payload") || json_get(r->body, "from") ||
	       json_get(r->body, "signature");
}

/* What is not signed may stand beside it, but does not count against it. */
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
 * The bare text of a header that may be an
 * RFC 8941 string; false when it is broken.
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
	*is_newer = session && id && has_record && status != SESSION_RUNNING &&
		    is_server_newer(session, r);
	return session;
}

static bool wants_stream(struct http_req *req)
{
	const char *accept = http_header(req, "accept");
	return accept && strcasestr(accept, "text/event-stream");
}

static void hand_over(
    struct http_req *req, const struct door_setup *setup, struct request *r)
{
	struct err err;
	bool is_newer;
	struct session *session = open_session(setup, r, &is_newer, &err);
	if (!session) {
		api_reply_err(req, &err);
		return;
	}
	struct waiting *w = mem_zero(sizeof(*w));
	w->req = req;
	w->setup = setup;
	w->session = session;
	memcpy(w->caller, r->caller->address, sizeof w->caller);
	w->wants_stream = wants_stream(req);
	w->is_server_newer = is_newer;
	list_append(&all_waiting, &w->link);
	http_on_gone(req, on_gone, w);
	w->call = session_input(session, &r->input, on_receipt, w);
}

static void take(
    struct http_req *req, const struct door_setup *setup, struct request *r)
{
	struct err err;
	if (read_request(req, r, &err) < 0)
		api_reply_err(req, &err);
	else
		hand_over(req, setup, r);
}

/* ---- who sends it ---- */

static void on_verdict(
    void *arg, struct http_req *req, const struct access_verdict *v)
{
	struct request r = {.caller = v->caller};
	struct err err;
	size_t body_len;
	(void)http_body(req, &body_len);
	if (v->err) {
		api_signed_refuse(req, v->err);
		return;
	}
	/* It was parsed before, but others have used the parser since. */
	if (read_body(req, &r, &err) < 0) {
		api_reply_err(req, &err);
	} else {
		if (is_signed(&r))
			r.said = json_get(r.body, "payload");
		take(req, arg, &r);
	}
	free_request(&r, body_len);
}

static void ask(struct http_req *req, const struct door_setup *setup,
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
	api_signed_ask(req, setup, &what, on_verdict, u.arg);
}

void api_input_post(struct http_req *req, void *arg)
{
	const struct door_setup *setup = arg;
	struct caller nobody = CALLER_NOBODY;
	struct request r = {.caller = &nobody};
	struct err err;
	size_t body_len;
	(void)http_body(req, &body_len);
	/* Before anything that costs: bad signatures may come in floods. */
	if (!api_limit_peer(req, setup))
		return;
	if (api_signed_is(req)) {
		(void)err_set(&err, ERR_UNAUTHORIZED, NULL);
		api_reply_err(req, &err);
		return;
	}
	if (read_body(req, &r, &err) < 0)
		api_reply_err(req, &err);
	else if (is_signed(&r) || !access_is_open(setup->access))
		ask(req, setup, &r);
	else
		take(req, setup, &r);
	free_request(&r, body_len);
}
