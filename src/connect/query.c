/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/query.h"

#include "base/json.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum co_question_kind query_kind(const struct json *type)
{
	if (json_str_is(type, "ask_user"))
		return CO_ASK;
	if (json_str_is(type, "approval_needed"))
		return CO_APPROVAL;
	if (json_str_is(type, "plan_review"))
		return CO_PLAN;
	return CO_NO_QUESTION;
}

/*
 * Texts are collected in one buffer, which moves while it grows: until all are
 * there, they are known by their places, which begin at 1.
 */
static size_t put(struct query *q, const char *text, size_t len)
{
	size_t at = q->texts.len + 1;

	buf_append(&q->texts, text, len);
	buf_char(&q->texts, '\0');
	return at;
}

/* A string as it is; any other value as JSON; an absent one is "". */
static size_t put_value(struct query *q, const struct json *v)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = "";

	if (json_is(v, JSON_STRING))
		text = json_str(v, &scratch, &len);
	else if (v)
		text = json_text(v, &len);
	size_t at = put(q, text, len);
	buf_fini(&scratch);
	return at;
}

static const char *at(const struct query *q, size_t place)
{
	return q->texts.data + place - 1;
}

/* What older and newer hosts call the text. */
static const struct json *text_of(
    enum co_question_kind kind, const struct json *event)
{
	const struct json *v = NULL;

	if (kind == CO_APPROVAL)
		return json_get(event, "tool");
	if (kind == CO_PLAN)
		return json_get(event, "plan_content");
	v = json_get(event, "question");
	return v ? v : json_get(event, "text");
}

/* An option is a text, or an object with a label. */
static const struct json *option_text(const struct json *option)
{
	const struct json *label = json_get(option, "label");

	return label ? label : option;
}

void query_read(
    struct query *q, enum co_question_kind kind, const struct json *event)
{
	query_fini(q);
	const struct json *list = json_get(event, "options");
	size_t n = json_is(list, JSON_ARRAY) ? json_count(list) : 0, i = 0;
	size_t *places = mem_alloc((n + 1) * sizeof *places);
	size_t len = 0;
	const char *whole = json_text(event, &len);
	size_t json = put(q, whole, len);
	size_t id = put_value(q, json_get(event, "id"));
	size_t text = put_value(q, text_of(kind, event));
	size_t arguments = kind == CO_APPROVAL
			       ? put_value(q, json_get(event, "arguments"))
			       : put(q, "", 0);
	bool is_multiple = false;

	for (const struct json *o = n ? json_first(list) : NULL; o;
	     o = json_next(o))
		places[i++] = put_value(q, option_text(o));
	(void)json_bool(json_get(event, "multi_select"), &is_multiple);
	q->options = mem_alloc((n + 1) * sizeof *q->options);
	for (i = 0; i < n; i++)
		q->options[i] = at(q, places[i]);
	free(places);
	q->question = (struct co_question){
	    .kind = kind,
	    .id = at(q, id),
	    .text = at(q, text),
	    .options = q->options,
	    .n_options = n,
	    .is_multiple = is_multiple,
	    .arguments = at(q, arguments),
	    .json = at(q, json),
	};
}

void query_fini(struct query *q)
{
	buf_fini(&q->texts);
	free(q->options);
	*q = (struct query){.options = NULL};
}
