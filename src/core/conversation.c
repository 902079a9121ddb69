/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/conversation.h"

#include "base/json.h"
#include "base/map.h"

#include <string.h>

/* Keys that only the server may set (doc/oip.txt 11). */
static const char *const server_keys[] = {"mode", "turns_left", "permissions",
    "approval", "requester", "skip_tool_approval", "full_access_turns",
    "full_access_turns_used", "approval_profile", "permission_profile",
    "_new_session", "session_id", "continuation", NULL};

/* Keys that every turn sets. */
static const char *const turn_keys[] = {"session_id", "messages", "turn",
    "iteration", "user_prompt", "result", "updated", NULL};

/* Keys that are set even if the agent gave the rest. */
static const char *const adopted_keys[] = {
    "session_id", "turn", "user_prompt", "result", "updated", NULL};

static bool conversation_is_one_of(
    const struct json *key, const char *const *names)
{
	for (; *names; names++)
		if (json_str_is(key, *names))
			return true;
	return false;
}

static const struct json *parse_with(
    unsigned flags, struct json_doc *doc, const char *text, size_t len)
{
	struct json_error why;
	if (!len)
		return NULL;
	const struct json *v = json_parse(doc, text, len, flags, &why);
	return json_is(v, JSON_OBJECT) ? v : NULL;
}

static const struct json *parse_object(
    struct json_doc *doc, const char *text, size_t len)
{
	return parse_with(0, doc, text, len);
}

/* For text that was parsed before, when only its members matter. */
static const struct json *parse_members(
    struct json_doc *doc, const char *text, size_t len)
{
	return parse_with(JSON_SHALLOW, doc, text, len);
}

static double number_of(const struct json *object, const char *key)
{
	double d;
	return json_double(json_get(object, key), &d) ? d : 0;
}

static void conversation_put_member(struct buf *out, const struct json *m)
{
	size_t n;
	const char *text = json_text(json_key(m), &n);
	buf_char(out, ',');
	buf_append(out, text, n);
	buf_char(out, ':');
	text = json_text(m, &n);
	buf_append(out, text, n);
}

/*
 * Append the members of an object except the named ones, a comma before each.
 */
static void put_others(
    struct buf *out, const struct json *object, const char *const *without)
{
	for (const struct json *m = json_first(object); m; m = json_next(m))
		if (!conversation_is_one_of(json_key(m), without))
			conversation_put_member(out, m);
}

static bool is_plain_message(const struct json *m)
{
	bool internal = false;
	if (!json_is(m, JSON_OBJECT))
		return false;
	(void)json_bool(json_get(m, "internal"), &internal);
	return !internal && !json_str_is(json_get(m, "role"), "system");
}

/* Returns a message in canonical form, so that spelling does not matter. */
static struct buf conversation_key_of(const struct json *message)
{
	struct buf key = {0};
	(void)json_canonical(&key, message, JSON_UTF8);
	return key;
}

/* Collect the server's messages that a client may only repeat. */
static struct map *map_system(const struct json *messages)
{
	static char is_there;
	struct map *known = map_new();
	for (const struct json *m = json_first(messages); m; m = json_next(m)) {
		if (is_plain_message(m))
			continue;
		struct buf key = conversation_key_of(m);
		(void)map_put(known, key.data, key.len, &is_there);
		buf_fini(&key);
	}
	return known;
}

static bool is_allowed(const struct json *message, const struct map *known)
{
	if (!json_is(message, JSON_OBJECT))
		return false;
	if (is_plain_message(message))
		return true;
	struct buf key = conversation_key_of(message);
	bool found = map_get(known, key.data, key.len) != NULL;
	buf_fini(&key);
	return found;
}

