/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "relay/scan.h"

#include <string.h>

enum state {
	BEFORE,	     /* the opening brace */
	FIRST_KEY,   /* a key, or the end of the object */
	NEXT_KEY,    /* a key */
	COLON,	     /* after a key */
	VALUE,	     /* a value */
	FIRST_VALUE, /* a value, or the end of the array */
	AFTER_VALUE, /* a comma, or the end */
	STRING,	     /* in a string */
	ESCAPE,	     /* after a backslash */
	HEX,	     /* in the digits of an escape */
	NUMBER,	     /* in a number */
	WORD,	     /* in true, false, null, NaN, Infinity */
	DONE,	     /* after the closing brace */
	BROKEN,
};

/* Where we are in a number, and whether it may end there. */
enum number { SIGN, ZERO, INTEGER, POINT, FRACTION, EXPONENT, EXP_SIGN, POWER };

static const bool may_end[] = {
    [ZERO] = true, [INTEGER] = true, [FRACTION] = true, [POWER] = true};

static const char not_json[] = "it is not a JSON object";

static bool fail(struct scan *s, const char *why)
{
	s->state = BROKEN;
	s->why = why;
	return false;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

void scan_begin(struct scan *s)
{
	/* The texts are large, and each begins with what makes it empty. */
	for (int i = 0; i < SCAN_KEYS; i++)
		s->texts[i].is_there = false;
	s->n_cuts = s->n_members = 0;
	s->why = NULL;
	s->at = s->open = s->key_at = s->comma_at = 0;
	s->depth = 0;
	s->state = BEFORE;
	s->keeps = false;
	s->key = -1;
	s->which = 0;
}

/* ---- containers ---- */

static bool in_object(const struct scan *s)
{
	return s->is_object[s->depth / 64] >> (s->depth % 64) & 1;
}

static bool open_container(struct scan *s, bool is_object)
{
	if (s->depth == SCAN_DEPTH)
		return fail(s, "it is nested too deeply");
	s->depth++;
	uint64_t bit = (uint64_t)1 << (s->depth % 64);
	if (is_object)
		s->is_object[s->depth / 64] |= bit;
	else
		s->is_object[s->depth / 64] &= ~bit;
	s->state = is_object ? FIRST_KEY : FIRST_VALUE;
	return true;
}

/* ---- members of the top level ---- */

static void keep(struct scan *s)
{
	s->keeps = true;
	s->kept.len = 0;
	s->kept.is_long = false;
	s->high = 0;
}

static void keep_byte(struct scan *s, char c)
{
	if (s->kept.len < SCAN_TEXT)
		s->kept.text[s->kept.len++] = c;
	else
		s->kept.is_long = true;
}

static void know_key(struct scan *s)
{
	static const char *const names[] = {[SCAN_TYPE] = "type",
	    [SCAN_TO] = "to",
	    [SCAN_FROM] = "from",
	    [SCAN_SESSION_ID] = "session_id",
	    [SCAN_CONN_ID] = "conn_id"};
	static const char private[] = "_relay_";
	s->kept.text[s->kept.len] = '\0';
	s->key = -1;
	for (int i = 0; i < SCAN_KEYS; i++)
		if (strlen(names[i]) == s->kept.len &&
		    memcmp(names[i], s->kept.text, s->kept.len) == 0)
			s->key = i;
	s->which = s->key == SCAN_SESSION_ID ? SCAN_CUT_SESSION
		   : s->key == SCAN_CONN_ID  ? SCAN_CUT_CONN
		   : strncmp(s->kept.text, private, sizeof private - 1) == 0
		       ? SCAN_CUT_PRIVATE
		       : 0;
	if (s->key >= 0)
		s->texts[s->key].is_there = false;
}

/* The value of a member of the top level has ended before s->at. */
static bool end_member(struct scan *s)
{
	if (s->which) {
		if (s->n_cuts == SCAN_CUTS)
			return fail(s, "it repeats conn_id, session_id or "
				       "_relay_ members");
		s->members[s->n_cuts++] = (struct scan_member){
		    .which = s->which,
		    .index = s->n_members,
		    .comma = s->comma_at,
		    .begin = s->key_at,
		    .end = s->at,
		};
	}
	s->n_members++;
	s->key = -1;
	return true;
}

static bool end_value(struct scan *s)
{
	s->state = AFTER_VALUE;
	return s->depth != 1 || end_member(s);
}

/* ---- strings ---- */

static void begin_string(struct scan *s, bool is_key)
{
	s->is_key = is_key;
	s->state = STRING;
	s->keeps = false;
	if (s->depth != 1)
		return;
	if (is_key)
		s->key_at = s->at;
	if (is_key || s->key >= 0)
		keep(s);
}

static bool end_string(struct scan *s)
{
	if (s->is_key) {
		if (s->keeps)
			know_key(s);
		s->keeps = false;
		s->state = COLON;
		return true;
	}
	if (s->keeps && s->key >= 0) {
		struct scan_text *t = &s->texts[s->key];
		*t = s->kept;
		t->is_there = true;
		t->text[t->len] = '\0';
	}
	s->keeps = false;
	s->at++;
	bool ok = end_value(s);
	s->at--;
	return ok;
}

static void keep_code(struct scan *s, uint32_t c)
{
	if (c >= 0x10000) {
		keep_byte(s, (char)(0xf0 | c >> 18));
		keep_byte(s, (char)(0x80 | (c >> 12 & 0x3f)));
	} else if (c >= 0x800) {
		keep_byte(s, (char)(0xe0 | c >> 12));
	}
	if (c >= 0x800)
		keep_byte(s, (char)(0x80 | (c >> 6 & 0x3f)));
	else if (c >= 0x80)
		keep_byte(s, (char)(0xc0 | c >> 6));
	keep_byte(s, c < 0x80 ? (char)c : (char)(0x80 | (c & 0x3f)));
}

/* A surrogate without its other half is kept as it is. */
static void keep_unit(struct scan *s, uint32_t unit)
{
	bool is_low = unit >= 0xdc00 && unit < 0xe000;
	if (s->high && is_low) {
		s->kept.len -= s->kept.is_long ? 0 : 3;
		keep_code(
		    s, 0x10000 + ((s->high - 0xd800) << 10) + (unit - 0xdc00));
		s->high = 0;
		return;
	}
	s->high = unit >= 0xd800 && unit < 0xdc00 ? unit : 0;
	keep_code(s, unit);
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex(struct scan *s, char c)
{
	int v = hex_value(c);
	if (v < 0)
		return fail(s, not_json);
	s->code = s->code << 4 | (uint32_t)v;
	if (--s->hex_left)
		return true;
	if (s->keeps)
		keep_unit(s, s->code);
	s->state = STRING;
	return true;
}

static bool take_escape(struct scan *s, char c)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	if (c == 'u') {
		s->hex_left = 4;
		s->code = 0;
		s->state = HEX;
		return true;
	}
	const char *at = c ? strchr(from, c) : NULL;
	if (!at)
		return fail(s, not_json);
	if (s->keeps)
		keep_byte(s, to[at - from]);
	s->high = 0;
	s->state = STRING;
	return true;
}

static bool take_string(struct scan *s, char c)
{
	if (c == '"')
		return end_string(s);
	if (c == '\\') {
		s->state = ESCAPE;
		return true;
	}
	if ((unsigned char)c < 0x20)
		return fail(s, not_json);
	s->high = 0;
	if (s->keeps)
		keep_byte(s, c);
	return true;
}

/* ---- numbers and words ---- */

static bool begin_word(struct scan *s, const char *word)
{
	s->word = word;
	s->word_at = 1;
	s->state = WORD;
	return true;
}

static bool take_word(struct scan *s, char c)
{
	if (c != s->word[s->word_at])
		return fail(s, not_json);
	if (s->word[++s->word_at])
		return true;
	s->at++;
	bool ok = end_value(s);
	s->at--;
	return ok;
}

static bool begin_number(struct scan *s, char c)
{
	s->state = NUMBER;
	s->number = c == '-' ? SIGN : c == '0' ? ZERO : INTEGER;
	s->number_len = 1;
	return true;
}

/* Returns what the character makes of the number, or -1 if it is no part. */
static int next_of_number(enum number n, char c)
{
	bool is_power = c == 'e' || c == 'E';
	switch (n) {
	case SIGN:
		return c == '0' ? ZERO : is_digit(c) ? INTEGER : -1;
	case ZERO:
		return c == '.' ? POINT : is_power ? EXPONENT : -1;
	case INTEGER:
		return is_digit(c) ? INTEGER
		       : c == '.'  ? POINT
		       : is_power  ? EXPONENT
				   : -1;
	case POINT:
		return is_digit(c) ? FRACTION : -1;
	case FRACTION:
		return is_digit(c) ? FRACTION : is_power ? EXPONENT : -1;
	case EXPONENT:
		return is_digit(c)	      ? POWER
		       : c == '+' || c == '-' ? EXP_SIGN
					      : -1;
	case EXP_SIGN:
	case POWER:
		return is_digit(c) ? POWER : -1;
	}
	return -1;
}

static bool take(struct scan *s, char c);

static bool take_number(struct scan *s, char c)
{
	int next = next_of_number((enum number)s->number, c);
	if (next >= 0) {
		s->number = (uint8_t)next;
		return ++s->number_len <= SCAN_NUMBER ||
		       fail(s, "it has a number that is too long");
	}
	if (s->number == SIGN && c == 'I')
		return begin_word(s, "Infinity");
	if (!may_end[s->number])
		return fail(s, not_json);
	return end_value(s) && take(s, c);
}

/* ---- structure ---- */

static bool begin_value(struct scan *s, char c)
{
	static const char *const words[] = {
	    "true", "false", "null", "NaN", "Infinity"};
	if (c == '{' || c == '[')
		return open_container(s, c == '{');
	if (c == '"') {
		begin_string(s, false);
		return true;
	}
	if (c == '-' || is_digit(c))
		return begin_number(s, c);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (c == *words[i])
			return begin_word(s, words[i]);
	return fail(s, not_json);
}

static bool close_container(struct scan *s)
{
	s->depth--;
	if (!s->depth) {
		s->state = DONE;
		return true;
	}
	s->at++;
	bool ok = end_value(s);
	s->at--;
	return ok;
}

static void take_comma(struct scan *s)
{
	s->state = in_object(s) ? NEXT_KEY : VALUE;
	if (s->depth != 1)
		return;
	struct scan_member *last =
	    s->n_cuts ? &s->members[s->n_cuts - 1] : NULL;
	if (last && last->index + 1 == s->n_members)
		last->next = s->at + 1;
	s->comma_at = s->at;
}

static bool take_after_value(struct scan *s, char c)
{
	if (c == ',') {
		take_comma(s);
		return true;
	}
	if (c == (in_object(s) ? '}' : ']'))
		return close_container(s);
	return fail(s, not_json);
}

static bool take_between(struct scan *s, char c)
{
	switch ((enum state)s->state) {
	case BEFORE:
		if (c != '{')
			return fail(s, not_json);
		s->open = s->at + 1;
		return open_container(s, true);
	case FIRST_KEY:
	case NEXT_KEY:
		if (c == '}' && s->state == FIRST_KEY)
			return close_container(s);
		if (c != '"')
			return fail(s, not_json);
		begin_string(s, true);
		return true;
	case COLON:
		s->state = VALUE;
		return c == ':' || fail(s, not_json);
	case FIRST_VALUE:
		return c == ']' ? close_container(s) : begin_value(s, c);
	case VALUE:
		return begin_value(s, c);
	case AFTER_VALUE:
		return take_after_value(s, c);
	case STRING:
	case ESCAPE:
	case HEX:
	case NUMBER:
	case WORD:
	case DONE:
	case BROKEN:
		break;
	}
	return fail(s, not_json);
}

/* Take one character that is not in the middle of a long string. */
static bool take(struct scan *s, char c)
{
	switch ((enum state)s->state) {
	case STRING:
		return take_string(s, c);
	case ESCAPE:
		return take_escape(s, c);
	case HEX:
		return take_hex(s, c);
	case NUMBER:
		return take_number(s, c);
	case WORD:
		return take_word(s, c);
	case BROKEN:
		return false;
	case BEFORE:
	case FIRST_KEY:
	case NEXT_KEY:
	case COLON:
	case VALUE:
	case FIRST_VALUE:
	case AFTER_VALUE:
	case DONE:
		break;
	}
	return is_space(c) || take_between(s, c);
}

/* Returns how many bytes a string goes on for that nobody looks at. */
static size_t skip_plain(const char *p, size_t n)
{
	size_t i = 0;
	while (
	    i < n && p[i] != '"' && p[i] != '\\' && (unsigned char)p[i] >= 0x20)
		i++;
	return i;
}

bool scan_feed(struct scan *s, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++, s->at++) {
		if (s->state == STRING && !s->keeps) {
			size_t plain = skip_plain(p + i, n - i);
			i += plain;
			s->at += plain;
			if (i == n)
				return true;
		}
		if (!take(s, p[i]))
			return false;
	}
	return s->state != BROKEN;
}

