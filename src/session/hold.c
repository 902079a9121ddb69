/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/hold.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/json.h"
#include "base/log.h"
#include "identity/digest.h"
#include "session/call.h"
#include "session/session_int.h"
#include "store/record.h"

#include <string.h>

/* What the record says. */
enum home { HOME_UNUSED, HOME_UNKNOWN, HOME_KNOWN };

void hold_digest(uint8_t home[16], const char *place)
{
	digest_of(home, place, strlen(place));
}

/*
 * Whether anything was said in the session yet and, if so, where its home is.
 */
static enum home read_home(
    const struct session *s, struct store_txn *facts, uint8_t home[16])
{
	struct store_key key = store_key1(s->number);
	struct store_span row;
	struct record r;
	if (!store_get(facts, TABLE_SESSIONS, key.bytes, 8, &row) ||
	    !record_decode(&r, row))
		return atomic_load(&session_entry(s)->turn) ? HOME_UNKNOWN
							    : HOME_UNUSED;
	if (!r.turn)
		return HOME_UNUSED;
	return call_home_of(&r, home) ? HOME_KNOWN : HOME_UNKNOWN;
}

void hold_settle(struct session_call *c, struct store_txn *facts)
{
	if (!session_is_nobodys(c->session))
		return;
	if (!c->is_holder &&
	    read_home(c->session, facts, c->home) == HOME_KNOWN) {
		c->has_home = true;
	} else if (c->has_place) {
		memcpy(c->home, c->place, sizeof c->home);
		c->has_home = true;
	}
}

const char *session_continuation(const struct session *s)
{
	static char word[33];
	const uint8_t *secret = s->all->setup.secret_key;
	struct buf text = {0};
	uint8_t code[16];
	if (!secret || !session_is_nobodys(s))
		return NULL;
	buf_printf(
	    &text, "continuation of %llu ", (unsigned long long)s->number);
	buf_str(&text, s->id);
	digest_keyed(code, secret, text.data, text.len);
	buf_fini(&text);
	enc_hex(word, code, sizeof code);
	return word;
}

static bool is_at_home(const struct session *s, const struct session_guest *who)
{
	struct store_txn facts;
	struct err err;
	uint8_t home[16], place[16];
	store_read(s->all->setup.store, &facts, STORE_FACTS);
	enum home is = read_home(s, &facts, home);
	if (store_read_end(&facts, &err) != 0) {
		log_error("%s", err.text);
		return false;
	}
	hold_digest(place, who->place);
	return is == HOME_UNUSED || (is == HOME_KNOWN && !who->caller[0] &&
					memcmp(home, place, sizeof home) == 0);
}

bool session_is_held(const struct session *s, const struct session_guest *who)
{
	if (!session_is_nobodys(s))
		return true;
	const char *word = session_continuation(s);
	const struct json *brought =
	    json_get(who->conversation, "continuation");
	return (word && brought && json_str_is(brought, word)) ||
	       is_at_home(s, who);
}
