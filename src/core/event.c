/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "core/event.h"

#include "base/enc.h"
#include "base/json.h"
#include "base/log.h"
#include "core/err.h"

#include <string.h>

/* In the first version events had no views. */
#define STORED_VERSION 2
#define STORED_WITHOUT_VIEWS 1

enum field_type { FIELD_STR, FIELD_INT, FIELD_NUM, FIELD_BOOL, FIELD_JSON };

struct event_row {
	const char *name;
	enum event_class class;
};

struct field_row {
	enum event_type event;
	const char *name;
	enum field_type type;
	bool is_required;
};

/* The stored form begins with this head; id and body follow. */
struct head {
	uint8_t version;
	uint8_t type;
	uint16_t id_len;
	uint32_t turn;
	int64_t time_us;
	uint32_t body_len;
	uint32_t crc;	/* of all the rest, with this field set to 0 */
	uint64_t views; /* number of the first, and in the low byte the views */
};

_Static_assert(sizeof(struct head) == 32, "stored layout");

#define HEAD_WITHOUT_VIEWS 24

static const struct event_row events[EV_COUNT] = {
#define EVENT(code, wire, class, doc) [EV_##code] = {wire, EVENT_##class},
#define FIELD(code, name, type, required, doc)
#include "core/events.tbl"
#undef EVENT
#undef FIELD
};

