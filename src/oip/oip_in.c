/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_in.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"
#include "door/console.h"
#include "door/door.h"
#include "oip/oip_admin.h"
#include "oip/oip_answer.h"
#include "oip/oip_auth.h"
#include "oip/oip_conn.h"
#include "oip/oip_connect.h"
#include "oip/oip_exec.h"
#include "oip/oip_frame.h"
#include "oip/oip_input.h"
#include "oip/oip_manage.h"
#include "oip/oip_mode.h"
#include "oip/oip_onboard.h"
#include "oip/oip_rows.h"
#include "oip/oip_seal.h"

#include <string.h>

/* Node memory of larger frames is freed at once. */
#define KEEP_TEXT_BYTES (64 * 1024)

#define PROVIDER_ID_CHARS 128
#define PROVIDER_TEXT_CHARS 12000

/*
 * One parser for all frames: each frame is finished before the next is parsed.
 */
static struct json_doc doc;

/* ---- liveness ---- */

static void on_pong(struct oip_conn *c, const struct json *frame)
{
	(void)frame; /* only its type matters */
	if (c->session)
		session_touch(c->session);
}

static void on_ping(struct oip_conn *c, const struct json *frame)
{
	on_pong(c, frame);
	buf_str(oip_conn_frame(), "{\"type\":\"PONG\"}");
	oip_conn_send(c);
}

/* ---- SESSION_STATUS ---- */

/*
 * An anonymous client that is not in a session may query the status of one only
 * on an open server.
 */
static const char *oip_in_status_of(
    const struct oip_conn *c, const char *id, size_t len, const char *caller)
{
	if (!id ||
	    (!c->session && !*caller && !access_is_open(c->setup->access)))
		return "not_found";
	switch (session_peek(c->setup->sessions, id, len, caller)) {
	case SESSION_NEW:
		return "not_found";
	case SESSION_CONNECTED:
		return "connected";
	case SESSION_RUNNING:
		return "running";
	}
	return "not_found";
}

static void tell_status(
    struct oip_conn *c, const struct json *asked, const char *caller)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *id =
	    json_str(json_get(asked, "session_id"), &scratch, &len);

	oip_frame_status(
	    oip_conn_frame(), id, len, oip_in_status_of(c, id, len, caller));
	oip_conn_send(c);
	buf_fini(&scratch);
}

static void on_signed_status(struct oip_conn *c, const struct json *frame,
    const struct access_verdict *v)
{
	/* A failed proof is not reported, only a fault of the server. */
	if (v->err && (v->err->code == ERR_MISCONFIGURED ||
			  err_is_retryable(v->err->code)))
		oip_conn_deny(c, v->err);
	else
		tell_status(c, json_get(frame, "payload"),
		    v->err ? "" : v->caller->address);
}

static void on_session_status(struct oip_conn *c, const struct json *frame)
{
	struct access_ask ask = {.use = ACCESS_STATUS};

	if (!c->session && json_is(json_get(frame, "payload"), JSON_OBJECT))
		oip_auth_ask(c, frame, &ask, on_signed_status);
	else
		tell_status(c, json_get(frame, "session"), c->caller.address);
}

/* ---- the running turn ---- */

static void on_interrupt(struct oip_conn *c, const struct json *frame)
{
	struct err err;

	(void)frame; /* only its type matters */
	if (!c->session || session_status(c->session) != SESSION_RUNNING)
		(void)err_set(&err, ERR_NOT_RUNNING, NULL);
	else if (oip_conn_may_answer(c, &err) &&
		 session_interrupt(c->session, SESSION_STOP, &err) == 0)
		return;
	oip_conn_refuse(c, &err);
}

/* ---- coding providers, not supported ---- */

/* Whether v is a string of 1 to max characters. */
static bool has_chars(const struct json *v, size_t max)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *s = json_str(v, &scratch, &len);
	bool is_good = s && len > 0 && utf8_prefix(s, len, max) == len;

	buf_fini(&scratch);
	return is_good;
}

static bool is_positive(const struct json *v)
{
	int64_t n = 0;

	return json_int(v, &n) && n > 0;
}

static void answer_provider(struct oip_conn *c, const char *ack,
    const struct json *frame, bool is_complete)
{
	const struct json *revision = json_get(frame, "stateRevision");
	const char *why = "not_active";

	if (!is_complete ||
	    !has_chars(json_get(frame, "requestId"), PROVIDER_ID_CHARS))
		why = "invalid_request";
	else if (revision && !is_positive(revision))
		why = "invalid_revision";
	oip_frame_provider(oip_conn_frame(), ack, frame, why);
	oip_conn_send(c);
}

static void on_provider_interrupt(struct oip_conn *c, const struct json *frame)
{
	if (json_get(frame, "requestId"))
		answer_provider(c, "PROVIDER_INTERRUPT_ACK", frame, true);
	else
		oip_conn_error(
		    c, "provider stop requires the exact active provider run");
}

static void on_provider_input(struct oip_conn *c, const struct json *frame)
{
	bool is_complete =
	    has_chars(json_get(frame, "text"), PROVIDER_TEXT_CHARS) &&
	    json_get(frame, "stateRevision");

	answer_provider(c, "PROVIDER_INPUT_ACK", frame, is_complete);
}

/* ---- commands ---- */

enum command_flag {
	FIRST = 1,  /* a bare INPUT may still follow */
	LOGGED = 2, /* the console shows its type */
	OWN = 4,    /* signed in its own way or not at all, even on v2 */
};

struct command {
	const char *type;
	void (*fn)(struct oip_conn *c, const struct json *frame);
	unsigned flags;
};

