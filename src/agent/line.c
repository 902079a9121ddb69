/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/line.h"

#include <string.h>

/* ---- bytes to lines ---- */

void line_init(struct line_queue *q, size_t max)
{
	*q = (struct line_queue){.max = max};
}

void line_fini(struct line_queue *q)
{
	buf_fini(&q->own);
	q->n_lent = 0;
}

/*
 * Remove the lines that were taken, all at once, so that many short lines cost
 * one move.
 */
static void forget_taken(struct line_queue *q)
{
	if (!q->taken)
		return;
	buf_consume(&q->own, q->taken);
	q->scanned -= q->taken;
	q->taken = 0;
}

void line_keep(struct line_queue *q)
{
	forget_taken(q);
	buf_append(&q->own, q->lent, q->n_lent);
	q->n_lent = 0;
}

void line_lend(struct line_queue *q, const char *data, size_t len)
{
	line_keep(q);
	q->lent = data;
	q->n_lent = len;
}

void line_feed(struct line_queue *q, const char *data, size_t len)
{
	line_lend(q, data, len);
	line_keep(q);
}

/* Move lent bytes behind our own, up to the first newline. */
static void join(struct line_queue *q)
{
	const char *end = memchr(q->lent, '\n', q->n_lent);
	size_t n = end ? (size_t)(end - q->lent) + 1 : q->n_lent;

	buf_append(&q->own, q->lent, n);
	q->lent += n;
	q->n_lent -= n;
}

static void skip_to_newline(struct line_queue *q)
{
	size_t left = q->own.len - q->taken;
	const char *end =
	    left ? memchr(q->own.data + q->taken, '\n', left) : NULL;

	if (end) {
		q->taken = q->scanned = (size_t)(end - q->own.data) + 1;
		q->is_skipping = false;
		return;
	}
	q->taken = q->scanned = q->own.len;
	end = q->n_lent ? memchr(q->lent, '\n', q->n_lent) : NULL;
	size_t n = end ? (size_t)(end - q->lent) + 1 : q->n_lent;
	q->lent += n;
	q->n_lent -= n;
	q->is_skipping = !end;
}

static enum line_state next_own(
    struct line_queue *q, const char **text, size_t *len)
{
	const char *start = q->own.data + q->taken;
	size_t left = q->own.len - q->scanned;
	const char *end =
	    left ? memchr(q->own.data + q->scanned, '\n', left) : NULL;

	if (!end) {
		q->scanned = q->own.len;
		if (q->scanned - q->taken <= q->max)
			return LINE_NONE;
		*text = start;
		*len = q->own.len - q->taken;
		q->taken = q->own.len;
		q->is_skipping = true;
		return LINE_TOO_LONG;
	}
	*text = start;
	*len = (size_t)(end - start);
	q->taken = q->scanned = (size_t)(end - q->own.data) + 1;
	return *len > q->max ? LINE_TOO_LONG : LINE_WHOLE;
}

static enum line_state next_lent(
    struct line_queue *q, const char **text, size_t *len)
{
	const char *end = memchr(q->lent, '\n', q->n_lent);

	if (!end && q->n_lent <= q->max)
		return LINE_NONE;
	*text = q->lent;
	if (!end) {
		*len = q->n_lent;
		q->lent += q->n_lent;
		q->n_lent = 0;
		q->is_skipping = true;
		return LINE_TOO_LONG;
	}
	*len = (size_t)(end - q->lent);
	q->lent = end + 1;
	q->n_lent -= *len + 1;
	return *len > q->max ? LINE_TOO_LONG : LINE_WHOLE;
}

enum line_state line_next(struct line_queue *q, const char **text, size_t *len)
{
	if (q->is_skipping)
		skip_to_newline(q);
	if (q->own.len > q->taken) {
		enum line_state state = next_own(q, text, len);
		if (state != LINE_NONE || !q->n_lent)
			return state;
		join(q);
		return next_own(q, text, len);
	}
	return q->n_lent ? next_lent(q, text, len) : LINE_NONE;
}

/* ---- lines from a process ---- */

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(" \t\r", text[i]) || text[i] == '\0')
			return false;
	return true;
}

/*
 * Quote the beginning of a refused line, so that the agent log helps to find
 * it.
 */
static int refuse(
    struct err *err, const char *why, const char *text, size_t len)
{
	int shown = len < 200 ? (int)len : 200;

	return err_set(err, ERR_BAD_REQUEST, "%s: %.*s%s", why, shown, text,
	    len > 200 ? "..." : "");
}

static int read_output(struct line *l, const struct json *object,
    const char *text, size_t len, struct err *err)
{
	const struct json *session = json_get(object, "session");

	l->kind = LINE_OUTPUT;
	l->result =
	    json_str(json_get(object, "result"), &l->scratch, &l->result_len);
	if (!l->result)
		return refuse(err, "OUTPUT needs a string 'result'", text, len);
	if (json_type(session) == JSON_NULL)
		return 0;
	if (!json_is(session, JSON_OBJECT))
		return refuse(
		    err, "OUTPUT needs an object 'session' or none", text, len);
	l->session = json_text(session, &l->session_len);
	return 0;
}

