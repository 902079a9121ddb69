/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* Actions of users: which are understood, and what is wrong with others. */
#include "openhands/oh_action.h"

#include "t/unit/tap.h"

#define FORM "an action needs \"action\", or \"type\": \"message\""
#define TEXT "a message needs its text, a string"
#define STATE                                                              \
	"agent_state must be stopped, paused, running, user_confirmed or " \
	"user_rejected"
#define CHANGE(state)                                                         \
	"{\"action\":\"change_agent_state\",\"args\":{\"agent_state\":" state \
	"}}"

static void test_actions(void)
{
	static const struct {
		const char *json;
		enum oh_wish wish;
		const char *says; /* the content as JSON, or what is wrong */
		size_t n_images;
	} cases[] = {
	    {"{\"type\":\"message\",\"source\":\"user\",\"message\":\"hi\"}",
		OH_WISH_MESSAGE, "\"hi\"", 0},
	    {"{\"type\":\"message\",\"message\":\"hi\",\"images\":[\"a\"]}",
		OH_WISH_MESSAGE, "\"hi\"", 1},
	    {"{\"type\":\"message\",\"message\":\"\",\"image_urls\":[\"a\"]}",
		OH_WISH_MESSAGE, "\"\"", 1},
	    {"{\"action\":\"message\",\"args\":{\"content\":\"hi\","
	     "\"image_urls\":[\"a\",\"b\"],\"timestamp\":\"x\"}}",
		OH_WISH_MESSAGE, "\"hi\"", 2},
	    {"{\"action\":\"message\",\"args\":{\"content\":\"hi\","
	     "\"images_urls\":[\"a\"],\"image_urls\":[]},\"id\":7,"
	     "\"source\":\"agent\"}",
		OH_WISH_MESSAGE, "\"hi\"", 1},
	    {CHANGE("\"stopped\""), OH_WISH_STOP, NULL, 0},
	    {CHANGE("\"paused\""), OH_WISH_STOP, NULL, 0},
	    {CHANGE("\"running\""), OH_WISH_NOTHING, NULL, 0},
	    {CHANGE("\"user_confirmed\""), OH_WISH_CONFIRM, NULL, 0},
	    {CHANGE("\"user_rejected\""), OH_WISH_REJECT, NULL, 0},
	    {"{\"action\":\"initialize\"}", OH_WISH_NOTHING, NULL, 0},
	    {CHANGE("\"flying\""), OH_WISH_BAD, STATE, 0},
	    {CHANGE("5"), OH_WISH_BAD, STATE, 0},
	    {"{\"action\":\"change_agent_state\"}", OH_WISH_BAD, STATE, 0},
	    {"{\"type\":\"message\"}", OH_WISH_BAD, TEXT, 0},
	    {"{\"type\":\"message\",\"message\":5}", OH_WISH_BAD, TEXT, 0},
	    {"{\"type\":\"message\",\"message\":\"\"}", OH_WISH_BAD,
		"the message is empty", 0},
	    {"{\"action\":\"message\",\"args\":5}", OH_WISH_BAD, TEXT, 0},
	    {"{\"action\":\"run\",\"args\":{\"command\":\"ls\"}}", OH_WISH_RUN,
		"\"ls\"", 0},
	    {"{\"action\":\"run\",\"args\":{\"command\":\"\"}}", OH_WISH_BAD,
		"run needs args.command, a string", 0},
	    {"{\"action\":\"run\"}", OH_WISH_BAD,
		"run needs args.command, a string", 0},
	    {"{\"action\":\"browse\",\"args\":{\"url\":\"x\"}}", OH_WISH_BAD,
		"this action is not supported in the current runtime", 0},
	    {"{\"action\":5,\"type\":\"message\",\"message\":\"hi\"}",
		OH_WISH_BAD, FORM, 0},
	    {"{\"type\":\"other\"}", OH_WISH_BAD, FORM, 0},
	    {"{}", OH_WISH_BAD, FORM, 0},
	    {"\"text\"", OH_WISH_BAD, "an action must be an object", 0},
	    {"null", OH_WISH_BAD, "an action must be an object", 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct json_doc doc = {0};
		struct json_error error;
		struct oh_action a;
		size_t len = 0;
		const char *json = cases[i].json;
		oh_action_read(
		    &a, json_parse(&doc, json, strlen(json), 0, &error));
		is_int(a.wish, cases[i].wish, "%s is understood", json);
		is_int((int64_t)json_count(a.images),
		    (int64_t)cases[i].n_images, "%s has its images", json);
		if (a.wish == OH_WISH_BAD) {
			is_str(a.why, cases[i].says, "%s is refused", json);
		} else if (cases[i].says) {
			const char *text = json_text(a.content, &len);
			is_mem(text, len, cases[i].says, strlen(cases[i].says),
			    "%s has its text", json);
		}
		json_fini(&doc);
	}
}

static void test_pause(void)
{
	struct json_doc doc = {0};
	struct json_error error;
	struct oh_action a;
	static const char pause[] = CHANGE("\"paused\"");
	static const char stop[] = CHANGE("\"stopped\"");
	oh_action_read(&a, json_parse(&doc, pause, strlen(pause), 0, &error));
	ok(a.is_pause, "the wish to pause is a pause");
	json_fini(&doc);
	oh_action_read(&a, json_parse(&doc, stop, strlen(stop), 0, &error));
	ok(!a.is_pause, "the wish to stop is no pause");
	json_fini(&doc);
}

static void test_absent(void)
{
	struct oh_action a;
	oh_action_read(&a, NULL);
	is_int(a.wish, OH_WISH_BAD, "an event without an action is refused");
}

int main(void)
{
	test_actions();
	test_pause();
	test_absent();
	return done();
}
