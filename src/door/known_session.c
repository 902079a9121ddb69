/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "door/known_session.h"

#include "access/access.h"
#include "base/buf.h"
#include "core/err.h"
#include "door/door.h"
#include "door/reply.h"
#include "net/http.h"
#include "session/session.h"

#include <string.h>

static bool may_read(const struct session_record *r, const struct caller *who)
{
	return !r->caller[0] || who->is_admin ||
	       strcmp(r->caller, who->address) == 0;
}

struct session *known_session_open(const struct door_setup *setup,
    const char *id, size_t len, const struct caller *who, struct err *err)
{
	struct buf memory = {0};
	struct session_record record;
	enum session_status status;
	bool has_record;
	struct session *s = NULL;
	if (session_look(setup->sessions, id, len, &memory, &record, err) ==
	    0) {
		if (may_read(&record, who))
			s = session_open(setup->sessions, id, len,
			    record.caller, &status, &has_record, err);
		else
			(void)err_set(err, ERR_NOT_FOUND, NULL);
	}
	buf_fini(&memory);
	if (!s && (err->code == ERR_BAD_REQUEST || err->code == ERR_NO_SESSION))
		(void)err_set(err, ERR_NOT_FOUND, NULL);
	return s;
}

struct session *known_session_of(struct http_req *req,
    const struct door_setup *setup, const struct caller *who)
{
	struct buf id = {0};
	struct err err;
	reply_segment(req, &id);
	struct session *s =
	    known_session_open(setup, id.data, id.len, who, &err);
	buf_fini(&id);
	if (!s)
		reply_err(req, &err);
	return s;
}

int known_session_may_change(const struct session *s, const struct caller *who,
    const char *place, struct err *err)
{
	const struct session_guest guest = {
	    .caller = who->address, .place = place};
	if (who->is_admin || session_is_held(s, &guest))
		return 0;
	return err_set(err, ERR_FORBIDDEN,
	    "forbidden: nobody owns this session, and another client holds it");
}