bool scan_end(struct scan *s)
{
	return s->state == DONE || (!s->why && fail(s, not_json));
}

const char *scan_text(const struct scan *s, enum scan_key key)
{
	return s->texts[key].is_there ? s->texts[key].text : NULL;
}

/* ---- cutting ---- */

/* What to remove for a member: a comma goes with it, if it has one. */
struct cut {
	size_t from;
	size_t to;
};

static size_t find_cuts(const struct scan *s, unsigned which, struct cut *cuts)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_cuts; i++) {
		const struct scan_member *m = &s->members[i];
		if (!(m->which & which))
			continue;
		/* Without a member before it, the comma after it goes. */
		bool is_first = m->index == n;
		cuts[n++] = (struct cut){
		    is_first ? m->begin : m->comma,
		    is_first && m->next ? m->next : m->end,
		};
	}
	return n;
}

struct scan_rest scan_cut(
    const struct scan *s, unsigned which, char *text, size_t len)
{
	struct cut cuts[SCAN_CUTS];
	size_t n = find_cuts(s, which, cuts), near = 0;
	struct scan_rest rest = {s->open, len, s->n_members > n};
	/* Move the shorter side: what is near the beginning, to the right. */
	for (; near < n && cuts[near].from < len - cuts[near].to; near++) {
		size_t size = cuts[near].to - cuts[near].from;
		memmove(text + rest.from + size, text + rest.from,
		    cuts[near].from - rest.from);
		rest.from += size;
	}
	for (size_t i = n; i > near; i--) {
		memmove(text + cuts[i - 1].from, text + cuts[i - 1].to,
		    rest.end - cuts[i - 1].to);
		rest.end -= cuts[i - 1].to - cuts[i - 1].from;
	}
	return rest;
}
