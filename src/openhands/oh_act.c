/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_act.h"

#include "access/access.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/err.h"
#include "core/stat.h"
#include "door/console.h"
#include "door/door.h"
#include "engine/engine.h"
#include "limits/limits.h"
#include "openhands/oh_action.h"
#include "openhands/oh_answer.h"
#include "openhands/oh_client.h"
#include "openhands/oh_event.h"
#include "openhands/oh_retry.h"
#include "openhands/oh_run.h"
#include "openhands/oh_state.h"
#include "socketio/sio_packet.h"

#include <stdlib.h>
#include <string.h>

/* How many ack ids of one input may wait: the client sent it again so often. */
#define MAX_ACKS 16

/* An ack id. */
struct act_ack {
	char text[SIO_MAX_ACK];
	size_t len;
};

/* An input that waits for its receipt. */
struct act_call {
	struct list link;
	struct oh_client *client;
	struct session *session;
	struct session_call *call;
	uint32_t digest; /* openhands/oh_retry.h; 0: it wants no ack */
	int64_t came_ms;
	struct act_ack acks[MAX_ACKS];
	size_t n_acks;
};

/* ---- answers ---- */

void oh_act_ack(struct oh_client *c, struct span ack)
{
	static const struct span nsp = {"/", 1};
	struct buf out = {0};
	if (!ack.len)
		return;
	sio_put_ack(&out, nsp, ack);
	engine_answer(c->side, out.data, out.len);
	buf_fini(&out);
}

static void tell_error(struct oh_client *c, const char *text)
{
	struct buf out = {0};
	sio_begin_event(&out, "oh_event");
	oh_event_put_error(&out, text);
	sio_end_event(&out);
	engine_answer(c->side, out.data, out.len);
	buf_fini(&out);
}

/* ---- inputs ---- */

static void free_call(struct act_call *call)
{
	list_remove(&call->link);
	session_close(&call->session);
	free(call);
}

/* What was acknowledged late may have been sent again meanwhile. */
static void note_ack(const struct act_call *call)
{
	struct oh_state *state =
	    call->digest ? engine_take_state(call->client->side) : NULL;
	if (!state)
		return;
	oh_retry_acked(
	    &state->retry, call->digest, call->came_ms, clock_mono_ms());
	engine_give_state(call->client->side);
}

static void on_receipt(void *arg, const struct session_receipt *r)
{
	struct act_call *call = arg;
	struct oh_client *c = call->client;
	if (r->outcome == INPUT_REFUSED)
		tell_error(c, err_public_text(r->err));
	for (size_t i = 0; i < call->n_acks; i++)
		oh_act_ack(
		    c, (struct span){call->acks[i].text, call->acks[i].len});
	if (r->outcome != INPUT_REFUSED)
		note_ack(call);
	free_call(call);
	engine_release(c->side);
}

void oh_act_forget(struct oh_client *c)
{
	list_each_safe(it, &c->calls)
	{
		struct act_call *call = list_entry(it, struct act_call, link);
		session_forget(&call->call);
		free_call(call);
	}
}

static void keep_ack(struct act_call *call, struct span ack)
{
	if (!ack.len || call->n_acks == MAX_ACKS)
		return;
	struct act_ack *a = &call->acks[call->n_acks++];
	memcpy(a->text, ack.text, ack.len);
	a->len = ack.len;
}

/* Takes the session. */
static void submit(struct oh_client *c, struct session *s,
    const struct session_input *in, struct span ack, uint32_t digest)
{
	struct act_call *call = mem_zero(sizeof *call);
	console_submit(s, in);
	call->client = c;
	call->session = s;
	call->digest = digest;
	call->came_ms = clock_mono_ms();
	keep_ack(call, ack);
	list_append(&c->calls, &call->link);
	engine_hold(c->side);
	call->call = session_input(s, in, on_receipt, call);
}

/* ---- inputs that are sent again ---- */

