/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_action.h"

#include <stddef.h>

static void refuse(struct oh_action *action, const char *why)
{
	action->wish = OH_WISH_BAD;
	action->why = why;
}

static const struct json *first_array(
    const struct json *of, const char *name, const char *old_name)
{
	const struct json *v = json_get(of, name);
	if (!json_is(v, JSON_ARRAY) || !json_count(v))
		v = json_get(of, old_name);
	return json_is(v, JSON_ARRAY) && json_count(v) ? v : NULL;
}

static void read_message(struct oh_action *action, const struct json *content,
    const struct json *images)
{
	if (!json_is(content, JSON_STRING)) {
		refuse(action, "a message needs its text, a string");
		return;
	}
	if (json_str_is(content, "") && !images) {
		refuse(action, "the message is empty");
		return;
	}
	action->wish = OH_WISH_MESSAGE;
	action->content = content;
	action->images = images;
}

static void read_run(struct oh_action *action, const struct json *command)
{
	if (!json_is(command, JSON_STRING) || json_str_is(command, "")) {
		refuse(action, "run needs args.command, a string");
		return;
	}
	action->wish = OH_WISH_RUN;
	action->content = command;
}

static void read_change(struct oh_action *action, const struct json *state)
{
	static const struct {
		const char *state;
		enum oh_wish wish;
		bool is_pause;
	} known[] = {
	    {"stopped", OH_WISH_STOP, false},
	    {"paused", OH_WISH_STOP, true},
	    {"user_confirmed", OH_WISH_CONFIRM, false},
	    {"user_rejected", OH_WISH_REJECT, false},
	    {"running", OH_WISH_NOTHING, false},
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (json_is(state, JSON_STRING) &&
		    json_str_is(state, known[i].state)) {
			action->wish = known[i].wish;
			action->is_pause = known[i].is_pause;
			return;
		}
	refuse(action, "agent_state must be stopped, paused, running, "
		       "user_confirmed or user_rejected");
}

void oh_action_read(struct oh_action *action, const struct json *said)
{
	const struct json *name = json_get(said, "action");
	const struct json *args = json_get(said, "args");
	*action = (struct oh_action){.wish = OH_WISH_BAD};
	if (!json_is(said, JSON_OBJECT))
		refuse(action, "an action must be an object");
	else if (!name && json_str_is(json_get(said, "type"), "message"))
		read_message(action, json_get(said, "message"),
		    first_array(said, "image_urls", "images"));
	else if (!json_is(name, JSON_STRING))
		refuse(action, "an action needs \"action\", or \"type\": "
			       "\"message\"");
	else if (json_str_is(name, "message"))
		read_message(action, json_get(args, "content"),
		    first_array(args, "image_urls", "images_urls"));
	else if (json_str_is(name, "change_agent_state"))
		read_change(action, json_get(args, "agent_state"));
	else if (json_str_is(name, "run"))
		read_run(action, json_get(args, "command"));
	else if (json_str_is(name, "initialize"))
		action->wish = OH_WISH_NOTHING;
	else
		refuse(action, "this action is not supported in the current "
			       "runtime");
}
