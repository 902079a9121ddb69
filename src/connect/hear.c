/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/hear.h"

#include "connect/client.h"
#include "connect/say.h"

#include <string.h>

#define N(a) (sizeof a / sizeof(*(a)))

/* -32029: a limit; -32000: full, draining. */
static enum co_code code_of(const struct json *frame)
{
	int64_t code = 0;
	bool is_retryable = false;

	(void)json_int(json_get(frame, "code"), &code);
	(void)json_bool(json_get(frame, "retryable"), &is_retryable);
	return is_retryable && (code == -32029 || code == -32000)
		   ? CO_ERR_LIMIT
		   : CO_ERR_AGENT;
}

/* Relays say "error", hosts "message". */
static const struct json *message_of(const struct json *frame)
{
	const struct json *message = json_get(frame, "message");

	return message ? message : json_get(frame, "error");
}

/* Append the message as text to a buffer with a NUL. */
static const char *message_text(const struct json *frame, struct buf *out)
{
	bookmark_set_string(out, message_of(frame));
	return *bookmark_text(out) ? bookmark_text(out)
				   : "an error without text";
}

/* ---- the greeting ---- */

/*
 * The turn ended while we were away, and its end is in the conversation, where
 * it is the answer to our words.
 */
static bool is_in_conversation(
    const struct co_client *c, const struct json *session)
{
	struct json_doc doc = {0};
	struct json_error why;
	size_t n = 0, m = 0;
	const struct json *frame = NULL;
	struct buf text = {0};

	if (c->op.kind != OP_INPUT || !json_get(session, "result"))
		return false;
	buf_str(&text, "{\"type\":\"INPUT\"");
	buf_append(&text, c->op.members.data, c->op.members.len);
	buf_char(&text, '}');
	frame = json_parse(&doc, text.data, text.len, 0, &why);
	struct buf a = {0}, b = {0};
	const char *asked = json_str(json_get(frame, "prompt"), &a, &n);
	const char *answered =
	    json_str(json_get(session, "user_prompt"), &b, &m);
	bool is_same =
	    asked && answered && n == m && !memcmp(asked, answered, n);
	buf_fini(&a);
	buf_fini(&b);
	buf_fini(&text);
	json_fini(&doc);
	return is_same;
}

static void put_member(
    struct buf *out, const char *key, const struct json *value)
{
	size_t len = 0;

	if (!value)
		return;
	const char *text = json_text(value, &len);
	buf_printf(out, ",\"%s\":", key);
	buf_append(out, text, len);
}

/* Finish as if the turn's OUTPUT had come: all of it is in the conversation. */
static void finish_missed(struct co_client *c, const struct json *frame)
{
	const struct json *session = json_get(frame, "session");
	struct json_doc doc = {0};
	struct json_error why;
	struct buf text = {0};

	buf_str(&text, "{\"type\":\"OUTPUT\"");
	put_member(&text, "result", json_get(session, "result"));
	put_member(&text, "session_id", json_get(frame, "session_id"));
	put_member(&text, "session", session);
	put_member(&text, "chat_items", json_get(frame, "chat_items"));
	buf_char(&text, '}');
	const struct json *output =
	    json_parse(&doc, text.data, text.len, 0, &why);
	client_finish(c, CO_OK, json_get(output, "result"), output);
	bookmark_set_session(&c->bookmark, session);
	json_fini(&doc);
	buf_fini(&text);
}

/*
 * We came back to a turn; is it still there? A conversation that is no newer
 * than ours has the turn before at its end, even if that had the same prompt.
 */
static void find_turn(struct co_client *c, const struct json *frame)
{
	const struct json *status = json_get(frame, "status");
	const struct json *session = json_get(frame, "session");
	bool is_newer = false;

	if (json_str_is(status, "running"))
		return;
	(void)json_bool(json_get(frame, "server_newer"), &is_newer);
	if (is_newer && is_in_conversation(c, session)) {
		finish_missed(c, frame);
		return;
	}
	client_fail(c, CO_ERR_LOST,
	    "the connection broke, and the agent does not know of the turn any "
	    "more");
}

