/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_in.h"

#include "access/access.h"
#include "base/json.h"
#include "core/err.h"
#include "door/door.h"
#include "engine/engine.h"
#include "openhands/oh_act.h"
#include "openhands/oh_client.h"
#include "openhands/oh_key.h"
#include "openhands/oh_out.h"
#include "openhands/oh_run.h"
#include "openhands/oh_state.h"
#include "socketio/eio_packet.h"

#include <string.h>

#define BAD_KEY "invalid_session_api_key"
#define BAD_ID "conversation_id is not valid: " OH_CONVERSATION_RULE

static const struct span nsp_main = {"/", 1};

/* ---- CONNECT ---- */

static void set_phase(struct engine_side *side, enum oh_phase phase)
{
	struct oh_state *state = engine_take_state(side);
	if (!state)
		return;
	state->phase = (uint8_t)phase;
	engine_give_state(side);
	engine_changed(side);
}

/*
 * A client that did not ask may still do so. 'detail' is what an operator of
 * the client should know; NULL: nothing.
 */
static void refuse(struct oh_client *c, const char *text, const char *detail)
{
	struct buf out = {0};
	if (c->is_quiet)
		return;
	sio_put_refusal(&out, nsp_main, text, detail);
	engine_answer(c->side, out.data, out.len);
	buf_fini(&out);
	set_phase(c->side, OH_LEFT);
	engine_leave(c->side);
}

/* Get a copy of the cursor. Returns false if the client is gone. */
static bool copy_cursor(struct engine_side *side, struct oh_cursor *cursor)
{
	const struct oh_state *state = engine_take_state(side);
	if (!state)
		return false;
	*cursor = state->cursor;
	engine_give_state(side);
	return true;
}

/* Its acceptance must come before its events. */
static void accept(struct oh_client *c, const struct session *s)
{
	struct oh_cursor cursor;
	if (!copy_cursor(c->side, &cursor))
		return;
	oh_out_begin(&cursor, s);
	struct buf out = {0};
	char sid[EIO_SID + 1];
	eio_sid_new(sid);
	sio_put_connected(&out, nsp_main, sid);
	engine_answer(c->side, out.data, out.len);
	buf_fini(&out);
	struct oh_state *state = engine_take_state(c->side);
	if (!state)
		return;
	state->cursor = cursor;
	state->number = session_number(s);
	state->phase = OH_CONNECTED;
	engine_give_state(c->side);
	engine_changed(c->side);
}

/* Let the client into its conversation. Returns why not, or NULL. */
static const char *let_in(struct oh_client *c)
{
	struct err err;
	struct session *s = oh_client_open(c, &err);
	if (!s)
		return "Failed to join conversation";
	accept(c, s);
	session_close(&s);
	return NULL;
}

/* Go on with what waited for the verdict; why_not is NULL if it was good. */
static void finish_connect(
    struct oh_client *c, const char *why_not, const char *detail)
{
	struct buf held = c->held;
	c->held = (struct buf){0};
	if (!why_not)
		why_not = let_in(c);
	if (why_not)
		refuse(c, why_not, detail);
	else if (held.len)
		oh_in_packet(c->side, held.data, held.len);
	buf_fini(&held);
}

#define NEEDS_KEY                                                         \
	"this server has a SESSION_API_KEY: show it as session_api_key, " \
	"or sign CONNECT as a contact"

/* Whether a client that signed and shows no key may come in. */
static bool is_enough(const struct oh_client *c, const struct caller *caller)
{
	return !c->needs_key || caller->is_known;
}

static void keep_caller(struct oh_client *c, const struct caller *caller)
{
	struct oh_state *state = engine_take_state(c->side);
	if (!state)
		return;
	memcpy(state->caller, caller->address, sizeof state->caller);
	state->token[0] = '\0'; /* it is used up */
	engine_give_state(c->side);
}

