/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_frame.h"

#include "access/access.h"
#include "base/utf8.h"
#include "core/agent.h"
#include "door/chat_items.h"
#include "door/frame.h"
#include "session/session.h"

#include <string.h>

#define PROTOCOL                                              \
	"\"protocol\":{\"name\":\"oip\",\"version\":\"0.1\"," \
	"\"min_version\":\"0.1\",\"max_version\":\"0.1\","    \
	"\"websocket_path\":\"/ws\"}"

/* How many characters of a bad text are sent back. */
#define RECEIVED_CHARS 200

/* How many bytes of a wrong value are shown to the client and in the log. */
#define REPR_BYTES 200

/* The longest name that is repeated in an answer. */
#define ECHO_BYTES 512

static void text_member(struct buf *out, const char *name, const char *text)
{
	buf_str(out, name);
	buf_json_str(out, text);
}

static void session_member(struct buf *out, const char *session_id)
{
	text_member(out, ",\"session_id\":", session_id);
}

/*
 * Python escapes control characters, as we do, and more of Unicode than we do.
 */
static void repr_char(struct buf *out, char c, char quote)
{
	unsigned char u = (unsigned char)c;

	if (c == '\n')
		buf_str(out, "\\n");
	else if (c == '\r')
		buf_str(out, "\\r");
	else if (c == '\t')
		buf_str(out, "\\t");
	else if (u < 0x20 || u == 0x7f)
		buf_printf(out, "\\x%02x", u);
	else if (c == '\\' || c == quote)
		buf_printf(out, "\\%c", c);
	else
		buf_char(out, c);
}

static void repr_string(struct buf *out, const char *s, size_t len)
{
	bool is_double = memchr(s, '\'', len) && !memchr(s, '"', len);
	char quote = is_double ? '"' : '\'';

	buf_char(out, quote);
	for (size_t i = 0; i < len; i++)
		repr_char(out, s[i], quote);
	buf_char(out, quote);
}

void oip_frame_repr(struct buf *out, const struct json *v)
{
	struct buf scratch = {0};
	size_t len = 0;
	bool is_true = false;

	if (json_type(v) == JSON_NULL) {
		buf_str(out, "None");
	} else if (json_bool(v, &is_true)) {
		buf_str(out, is_true ? "True" : "False");
	} else if (json_is(v, JSON_STRING)) {
		const char *s = json_str(v, &scratch, &len);
		if (s)
			repr_string(out, s, utf8_cut(s, len, REPR_BYTES));
	} else {
		const char *s = json_text(v, &len);
		buf_append(out, s, utf8_cut(s, len, REPR_BYTES));
	}
	buf_fini(&scratch);
}

void oip_frame_connected(struct buf *out, const struct oip_hello *hello)
{
	buf_str(out, "{\"type\":\"CONNECTED\"");
	session_member(out, hello->session_id);
	text_member(out, ",\"status\":", hello->status);
	buf_str(out, "," PROTOCOL);
	if (hello->continuation)
		text_member(out, ",\"continuation\":", hello->continuation);
	if (hello->modes) {
		buf_str(out, ",\"session_modes\":");
		buf_append(out, hello->modes->data, hello->modes->len);
	}
	if (hello->rows)
		buf_append(out, hello->rows->data, hello->rows->len);
	if (hello->conversation) {
		buf_str(out, ",\"server_newer\":true,\"session\":");
		frame_conversation(out, hello->conversation,
		    hello->conversation_len, hello->continuation);
		buf_str(out, ",\"chat_items\":");
		chat_items_put(
		    out, hello->conversation, hello->conversation_len);
	}
	buf_char(out, '}');
}

void oip_frame_profile(struct buf *out, const char *session_id,
    const char *name, const char *address, const struct agent_about *about,
    bool is_known)
{
	const char *sep = "";

	buf_str(out, "{\"type\":\"AGENT_PROFILE\"");
	session_member(out, session_id);
	text_member(out, ",\"name\":", name);
	text_member(out, ",\"address\":", address);
	text_member(out, ",\"model\":", about->model);
	buf_str(out, ",\"tools\":[");
	for (const char *const *t = about->tools; t && *t; t++) {
		text_member(out, sep, *t);
		sep = ",";
	}
	buf_str(out, "],\"skills\":");
	frame_skills(out, about->skills, !is_known);
	buf_char(out, '}');
}

