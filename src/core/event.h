/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

/*
 * An event is one thing that happened in a session: what it is (events.tbl),
 * when, in which turn, and its fields. In the journal it has a position, seq,
 * counted from 1 in each session. Its body is the text of JSON object members
 * without the braces ("\"content\":\"hi\""), so that a door can put it into a
 * frame by copying.
 *
 * struct draft is an event being made; struct event is a view of one that was
 * read and points into memory that is not its own.
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

/* Longest id of an event, in bytes. */
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
};

struct draft {
	enum event_type type;
	uint32_t turn;
	char id[EVENT_ID_MAX + 1]; /* "": event_encode() makes one */
	struct buf body;
};

/* The name of a type on the wire, such as "tool_call". */
const char *event_name(enum event_type type);

/* The class of a type. */
enum event_class event_class(enum event_type type);

/* The stream type with this wire name, EV_CUSTOM for a name that has none. */
enum event_type event_by_name(const char *name, size_t len);

/*
 * Begin a draft. Its body memory is reused
 * when *d was used before; {0} is fine.
 */
void event_begin(struct draft *d, enum event_type type, uint32_t turn);

/* Free a draft's memory. */
void event_fini(struct draft *d);

/*
 * Add a string field. panic() if the table's
 * row has no such field (EV_CUSTOM: any).
 */
void event_str(struct draft *d, const char *field, const char *s, size_t n);

/* Add an integer field. */
void event_int(struct draft *d, const char *field, int64_t v);

/* Add a boolean field. */
void event_bool(struct draft *d, const char *field, bool v);

/* Add a field whose value is JSON text that is known to be valid. */
void event_json(struct draft *d, const char *field, const char *json, size_t n);

/*
 * Fill a draft from a JSON object that an agent sent: "type" names the event,
 * "id" its id, all other members become the body as they are spelled. Fields of
 * the table are checked for presence and type. An unknown type becomes
 * EV_CUSTOM and keeps "type" in its body. CONTROL and TERMINAL types are
 * refused. 0, or -1 with ERR_BAD_REQUEST.
 */
int event_from_json(
    struct draft *d, uint32_t turn, const struct json *object, struct err *err);

/*
 * Append the stored form of a draft (everything but seq, with a checksum).
 * Gives the draft an id if it has none.
 */
void event_encode(struct buf *out, struct draft *d, int64_t time_us);

/* View a stored form; false when it is damaged. seq is the caller's to set. */
bool event_decode(struct event *ev, const void *data, size_t len);

/*
 * Parse the body for its fields: returns the object, or NULL. Uses doc and text
 * as memory (text gets the braces).
 */
struct json_doc;
const struct json *event_fields(
    const struct event *ev, struct json_doc *doc, struct buf *text);

#endif
