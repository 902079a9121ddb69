/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "mcp/mcp_ask.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "mcp/mcp_content.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The longest question; what is longer is cut. */
#define QUESTION_BYTES ((size_t)16 << 10)

/* The longest answer that may be several choices. */
#define CHOICES_BYTES ((size_t)4 << 10)

#define DECLINE "Decline"
#define ACCEPT "Accept"

enum outcome { OPEN, ACCEPTED, DECLINED, CANCELLED };

struct mcp_ask {
	char *server;
	struct buf text; /* of params */
	struct json_doc doc;
	const struct json *params;
	const struct json *field; /* the one that is asked; NULL: the whole */
	struct buf content;	  /* members of the result so far */
	const char *complaint;	  /* about the last answer, or NULL */
	unsigned attempts;
	enum outcome outcome;
};

/* ---- the form ---- */

static const struct json *schema_of(const struct mcp_ask *a)
{
	return json_get(a->params, "requestedSchema");
}

static bool is_url(const struct mcp_ask *a)
{
	return json_str_is(json_get(a->params, "mode"), "url");
}

static bool is_required(const struct mcp_ask *a)
{
	const struct json *required = json_get(schema_of(a), "required");
	char *name = json_strdup(json_key(a->field));
	bool is = false;

	if (name && json_is(required, JSON_ARRAY))
		for (const struct json *r = json_first(required); r;
		     r = json_next(r))
			is |= json_str_is(r, name);
	free(name);
	return is;
}

static bool has_type(const struct json *schema, const char *type)
{
	return json_str_is(json_get(schema, "type"), type);
}

/* The choices of a field: an array of texts, or of {const, title}; or NULL. */
static const struct json *choices_of(const struct json *field)
{
	static const char *const keys[] = {"enum", "oneOf", "anyOf"};
	const struct json *at = field;

	if (has_type(field, "array"))
		at = json_get(field, "items");
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (json_is(json_get(at, keys[i]), JSON_ARRAY))
			return json_get(at, keys[i]);
	return NULL;
}

/* Older servers give the titles of an enum beside it. */
static const struct json *first_name(const struct json *field)
{
	return json_first(json_get(field, "enumNames"));
}

/* Returns the title of a choice; name is that of the same place, or NULL. */
static const struct json *title_of(
    const struct json *choice, const struct json *name)
{
	if (json_is(choice, JSON_OBJECT)) {
		const struct json *title = json_get(choice, "title");
		return title ? title : json_get(choice, "const");
	}
	return json_is(name, JSON_STRING) ? name : choice;
}

static const struct json *value_of(const struct json *choice)
{
	return json_is(choice, JSON_OBJECT) ? json_get(choice, "const")
					    : choice;
}

static bool has_few_choices(const struct json *properties)
{
	for (const struct json *p = json_first(properties); p; p = json_next(p))
		if (json_count(choices_of(p)) > MCP_ASK_CHOICES)
			return false;
	return true;
}

static bool is_askable(const struct mcp_ask *a)
{
	const struct json *properties = json_get(schema_of(a), "properties");

	if (is_url(a))
		return json_is(json_get(a->params, "url"), JSON_STRING);
	if (json_type(properties) != JSON_NULL &&
	    !json_is(properties, JSON_OBJECT))
		return false;
	return json_count(properties) <= MCP_ASK_FIELDS &&
	       has_few_choices(properties);
}

/* ---- a question ---- */

/* Append a text, or how a number or truth value is written. */
static void put_str(struct buf *out, const struct json *v)
{
	struct buf scratch = {0};
	size_t len = 0;
	const char *s = json_str(v, &scratch, &len);

	if (json_is(v, JSON_NUMBER) || json_is(v, JSON_BOOL))
		s = json_text(v, &len);
	buf_append(out, s, s ? len : 0);
	buf_fini(&scratch);
}

static void put_field(struct buf *out, const struct mcp_ask *a)
{
	const struct json *title = json_get(a->field, "title");
	const struct json *about = json_get(a->field, "description");
	bool is_free = !choices_of(a->field) && !has_type(a->field, "boolean");

	buf_str(out, "\n\n");
	put_str(out, json_is(title, JSON_STRING) ? title : json_key(a->field));
	if (json_is(about, JSON_STRING)) {
		buf_str(out, ": ");
		put_str(out, about);
	}
	if (is_free)
		buf_str(out, is_required(a) ? " (an empty answer declines)"
					    : " (may be left empty)");
}

static void put_text(struct buf *out, const struct mcp_ask *a)
{
	buf_str(out, a->server);
	buf_str(out, " asks: ");
	put_str(out, json_get(a->params, "message"));
	if (is_url(a)) {
		buf_str(out, "\n\nTo go on, open ");
		put_str(out, json_get(a->params, "url"));
	}
	if (a->field)
		put_field(out, a);
	if (a->complaint) {
		buf_str(out, "\n\nThe last answer did not fit: ");
		buf_str(out, a->complaint);
	}
}

