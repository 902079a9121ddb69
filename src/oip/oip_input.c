/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_input.h"

#include "access/access.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/conf.h"
#include "door/console.h"
#include "door/door.h"
#include "net/wire.h"
#include "oip/oip_auth.h"
#include "oip/oip_conn.h"
#include "oip/oip_connect.h"
#include "oip/oip_frame.h"
#include "oip/oip_limit.h"
#include "oip/oip_sender.h"

#include <stdlib.h>
#include <string.h>

/* Clients know this refusal by its text. */
#define NOT_YET "authenticate first (send CONNECT)"

/* An input that waits for its receipt. */
struct oip_call {
	struct list link;
	struct oip_conn *conn;
	struct session_call *call;
	uint32_t ended_turn; /* that of the client when it sent the input */
	char *input_id;	     /* NULL: none */
};

static void oip_input_free_call(struct oip_call *call)
{
	list_remove(&call->link);
	call->conn->n_calls--;
	free(call->input_id);
	free(call);
}

/* ---- receipts ---- */

static void send_ack(
    const struct oip_call *call, const struct session_receipt *r)
{
	struct oip_conn *c = call->conn;

	oip_frame_ack(oip_conn_frame(), session_id(c->session), r->id,
	    c->is_rows ? call->input_id : NULL, r->outcome == INPUT_ANSWERED);
	oip_conn_send(c);
}

static void send_end_again(
    struct oip_call *call, const struct session_receipt *r)
{
	struct oip_conn *c = call->conn;
	struct session_record record;
	/* Inputs since that turn are not part of what it answered. */
	bool has_record = !c->is_rows && r->is_latest &&
			  oip_conn_record(c, &record) && record.turn == r->turn;

	oip_frame_again(
	    oip_conn_frame(), r, has_record ? &record : NULL, call->input_id);
	oip_conn_send(c);
}

/*
 * Whether the end of the turn is not among what the client reads or will read.
 * One that has rows may have lost its own.
 */
static bool is_end_past(
    const struct oip_call *call, const struct session_receipt *r)
{
	return call->conn->is_rows || (r->turn <= call->ended_turn &&
					  r->turn != call->conn->unasked_turn);
}

static void on_repeated(struct oip_call *call, const struct session_receipt *r)
{
	struct oip_conn *c = call->conn;

	/*
	 * For an input that joined a turn, it is not yet known which end is its
	 * own.
	 */
	if (!r->is_over && r->id)
		send_ack(call, r);
	else if (r->is_over && is_end_past(call, r))
		send_end_again(call, r);
	/*
	 * Otherwise its end is among the events that this client reads or will
	 * read, or that it read before the repeated input arrived.
	 */
	c->unasked_turn = 0;
}

static void on_outcome(struct oip_call *call, const struct session_receipt *r)
{
	struct oip_conn *c = call->conn;

	switch (r->outcome) {
	case INPUT_STARTED:
		c->begun_turn = r->turn;
		break;
	case INPUT_ANSWERED:
		c->answered_seq = r->seq;
		send_ack(call, r);
		break;
	case INPUT_ADDED:
		send_ack(call, r);
		break;
	case INPUT_REPEATED:
		on_repeated(call, r);
		break;
	case INPUT_REFUSED:
		log_info("✗ INPUT refused session=%.4s...: %s",
		    session_id(c->session), r->err->text);
		oip_conn_refuse(c, r->err);
		return;
	}
	c->has_run = true;
	if (r->turn > c->asked_turn)
		c->asked_turn = r->turn;
	oip_conn_drop_conversation(c);
}

/* ---- a first INPUT that may be a repeated one ---- */

/* The input was sent to another session before: move the client to that one. */
static int move_to(struct oip_conn *c, const char *id)
{
	enum session_status status;
	bool has_record;
	struct err err;
	struct session *s = session_open(c->setup->sessions, id, strlen(id),
	    c->caller.address, &status, &has_record, &err);

	session_close(&c->session);
	c->session = s;
	c->is_holder = false;
	if (s) {
		oip_conn_look(c, NULL);
		return 0;
	}
	c->has_spoken = false;
	oip_conn_refuse(c, &err);
	return -1;
}

static void attach_to_turn(struct oip_call *call)
{
	struct oip_conn *c = call->conn;
	uint32_t turn = session_turn(c->session);
	uint64_t began = session_turn_began(c->session);

	oip_conn_attach(c, began ? began - 1 : 0, turn ? turn - 1 : 0);
}

static void attach_to_end(struct oip_call *call)
{
	struct oip_conn *c = call->conn;
	uint32_t turn = session_turn(c->session);

	oip_conn_attach(c, session_head(c->session), turn);
	call->ended_turn = turn;
}

/* Greet the client now that its session is known. */
static int finish_opening(
    struct oip_call *call, const struct session_receipt *r)
{
	struct oip_conn *c = call->conn;
	bool is_elsewhere = r->outcome == INPUT_REPEATED &&
			    strcmp(r->session_id, session_id(c->session)) != 0;

