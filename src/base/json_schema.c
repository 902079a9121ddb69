/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/json_schema.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How much of a value or list is shown in a fault. */
#define SHOWN 200

static const struct {
	const char *name;
	enum json_type type;
} types[] = {
    {"null", JSON_NULL},
    {"boolean", JSON_BOOL},
    {"number", JSON_NUMBER},
    {"integer", JSON_NUMBER},
    {"string", JSON_STRING},
    {"array", JSON_ARRAY},
    {"object", JSON_OBJECT},
};

#define N_TYPES (sizeof types / sizeof *types)

/* Where a value is, from the outside in, for faults. */
struct place {
	const struct place *outer; /* NULL: all arguments */
	const struct json *key;	   /* NULL: a member of an array */
	size_t index;
};

static void put_place(struct buf *out, const struct place *p)
{
	struct buf scratch = {0};
	size_t len;

	if (!p->outer)
		return;
	put_place(out, p->outer);
	if (p->key) {
		const char *name = json_str(p->key, &scratch, &len);

		if (p->outer->outer)
			buf_char(out, '.');
		buf_append(out, name, len < SHOWN ? len : SHOWN);
	} else {
		buf_printf(out, "[%zu]", p->index);
	}
	buf_fini(&scratch);
}

static bool __attribute__((format(printf, 3, 4)))
fault(struct buf *why, const struct place *p, const char *fmt, ...)
{
	va_list ap;

	if (p->outer) {
		buf_str(why, "argument '");
		put_place(why, p);
		buf_str(why, "' ");
	} else {
		buf_str(why, "the arguments ");
	}
	va_start(ap, fmt);
	buf_vprintf(why, fmt, ap);
	va_end(ap);
	return false;
}

/* ---- single keywords ---- */

/* 1.0 is an integer, too. */
static bool is_whole(const struct json *v)
{
	double d;

	return json_double(v, &d) && isfinite(d) && floor(d) == d;
}

static bool has_type(const struct json *v, const struct json *name)
{
	for (size_t i = 0; i < N_TYPES; i++)
		if (json_str_is(name, types[i].name))
			return json_is(v, types[i].type) &&
			       (strcmp(types[i].name, "integer") != 0 ||
				   is_whole(v));
	return false;
}

static bool fits_type(const struct json *type, const struct json *v)
{
	if (json_is(type, JSON_STRING))
		return has_type(v, type);
	for (const struct json *t = json_first(type); t; t = json_next(t))
		if (has_type(v, t))
			return true;
	return false;
}

/* Compares as JSON texts; numbers by value. */
static bool is_same(const struct json *a, const struct json *b)
{
	struct buf x = {0}, y = {0};
	double m, n;

	if (json_double(a, &m) && json_double(b, &n))
		return m >= n && m <= n;
	bool answer = json_type(a) == json_type(b) &&
		      json_canonical(&x, a, JSON_UTF8) &&
		      json_canonical(&y, b, JSON_UTF8) && x.len == y.len &&
		      memcmp(x.data, y.data, x.len) == 0;
	buf_fini(&x);
	buf_fini(&y);
	return answer;
}

static bool is_among(const struct json *list, const struct json *v)
{
	for (const struct json *m = json_first(list); m; m = json_next(m))
		if (is_same(m, v))
			return true;
	return false;
}

static bool fits_choice(const struct json *schema, const struct json *v,
    const struct place *p, struct buf *why)
{
	const struct json *type = json_get(schema, "type");
	const struct json *choice = json_get(schema, "enum");
	size_t len;

	if (type && !fits_type(type, v)) {
		const char *text = json_text(type, &len);
		return fault(why, p, "must be of type %.*s",
		    (int)(len < SHOWN ? len : SHOWN), text);
	}
	if (choice && !is_among(choice, v)) {
		const char *text = json_text(choice, &len);
		return fault(why, p, "must be one of %.*s",
		    (int)(len < SHOWN ? len : SHOWN), text);
	}
	return true;
}

/* Whether a number is within the bounds, which may be absent. */
static bool fits_bounds(const struct json *schema, const char *least_name,
    const char *most_name, double number, const char *noun,
    const struct place *p, struct buf *why)
{
	double least, most;

	if (json_double(json_get(schema, least_name), &least) && number < least)
		return fault(why, p, "must be at least %g%s", least, noun);
	if (json_double(json_get(schema, most_name), &most) && number > most)
		return fault(why, p, "must be at most %g%s", most, noun);
	return true;
}

static bool fits_size(const struct json *schema, const struct json *v,
    const struct place *p, struct buf *why)
{
	struct buf scratch = {0};
	const char *text;
	size_t len;
	double d;

	switch (json_type(v)) {
	case JSON_NUMBER:
		return !json_double(v, &d) ||
		       fits_bounds(schema, "minimum", "maximum", d, "", p, why);
	case JSON_STRING:
		text = json_str(v, &scratch, &len);
		d = (double)utf8_count(text, len);
		buf_fini(&scratch);
		return fits_bounds(schema, "minLength", "maxLength", d,
		    " characters long", p, why);
	case JSON_ARRAY:
		return fits_bounds(schema, "minItems", "maxItems",
		    (double)json_count(v), " items long", p, why);
	case JSON_NULL:
	case JSON_BOOL:
	case JSON_OBJECT:
		break;
	}
	return true;
}

