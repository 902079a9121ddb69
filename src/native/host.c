/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "native/host.h"

#include "base/buf.h"
#include "native/invoke.h"
#include "native/question.h"
#include "native/task.h"
#include "native/value.h"

#include <stdlib.h>
#include <string.h>

static struct task *task_of(struct co_turn *turn)
{
	return task_part(turn)->task;
}

/* ---- texts and values ---- */

static char *host_format(
    struct co_turn *turn, size_t *len, const char *format, va_list list)
{
	struct buf text = {0};

	buf_vprintf(&text, format, list);
	char *copy = task_copy(task_of(turn), text.data, text.len);
	*len = text.len;
	buf_fini(&text);
	return copy;
}

static const char *host_quote(
    struct co_turn *turn, const char *text, size_t len)
{
	struct buf out = {0};

	if (text)
		buf_json(&out, text, len);
	else
		buf_str(&out, "null");
	const char *copy = task_copy(task_of(turn), out.data, out.len);
	buf_fini(&out);
	return copy;
}

static const struct co_json *host_parse(
    struct co_turn *turn, const char *json, size_t len)
{
	struct task *t = task_of(turn);

	return value_of(task_parse(t, task_copy(t, json, len), len));
}

static const struct co_json *host_member(
    const struct co_json *object, const char *name)
{
	return value_of(json_get(value_json(object), name));
}

static const struct co_json *host_first(const struct co_json *v)
{
	return value_of(json_first(value_json(v)));
}

static const struct co_json *host_next(const struct co_json *member)
{
	return value_of(member ? json_next(value_json(member)) : NULL);
}

static enum co_json_type host_type(const struct co_json *v)
{
	switch (json_type(value_json(v))) {
	case JSON_BOOL:
		return CO_JSON_BOOL;
	case JSON_NUMBER:
		return CO_JSON_NUMBER;
	case JSON_STRING:
		return CO_JSON_STRING;
	case JSON_ARRAY:
		return CO_JSON_ARRAY;
	case JSON_OBJECT:
		return CO_JSON_OBJECT;
	case JSON_NULL:
		break;
	}
	return CO_JSON_NULL;
}

static void put_string(struct buf *out, const struct json *v)
{
	struct buf scratch = {0};
	size_t len;
	const char *text = json_str(v, &scratch, &len);

	if (text)
		buf_append(out, text, len);
	buf_fini(&scratch);
}

static const char *host_text(
    struct co_turn *turn, const struct co_json *value, size_t *len)
{
	const struct json *v = value_json(value);
	struct buf text = {0};

	put_string(&text, v);
	if (json_is(v, JSON_ARRAY))
		for (const struct json *item = json_first(v); item;
		     item = json_next(item)) {
			buf_str(&text, item == json_first(v) ? "" : ", ");
			put_string(&text, item);
		}
	const char *copy = task_copy(task_of(turn), text.data, text.len);
	if (len)
		*len = text.len;
	buf_fini(&text);
	return copy;
}

static const char *host_source(
    struct co_turn *turn, const struct co_json *value, size_t *len)
{
	size_t n = 4;
	const char *text = value ? json_text(value_json(value), &n) : "null";

	if (len)
		*len = n;
	return task_copy(task_of(turn), text, n);
}

static int host_number(const struct co_json *v, double *out)
{
	return json_double(value_json(v), out);
}

static int host_integer(const struct co_json *v, int64_t *out)
{
	bool is_true;

	if (json_int(value_json(v), out))
		return 1;
	if (!json_bool(value_json(v), &is_true))
		return 0;
	*out = is_true;
	return 1;
}

/* ---- the end, and events ---- */

static int host_answer(struct co_turn *turn, const char *text, size_t len)
{
	return task_answer(task_part(turn), text, len);
}

static int host_fail(struct co_turn *turn, const char *text, size_t len)
{
	return task_fail(task_part(turn), text, len);
}

static int host_set_session(struct co_turn *turn, const char *json)
{
	struct task *t = task_of(turn);
	size_t len = json ? strlen(json) : 0;

	if (!json ||
	    !json_is(task_parse(t, task_copy(t, json, len), len), JSON_OBJECT))
		return task_refuse(t,
		    "co_turn_set_session: not a JSON object: %.200s",
		    json ? json : "(NULL)");
	return task_set_session(t, json, len);
}

/* What would wait for an answer has a call of its own. */
static bool is_question(const char *name)
{
	return strcmp(name, "ask_user") == 0 ||
	       strcmp(name, "approval_needed") == 0 ||
	       strcmp(name, "plan_review") == 0;
}

