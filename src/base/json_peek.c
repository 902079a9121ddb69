/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/json_peek.h"

static bool is_space(char c)
{
	return memchr(" \t\r\n", c, 4) != NULL;
}

static void skip_space(struct json_peek *p)
{
	while (p->at < p->end && is_space(*p->at))
		p->at++;
}

static bool take(struct json_peek *p, char c)
{
	skip_space(p);
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

/* Take a string; false if there is none, or it is incomplete. */
static bool take_string(struct json_peek *p, struct span *s)
{
	if (!take(p, '"'))
		return false;
	s->text = p->at;
	for (; p->at < p->end && *p->at != '"'; p->at++)
		p->at += *p->at == '\\' && p->at + 1 < p->end;
	s->len = (size_t)(p->at - s->text);
	if (p->at == p->end)
		return false;
	p->at++;
	return true;
}

/* Go to the end of a value that is no string; false if it has not come. */
static bool skip_value(struct json_peek *p)
{
	struct span s;
	size_t depth = 0;

	while (p->at < p->end) {
		char c = *p->at;
		if (c == '"') {
			if (!take_string(p, &s))
				return false;
			continue;
		}
		if (!depth && memchr(",}]", c, 3))
			return true;
		depth += c == '{' || c == '[';
		depth -= c == '}' || c == ']';
		p->at++;
	}
	return false;
}

static void take_value(struct json_peek *p, struct json_peeked *m)
{
	skip_space(p);
	m->value = (struct span){p->at, 0};
	m->is_string = p->at < p->end && *p->at == '"';
	if (m->is_string) {
		m->is_cut = !take_string(p, &m->value);
		return;
	}
	m->is_cut = !skip_value(p);
	m->value.len = (size_t)(p->at - m->value.text);
	while (m->value.len && is_space(m->value.text[m->value.len - 1]))
		m->value.len--;
}

void json_peek_begin(struct json_peek *p, const char *text, size_t len)
{
	*p = (struct json_peek){.at = text, .end = text + len};
}

bool json_peek_next(struct json_peek *p, struct json_peeked *m)
{
	if (!take(p, p->is_inside ? ',' : '{'))
		return false;
	p->is_inside = true;
	if (!take_string(p, &m->key) || !take(p, ':'))
		return false;
	take_value(p, m);
	return true;
}