	c->is_opening = false;
	if (is_elsewhere && move_to(c, r->session_id) != 0)
		return -1;
	if (!is_elsewhere)
		oip_connect_greet(c, "new");
	else
		oip_connect_greet(c, r->is_over ? "connected" : "running");
	if (r->is_over)
		attach_to_end(call);
	else
		attach_to_turn(call);
	return 0;
}

static void on_receipt(void *arg, const struct session_receipt *r)
{
	struct oip_call *call = arg;
	struct oip_conn *c = call->conn;

	if (!c->is_opening || finish_opening(call, r) == 0)
		on_outcome(call, r);
	oip_input_free_call(call);
	oip_conn_unhush(c);
}

void oip_input_forget(struct oip_conn *c)
{
	list_each_safe(it, &c->calls)
	{
		struct oip_call *call = list_entry(it, struct oip_call, link);
		session_forget(&call->call);
		oip_input_free_call(call);
	}
}

/* ---- INPUT ---- */

static const struct json *not_null(const struct json *v)
{
	return json_type(v) == JSON_NULL ? NULL : v;
}

/*
 * Open a new session for a caller that is admitted without CONNECT. CONNECTED
 * is sent at once, unless the input may be a repeated one.
 */
static int open_bare(struct oip_conn *c, bool may_repeat)
{
	enum session_status status;
	bool has_record;
	struct err err;

	c->session = session_open(c->setup->sessions, NULL, 0,
	    c->caller.address, &status, &has_record, &err);
	if (!c->session) {
		oip_conn_refuse(c, &err);
		return -1;
	}
	c->has_spoken = true;
	c->is_holder = true;
	c->is_opening = may_repeat;
	if (may_repeat)
		return 0;
	oip_connect_greet(c, "new");
	oip_conn_attach(c, 0, 0);
	return 0;
}

static void log_input(const struct oip_conn *c, const struct session_input *in)
{
	console_submit(c->session, in);
	if (in->images || in->files)
		console_attached(json_count(in->images), json_count(in->files));
}

static void call_session(struct oip_conn *c, const struct session_input *in)
{
	struct oip_call *call = mem_zero(sizeof *call);

	log_input(c, in);
	call->conn = c;
	call->ended_turn = c->ended_turn;
	if (in->input_id)
		call->input_id = mem_strndup(in->input_id, in->input_id_len);
	list_append(&c->calls, &call->link);
	c->n_calls++;
	call->call = session_input(c->session, in, on_receipt, call);
}

/*
 * Use the conversation from CONNECT; older clients send theirs with each INPUT.
 */
static void add_conversation(const struct oip_conn *c, const struct json *frame,
    struct session_input *in)
{
	const struct json *session = json_get(frame, "session");

	if (c->conversation) {
		in->conversation = c->conversation;
		in->conversation_len = c->conversation_len;
	} else if (!c->has_conversation && json_is(session, JSON_OBJECT) &&
		   json_count(session)) {
		in->conversation = json_text(session, &in->conversation_len);
	}
}

/*
 * A client that creates its session holds it; another one may send its
 * continuation token.
 */
static void add_rights(
    struct oip_conn *c, const struct json *frame, struct session_input *in)
{
	struct err err;

	if (c->session && json_get(frame, "session"))
		oip_conn_look(c, json_get(frame, "session"));
	in->is_holder = !c->session || c->is_holder;
	in->may_answer = !c->session || oip_conn_may_answer(c, &err);
}

/*
 * Returns a member of the input. Clients that do not sign commands sign only
 * their prompt, and put images, files and input_id beside the payload: these
 * are accepted there. In a command that is signed as a whole only the payload
 * counts.
 */
static const struct json *member(const struct oip_conn *c,
    const struct json *frame, const struct json *said, const char *name)
{
	const struct json *v = not_null(json_get(said, name));

	if (v || c->is_v2 || json_get(said, "type"))
		return v;
	return not_null(json_get(frame, name));
}

/* Returns why the frame is not allowed in this state, or NULL. */
static const char *oip_input_complaint(
    const struct oip_conn *c, const struct json *frame, const struct json *said)
{
	const struct json *prompt = json_get(said, "prompt");
	const struct json *id = member(c, frame, said, "input_id");

	if (!c->session &&
	    (c->has_spoken || not_null(json_get(said, "session_id")))) {
		console_unauthenticated("INPUT");
		return NOT_YET;
	}
	if (!json_is(prompt, JSON_STRING) || json_str_is(prompt, ""))
		return "prompt required";
	if (id && !json_is(id, JSON_STRING))
		return "input_id invalid";
	return NULL;
}

static int check_load(struct oip_conn *c, const struct json *frame)
{
	struct err err;
	size_t len = 0;

	(void)json_text(frame, &len);
	if (c->n_calls >= OIP_MAX_CALLS || c->is_opening)
		(void)err_set(&err, ERR_BUSY,
		    "too many inputs at once; wait for an answer");
	else if (oip_limit_input(c, len, &err) == 0)
		return 0;
	oip_conn_refuse(c, &err);
	return -1;
}

