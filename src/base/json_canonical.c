/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/json_int.h"

#include "base/mem.h"
#include "base/num.h"
#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Objects with more members than this allocate memory to sort them. */
#define FEW_MEMBERS 64

/* The largest array index of JavaScript, and the value for "not an index". */
#define MOST_INDEX 4294967294u
#define NO_INDEX 4294967295u

/*
 * An internal flag beside those of a form: we are below the root, and only the
 * root is sorted.
 */
#define IS_BELOW 0x100u

/* Reads a string's text as UTF-16 units, as JavaScript compares them. */
struct units {
	const char *at;
	const char *end;
	uint32_t low; /* the second half of a pair, 0 when none is due */
};

/* ---- order of keys ---- */

static uint32_t read_unit(struct units *u)
{
	uint32_t c = u->low;

	if (c) {
		u->low = 0;
		return c;
	}
	c = json_char(&u->at, u->end);
	if (c < 0x10000)
		return c;
	u->low = 0xdc00 + ((c - 0x10000) & 0x3ff);
	return 0xd800 + ((c - 0x10000) >> 10);
}

/*
 * Order of two texts of which at least one has ended: the shorter comes first.
 */
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
		uint32_t c = json_char(&s, s_end);
		uint32_t d = json_char(&t, t_end);
		if (c != d)
			return c < d ? -1 : 1;
	}
	return compare_rest(s < s_end, t < t_end);
}

/*
 * Returns the number that a key spells the way JavaScript spells an array
 * index, or NO_INDEX.
 */
static uint32_t index_of(const struct json *key)
{
	const char *s = key->text, *end = s + key->len;
	uint64_t n = 0;

	for (bool is_first = true; s < end; is_first = false) {
		uint32_t c = json_char(&s, end);
		if (c < '0' || c > '9')
			return NO_INDEX;
		n = n * 10 + (c - '0');
		bool is_padded = is_first && c == '0' && s < end;
		if (is_padded || n > MOST_INDEX)
			return NO_INDEX;
	}
	return key->len ? (uint32_t)n : NO_INDEX;
}

/*
 * The order of keys in a JavaScript object into which they were put sorted:
 * array indexes come first.
 */
static int compare_script(const struct json *a, const struct json *b)
{
	uint32_t i = index_of(a), j = index_of(b);

	if (i != j)
		return i < j ? -1 : 1;
	/* ASCII bytes have the order of UTF-16 units. */
	unsigned flags = (unsigned)a->flags | b->flags;
	return flags & (HAS_ESCAPE | HAS_HIGH) ? compare_units(a, b)
					       : compare_bytes(a, b);
}

/* UTF-8 bytes have the order of characters. */
static int compare_keys(
    const struct json *a, const struct json *b, unsigned form)
{
	if (form & JSON_SCRIPT)
		return compare_script(a, b);
	if (((unsigned)a->flags | b->flags) & HAS_ESCAPE)
		return compare_chars(a, b);
	return compare_bytes(a, b);
}

/* For qsort_r(): by key; duplicate keys in the order of the text. */
static int compare_members(const void *a, const void *b, void *form)
{
	const struct json *x = *(const struct json *const *)a;
	const struct json *y = *(const struct json *const *)b;
	int order = compare_keys(x->key, y->key, *(const unsigned *)form);

	return order ? order : x->key->text < y->key->text ? -1 : 1;
}

/* Link the keys of n sorted members. */
static struct json *link_keys(struct json **members, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct json *key = members[i]->key;
		key->child = members[i];
		key->next = i + 1 < n ? members[i + 1]->key : NULL;
	}
	return members[0]->key;
}

static struct json *sort_keys(const struct json *object, unsigned form)
{
	struct json *few[FEW_MEMBERS];
	struct json **members = few;
	size_t n = 0;

	if (object->count > FEW_MEMBERS)
		members = mem_alloc(object->count * sizeof *members);
	for (struct json *m = object->child; m; m = m->next)
		members[n++] = m;
	qsort_r(members, n, sizeof *members, compare_members, &form);
	struct json *first = link_keys(members, n);
	if (members != few)
		free(members);
	return first;
}

/*
 * Returns the key of an object that sorts first; the others follow by next.
 * NULL if the object is empty. Sorts the keys unless they are in this order
 * already.
 */
static const struct json *sorted_keys(const struct json *object, unsigned form)
{
	struct json *head = object->child ? object->child->key : NULL;
	uint8_t order = form & JSON_SCRIPT ? IN_SCRIPT_ORDER : IN_ORDER;

	if (!head || head->flags & order)
		return head ? head->key : NULL;
	head->key = sort_keys(object, form);
	head->flags &= (uint8_t) ~(IN_ORDER | IN_SCRIPT_ORDER);
	head->flags |= order;
	return head->key;
}

/* ---- writing ---- */

static void put_unit(struct buf *out, uint32_t c)
{
	static const char digits[] = "0123456789abcdef";
	char text[6] = {'\\', 'u', digits[c >> 12 & 15], digits[c >> 8 & 15],
	    digits[c >> 4 & 15], digits[c & 15]};

	buf_append(out, text, sizeof text);
}

/*
 * Returns the letter that follows the backslash in the short escape of c, or 0.
 */
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
	} else if (c < 0x20 || json_is_high(c) || json_is_low(c)) {
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
		put_char(out, json_char(&s, end), is_ascii);
	buf_char(out, '"');
}

/* Whether a number is spelled as an integer, which Python reads at any size. */
static bool is_integer(const struct json *v)
{
	size_t i = *v->text == '-';

	while (i < v->len && v->text[i] >= '0' && v->text[i] <= '9')
		i++;
	return i == v->len;
}

