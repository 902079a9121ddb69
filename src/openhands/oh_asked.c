/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_asked.h"

#include "core/err.h"
#include "door/door.h"
#include "door/reply.h"
#include "net/http.h"
#include "openhands/oh_conversation.h"
#include "session/session.h"

#include <string.h>

/* ---- replies ---- */

/* Clients of OpenHands look for "message" when they are too fast. */
static void refuse_for_now(struct http_req *req, const struct err *err)
{
	struct buf out = {0};
	buf_str(&out, "{\"message\":\"Too many requests\",\"detail\":");
	buf_json_str(&out, err_public_text(err));
	buf_char(&out, '}');
	reply_json(req, err_status(err->code), &out);
	buf_fini(&out);
}

void oh_asked_refuse(struct http_req *req, const struct err *err)
{
	reply_retry_after(req, err);
	if (err->code == ERR_LIMIT)
		refuse_for_now(req, err);
	else
		reply_detail(req, err_status(err->code), err_public_text(err));
}

void oh_asked_unknown(struct oh_asked *a, const struct err *err)
{
	struct buf text = {0};
	if (err->code != ERR_NOT_FOUND && err->code != ERR_NO_SESSION) {
		oh_asked_refuse(a->req, err);
		return;
	}
	buf_str(&text, "Conversation ");
	oh_conversation_put(&text, buf_cstr(&a->id));
	buf_str(&text, " not found");
	reply_detail(a->req, 404, buf_cstr(&text));
	buf_fini(&text);
}

/* ---- the conversation ---- */

int oh_asked_find(struct oh_asked *a, struct buf *memory,
    struct session_record *r, struct err *err)
{
	if (session_look(
		a->setup->sessions, a->id.data, a->id.len, memory, r, err) != 0)
		return -1;
	bool is_others = r->caller[0] && strcmp(r->caller, a->caller.address);
	return is_others ? err_set(err, ERR_NOT_FOUND, NULL) : 0;
}

struct session *oh_asked_open(struct oh_asked *a, struct err *err)
{
	struct buf memory = {0};
	struct session_record record;
	enum session_status status;
	bool has_record;
	int rc = oh_asked_find(a, &memory, &record, err);
	buf_fini(&memory);
	if (rc != 0)
		return NULL;
	return session_open(a->setup->sessions, a->id.data, a->id.len,
	    a->caller.address, &status, &has_record, err);
}

bool oh_asked_is_holder(const struct oh_asked *a, const struct session *s)
{
	const struct session_guest guest = {
	    .caller = a->caller.address, .place = http_place(a->req)};
	return a->has_key || session_is_held(s, &guest);
}
