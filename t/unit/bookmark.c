/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Where a conversation stands: it can be saved, and continued. */
#include "connect/bookmark.h"

#include <string.h>

#include "base/json.h"
#include "t/unit/tap.h"

#define N(a) (sizeof(a) / sizeof(*(a)))

static struct json_doc doc;

static const struct json *parse(const char *text)
{
	struct json_error why;

	return json_parse(&doc, text, strlen(text), 0, &why);
}

static void is_saved(
    const struct bookmark *b, const char *want, const char *name)
{
	struct buf out = {0};

	bookmark_save(b, &out);
	is_str(buf_cstr(&out), want, "%s", name);
	buf_fini(&out);
}

static void saves(void)
{
	struct bookmark b = {.session_id = {0}}, other = {.session_id = {0}};
	static const char all[] =
	    "{\"session_id\":\"s\\\"1\",\"last_event_id\":\"e1-2\","
	    "\"session\":{\"messages\": [1, 2.50]}}";

	is_saved(&b,
	    "{\"session_id\":\"\",\"last_event_id\":\"\",\"session\":null}",
	    "a new conversation is saved");
	is_str(bookmark_text(&b.session_id), "",
	    "a new conversation has no session id");
	bookmark_set(&b.session_id, "s\"1");
	bookmark_set_string(&b.last_event_id, parse("\"e1-2\""));
	bookmark_set_string(&b.last_event_id, parse("7"));
	bookmark_set_session(&b, parse("{\"messages\": [1, 2.50]}"));
	bookmark_set_session(&b, parse("\"no object\""));
	is_saved(&b, all, "a conversation is saved as it came");
	ok(bookmark_load(&other, all), "a saved conversation is loaded");
	is_saved(&other, all, "a loaded conversation is saved as it was");
	bookmark_fini(&b);
	bookmark_fini(&other);
}

static void refuses(void)
{
	static const char *const cases[] = {"", "[]", "{}", "null",
	    "{\"session_id\":7}", "{\"session_id\":\"a\"", "{\"session\":{}}"};

	for (size_t i = 0; i < N(cases); i++) {
		struct bookmark b = {.session_id = {0}};
		ok(!bookmark_load(&b, cases[i]), "'%s' is no conversation",
		    cases[i]);
		bookmark_fini(&b);
	}
}

static void keeps_the_token(void)
{
	struct bookmark b = {.session_id = {0}};

	bookmark_set_continuation(&b, parse("7"));
	is_str(bookmark_text(&b.session), "", "a token is a text");
	bookmark_set_continuation(&b, parse("\"t1\""));
	is_str(bookmark_text(&b.session), "{\"continuation\":\"t1\"}",
	    "the token stands for the session");
	bookmark_set_session(&b, parse("{\"continuation\":\"t2\"}"));
	bookmark_set_continuation(&b, parse("\"t3\""));
	is_str(bookmark_text(&b.session), "{\"continuation\":\"t2\"}",
	    "the session has its own token");
	bookmark_fini(&b);
}

static void comes_back_to_questions(void)
{
	struct bookmark b = {.session_id = {0}}, other = {.session_id = {0}};
	struct buf saved = {0};

	bookmark_note(&b, parse("\"e0\""), false);
	bookmark_note_answer(&b);
	bookmark_note(&b, parse("\"q1\""), true);
	is_str(bookmark_text(&b.last_event_id), "q1",
	    "a question is an event that was seen");
	is_str(bookmark_resume_id(&b), "e0",
	    "the event before an open question is come back to");
	bookmark_note(&b, parse("\"q1\""), true);
	bookmark_note(&b, parse("\"e2\""), false);
	is_str(bookmark_resume_id(&b), "e0",
	    "neither a repeated question nor an event closes a question");
	bookmark_save(&b, &saved);
	ok(bookmark_load(&other, buf_cstr(&saved)),
	    "an open question is saved");
	is_str(bookmark_resume_id(&other), "e0",
	    "the event before an open question is saved");
	bookmark_note_answer(&b);
	is_str(bookmark_resume_id(&b), "e0",
	    "an answer that may be lost leaves its question open");
	bookmark_note(&b, parse("\"e3\""), false);
	is_str(bookmark_resume_id(&b), "e3",
	    "the event after an answer closes the question");
	bookmark_note(&b, parse("\"q4\""), true);
	bookmark_note(&b, parse("\"q5\""), true);
	is_str(bookmark_resume_id(&b), "q4",
	    "the newest of two questions is the open one");
	bookmark_note_end(&b);
	is_str(bookmark_resume_id(&b), "q5",
	    "the end of a turn closes its question");
	buf_fini(&saved);
	bookmark_fini(&b);
	bookmark_fini(&other);
}

int main(void)
{
	saves();
	refuses();
	keeps_the_token();
	comes_back_to_questions();
	json_fini(&doc);
	return done();
}