/* Write a number as Python prints what it reads; false if that is infinite. */
static bool put_python(struct buf *out, const struct json *v)
{
	double d = 0;

	if (is_integer(v)) {
		bool is_minus_zero = v->len == 2 && !memcmp(v->text, "-0", 2);
		buf_append(
		    out, v->text + is_minus_zero, v->len - is_minus_zero);
		return true;
	}
	if (!json_double(v, &d) || isinf(d))
		return false;
	out->len += num_repr(buf_reserve(out, NUM_SIZE), d);
	return true;
}

static void put_between(struct buf *out, char c, unsigned form)
{
	buf_char(out, c);
	if (form & JSON_SPACED)
		buf_char(out, ' ');
}

static bool json_canonical_put(
    struct buf *out, const struct json *v, unsigned form);

static bool put_array(struct buf *out, const struct json *v, unsigned form)
{
	buf_char(out, '[');
	for (const struct json *m = v->child; m; m = m->next) {
		if (!json_canonical_put(out, m, form))
			return false;
		if (m->next)
			put_between(out, ',', form);
	}
	buf_char(out, ']');
	return true;
}

static bool json_canonical_put_member(
    struct buf *out, const struct json *m, unsigned form)
{
	put_string(out, m->key, form & JSON_ASCII);
	put_between(out, ':', form);
	return json_canonical_put(out, m, form);
}

/* Of duplicate keys only the last value counts, as in Python and JavaScript. */
static bool put_sorted(struct buf *out, const struct json *v, unsigned form)
{
	/* If only the root's keys are sorted, nothing below the root is. */
	unsigned below = form & JSON_TOP ? form | IS_BELOW : form;

	for (const struct json *k = sorted_keys(v, form); k; k = k->next) {
		if (k->next && !compare_keys(k, k->next, form))
			continue;
		if (!json_canonical_put_member(out, k->child, below))
			return false;
		if (k->next)
			put_between(out, ',', form);
	}
	return true;
}

static bool put_unsorted(struct buf *out, const struct json *v, unsigned form)
{
	for (const struct json *m = v->child; m; m = m->next) {
		if (!json_canonical_put_member(out, m, form))
			return false;
		if (m->next)
			put_between(out, ',', form);
	}
	return true;
}

static bool put_object(struct buf *out, const struct json *v, unsigned form)
{
	bool is_sorted = !(form & IS_BELOW);

	buf_char(out, '{');
	bool ok =
	    is_sorted ? put_sorted(out, v, form) : put_unsorted(out, v, form);
	buf_char(out, '}');
	return ok;
}

static bool json_canonical_put(
    struct buf *out, const struct json *v, unsigned form)
{
	switch (v->type) {
	case JSON_STRING:
		put_string(out, v, form & JSON_ASCII);
		return true;
	case JSON_ARRAY:
		return put_array(out, v, form);
	case JSON_OBJECT:
		return put_object(out, v, form);
	case JSON_NUMBER:
		if (form & JSON_PYTHON)
			return put_python(out, v);
		break;
	default:
		break;
	}
	buf_append(out, v->text, v->len);
	return true;
}

/* ---- what makes forms differ ---- */

static unsigned string_traits(const struct json *v)
{
	const char *s = v->text, *end = s + v->len;
	unsigned traits = 0;

	if (!(v->flags & (HAS_ESCAPE | HAS_HIGH | HAS_DELETE)))
		return 0;
	while (s < end) {
		uint32_t c = json_char(&s, end);
		/* A lone surrogate is an escape in all forms. */
		if (c >= 0x7f && !json_is_high(c) && !json_is_low(c))
			traits |= JSON_HAS_HIGH;
	}
	return traits;
}

/*
 * Only surrogates sort differently as UTF-16 than as characters. In UTF-8 text
 * they are escapes or four-byte sequences.
 */
static bool is_odd_key(const struct json *key)
{
	const char *s = key->text, *end = s + key->len;
	bool is_odd = false;

	if (index_of(key) != NO_INDEX)
		return true;
	if (!(key->flags & (HAS_ESCAPE | HAS_HIGH)))
		return false;
	while (s < end && !is_odd)
		is_odd = json_char(&s, end) >= 0x10000;
	return is_odd;
}

/* ---- for other files ---- */

/* Sorting keeps this n log n, and the canonical form needs it anyway. */
const struct json *json_doubled_key(const struct json *object)
{
	for (const struct json *k = sorted_keys(object, JSON_UTF8); k;
	     k = k->next) {
		if (k->next && !compare_keys(k, k->next, JSON_UTF8))
			return k->next;
	}
	return NULL;
}

unsigned json_traits(const struct json *v)
{
	unsigned traits = 0;

	if (json_is(v, JSON_STRING))
		return string_traits(v);
	if (json_is(v, JSON_NUMBER))
		return is_integer(v) && *v->text != '-' ? 0
							: JSON_HAS_ODD_NUMBER;
	for (const struct json *m = json_first(v); m; m = m->next) {
		traits |= json_traits(m);
		if (m->type == JSON_OBJECT && m->count > 1)
			traits |= JSON_HAS_NESTED;
		if (!m->key)
			continue;
		traits |= string_traits(m->key);
		if (is_odd_key(m->key))
			traits |= JSON_HAS_ODD_KEY;
	}
	return traits;
}

bool json_canonical(struct buf *out, const struct json *v, unsigned form)
{
	size_t begin = out->len;

	if (!v) {
		buf_str(out, "null");
		return true;
	}
	if (json_canonical_put(out, v, form))
		return true;
	out->len = begin;
	return false;
}