/* Take in a client that has signed. Returns why not, or NULL. */
static const char *take_caller(struct oh_client *c,
    const struct access_verdict *verdict, const char **detail, struct err *err)
{
	if (verdict->err)
		return verdict->err->text;
	if (!is_enough(c, verdict->caller)) {
		*detail = NEEDS_KEY;
		return BAD_KEY;
	}
	if (engine_hold_caller(c->side, verdict->caller->address, err) != 0)
		return err->text;
	keep_caller(c, verdict->caller);
	return NULL;
}

/* A client that has signed is told what is wrong with that. */
static void on_signed(void *arg, const struct access_verdict *verdict)
{
	struct oh_client *c = arg;
	struct err err;
	const char *detail = NULL;
	c->asking = NULL;
	const char *why_not = take_caller(c, verdict, &detail, &err);
	finish_connect(c, why_not, detail);
	engine_set_busy(c->side, false); /* the side may be gone now */
}

static void on_verdict(void *arg, const struct access_verdict *verdict)
{
	struct oh_client *c = arg;
	c->asking = NULL;
	if (verdict->err)
		finish_connect(c, BAD_KEY, verdict->err->text);
	else
		finish_connect(c, NULL, NULL);
	engine_set_busy(c->side, false); /* the side may be gone now */
}

/* Ask the policy about a client; said is NULL if it has signed nothing. */
static void ask(struct oh_client *c, const struct json *said)
{
	const struct door_setup *setup = engine_setup(c->side);
	const struct access_ask ask = {
	    .use = ACCESS_CONNECT,
	    .payload = json_get(said, "payload"),
	    .from = json_get(said, "from"),
	    .signature = json_get(said, "signature"),
	    .peer = engine_peer(c->side),
	    .place = engine_place(c->side),
	};
	if (!said && access_is_open(setup->access)) {
		finish_connect(c, NULL, NULL);
		return;
	}
	engine_set_busy(c->side, true);
	c->asking =
	    access_ask(setup->access, &ask, said ? on_signed : on_verdict, c);
}

/* What a client that connects has shown before. */
struct shown {
	bool is_new;
	bool has_conversation;
	bool has_bad_id;
	bool has_key;
	char token[OH_TOKEN_MAX + 1];
};

static bool look_at_shown(struct oh_client *c, struct shown *shown)
{
	const struct oh_state *state = engine_take_state(c->side);
	if (!state)
		return false;
	shown->is_new = state->phase == OH_NEW && !c->asking;
	shown->has_conversation = *state->conversation;
	shown->has_bad_id = state->has_bad_id;
	shown->has_key = state->has_key;
	memcpy(shown->token, state->token, sizeof shown->token);
	engine_give_state(c->side);
	return true;
}

static void connect_client(
    struct oh_client *c, bool is_quiet, const struct json *credentials)
{
	struct json_doc doc = {0};
	struct buf mem = {0};
	struct shown shown;
	if (!look_at_shown(c, &shown) || !shown.is_new)
		return;
	c->is_quiet = is_quiet;
	c->needs_key =
	    oh_key_is_set() && !shown.has_key && !oh_key_is_given(credentials);
	const struct json *said =
	    oh_token_read(&doc, &mem, credentials, shown.token);
	if (!shown.has_conversation)
		finish_connect(c, "No conversation_id in query params",
		    shown.has_bad_id ? BAD_ID : NULL);
	else if (said || !oh_key_is_set())
		ask(c, said);
	else if (c->needs_key)
		finish_connect(c, BAD_KEY, NEEDS_KEY);
	else
		finish_connect(c, NULL, NULL);
	json_fini(&doc);
	buf_fini(&mem);
}

void oh_in_silent(struct engine_side *side)
{
	connect_client(oh_client_of(side), true, NULL);
}

/* ---- attachments ---- */

static void await_attachments(
    struct engine_side *side, const struct sio_packet *p)
{
	struct oh_state *state = engine_take_state(side);
	if (!state)
		return;
	bool has_ack = p->type == SIO_BINARY_EVENT && p->ack.text;
	state->n_attachments = (uint8_t)p->n_attachments;
	state->ack_len = has_ack ? (uint8_t)p->ack.len : 0;
	memcpy(state->ack, has_ack ? p->ack.text : "", state->ack_len);
	engine_give_state(side);
}