static const struct command commands[] = {
    {"INPUT", oip_input, FIRST},
    {"PONG", on_pong, FIRST | OWN},
    {"PING", on_ping, FIRST | OWN},
    {"CONNECT", oip_connect, OWN},
    {"INIT", oip_connect, LOGGED | OWN},
    {"ATTACH", oip_connect, LOGGED | OWN},
    {"ASK_USER_RESPONSE", oip_answer_ask, LOGGED},
    {"APPROVAL_RESPONSE", oip_answer_approval, LOGGED},
    {"PLAN_REVIEW_RESPONSE", oip_answer_review, LOGGED},
    {"ULW_RESPONSE", oip_answer_late, LOGGED},
    {"prompt_update", oip_answer_late, LOGGED},
    {"INTERRUPT", on_interrupt, LOGGED},
    {"SESSION_STATUS", on_session_status, FIRST | LOGGED | OWN},
    {"mode_change", oip_mode_change, LOGGED},
    {"ROWS", oip_rows_page, 0},
    {"SESSIONS", oip_manage_list, 0},
    {"RENAME", oip_manage_rename, LOGGED},
    {"DELETE", oip_manage_delete, LOGGED},
    {"EXEC", oip_exec, LOGGED},
    {"PROVIDER_INTERRUPT", on_provider_interrupt, LOGGED},
    {"PROVIDER_INPUT", on_provider_input, LOGGED},
    {"ONBOARD_SUBMIT", oip_onboard, LOGGED | OWN},
};

/* One family of types; unknown members of it are answered too. */
static const struct command admin_command = {"ADMIN_", oip_admin, LOGGED | OWN};

static bool is_admin(const struct json *type)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *s = json_str(type, &scratch, &len);
	size_t n = strlen(admin_command.type);
	bool is_it = s && len >= n && memcmp(s, admin_command.type, n) == 0;

	buf_fini(&scratch);
	return is_it;
}

static const struct command *find_command(const struct json *type)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (json_str_is(type, commands[i].type))
			return &commands[i];
	}
	return is_admin(type) ? &admin_command : NULL;
}

/* While a turn runs, the client would take an ERROR for its end. */
static void on_unknown(struct oip_conn *c, const struct json *type)
{
	struct buf name = {0};

	oip_frame_repr(&name, type);
	console_received(name.data, name.len);
	buf_fini(&name);
	c->has_spoken = true;
	if (c->session && session_status(c->session) == SESSION_RUNNING)
		return;
	oip_frame_unknown(oip_conn_frame(), type);
	oip_conn_send(c);
}

static void oip_in_run(
    struct oip_conn *c, const struct command *command, const struct json *frame)
{
	if (command->flags & LOGGED)
		console_received(command->type, strlen(command->type));
	if (!(command->flags & FIRST))
		c->has_spoken = true;
	command->fn(c, frame);
	/* An INPUT may be an answer: its receipt tells, after the verdict. */
	if (!(command->flags & OWN) && !c->n_calls && !c->asking)
		oip_conn_unhush(c);
}

/* A caller that was blocked while connected may send no more commands. */
static bool is_welcome(struct oip_conn *c, const struct command *command)
{
	struct err err;

	if (!c->session || !c->caller.address[0] || command->flags & OWN)
		return true;
	if (access_look(
		c->setup->access, c->caller.address, &c->caller, &err) == 0)
		return true;
	oip_conn_error(c, err.text);
	return false;
}

/* The payload of a signed command is the command. */
static void oip_in_on_verified(struct oip_conn *c, const struct json *payload,
    const struct access_verdict *verdict)
{
	const struct json *type = json_get(payload, "type");
	const struct command *command = find_command(type);

	(void)verdict; /* the caller is admitted */
	if (!command)
		on_unknown(c, type);
	else if (is_welcome(c, command))
		oip_in_run(c, command, payload);
}

static void on_frame(struct oip_conn *c, const struct json *frame)
{
	const struct json *type = json_get(frame, "type");
	const struct command *command = find_command(type);
	bool is_first = !c->has_heard;

	c->has_heard = true;
	if (is_first && oip_seal_is_asked(frame))
		oip_seal_begin(c, frame);
	else if (c->is_v2 && (!command || !(command->flags & OWN)))
		oip_auth_command(c, frame, oip_in_on_verified);
	else if (!command)
		on_unknown(c, type);
	else if (is_welcome(c, command))
		oip_in_run(c, command, frame);
}

/* ---- messages ---- */

static void refuse_text(struct oip_conn *c, const struct json_error *why,
    const char *text, size_t len)
{
	oip_frame_invalid(oip_conn_frame(), why, text, len);
	oip_conn_send(c);
}

static void oip_in_take(struct oip_conn *c, const char *text, size_t len)
{
	static const struct json_error no_object = {
	    "Expecting object", 1, 1, 0};
	struct json_error error;
	/* An empty text counts as an empty frame (doc/oip.txt 1). */
	const struct json *frame = len ? json_parse(&doc, text, len, 0, &error)
				       : json_parse(&doc, "{}", 2, 0, &error);

	if (!frame)
		refuse_text(c, &error, text, len);
	else if (!json_is(frame, JSON_OBJECT))
		refuse_text(c, &no_object, text, len);
	else
		on_frame(c, frame);
	if (len > KEEP_TEXT_BYTES)
		json_fini(&doc);
}

void oip_in_feed(struct oip_conn *c, const char *text, size_t len)
{
	if (!oip_auth_hold(c, text, len))
		oip_in_take(c, text, len);
}

void oip_in_binary(struct oip_conn *c)
{
	static const struct json_error no_text = {
	    "Expecting text frame", 1, 1, 0};

	refuse_text(c, &no_text, NULL, 0);
}
