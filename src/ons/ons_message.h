/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef ONS_ONS_MESSAGE_H
#define ONS_ONS_MESSAGE_H

/*
 * Messages of Onsembl (doc/onsembl.txt), both ways: each is a JSON object
 *
 *	{"type":"PING","id":"msg-1","timestamp":1701234567890,"payload":{...}}
 *
 * This is the envelope. What is in the payloads of /ws/agent is in
 * ons/ons_report.h (agent to server) and ons/ons_order.h (server to agent).
 * Pure functions without I/O; servers and wrappers use the same.
 *
 * To read, keep one struct ons_reader per connection. What a read returns lives
 * in it, and in the text that was read, until the next read.
 */
#include "base/buf.h"
#include "base/json.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The types, by messages.tbl. */
enum ons_type {
	ONS_UNKNOWN,
#define MESSAGE(name, ways, doc) ONS_##name,
#include "ons/messages.tbl"
#undef MESSAGE
};

/* Who sends a message to whom, as the server sees it. */
#define ONS_FROM_AGENT 1u
#define ONS_TO_AGENT 2u
#define ONS_FROM_DASH 4u
#define ONS_TO_DASH 8u

/* Returns the word of a type; "" for ONS_UNKNOWN. */
const char *ons_type_name(enum ons_type type);

/* Returns a combination of the flags above. */
unsigned ons_type_ways(enum ons_type type);

/* The largest message that either side may send, in bytes. */
#define ONS_MAX_MESSAGE 1048576

/* The maximum length of the id of an agent, and of a command, in bytes. */
#define ONS_MAX_ID 200

/* ---- reading ---- */

/*
 * Memory for reading; {0} at first, and ons_reader_fini() at last. Its text needs
 * room for all that is read from one message or object before anything is read,
 * as by ons_message_read(); a text that is read twice needs it twice.
 */
struct ons_reader {
	struct json_doc doc;
	struct buf text; /* un-escaped strings */
};

/* Free the memory; *r is then {0} again. */
void ons_reader_fini(struct ons_reader *r);

struct ons_message {
	enum ons_type type;
	struct span name;	    /* of the type, also an unknown one */
	struct span id;		    /* absent, or any text; not unique */
	int64_t time_ms;	    /* 0: absent, or not a number */
	const struct json *payload; /* an object */
};

enum ons_fault {
	ONS_FINE,
	ONS_NOT_JSON,
	ONS_MALFORMED, /* no object, or without type or payload */
};

/*
 * Read a message. id and timestamp may be missing, and the type may be unknown.
 * *m is filled in only if the result is ONS_FINE.
 */
enum ons_fault ons_message_read(
    struct ons_message *m, struct ons_reader *r, const char *text, size_t len);

/*
 * Get a member of an object: text (absent if it is no string), its exact JSON
 * (absent if there is none, or null), an integer (also if it was written with a
 * fraction) and a boolean.
 */
struct span ons_text(
    struct ons_reader *r, const struct json *object, const char *key);
struct span ons_json(const struct json *object, const char *key);
int64_t ons_int(const struct json *object, const char *key, int64_t otherwise);
bool ons_bool(const struct json *object, const char *key, bool otherwise);

/*
 * Whether a text may be the id of an agent: 1 to ONS_MAX_ID letters, digits and
 * "._:-"; or that of a command: as long, without control characters.
 */
bool ons_is_agent_id(struct span id);
bool ons_is_command_id(struct span id);

/* Whether a span has exactly this text. */
bool ons_is(struct span s, const char *text);

/* ---- writing ---- */

/*
 * Append a message: its head, then members by the calls below, then its end. An
 * object inside it is begun and ended in the same way. Absent spans write
 * nothing.
 */
void ons_begin(
    struct buf *out, enum ons_type type, struct span id, int64_t now_ms);
void ons_end(struct buf *out);
void ons_begin_object(struct buf *out, const char *key);
void ons_end_object(struct buf *out);
void ons_put_text(struct buf *out, const char *key, struct span text);
void ons_put_str(struct buf *out, const char *key, const char *text);
void ons_put_json(struct buf *out, const char *key, struct span json);
void ons_put_int(struct buf *out, const char *key, int64_t value);
void ons_put_bool(struct buf *out, const char *key, bool value);

/*
 * Append an id as servers and dashboards make them: a prefix, the time and 9
 * characters that follow from 'random'.
 */
void ons_put_id(
    struct buf *out, const char *prefix, int64_t now_ms, uint64_t random);

/*
 * Begin an ACK of the message m, with messageId and success; further members
 * may follow, then ons_end().
 */
void ons_begin_ack(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_message *m);

/* An ERROR. Absent spans are left out. */
struct ons_error {
	const char *code;    /* "INVALID_MESSAGE" */
	const char *message; /* for people */
	const char *reason;  /* details.reason, more exact; NULL: none */
	struct span command; /* details.commandId and context.commandId */
	struct span agent;   /* details.agentId */
};

/* Append it. */
void ons_put_error(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_error *error);

/* A PING or PONG. */
struct ons_ping {
	struct span time;     /* the exact JSON of payload.timestamp */
	struct span sequence; /* the same; absent: none */
};

/* Read either. */
void ons_read_ping(struct ons_ping *p, const struct ons_message *m);

/* Append the PONG that answers a PING. */
void ons_put_pong(struct buf *out, struct span id, int64_t now_ms,
    const struct ons_ping *ping);

#endif
