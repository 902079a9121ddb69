/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "connect/say.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/log.h"
#include "identity/ident_key.h"

#include <string.h>

/* Append payload, from and signature, each with a comma before it. */
static void put_signed(
    struct buf *out, const struct say *s, const struct buf *payload)
{
	struct json_doc doc = {0};
	struct json_error why;
	struct buf bytes = {0};
	char text[IDENT_KEY_SIGNATURE_SIZE];
	const struct json *v =
	    json_parse(&doc, payload->data, payload->len, 0, &why);

	/* Callers' JSON was parsed when it came. */
	if (!v || !json_canonical(&bytes, v, JSON_ASCII | JSON_PYTHON))
		panic("connect: wrote a payload that cannot be signed");
	ident_key_sign(text, s->secret_key, bytes.data, bytes.len);
	buf_str(out, ",\"payload\":");
	buf_append(out, bytes.data, bytes.len);
	buf_printf(out, ",\"from\":\"%s\",\"signature\":\"%s\"", s->from, text);
	buf_fini(&bytes);
	json_fini(&doc);
}

static void begin(struct buf *out, const struct say *s, const char *type)
{
	buf_printf(out, "{\"type\":\"%s\"", type);
	if (s->is_relayed)
		buf_printf(out, ",\"to\":\"%s\"", s->to);
}

static void put_text(struct buf *out, const char *key, const char *text)
{
	if (!text || !*text)
		return;
	buf_printf(out, ",\"%s\":", key);
	buf_json_str(out, text);
}

/*
 * What each signed text has beside its own members. Without the nonce, hosts
 * would take the second of two CONNECTs within a second for a replay.
 */
static void put_envelope(struct buf *out, const struct say *s)
{
	char nonce[ENC_UUID_SIZE];

	enc_uuid(nonce);
	buf_printf(out, ",\"timestamp\":%lld,\"nonce\":\"%s\"",
	    (long long)s->now_s, nonce);
}

void say_connect(
    struct buf *out, const struct say *s, const struct say_connect *connect)
{
	struct buf payload = {0};

	begin(out, s, "CONNECT");
	buf_printf(out, ",\"timestamp\":%lld", (long long)s->now_s);
	if (s->secret_key) {
		buf_printf(
		    &payload, "{\"to\":\"%s\",\"signed_commands\":1", s->to);
		put_envelope(&payload, s);
		buf_char(&payload, '}');
		put_signed(out, s, &payload);
		buf_fini(&payload);
	}
	put_text(out, "session_id", connect->session_id);
	put_text(out, "last_msg_id", connect->last_event_id);
	if (connect->awaits_end)
		buf_str(out, ",\"awaits_end\":true");
	if (connect->session && *connect->session) {
		buf_str(out, ",\"session\":");
		buf_str(out, connect->session);
	}
	buf_char(out, '}');
}

void say_command(
    struct buf *out, const struct say *s, const char *type, const char *members)
{
	struct buf payload = {0};

	begin(out, s, type);
	if (s->secret_key) {
		buf_printf(
		    &payload, "{\"type\":\"%s\",\"to\":\"%s\"", type, s->to);
		put_envelope(&payload, s);
		buf_str(&payload, members);
		buf_char(&payload, '}');
		put_signed(out, s, &payload);
		buf_fini(&payload);
	} else {
		if (!s->is_relayed)
			put_text(out, "to", s->to);
		put_envelope(out, s);
		buf_str(out, members);
	}
	buf_char(out, '}');
}

void say_invite_code(struct buf *out, const struct say *s, const char *code)
{
	struct buf payload = {0};

	buf_printf(&payload, "{\"timestamp\":%lld", (long long)s->now_s);
	put_text(&payload, "invite_code", code);
	buf_char(&payload, '}');
	begin(out, s, "ONBOARD_SUBMIT");
	if (s->secret_key) {
		put_signed(out, s, &payload);
	} else {
		buf_str(out, ",\"payload\":");
		buf_append(out, payload.data, payload.len);
	}
	buf_char(out, '}');
	buf_fini(&payload);
}
