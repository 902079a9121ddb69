/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* co_connect.h: what a caller does while a turn runs, and its conversation. */
#include "connect/client.h"
#include "connect/drive.h"

#include <co_connect.h>

#include <sys/eventfd.h>

/* ---- while a turn runs ---- */

static enum co_code co_reply(struct co_client *c, enum co_question_kind kind,
    const char *type, struct buf *members)
{
	if (c->query.question.kind != kind || !client_is_busy(c)) {
		buf_fini(members);
		return client_refuse(
		    c, CO_ERR_STATE, "no question of this kind is open");
	}
	if (*c->query.question.id) {
		buf_str(members, ",\"request_id\":");
		buf_json_str(members, c->query.question.id);
	}
	c->error = (struct co_error){.code = CO_OK};
	client_answer(c, c->query.question.id, type, buf_cstr(members));
	client_drop_question(c);
	buf_fini(members);
	return CO_OK;
}

enum co_code co_answer(struct co_client *c, const char *text)
{
	struct buf members = {0};

	buf_str(&members, ",\"answer\":");
	buf_json_str(&members, text);
	return co_reply(c, CO_ASK, "ASK_USER_RESPONSE", &members);
}

enum co_code co_answer_many(
    struct co_client *c, const char *const *texts, size_t n)
{
	struct buf members = {0};

	buf_str(&members, ",\"answer\":[");
	for (size_t i = 0; i < n; i++) {
		buf_str(&members, i ? "," : "");
		buf_json_str(&members, texts[i]);
	}
	buf_char(&members, ']');
	return co_reply(c, CO_ASK, "ASK_USER_RESPONSE", &members);
}

enum co_code co_approve(
    struct co_client *c, enum co_verdict verdict, const char *explanation)
{
	static const char *const modes[] = {
	    [CO_REJECT] = "reject_soft",
	    [CO_REJECT_EXPLAIN] = "reject_explain",
	    [CO_REJECT_STOP] = "reject_hard",
	};
	struct buf members = {0};

	buf_printf(&members, ",\"approved\":%s,\"scope\":\"%s\"",
	    verdict <= CO_APPROVE_SESSION ? "true" : "false",
	    verdict == CO_APPROVE_SESSION ? "session" : "once");
	if (verdict > CO_APPROVE_SESSION)
		buf_printf(&members, ",\"mode\":\"%s\"", modes[verdict]);
	if (explanation) {
		buf_str(&members, ",\"feedback\":");
		buf_json_str(&members, explanation);
	}
	return co_reply(c, CO_APPROVAL, "APPROVAL_RESPONSE", &members);
}

enum co_code co_review(struct co_client *c, const char *text)
{
	struct buf members = {0};

	buf_str(&members, ",\"message\":");
	buf_json_str(&members, text);
	return co_reply(c, CO_PLAN, "PLAN_REVIEW_RESPONSE", &members);
}

enum co_code co_interrupt(struct co_client *c)
{
	if (!client_is_busy(c) || !c->op.has_turn)
		return client_refuse(c, CO_ERR_STATE, "no turn runs");
	c->error = (struct co_error){.code = CO_OK};
	client_drop_question(c);
	c->op.is_stopping = true;
	client_answer(c, NULL, "INTERRUPT", "");
	return CO_OK;
}

void co_cancel(struct co_client *c)
{
	/* Can only fail when it is readable already. */
	(void)eventfd_write(c->cancel, 1);
}

/* ---- the conversation ---- */

const char *co_session_id(const struct co_client *c)
{
	return bookmark_text(&c->bookmark.session_id);
}

const char *co_last_event_id(const struct co_client *c)
{
	return bookmark_resume_id(&c->bookmark);
}

char *co_session_save(const struct co_client *c)
{
	struct buf text = {0};

	bookmark_save(&c->bookmark, &text);
	return buf_steal(&text, NULL);
}

enum co_code co_reset(struct co_client *c)
{
	if (client_is_busy(c) || c->is_in_callback)
		return client_refuse(
		    c, CO_ERR_STATE, "another operation has not ended yet");
	drive_drop(c);
	bookmark_fini(&c->bookmark);
	return CO_OK;
}