static const struct field_row fields[] = {
#define EVENT(code, wire, class, doc)
#define FIELD(code, name, type, required, doc) \
	{EV_##code, #name, FIELD_##type, required},
#include "core/events.tbl"
#undef EVENT
#undef FIELD
};

#define N_FIELDS (sizeof fields / sizeof *fields)

const char *event_name(enum event_type type)
{
	return events[type].name;
}

enum event_class event_class(enum event_type type)
{
	return events[type].class;
}

enum event_type event_by_name(const char *name, size_t len)
{
	for (int i = 0; i < EV_COUNT; i++)
		if (events[i].class == EVENT_STREAM &&
		    strlen(events[i].name) == len &&
		    memcmp(events[i].name, name, len) == 0)
			return (enum event_type)i;
	return EV_CUSTOM;
}

static const struct field_row *field_of(enum event_type type, const char *name)
{
	for (size_t i = 0; i < N_FIELDS; i++)
		if (fields[i].event == type &&
		    strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

void event_begin(struct draft *d, enum event_type type, uint32_t turn)
{
	d->type = type;
	d->turn = turn;
	d->id[0] = 0;
	buf_reset(&d->body);
}

void event_fini(struct draft *d)
{
	buf_fini(&d->body);
}

static void begin_member(struct draft *d, const char *name)
{
	if (d->body.len)
		buf_char(&d->body, ',');
	buf_char(&d->body, '"');
	buf_str(&d->body, name);
	buf_append(&d->body, "\":", 2);
}

static void begin_field(struct draft *d, const char *name)
{
	if (d->type != EV_CUSTOM && !field_of(d->type, name))
		panic("event: %s has no field %s", event_name(d->type), name);
	begin_member(d, name);
}

void event_note(struct draft *d, const char *name, int64_t v)
{
	begin_member(d, name);
	buf_int(&d->body, v);
}

void event_str(struct draft *d, const char *field, const char *s, size_t n)
{
	begin_field(d, field);
	buf_json(&d->body, s, n);
}

void event_int(struct draft *d, const char *field, int64_t v)
{
	begin_field(d, field);
	buf_int(&d->body, v);
}

void event_bool(struct draft *d, const char *field, bool v)
{
	begin_field(d, field);
	buf_str(&d->body, v ? "true" : "false");
}

void event_json(struct draft *d, const char *field, const char *json, size_t n)
{
	begin_field(d, field);
	buf_append(&d->body, json, n);
}

/* ---- from an agent ---- */

static bool fits(const struct json *v, enum field_type type)
{
	int64_t n;
	switch (type) {
	case FIELD_STR:
		return json_is(v, JSON_STRING);
	case FIELD_INT:
		return json_int(v, &n);
	case FIELD_NUM:
		return json_is(v, JSON_NUMBER);
	case FIELD_BOOL:
		return json_is(v, JSON_BOOL);
	case FIELD_JSON:
		return true;
	}
	return false;
}

static int check_fields(
    enum event_type type, const struct json *object, struct err *err)
{
	for (size_t i = 0; i < N_FIELDS; i++) {
		const struct field_row *f = &fields[i];
		if (f->event != type)
			continue;
		const struct json *v = json_get(object, f->name);
		bool is_absent = !v || json_is(v, JSON_NULL);
		if (is_absent && f->is_required)
			return err_set(err, ERR_BAD_REQUEST,
			    "event %s needs the field %s", event_name(type),
			    f->name);
		if (!is_absent && !fits(v, f->type))
			return err_set(err, ERR_BAD_REQUEST,
			    "event %s: field %s has the wrong type",
			    event_name(type), f->name);
	}
	return 0;
}

static int take_id(struct draft *d, const struct json *id, struct err *err)
{
	struct buf scratch = {0};
	size_t n;
	const char *s = json_str(id, &scratch, &n);
	bool is_good = s && n <= EVENT_ID_MAX && !memchr(s, 0, n);
	if (is_good) {
		memcpy(d->id, s, n);
		d->id[n] = 0;
	}
	buf_fini(&scratch);
	if (is_good || !id || json_is(id, JSON_NULL))
		return 0;
	return err_set(err, ERR_BAD_REQUEST,
	    "event id must be a string of at most %d bytes", EVENT_ID_MAX);
}

/*
 * Members that the journal adds itself; an agent's copy must not repeat them.
 */
static bool is_own(const struct json *key, bool is_custom)
{
	return json_str_is(key, "id") || json_str_is(key, "ts") ||
	       json_str_is(key, "session_id") ||
	       (!is_custom && json_str_is(key, "type"));
}

static void copy_members(struct draft *d, const struct json *object)
{
	for (const struct json *m = json_first(object); m; m = json_next(m)) {
		size_t n;
		const char *text;
		if (is_own(json_key(m), d->type == EV_CUSTOM))
			continue;
		if (d->body.len)
			buf_char(&d->body, ',');
		text = json_text(json_key(m), &n);
		buf_append(&d->body, text, n);
		buf_char(&d->body, ':');
		text = json_text(m, &n);
		buf_append(&d->body, text, n);
	}
}

static bool is_reserved(const char *name, size_t len)
{
	for (int i = 0; i < EV_COUNT; i++)
		if (events[i].class != EVENT_STREAM &&
		    strlen(events[i].name) == len &&
		    memcmp(events[i].name, name, len) == 0)
			return true;
	return false;
}

int event_from_json(
    struct draft *d, uint32_t turn, const struct json *object, struct err *err)
{
	struct buf scratch = {0};
	size_t n;
	const char *name = json_str(json_get(object, "type"), &scratch, &n);
	/* Names in capitals belong to frames of the protocol, not to events. */
	bool is_bad =
	    !name || !n || *name < 'a' || *name > 'z' || is_reserved(name, n);
	enum event_type type = is_bad ? EV_CUSTOM : event_by_name(name, n);
	buf_fini(&scratch);
	if (is_bad)
		return err_set(err, ERR_BAD_REQUEST,
		    "an event needs a \"type\" that begins with a small "
		    "letter and is not one of the host's own");
	event_begin(d, type, turn);
	if (check_fields(type, object, err) != 0 ||
	    take_id(d, json_get(object, "id"), err) != 0)
		return -1;
	copy_members(d, object);
	return 0;
}

/* ---- the stored form ---- */

/* Cheap and unique: a random part per process, and a counter. */
static void make_id(struct draft *d)
{
	static __thread char prefix[17];
	static __thread uint64_t count;
	if (!prefix[0]) {
		unsigned char random[8];
		enc_random(random, sizeof random);
		enc_hex(prefix, random, sizeof random);
	}
	memcpy(d->id, "ev-", 3);
	memcpy(d->id + 3, prefix, 16);
	d->id[19] = '-';
	char *p = d->id + 20;
	char digits[17];
	size_t n = 0;
	uint64_t v = ++count;
	do
		digits[n++] = "0123456789abcdef"[v & 15];
	while (v >>= 4);
	while (n)
		*p++ = digits[--n];
	*p = 0;
}

static uint32_t sum_of(
    const struct head *h, size_t head_len, const void *rest, size_t rest_len)
{
	uint32_t crc = enc_crc32c(0, h, head_len);
	return enc_crc32c(crc, rest, rest_len);
}

void event_store(struct buf *out, const struct event *ev)
{
	struct head h = {
	    .version = STORED_VERSION,
	    .type = (uint8_t)ev->type,
	    .id_len = (uint16_t)ev->id_len,
	    .turn = ev->turn,
	    .time_us = ev->time_us,
	    .body_len = (uint32_t)ev->body_len,
	    .views = ev->first_view << 8 | ev->views,
	};
	size_t at = out->len, rest_len = ev->id_len + ev->body_len;
	(void)buf_reserve(out, sizeof h + rest_len);
	buf_append(out, &h, sizeof h);
	buf_append(out, ev->id, ev->id_len);
	buf_append(out, ev->body, ev->body_len);
	h.crc = sum_of(&h, sizeof h, out->data + at + sizeof h, rest_len);
	memcpy(out->data + at, &h, sizeof h);
}

void event_encode(struct buf *out, struct draft *d, int64_t time_us)
{
	if (!d->id[0])
		make_id(d);
	const struct event ev = {
	    .time_us = time_us,
	    .turn = d->turn,
	    .type = d->type,
	    .id = d->id,
	    .id_len = strlen(d->id),
	    .body = d->body.data,
	    .body_len = d->body.len,
	};
	event_store(out, &ev);
}

/* Returns the length of a head, or 0 if its version is unknown. */
static size_t head_length(uint8_t version)
{
	if (version == STORED_WITHOUT_VIEWS)
		return HEAD_WITHOUT_VIEWS;
	return version == STORED_VERSION ? sizeof(struct head) : 0;
}

bool event_decode(struct event *ev, const void *data, size_t len)
{
	struct head h = {0};
	size_t head_len = len ? head_length(*(const uint8_t *)data) : 0;
	if (!head_len || len < head_len)
		return false;
	memcpy(&h, data, head_len);
	const char *id = (const char *)data + head_len;
	if (h.type >= EV_COUNT ||
	    len != head_len + h.id_len + (size_t)h.body_len)
		return false;
	uint32_t want = h.crc;
	h.crc = 0;
	if (sum_of(&h, head_len, id, len - head_len) != want)
		return false;
	*ev = (struct event){
	    .time_us = h.time_us,
	    .turn = h.turn,
	    .type = (enum event_type)h.type,
	    .id = id,
	    .id_len = h.id_len,
	    .body = id + h.id_len,
	    .body_len = h.body_len,
	    .first_view = h.views >> 8,
	    .views = (uint8_t)h.views,
	};
	return true;
}

const struct json *event_fields(
    const struct event *ev, struct json_doc *doc, struct buf *text)
{
	struct json_error why;
	buf_reset(text);
	buf_char(text, '{');
	buf_append(text, ev->body, ev->body_len);
	buf_char(text, '}');
	return json_parse(doc, text->data, text->len, 0, &why);
}