static void put_choices(struct buf *out, const struct mcp_ask *a)
{
	const struct json *choices = choices_of(a->field);
	const struct json *name = first_name(a->field);

	for (const struct json *c = json_first(choices); c;
	     c = json_next(c), name = json_next(name)) {
		struct buf text = {0};
		put_str(&text, title_of(c, name));
		buf_json(out, text.data, text.len);
		buf_char(out, ',');
		buf_fini(&text);
	}
	buf_str(out, "\"" DECLINE "\"");
}

void mcp_ask_put_question(const struct mcp_ask *a, struct buf *out)
{
	struct buf text = {0};
	bool has_many = false;

	put_text(&text, a);
	(void)mcp_content_cut(&text, 0, QUESTION_BYTES);
	buf_str(out, "{\"question\":");
	buf_json(out, text.data, text.len);
	buf_str(out, ",\"options\":[");
	if (!a->field) {
		buf_str(out, "\"" ACCEPT "\",\"" DECLINE "\"");
	} else if (choices_of(a->field)) {
		put_choices(out, a);
		has_many = has_type(a->field, "array");
	} else if (has_type(a->field, "boolean")) {
		buf_str(out, "\"Yes\",\"No\",\"" DECLINE "\"");
	}
	buf_printf(out, "],\"multi_select\":%s}", has_many ? "true" : "false");
	buf_fini(&text);
}

/* ---- an answer ---- */

static void advance(struct mcp_ask *a)
{
	a->field = a->field ? json_next(a->field) : NULL;
	a->attempts = 0;
	a->complaint = NULL;
	if (!a->field)
		a->outcome = ACCEPTED;
}

static void put_member(struct mcp_ask *a, const char *json, size_t len)
{
	size_t key_len;
	const char *key = json_text(json_key(a->field), &key_len);

	if (a->content.len)
		buf_char(&a->content, ',');
	buf_append(&a->content, key, key_len);
	buf_char(&a->content, ':');
	buf_append(&a->content, json, len);
}

static bool is_text(const struct json *v, const char *s, size_t len)
{
	struct buf scratch = {0};
	size_t n;
	const char *text = json_str(v, &scratch, &n);
	bool is = text && n == len && memcmp(text, s, len) == 0;

	buf_fini(&scratch);
	return is;
}

/* Append the value of the choice with this title or value. */
static bool choose(
    const struct json *field, struct buf *out, const char *s, size_t len)
{
	const struct json *name = first_name(field);
	size_t n;

	for (const struct json *c = json_first(choices_of(field)); c;
	     c = json_next(c), name = json_next(name)) {
		const struct json *value = value_of(c);
		if (!value || (!is_text(title_of(c, name), s, len) &&
				  !is_text(value, s, len)))
			continue;
		const char *text = json_text(value, &n);
		buf_append(out, text, n);
		return true;
	}
	return false;
}

/*
 * Returns the length of v if a text begins with it, up to a comma or its end; 0
 * otherwise.
 */
static size_t begin_of(const struct json *v, const char *s, size_t len)
{
	struct buf scratch = {0};
	size_t n = 0;
	const char *text = json_str(v, &scratch, &n);
	bool is = text && n <= len && memcmp(text, s, n) == 0 &&
		  (n == len || s[n] == ',');

	buf_fini(&scratch);
	return is ? n : 0;
}

/*
 * Returns the length of the longest title or value of a choice that a text
 * begins with; 0: none. Titles may have commas.
 */
static size_t find_choice(const struct json *field, const char *s, size_t len)
{
	const struct json *name = first_name(field);
	size_t longest = 0;

	for (const struct json *c = json_first(choices_of(field)); c;
	     c = json_next(c), name = json_next(name)) {
		const struct json *value = value_of(c);
		size_t n = value ? begin_of(value, s, len) : 0;
		if (n > longest)
			longest = n;
		n = value ? begin_of(title_of(c, name), s, len) : 0;
		if (n > longest)
			longest = n;
	}
	return longest;
}

/* Several choices, joined by commas. */
static bool choose_all(
    const struct json *field, struct buf *out, const char *s, size_t len)
{
	while (len > 0) {
		size_t n = find_choice(field, s, len);
		if (!n)
			return false;
		if (out->len > 1)
			buf_char(out, ',');
		(void)choose(field, out, s, n);
		n += strspn(s + n, ", ");
		s += n;
		len -= n;
	}
	return true;
}

static const char *take_number(
    struct mcp_ask *a, const char *text, bool is_integer)
{
	char *end = NULL;
	struct json_doc doc = {0};
	struct json_error why;
	size_t len = strlen(text);
	const struct json *v = json_parse(&doc, text, len, 0, &why);
	double d = strtod(text, &end);
	bool is_good = json_is(v, JSON_NUMBER) && isfinite(d) &&
		       (!is_integer || floor(d) == d);

