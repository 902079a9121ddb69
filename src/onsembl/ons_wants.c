/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "onsembl/ons_wants.h"

#include "ons/ons_message.h"

#include <string.h>

static void clear(struct ons_set *set)
{
	buf_fini(&set->ids);
	*set = (struct ons_set){0};
}

void ons_wants_fini(struct ons_wants *w)
{
	clear(&w->agents);
	clear(&w->commands);
	*w = (struct ons_wants){0};
}

void ons_wants_all(struct ons_wants *w)
{
	ons_wants_fini(w);
	w->agents.is_all = true;
	w->commands.is_all = true;
	w->has_traces = true;
	w->has_terminals = true;
}

/* Returns the position of an id in the set, or its end. */
static size_t find(const struct ons_set *set, struct span id)
{
	size_t at = 0;
	while (at < set->ids.len) {
		const char *text = set->ids.data + at;
		size_t n = strlen(text);
		if (n == id.len && memcmp(text, id.text, n) == 0)
			break;
		at += n + 1;
	}
	return at;
}

static bool add(struct ons_set *set, struct span id)
{
	if (!ons_is_command_id(id)) /* the wider of the two */
		return false;
	if (find(set, id) < set->ids.len)
		return true;
	if (set->n == ONS_WANTS_MAX)
		return false;
	buf_append(&set->ids, id.text, id.len);
	buf_char(&set->ids, 0);
	set->n++;
	return true;
}

static void drop(struct ons_set *set, struct span id)
{
	size_t at = find(set, id);
	if (at == set->ids.len)
		return;
	char *from = set->ids.data + at;
	memmove(from, from + id.len + 1, set->ids.len - at - id.len - 1);
	set->ids.len -= id.len + 1;
	set->n--;
}

static bool read_set(struct ons_set *set, const struct json *v)
{
	struct buf scratch = {0};
	bool is_good = true;
	clear(set);
	if (json_type(v) == JSON_NULL)
		return true;
	set->is_all = !json_is(v, JSON_ARRAY) || json_count(v) == 0;
	if (!json_is(v, JSON_ARRAY))
		return true;
	for (const struct json *it = json_first(v); it && is_good;
	     it = json_next(it)) {
		struct span id = {0};
		buf_reset(&scratch);
		id.text = json_str(it, &scratch, &id.len);
		if (ons_is(id, "*"))
			set->is_all = true;
		else
			is_good = id.text && add(set, id);
	}
	buf_fini(&scratch);
	return is_good;
}

/* Truth of any value, as the programs that send it mean it. */
static bool is_true(const struct json *v)
{
	bool b = json_type(v) != JSON_NULL;
	(void)json_bool(v, &b); /* a value that is no boolean stays true */
	return b;
}

bool ons_wants_read(struct ons_wants *w, const struct json *subscriptions)
{
	w->has_traces = is_true(json_get(subscriptions, "traces"));
	w->has_terminals = is_true(json_get(subscriptions, "terminals"));
	return read_set(&w->agents, json_get(subscriptions, "agents")) &&
	       read_set(&w->commands, json_get(subscriptions, "commands"));
}

static bool change_set(
    struct ons_set *set, struct span id, bool is_all, bool is_wanted)
{
	if (is_all || ons_is(id, "*")) {
		if (!is_wanted)
			clear(set);
		set->is_all = is_wanted;
		return true;
	}
	if (!id.text)
		return false;
	if (is_wanted)
		return add(set, id);
	drop(set, id);
	return true;
}

bool ons_wants_change(struct ons_wants *w, struct span type, struct span id,
    bool is_all, bool is_wanted)
{
	if (ons_is(type, "agent"))
		return change_set(&w->agents, id, is_all, is_wanted);
	if (ons_is(type, "command"))
		return change_set(&w->commands, id, is_all, is_wanted);
	if (ons_is(type, "trace"))
		w->has_traces = is_wanted;
	else if (ons_is(type, "terminal"))
		w->has_terminals = is_wanted;
	else
		return false;
	return true;
}

bool ons_set_has(const struct ons_set *set, const char *id)
{
	const struct span text = {id, strlen(id)};
	return set->is_all || find(set, text) < set->ids.len;
}

static void put_set(struct buf *out, const struct ons_set *set)
{
	const char *comma = "";
	buf_char(out, '[');
	if (set->is_all) {
		buf_str(out, "\"*\"");
		comma = ",";
	}
	for (size_t at = 0; at < set->ids.len;
	     at += strlen(set->ids.data + at) + 1) {
		buf_str(out, comma);
		buf_json_str(out, set->ids.data + at);
		comma = ",";
	}
	buf_char(out, ']');
}

static void put_member(
    struct buf *out, const char *key, const struct ons_set *set)
{
	struct buf text = {0};
	put_set(&text, set);
	ons_put_json(out, key, (struct span){text.data, text.len});
	buf_fini(&text);
}

void ons_wants_put(struct buf *out, const struct ons_wants *w)
{
	ons_begin_object(out, "subscriptions");
	put_member(out, "agents", &w->agents);
	put_member(out, "commands", &w->commands);
	ons_put_bool(out, "traces", w->has_traces);
	ons_put_bool(out, "terminals", w->has_terminals);
	ons_end_object(out);
}
