/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "oip/oip_first.h"

#include "core/conf.h"
#include "door/door.h"
#include "net/wire.h"
#include "oip/oip_conn.h"

#include <stdint.h>
#include <string.h>

/* ---- parsing an incomplete frame ---- */

struct text {
	const char *at;
	const char *end;
};

static void skip_space(struct text *t)
{
	while (t->at < t->end && memchr(" \t\r\n", *t->at, 4))
		t->at++;
}

static bool oip_first_take(struct text *t, char c)
{
	skip_space(t);
	if (t->at == t->end || *t->at != c)
		return false;
	t->at++;
	return true;
}

/*
 * Take a string in its raw spelling. Returns NULL if there is none, or it is
 * incomplete.
 */
static const char *take_string(struct text *t, size_t *n)
{
	if (!oip_first_take(t, '"'))
		return NULL;
	const char *s = t->at;
	for (; t->at < t->end && *t->at != '"'; t->at++)
		t->at += *t->at == '\\' && t->at + 1 < t->end;
	if (t->at == t->end)
		return NULL;
	*n = (size_t)(t->at++ - s);
	return s;
}

/* Skip a value and the comma after it. */
static bool skip_value(struct text *t)
{
	size_t depth = 0, n;
	for (skip_space(t); t->at < t->end;) {
		char c = *t->at;
		if (c == ',' && !depth)
			return oip_first_take(t, ',');
		if (c == '"' && !take_string(t, &n))
			return false;
		if (c == '"')
			continue;
		depth += c == '{' || c == '[';
		if (c == '}' || c == ']') {
			if (!depth)
				return false;
			depth--;
		}
		t->at++;
	}
	return false;
}

struct oip_first oip_first_look(const char *text, size_t len)
{
	struct text t = {text, text + len};
	struct oip_first first = {.type = NULL};
	const char *key;
	size_t n;
	if (!oip_first_take(&t, '{'))
		return first;
	while ((key = take_string(&t, &n)) && oip_first_take(&t, ':')) {
		if (n == 4 && memcmp(key, "type", 4) == 0) {
			first.type = take_string(&t, &first.type_len);
			return first;
		}
		if (!skip_value(&t)) {
			first.open = key;
			first.open_len = n;
			return first;
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

size_t oip_first_may_grow(void *arg, const char *text, size_t len)
{
	const struct oip_conn *c = arg;
	size_t greeting = OIP_FIRST_BYTES + (size_t)c->setup->conf->max_session;
	struct oip_first first = oip_first_look(text, len);
	/* The content of a seal is not visible; base64 makes it larger. */
	if (c->seal)
		return greeting / 3 * 4 + OIP_FIRST_BYTES;
	return most_of(&first, greeting, !c->has_spoken);
}
