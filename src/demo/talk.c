/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "demo/talk.h"

#include <string.h>

/* A trace entry longer than this is stored without its body. */
#define ENTRY_MAX 4096

/* The members of the object that each turn writes itself. */
static const char *const own_keys[] = {"session_id", "messages", "trace",
    "turn", "iteration", "user_prompt", "result", "updated"};

/*
 * No text takes more than this share of the whole: the prompt and the result
 * appear in it twice each, and escapes turn one byte into up to six.
 */
#define TEXT_SHARE 64

/* No body of a trace entry takes more than this share. */
#define ENTRY_SHARE 256

static size_t talk_cut(const struct talk *k, size_t len)
{
	size_t max = k->max_bytes / TEXT_SHARE;

	return len < max ? len : max;
}

static const struct json *root(struct talk *k)
{
	struct json_error error;

	if (!k->is_parsed && k->given_len)
		(void)json_parse(&k->doc, k->given, k->given_len, 0, &error);
	k->is_parsed = true; /* unparsable text is an empty conversation */
	return k->doc.root;
}

static bool has_role(const struct json *message, const char *role)
{
	return json_is(message, JSON_OBJECT) &&
	       json_str_is(json_get(message, "role"), role);
}

static bool is_marker(const struct json *entry)
{
	return json_is(entry, JSON_OBJECT) &&
	       json_str_is(json_get(entry, "type"), "user_input");
}

static void add_member(struct buf *out, const struct json *v)
{
	size_t len;
	const char *text = json_text(v, &len);

	buf_append(out, text, len);
	buf_char(out, ',');
}

/* All other members of the given object are returned unchanged. */
static void render_others(struct talk *k, struct buf *out)
{
	for (const struct json *v = json_first(root(k)); v; v = json_next(v)) {
		const struct json *key = json_key(v);
		bool is_own = false;
		for (size_t i = 0; i < sizeof own_keys / sizeof *own_keys; i++)
			is_own |= json_str_is(key, own_keys[i]);
		if (is_own)
			continue;
		size_t len;
		const char *text = json_text(key, &len);
		buf_append(out, text, len);
		buf_char(out, ':');
		add_member(out, v);
	}
}

/*
 * Returns how many of the given messages must be dropped to keep count and size
 * within their limits.
 */
static size_t messages_to_drop(
    const struct json *messages, size_t n_new, size_t max_bytes)
{
	size_t count = json_count(messages), bytes = 0, drop = 0, len;

	if (count + n_new > TALK_MESSAGES)
		drop = count + n_new - TALK_MESSAGES;
	if (drop > count)
		drop = count;
	(void)json_text(messages, &bytes);
	size_t i = 0;
	for (const struct json *m = json_first(messages); m; m = json_next(m)) {
		if (i >= drop && bytes <= max_bytes)
			break;
		(void)json_text(m, &len);
		bytes -= len < bytes ? len : bytes;
		i++;
	}
	return i > drop ? i : drop;
}

/*
 * Append the messages that are kept. Returns how many user messages were
 * dropped.
 */
static size_t render_messages(
    struct talk *k, const struct talk_turn *turn, struct buf *out)
{
	const struct json *messages = json_get(root(k), "messages");
	if (!json_is(messages, JSON_ARRAY))
		messages = NULL;
	size_t drop = messages ? messages_to_drop(messages, k->n_messages + 1,
				     k->max_bytes / 4)
			       : 0;
	size_t i = 0, gone = 0;

	buf_str(out, "\"messages\":[");
	for (const struct json *m = json_first(messages); m; m = json_next(m)) {
		if (i++ >= drop)
			add_member(out, m);
		else if (has_role(m, "user"))
			gone++;
	}
	buf_append(out, k->messages.data, k->messages.len);
	buf_str(out, "{\"role\":\"assistant\",\"content\":");
	buf_json(out, turn->result, talk_cut(k, turn->result_len));
	buf_str(out, ",\"id\":");
	buf_json_str(out, turn->answer_id);
	buf_str(out, "}],");
	return gone;
}

/*
 * The n-th user message belongs to the n-th user_input of the trace, so these
 * are dropped together with their messages; if the trace is too long, other
 * entries are dropped first.
 */