/*
 * The npm client sends an empty INPUT of its own after it was admitted, and
 * would take an ERROR for it as the end of the real one.
 */
static bool is_echo(struct oip_conn *c, const struct json *said)
{
	bool is_it =
	    c->was_onboarded && json_str_is(json_get(said, "prompt"), "");

	c->was_onboarded = false;
	return is_it;
}

/* Submit the input of a frame; a bare INPUT opens a session of its own. */
static void oip_input_take(
    struct oip_conn *c, const struct json *frame, const struct json *said)
{
	const char *why = oip_input_complaint(c, frame, said);
	struct buf prompt = {0}, id = {0};
	struct session_input in = {
	    .images = member(c, frame, said, "images"),
	    .files = member(c, frame, said, "files"),
	    .caller = c->caller.address,
	    .level = c->caller.level,
	    .peer = c->wire->peer,
	    .peer_is_loopback = c->wire->peer_is_loopback,
	    .place = c->wire->place,
	    .may_join = true,
	    .is_unscoped = !c->session,
	};

	if (is_echo(c, said))
		return;
	if (why) {
		oip_conn_error(c, why);
		return;
	}
	in.prompt = json_str(json_get(said, "prompt"), &prompt, &in.prompt_len);
	in.input_id =
	    json_str(member(c, frame, said, "input_id"), &id, &in.input_id_len);
	add_conversation(c, frame, &in);
	add_rights(c, frame, &in);
	if (in.input_id && memchr(in.input_id, 0, in.input_id_len))
		oip_conn_error(c, "input_id invalid");
	else if (check_load(c, frame) == 0 &&
		 (c->session || open_bare(c, in.input_id) == 0))
		call_session(c, &in);
	buf_fini(&prompt);
	buf_fini(&id);
}

/* ---- the sender ---- */

static void on_stranger(struct oip_conn *c, const struct json *frame,
    const struct access_verdict *v)
{
	if (v->err)
		oip_conn_error(c, NOT_YET);
	else
		oip_input_take(c, frame, frame);
}

/* Only the signed prompt counts, not one beside the payload. */
static void take_signed(struct oip_conn *c, const struct json *frame,
    const struct access_verdict *v)
{
	const struct json *payload = json_get(frame, "payload");
	const struct json *said = json_get(payload, "prompt") ? payload : frame;

	if (v->err) {
		console_auth_error("INPUT", v->err->text);
		oip_conn_deny(c, v->err);
		return;
	}
	if (!c->session && !oip_limit_caller(c, v->caller->address))
		return;
	if (!c->session)
		c->caller = *v->caller;
	oip_input_take(c, frame, said);
}

static void on_signed(struct oip_conn *c, const struct json *frame,
    const struct access_verdict *v)
{
	take_signed(c, frame, v);
	/*
	 * A refused input is not an answer for which events must be held back.
	 */
	if (!c->n_calls)
		oip_conn_unhush(c);
}

/* A signature of another caller is not accepted on this connection. */
static const char *late_complaint(
    const struct oip_conn *c, const struct json *frame)
{
	if (c->session && !oip_sender_is_from(frame, c->caller.address))
		return "unauthorized: command signer does not own this "
		       "connection";
	return NULL;
}

static void on_judged(struct oip_conn *c, const struct json *frame,
    const struct access_verdict *v)
{
	if (v->err)
		oip_conn_deny(c, v->err);
	else
		oip_input_take(c, frame, frame);
	if (!c->n_calls)
		oip_conn_unhush(c);
}

/*
 * Whether a frame without a signature has a prompt that must be judged. Those
 * of commands that are signed one by one have been.
 */
static bool must_be_judged(const struct oip_conn *c, const struct json *frame)
{
	return c->session && !c->is_v2 && c->caller.address[0] &&
	       c->setup->conf->trust_sees_prompt &&
	       json_is(json_get(frame, "prompt"), JSON_STRING);
}

static void oip_input_judge(
    struct oip_conn *c, const struct json *frame, struct access_ask *ask)
{
	ask->caller = &c->caller;
	oip_auth_ask(c, frame, ask, on_judged);
}

void oip_input(struct oip_conn *c, const struct json *frame)
{
	struct access_ask ask = {
	    .use = c->session ? ACCESS_SPOKEN : ACCESS_INPUT,
	    .late = late_complaint(c, frame),
	    .may_repeat = true,
	    .prompt = json_get(frame, "prompt"),
	};
	bool is_bare = !c->session && !oip_input_complaint(c, frame, frame);

	if (oip_sender_is_signed(frame))
		oip_auth_ask(c, frame, &ask, on_signed);
	else if (is_bare && !access_is_open(c->setup->access))
		oip_auth_ask(c, frame, &ask, on_stranger);
	else if (must_be_judged(c, frame))
		oip_input_judge(c, frame, &ask);
	else
		oip_input_take(c, frame, frame);
}
