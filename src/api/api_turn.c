/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "api/api_turn.h"

#include "access/access.h"
#include "api/api_accept.h"
#include "api/api_events.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/list.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/event.h"
#include "door/chat_items.h"
#include "door/door.h"
#include "door/frame.h"
#include "door/reply.h"
#include "net/http.h"
#include "session/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Working memory above this size is freed after use. */
#define KEEP_BYTES (1024 * 1024)

/* A request whose prompt was submitted and that waits for its turn to end. */
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
	bool is_holder; /* holds the session (session_is_held()) */
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
	uint32_t turn; /* turn whose conversation to include; 0: none */
};

/* The terminal event at which a read stopped, with memory of its own. */
static struct {
	bool is_there;
	bool is_past;
	uint32_t turn; /* the turn being waited for */
	struct event event;
	struct buf body;
} ending;

/* ---- life cycle ---- */

static void let_go(struct waiting *w)
{
	if (w->call)
		session_forget(&w->call);
	session_detach(&w->at);
	session_close(&w->session);
	list_remove(&w->link);
	free(w);
}

static void api_turn_on_gone(void *arg)
{
	let_go(arg);
}

/* Free the waiting entry and return its request, which the caller must end. */
static struct http_req *take_request(struct waiting *w)
{
	struct http_req *req = w->req;
	http_on_gone(req, NULL, NULL);
	let_go(w);
	return req;
}

static void api_turn_refuse(struct waiting *w, const struct err *err)
{
	reply_err(take_request(w), err);
}

void api_turn_end_blocked(void)
{
	struct err err;
	err_set(&err, ERR_FORBIDDEN, DOOR_BLOCKED);
	list_each_safe(it, &all_waiting)
	{
		struct waiting *w = list_entry(it, struct waiting, link);
		if (*w->caller &&
		    access_is_blocked(w->setup->access, w->caller))
			api_turn_refuse(w, &err);
	}
}

/*
 * The inputs are durable, or about to be: the reply must not suggest otherwise.
 */
void api_turn_close_all(void)
{
	list_each_safe(it, &all_waiting)
	{
		struct waiting *w = list_entry(it, struct waiting, link);
		struct err err;
		err_set(&err, ERR_UNFINISHED,
		    "server is leaving before the turn has ended; its result "
		    "will be in session %.256s: look there before sending the "
		    "input again",
		    session_id(w->session));
		api_turn_refuse(w, &err);
	}
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

/*
 * The conversation after a turn, and the items that clients display of it. It
 * is available only for the latest turn.
 */
static void put_conversation(
    struct buf *out, const struct waiting *w, const char *id, uint32_t turn)
{
	const char *word =
	    w->is_holder ? session_continuation(w->session) : NULL;
	static struct buf memory;
	struct session_record record;
	struct err err;
	buf_reset(&memory);
	buf_str(out, ",\"session\":");
	if (session_get(w->setup->sessions, id, strlen(id), &memory, &record,
		&err) == 0 &&
	    record.turn == turn) {
		frame_conversation(
		    out, record.conversation, record.conversation_len, word);
		buf_str(out, ",\"chat_items\":");
		chat_items_put(
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
	put_conversation(out, w, id, result->turn);
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
	if (result->has_failed)
		http_reply_problem(
		    take_request(w), err_status(ERR_AGENT), out.data, out.len);
	else
		reply_json(take_request(w), 200, &out);
	if (out.cap > KEEP_BYTES)
		buf_fini(&out);
}

/* ---- waiting for the end of the turn ---- */

/* Called inside session_read(): only take notes. */
static bool api_turn_take_event(const struct event *ev, void *arg)
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
	    .turn = w->turn,
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
 * The end of our turn is no longer kept, or was never written: say what is
 * certain.
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

static void api_turn_on_more(void *arg)
{
	struct waiting *w = arg;
	enum session_read how;
	ending.turn = w->turn;
	ending.is_there = ending.is_past = false;
	do
		how = session_read(&w->at, api_turn_take_event, NULL);
	while (how == READ_GONE);
	if (ending.is_there)
		reply_ending(w);
	else if (ending.is_past || how == READ_DELETED)
		reply_lost(w);
}

/* ---- the receipt ---- */

/* Continue as an event stream, which takes over the session. */
static void become_stream(struct waiting *w, uint64_t after)
{
	const struct door_setup *setup = w->setup;
	struct session *session = w->session;
	char caller[ADDRESS_SIZE];
	struct api_events_plan plan = {
	    .after = after,
	    .until_turn = w->turn,
	    .is_holder = w->is_holder,
	    .caller = caller,
	};
	memcpy(caller, w->caller, sizeof caller);
	w->session = NULL;
	api_events_stream(take_request(w), setup, session, &plan);
}

static void wait_for_turn(struct waiting *w, uint64_t after)
{
	if (w->wants_stream)
		become_stream(w, after);
	else
		session_attach(w->session, &w->at, after, api_turn_on_more, w);
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
	    .turn = r->is_latest ? r->turn : 0,
	};
	reply(w, r->session_id, &result);
	buf_fini(&json);
}

/*
 * Switch to the session in which the first input of this name runs or ran, if
 * this caller may open it.
 */
static bool switch_session(struct waiting *w, const char *id)
{
	struct session_guest who = {
	    .caller = w->caller, .place = http_place(w->req)};
	enum session_status status;
	bool has_record;
	struct err err;
	struct session *first = session_open(w->setup->sessions, id, strlen(id),
	    w->caller, &status, &has_record, &err);
	if (!first) {
		api_turn_refuse(w, &err);
		return false;
	}
	if (first != w->session)
		w->is_holder = session_is_held(first, &who);
	session_close(&w->session);
	w->session = first;
	return true;
}

/*
 * The position before the events of a turn, or one before that. The three reads
 * are in the reverse order of journal_publish(): what is written in between
 * comes after the position.
 */
static uint64_t before_turn(const struct session *s, uint32_t turn)
{
	uint64_t head = session_head(s);
	uint64_t began = session_turn_began(s);
	uint32_t latest = session_turn(s);
	if (latest < turn)
		return head; /* its first event is still being written */
	return latest == turn && began ? began - 1 : 0;
}

/*
 * The turn of the first input still runs, or its events are wanted: attach to
 * it.
 */
static void join_first(struct waiting *w, const struct session_receipt *r)
{
	wait_for_turn(w, before_turn(w->session, r->turn));
}

static void on_repeated(struct waiting *w, const struct session_receipt *r)
{
	if (!switch_session(w, r->session_id))
		return;
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
		api_turn_refuse(w, r->err);
		break;
	case INPUT_REPEATED:
		on_repeated(w, r);
		break;
	case INPUT_STARTED:
	case INPUT_ADDED:
	case INPUT_ANSWERED:
		/*
		 * Start before the input itself, so that a stream includes it.
		 */
		wait_for_turn(w, r->seq ? r->seq - 1 : 0);
		break;
	}
}

/* ---- the beginning ---- */

void api_turn_begin(struct http_req *req, const struct door_setup *setup,
    const struct api_turn *turn)
{
	struct waiting *w = mem_zero(sizeof *w);
	w->req = req;
	w->setup = setup;
	w->session = turn->session;
	memcpy(w->caller, turn->caller->address, sizeof w->caller);
	w->wants_stream = api_accept_is_stream(req);
	w->is_server_newer = turn->is_server_newer;
	w->is_holder = turn->input->is_holder;
	list_append(&all_waiting, &w->link);
	http_on_gone(req, api_turn_on_gone, w);
	w->call = session_input(turn->session, turn->input, on_receipt, w);
}
