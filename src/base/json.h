/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_JSON_H
#define BASE_JSON_H

/*
 * JSON as spans into the text (RFC 8259). A document is parsed once into nodes
 * that point into the caller's text: numbers keep their spelling, strings are
 * un-escaped only on demand. This is our own parser because libraries re-spell
 * numbers and escapes, and signatures are made over the spelling; it is fuzzed
 * against Python and Node.
 *
 * A json_doc lives in its owner's memory, may be used again and again, and
 * keeps its node memory between parses. The text must outlive the nodes. One
 * thread at a time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/*
 * A value in a document; read it by the calls below. Freed with its document.
 */
struct json;

struct json_block;
struct json_doc {
	struct json_block *blocks; /* node memory, newest first */
	const struct json *root;   /* NULL until a parse succeeds */
};

/* Why a text was refused, in CPython's words and counts (doc/oip.txt 1). */
struct json_error {
	const char *message; /* static text, such as "Expecting value" */
	size_t line;	     /* from 1 */
	size_t col;	     /* from 1, in characters */
	size_t pos;	     /* from 0, in characters */
};

/* Most nested arrays and objects, and most characters in a number. */
#define JSON_MAX_DEPTH 128
#define JSON_MAX_NUMBER 4300

/*
 * Most values and keys in a text: a node is larger than the "1," it stands for.
 */
#define JSON_MAX_VALUES 1000000

/* Refuse an object that has the same key twice (needed where it is signed). */
#define JSON_UNIQUE_KEYS 1u

/*
 * For text that is known to be valid, such as our own: arrays and objects
 * inside the root are passed over. They have their text and no members.
 */
#define JSON_SHALLOW 2u

/*
 * Parse len bytes. flags: 0, or those above. Returns the root, or NULL with
 * *error filled in. Refused: syntax errors, bytes after the value, NaN and
 * Infinity, bytes that are not UTF-8, nesting deeper than JSON_MAX_DEPTH, a
 * number longer than JSON_MAX_NUMBER, more than JSON_MAX_VALUES. A lone
 * surrogate escape is accepted (see json_str). Nodes of an earlier parse of doc
 * are gone.
 */
const struct json *json_parse(struct json_doc *doc, const char *text,
    size_t len, unsigned flags, struct json_error *error);

/* Free all node memory; doc is then as {0}. */
void json_fini(struct json_doc *doc);

/* What the value is; NULL (an absent value) counts as JSON_NULL. */
enum json_type json_type(const struct json *v);

/* Whether v is there and of this type. */
bool json_is(const struct json *v, enum json_type type);

/* The exact text of the value, *len bytes, as it stands in the document. */
const char *json_text(const struct json *v, size_t *len);

/* How many members an array or object has; 0 for anything else. */
size_t json_count(const struct json *v);

/* The member of an object, the last one where a key is doubled; else NULL. */
const struct json *json_get(const struct json *object, const char *key);

/* The first member of an array or object, or NULL. */
const struct json *json_first(const struct json *v);

/* The member after this one, or NULL. */
const struct json *json_next(const struct json *v);

/* The key of an object's member, itself a JSON_STRING node. */
const struct json *json_key(const struct json *member);

/* Whether a JSON_STRING node un-escapes to exactly this C string. */
bool json_str_is(const struct json *v, const char *s);

/*
 * The un-escaped bytes of a JSON_STRING, *len of them, not NUL-terminated:
 * inside the text when it has no escapes, else appended to *scratch (which must
 * then outlive them). A lone surrogate becomes U+FFFD. NULL when v is not a
 * string.
 */
const char *json_str(const struct json *v, struct buf *scratch, size_t *len);

/*
 * A copy of a JSON_STRING as C string (free()),
 * NULL if not one or if it holds NUL.
 */
char *json_strdup(const struct json *v);

/* Whether v is an integer in int64_t (spelled without fraction or exponent). */
bool json_int(const struct json *v, int64_t *out);

/*
 * Whether v is a number; *out is the nearest double (out of range: +-HUGE_VAL).
 */
bool json_double(const struct json *v, double *out);

/* Whether v is true or false, which *out then says. */
bool json_bool(const struct json *v, bool *out);

/*
 * How json_canonical() writes: 0, or what is added to that. Without any, keys
 * are sorted by character at every level, text is UTF-8, numbers stay as they
 * are spelled and there are no spaces.
 */
#define JSON_UTF8 0u
#define JSON_ASCII 1u	/* escape what is not ASCII, and 0x7f, as Python does */
#define JSON_PYTHON 2u	/* numbers as Python prints what it read */
#define JSON_SCRIPT 4u	/* keys as in a JavaScript object made of sorted ones */
#define JSON_TOP 8u	/* sort the root's keys only; below, the text's order */
#define JSON_SPACED 16u /* ", " and ": " */

/*
 * Append v in canonical form. Of a doubled key the last value counts (JSON_TOP
 * is for objects without one). Lone surrogates stay escapes; an absent value is
 * null. False, with nothing appended, if JSON_PYTHON meets a number that is no
 * finite double.
 */
bool json_canonical(struct buf *out, const struct json *v, unsigned form);

/* What is in a value that lets two forms of it differ. */
#define JSON_HAS_HIGH 1u       /* text that JSON_ASCII escapes */
#define JSON_HAS_ODD_NUMBER 2u /* a number that JSON_PYTHON may respell */
#define JSON_HAS_ODD_KEY 4u    /* a key that JSON_SCRIPT may put elsewhere */
#define JSON_HAS_NESTED 8u     /* an object below the root with several keys */

/* Those of the above that are in v; NULL has none. */
unsigned json_traits(const struct json *v);

#endif