void oip_frame_mode(struct buf *out, const char *session_id, const char *word,
    int64_t turns_left)
{
	text_member(out, "{\"type\":\"mode_changed\",\"mode\":", word);
	buf_str(out, ",\"turns_left\":");
	if (turns_left)
		buf_int(out, turns_left);
	else
		buf_str(out, "null");
	session_member(out, session_id);
	buf_char(out, '}');
}

void oip_frame_exec_result(struct buf *out, const char *id, const char *tool,
    const struct session_exec_result *result)
{
	buf_printf(out, "{\"type\":\"EXEC_RESULT\",\"exec_id\":%s", id);
	buf_printf(out, ",\"tool\":%s,\"status\":", tool);
	buf_str(out, result->has_failed ? "\"error\",\"error\":"
					: "\"success\",\"result\":");
	buf_json(out, result->text, result->len);
	buf_str(out, ",\"duration_ms\":");
	buf_int(out, result->duration_ms);
	buf_char(out, '}');
}

void oip_frame_onboard(struct buf *out, const char *identity,
    const char *address, const struct access_doors *doors)
{
	text_member(
	    out, "{\"type\":\"ONBOARD_REQUIRED\",\"identity\":", identity);
	buf_str(out, ",\"methods\":[");
	if (doors->has_invite)
		buf_str(out, "\"invite_code\"");
	if (doors->has_invite && doors->has_payment)
		buf_char(out, ',');
	if (doors->has_payment) {
		buf_str(out, "\"payment\"],\"payment_amount\":");
		buf_printf(out, "%.15g", doors->price);
		text_member(out, ",\"payment_address\":", address);
	} else {
		buf_char(out, ']');
	}
	buf_char(out, '}');
}

void oip_frame_onboarded(struct buf *out, const char *identity,
    const char *level, const char *message)
{
	text_member(
	    out, "{\"type\":\"ONBOARD_SUCCESS\",\"identity\":", identity);
	text_member(out, ",\"level\":", level);
	text_member(out, ",\"message\":", message);
	buf_char(out, '}');
}

void oip_frame_dashboard(
    struct buf *out, const char *session_id, const char *html, size_t len)
{
	buf_str(out, "{\"type\":\"DASHBOARD_SNAPSHOT\",\"html\":");
	buf_json(out, html, len);
	session_member(out, session_id);
	buf_char(out, '}');
}

void oip_frame_error(struct buf *out, const char *message)
{
	text_member(out, "{\"type\":\"ERROR\",\"message\":", message);
	buf_char(out, '}');
}

/* Clients know this refusal by a word instead of a number (doc/oip.txt 4). */
static void code_member(struct buf *out, enum err_code code)
{
	if (code == ERR_NOT_ACCEPTING)
		buf_str(out, ",\"code\":\"RUNTIME_INPUT_REJECTED\"");
	else if (err_rpc(code))
		buf_printf(out, ",\"code\":%d", err_rpc(code));
}

void oip_frame_refusal(
    struct buf *out, const struct err *err, const char *session_id)
{
	buf_str(out, "{\"type\":\"ERROR\"");
	code_member(out, err->code);
	text_member(out, ",\"message\":", err_public_text(err));
	if (err->reason)
		text_member(out, ",\"reason\":", err->reason);
	if (session_id)
		session_member(out, session_id);
	if (err_is_retryable(err->code))
		buf_str(out, ",\"retryable\":true");
	if (err->retry_after_ms)
		buf_printf(out, ",\"retry_after_ms\":%lld",
		    (long long)err->retry_after_ms);
	buf_char(out, '}');
}

void oip_frame_unsupported(struct buf *out)
{
	buf_str(out, "{\"type\":\"ERROR\",\"code\":-32010,"
		     "\"message\":\"Unsupported OIP protocol\","
		     "\"retryable\":false," PROTOCOL "}");
}

static void received_member(struct buf *out, const char *text, size_t len)
{
	struct buf cut_text = {0};
	size_t kept = utf8_prefix(text, len, RECEIVED_CHARS);

	buf_append(&cut_text, text, kept);
	if (kept < len)
		buf_str(&cut_text, "...(truncated)");
	buf_str(out, ",\"received\":");
	buf_json(out, cut_text.data, cut_text.len);
	buf_fini(&cut_text);
}

void oip_frame_invalid(struct buf *out, const struct json_error *error,
    const char *received, size_t len)
{
	struct buf message = {0};

	buf_printf(&message, "Invalid JSON: %s at line %zu col %zu (pos %zu)",
	    error->message, error->line, error->col, error->pos);
	buf_str(out, "{\"type\":\"ERROR\",\"message\":");
	buf_json(out, message.data, message.len);
	buf_fini(&message);
	if (received)
		received_member(out, received, len);
	buf_char(out, '}');
}

