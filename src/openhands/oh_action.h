/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_ACTION_H
#define OPENHANDS_OH_ACTION_H

/*
 * Actions of users: the argument of oh_user_action, in the form of the
 * documents ({"type": "message", "message": TEXT}) or of programs ({"action":
 * NAME, "args": {...}}). Everything else in it is ignored. A pure function.
 */
#include "base/json.h"

#include <stdbool.h>

enum oh_wish {
	OH_WISH_BAD,	 /* why says what is wrong */
	OH_WISH_MESSAGE, /* content, and perhaps images */
	OH_WISH_STOP,	 /* end the turn, perhaps as a pause */
	OH_WISH_CONFIRM, /* the agent may use the tool that it asked for */
	OH_WISH_REJECT,	 /* it may not */
	OH_WISH_RUN,	 /* content: a command for the agent's shell */
	OH_WISH_NOTHING, /* accepted, and without effect */
};

struct oh_action {
	enum oh_wish wish;
	const struct json *content; /* a JSON string */
	const struct json *images;  /* an array, or NULL */
	bool is_pause;		    /* of OH_WISH_STOP */
	const char *why;
};

/* Read an action; NULL is absent. */
void oh_action_read(struct oh_action *action, const struct json *said);

#endif
