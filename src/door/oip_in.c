/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/oip_in.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "core/conf.h"
#include "core/stat.h"
#include "door/oip_answer.h"
#include "door/oip_conn.h"
#include "door/oip_connect.h"
#include "door/oip_frame.h"
#include "door/oip_input.h"
#include "net/http.h"
#include "net/ws.h"

#include <string.h>

#define MEBIBYTE ((int64_t)1024 * 1024)

/* Most pieces of one message: a large upload in 4 KiB pieces fits. */
#define MAX_FRAGMENTS 65536

/* Node memory of larger frames is given back at once. */
#define KEEP_TEXT_BYTES (64 * 1024)

#define MILLISECONDS 1000

#define PROVIDER_ID_CHARS 128
#define PROVIDER_TEXT_CHARS 12000

/* RFC 6455 section 7.4 and its registry: the service restarts. */
#define CLOSE_RESTART 1012

/* One parser for all frames; a frame is done with before the next one. */
static struct json_doc doc;

static bool is_closing;

/* ---- signs of life ---- */

static void on_pong(struct oip_conn *c, const struct json *frame)
{
	(void)frame; /* it says no more than its type */
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

static const char *status_of(
    const struct oip_conn *c, const char *id, size_t len)
{
	if (!id)
		return "not_found";
	switch (session_peek(c->setup->sessions, id, len)) {
	case SESSION_NEW:
		return "not_found";
	case SESSION_CONNECTED:
		return "connected";
	case SESSION_RUNNING:
		return "running";
	}
	return "not_found";
}

static void on_session_status(struct oip_conn *c, const struct json *frame)
{
	const struct json *session = json_get(frame, "session");
	struct buf scratch = {0};
	size_t len = 0;
	const char *id =
	    json_str(json_get(session, "session_id"), &scratch, &len);
	const char *status = status_of(c, id, len);

	oip_frame_status(oip_conn_frame(), id, len, status);
	oip_conn_send(c);
	buf_fini(&scratch);
}

/* ---- the running turn ---- */

static void on_interrupt(struct oip_conn *c, const struct json *frame)
{
	struct err err;

	(void)frame; /* it says no more than its type */
	if (!c->session)
		(void)err_set(&err, ERR_NOT_RUNNING, NULL);
	else if (session_interrupt(c->session, &err) == 0)
		return;
	oip_conn_refuse(c, &err);
}

static void on_exec(struct oip_conn *c, const struct json *frame)
{
	const struct json *tool = json_get(frame, "tool");
	const char *why = "forbidden: exec requires an authenticated caller";

	if (!c->session) {
		oip_conn_error(c, "authenticate first (send CONNECT)");
		return;
	}
	if (!json_is(tool, JSON_STRING) || json_str_is(tool, ""))
		why = "tool required";
	oip_frame_exec_error(oip_conn_frame(), frame, why);
	oip_conn_send(c);
}

/* ---- what needs a signature ---- */

static void on_mode_change(struct oip_conn *c, const struct json *frame)
{
	(void)frame; /* there is no mode to change to */
	oip_conn_error(c, "mode change is unavailable");
}

static void on_signed(struct oip_conn *c, const struct json *frame)
{
	struct err err;

	(void)frame; /* whoever it is from cannot be known */
	(void)err_set(&err, ERR_UNAUTHORIZED, NULL);
	oip_conn_error(c, err.text);
}

/* ---- coding providers, of which there are none ---- */

/* Whether v is a string of 1 to max characters. */
static bool has_chars(const struct json *v, size_t max)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *s = json_str(v, &scratch, &len);
	bool is_good = s && len > 0 && oip_frame_chars(s, len, max) == len;

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

struct command {
	const char *type;
	void (*fn)(struct oip_conn *c, const struct json *frame);
	bool is_first; /* a bare INPUT may still follow */
	bool is_logged;
};

static const struct command commands[] = {
    {"INPUT", oip_input, true, false},
    {"PONG", on_pong, true, false},
    {"PING", on_ping, true, false},
    {"CONNECT", oip_connect, false, false},
    {"INIT", oip_connect_init, false, true},
    {"ATTACH", oip_connect_attach, false, true},
    {"ASK_USER_RESPONSE", oip_answer_ask, false, true},
    {"APPROVAL_RESPONSE", oip_answer_approval, false, true},
    {"PLAN_REVIEW_RESPONSE", oip_answer_review, false, true},
    {"ULW_RESPONSE", oip_answer_late, false, true},
    {"prompt_update", oip_answer_late, false, true},
    {"INTERRUPT", on_interrupt, false, true},
    {"SESSION_STATUS", on_session_status, true, true},
    {"mode_change", on_mode_change, false, true},
    {"EXEC", on_exec, false, true},
    {"PROVIDER_INTERRUPT", on_provider_interrupt, false, true},
    {"PROVIDER_INPUT", on_provider_input, false, true},
    {"ONBOARD_SUBMIT", on_signed, false, true},
    {"ADMIN_PROMOTE", on_signed, false, true},
    {"ADMIN_DEMOTE", on_signed, false, true},
    {"ADMIN_BLOCK", on_signed, false, true},
    {"ADMIN_UNBLOCK", on_signed, false, true},
    {"ADMIN_GET_LEVEL", on_signed, false, true},
    {"ADMIN_ADD", on_signed, false, true},
    {"ADMIN_REMOVE", on_signed, false, true},
};

static const struct command *find_command(const struct json *type)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (json_str_is(type, commands[i].type))
			return &commands[i];
	}
	return NULL;
}

