/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef RELAY_SCAN_H
#define RELAY_SCAN_H

/*
 * A scan reads the text of a frame while it arrives, and notes what the relay
 * has to know: whether it is one JSON object, a few texts of its top level, and
 * where the members are that the relay replaces. Nothing is built of the rest,
 * so that a payload is forwarded byte by byte (scan_cut()), and a frame of any
 * size costs the same memory.
 *
 * It accepts what Python's json module reads without an error, since an agent's
 * link ends with the first frame that it cannot read: NaN and Infinity, but no
 * nesting over SCAN_DEPTH and no number over SCAN_NUMBER characters. The caller
 * has checked that the text is UTF-8. Pure: no memory is allocated.
 */
#include "core/session_id.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCAN_DEPTH 128
#define SCAN_NUMBER 4300

/* Texts of the top level. Of several members with one name the last counts. */
enum scan_key {
	SCAN_TYPE,
	SCAN_TO,
	SCAN_FROM,
	SCAN_SESSION_ID,
	SCAN_CONN_ID,
	SCAN_KEYS
};

/* The longest text that is kept, in bytes. */
#define SCAN_TEXT SESSION_ID_MAX

struct scan_text {
	bool is_there; /* there is such a member, and it is a string */
	bool is_long;  /* of which only the beginning is kept */
	size_t len;
	char text[SCAN_TEXT + 1]; /* un-escaped, NUL-terminated */
};

/* Which members scan_cut() removes. */
#define SCAN_CUT_SESSION 1u /* session_id */
#define SCAN_CUT_CONN 2u    /* conn_id */
#define SCAN_CUT_PRIVATE 4u /* _relay_... */

/* A frame with more of these members than this is refused. */
#define SCAN_CUTS 16

/* Where a member is that can be cut. */
struct scan_member {
	unsigned which; /* one of SCAN_CUT_... */
	size_t index;	/* among all members of the top level */
	size_t comma;	/* the position of the comma before it; 0: none */
	size_t begin;	/* of its key */
	size_t end;	/* after its value */
	size_t next;	/* after the comma that follows it; 0: none */
};

struct scan {
	struct scan_text texts[SCAN_KEYS];
	struct scan_member members[SCAN_CUTS];
	size_t n_cuts;
	size_t n_members; /* of the top level */
	const char *why;  /* what is wrong: a static text, or NULL */
	/* Private. */
	size_t at;   /* position in the text */
	size_t open; /* after the opening brace */
	size_t key_at;
	size_t comma_at;
	size_t number_len;
	unsigned depth;
	uint64_t is_object[SCAN_DEPTH / 64 + 1];
	uint8_t state;
	uint8_t number;
	uint8_t word_at;
	uint8_t hex_left;
	bool is_key;
	bool keeps; /* the string is written to kept */
	uint32_t code;
	uint32_t high; /* the first half of a surrogate pair */
	const char *word;
	struct scan_text kept;
	int key; /* enum scan_key of the current member, -1: another one */
	unsigned which;
};

/* Begin with a new frame. */
void scan_begin(struct scan *s);

/*
 * Read the next n bytes. Returns false if the text cannot become one JSON
 * object any more; s->why then says so, and further calls return false.
 */
bool scan_feed(struct scan *s, const char *p, size_t n);

/* The text is complete: whether it is one JSON object; if not, see s->why. */
bool scan_end(struct scan *s);

/* Returns a text of the top level, or NULL if it is not there. */
const char *scan_text(const struct scan *s, enum scan_key key);

/* The text of an object without some members. */
struct scan_rest {
	size_t from; /* the first byte after the opening brace */
	size_t end;
	bool has_members;
};

/*
 * Remove members from the text that was scanned, in place. What is left is from
 * 'from' to 'end': the object without its opening brace. The caller puts a
 * brace and further members before it, and a comma if has_members.
 */
struct scan_rest scan_cut(
    const struct scan *s, unsigned which, char *text, size_t len);

#endif