	if (is_good) {
		const char *number = json_text(v, &len);
		put_member(a, number, len);
	}
	json_fini(&doc);
	if (is_good)
		return NULL;
	return is_integer ? "it is not a whole number" : "it is not a number";
}

static const char *take_bool(struct mcp_ask *a, const char *text)
{
	bool is_yes =
	    strcasecmp(text, "yes") == 0 || strcasecmp(text, "true") == 0;

	if (!is_yes && strcasecmp(text, "no") != 0 &&
	    strcasecmp(text, "false") != 0)
		return "it is neither Yes nor No";
	put_member(a, is_yes ? "true" : "false", is_yes ? 4 : 5);
	return NULL;
}

static const char *take_choice(struct mcp_ask *a, const char *text)
{
	struct buf value = {0};
	bool has_many = has_type(a->field, "array");
	size_t len = strlen(text);

	if (has_many)
		buf_char(&value, '[');
	bool is_good = has_many ? len <= CHOICES_BYTES &&
				      choose_all(a->field, &value, text, len)
				: choose(a->field, &value, text, len);
	if (has_many)
		buf_char(&value, ']');
	if (is_good)
		put_member(a, value.data, value.len);
	buf_fini(&value);
	return is_good ? NULL : "it is none of the choices";
}

static const char *take_text(struct mcp_ask *a, const char *text)
{
	struct buf value = {0};

	buf_json_str(&value, text);
	put_member(a, value.data, value.len);
	buf_fini(&value);
	return NULL;
}

/* Returns what is wrong with it, or NULL. */
static const char *take_field(struct mcp_ask *a, const char *text)
{
	if (choices_of(a->field))
		return take_choice(a, text);
	if (has_type(a->field, "boolean"))
		return take_bool(a, text);
	if (has_type(a->field, "integer"))
		return take_number(a, text, true);
	if (has_type(a->field, "number"))
		return take_number(a, text, false);
	return take_text(a, text);
}

static void take(struct mcp_ask *a, const char *text)
{
	if (strcmp(text, DECLINE) == 0) {
		a->outcome = DECLINED;
	} else if (!a->field) {
		a->outcome =
		    strcasecmp(text, ACCEPT) == 0 ? ACCEPTED : DECLINED;
	} else if (!*text) {
		if (is_required(a))
			a->outcome = DECLINED;
		else
			advance(a);
	} else if (!(a->complaint = take_field(a, text))) {
		advance(a);
	} else if (++a->attempts == MCP_ASK_ATTEMPTS) {
		a->outcome = CANCELLED;
	}
}

/* The text of an answer; those of an array are joined. free() it. */
static char *text_of(const struct json *answer)
{
	struct buf text = {0};

	if (json_is(answer, JSON_ARRAY))
		for (const struct json *v = json_first(answer); v;
		     v = json_next(v)) {
			if (text.len)
				buf_str(&text, ", ");
			put_str(&text, v);
		}
	else
		put_str(&text, answer);
	(void)buf_cstr(&text);
	return buf_steal(&text, NULL);
}

void mcp_ask_answer(struct mcp_ask *a, const char *answer, size_t len)
{
	struct json_doc doc = {0};
	struct json_error why;

	if (a->outcome != OPEN)
		return;
	char *text = text_of(json_parse(&doc, answer, len, 0, &why));
	take(a, text);
	free(text);
	json_fini(&doc);
}

/* ---- life ---- */

bool mcp_ask_is_over(const struct mcp_ask *a)
{
	return a->outcome != OPEN;
}

void mcp_ask_put_result(const struct mcp_ask *a, struct buf *out)
{
	switch (a->outcome) {
	case ACCEPTED:
		buf_str(out, "{\"action\":\"accept\"");
		if (!is_url(a)) {
			buf_str(out, ",\"content\":{");
			buf_append(out, a->content.data, a->content.len);
			buf_char(out, '}');
		}
		buf_char(out, '}');
		return;
	case DECLINED:
		buf_str(out, "{\"action\":\"decline\"}");
		return;
	case OPEN:
	case CANCELLED:
		break;
	}
	buf_str(out, "{\"action\":\"cancel\"}");
}

struct mcp_ask *mcp_ask_new(const char *server, const struct json *params)
{
	struct mcp_ask *a = mem_zero(sizeof *a);
	struct json_error why;
	size_t len = 0;
	const char *text = params ? json_text(params, &len) : NULL;

	a->server = mem_strdup(server);
	buf_append(&a->text, text, len);
	a->params = json_parse(&a->doc, a->text.data, a->text.len, 0, &why);
	if (!is_askable(a))
		a->outcome = DECLINED;
	else if (!is_url(a))
		a->field = json_first(json_get(schema_of(a), "properties"));
	return a;
}

void mcp_ask_free(struct mcp_ask **ap)
{
	struct mcp_ask *a = *ap;

	*ap = NULL;
	if (!a)
		return;
	json_fini(&a->doc);
	buf_fini(&a->text);
	buf_fini(&a->content);
	free(a->server);
	free(a);
}