/* A client may not add system messages, but may repeat those of the server. */
static void put_client_messages(struct buf *out, const struct json *messages,
    const struct json *server_messages)
{
	bool first = true;
	struct map *known = map_system(server_messages);
	buf_str(out, ",\"messages\":[");
	for (const struct json *m = json_first(messages); m; m = json_next(m)) {
		size_t n;
		if (!is_allowed(m, known))
			continue;
		const char *text = json_text(m, &n);
		if (!first)
			buf_char(out, ',');
		first = false;
		buf_append(out, text, n);
	}
	buf_char(out, ']');
	map_free(&known);
}

static void put_client(
    struct buf *out, const struct json *client, const struct json *server)
{
	const struct json *messages = json_get(client, "messages");
	for (const struct json *m = json_first(client); m; m = json_next(m)) {
		if (conversation_is_one_of(json_key(m), server_keys) ||
		    json_str_is(json_key(m), "messages"))
			continue;
		conversation_put_member(out, m);
	}
	if (json_is(messages, JSON_ARRAY))
		put_client_messages(
		    out, messages, json_get(server, "messages"));
}

static void put_server_keys(struct buf *out, const struct json *server)
{
	for (const char *const *k = server_keys; *k; k++) {
		const struct json *m = json_get(server, *k);
		if (m && strcmp(*k, "session_id") && strcmp(*k, "_new_session"))
			conversation_put_member(out, m);
	}
}

/*
 * Returns 1 if the server's is newer, 0 if equal, -1 if the client's is newer.
 */
static int conversation_compare(
    const struct json *client, const struct json *server)
{
	static const char *const keys[] = {"iteration", "updated"};
	for (int i = 0; i < 2; i++) {
		double c = number_of(client, keys[i]);
		double s = number_of(server, keys[i]);
		if (s > c)
			return 1;
		if (s < c)
			return -1;
	}
	return 0;
}

bool conversation_merge(struct buf *out, const char *client, size_t client_len,
    const char *server, size_t server_len, const char *id)
{
	struct json_doc cdoc = {0}, sdoc = {0};
	const struct json *c = parse_object(&cdoc, client, client_len);
	const struct json *s = parse_object(&sdoc, server, server_len);
	int order = !s ? -1 : !c ? 1 : conversation_compare(c, s);
	buf_str(out, "{\"session_id\":");
	buf_json_str(out, id);
	if (order < 0) {
		put_client(out, c, s);
		put_server_keys(out, s);
	} else {
		static const char *const drop[] = {
		    "session_id", "_new_session", NULL};
		put_others(out, s, drop);
	}
	buf_char(out, '}');
	json_fini(&cdoc);
	json_fini(&sdoc);
	return order > 0;
}

void conversation_set(struct buf *out, const char *talk, size_t len,
    const char *name, const struct buf *value)
{
	const char *const drop[] = {name, NULL};
	struct json_doc doc = {0};
	const struct json *v = parse_members(&doc, talk, len);
	buf_printf(out, "{\"%s\":", name);
	buf_append(out, value->data, value->len);
	put_others(out, v, drop);
	buf_char(out, '}');
	json_fini(&doc);
}

void conversation_unset(
    struct buf *out, const char *talk, size_t len, const char *name)
{
	const char *const drop[] = {name, NULL};
	struct json_doc doc = {0};
	struct buf others = {0};
	put_others(&others, parse_members(&doc, talk, len), drop);
	buf_char(out, '{');
	if (others.len)
		buf_append(out, others.data + 1, others.len - 1);
	buf_char(out, '}');
	buf_fini(&others);
	json_fini(&doc);
}

uint32_t conversation_turn(const char *talk, size_t len)
{
	struct json_doc doc = {0};
	int64_t turn = 0;
	const struct json *v = parse_members(&doc, talk, len);
	if (!json_int(json_get(v, "turn"), &turn) || turn < 0 ||
	    turn > INT32_MAX)
		turn = 0;
	json_fini(&doc);
	return (uint32_t)turn;
}

