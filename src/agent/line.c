/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "agent/line.h"

#include <string.h>

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