static void render_trace(struct talk *k, size_t markers_gone, struct buf *out)
{
	const struct json *trace = json_get(root(k), "trace");
	if (!json_is(trace, JSON_ARRAY))
		trace = NULL;
	size_t count = 0, markers = 0, len;

	(void)json_text(trace, &len);
	bool is_fat = trace && len > k->max_bytes / 4;
	for (const struct json *e = json_first(trace); e; e = json_next(e)) {
		markers += is_marker(e);
		count += markers > markers_gone;
	}
	size_t room = k->n_trace < TALK_TRACE ? TALK_TRACE - k->n_trace : 0;
	size_t drop = count > room ? count - room : 0;
	markers = 0;
	buf_str(out, "\"trace\":[");
	for (const struct json *e = json_first(trace); e; e = json_next(e)) {
		bool is_mark = is_marker(e);
		markers += is_mark;
		if (markers <= markers_gone)
			continue;
		if (!is_mark && (drop || is_fat)) {
			drop -= drop > 0;
			continue;
		}
		add_member(out, e);
	}
	buf_append(out, k->trace.data, k->trace.len);
	if (out->data[out->len - 1] == ',')
		out->len--;
	buf_str(out, "],");
}

static void render_time(struct buf *out, int64_t us)
{
	buf_printf(out, "%lld.%06lld", (long long)(us / 1000000),
	    (long long)(us % 1000000));
}

void talk_init(struct talk *k, const char *given, size_t len, size_t max_bytes)
{
	*k = (struct talk){
	    .given = given, .given_len = len, .max_bytes = max_bytes};
}

void talk_fini(struct talk *k)
{
	json_fini(&k->doc);
	buf_fini(&k->scratch);
	buf_fini(&k->messages);
	buf_fini(&k->trace);
}

const char *talk_find(struct talk *k, const char *role,
    bool (*fits)(const char *text, size_t len), size_t *len)
{
	const struct json *messages = json_get(root(k), "messages");
	const struct json *found = NULL;

	if (!json_is(messages, JSON_ARRAY))
		return NULL;
	for (const struct json *m = json_first(messages); m; m = json_next(m)) {
		if (!has_role(m, role))
			continue;
		const struct json *content = json_get(m, "content");
		buf_reset(&k->scratch);
		const char *text = json_str(content, &k->scratch, len);
		if (text && fits(text, *len))
			found = content;
	}
	if (!found)
		return NULL;
	buf_reset(&k->scratch);
	return json_str(found, &k->scratch, len);
}

void talk_heard(struct talk *k, const char *text, size_t len)
{
	if (k->n_messages >= TALK_MESSAGES - 1)
		return;
	bool is_full = k->messages.len > k->max_bytes / 4;
	buf_str(&k->messages, "{\"role\":\"user\",\"content\":");
	buf_json(&k->messages, text, is_full ? 0 : talk_cut(k, len));
	buf_str(&k->messages, "},");
	k->n_messages++;
}

void talk_note(struct talk *k, const char *id, size_t id_len,
    enum event_type type, int64_t time_us, const char *body, size_t body_len)
{
	struct buf *out = &k->trace;

	if (k->n_trace >= TALK_TRACE)
		return;
	buf_char(out, '{');
	if (type != EV_CUSTOM) { /* a custom body names its own type */
		buf_str(out, "\"type\":");
		buf_json_str(out, event_name(type));
		buf_char(out, ',');
	}
	buf_str(out, "\"id\":");
	buf_json(out, id, id_len);
	buf_str(out, ",\"ts\":");
	render_time(out, time_us);
	if (body_len && body_len <= ENTRY_MAX &&
	    body_len <= k->max_bytes / ENTRY_SHARE) {
		buf_char(out, ',');
		buf_append(out, body, body_len);
	}
	buf_str(out, "},");
	k->n_trace++;
}

void talk_render(struct talk *k, const struct talk_turn *turn, struct buf *out)
{
	int64_t iteration = 0;

	(void)json_int(json_get(root(k), "iteration"), &iteration);
	if (iteration < 0 || iteration >= INT64_MAX)
		iteration = 0;
	buf_str(out, "{\"session_id\":");
	buf_json_str(out, turn->session_id);
	buf_char(out, ',');
	render_others(k, out);
	size_t gone = render_messages(k, turn, out);
	render_trace(k, gone, out);
	buf_str(out, "\"turn\":");
	buf_int(out, turn->client_turn);
	buf_str(out, ",\"iteration\":");
	buf_int(out, iteration + 1);
	buf_str(out, ",\"user_prompt\":");
	buf_json(out, turn->prompt, talk_cut(k, turn->prompt_len));
	buf_str(out, ",\"result\":");
	buf_json(out, turn->result, talk_cut(k, turn->result_len));
	buf_str(out, ",\"updated\":");
	render_time(out, turn->now_us);
	buf_char(out, '}');
}
