/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/*
 * What the user is asked: by calls of two tools that the run has itself, and
 * for tools that ask while they run.
 */
#include "agentloop/run_int.h"

#include "base/json.h"
#include "core/tool_spec.h"
#include "model/codec.h"

#include <string.h>

/* A tool whose call is a question. */
struct question {
	struct tool tool;
	enum event_type type;
	const char *needs; /* the argument without which nothing is asked */
};

static const struct question questions[] = {
    {
	.tool =
	    {
		.name = "ask_user",
		.description =
		    "Ask the user a question and wait for the answer. Use it "
		    "when you cannot go on without a decision of the user.",
		.schema =
		    "{\"type\":\"object\",\"properties\":{"
		    "\"question\":{\"type\":\"string\"},"
		    "\"options\":{\"type\":\"array\",\"items\":{\"type\":"
		    "\"string\"},\"description\":\"answers to choose from\"},"
		    "\"multi_select\":{\"type\":\"boolean\"}},"
		    "\"required\":[\"question\"]}",
	    },
	.type = EV_ASK_USER,
	.needs = "question",
    },
    {
	.tool =
	    {
		.name = "plan_review",
		.description =
		    "Show the user your plan before you carry it out, and wait "
		    "for the review: consent, or what to change. Use it for "
		    "work of many steps, and where the user asked for a plan.",
		.schema = "{\"type\":\"object\",\"properties\":{"
			  "\"plan\":{\"type\":\"string\",\"description\":"
			  "\"the whole plan, one step a line\"}},"
			  "\"required\":[\"plan\"]}",
	    },
	.type = EV_PLAN_REVIEW,
	.needs = "plan",
    },
};

#define N_QUESTIONS (sizeof questions / sizeof *questions)

_Static_assert(N_QUESTIONS == RUN_QUESTIONS, "as run_int.h says");

/* ---- which there are ---- */

unsigned run_question_offered(const struct tool_spec *spec)
{
	unsigned bits = 0;

	for (size_t q = 0; q < N_QUESTIONS; q++)
		if (tool_spec_offers(spec, questions[q].tool.name))
			bits |= 1u << q;
	return bits;
}

size_t run_question_list(const struct agent *a, struct model_tool *out)
{
	size_t n = 0;

	for (size_t q = 0; q < N_QUESTIONS; q++)
		if (a->questions & 1u << q)
			out[n++] =
			    (struct model_tool){.name = questions[q].tool.name,
				.description = questions[q].tool.description,
				.schema = questions[q].tool.schema};
	return n;
}

void run_question_put_names(const struct agent *a, struct buf *out)
{
	for (size_t q = 0; q < N_QUESTIONS; q++)
		if (a->questions & 1u << q)
			buf_printf(out, "%s%s", out->len ? ", " : "",
			    questions[q].tool.name);
}

static const struct question *question_of(const struct run_call *c)
{
	for (size_t q = 0; q < N_QUESTIONS; q++)
		if (c->run->agent->questions & 1u << q &&
		    strcmp(c->name, questions[q].tool.name) == 0)
			return &questions[q];
	return NULL;
}

bool run_question_is(const struct run_call *c)
{
	return question_of(c) != NULL;
}

bool run_question_check(struct run_call *c)
{
	const struct question *q = question_of(c);
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *args =
	    json_parse(&doc, c->args.data, c->args.len, 0, &why);
	bool is_good = json_is(json_get(args, q->needs), JSON_STRING);

	json_fini(&doc);
	if (!is_good)
		buf_printf(
		    &c->wrong, "%s needs a text: %s.", c->name, q->needs);
	return is_good;
}

/* ---- asking ---- */

static void put_text(struct draft *d, const char *member, const struct json *v)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(v, &scratch, &len);

	event_str(d, member, text ? text : "", text ? len : 0);
	buf_fini(&scratch);
}

static void put_ask_user(struct draft *d, const struct json *body)
{
	const struct json *options = json_get(body, "options");
	bool is_multi = false;
	size_t len;

	(void)json_bool(json_get(body, "multi_select"), &is_multi);
	put_text(d, "question", json_get(body, "question"));
	put_text(d, "text", json_get(body, "question"));
	if (json_is(options, JSON_ARRAY)) {
		const char *text = json_text(options, &len);
		event_json(d, "options", text, len);
	} else {
		event_json(d, "options", "[]", 2);
	}
	event_bool(d, "multi_select", is_multi);
}

static void put_question(
    struct run_call *c, enum event_type type, const struct buf *body)
{
	struct agent_turn *t = c->run;
	struct draft *d = run_begin(t, type);
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v = json_parse(&doc, body->data, body->len, 0, &why);

	if (type == EV_PLAN_REVIEW)
		put_text(d, "plan_content", json_get(v, "plan"));
	else
		put_ask_user(d, v);
	run_str(t, "tool_call_id", c->id);
	run_emit(t);
	t->asked = c;
	json_fini(&doc);
}

void run_question_ask(struct run_call *c)
{
	put_question(c, question_of(c)->type, &c->args);
}

void run_question_ask_for_tool(struct run_call *c)
{
	put_question(c, EV_ASK_USER, &c->question);
	buf_reset(&c->question);
}

void run_question_end(struct run_call *c, const struct json *answer)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(answer, &scratch, &len);

	if (!text)
		text = json_text(answer, &len);
	/* The event comes when the run goes on. */
	buf_reset(&c->result);
	buf_append(&c->result, text, text ? len : 0);
	c->state = CALL_ENDED;
	buf_fini(&scratch);
}