static int read_error(struct line *l, const struct json *object,
    const char *text, size_t len, struct err *err)
{
	l->kind = LINE_ERROR;
	l->message =
	    json_str(json_get(object, "message"), &l->scratch, &l->message_len);
	if (!l->message)
		return refuse(err, "ERROR needs a string 'message'", text, len);
	l->is_memory = json_str_is(json_get(object, "reason"), "memory");
	return 0;
}

static int read_log(struct line *l, const struct json *object, const char *text,
    size_t len, struct err *err)
{
	l->kind = LINE_LOG;
	l->message =
	    json_str(json_get(object, "text"), &l->scratch, &l->message_len);
	return l->message ? 0
			  : refuse(err, "LOG needs a string 'text'", text, len);
}

static int read_exec_result(struct line *l, const struct json *object,
    const char *text, size_t len, struct err *err)
{
	const struct json *status = json_get(object, "status");

	if (json_str_is(status, "success")) {
		l->kind = LINE_EXEC_RESULT;
		l->result = json_str(
		    json_get(object, "result"), &l->scratch, &l->result_len);
	} else if (json_str_is(status, "error")) {
		l->kind = LINE_ERROR;
		l->message = json_str(
		    json_get(object, "error"), &l->scratch, &l->message_len);
	}
	if (!l->result && !l->message)
		return refuse(err,
		    "EXEC_RESULT needs status success with a string 'result', "
		    "or error with a string 'error'",
		    text, len);
	return 0;
}

int line_read(struct line *l, const char *text, size_t len, uint32_t turn,
    struct err *err)
{
	struct json_error error;

	l->kind = LINE_BLANK;
	l->result = l->session = l->message = NULL;
	l->is_memory = false;
	buf_reset(&l->scratch);
	if (is_blank(text, len))
		return 0;
	const struct json *object = json_parse(&l->doc, text, len, 0, &error);
	if (!object && *text >= '0' && *text <= '9')
		return refuse(err,
		    "a line is not JSON; numbers before lines need "
		    "agent_persistent: true (of a trust agent: "
		    "trust_agent_persistent)",
		    text, len);
	if (!object && *text != '{')
		return refuse(err, "a line is not JSON", text, len);
	if (!object)
		return refuse(err, error.message, text, len);
	if (!json_is(object, JSON_OBJECT))
		return refuse(err, "a line is not a JSON object", text, len);
	const struct json *type = json_get(object, "type");
	if (json_str_is(type, "OUTPUT"))
		return read_output(l, object, text, len, err);
	if (json_str_is(type, "ERROR"))
		return read_error(l, object, text, len, err);
	if (json_str_is(type, "EXEC_RESULT"))
		return read_exec_result(l, object, text, len, err);
	if (json_str_is(type, "LOG"))
		return read_log(l, object, text, len, err);
	l->kind = LINE_EVENT;
	return event_from_json(&l->draft, turn, object, err);
}

void line_free(struct line *l)
{
	event_fini(&l->draft);
	json_fini(&l->doc);
	buf_fini(&l->scratch);
}

/* ---- lines for a process ---- */

static void put_files(struct buf *out, const struct agent_input *input)
{
	buf_char(out, '[');
	for (size_t i = 0; i < input->n_files; i++) {
		const struct agent_file *f = &input->files[i];
		buf_str(out, i ? ",{\"name\":" : "{\"name\":");
		buf_json_str(out, f->name);
		buf_str(out, ",\"path\":");
		buf_json_str(out, f->path);
		buf_str(out, ",\"size\":");
		buf_int(out, f->size_bytes);
		buf_char(out, '}');
	}
	buf_char(out, ']');
}

/* What the line of an input has beside its long members. */
#define LINE_REST 512

void line_input(struct buf *out, const struct agent_input *input)
{
	(void)buf_reserve(out, LINE_REST + input->prompt_len +
				   input->images_len + input->session_len);
	buf_str(out, "{\"type\":\"INPUT\",\"session_id\":");
	buf_json_str(out, input->session_id);
	buf_str(out, ",\"turn\":");
	buf_int(out, input->client_turn);
	buf_str(out, ",\"prompt\":");
	buf_json(out, input->prompt, input->prompt_len);
	buf_str(out, ",\"images\":");
	if (input->images_len)
		buf_json_line(out, input->images, input->images_len);
	else
		buf_str(out, "[]");
	buf_str(out, ",\"files\":");
	put_files(out, input);
	buf_str(out, ",\"session\":");
	if (input->session_len)
		buf_json_line(out, input->session, input->session_len);
	else
		buf_str(out, "{}");
	buf_str(out, "}\n");
}

void line_exec(struct buf *out, const struct agent_exec *x)
{
	buf_str(out, x->tool ? "{\"type\":\"EXEC\"" : "{\"type\":\"TRUST\"");
	buf_str(out, ",\"session_id\":");
	buf_json_str(out, x->session_id);
	if (x->tool) {
		buf_str(out, ",\"tool\":");
		buf_json_str(out, x->tool);
	}
	buf_str(out, ",\"args\":");
	if (x->args_len)
		buf_json_line(out, x->args, x->args_len);
	else
		buf_str(out, "{}");
	buf_str(
	    out, x->is_owner ? ",\"owner\":true}\n" : ",\"owner\":false}\n");
}
