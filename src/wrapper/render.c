/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "wrapper/render.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* So much of arguments and results is shown. */
#define MAX_ARGS 1000
#define MAX_RESULT 8000

#define DIM "\033[2m"
#define CYAN "\033[36m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define PLAIN "\033[0m"

static void put_cut(struct buf *out, const char *text, size_t len, size_t most)
{
	size_t n = utf8_cut(text, len, most);

	buf_append(out, text, n);
	if (n < len)
		buf_str(out, "...");
}

/* A text; something else as its JSON. */
static void put(struct buf *out, const struct json *v, size_t most)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(v, &scratch, &len);

	if (!text && v)
		text = json_text(v, &len);
	if (text)
		put_cut(out, text, len, most);
	buf_fini(&scratch);
}

static void put_call(struct buf *out, const struct json *event,
    const char *name, const char *args)
{
	put(out, json_get(event, name), MAX_ARGS);
	buf_char(out, ' ');
	put(out, json_get(event, args), MAX_ARGS);
}

static void put_result(struct buf *out, const struct json *event)
{
	bool is_error = json_str_is(json_get(event, "status"), "error");

	buf_str(out, is_error ? RED : DIM);
	put(out, json_get(event, "result"), MAX_RESULT);
	buf_str(out, PLAIN "\r\n");
}

static void put_approval(struct buf *out, const struct json *event)
{
	buf_str(out, YELLOW "The agent wants to use ");
	put_call(out, event, "tool", "arguments");
	buf_str(
	    out, "\r\nThe next command answers: yes, or why not." PLAIN "\r\n");
}

static void put_question(struct buf *out, const struct json *event)
{
	buf_str(out, YELLOW);
	put(out, json_get(event, "question"), MAX_RESULT);
	buf_str(out, "\r\n");
	for (const struct json *o = json_first(json_get(event, "options")); o;
	     o = json_next(o)) {
		buf_str(out, "  - ");
		put(out, o, MAX_ARGS);
		buf_str(out, "\r\n");
	}
	buf_str(out, "The next command is the answer." PLAIN "\r\n");
}

enum render_question render_event(struct buf *out, const struct json *event)
{
	const struct json *type = json_get(event, "type");

	if (json_str_is(type, "assistant")) {
		put(out, json_get(event, "content"), SIZE_MAX);
		buf_str(out, "\r\n");
	} else if (json_str_is(type, "thinking")) {
		buf_str(out, DIM);
		put(out, json_get(event, "content"), SIZE_MAX);
		buf_str(out, PLAIN "\r\n");
	} else if (json_str_is(type, "tool_call")) {
		buf_str(out, CYAN "> ");
		put_call(out, event, "name", "args");
		buf_str(out, PLAIN "\r\n");
	} else if (json_str_is(type, "tool_result")) {
		put_result(out, event);
	} else if (json_str_is(type, "approval_needed")) {
		put_approval(out, event);
		return RENDER_APPROVAL;
	} else if (json_str_is(type, "ask_user")) {
		put_question(out, event);
		return RENDER_QUESTION;
	}
	return RENDER_NOTHING;
}

static bool is_one_of(const char *text, const char *const *words)
{
	while (*text == ' ')
		text++;
	size_t n = strcspn(text, " \r\n");

	for (; *words; words++)
		if (n == strlen(*words) && strncasecmp(text, *words, n) == 0 &&
		    text[n + strspn(text + n, " \r\n")] == '\0')
			return true;
	return false;
}

void render_answer(
    struct buf *out, enum render_question question, const char *text)
{
	static const char *const yes[] = {"yes", "y", "ok", "allow", NULL};
	static const char *const no[] = {"no", "n", "deny", "", NULL};

	if (question == RENDER_QUESTION) {
		buf_str(out, "{\"type\":\"ASK_USER_RESPONSE\",\"answer\":");
		buf_json_str(out, text);
		buf_char(out, '}');
		return;
	}
	bool is_approved = is_one_of(text, yes);
	buf_printf(out,
	    "{\"type\":\"APPROVAL_RESPONSE\",\"approved\":%s,"
	    "\"scope\":\"once\"",
	    is_approved ? "true" : "false");
	if (!is_approved && !is_one_of(text, no)) {
		buf_str(out, ",\"feedback\":");
		buf_json_str(out, text);
	}
	buf_char(out, '}');
}