void oh_in_attachment(struct engine_side *side)
{
	char ack[SIO_MAX_ACK];
	struct oh_state *state = engine_take_state(side);
	if (!state)
		return;
	bool is_awaited = state->n_attachments > 0;
	bool is_last = is_awaited && --state->n_attachments == 0;
	size_t len = state->ack_len;
	memcpy(ack, state->ack, sizeof ack);
	engine_give_state(side);
	if (!is_awaited)
		engine_fail(side, "sent an attachment of no packet");
	else if (is_last)
		oh_act_ack(oh_client_of(side), (struct span){ack, len});
}

/* ---- packets ---- */

static void refuse_namespace(struct engine_side *side, struct span nsp)
{
	struct buf out = {0};
	sio_put_refusal(&out, nsp, "Invalid namespace", NULL);
	engine_answer(side, out.data, out.len);
	buf_fini(&out);
}

static void take_event(struct oh_client *c, const struct sio_packet *p)
{
	const struct json *name = json_first(p->json);
	bool is_action = json_is(name, JSON_STRING) &&
			 (json_str_is(name, "oh_user_action") ||
			     json_str_is(name, "oh_action"));
	if (is_action)
		oh_act(c, json_next(name), p->ack);
	else
		oh_act_ack(c, p->ack);
}

/* What a client is as far as its packets are concerned. */
struct standing {
	enum oh_phase phase;
	bool awaits_attachments;
};

static bool look_at(struct engine_side *side, struct standing *standing)
{
	const struct oh_state *state = engine_take_state(side);
	if (!state)
		return false;
	standing->phase = state->phase;
	standing->awaits_attachments = state->n_attachments > 0;
	engine_give_state(side);
	return true;
}

/* An event before CONNECT connects: programs that only send do not ask. */
static void hold_event(struct oh_client *c, const char *text, size_t len)
{
	buf_reset(&c->held);
	buf_append(&c->held, text, len);
	connect_client(c, false, NULL);
}

static void take_main(struct engine_side *side, const struct sio_packet *p,
    enum oh_phase phase, struct span text)
{
	struct oh_client *c = oh_client_of(side);
	switch (p->type) {
	case SIO_CONNECT:
		connect_client(c, false, p->json);
		break;
	case SIO_DISCONNECT:
		set_phase(side, OH_LEFT);
		engine_leave(side);
		break;
	case SIO_EVENT:
		if (phase == OH_NEW)
			hold_event(c, text.text, text.len);
		else if (phase == OH_CONNECTED)
			take_event(c, p);
		break;
	case SIO_BINARY_EVENT:
	case SIO_BINARY_ACK:
		await_attachments(side, p);
		break;
	case SIO_ACK:
	case SIO_REFUSAL:
		break; /* we never ask for one */
	}
}

void oh_in_packet(struct engine_side *side, const char *text, size_t len)
{
	struct json_doc doc = {0};
	struct sio_packet p;
	struct standing standing;
	const char *why;
	if (!look_at(side, &standing))
		return;
	if (!sio_packet_read(&p, &doc, text, len, &why))
		engine_fail(side, why);
	else if (standing.awaits_attachments)
		engine_fail(side, "sent a packet before its attachments");
	else if (sio_is_main(&p))
		take_main(side, &p, standing.phase, (struct span){text, len});
	else if (p.type == SIO_CONNECT)
		refuse_namespace(side, p.nsp);
	else if (p.n_attachments)
		await_attachments(side, &p);
	json_fini(&doc);
}

void oh_in_end_if_blocked(struct engine_side *side)
{
	struct buf out = {0};
	const struct oh_state *state = engine_take_state(side);
	if (!state)
		return;
	bool is_blocked = oh_client_is_blocked(side, state);
	engine_give_state(side);
	if (!is_blocked)
		return;
	oh_client_dismiss(side, &out);
	engine_answer(side, out.data, out.len); /* the side may be gone now */
	buf_fini(&out);
}

void oh_in_gone(struct engine_side *side)
{
	struct oh_client *c = engine_mine(side);
	if (!c)
		return;
	oh_act_forget(c);
	oh_run_forget(c);
	oh_client_free(side);
}
