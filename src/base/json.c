/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/json.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

/* Nodes in the first block, and most in any: then it fits in 64 KiB. */
#define FIRST_NODES 32
#define MOST_NODES 1344

/* Objects with more members than this borrow memory to sort them. */
#define FEW_MEMBERS 64

/* What the text of a string holds beside plain ASCII. */
#define HAS_ESCAPE 1u
#define HAS_HIGH 2u   /* a byte above 0x7f */
#define HAS_DELETE 4u /* 0x7f, which Python escapes */

struct json {
	const char *text;	/* a string's without the quotes */
	struct json *next;	/* the next member of the same parent */
	struct json *child;	/* the first member */
	const struct json *key; /* of an object's member */
	size_t len;
	uint32_t count;
	uint8_t type;
	uint8_t flags;
};

/* Blocks only grow, so the newest is also the largest. */
struct json_block {
	struct json_block *older;
	size_t used;
	size_t size;
	struct json nodes[];
};

_Static_assert(
    sizeof(struct json_block) + MOST_NODES * sizeof(struct json) <= 65536,
    "the block that a document keeps is small");

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
	const char *why; /* NULL while all is well */
	const char *where;
	size_t depth;
	struct open open[JSON_MAX_DEPTH];
};

/* Reads a string's text as UTF-16 units, as JavaScript compares them. */
struct units {
	const char *at;
	const char *end;
	uint32_t low; /* the second half of a pair, 0 when none is due */
};

static void add_block(struct json_doc *doc)
{
	struct json_block *newest = doc->blocks;
	size_t size = newest ? newest->size * 2 : FIRST_NODES;

	if (size > MOST_NODES)
		size = MOST_NODES;
	struct json_block *b =
	    mem_alloc(sizeof(*b) + size * sizeof(struct json));
	b->older = newest;
	b->used = 0;
	b->size = size;
	doc->blocks = b;
}

static void free_blocks(struct json_block *b)
{
	while (b) {
		struct json_block *older = b->older;
		free(b);
		b = older;
	}
}

/* Keep the newest block alone: most texts of a peer are of one size. */
static void forget(struct json_doc *doc)
{
	doc->root = NULL;
	if (!doc->blocks)
		return;
	free_blocks(doc->blocks->older);
	doc->blocks->older = NULL;
	doc->blocks->used = 0;
}

/* Record why and where the text is refused; NULL, for the caller to return. */
static struct json *fail(struct parser *p, const char *why, const char *where)
{
	p->why = why;
	p->where = where;
	return NULL;
}

static struct json *new_node(struct parser *p, enum json_type type)
{
	struct json_doc *doc = p->doc;

	if (p->n_nodes++ >= JSON_MAX_VALUES)
		return fail(p, "Too many values", p->at);
	if (!doc->blocks || doc->blocks->used == doc->blocks->size)
		add_block(doc);
	struct json *v = &doc->blocks->nodes[doc->blocks->used++];
	*v = (struct json){.text = p->at, .type = (uint8_t)type};
	return v;
}

/* The next byte, or -1 at the end. */
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

/* The value of a hex digit, or -1. */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * How many of the 8 bytes at s, from the first, are ASCII and neither quote,
 * backslash, control character nor DEL. Each line sets the top bit of a byte it
 * looks for; a borrow may set more of them, but only above the first, which
 * alone counts.
 */
