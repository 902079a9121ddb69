/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "session/call.h"

#include "base/enc.h"
#include "base/json.h"
#include "base/mem.h"
#include "core/agent.h"
#include "store/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing to a record ---- */

static void put_hex(struct buf *out, const char *name, const uint8_t id[16])
{
	char hex[33];
	enc_hex(hex, id, 16);
	buf_printf(out, ",\"%s\":\"%s\"", name, hex);
}

void call_extra(struct buf *out, const struct session_call *c, bool with_files)
{
	bool has_files = with_files && (c->images_len > 2 || c->n_files);
	if (!has_files && !c->has_id && !c->caller[0] && !c->has_home &&
	    !c->id && !c->options)
		return;
	buf_str(out, "{\"level\":");
	buf_json_str(out, c->level);
	buf_str(out, ",\"images\":");
	buf_append(
	    out, has_files ? c->images : "[]", has_files ? c->images_len : 2);
	buf_str(out, ",\"files\":[");
	for (size_t i = 0; has_files && i < c->n_files; i++) {
		buf_str(out, i ? ",{\"name\":" : "{\"name\":");
		buf_json_str(out, c->files[i].name);
		buf_str(out, ",\"path\":");
		buf_json_str(out, c->files[i].path);
		buf_printf(
		    out, ",\"size\":%lld}", (long long)c->files[i].size_bytes);
	}
	buf_char(out, ']');
	if (c->caller[0] && session_is_nobodys(c->session)) {
		buf_str(out, ",\"caller\":");
		buf_json_str(out, c->caller);
	}
	if (c->has_home)
		put_hex(out, "home", c->home);
	if (c->has_id) {
		buf_str(out, ",\"input_id\":");
		buf_json(out, c->input_id.data, c->input_id.len);
		put_hex(out, "claim", c->claim);
		put_hex(out, "inner", c->inner);
		put_hex(out, "body", c->body);
	}
	if (c->id) {
		buf_str(out, ",\"id\":");
		buf_json_str(out, c->id);
	}
	if (c->options) {
		buf_str(out, ",\"options\":");
		buf_append(out, c->options, c->options_len);
	}
	buf_char(out, '}');
}

/* ---- reading from a record ---- */

static void read_files(struct session_call *c, const struct json *files)
{
	c->files = mem_zero((json_count(files) + 1) * sizeof *c->files);
	for (const struct json *f = json_first(files); f; f = json_next(f)) {
		struct agent_file *to = &c->files[c->n_files++];
		to->name = json_strdup(json_get(f, "name"));
		to->path = json_strdup(json_get(f, "path"));
		(void)json_int(json_get(f, "size"), &to->size_bytes);
	}
}

static bool read_hex(const struct json *v, uint8_t id[16])
{
	size_t n;
	const char *text = json_text(v, &n);
	return json_is(v, JSON_STRING) && n == 34 &&
	       enc_unhex(id, text + 1, 16);
}

/* Read a short string that we wrote; "" if it is missing. */
static void read_text(char *to, size_t size, const struct json *v)
{
	char *text = json_strdup(v);
	(void)snprintf(to, size, "%s", text ? text : "");
	free(text);
}

static void read_extra(struct session_call *c, struct store_span extra)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v =
	    extra.len ? json_parse(&doc, extra.data, extra.len, 0, &why) : NULL;
	const struct json *images = json_get(v, "images");
	if (json_count(images)) {
		free(c->images);
		const char *text = json_text(images, &c->images_len);
		c->images = mem_strndup(text, c->images_len);
	}
	read_files(c, json_get(v, "files"));
	read_text(c->level, sizeof c->level, json_get(v, "level"));
	if (!c->caller[0])
		read_text(c->caller, sizeof c->caller, json_get(v, "caller"));
	c->id = json_strdup(json_get(v, "id"));
	const struct json *options = json_get(v, "options");
	if (json_is(options, JSON_OBJECT)) {
		const char *text = json_text(options, &c->options_len);
		c->options = mem_strndup(text, c->options_len);
	}
	const struct json *name = json_get(v, "input_id");
	if (json_is(name, JSON_STRING)) {
		struct buf scratch = {0};
		size_t n;
		const char *text = json_str(name, &scratch, &n);
		buf_append(&c->input_id, text, n);
		buf_fini(&scratch);
		c->has_id = read_hex(json_get(v, "claim"), c->claim) &&
			    read_hex(json_get(v, "body"), c->body);
		/* The record of an older release has no second name. */
		if (!read_hex(json_get(v, "inner"), c->inner))
			memcpy(c->inner, c->claim, sizeof c->inner);
	}
	json_fini(&doc);
}

bool call_home_of(const struct record *r, uint8_t home[16])
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *v = r->extra.len ? json_parse(&doc, r->extra.data,
						  r->extra.len, 0, &why)
					    : NULL;
	bool is_known = read_hex(json_get(v, "home"), home);
	json_fini(&doc);
	return is_known;
}

/* A call without images, files or name. */
static struct session_call *new_call(
    struct session *s, struct store_span caller, struct store_span prompt)
{
	struct session_call *c = mem_zero(sizeof *c);
	list_init(&c->link);
	c->session = session_ref(s);
	if (caller.len < sizeof c->caller)
		memcpy(c->caller, caller.data, caller.len);
	c->prompt = mem_strndup(prompt.data ? prompt.data : "", prompt.len);
	c->prompt_len = prompt.len;
	c->images = mem_strndup("[]", 2);
	c->images_len = 2;
	return c;
}

struct session_call *call_of_record(struct session *s, const struct record *r)
{
	struct session_call *c = new_call(s, r->caller, r->prompt);
	read_extra(c, r->extra);
	return c;
}

static void copy_text(char *to, size_t size, struct store_span text)
{
	(void)snprintf(
	    to, size, "%.*s", (int)text.len, (const char *)text.data);
}

struct session_call *call_of_waiting(struct session *s, const struct waiting *w)
{
	struct session_call *c = new_call(s, w->caller, w->prompt);
	copy_text(c->level, sizeof c->level, w->level);
	copy_text(c->peer, sizeof c->peer, w->peer);
	c->peer_is_loopback = w->peer_is_loopback;
	c->id = mem_strndup(w->id.data, w->id.len);
	c->row = w->place;
	c->has_id = w->has_claim;
	memcpy(c->claim, w->claim, sizeof c->claim);
	memcpy(c->inner, w->claim, sizeof c->inner); /* in a named session */
	memcpy(c->body, w->body, sizeof c->body);
	buf_append(&c->input_id, w->input_id.data, w->input_id.len);
	return c;
}