static void begin_resumed(struct co_client *c, const struct json *frame)
{
	if (json_str_is(json_get(frame, "status"), "running"))
		c->op.has_turn = true;
	else
		client_fail(c, CO_ERR_STATE, "no turn runs in this session");
}

/* The connection is open: go on with the operation. */
static void go_on(struct co_client *c, const struct json *frame)
{
	if (!client_is_busy(c))
		return;
	c->op.n_failures = 0;
	c->op.pause_ms = 0;
	c->op.broken_ms = 0;
	if (c->op.has_turn)
		find_turn(c, frame);
	else if (c->op.kind == OP_OPEN)
		client_finish(c, CO_OK, NULL, frame);
	else if (c->op.kind == OP_RESUME)
		begin_resumed(c, frame);
	else if (c->op.type && !c->op.is_sent)
		client_send_operation(c);
	client_repeat_answers(c);
}

static void on_connected(struct co_client *c, const struct json *frame)
{
	bool is_newer = false;

	if (c->phase != PHASE_GREETING)
		return;
	c->phase = PHASE_OPEN;
	bookmark_set_string(
	    &c->bookmark.session_id, json_get(frame, "session_id"));
	bookmark_set_continuation(
	    &c->bookmark, json_get(frame, "continuation"));
	if (!json_str_is(json_get(frame, "status"), "running"))
		bookmark_note_end(&c->bookmark);
	client_tell_way(c, CO_WAY_OPEN, c->where, NULL, 0);
	(void)json_bool(json_get(frame, "server_newer"), &is_newer);
	/*
	 * While a turn of ours is to be found, the session has to stay that of
	 * the last end that was seen: by it the host knows what is missing.
	 */
	if (is_newer && !c->op.has_turn &&
	    !json_str_is(json_get(frame, "status"), "running"))
		bookmark_set_session(&c->bookmark, json_get(frame, "session"));
	go_on(c, frame);
}

static void on_onboard(struct co_client *c, const struct json *frame)
{
	struct buf text = {0};
	const struct say say = client_say(c);

	(void)frame;
	if (!c->settings.invite_code || c->is_onboarding) {
		client_fault(c, CO_ERR_ONBOARD, true,
		    "the agent wants an invite code or a payment");
		return;
	}
	c->is_onboarding = true;
	say_invite_code(&text, &say, c->settings.invite_code);
	client_send(c, text.data, text.len);
	buf_fini(&text);
}

static bool has_words(const char *text, const char *words)
{
	return strcasestr(text, words) != NULL;
}

/* An ERROR in place of CONNECTED. */
static void refuse(struct co_client *c, const struct json *frame)
{
	struct buf text = {0};
	const char *message = message_text(frame, &text);
	bool is_away = has_words(message, "agent not connected") ||
		       has_words(message, "agent not found");
	enum co_code code = code_of(frame);

	if (is_away)
		client_fault(c, CO_ERR_AWAY, false, "%s", message);
	else if (code == CO_ERR_LIMIT)
		client_fault(c, code, false, "%s", message);
	else
		client_fault(c, CO_ERR_REFUSED, true, "%s", message);
	(void)json_int(
	    json_get(frame, "retry_after_ms"), &c->fault.retry_after_ms);
	buf_fini(&text);
}

/* ---- the end of a turn ---- */

/*
 * Whether a frame that ends a turn ends another one than ours: it names another
 * input, and ours waits for its turn.
 */
static bool is_of_another(const struct co_client *c, const struct json *frame)
{
	const struct json *name = json_get(frame, "input_id");

	return c->op.kind == OP_INPUT && json_is(name, JSON_STRING) &&
	       !json_str_is(name, c->op.name) && !c->op.is_consumed;
}

static void on_output(struct co_client *c, const struct json *frame)
{
	bookmark_note_end(&c->bookmark);
	bookmark_set_session(&c->bookmark, json_get(frame, "session"));
	if (!c->op.has_turn || is_of_another(c, frame)) {
		client_tell_event(c, frame);
		return;
	}
	client_finish(c, CO_OK, json_get(frame, "result"), frame);
}