const char *conversation_mode(const struct json *talk, int64_t *turns_left)
{
	const struct json *mode = json_get(talk, "mode");

	*turns_left = 0;
	if (json_str_is(mode, CONVERSATION_READ_ONLY))
		return CONVERSATION_READ_ONLY;
	if (json_str_is(mode, CONVERSATION_FULL_ACCESS) &&
	    json_int(json_get(talk, "turns_left"), turns_left) &&
	    *turns_left > 0)
		return CONVERSATION_FULL_ACCESS;
	*turns_left = 0;
	return CONVERSATION_AUTO;
}

static void put_user_message(struct buf *out, const struct conversation_turn *t)
{
	struct json_doc doc = {0};
	struct json_error why;
	const struct json *images =
	    t->images_len ? json_parse(&doc, t->images, t->images_len, 0, &why)
			  : NULL;
	buf_str(out, "{\"role\":\"user\",\"content\":");
	if (!json_count(images)) {
		buf_json(out, t->prompt, t->prompt_len);
		buf_char(out, '}');
		json_fini(&doc);
		return;
	}
	buf_str(out, "[{\"type\":\"text\",\"text\":");
	buf_json(out, t->prompt, t->prompt_len);
	buf_char(out, '}');
	for (const struct json *m = json_first(images); m; m = json_next(m)) {
		size_t n;
		const char *text = json_text(m, &n);
		buf_str(
		    out, ",{\"type\":\"image_url\",\"image_url\":{\"url\":");
		buf_append(out, text, n);
		buf_str(out, "}}");
	}
	buf_str(out, "]}");
	json_fini(&doc);
}

static void conversation_put_messages(struct buf *out,
    const struct json *before, const struct conversation_turn *t)
{
	buf_str(out, ",\"messages\":[");
	for (const struct json *m = json_first(json_get(before, "messages")); m;
	     m = json_next(m)) {
		size_t n;
		const char *text = json_text(m, &n);
		buf_append(out, text, n);
		buf_char(out, ',');
	}
	put_user_message(out, t);
	if (t->result) {
		buf_str(out, ",{\"role\":\"assistant\",\"content\":");
		buf_json(out, t->result, t->result_len);
		buf_char(out, '}');
	}
	buf_char(out, ']');
}

static void put_turn(struct buf *out, const struct conversation_turn *t)
{
	buf_str(out, ",\"turn\":");
	buf_int(out, t->turn);
	buf_str(out, ",\"user_prompt\":");
	buf_json(out, t->prompt, t->prompt_len);
	buf_str(out, ",\"result\":");
	if (t->result)
		buf_json(out, t->result, t->result_len);
	else
		buf_str(out, "null");
	buf_printf(out, ",\"updated\":%lld.%03d", (long long)(t->now_ms / 1000),
	    (int)(t->now_ms % 1000));
}

/* The count after this turn; a number given by a client must not overflow. */
static int64_t next_iteration(const struct json *before)
{
	const double most = 9007199254740991; /* 2^53 - 1: exact everywhere */
	double d = number_of(before, "iteration");
	return d < 0 ? 1 : d < most ? (int64_t)d + 1 : (int64_t)most + 1;
}

void conversation_add(struct buf *out, const char *before, size_t len,
    const struct conversation_turn *turn)
{
	struct json_doc doc = {0};
	const struct json *v = parse_object(&doc, before, len);
	buf_str(out, "{\"session_id\":");
	buf_json_str(out, turn->id);
	conversation_put_messages(out, v, turn);
	if (!json_get(v, "trace"))
		buf_str(out, ",\"trace\":[]");
	put_others(out, v, turn_keys);
	put_turn(out, turn);
	buf_str(out, ",\"iteration\":");
	buf_int(out, next_iteration(v));
	buf_char(out, '}');
	json_fini(&doc);
}

void conversation_adopt(struct buf *out, const char *session, size_t len,
    const struct conversation_turn *turn)
{
	struct json_doc doc = {0};
	const struct json *v = parse_members(&doc, session, len);
	buf_str(out, "{\"session_id\":");
	buf_json_str(out, turn->id);
	put_others(out, v, adopted_keys);
	put_turn(out, turn);
	buf_char(out, '}');
	json_fini(&doc);
}
