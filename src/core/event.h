/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

/*
 * An event is one thing that happened in a session: its type (events.tbl),
 * time, turn and fields. In the journal it has a position, seq, counted from 1
 * in each session. Its body is the text of JSON object members without the
 * braces ("\"content\":\"hi\""), so that a door can put it into a frame by
 * copying.
 *
 * struct draft is an event under construction; struct event is a view of a
 * stored one and points into memory that it does not own.
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct json;

enum event_type {
#define EVENT(code, wire, class, doc) EV_##code,
#define FIELD(code, name, type, required, doc)
#include "core/events.tbl"
#undef EVENT
#undef FIELD
	EV_COUNT
};

enum event_class { EVENT_STREAM, EVENT_CONTROL, EVENT_TERMINAL };

/* The maximum length of an event's id in bytes. */
#define EVENT_ID_MAX 128

struct event {
	uint64_t seq;
	int64_t time_us; /* wall clock */
	uint32_t turn;
	enum event_type type;
	const char *id; /* not NUL-terminated */
	size_t id_len;
	const char *body; /* JSON members without braces; may be empty */
	size_t body_len;
	uint64_t
	    first_view; /* number of the first (core/views.h); 0: none yet */
	uint8_t views;
};

struct draft {
	enum event_type type;
	uint32_t turn;
	char id[EVENT_ID_MAX + 1]; /* "": event_encode() makes one */
	struct buf body;
};

/* Returns the name of a type on the wire, such as "tool_call". */
const char *event_name(enum event_type type);

/* Returns the class of a type. */
enum event_class event_class(enum event_type type);

/*
 * Returns the stream type with this wire name, or EV_CUSTOM if there is none.
 */
enum event_type event_by_name(const char *name, size_t len);

/* Begin a draft. *d may be {0}; if it was used before, its memory is reused. */
void event_begin(struct draft *d, enum event_type type, uint32_t turn);

/* Free a draft's memory. */
void event_fini(struct draft *d);

/*
 * Add a string field. Calls panic() if the type's row in the table has no such
 * field (EV_CUSTOM allows any).
 */
void event_str(struct draft *d, const char *field, const char *s, size_t n);

/* Add an integer field. */
void event_int(struct draft *d, const char *field, int64_t v);

/*
 * Add an integer that is in no table: what this server notes of the event of an
 * agent, for itself.
 */
void event_note(struct draft *d, const char *name, int64_t v);

/* Add a boolean field. */
void event_bool(struct draft *d, const char *field, bool v);

/* Add a field whose value is JSON text that is known to be valid. */
void event_json(struct draft *d, const char *field, const char *json, size_t n);

/*
 * Fill a draft from a JSON object that an agent sent: "type" names the event,
 * "id" is its id, all other members become the body, spelled as they are.
 * Fields in the table are checked for presence and type. An unknown type
 * becomes EV_CUSTOM and keeps "type" in its body. CONTROL and TERMINAL types
 * are rejected. Returns 0, or -1 with ERR_BAD_REQUEST.
 */
int event_from_json(
    struct draft *d, uint32_t turn, const struct json *object, struct err *err);

/*
 * Append the stored form of a draft (everything except seq, with a checksum).
 * Gives the draft an id if it has none.
 */
void event_encode(struct buf *out, struct draft *d, int64_t time_us);

/* Append the stored form of an event. */
void event_store(struct buf *out, const struct event *ev);

/*
 * Make *ev a view of a stored form; returns false if it is damaged. The caller
 * sets seq.
 */
bool event_decode(struct event *ev, const void *data, size_t len);

struct json_doc;

/*
 * Parse the body for access to its fields. Returns the object, which lives as
 * long as doc and text, or NULL. doc and text provide the memory (text gets the
 * body with braces).
 */
const struct json *event_fields(
    const struct event *ev, struct json_doc *doc, struct buf *text);

#endif
