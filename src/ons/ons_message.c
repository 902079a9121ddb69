/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "ons/ons_message.h"

#include <math.h>
#include <string.h>

#define ONS_MAX_INT 9007199254740992.0 /* exact in a double */

static const struct {
	const char *name;
	unsigned ways;
} types[] = {
    {"", 0},
#define FROM_AGENT ONS_FROM_AGENT
#define TO_AGENT ONS_TO_AGENT
#define FROM_DASH ONS_FROM_DASH
#define TO_DASH ONS_TO_DASH
#define MESSAGE(name, ways, doc) {#name, ways},
#include "ons/messages.tbl"
#undef MESSAGE
#undef FROM_AGENT
#undef TO_AGENT
#undef FROM_DASH
#undef TO_DASH
};

const char *ons_type_name(enum ons_type type)
{
	return types[type].name;
}

unsigned ons_type_ways(enum ons_type type)
{
	return types[type].ways;
}

bool ons_is(struct span s, const char *text)
{
	return s.text && s.len == strlen(text) &&
	       memcmp(s.text, text, s.len) == 0;
}

static enum ons_type type_of(struct span name)
{
	for (size_t i = 1; i < sizeof types / sizeof types[0]; i++)
		if (ons_is(name, types[i].name))
			return (enum ons_type)i;
	return ONS_UNKNOWN;
}

/* ---- reading ---- */

void ons_reader_fini(struct ons_reader *r)
{
	json_fini(&r->doc);
	buf_fini(&r->text);
}

struct span ons_text(
    struct ons_reader *r, const struct json *object, const char *key)
{
	struct span s = {0};
	s.text = json_str(json_get(object, key), &r->text, &s.len);
	return s;
}

struct span ons_json(const struct json *object, const char *key)
{
	const struct json *v = json_get(object, key);
	struct span s = {0};
	if (json_type(v) != JSON_NULL)
		s.text = json_text(v, &s.len);
	return s;
}

int64_t ons_int(const struct json *object, const char *key, int64_t otherwise)
{
	const struct json *v = json_get(object, key);
	int64_t i;
	double d;
	if (json_int(v, &i))
		return i;
	if (json_double(v, &d) && fabs(d) < ONS_MAX_INT)
		return (int64_t)d;
	return otherwise;
}

bool ons_bool(const struct json *object, const char *key, bool otherwise)
{
	bool b;
	return json_bool(json_get(object, key), &b) ? b : otherwise;
}

enum ons_fault ons_message_read(
    struct ons_message *m, struct ons_reader *r, const char *text, size_t len)
{
	struct json_error error;
	const struct json *root = json_parse(&r->doc, text, len, 0, &error);
	if (!root)
		return ONS_NOT_JSON;
	/*
	 * No string is longer un-escaped than in the text, so this room is
	 * enough for all of them, and none moves when the next is read.
	 */
	buf_reset(&r->text);
	(void)buf_reserve(&r->text, len);
	struct span name = ons_text(r, root, "type");
	const struct json *payload = json_get(root, "payload");
	if (!name.text || !json_is(payload, JSON_OBJECT))
		return ONS_MALFORMED;
	*m = (struct ons_message){
	    .type = type_of(name),
	    .name = name,
	    .id = ons_text(r, root, "id"),
	    .time_ms = ons_int(root, "timestamp", 0),
	    .payload = payload,
	};
	return ONS_FINE;
}

static bool is_agent_id_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (c && strchr("._:-", c));
}

bool ons_is_agent_id(struct span id)
{
	if (!id.len || id.len > ONS_MAX_ID)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if (!is_agent_id_char(id.text[i]))
			return false;
	return true;
}

bool ons_is_command_id(struct span id)
{
	if (!id.len || id.len > ONS_MAX_ID)
		return false;
	for (size_t i = 0; i < id.len; i++)
		if ((unsigned char)id.text[i] < 0x20 || id.text[i] == 0x7f)
			return false;
	return true;
}

/* ---- writing ---- */

static void put_key(struct buf *out, const char *key)
{
	if (out->len && out->data[out->len - 1] != '{')
		buf_char(out, ',');
	buf_json_str(out, key);
	buf_char(out, ':');
}

void ons_put_text(struct buf *out, const char *key, struct span text)
{
	if (!text.text)
		return;
	put_key(out, key);
	buf_json(out, text.text, text.len);
}

void ons_put_str(struct buf *out, const char *key, const char *text)
{
	if (text)
		ons_put_text(out, key, (struct span){text, strlen(text)});
}

void ons_put_json(struct buf *out, const char *key, struct span json)
{
	if (!json.text)
		return;
	put_key(out, key);
	buf_append(out, json.text, json.len);
}

void ons_put_int(struct buf *out, const char *key, int64_t value)
{
	put_key(out, key);
	buf_int(out, value);
}

void ons_put_bool(struct buf *out, const char *key, bool value)
{
	put_key(out, key);
	buf_str(out, value ? "true" : "false");
}

void ons_begin_object(struct buf *out, const char *key)
{
	put_key(out, key);
	buf_char(out, '{');
}

void ons_end_object(struct buf *out)
{
	buf_char(out, '}');
}

void ons_begin(
    struct buf *out, enum ons_type type, struct span id, int64_t now_ms)
{
	buf_char(out, '{');
	ons_put_str(out, "type", types[type].name);
	ons_put_text(out, "id", id);
	ons_put_int(out, "timestamp", now_ms);
	ons_begin_object(out, "payload");
}

void ons_end(struct buf *out)
{
	buf_str(out, "}}");
}

void ons_put_id(
    struct buf *out, const char *prefix, int64_t now_ms, uint64_t random)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	buf_str(out, prefix);
	buf_char(out, '-');
	buf_int(out, now_ms);
	buf_char(out, '-');
	for (int i = 0; i < 9; i++, random /= 36)
		buf_char(out, digits[random % 36]);
}

void ons_begin_ack(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_message *m)
{
	ons_begin(out, ONS_ACK, id, now_ms);
	ons_put_text(out, "messageId", m->id);
	ons_put_bool(out, "success", true);
}

void ons_put_error(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_error *error)
{
	ons_begin(out, ONS_ERROR, id, now_ms);
	ons_put_str(out, "code", error->code);
	ons_put_str(out, "message", error->message);
	if (error->reason || error->command.text || error->agent.text) {
		ons_begin_object(out, "details");
		ons_put_str(out, "reason", error->reason);
		ons_put_text(out, "commandId", error->command);
		ons_put_text(out, "agentId", error->agent);
		ons_end_object(out);
	}
	/* A dashboard marks the command of a context as failed, and an agent
	 * in it too, so that has no place there. */
	if (error->command.text) {
		ons_begin_object(out, "context");
		ons_put_text(out, "commandId", error->command);
		ons_end_object(out);
	}
	ons_end(out);
}

/* What is echoed must be small. */
static struct span small_json(const struct json *object, const char *key)
{
	struct span s = ons_json(object, key);
	enum json_type type = json_type(json_get(object, key));
	bool is_small =
	    s.len <= 64 && (type == JSON_NUMBER || type == JSON_STRING);
	return is_small ? s : (struct span){0};
}

void ons_read_ping(struct ons_ping *p, const struct ons_message *m)
{
	p->time = small_json(m->payload, "timestamp");
	p->sequence = small_json(m->payload, "sequence");
}

void ons_put_pong(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_ping *ping)
{
	ons_begin(out, ONS_PONG, id, now_ms);
	ons_put_json(out, "timestamp", ping->time);
	ons_put_json(out, "sequence", ping->sequence);
	ons_put_int(out, "latency", 0);
	ons_end(out);
}
