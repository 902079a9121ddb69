/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/yaml.h"

#include "base/buf.h"
#include "base/map.h"
#include "core/err.h"
#include "core/yaml_scalar.h"

#include <yaml.h>

#include <stdbool.h>
#include <string.h>

struct reader {
	yaml_parser_t parser;
	const char *text;
	size_t len;
	const char *name;
	struct buf *out;
	struct buf *lines; /* of the root's keys, or NULL */
	struct err *err;
	int documents;
};

static int yaml_refuse(const struct reader *r, size_t line, const char *why)
{
	return err_set(
	    r->err, ERR_CONFIG, "%s line %zu: %s", r->name, line + 1, why);
}

static int refuse_at(
    const struct reader *r, const yaml_event_t *ev, const char *why)
{
	return yaml_refuse(r, ev->start_mark.line, why);
}

/* ---- scalars ---- */

/* The tag "!" means that there is no tag. */
static const char *tag_of(const yaml_event_t *ev)
{
	const yaml_char_t *tag = NULL;
	if (ev->type == YAML_SCALAR_EVENT)
		tag = ev->data.scalar.tag;
	if (ev->type == YAML_SEQUENCE_START_EVENT)
		tag = ev->data.sequence_start.tag;
	if (ev->type == YAML_MAPPING_START_EVENT)
		tag = ev->data.mapping_start.tag;
	return tag && strcmp((const char *)tag, "!") != 0 ? (const char *)tag
							  : NULL;
}

static bool tag_is(const char *tag, const char *standard)
{
	return tag && strcmp(tag, standard) == 0;
}

/* A tag may say what the text is, but cannot turn it into something else. */
static int tagged_kind(
    const char *tag, enum yaml_kind found, enum yaml_kind *kind)
{
	static const char *const tags[] = {
	    YAML_NULL_TAG, YAML_BOOL_TAG, YAML_INT_TAG, YAML_FLOAT_TAG};
	*kind = YAML_STR;
	if (tag_is(tag, YAML_STR_TAG))
		return 0;
	*kind = found;
	return (size_t)found < sizeof tags / sizeof *tags &&
		       tag_is(tag, tags[found])
		   ? 0
		   : -1;
}

static int scalar(struct reader *r, const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	const char *tag = tag_of(ev);
	bool holds_nul = strlen(text) != ev->data.scalar.length;
	enum yaml_kind found = holds_nul ? YAML_STR : yaml_scalar_kind(text);
	enum yaml_kind kind = found;
	if (tag && tagged_kind(tag, found, &kind) != 0)
		return refuse_at(r, ev, "a tag that is not supported");
	if (!tag && ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		kind = YAML_STR;
	if (yaml_scalar_put(r->out, kind, text, ev->data.scalar.length) != 0)
		return refuse_at(r, ev, "not a finite number that fits");
	return 0;
}

/* ---- the stream ---- */

static size_t line_at(const struct reader *r, size_t offset)
{
	size_t line = 0;
	for (size_t i = 0; i < r->len && i < offset; i++)
		line += r->text[i] == '\n';
	return line;
}

/* libyaml names the broken rule; this adds the usual cause and the remedy. */
static const char *hint(const char *problem)
{
	if (strcmp(problem, "found character that cannot start any token") == 0)
		return " (indent by spaces, not by tabs; quote a value that "
		       "begins with @, ` or %)";
	if (strcmp(problem, "mapping values are not allowed in this context") ==
	    0)
		return " (quote a value that has a colon and a space in it)";
	return "";
}

static int refuse_syntax(struct reader *r, size_t line, const char *problem)
{
	struct buf why = {0};
	buf_printf(&why, "%s%s", problem, hint(problem));
	int rc = yaml_refuse(r, line, buf_cstr(&why));
	buf_fini(&why);
	return rc;
}

static int next(struct reader *r, yaml_event_t *ev)
{
	if (yaml_parser_parse(&r->parser, ev))
		return 0;
	const yaml_parser_t *p = &r->parser;
	size_t line = p->error == YAML_READER_ERROR
			  ? line_at(r, p->problem_offset)
			  : p->problem_mark.line;
	return refuse_syntax(r, line, p->problem ? p->problem : "not YAML");
}

static int value(struct reader *r, const yaml_event_t *ev, int depth);

static int sequence(struct reader *r, int depth)
{
	yaml_event_t ev;
	bool is_first = true;
	buf_char(r->out, '[');
	while (next(r, &ev) == 0) {
		if (ev.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&ev);
			buf_char(r->out, ']');
			return 0;
		}
		if (!is_first)
			buf_char(r->out, ',');
		is_first = false;
		int rc = value(r, &ev, depth);
		yaml_event_delete(&ev);
		if (rc != 0)
			return -1;
	}
	return -1;
}