/* Errors about one of our frames that came too late for the turn. */
static bool is_stale(const struct json *frame)
{
	static const char *const words[] = {
	    "unknown or stale approval response",
	    "interrupt requires an active turn",
	};

	if (json_str_is(json_get(frame, "code"), "STALE_ANSWER"))
		return true;
	for (size_t i = 0; i < N(words); i++)
		if (json_str_is(message_of(frame), words[i]))
			return true;
	return false;
}

static void on_error(struct co_client *c, const struct json *frame)
{
	if (c->phase == PHASE_GREETING) {
		refuse(c, frame);
		return;
	}
	if (!client_is_busy(c) || !c->op.type || is_stale(frame) ||
	    is_of_another(c, frame)) {
		client_tell_event(c, frame);
		return;
	}
	bookmark_note_end(&c->bookmark);
	client_finish(c, code_of(frame), message_of(frame), frame);
}

/* ---- the ends of other operations ---- */

static void on_exec_result(struct co_client *c, const struct json *frame)
{
	bool is_good = json_str_is(json_get(frame, "status"), "success");

	if (c->op.kind != OP_CALL ||
	    !json_str_is(json_get(frame, "exec_id"), c->op.name))
		return;
	client_finish(c, is_good ? CO_OK : CO_ERR_AGENT,
	    json_get(frame, is_good ? "result" : "error"), frame);
}

static void on_mode_changed(struct co_client *c, const struct json *frame)
{
	if (c->op.kind == OP_MODE && c->op.is_sent)
		client_finish(c, CO_OK, json_get(frame, "mode"), frame);
	else
		client_tell_event(c, frame);
}

/* ---- events ---- */

static void on_ack(struct co_client *c, const struct json *frame)
{
	if (c->op.kind == OP_INPUT && !c->op.is_joined) {
		c->op.is_joined = true;
		/* No user_input tells that the agent has taken an answer. */
		(void)json_bool(json_get(frame, "answer"), &c->op.is_consumed);
		bookmark_set_string(&c->op.joined, json_get(frame, "id"));
	}
	client_tell_event(c, frame);
}

/* Has the agent taken our input, or will it never do? */
static void note_consumed(struct co_client *c, const struct json *frame)
{
	const struct json *id = json_get(frame, "id");

	if (!c->op.is_joined || !json_str_is(id, bookmark_text(&c->op.joined)))
		return;
	c->op.is_consumed = true;
}

/* A question that was answered may be asked again after a break. */
static bool is_answered(const struct co_client *c, const struct json *frame)
{
	return c->answered.len &&
	       json_str_is(json_get(frame, "id"), bookmark_text(&c->answered));
}

static void on_event(struct co_client *c, const struct json *frame)
{
	enum co_question_kind kind = query_kind(json_get(frame, "type"));

	bookmark_note(&c->bookmark, json_get(frame, "id"), kind);
	if (kind && is_answered(c, frame))
		bookmark_note_answer(&c->bookmark);
	note_consumed(c, frame);
	if (kind && c->op.has_turn && !c->op.is_stopping &&
	    !is_answered(c, frame)) {
		client_drop_answers(c);
		query_read(&c->query, kind, frame);
		c->op.is_told = false;
	}
	client_tell_event(c, frame);
}

static void on_ping(struct co_client *c, const struct json *frame)
{
	(void)frame;
	client_send_pong(c);
}

static void on_nothing(struct co_client *c, const struct json *frame)
{
	(void)c;
	(void)frame;
}

static const struct {
	const char *type;
	void (*fn)(struct co_client *c, const struct json *frame);
} frames[] = {
    {"PING", on_ping},
    {"PONG", on_nothing},
    {"CONNECTED", on_connected},
    {"ONBOARD_REQUIRED", on_onboard},
    {"ONBOARD_SUCCESS", client_tell_event},
    {"OUTPUT", on_output},
    {"ERROR", on_error},
    {"EXEC_RESULT", on_exec_result},
    {"mode_changed", on_mode_changed},
    {"RUNTIME_INPUT_ACK", on_ack},
};

void hear_frame(struct co_client *c, const struct json *frame)
{
	const struct json *type = json_get(frame, "type");

	for (size_t i = 0; i < N(frames); i++) {
		if (json_str_is(type, frames[i].type)) {
			frames[i].fn(c, frame);
			return;
		}
	}
	if (json_is(type, JSON_STRING))
		on_event(c, frame);
}
