/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef OPENHANDS_OH_ANSWER_H
#define OPENHANDS_OH_ANSWER_H

/*
 * What an action of a user means for the session: the answer to what the agent
 * asked, an interrupt, or an input.
 */
#include "base/buf.h"
#include "session/session.h"

struct err;
struct oh_action;

struct oh_answer {
	struct session *session;
	const struct oh_action *action; /* not OH_WISH_BAD */
	bool is_holder;			/* holds the session */
};

/*
 * Do what the action says, unless it is an input. Returns 0; 1: it is an input,
 * see oh_answer_input(); or -1 with *err. OH_WISH_RUN is refused
 * (openhands/oh_run.h).
 */
int oh_answer(const struct oh_answer *a, struct err *err);

/* Text of an input, to be freed by the caller after session_input(). */
struct oh_answer_text {
	struct buf text;
	struct buf option;
};

/*
 * Fill in the prompt and the images of an input, and what it may do. The other
 * members of *in say who sent it.
 */
void oh_answer_input(const struct oh_answer *a, struct session_input *in,
    struct oh_answer_text *memory);

/* Free the text. */
void oh_answer_text_fini(struct oh_answer_text *memory);

#endif
