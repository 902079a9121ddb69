/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "openhands/oh_conversation.h"

#include "base/buf.h"
#include "base/enc.h"
#include "core/err.h"
#include "session/session.h"

#include <string.h>

/* The digits of a UUID. */
#define DIGITS 32

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Whether it is a UUID with dashes, in lower case. */
static bool is_dashed(const char *id, size_t len)
{
	if (len != ENC_UUID_SIZE - 1)
		return false;
	for (size_t i = 0; i < len; i++)
		if (enc_uuid_has_dash(i) ? id[i] != '-' : !is_hex(id[i]))
			return false;
	return true;
}

static bool is_digits(const struct buf *id)
{
	for (size_t i = 0; i < id->len; i++)
		if (!is_hex(id->data[i]))
			return false;
	return id->len == DIGITS;
}

bool oh_conversation_is_valid(const char *id, size_t len)
{
	return len && len <= OH_CONVERSATION_MAX &&
	       session_id_is_valid(id, len) && !memchr(id, '/', len) &&
	       !memchr(id, '\\', len) && !memmem(id, len, "..", 2);
}

void oh_conversation_put(struct buf *out, const char *session_id)
{
	size_t len = strlen(session_id);
	bool is_uuid = is_dashed(session_id, len);
	for (size_t i = 0; i < len; i++)
		if (!is_uuid || !enc_uuid_has_dash(i))
			buf_char(out, session_id[i]);
}

void oh_conversation_new(struct buf *out)
{
	char uuid[ENC_UUID_SIZE];
	enc_uuid(uuid);
	oh_conversation_put(out, uuid);
}

static bool is_stored(struct sessions *all, const struct buf *id)
{
	struct session_record record;
	struct buf memory = {0};
	struct err err;
	bool is_it =
	    session_look(all, id->data, id->len, &memory, &record, &err) == 0;
	buf_fini(&memory);
	return is_it;
}

void oh_conversation_find(struct sessions *all, struct buf *id)
{
	struct buf dashed = {0};
	if (!is_digits(id) || is_stored(all, id))
		return;
	for (size_t i = 0; i < id->len; i++) {
		if (enc_uuid_has_dash(dashed.len))
			buf_char(&dashed, '-');
		buf_char(&dashed, id->data[i]);
	}
	if (is_stored(all, &dashed)) {
		buf_reset(id);
		buf_append(id, dashed.data, dashed.len);
	}
	buf_fini(&dashed);
}