/* ---- values in values ---- */

static bool fits(const struct json *schema, const struct json *v,
    const struct place *p, struct buf *why);

/* json_get() wants a C string; no schema has a name with a NUL. */
static const struct json *get(const struct json *object, const struct json *key)
{
	char *name = json_strdup(key);
	const struct json *v = name && json_is(object, JSON_OBJECT)
				   ? json_get(object, name)
				   : NULL;

	free(name);
	return v;
}

static bool has_required(const struct json *schema, const struct json *v,
    const struct place *p, struct buf *why)
{
	const struct json *required = json_get(schema, "required");

	for (const struct json *name = json_first(required); name;
	     name = json_next(name)) {
		struct place at = {p, name, 0};

		if (!get(v, name))
			return fault(why, &at, "is missing");
	}
	return true;
}

static bool fits_members(const struct json *schema, const struct json *v,
    const struct place *p, struct buf *why)
{
	const struct json *properties = json_get(schema, "properties");
	const struct json *required = json_get(schema, "required");
	bool may_have_more = true;

	(void)json_bool(
	    json_get(schema, "additionalProperties"), &may_have_more);
	if (!has_required(schema, v, p, why))
		return false;
	for (const struct json *m = json_first(v); m; m = json_next(m)) {
		struct place at = {p, json_key(m), 0};
		const struct json *own = get(properties, json_key(m));

		if (!own && !may_have_more)
			return fault(why, &at, "is unknown");
		bool is_left_open =
		    json_is(m, JSON_NULL) && !is_among(required, json_key(m));
		if (own && !is_left_open && !fits(own, m, &at, why))
			return false;
	}
	return true;
}

static bool fits_items(const struct json *schema, const struct json *v,
    const struct place *p, struct buf *why)
{
	const struct json *items = json_get(schema, "items");
	struct place at = {p, NULL, 0};

	if (!json_is(items, JSON_OBJECT))
		return true;
	for (const struct json *m = json_first(v); m; m = json_next(m)) {
		if (!fits(items, m, &at, why))
			return false;
		at.index++;
	}
	return true;
}

static bool fits(const struct json *schema, const struct json *v,
    const struct place *p, struct buf *why)
{
	if (!json_is(schema, JSON_OBJECT))
		return true;
	if (!fits_choice(schema, v, p, why) || !fits_size(schema, v, p, why))
		return false;
	if (json_is(v, JSON_OBJECT))
		return fits_members(schema, v, p, why);
	return !json_is(v, JSON_ARRAY) || fits_items(schema, v, p, why);
}

bool json_schema_fits(
    const struct json *schema, const struct json *value, struct buf *why)
{
	struct place all = {NULL, NULL, 0};

	return fits(schema, value, &all, why);
}

/* ---- schemas themselves ---- */

static bool is_type_name(const struct json *name)
{
	for (size_t i = 0; i < N_TYPES; i++)
		if (json_str_is(name, types[i].name))
			return true;
	return false;
}

static bool is_type(const struct json *type)
{
	bool is_known = json_count(type) > 0;

	if (!json_is(type, JSON_ARRAY))
		return is_type_name(type);
	for (const struct json *t = json_first(type); t; t = json_next(t))
		is_known = is_known && is_type_name(t);
	return is_known;
}

static bool is_list_of_names(const struct json *list)
{
	bool is_one = json_is(list, JSON_ARRAY);

	for (const struct json *m = json_first(list); m; m = json_next(m))
		is_one = is_one && json_is(m, JSON_STRING);
	return is_one;
}

static bool is_schema(
    const struct json *schema, const struct place *p, struct buf *why);

static bool are_schemas(
    const struct json *properties, const struct place *p, struct buf *why)
{
	for (const struct json *m = json_first(properties); m;
	     m = json_next(m)) {
		struct place at = {p, json_key(m), 0};

		if (!is_schema(m, &at, why))
			return false;
	}
	return true;
}

static bool is_schema(
    const struct json *schema, const struct place *p, struct buf *why)
{
	const struct json *type = json_get(schema, "type");
	const struct json *choice = json_get(schema, "enum");
	const struct json *required = json_get(schema, "required");
	const struct json *properties = json_get(schema, "properties");
	const struct json *items = json_get(schema, "items");

	if (!json_is(schema, JSON_OBJECT))
		return fault(why, p, "must have a mapping as schema");
	if (type && !is_type(type))
		return fault(why, p,
		    "must have as type null, boolean, number, integer, string, "
		    "array, object or a list of these");
	if (choice && !json_is(choice, JSON_ARRAY))
		return fault(why, p, "must have a list as enum");
	if (required && !is_list_of_names(required))
		return fault(why, p, "must have a list of names as required");
	if (properties && !json_is(properties, JSON_OBJECT))
		return fault(why, p, "must have a mapping as properties");
	if (!are_schemas(properties, p, why))
		return false;
	struct place at = {p, NULL, 0};
	return !items || is_schema(items, &at, why);
}

bool json_schema_is_valid(const struct json *schema, struct buf *why)
{
	struct place all = {NULL, NULL, 0};

	if (!is_schema(schema, &all, why))
		return false;
	return json_str_is(json_get(schema, "type"), "object") ||
	       fault(why, &all, "must be of type \"object\"");
}
