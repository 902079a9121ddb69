/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/oip_input.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "door/oip_conn.h"
#include "door/oip_connect.h"
#include "door/oip_frame.h"
#include "door/oip_in.h"
#include "net/wire.h"

#include <stdlib.h>
#include <string.h>

/* Characters of a prompt that the log shows. */
#define LOG_CHARS 50

/* An input that waits for its receipt. */
struct oip_call {
	struct list link;
	struct oip_conn *conn;
	struct session_call *call;
	uint32_t ended_turn; /* the client's when it spoke */
	char *input_id;	     /* NULL: none */
};

static void free_call(struct oip_call *call)
{
	list_remove(&call->link);
	call->conn->n_calls--;
	free(call->input_id);
	free(call);
}

/* ---- receipts ---- */

static void send_ack(struct oip_conn *c, const char *id)
{
	oip_frame_ack(oip_conn_frame(), session_id(c->session), id);
	oip_conn_send(c);
}

/*
 * The turn will tell its end to this client,
 * with the client's name for the input.
 */
static void expect_end(struct oip_call *call, uint32_t turn)
{
	struct oip_conn *c = call->conn;

	if (call->input_id && turn > c->ended_turn)
		oip_conn_set_input_id(
		    c, call->input_id, strlen(call->input_id));
}

static void send_end_again(
    struct oip_call *call, const struct session_receipt *r)
{
	struct oip_conn *c = call->conn;
	struct session_record record;
	bool has_record = oip_conn_record(c, &record);

	oip_frame_again(
	    oip_conn_frame(), r, has_record ? &record : NULL, call->input_id);
	oip_conn_send(c);
}

static void on_repeated(struct oip_call *call, const struct session_receipt *r)
{
	struct oip_conn *c = call->conn;

	/* An input that joined a turn has no result of its own. */
	if (r->is_over && !r->has_failed && !r->result)
		send_ack(c, r->id ? r->id : call->input_id);
	else if (!r->is_over)
		expect_end(call, r->turn);
	else if (r->turn <= call->ended_turn && r->turn != c->unasked_turn)
		send_end_again(call, r);
	/*
	 * Else its end is among the events that this client reads, or was when
	 * the input that came back with it had not arrived yet.
	 */
	c->unasked_turn = 0;
}

static void on_outcome(struct oip_call *call, const struct session_receipt *r)
{
	struct oip_conn *c = call->conn;

	switch (r->outcome) {
	case INPUT_STARTED:
		expect_end(call, r->turn);
		break;
	case INPUT_ADDED:
	case INPUT_ANSWERED:
		send_ack(c, r->id);
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

/* The input was given to another session before: that one is the client's. */
static int move_to(struct oip_conn *c, const char *id)
{
	enum session_status status;
	bool has_record;
	struct err err;
	struct session *s = session_open(
	    c->setup->sessions, id, strlen(id), "", &status, &has_record, &err);

	session_close(&c->session);
	c->session = s;
	if (s)
		return 0;
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

	if (!call->conn->is_opening || finish_opening(call, r) == 0)
		on_outcome(call, r);
	free_call(call);
}

void oip_input_forget(struct oip_conn *c)
{
	list_each_safe(it, &c->calls)
	{
		struct oip_call *call = list_entry(it, struct oip_call, link);
		session_forget(&call->call);
		free_call(call);
	}
}

/* ---- INPUT ---- */

static const struct json *not_null(const struct json *v)
{
	return json_type(v) == JSON_NULL ? NULL : v;
}

/*
 * A new anonymous session; CONNECTED at once
 * unless the input may be a repeated one.
 */
static int open_bare(struct oip_conn *c, bool may_repeat)
{
	enum session_status status;
	bool has_record;
	struct err err;

	c->session = session_open(
	    c->setup->sessions, NULL, 0, "", &status, &has_record, &err);
	if (!c->session) {
		oip_conn_refuse(c, &err);
		return -1;
	}
	c->has_spoken = true;
	c->is_opening = may_repeat;
	if (may_repeat)
		return 0;
	oip_connect_greet(c, "new");
	oip_conn_attach(c, 0, 0);
	return 0;
}

static void log_input(const struct oip_conn *c, const struct session_input *in)
{
	size_t kept = oip_frame_chars(in->prompt, in->prompt_len, LOG_CHARS);
	const char *id = session_id(c->session);

	if (session_status(c->session) == SESSION_RUNNING)
		log_info("↳ RUNTIME_INPUT session=%.4s... prompt=%.*s...", id,
		    (int)kept, in->prompt);
	else
		log_info("✓ INPUT identity=anonymous session=%.4s... "
			 "prompt=%.*s...",
		    id, (int)kept, in->prompt);
	if (in->images || in->files)
		log_info("  ↑ %zu images, %zu files", json_count(in->images),
		    json_count(in->files));
}

static void call_session(struct oip_conn *c, const struct session_input *in)
{
	struct oip_call *call = mem_zero(sizeof(*call));

	log_input(c, in);
	call->conn = c;
	call->ended_turn = c->ended_turn;
	if (in->input_id)
		call->input_id = mem_strndup(in->input_id, in->input_id_len);
	list_append(&c->calls, &call->link);
	c->n_calls++;
	call->call = session_input(c->session, in, on_receipt, call);
}

/* CONNECT's conversation; older clients send theirs with each INPUT. */
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

/* What is wrong with the frame in this state, or NULL. */
static const char *complaint(const struct oip_conn *c, const struct json *frame)
{
	const struct json *prompt = json_get(frame, "prompt");
	const struct json *id = json_get(frame, "input_id");

	if (!c->session &&
	    (c->has_spoken || not_null(json_get(frame, "session_id")))) {
		log_info("✗ INPUT rejected: not authenticated "
			 "(send CONNECT first)");
		return "authenticate first (send CONNECT)";
	}
	if (!json_is(prompt, JSON_STRING) || json_str_is(prompt, ""))
		return "prompt required";
	if (not_null(id) && !json_is(id, JSON_STRING))
		return "input_id invalid";
	return NULL;
}

static int check_load(struct oip_conn *c)
{
	struct err err;

	if (c->n_calls < OIP_MAX_CALLS && !c->is_opening)
		return 0;
	(void)err_set(
	    &err, ERR_BUSY, "too many inputs at once; wait for an answer");
	oip_conn_refuse(c, &err);
	return -1;
}

void oip_input(struct oip_conn *c, const struct json *frame)
{
	const char *why = complaint(c, frame);
	struct buf prompt = {0}, id = {0};
	struct session_input in = {
	    .images = not_null(json_get(frame, "images")),
	    .files = not_null(json_get(frame, "files")),
	    .may_join = true,
	    .is_unscoped = !c->session,
	};

	if (why) {
		oip_conn_error(c, why);
		return;
	}
	in.prompt =
	    json_str(json_get(frame, "prompt"), &prompt, &in.prompt_len);
	in.input_id =
	    json_str(json_get(frame, "input_id"), &id, &in.input_id_len);
	add_conversation(c, frame, &in);
	if (in.input_id && memchr(in.input_id, 0, in.input_id_len))
		oip_conn_error(c, "input_id invalid");
	else if (check_load(c) == 0 &&
		 (c->session || open_bare(c, in.input_id) == 0))
		call_session(c, &in);
	buf_fini(&prompt);
	buf_fini(&id);
}