static int refuse_twin(
    const struct reader *r, const yaml_event_t *ev, const char *key, size_t len)
{
	struct buf why = {0};
	buf_str(&why, "the key ");
	buf_json(&why, key, len < 60 ? len : 60);
	buf_str(&why, " is given twice");
	(void)refuse_at(r, ev, buf_cstr(&why));
	buf_fini(&why);
	return -1;
}

static int add_key(
    struct reader *r, const yaml_event_t *ev, struct map *seen, int depth)
{
	if (ev->type != YAML_SCALAR_EVENT)
		return refuse_at(r, ev, "a key must be a word");
	const char *key = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	const char *tag = tag_of(ev);
	if (tag && !tag_is(tag, YAML_STR_TAG))
		return refuse_at(r, ev, "a key must have no tag");
	if (ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    strcmp(key, "<<") == 0)
		return refuse_at(r, ev, "merge keys are not supported");
	if (map_put(seen, key, len, seen))
		return refuse_twin(r, ev, key, len);
	size_t line = ev->start_mark.line + 1;
	if (depth == 1 && r->lines)
		buf_append(r->lines, &line, sizeof line);
	buf_json(r->out, key, len);
	buf_char(r->out, ':');
	return 0;
}

static int pairs(struct reader *r, struct map *seen, int depth)
{
	yaml_event_t ev;
	while (next(r, &ev) == 0) {
		if (ev.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&ev);
			return 0;
		}
		if (map_count(seen))
			buf_char(r->out, ',');
		int rc = add_key(r, &ev, seen, depth);
		yaml_event_delete(&ev);
		if (rc != 0 || next(r, &ev) != 0)
			return -1;
		rc = value(r, &ev, depth);
		yaml_event_delete(&ev);
		if (rc != 0)
			return -1;
	}
	return -1;
}

static int mapping(struct reader *r, int depth)
{
	struct map *seen = map_new();
	buf_char(r->out, '{');
	int rc = pairs(r, seen, depth);
	buf_char(r->out, '}');
	map_free(&seen);
	return rc;
}

/* depth is the number of sequences and mappings around the value. */
static int value(struct reader *r, const yaml_event_t *ev, int depth)
{
	const char *tag = tag_of(ev);
	if (ev->type == YAML_SCALAR_EVENT)
		return scalar(r, ev);
	if (ev->type == YAML_ALIAS_EVENT)
		return refuse_at(r, ev, "aliases are not supported");
	bool is_list = ev->type == YAML_SEQUENCE_START_EVENT;
	if (tag && !tag_is(tag, is_list ? YAML_SEQ_TAG : YAML_MAP_TAG))
		return refuse_at(r, ev, "a tag that is not supported");
	if (depth >= YAML_MAX_DEPTH)
		return refuse_at(r, ev, "nested too deeply");
	return is_list ? sequence(r, depth + 1) : mapping(r, depth + 1);
}

/*
 * Take one event of the stream itself; *is_done says whether it was the last.
 */
static int yaml_step(struct reader *r, const yaml_event_t *ev, bool *is_done)
{
	if (ev->type == YAML_STREAM_START_EVENT ||
	    ev->type == YAML_DOCUMENT_END_EVENT)
		return 0;
	if (ev->type == YAML_DOCUMENT_START_EVENT)
		return r->documents++ ? refuse_at(r, ev, "a second document")
				      : 0;
	*is_done = ev->type == YAML_STREAM_END_EVENT;
	return *is_done ? 0 : value(r, ev, 0);
}

static int stream(struct reader *r)
{
	yaml_event_t ev;
	bool is_done = false;
	while (!is_done) {
		if (next(r, &ev) != 0)
			return -1;
		int rc = yaml_step(r, &ev, &is_done);
		yaml_event_delete(&ev);
		if (rc != 0)
			return -1;
	}
	if (!r->documents)
		buf_str(r->out, "null");
	return 0;
}

int yaml_to_json_lines(struct buf *out, struct buf *lines, const char *text,
    size_t len, const char *name, struct err *err)
{
	struct reader r = {.text = text,
	    .len = len,
	    .name = name,
	    .out = out,
	    .lines = lines,
	    .err = err};
	if (len > YAML_MAX_SIZE)
		return err_set(err, ERR_CONFIG,
		    "%s line 1: larger than %zu bytes", name, YAML_MAX_SIZE);
	if (!yaml_parser_initialize(&r.parser))
		return err_set(err, ERR_CONFIG, "libyaml does not start");
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &r.parser, (const unsigned char *)text, len);
	int rc = stream(&r);
	yaml_parser_delete(&r.parser);
	return rc;
}

int yaml_to_json(struct buf *out, const char *text, size_t len,
    const char *name, struct err *err)
{
	return yaml_to_json_lines(out, NULL, text, len, name, err);
}
