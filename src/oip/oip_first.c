/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_first.h"

#include "base/json_peek.h"
#include "core/conf.h"
#include "door/door.h"
#include "net/wire.h"
#include "oip/oip_conn.h"

#include <stdint.h>
#include <string.h>

struct oip_first oip_first_look(const char *text, size_t len)
{
	struct oip_first first = {.type = NULL};
	struct json_peek peek;
	struct json_peeked m;

	json_peek_begin(&peek, text, len);
	while (json_peek_next(&peek, &m)) {
		if (m.key.len == 4 && memcmp(m.key.text, "type", 4) == 0) {
			if (m.is_string && !m.is_cut)
				first.type = m.value.text;
			first.type_len = first.type ? m.value.len : 0;
			return first;
		}
		if (m.is_cut) {
			first.open = m.key.text;
			first.open_len = m.key.len;
		}
	}
	return first;
}

/* ---- size limits ---- */

static bool oip_first_is_one_of(
    const char *type, size_t n, const char *const *names)
{
	for (; *names; names++)
		if (n == strlen(*names) && memcmp(type, *names, n) == 0)
			return true;
	return false;
}

/* The largest size of a frame with this beginning. */
static size_t most_of(
    const struct oip_first *f, size_t greeting, bool may_input)
{
	static const char *const greetings[] = {
	    "CONNECT", "INIT", "ATTACH", NULL};
	static const char *const inputs[] = {"INPUT", NULL};
	static const char *const large[] = {"session", NULL};
	static const char *const uploads[] = {"files", "images", NULL};
	static const char *const texts[] = {"payload", "prompt", NULL};
	const char *type = f->type, *open = f->open;
	if ((type && oip_first_is_one_of(type, f->type_len, greetings)) ||
	    (open && oip_first_is_one_of(open, f->open_len, large)))
		return greeting;
	if (may_input &&
	    ((type && oip_first_is_one_of(type, f->type_len, inputs)) ||
		(open && oip_first_is_one_of(open, f->open_len, uploads))))
		return SIZE_MAX;
	if (open && oip_first_is_one_of(open, f->open_len, texts))
		return OIP_FIRST_BYTES;
	return WIRE_FIRST_BYTES;
}

static size_t greeting_max(const struct conf *conf)
{
	return OIP_FIRST_BYTES + (size_t)conf->max_session;
}

/* Base64 makes it larger. */
size_t oip_first_max(const struct conf *conf)
{
	return greeting_max(conf) / 3 * 4 + OIP_FIRST_BYTES;
}

size_t oip_first_may_grow(void *arg, const char *text, size_t len)
{
	const struct oip_conn *c = arg;
	const struct conf *conf = c->setup->conf;
	struct oip_first first = oip_first_look(text, len);
	/* The content of a seal is not visible. */
	if (c->seal)
		return oip_first_max(conf);
	return most_of(&first, greeting_max(conf), !c->has_spoken);
}
