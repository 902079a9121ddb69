/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/json_int.h"
#include "base/utf8.h"

#include <ctype.h>
#include <endian.h>
#include <string.h>

/* An array or object whose end has not been seen. */
struct open {
	struct json *value;
	struct json *last; /* its newest member */
};

struct parser {
	struct json_doc *doc;
	const char *begin;
	const char *at;
	const char *end;
	unsigned flags;
	size_t n_nodes;
	const char *why; /* NULL as long as there is no error */
	const char *where;
	size_t depth;
	struct open open[JSON_MAX_DEPTH];
};
/*
 * Record why and where the text is rejected. Returns NULL for the caller to
 * return.
 */
static struct json *json_fail(
    struct parser *p, const char *why, const char *where)
{
	p->why = why;
	p->where = where;
	return NULL;
}

static struct json *new_node(struct parser *p, enum json_type type)
{
	if (p->n_nodes++ >= JSON_MAX_VALUES)
		return json_fail(p, "Too many values", p->at);
	struct json *v = json_doc_node(p->doc);
	*v = (struct json){.text = p->at, .type = (uint8_t)type};
	return v;
}

/* Returns the next byte, or -1 at the end. */
static int peek(const struct parser *p)
{
	return p->at < p->end ? (unsigned char)*p->at : -1;
}

static void skip_space(struct parser *p)
{
	while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' ||
				     *p->at == '\r' || *p->at == '\t'))
		p->at++;
}

/*
 * Returns how many of the 8 bytes at s, counted from the first, are ASCII and
 * neither quote, backslash, control character nor DEL. Each line sets the top
 * bit of the bytes it looks for. A borrow may set more of them, but only above
 * the first match, and only the first one matters.
 */
static size_t plain_bytes(const char *s)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t v;

	memcpy(&v, s, sizeof v);
	v = le64toh(v);
	uint64_t quote = v ^ ones * '"';
	uint64_t slash = v ^ ones * '\\';
	uint64_t delete = v ^ ones * 0x7f;
	uint64_t odd = v;
	odd |= (v - ones * 0x20) & ~v;
	odd |= (quote - ones) & ~quote;
	odd |= (slash - ones) & ~slash;
	odd |= (delete - ones) & ~delete;
	odd &= ones * 0x80;
	return odd ? (size_t)__builtin_ctzll(odd) / 8 : 8;
}

static const char *skip_plain(const char *s, const char *end)
{
	while (end - s >= 8) {
		size_t n = plain_bytes(s);
		s += n;
		if (n < 8)
			break;
	}
	return s;
}

/*
 * Returns the length of the \u escape at s, or 0. Like CPython, this requires
 * one more character after it.
 */
static size_t unicode_escape(struct parser *p, const char *s)
{
	bool valid = p->end - s > 6;

	for (int i = 2; valid && i < 6; i++)
		valid = isxdigit((unsigned char)s[i]);
	if (valid)
		return 6;
	json_fail(p, "Invalid \\uXXXX escape", s + 1);
	return 0;
}

/* Returns the length of the escape at s in the string opened at quote, or 0. */
static size_t escape(struct parser *p, const char *s, const char *quote)
{
	if (p->end - s < 2) {
		json_fail(p, "Unterminated string starting at", quote);
		return 0;
	}
	switch (s[1]) {
	case 'u':
		return unicode_escape(p, s);
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't':
		return 2;
	default:
		json_fail(p, "Invalid \\escape", s);
		return 0;
	}
}

/*
 * Returns the length of the character at s in the string v opened at quote, or
 * 0.
 */
static size_t character(
    struct parser *p, struct json *v, const char *s, const char *quote)
{
	unsigned char c = (unsigned char)*s;

	if (c == '\\') {
		v->flags |= HAS_ESCAPE;
		return escape(p, s, quote);
	}
	if (c < 0x20) {
		json_fail(p, "Invalid control character at", s);
		return 0;
	}
	if (c < 0x80) {
		if (c == 0x7f)
			v->flags |= HAS_DELETE;
		return 1;
	}
	v->flags |= HAS_HIGH;
	size_t n = utf8_len(s, (size_t)(p->end - s));
	if (!n)
		json_fail(p, "Invalid UTF-8", s);
	return n;
}

