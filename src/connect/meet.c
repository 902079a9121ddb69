/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/meet.h"

#include "base/clock.h"
#include "connect/client.h"
#include "connect/hear.h"
#include "connect/say.h"
#include "core/err.h"
#include "websocket/ws_client.h"

#include <string.h>

#define CLOSE_TOO_LARGE 1009

/* ---- sealing and greeting ---- */

/* What the operation has heard itself is not sent again, even if it is open. */
static const char *last_event_of(const struct co_client *c)
{
	if (!c->op.has_turn && c->op.kind != OP_RESUME)
		return NULL;
	if (c->query.question.kind || c->answers.len)
		return bookmark_text(&c->bookmark.last_event_id);
	return bookmark_resume_id(&c->bookmark);
}

static void greet(struct co_client *c)
{
	struct buf text = {0};
	const struct say say = client_say(c);
	const struct say_connect connect = {
	    .session_id = bookmark_text(&c->bookmark.session_id),
	    .last_event_id = last_event_of(c),
	    .awaits_end = c->op.has_turn,
	    .session = bookmark_text(&c->bookmark.session),
	};

	c->phase = PHASE_GREETING;
	say_connect(&text, &say, &connect);
	client_send(c, text.data, text.len);
	buf_fini(&text);
}

static void ask_for_seal(struct co_client *c)
{
	struct buf text = {0};
	const struct seal_host me = {
	    .address = c->settings.own_address,
	    .secret_key = c->settings.secret_key,
	};

	c->phase = PHASE_SEALING;
	seal_ask(&c->asked, &text, c->address, &me, clock_wall_ms() / 1000);
	client_send(c, text.data, text.len);
	buf_fini(&text);
}

static void on_open(void *arg)
{
	struct co_client *c = arg;

	if (c->settings.seal == CO_SEAL_NEVER || c->is_seal_off)
		greet(c);
	else
		ask_for_seal(c);
}

/* Some hosts go on, and others end the connection: then on the next one. */
static void greet_in_clear(struct co_client *c)
{
	c->is_seal_off = c->is_new_clear = true;
	greet(c);
}

/* The agent, or the relay, does not seal. */
static void on_seal_refused(struct co_client *c, const struct json *frame)
{
	struct buf text = {0};
	const struct json *message = json_get(frame, "message");

	bookmark_set_string(
	    &text, message ? message : json_get(frame, "error"));
	if (strcasestr(bookmark_text(&text), "agent not connected"))
		client_fault(c, CO_ERR_AWAY, false, "%s", bookmark_text(&text));
	else if (c->settings.seal == CO_SEAL_IF_POSSIBLE)
		greet_in_clear(c);
	else
		client_fault(c, CO_ERR_SEAL, true,
		    "the connection cannot be sealed: %s",
		    *bookmark_text(&text) ? bookmark_text(&text)
					  : "the agent does not know SEAL");
	buf_fini(&text);
}

static void on_sealed(struct co_client *c, const struct json *frame)
{
	struct err err;

	if (seal_confirm(&c->seal, &c->asked, frame, &err) != 0) {
		client_fault(
		    c, CO_ERR_IDENTITY, false, "%s: %s", c->where, err.text);
		return;
	}
	c->is_sealed = true;
	greet(c);
}

/* ---- what comes ---- */

/* Only what is inside a seal is from the agent. */
static void on_clear(struct co_client *c, const struct json *frame)
{
	struct buf text = {0};

	if (json_str_is(json_get(frame, "type"), "PING")) {
		client_send_pong(c);
		return;
	}
	bookmark_set_string(&text, json_get(frame, "message"));
	client_fault(c, CO_ERR_UNREACHABLE, false,
	    "the sealed connection was ended in clear: %s",
	    bookmark_text(&text));
	buf_fini(&text);
}

static void open_sealed(struct co_client *c, const struct json *frame)
{
	struct err err;
	struct json_error why;
	size_t len = 0;
	enum seal_step step = SEAL_BROKEN;
	struct seal_box *box = seal_take(&c->seal, frame, &err);

	while (box && (step = seal_box_step(box)) == SEAL_MORE)
		continue;
	if (step != SEAL_DONE) {
		client_fault(c, CO_ERR_UNREACHABLE, false,
		    "the sealed connection was tampered with");
	} else {
		const char *text = seal_box_text(box, &len);
		const struct json *inner =
		    json_parse(&c->inner_doc, text, len, 0, &why);
		if (inner)
			hear_frame(c, inner);
		else
			client_fault(c, CO_ERR_PROTOCOL, false,
			    "the agent sent what is no JSON: %s", why.message);
	}
	seal_box_free(&box);
}

static void on_frame(struct co_client *c, const struct json *frame)
{
	const struct json *type = json_get(frame, "type");

	if (c->is_sealed) {
		if (json_str_is(type, "SEALED"))
			open_sealed(c, frame);
		else
			on_clear(c, frame);
	} else if (c->phase != PHASE_SEALING) {
		hear_frame(c, frame);
	} else if (json_str_is(type, "SEALED_OK")) {
		on_sealed(c, frame);
	} else if (json_str_is(type, "PING")) {
		on_clear(c, frame);
	} else {
		on_seal_refused(c, frame);
	}
}

static void on_text(void *arg, const char *text, size_t len)
{
	struct co_client *c = arg;
	struct json_error why;
	const struct json *frame;

	if (c->fault.code)
		return;
	frame = json_parse(&c->doc, text, len, 0, &why);
	if (frame)
		on_frame(c, frame);
	else
		client_fault(c, CO_ERR_PROTOCOL, false,
		    "%s sent what is no JSON: %s", c->where, why.message);
}

static void on_end(void *arg, int code, const char *why)
{
	struct co_client *c = arg;
	const char *who = c->is_relayed ? "the relay " : "";

	if (code == CLOSE_TOO_LARGE)
		client_fault(c, CO_ERR_TOO_LARGE, true,
		    "%s%s takes no message of this size", who, c->where);
	else if (strstr(why, "too large"))
		client_fault(
		    c, CO_ERR_TOO_LARGE, true, "%s%s %s", who, c->where, why);
	else
		client_fault(c, CO_ERR_UNREACHABLE, false, "%s%s %s", who,
		    c->where, why);
}

const struct ws_client_handlers meet_handlers = {
    .on_open = on_open,
    .on_text = on_text,
    .on_end = on_end,
};