static int host_emit(
    struct co_turn *turn, const char *name, const char *members)
{
	if (!name || is_question(name))
		return task_refuse(task_of(turn),
		    "co_turn_emit: %s has a call of its own",
		    name ? name : "(NULL)");
	return task_emit(task_of(turn), name, members);
}

static int host_say(
    struct co_turn *turn, const char *name, const char *text, size_t len)
{
	struct buf members = {0};

	buf_str(&members, "{\"content\":");
	buf_json(&members, text, len);
	buf_char(&members, '}');
	int rc = task_emit(task_of(turn), name, buf_cstr(&members));
	buf_fini(&members);
	return rc;
}

static int host_log(struct co_turn *turn, const char *text, size_t len)
{
	task_log(task_of(turn), text, len);
	return CO_TURN_OK;
}

static int host_plan(
    struct co_turn *turn, const struct co_step *steps, size_t n)
{
	struct buf members = {0};

	buf_str(&members, "{\"entries\":[");
	for (size_t i = 0; i < n; i++) {
		const struct co_step *s = &steps[i];
		buf_str(&members, i ? ",{\"content\":" : "{\"content\":");
		buf_json_str(&members, s->content ? s->content : "");
		buf_str(&members, ",\"priority\":");
		buf_json_str(&members, s->priority ? s->priority : "medium");
		buf_str(&members, ",\"status\":");
		buf_json_str(&members, s->status ? s->status : "pending");
		buf_char(&members, '}');
	}
	buf_str(&members, "]}");
	int rc = task_emit(task_of(turn), "plan", buf_cstr(&members));
	buf_fini(&members);
	return rc;
}

/* ---- tools ---- */

static int host_call(struct co_turn *turn, const char *name, const char *args,
    const char **result)
{
	return invoke_tool(task_part(turn), name, args, result);
}

/* ---- the user ---- */

static int host_ask(struct co_turn *turn, const char *question,
    const char *const *options, int is_several, const char **answer)
{
	const struct json *v;
	int rc = question_ask(task_of(turn), question, options, is_several, &v);

	*answer = host_text(turn, value_of(v), NULL);
	return rc;
}

static int host_approve(struct co_turn *turn, const char *tool,
    const char *args, const char *description, struct co_approval *approval)
{
	return question_approve(
	    task_of(turn), tool, args, description, approval);
}

static int host_review(
    struct co_turn *turn, const char *plan, const char **message)
{
	return question_review(task_of(turn), plan, message);
}

static int host_is_interrupted(struct co_turn *turn)
{
	return inbox_is_interrupted(&task_of(turn)->inbox);
}

static int host_wait(struct co_turn *turn, int64_t timeout_ms)
{
	return inbox_wait(&task_of(turn)->inbox, timeout_ms)
		   ? CO_TURN_INTERRUPTED
		   : CO_TURN_OK;
}

/* Tell the server first: the prompt is part of the turn from then on. */
static const char *host_next_input(struct co_turn *turn)
{
	struct task *t = task_of(turn);
	struct inbox_input *input = inbox_take(&t->inbox);
	struct buf members = {0};

	if (!input)
		return NULL;
	buf_str(&members, "{\"id\":");
	buf_json_str(&members, input->id);
	buf_str(&members, ",\"content\":");
	buf_json_str(&members, input->prompt);
	buf_str(&members, ",\"runtime_input\":true}");
	(void)task_emit(t, "user_input", buf_cstr(&members));
	buf_fini(&members);
	const char *prompt = task_copy(t, input->prompt, strlen(input->prompt));
	free(input);
	return prompt;
}

static int host_fd(struct co_turn *turn)
{
	return task_of(turn)->inbox.fd;
}

const struct co_host *host_table(void)
{
	static const struct co_host table = {
	    .abi = CO_AGENT_ABI,
	    .size = sizeof(struct co_host),
	    .answer = host_answer,
	    .fail = host_fail,
	    .set_session = host_set_session,
	    .emit = host_emit,
	    .say = host_say,
	    .log = host_log,
	    .plan = host_plan,
	    .call = host_call,
	    .ask = host_ask,
	    .approve = host_approve,
	    .review = host_review,
	    .is_interrupted = host_is_interrupted,
	    .wait = host_wait,
	    .next_input = host_next_input,
	    .fd = host_fd,
	    .format = host_format,
	    .quote = host_quote,
	    .parse = host_parse,
	    .member = host_member,
	    .first = host_first,
	    .next = host_next,
	    .type = host_type,
	    .text = host_text,
	    .source = host_source,
	    .number = host_number,
	    .integer = host_integer,
	};

	return &table;
}
