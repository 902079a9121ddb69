/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_state.h"

#include "base/buf.h"
#include "base/percent.h"
#include "core/session_id.h"
#include "net/http.h"
#include "openhands/oh_key.h"
#include "socketio/eio_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool get_param(struct buf *out, const char *query, const char *key)
{
	struct span value = eio_query_find(query, key);
	buf_reset(out);
	if (value.text)
		percent_bytes(out, value.text, value.len, true);
	return value.text;
}

/* What is no number is as if it were absent. */
static int64_t read_id(struct buf *value)
{
	char *end;
	const char *text = buf_cstr(value);
	errno = 0;
	long long id = strtoll(text, &end, 10);
	bool is_number = end != text && end == text + value->len && !errno;
	return is_number && id >= 0 ? id : -1;
}

static enum oh_dialect read_dialect(struct buf *text, const char *query)
{
	if (get_param(text, query, "co_dialect"))
		return strcmp(buf_cstr(text), "ui") == 0 ? OH_UI : OH_DOC;
	return get_param(text, query, "session_api_key") ? OH_UI : OH_DOC;
}

void oh_state_begin(void *state, const struct http_req *req)
{
	struct oh_state *s = state;
	const char *query = http_query(req);
	struct buf text = {0};
	s->dialect = (uint8_t)read_dialect(&text, query);
	s->has_key = oh_key_is_shown(req);
	oh_token_find(s->token, req);
	(void)get_param(&text, query, "conversation_id"); /* or it is empty */
	if (oh_conversation_is_valid(text.data, text.len))
		memcpy(s->conversation, text.data, text.len);
	else
		s->has_bad_id = text.len > 0;
	(void)get_param(&text, query, "latest_event_id"); /* the same */
	s->cursor.last_id = read_id(&text);
	s->cursor.newest.id = -1;
	buf_fini(&text);
}
