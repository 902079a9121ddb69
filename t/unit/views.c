/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Which views events have, and their numbers. */
#include "core/views.h"

#include "t/unit/tap.h"

#include <string.h>

static struct event event_of(enum event_type type, const char *body)
{
	return (struct event){
	    .type = type,
	    .id = "",
	    .body = body,
	    .body_len = strlen(body),
	};
}

enum { PAUSED = VIEWS_STOPPED | VIEWS_PAUSED };

/* One event after another of the same journal. */
static void test_views(void)
{
	static const struct {
		enum event_type type;
		const char *body;
		uint8_t views;
		const char *what;
	} cases[] = {
	    {EV_INPUT, "\"prompt\":\"a\"", 3, "an input"},
	    {EV_START, "", 0, "the start of an agent"},
	    {EV_THINKING, "\"content\":\"hm\"", 1, "a thought"},
	    {EV_THINKING, "\"content\":\"\"", 0, "an empty thought"},
	    {EV_LLM_CALL, "", 0, "a call of a model"},
	    {EV_TOOL_CALL, "", 1, "a call of a tool"},
	    {EV_TOOL_RESULT, "", 1, "its result"},
	    {EV_MORE_INPUT, "\"prompt\":\"b\"", 1, "an input that joined"},
	    {EV_APPROVAL_NEEDED, "", 3, "a request for approval"},
	    {EV_ANSWER,
		"\"kind\":\"approval_needed\",\"answer\":"
		"{\"approved\":true}",
		3, "an approval"},
	    {EV_ANSWER,
		"\"kind\":\"approval_needed\",\"answer\":"
		"{\"approved\":false}",
		7, "a rejection"},
	    {EV_ANSWER, "\"kind\":\"approval_needed\",\"answer\":5", 7,
		"an answer that approves of nothing"},
	    {EV_ANSWER, "\"kind\":\"ask_user\",\"answer\":\"x\"", 3,
		"an answer to a question"},
	    {EV_ASSISTANT, "\"content\":\"\\u0061b\"", 1, "a text"},
	    {EV_TOOL_BLOCKED, "", 1, "a tool that was blocked"},
	    {EV_DONE, "\"result\":\"ab\"", 2,
		"a result that the agent has said, in another spelling"},
	    {EV_DONE, "\"result\":\"ab\"", 2, "the same result again"},
	    {EV_INPUT, "\"prompt\":\"a\"", 3, "another input"},
	    {EV_DONE, "\"result\":\"ab\"", 3,
		"a result that was said in an earlier turn"},
	    {EV_INPUT, "\"prompt\":\"a\"", 3, "a third input"},
	    {EV_ASSISTANT, "\"content\":\"ab\"", 1, "a text before it"},
	    {EV_ASSISTANT, "\"content\":\"c\"", 1, "a text"},
	    {EV_INTERRUPT, "", 1, "an interrupt"},
	    {EV_DONE, "\"result\":\"ab\"", 3 | VIEWS_STOPPED,
		"a result after an interrupt, said before the last text"},
	    {EV_INPUT, "\"prompt\":\"a\"", 3, "a fourth input"},
	    {EV_DONE, "\"result\":\"\"", 3, "an empty result"},
	    {EV_FAILED, "\"reason\":\"error\"", 3, "a failure"},
	    {EV_FAILED, "\"reason\":\"interrupted\"", 2 | VIEWS_STOPPED,
		"a failure by an interrupt"},
	    {EV_DONE, "not JSON", 3, "an end that cannot be read"},
	    {EV_CUSTOM, "\"type\":\"mine\"", 0, "an event of the agent"},
	    {EV_INPUT, "\"prompt\":\"a\"", 3, "a fifth input"},
	    {EV_INTERRUPT, "\"is_pause\":true", 1, "a pause"},
	    {EV_DONE, "\"result\":\"p\"", 3 | PAUSED, "a result after a pause"},
	    {EV_INPUT, "\"prompt\":\"a\"", 3, "a sixth input"},
	    {EV_INTERRUPT, "\"is_pause\":true", 1, "another pause"},
	    {EV_FAILED, "\"reason\":\"interrupted\"", 2 | PAUSED,
		"a failure by a pause"},
	    {EV_INPUT, "\"prompt\":\"a\"", 3, "a seventh input"},
	    {EV_DONE, "\"result\":\"p\"", 3,
		"a result of the turn after a pause"},
	    {EV_INPUT, "\"prompt\":\"a\"", 3, "an eighth input"},
	    {EV_INTERRUPT, "\"is_pause\":true", 1, "a pause before a stop"},
	    {EV_INTERRUPT, "", 1, "a stop after a pause"},
	    {EV_INTERRUPT, "\"is_pause\":true", 1, "a pause after a stop"},
	    {EV_DONE, "\"result\":\"p\"", 3 | VIEWS_STOPPED,
		"a result after a stop and pauses"},
	};
	struct views_memory memory = {0};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct event ev = event_of(cases[i].type, cases[i].body);
		is_int(views_of(&ev, &memory), cases[i].views,
		    "%s (%zu) has its views", cases[i].what, i);
	}
}

/* Rows of sessions were stored before there were pauses. */
static void test_stored_memory(void)
{
	const uint32_t stored[2] = {0, 1};
	struct views_memory memory;
	struct event end = event_of(EV_DONE, "\"result\":\"a\"");
	is_int((int64_t)sizeof memory, (int64_t)sizeof stored,
	    "the memory of views is as large as that of earlier versions");
	memcpy(&memory, stored, sizeof memory);
	is_int(views_of(&end, &memory), 3 | VIEWS_STOPPED,
	    "an interrupt that an earlier version stored was a stop");
}

static void test_numbers(void)
{
	const struct event all = {.first_view = 5, .views = 7};
	const struct event second = {
	    .first_view = 5, .views = 2 | VIEWS_STOPPED};
	const struct event none = {.first_view = 5};
	const struct event old = {.views = 0};
	is_int((int64_t)views_number(&all, 0), 5, "the first view comes first");
	is_int((int64_t)views_number(&all, 2), 7, "the third view comes third");
	is_int((int64_t)views_upto(&all), 7, "three views take three numbers");
	is_int((int64_t)views_number(&second, 1), 5,
	    "a view that is missing has no number");
	is_int((int64_t)views_upto(&second), 5, "one view takes one number");
	ok(!views_has(&second, 0) && views_has(&second, 1),
	    "an event has the views of its bits");
	is_int((int64_t)views_upto(&none), 4,
	    "an event without views ends where it begins");
	is_int((int64_t)views_upto(&old), 0,
	    "an event without numbers ends before the first");
}

int main(void)
{
	test_views();
	test_stored_memory();
	test_numbers();
	return done();
}