static struct act_call *find_call(struct oh_client *c, uint32_t digest)
{
	list_each(it, &c->calls)
	{
		struct act_call *call = list_entry(it, struct act_call, link);
		if (call->digest == digest)
			return call;
	}
	return NULL;
}

/* Returns the digest of a message with an ack; 0 for others. */
static uint32_t digest_of(const struct oh_action *action, struct span ack)
{
	if (action->wish != OH_WISH_MESSAGE || !ack.len)
		return 0;
	return oh_retry_digest(action->content, action->images);
}

static bool was_acked(struct oh_client *c, uint32_t digest)
{
	const struct oh_state *state = engine_take_state(c->side);
	if (!state)
		return false;
	bool is_known =
	    oh_retry_is_known(&state->retry, digest, clock_mono_ms());
	engine_give_state(c->side);
	return is_known;
}

/* Whether it is an input sent again; if so, it is or will be acknowledged. */
static bool is_retry(struct oh_client *c, struct span ack, uint32_t digest)
{
	struct act_call *first = find_call(c, digest);
	if (first)
		keep_ack(first, ack);
	else if (was_acked(c, digest))
		oh_act_ack(c, ack);
	else
		return false;
	stat_add(socketio_retries, 1);
	return true;
}

/* ---- actions ---- */

/* The rate of a caller's inputs (limit_requests). */
static int count_input(const struct oh_client *c, size_t len, struct err *err)
{
	const struct limits_who who = {.caller = c->who.address};
	struct limits_verdict v;
	if (limits_request(
		engine_setup(c->side)->limits, &who, (int64_t)len, &v) == 0)
		return 0;
	*err = v.err;
	return -1;
}

/* Returns 1 if it was submitted, which takes the session; or -1 with *err. */
static int say(struct oh_client *c, const struct oh_answer *answer,
    struct span ack, struct err *err)
{
	struct oh_answer_text memory = {0};
	struct session_input in = {
	    .caller = c->who.address,
	    .level = c->who.level,
	    .peer = engine_peer(c->side),
	    .peer_is_loopback = engine_peer_is_loopback(c->side),
	    .place = engine_place(c->side),
	};
	oh_answer_input(answer, &in, &memory);
	int rc = count_input(c, in.prompt_len, err) == 0 ? 1 : -1;
	if (rc > 0)
		submit(c, answer->session, &in, ack,
		    digest_of(answer->action, ack));
	oh_answer_text_fini(&memory);
	return rc;
}

static bool is_holder(const struct oh_client *c, const struct session *s)
{
	const struct session_guest guest = {
	    .caller = c->who.address, .place = engine_place(c->side)};
	return session_is_held(s, &guest);
}

/* Whether it is a message sent again; if so, it is or will be acknowledged. */
static bool is_again(
    struct oh_client *c, const struct oh_action *action, struct span ack)
{
	uint32_t digest = digest_of(action, ack);
	return digest && is_retry(c, ack, digest);
}

/* Returns 0; 1: the ack is answered, or will be; or -1 with *err. */
static int act(struct oh_client *c, const struct oh_action *action,
    struct span ack, struct err *err)
{
	struct oh_answer answer = {.action = action};
	if (is_again(c, action, ack))
		return 1;
	answer.session = oh_client_open(c, err);
	if (!answer.session)
		return -1;
	answer.is_holder = is_holder(c, answer.session);
	int rc = action->wish == OH_WISH_RUN
		     ? oh_run(c, answer.session, action->content, err)
		     : oh_answer(&answer, err);
	if (rc > 0)
		rc = say(c, &answer, ack, err);
	if (rc <= 0)
		session_close(&answer.session);
	return rc;
}

void oh_act(struct oh_client *c, const struct json *said, struct span ack)
{
	struct oh_action action;
	struct err err;
	oh_action_read(&action, said);
	int rc = 0;
	if (action.wish == OH_WISH_BAD)
		tell_error(c, action.why);
	else
		rc = act(c, &action, ack, &err);
	if (rc < 0)
		tell_error(c, err_public_text(&err));
	if (rc <= 0)
		oh_act_ack(c, ack);
}
