/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_answer.h"

#include "base/json.h"
#include "core/err.h"
#include "openhands/oh_action.h"
#include "openhands/oh_choice.h"

#define NO "{\"approved\":false,\"scope\":\"once\""

static bool is_waiting(const struct oh_answer *a, enum event_type kind)
{
	uint64_t question;
	return session_is_waiting(a->session, kind, &question);
}

static int answer(const struct oh_answer *a, enum event_type kind,
    const struct buf *json, struct err *err)
{
	if (!a->is_holder)
		return err_set(err, ERR_FORBIDDEN,
		    "another client holds this conversation");
	return session_answer(a->session, kind, json->data, json->len, err);
}

/* A message about a plan is its review. */
static int review(
    const struct oh_answer *a, const char *text, size_t len, struct err *err)
{
	struct buf json = {0};
	buf_json(&json, text, len);
	int rc = answer(a, EV_PLAN_REVIEW, &json, err);
	buf_fini(&json);
	return rc;
}

/* A message instead of an approval is a rejection that says why. */
static int explain(
    const struct oh_answer *a, const char *text, size_t len, struct err *err)
{
	struct buf json = {0};
	buf_str(&json, NO ",\"mode\":\"reject_explain\",\"feedback\":");
	buf_json(&json, text, len);
	buf_char(&json, '}');
	int rc = answer(a, EV_APPROVAL_NEEDED, &json, err);
	buf_fini(&json);
	return rc;
}

static int approve(const struct oh_answer *a, bool is_approved, struct err *err)
{
	static const char yes[] = "{\"approved\":true,\"scope\":\"once\"}";
	static const char no[] = NO ",\"mode\":\"reject_hard\"}";
	struct buf json = {0};
	buf_str(&json, is_approved ? yes : no);
	int rc = answer(a, EV_APPROVAL_NEEDED, &json, err);
	buf_fini(&json);
	return rc;
}

static int say(const struct oh_answer *a, struct err *err)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *text = json_str(a->action->content, &scratch, &len);
	int rc = 1;
	if (is_waiting(a, EV_PLAN_REVIEW))
		rc = review(a, text, len, err);
	else if (is_waiting(a, EV_APPROVAL_NEEDED))
		rc = explain(a, text, len, err);
	buf_fini(&scratch);
	return rc;
}

int oh_answer(const struct oh_answer *a, struct err *err)
{
	switch (a->action->wish) {
	case OH_WISH_MESSAGE:
		return say(a, err);
	case OH_WISH_STOP:
		return session_interrupt(a->session,
		    a->action->is_pause ? SESSION_PAUSE : SESSION_STOP, err);
	case OH_WISH_CONFIRM:
		return approve(a, true, err);
	case OH_WISH_REJECT:
		return approve(a, false, err);
	case OH_WISH_RUN:
		return err_set(err, ERR_BAD_REQUEST,
		    "run requires a client with a WebSocket");
	case OH_WISH_NOTHING:
	case OH_WISH_BAD:
		break;
	}
	return 0;
}

void oh_answer_input(const struct oh_answer *a, struct session_input *in,
    struct oh_answer_text *memory)
{
	size_t len = 0;
	const char *text = json_str(a->action->content, &memory->text, &len);
	bool is_choice = a->is_holder &&
			 oh_choice_find(&memory->option, a->session, text, len);
	in->prompt = is_choice ? memory->option.data : text;
	in->prompt_len = is_choice ? memory->option.len : len;
	in->images = a->action->images;
	in->is_holder = in->may_answer = a->is_holder;
	in->may_join = true;
}

void oh_answer_text_fini(struct oh_answer_text *memory)
{
	buf_fini(&memory->text);
	buf_fini(&memory->option);
}
