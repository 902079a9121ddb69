/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Questions of an agent, as the caller of libcoconnect sees them. */
#include "connect/query.h"

#include <string.h>

#include "base/json.h"
#include "t/unit/tap.h"

#define N(a) (sizeof(a) / sizeof(*(a)))

static void reads(void)
{
	static const struct {
		const char *event;
		enum co_question_kind kind;
		const char *id, *text, *options, *arguments;
		int is_multiple;
	} cases[] = {
	    {"{\"type\":\"ask_user\",\"id\":\"e1\",\"question\":\"Which?\","
	     "\"text\":\"old\",\"options\":[\"a\",\"b\\\"\"],"
	     "\"multi_select\":true}",
		CO_ASK, "e1", "Which?", "a|b\"|", "", 1},
	    {"{\"type\":\"ask_user\",\"text\":\"Which?\"}", CO_ASK, "",
		"Which?", "", "", 0},
	    {"{\"type\":\"ask_user\",\"question\":7,\"options\":"
	     "[{\"label\":\"one\",\"description\":\"x\"},{\"x\":1},2]}",
		CO_ASK, "", "7", "one|{\"x\":1}|2|", "", 0},
	    {"{\"type\":\"ask_user\",\"options\":\"a\"}", CO_ASK, "", "", "",
		"", 0},
	    {"{\"type\":\"approval_needed\",\"id\":\"e2\",\"tool\":\"bash\","
	     "\"arguments\":{\"cmd\": \"rm\"}}",
		CO_APPROVAL, "e2", "bash", "", "{\"cmd\": \"rm\"}", 0},
	    {"{\"type\":\"plan_review\",\"plan_content\":\"1. Dig\\n2. Fill\"}",
		CO_PLAN, "", "1. Dig\n2. Fill", "", "", 0},
	    {"{\"type\":\"thinking\"}", CO_NO_QUESTION, "", "", "", "", 0},
	};
	struct query q = {.options = NULL};

	for (size_t i = 0; i < N(cases); i++) {
		struct json_doc doc = {0};
		struct json_error why;
		struct buf options = {0};
		const struct json *v = json_parse(
		    &doc, cases[i].event, strlen(cases[i].event), 0, &why);
		enum co_question_kind kind = query_kind(json_get(v, "type"));

		is_int(kind, cases[i].kind, "the kind of %s", cases[i].event);
		if (kind) {
			query_read(&q, kind, v);
			for (size_t j = 0; j < q.question.n_options; j++)
				buf_printf(
				    &options, "%s|", q.question.options[j]);
			is_str(q.question.id, cases[i].id,
			    "question %zu has its id", i);
			is_str(q.question.text, cases[i].text,
			    "question %zu has its text", i);
			is_str(buf_cstr(&options), cases[i].options,
			    "question %zu has its options", i);
			is_str(q.question.arguments, cases[i].arguments,
			    "question %zu has its arguments", i);
			is_int(q.question.is_multiple, cases[i].is_multiple,
			    "question %zu says whether several may be chosen",
			    i);
			is_str(q.question.json, cases[i].event,
			    "question %zu has all of its event", i);
		}
		buf_fini(&options);
		json_fini(&doc);
	}
	query_fini(&q);
	is_int(q.question.kind, CO_NO_QUESTION, "a freed query asks nothing");
}

int main(void)
{
	reads();
	return done();
}