static size_t plain_bytes(const char *s)
{
	const uint64_t ones = 0x0101010101010101u;
	uint64_t v;

	memcpy(&v, s, sizeof(v));
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
 * The length of the \u escape at s, or 0. CPython wants one character after it.
 */
static size_t unicode_escape(struct parser *p, const char *s)
{
	bool valid = p->end - s > 6;

	for (int i = 2; valid && i < 6; i++)
		valid = hex_value(s[i]) >= 0;
	if (valid)
		return 6;
	fail(p, "Invalid \\uXXXX escape", s + 1);
	return 0;
}

/* The length of the escape at s in the string opened at quote, or 0. */
static size_t escape(struct parser *p, const char *s, const char *quote)
{
	if (p->end - s < 2) {
		fail(p, "Unterminated string starting at", quote);
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
		fail(p, "Invalid \\escape", s);
		return 0;
	}
}

/* The length of the character at s in the string v opened at quote, or 0. */
static size_t character(
    struct parser *p, struct json *v, const char *s, const char *quote)
{
	unsigned char c = (unsigned char)*s;

	if (c == '\\') {
		v->flags |= HAS_ESCAPE;
		return escape(p, s, quote);
	}
	if (c < 0x20) {
		fail(p, "Invalid control character at", s);
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
		fail(p, "Invalid UTF-8", s);
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
			return fail(
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

/* After an exponent at s, or s itself when it has no digits. */
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

/* As CPython, stop before what does not belong: "1." is a 1 and extra data. */
static struct json *scan_number(struct parser *p)
{
	const char *digits = p->at + (*p->at == '-');
	const char *s = skip_digits(digits, p->end);

	if (s == digits)
		return fail(p, "Expecting value", p->at);
	if (*digits == '0')
		s = digits + 1;
	if (p->end - s >= 2 && *s == '.' && s[1] >= '0' && s[1] <= '9')
		s = skip_digits(s + 1, p->end);
	s = skip_exponent(s, p->end);
	if (s - p->at > JSON_MAX_NUMBER)
		return fail(p, "Number too long", p->at);
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
		return fail(p, "Expecting value", p->at);
	struct json *v = new_node(p, type);
	if (!v)
		return NULL;
	v->len = len;
	p->at += len;
	return v;
}

/* Begin an array or object; its members are read one by one by step(). */
/* After the closing quote of a string whose opening one is at s. */
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

/* An array or object as a whole. */
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
		return fail(p, "Expecting ',' delimiter", p->end);
	v->len = (size_t)(s - p->at);
	p->at = s;
	return v;
}

static struct json *scan_open(struct parser *p, enum json_type type)
{
	if (p->depth && (p->flags & JSON_SHALLOW))
		return pass_over(p, type);
	if (p->depth == JSON_MAX_DEPTH)
		return fail(p, "Nesting too deep", p->at);
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
		return fail(p, "Expecting value", p->at);
	default:
		return scan_number(p);
	}
}

/* A member's key and the colon after it. */
static struct json *scan_key(struct parser *p)
{
	skip_space(p);
	if (peek(p) != '"')
		return fail(p,
		    "Expecting property name enclosed in double quotes", p->at);
	struct json *key = scan_string(p);
	if (!key)
		return NULL;
	skip_space(p);
	if (peek(p) != ':')
		return fail(p, "Expecting ':' delimiter", p->at);
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

static uint32_t hex4(const char *s)
{
	uint32_t c = 0;

	for (int i = 0; i < 4; i++)
		c = c << 4 | (uint32_t)hex_value(s[i]);
	return c;
}

static bool is_high(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdbff;
}

static bool is_low(uint32_t c)
{
	return c >= 0xdc00 && c <= 0xdfff;
}

/*
 * The character of the \u escape at *at, or of two that are a surrogate pair.
 */
static uint32_t read_unicode(const char **at, const char *end)
{
	uint32_t c = hex4(*at + 2);

	*at += 6;
	if (!is_high(c) || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
		return c;
	uint32_t low = hex4(*at + 2);
	if (!is_low(low))
		return c;
	*at += 6;
	return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

/* The next character of a string's text; lone surrogates stay what they are. */
static uint32_t read_char(const char **at, const char *end)
{
	const char *s = *at;

	if (*s != '\\') {
		size_t len = utf8_len(s, (size_t)(end - s));
		*at += len;
		return utf8_get(s, len);
	}
	if (s[1] == 'u')
		return read_unicode(at, end);
	*at += 2;
	switch (s[1]) {
	case 'b':
		return '\b';
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	default:
		return (unsigned char)s[1];
	}
}

static uint32_t read_unit(struct units *u)
{
	uint32_t c = u->low;

	if (c) {
		u->low = 0;
		return c;
	}
	c = read_char(&u->at, u->end);
	if (c < 0x10000)
		return c;
	u->low = 0xdc00 + ((c - 0x10000) & 0x3ff);
	return 0xd800 + ((c - 0x10000) >> 10);
}

/* Order of two ends: the text that has nothing left comes first. */
static int compare_rest(bool a_has_more, bool b_has_more)
{
	return (int)a_has_more - (int)b_has_more;
}

static int compare_bytes(const struct json *a, const struct json *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int order = memcmp(a->text, b->text, n);

	return order ? order : compare_rest(a->len > n, b->len > n);
}

static int compare_units(const struct json *a, const struct json *b)
{
	struct units u = {.at = a->text, .end = a->text + a->len};
	struct units w = {.at = b->text, .end = b->text + b->len};

	while ((u.low || u.at < u.end) && (w.low || w.at < w.end)) {
		uint32_t c = read_unit(&u);
		uint32_t d = read_unit(&w);
		if (c != d)
			return c < d ? -1 : 1;
	}
	return compare_rest(u.low || u.at < u.end, w.low || w.at < w.end);
}

static int compare_chars(const struct json *a, const struct json *b)
{
	const char *s = a->text, *s_end = s + a->len;
	const char *t = b->text, *t_end = t + b->len;

	while (s < s_end && t < t_end) {
		uint32_t c = read_char(&s, s_end);
		uint32_t d = read_char(&t, t_end);
		if (c != d)
			return c < d ? -1 : 1;
	}
	return compare_rest(s < s_end, t < t_end);
}

/*
 * UTF-8 bytes order as characters do, and ASCII bytes also as UTF-16 units do.
 */
static int compare_keys(
    const struct json *a, const struct json *b, enum json_form form)
{
	unsigned flags = (unsigned)a->flags | b->flags;

	if (!(flags & (HAS_ESCAPE | HAS_HIGH)))
		return compare_bytes(a, b);
	if (form == JSON_UTF16)
		return compare_units(a, b);
	return flags & HAS_ESCAPE ? compare_chars(a, b) : compare_bytes(a, b);
}

/* For qsort_r(): by key; doubled keys in the order of the text. */
static int compare_members(const void *a, const void *b, void *form)
{
	const struct json *x = *(const struct json *const *)a;
	const struct json *y = *(const struct json *const *)b;
	int order = compare_keys(x->key, y->key, *(const enum json_form *)form);

	return order ? order : x->key->text < y->key->text ? -1 : 1;
}

/*
 * The members of an object, sorted by key: in few when they fit, else in memory
 * that give_back() frees.
 */
static const struct json **sort_members(const struct json *object,
    const struct json *few[FEW_MEMBERS], enum json_form form)
{
	size_t n = 0;
	const struct json **members = few;

	if (object->count > FEW_MEMBERS)
		members = mem_alloc(object->count * sizeof(*members));
	for (const struct json *m = object->child; m; m = m->next)
		members[n++] = m;
	qsort_r(members, n, sizeof(*members), compare_members, &form);
	return members;
}

static void give_back(const struct json **members, const struct json **few)
{
	if (members != few)
		free(members);
}

/* The key that doubles an earlier one, or NULL. Sorting keeps this n log n. */
static const struct json *doubled_key(const struct json *object)
{
	const struct json *few[FEW_MEMBERS];
	const struct json *found = NULL;
	if (object->count < 2)
		return NULL;

	const struct json **members = sort_members(object, few, JSON_UTF8);
	for (uint32_t i = 1; i < object->count && !found; i++) {
		const struct json *key = members[i]->key;
		if (!compare_keys(members[i - 1]->key, key, JSON_UTF8))
			found = key;
	}
	give_back(members, few);
	return found;
}

/* The innermost array or object ends here. */
static bool close_value(struct parser *p)
{
	struct json *v = p->open[--p->depth].value;

	p->at++;
	v->len = (size_t)(p->at - v->text);
	if (v->type != JSON_OBJECT || !(p->flags & JSON_UNIQUE_KEYS))
		return true;
	const struct json *key = doubled_key(v);
	if (key)
		fail(p, "Duplicate key", key->text - 1);
	return !key;
}

/* Read the next member of the innermost array or object, or its end. */
static bool step(struct parser *p)
{
	struct open *o = &p->open[p->depth - 1];

	skip_space(p);
	if (peek(p) == (o->value->type == JSON_OBJECT ? '}' : ']'))
		return close_value(p);
	if (!o->last)
		return scan_member(p, o);
	if (peek(p) != ',') {
		fail(p, "Expecting ',' delimiter", p->at);
		return false;
	}
	p->at++;
	return scan_member(p, o);
}

static const struct json *parse_text(struct parser *p)
{
	size_t len = (size_t)(p->end - p->begin);

	if (len >= 3 && !memcmp(p->begin, "\xef\xbb\xbf", 3))
		return fail(p, "Unexpected UTF-8 BOM (decode using utf-8-sig)",
		    p->begin);
	const struct json *root = scan_value(p);
	if (!root)
		return NULL;
	while (p->depth) {
		if (!step(p))
			return NULL;
	}
	skip_space(p);
	if (p->at < p->end)
		return fail(p, "Extra data", p->at);
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

/* The un-escaped bytes, for a string known to have escapes. */
static void append_unescaped(struct buf *out, const struct json *v)
{
	const char *s = v->text, *end = s + v->len;
	/* Never more bytes than the escaped text has: \uXXXX is 3 at most. */
	char *to = buf_reserve(out, v->len);

	while (s < end) {
		uint32_t c = read_char(&s, end);
		if (is_high(c) || is_low(c))
			c = 0xfffd;
		size_t n = utf8_put(to, c);
		to += n;
		out->len += n;
	}
}

static void put_unit(struct buf *out, uint32_t c)
{
	static const char digits[] = "0123456789abcdef";
	char text[6] = {'\\', 'u', digits[c >> 12 & 15], digits[c >> 8 & 15],
	    digits[c >> 4 & 15], digits[c & 15]};

	buf_append(out, text, sizeof(text));
}

/* The letter that follows the backslash in the short escape of c, or 0. */
static char short_escape(uint32_t c)
{
	switch (c) {
	case '"':
	case '\\':
		return (char)c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static void put_char(struct buf *out, uint32_t c, bool is_ascii)
{
	char letter = short_escape(c);

	if (letter) {
		buf_char(out, '\\');
		buf_char(out, letter);
	} else if (c < 0x20 || is_high(c) || is_low(c)) {
		put_unit(out, c);
	} else if (c < 0x7f || !is_ascii) {
		out->len += utf8_put(buf_reserve(out, 4), c);
	} else if (c < 0x10000) {
		put_unit(out, c);
	} else {
		put_unit(out, 0xd800 + ((c - 0x10000) >> 10));
		put_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
	}
}

static void put_string(struct buf *out, const struct json *v, bool is_ascii)
{
	unsigned odd =
	    is_ascii ? HAS_ESCAPE | HAS_HIGH | HAS_DELETE : HAS_ESCAPE;
	const char *s = v->text, *end = s + v->len;

	buf_char(out, '"');
	if (!(v->flags & odd)) {
		buf_append(out, s, v->len);
		s = end;
	}
	while (s < end)
		put_char(out, read_char(&s, end), is_ascii);
	buf_char(out, '"');
}

static void put_array(
    struct buf *out, const struct json *v, enum json_form form)
{
	buf_char(out, '[');
	for (const struct json *m = v->child; m; m = m->next) {
		json_canonical(out, m, form);
		if (m->next)
			buf_char(out, ',');
	}
	buf_char(out, ']');
}

/* Of a doubled key only the last value counts, as in Python and JavaScript. */
static void put_object(
    struct buf *out, const struct json *v, enum json_form form)
{
	const struct json *few[FEW_MEMBERS];
	const struct json **members = sort_members(v, few, form);

	buf_char(out, '{');
	for (uint32_t i = 0; i < v->count; i++) {
		const struct json *m = members[i];
		if (i + 1 < v->count &&
		    !compare_keys(m->key, members[i + 1]->key, form))
			continue;
		put_string(out, m->key, form == JSON_ASCII);
		buf_char(out, ':');
		json_canonical(out, m, form);
		if (i + 1 < v->count)
			buf_char(out, ',');
	}
	buf_char(out, '}');
	give_back(members, few);
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
	forget(doc);
	doc->root = parse_text(&p);
	if (!doc->root)
		locate(&p, error);
	return doc->root;
}

void json_fini(struct json_doc *doc)
{
	free_blocks(doc->blocks);
	*doc = (struct json_doc){0};
}

enum json_type json_type(const struct json *v)
{
	return v ? (enum json_type)v->type : JSON_NULL;
}

bool json_is(const struct json *v, enum json_type type)
{
	return v && v->type == type;
}

const char *json_text(const struct json *v, size_t *len)
{
	*len = 0;
	if (!v)
		return "";
	*len = v->len;
	if (v->type != JSON_STRING)
		return v->text;
	*len += 2;
	return v->text - 1;
}

size_t json_count(const struct json *v)
{
	return v ? v->count : 0;
}

/* Whether a string is this text; most keys and words have no escape. */
static bool is_text(const struct json *v, const char *s, size_t len)
{
	if (v->len < len)
		return false;
	if (!(v->flags & HAS_ESCAPE))
		return v->len == len && !memcmp(v->text, s, len);

	struct buf plain = {0};
	append_unescaped(&plain, v);
	bool same = plain.len == len && !memcmp(plain.data, s, len);
	buf_fini(&plain);
	return same;
}

const struct json *json_get(const struct json *object, const char *key)
{
	const struct json *found = NULL;
	if (!json_is(object, JSON_OBJECT))
		return NULL;

	size_t len = strlen(key);
	for (const struct json *m = object->child; m; m = m->next) {
		if (is_text(m->key, key, len))
			found = m;
	}
	return found;
}

const struct json *json_first(const struct json *v)
{
	return v ? v->child : NULL;
}

const struct json *json_next(const struct json *v)
{
	return v ? v->next : NULL;
}

const struct json *json_key(const struct json *member)
{
	return member ? member->key : NULL;
}

bool json_str_is(const struct json *v, const char *s)
{
	return json_is(v, JSON_STRING) && is_text(v, s, strlen(s));
}

const char *json_str(const struct json *v, struct buf *scratch, size_t *len)
{
	*len = 0;
	if (!json_is(v, JSON_STRING))
		return NULL;
	if (!(v->flags & HAS_ESCAPE)) {
		*len = v->len;
		return v->text;
	}
	size_t from = scratch->len;
	append_unescaped(scratch, v);
	*len = scratch->len - from;
	return scratch->data + from;
}

char *json_strdup(const struct json *v)
{
	struct buf plain = {0};
	size_t len;
	const char *s = json_str(v, &plain, &len);
	char *copy = NULL;

	if (s && !memchr(s, '\0', len))
		copy = mem_strndup(s, len);
	buf_fini(&plain);
	return copy;
}

bool json_int(const struct json *v, int64_t *out)
{
	if (!json_is(v, JSON_NUMBER))
		return false;

	const char *s = v->text, *end = s + v->len;
	bool is_negative = *s == '-';
	uint64_t n = 0;
	uint64_t most = (uint64_t)INT64_MAX + is_negative;
	for (s += is_negative; s < end; s++) {
		if (*s < '0' || *s > '9')
			return false;
		unsigned digit = (unsigned)(*s - '0');
		if (n > (most - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = (int64_t)(is_negative ? 0 - n : n);
	return true;
}

/* The daemon never calls setlocale(), so strtod() reads a point. */
bool json_double(const struct json *v, double *out)
{
	char copy[JSON_MAX_NUMBER + 1];
	if (!json_is(v, JSON_NUMBER))
		return false;

	memcpy(copy, v->text, v->len);
	copy[v->len] = '\0';
	*out = strtod(copy, NULL);
	return true;
}

bool json_bool(const struct json *v, bool *out)
{
	if (!json_is(v, JSON_BOOL))
		return false;
	*out = *v->text == 't';
	return true;
}

void json_canonical(struct buf *out, const struct json *v, enum json_form form)
{
	if (json_is(v, JSON_STRING))
		put_string(out, v, form == JSON_ASCII);
	else if (json_is(v, JSON_ARRAY))
		put_array(out, v, form);
	else if (json_is(v, JSON_OBJECT))
		put_object(out, v, form);
	else if (v)
		buf_append(out, v->text, v->len);
	else
		buf_str(out, "null");
}