static struct json *scan_string(struct parser *p)
{
	struct json *v = new_node(p, JSON_STRING);
	const char *quote = p->at;
	const char *s = quote + 1;
	if (!v)
		return NULL;

	for (;;) {
		s = skip_plain(s, p->end);
		if (s >= p->end)
			return json_fail(
			    p, "Unterminated string starting at", quote);
		if (*s == '"')
			break;
		size_t n = character(p, v, s, quote);
		if (!n)
			return NULL;
		s += n;
	}
	v->text = quote + 1;
	v->len = (size_t)(s - v->text);
	p->at = s + 1;
	return v;
}

static const char *skip_digits(const char *s, const char *end)
{
	while (s < end && *s >= '0' && *s <= '9')
		s++;
	return s;
}

/* Returns the end of the exponent at s, or s itself if it has no digits. */
static const char *skip_exponent(const char *s, const char *end)
{
	const char *digits = s + 1;

	if (s >= end || (*s | 0x20) != 'e')
		return s;
	if (digits < end && (*digits == '+' || *digits == '-'))
		digits++;
	const char *after = skip_digits(digits, end);
	return after > digits ? after : s;
}

/*
 * Like CPython, stop before anything that does not belong to the number: "1."
 * is a 1 followed by extra data.
 */
static struct json *scan_number(struct parser *p)
{
	const char *digits = p->at + (*p->at == '-');
	const char *s = skip_digits(digits, p->end);

	if (s == digits)
		return json_fail(p, "Expecting value", p->at);
	if (*digits == '0')
		s = digits + 1;
	if (p->end - s >= 2 && *s == '.' && s[1] >= '0' && s[1] <= '9')
		s = skip_digits(s + 1, p->end);
	s = skip_exponent(s, p->end);
	if (s - p->at > JSON_MAX_NUMBER)
		return json_fail(p, "Number too long", p->at);
	struct json *v = new_node(p, JSON_NUMBER);
	if (!v)
		return NULL;
	v->len = (size_t)(s - p->at);
	p->at = s;
	return v;
}

static struct json *scan_word(
    struct parser *p, const char *word, size_t len, enum json_type type)
{
	if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len) != 0)
		return json_fail(p, "Expecting value", p->at);
	struct json *v = new_node(p, type);
	if (!v)
		return NULL;
	v->len = len;
	p->at += len;
	return v;
}

/* Returns the position after the closing quote of the string opened at s. */
static const char *pass_string(const char *s, const char *end)
{
	for (s++; s < end; s++) {
		s = skip_plain(s, end);
		if (s < end && *s == '"')
			return s + 1;
		if (s < end && *s == '\\')
			s++;
	}
	return end;
}

/* Skip a whole array or object. */
static struct json *pass_over(struct parser *p, enum json_type type)
{
	struct json *v = new_node(p, type);
	const char *s = p->at;
	size_t depth = 0;
	if (!v)
		return NULL;

	do {
		if (*s == '"') {
			s = pass_string(s, p->end);
			continue;
		}
		depth += *s == '{' || *s == '[';
		depth -= *s == '}' || *s == ']';
		s++;
	} while (depth && s < p->end);
	if (depth)
		return json_fail(p, "Expecting ',' delimiter", p->end);
	v->len = (size_t)(s - p->at);
	p->at = s;
	return v;
}

/* Begin an array or object; step() reads its members one by one. */
static struct json *scan_open(struct parser *p, enum json_type type)
{
	if (p->depth && (p->flags & JSON_SHALLOW))
		return pass_over(p, type);
	if (p->depth == JSON_MAX_DEPTH)
		return json_fail(p, "Nesting too deep", p->at);
	struct json *v = new_node(p, type);
	if (!v)
		return NULL;
	p->open[p->depth++] = (struct open){.value = v};
	p->at++;
	return v;
}

