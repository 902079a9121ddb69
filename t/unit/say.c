/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */

/* What a client says, as the server checks it. */
#include "connect/say.h"

#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "core/err.h"
#include "identity/address.h"
#include "identity/ident_key.h"
#include "identity/signed.h"
#include "t/unit/tap.h"

#define NOW 1702234567

static char host[ADDRESS_SIZE], client[ADDRESS_SIZE];
static const uint8_t *host_key, *client_key;
static struct json_doc doc;
static struct buf text;

static const struct json *parse(void)
{
	struct json_error why;
	const struct json *v =
	    json_parse(&doc, text.data, text.len, JSON_UNIQUE_KEYS, &why);

	ok(json_is(v, JSON_OBJECT), "a frame is one JSON object");
	return v;
}

/* All that a server checks of a signed frame, but for its single use. */
static bool is_good(const struct json *frame)
{
	struct signed_head h;
	struct err err;
	size_t len = 0;

	if (signed_from(&h, json_get(frame, "payload"), json_get(frame, "from"),
		json_get(frame, "signature"), &err) != 0 ||
	    signed_read(&h, &err) != 0 || signed_fresh(&h, NOW, &err) != 0 ||
	    signed_recipient(&h, host, true, &err) != 0)
		return false;
	const char *payload = json_text(h.payload, &len);
	return strcmp(h.from, client) == 0 &&
	       signed_verify(h.key, h.signature, payload, len);
}

static const struct say *who(bool has_key, bool is_relayed)
{
	static struct say s;

	s = (struct say){
	    .from = has_key ? client : "",
	    .secret_key = has_key ? client_key : NULL,
	    .to = host,
	    .is_relayed = is_relayed,
	    .now_s = NOW,
	};
	return &s;
}

static void connects(void)
{
	const struct say_connect nothing = {.session = NULL};
	const struct say_connect all = {
	    "s1", "e1-2", true, "{\"messages\":[],\"n\":1.50}"};
	int64_t number = 0;

	buf_reset(&text);
	say_connect(&text, who(true, false), &nothing);
	const struct json *v = parse();
	ok(is_good(v), "a CONNECT is signed");
	ok(json_int(
	       json_get(json_get(v, "payload"), "signed_commands"), &number) &&
		number == 1,
	    "a CONNECT promises to sign commands");
	ok(!json_get(v, "to"), "a direct CONNECT names nobody at the top");
	ok(!json_get(v, "session_id") && !json_get(v, "last_msg_id") &&
		!json_get(v, "session") && !json_get(v, "awaits_end"),
	    "the first CONNECT knows of no session");

	buf_reset(&text);
	say_connect(&text, who(true, true), &all);
	v = parse();
	ok(is_good(v), "a relayed CONNECT is signed");
	ok(json_str_is(json_get(v, "to"), host),
	    "a relayed CONNECT names the agent at the top");
	ok(json_str_is(json_get(v, "session_id"), "s1") &&
		json_str_is(json_get(v, "last_msg_id"), "e1-2"),
	    "a CONNECT names the session and the last event");
	bool awaits_end = false;
	ok(json_bool(json_get(v, "awaits_end"), &awaits_end) && awaits_end,
	    "a CONNECT says that it waits for the end of a turn");
	size_t len = 0;
	const char *session = json_text(json_get(v, "session"), &len);
	is_mem(session, len, all.session, strlen(all.session),
	    "a CONNECT has the session as it came");

	buf_reset(&text);
	say_connect(&text, who(false, true), &nothing);
	v = parse();
	ok(!json_get(v, "payload") && !json_get(v, "from") &&
		!json_get(v, "signature"),
	    "a CONNECT without a key is not signed");
}

static void commands(void)
{
	buf_reset(&text);
	say_command(&text, who(true, false), "INPUT",
	    ",\"prompt\":\"h\\u00e9 \\ud83d\\ude00 é\",\"n\":1e2");
	const struct json *v = parse();
	const struct json *payload = json_get(v, "payload");
	ok(is_good(v), "a command is signed");
	ok(json_str_is(json_get(v, "type"), "INPUT") &&
		json_str_is(json_get(payload, "type"), "INPUT"),
	    "a command has its type twice");
	ok(json_str_is(json_get(payload, "prompt"), "hé 😀 é"),
	    "a command has its members");
	ok(json_is(json_get(payload, "nonce"), JSON_STRING),
	    "a command has a nonce");
	ok(!json_get(v, "prompt"), "a command has its members once");

	buf_reset(&text);
	say_command(&text, who(false, false), "INTERRUPT", "");
	v = parse();
	ok(json_str_is(json_get(v, "to"), host) && !json_get(v, "payload"),
	    "a command without a key is not signed");
	buf_reset(&text);
	say_command(&text, who(false, true), "INTERRUPT", "");
	(void)parse();

	buf_reset(&text);
	say_invite_code(&text, who(true, false), "A\"B");
	v = parse();
	ok(json_str_is(json_get(json_get(v, "payload"), "invite_code"), "A\"B"),
	    "an invite code is sent");
}

int main(void)
{
	host_key = ident_key_make(NULL, host);
	client_key = ident_key_make(NULL, client);
	connects();
	commands();
	ident_key_close(&host_key);
	ident_key_close(&client_key);
	buf_fini(&text);
	json_fini(&doc);
	return done();
}