void oip_frame_unknown(struct buf *out, const struct json *type)
{
	struct buf message = {0};

	buf_str(&message, "unknown message type: ");
	oip_frame_repr(&message, type);
	buf_str(out, "{\"type\":\"ERROR\",\"message\":");
	buf_json(out, message.data, message.len);
	buf_char(out, '}');
	buf_fini(&message);
}

void oip_frame_ack(struct buf *out, const char *session_id, const char *id,
    const char *input_id, bool is_answer)
{
	buf_str(out, "{\"type\":\"RUNTIME_INPUT_ACK\"");
	session_member(out, session_id);
	text_member(out, ",\"id\":", id ? id : "");
	if (input_id)
		text_member(out, ",\"input_id\":", input_id);
	buf_str(out, is_answer ? ",\"answer\":true}" : "}");
}

static void again_output(struct buf *out, const struct session_receipt *r)
{
	buf_str(out, "\"result\":");
	buf_json(out, r->result ? r->result : "", r->result_len);
	buf_str(out, ",\"duration_ms\":");
	buf_int(out, r->duration_ms);
}

static void again_failed(struct buf *out, const struct session_receipt *r)
{
	const char *reason =
	    r->reason ? r->reason : err_reason_word(REASON_FAILED);

	text_member(out, "\"reason\":", reason);
	buf_str(out, ",\"duration_ms\":");
	buf_int(out, r->duration_ms);
}

void oip_frame_again(struct buf *out, const struct session_receipt *receipt,
    const struct session_record *record, const char *input_id)
{
	struct buf body = {0};
	struct event ev = {.turn = receipt->turn};

	if (receipt->has_failed)
		again_failed(&body, receipt);
	else
		again_output(&body, receipt);
	ev.type = receipt->has_failed ? EV_FAILED : EV_DONE;
	ev.body = body.data;
	ev.body_len = body.len;
	frame_end(out, &ev, receipt->session_id, record, input_id);
	buf_fini(&body);
}

void oip_frame_gap(struct buf *out, const char *session_id, uint64_t n_missed)
{
	buf_str(out, "{\"type\":\"reset\",\"recovered\":false");
	if (n_missed) {
		buf_str(out, ",\"missed\":");
		buf_int(out, (int64_t)n_missed);
	}
	text_member(out, ",\"session_id\":", session_id);
	buf_char(out, '}');
}

void oip_frame_deleted(struct buf *out, const char *session_id)
{
	buf_str(out, "{\"type\":\"DELETED\"");
	session_member(out, session_id);
	buf_char(out, '}');
}

void oip_frame_status(
    struct buf *out, const char *id, size_t len, const char *status)
{
	buf_str(out, "{\"type\":\"SESSION_STATUS\",\"session_id\":");
	if (id)
		buf_json(out, id, len);
	else
		buf_str(out, "null");
	text_member(out, ",\"status\":", status);
	buf_char(out, '}');
}

/* Repeat a string of the client; null if it is missing or too long. */
static void echo_member(struct buf *out, const char *name, const struct json *v)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(v, &scratch, &len);

	buf_str(out, name);
	if (text && len <= ECHO_BYTES)
		buf_json(out, text, len);
	else
		buf_str(out, "null");
	buf_fini(&scratch);
}

void oip_frame_exec_error(
    struct buf *out, const struct json *frame, const char *error)
{
	const struct json *tool = json_get(frame, "tool");

	buf_str(out, "{\"type\":\"EXEC_RESULT\"");
	echo_member(out, ",\"exec_id\":", json_get(frame, "exec_id"));
	if (json_is(tool, JSON_STRING))
		echo_member(out, ",\"tool\":", tool);
	buf_str(out, ",\"status\":\"error\"");
	text_member(out, ",\"error\":", error);
	buf_str(out, ",\"duration_ms\":0}");
}

void oip_frame_provider(struct buf *out, const char *ack,
    const struct json *frame, const char *reason)
{
	text_member(out, "{\"type\":", ack);
	if (strcmp(reason, "invalid_request") == 0)
		buf_str(out, ",\"requestId\":\"\"");
	else
		echo_member(
		    out, ",\"requestId\":", json_get(frame, "requestId"));
	echo_member(out, ",\"invocationId\":", json_get(frame, "invocationId"));
	buf_str(out, ",\"accepted\":false");
	text_member(out, ",\"reason\":", reason);
	buf_char(out, '}');
}