/* While a turn runs, an ERROR would end the client's wait for it. */
static void on_unknown(struct oip_conn *c, const struct json *type)
{
	struct buf name = {0};

	oip_frame_repr(&name, type);
	log_info("← recv: unknown type %s", buf_cstr(&name));
	buf_fini(&name);
	c->has_spoken = true;
	if (c->session && session_status(c->session) == SESSION_RUNNING)
		return;
	oip_frame_unknown(oip_conn_frame(), type);
	oip_conn_send(c);
}

static void on_command(struct oip_conn *c, const struct json *frame)
{
	const struct json *type = json_get(frame, "type");
	const struct command *command = find_command(type);

	if (!command) {
		on_unknown(c, type);
		return;
	}
	if (command->is_logged)
		log_info("← recv: %s", command->type);
	if (!command->is_first)
		c->has_spoken = true;
	command->fn(c, frame);
}

static bool is_present(const struct json *frame, const char *key)
{
	return json_type(json_get(frame, key)) != JSON_NULL;
}

static bool claims_identity(const struct json *frame)
{
	return is_present(frame, "payload") || is_present(frame, "from") ||
	       is_present(frame, "signature");
}

static void on_frame(struct oip_conn *c, const struct json *frame)
{
	struct err err;

	if (!claims_identity(frame)) {
		on_command(c, frame);
		return;
	}
	(void)err_set(&err, ERR_UNAUTHORIZED, NULL);
	if (json_str_is(json_get(frame, "type"), "CONNECT"))
		log_info("✗ CONNECT auth error: %s", err.text);
	oip_conn_error(c, err.text);
}

/* ---- the wire ---- */

static void refuse_text(struct oip_conn *c, const struct json_error *why,
    const char *text, size_t len)
{
	oip_frame_invalid(oip_conn_frame(), why, text, len);
	oip_conn_send(c);
}

static void on_text(void *arg, const char *text, size_t len)
{
	static const struct json_error no_object = {
	    "Expecting object", 1, 1, 0};
	struct json_error error;
	struct oip_conn *c = arg;
	/* An empty text counts as a frame that says nothing (doc/oip.txt 1). */
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

static void on_binary(void *arg)
{
	static const struct json_error no_text = {
	    "Expecting text frame", 1, 1, 0};

	refuse_text(arg, &no_text, NULL, 0);
}

static void on_drain(void *arg)
{
	oip_conn_pump(arg);
}

static void on_gone(void *arg)
{
	struct oip_conn *c = arg;
	const struct door_setup *setup = c->setup;

	oip_input_forget(c);
	oip_conn_close(&c);
	log_info("⚡ ws- (%u active)", session_count(setup->sessions));
}

static const struct wire_handlers handlers = {
    .on_text = on_text,
    .on_binary = on_binary,
    .on_drain = on_drain,
    .on_gone = on_gone,
};

/* All files and images of one request at their limit, twice, in base64. */
static size_t max_message_bytes(const struct conf *conf)
{
	int64_t ceiling = conf->max_body * MEBIBYTE;
	int64_t files = conf->max_file_size * conf->max_files_per_request;
	int64_t bytes = files * 2 * MEBIBYTE / 3 * 4 + 16 * MEBIBYTE;

	return (size_t)(bytes < ceiling ? bytes : ceiling);
}

static void on_upgrade(struct http_req *req, void *arg)
{
	const struct door_setup *setup = arg;
	const struct conf *conf = setup->conf;
	struct ws_limits limits = {
	    .max_message_bytes = max_message_bytes(conf),
	    .max_fragments = MAX_FRAGMENTS,
	    .max_output_bytes = (size_t)conf->output_limit,
	    .stall_timeout_ms = conf->slow_reader_timeout * MILLISECONDS,
	    .message_timeout_ms = conf->request_timeout * MILLISECONDS,
	    .slow_readers_total = &stat_mine()->slow_readers,
	};
	struct oip_conn *c;

	if (!ws_is_handshake(req)) {
		http_reply_error(req, 404, "not found");
		return;
	}
	if (is_closing) {
		http_reply_error(req, 503, err_text(ERR_DRAINING));
		return;
	}
	log_info("⚡ ws+ %s (%u active)", http_peer(req),
	    session_count(setup->sessions));
	c = oip_conn_open(setup);
	c->wire = ws_accept(req, &limits, &handlers, c);
}

void oip_mount(struct http *http, const struct door_setup *setup)
{
	union {
		const struct door_setup *setup;
		void *arg;
	} u = {.setup = setup};

	http_route(http, "WEBSOCKET", "/ws", on_upgrade, u.arg);
}

static void close_one(struct oip_conn *c)
{
	wire_close(c->wire, CLOSE_RESTART, "server restarts");
}

void oip_close_all(void)
{
	is_closing = true;
	oip_conn_each(close_one);
}