static struct json *scan_value(struct parser *p)
{
	skip_space(p);
	switch (peek(p)) {
	case '"':
		return scan_string(p);
	case '{':
		return scan_open(p, JSON_OBJECT);
	case '[':
		return scan_open(p, JSON_ARRAY);
	case 't':
		return scan_word(p, "true", 4, JSON_BOOL);
	case 'f':
		return scan_word(p, "false", 5, JSON_BOOL);
	case 'n':
		return scan_word(p, "null", 4, JSON_NULL);
	case -1:
		return json_fail(p, "Expecting value", p->at);
	default:
		return scan_number(p);
	}
}

/* Read a member's key and the colon after it. */
static struct json *scan_key(struct parser *p)
{
	skip_space(p);
	if (peek(p) != '"')
		return json_fail(p,
		    "Expecting property name enclosed in double quotes", p->at);
	struct json *key = scan_string(p);
	if (!key)
		return NULL;
	skip_space(p);
	if (peek(p) != ':')
		return json_fail(p, "Expecting ':' delimiter", p->at);
	p->at++;
	return key;
}

static bool scan_member(struct parser *p, struct open *o)
{
	struct json *key = NULL;

	if (o->value->type == JSON_OBJECT) {
		key = scan_key(p);
		if (!key)
			return false;
	}
	struct json *v = scan_value(p);
	if (!v)
		return false;
	v->key = key;
	if (o->last)
		o->last->next = v;
	else
		o->value->child = v;
	o->last = v;
	o->value->count++;
	return true;
}

/* Close the innermost array or object. */
static bool close_value(struct parser *p)
{
	struct json *v = p->open[--p->depth].value;

	p->at++;
	v->len = (size_t)(p->at - v->text);
	if (v->type != JSON_OBJECT || !(p->flags & JSON_UNIQUE_KEYS))
		return true;
	const struct json *key = json_doubled_key(v);
	if (key)
		json_fail(p, "Duplicate key", key->text - 1);
	return !key;
}

/* Read the next member of the innermost array or object, or its end. */
static bool json_step(struct parser *p)
{
	struct open *o = &p->open[p->depth - 1];

	skip_space(p);
	if (peek(p) == (o->value->type == JSON_OBJECT ? '}' : ']'))
		return close_value(p);
	if (!o->last)
		return scan_member(p, o);
	if (peek(p) != ',') {
		json_fail(p, "Expecting ',' delimiter", p->at);
		return false;
	}
	p->at++;
	return scan_member(p, o);
}

static const struct json *parse_text(struct parser *p)
{
	size_t len = (size_t)(p->end - p->begin);

	if (len >= 3 && !memcmp(p->begin, "\xef\xbb\xbf", 3))
		return json_fail(p,
		    "Unexpected UTF-8 BOM (decode using utf-8-sig)", p->begin);
	const struct json *root = scan_value(p);
	if (!root)
		return NULL;
	while (p->depth) {
		if (!json_step(p))
			return NULL;
	}
	skip_space(p);
	if (p->at < p->end)
		return json_fail(p, "Extra data", p->at);
	return root;
}

/* Line, column and position count characters, as CPython does. */
static void locate(const struct parser *p, struct json_error *error)
{
	*error = (struct json_error){.message = p->why, .line = 1, .col = 1};
	for (const char *s = p->begin; s < p->where; s++) {
		if (((unsigned char)*s & 0xc0) == 0x80)
			continue;
		error->pos++;
		error->col++;
		if (*s == '\n') {
			error->line++;
			error->col = 1;
		}
	}
}

const struct json *json_parse(struct json_doc *doc, const char *text,
    size_t len, unsigned flags, struct json_error *error)
{
	struct parser p; /* not cleared: its stack of open values is large */

	p.doc = doc;
	p.begin = p.at = text;
	p.end = text + len;
	p.flags = flags;
	p.n_nodes = 0;
	p.depth = 0;
	p.why = p.where = NULL;
	json_doc_forget(doc);
	doc->root = parse_text(&p);
	if (!doc->root)
		locate(&p, error);
	return doc->root;
}
