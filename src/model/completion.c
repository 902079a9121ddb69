/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "model/completion.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* The longest detail in an error. */
#define DETAIL_BYTES 500

static bool is_within(struct completion *r, size_t len)
{
	r->n_bytes += len;
	if (r->n_bytes <= COMPLETION_MAX_BYTES)
		return true;
	completion_fail(
	    r, false, "the model's answer is longer than 8 MiB", "", 0);
	return false;
}

/* Append the text of a string; anything else has none. */
static void add_string(
    struct completion *r, struct buf *to, const struct json *piece)
{
	struct buf scratch = {0};
	size_t len;
	const char *s = json_str(piece, &scratch, &len);

	if (s && is_within(r, len))
		buf_append(to, s, len);
	buf_fini(&scratch);
}

/* Append the JSON text of a value. */
static void add_source(
    struct completion *r, struct buf *to, const struct json *v)
{
	size_t len;
	const char *text = json_text(v, &len);

	if (is_within(r, len))
		buf_append(to, text, len);
}

void completion_add_text(struct completion *r, const struct json *piece)
{
	add_string(r, &r->text, piece);
}

void completion_add_thinking(struct completion *r, const struct json *piece)
{
	add_string(r, &r->thinking, piece);
}

struct completion_call *completion_call(struct completion *r, int64_t key)
{
	for (size_t i = r->n_calls; i-- > 0;)
		if (r->calls[i].key == key)
			return &r->calls[i];
	if (r->n_calls == COMPLETION_MAX_CALLS) {
		completion_fail(r, false,
		    "the model called more than 64 tools at once", "", 0);
		return NULL;
	}
	struct completion_call *c = &r->calls[r->n_calls++];
	*c = (struct completion_call){.key = key};
	return c;
}

static void set_once(char **to, const struct json *v)
{
	if (!*to && !json_str_is(v, ""))
		*to = json_strdup(v);
}

void completion_call_name(
    struct completion_call *c, const struct json *id, const struct json *name)
{
	set_once(&c->id, id);
	set_once(&c->name, name);
}

void completion_call_extra(
    struct completion *r, struct completion_call *c, const struct json *object)
{
	if (!c->extra.len && json_is(object, JSON_OBJECT))
		add_source(r, &c->extra, object);
}

void completion_add_args(
    struct completion *r, struct completion_call *c, const struct json *args)
{
	if (json_is(args, JSON_OBJECT))
		add_source(r, &c->args, args);
	else
		add_string(r, &c->args, args);
}

bool completion_count(int64_t *out, const struct json *v)
{
	int64_t n;

	if (!json_int(v, &n))
		return false;
	*out = n < 0			   ? 0
	       : n > COMPLETION_MAX_TOKENS ? COMPLETION_MAX_TOKENS
					   : n;
	return true;
}

/* Whether another call has the id of this one. */
static bool is_repeated(const struct completion *r, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (r->calls[j].id &&
		    strcmp(r->calls[j].id, r->calls[i].id) == 0)
			return true;
	return false;
}

static void give_id(struct completion *r, struct completion_call *c)
{
	struct buf id = {0};

	free(c->id);
	buf_printf(&id, "call_%u", ++r->n_generated);
	c->id = buf_steal(&id, NULL);
}

void completion_finish(struct completion *r, enum completion_status status)
{
	if (r->status == COMPLETION_FAILED)
		return;
	for (size_t i = 0; i < r->n_calls; i++) {
		struct completion_call *c = &r->calls[i];
		while (!c->id || is_repeated(r, i))
			give_id(r, c);
		if (!c->name)
			c->name = mem_strdup("");
	}
	r->status = status;
}

/* Peer text: one line, cut. */
static void put_detail(struct buf *out, const char *s, size_t len)
{
	struct buf quoted = {0};

	buf_json(&quoted, s, utf8_cut(s, len, DETAIL_BYTES));
	buf_str(out, ": ");
	buf_append(out, quoted.data, quoted.len);
	if (len > DETAIL_BYTES)
		buf_str(out, " ...");
	buf_fini(&quoted);
}

void completion_fail(struct completion *r, bool is_transient, const char *what,
    const char *detail, size_t len)
{
	struct buf text = {0};

	if (r->status == COMPLETION_FAILED)
		return;
	r->status = COMPLETION_FAILED;
	r->is_transient = is_transient;
	buf_str(&text, what);
	if (len)
		put_detail(&text, detail, len);
	r->error = buf_steal(&text, NULL);
}

void completion_fini(struct completion *r)
{
	for (size_t i = 0; i < r->n_calls; i++) {
		free(r->calls[i].id);
		free(r->calls[i].name);
		buf_fini(&r->calls[i].args);
		buf_fini(&r->calls[i].extra);
	}
	buf_fini(&r->text);
	buf_fini(&r->thinking);
	buf_fini(&r->repaired);
	json_fini(&r->doc);
	free(r->error);
	*r = (struct completion){0};
}
