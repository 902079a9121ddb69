/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_JSON_H
#define BASE_JSON_H

/*
 * JSON as spans into the text (RFC 8259). A document is parsed once into nodes
 * that point into the caller's text: numbers keep their spelling, and strings
 * are un-escaped only on demand. We have our own parser because libraries
 * re-spell numbers and escapes, while signatures cover the exact spelling; it
 * is fuzzed against Python and Node.
 *
 * The life of a document: {0}, any number of json_parse() calls, json_fini(). A
 * struct json_doc lives in its owner's memory and keeps its node memory between
 * parses. The text must outlive the nodes. Use a document from one thread at a
 * time.
 */
#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* A value in a document, read by the calls below. The document owns it. */
struct json;

struct json_block;
struct json_doc {
	struct json_block *blocks; /* node memory, newest first */
	const struct json *root;   /* NULL until a parse succeeds */
};

/* Why a text was rejected, in CPython's words and counts (doc/oip.txt 1). */
struct json_error {
	const char *message; /* static text, such as "Expecting value" */
	size_t line;	     /* from 1 */
	size_t col;	     /* from 1, in characters */
	size_t pos;	     /* from 0, in characters */
};

/*
 * The maximum nesting depth, and the maximum number of characters in a number.
 */
#define JSON_MAX_DEPTH 128
#define JSON_MAX_NUMBER 4300

/*
 * The maximum number of values and keys in a text. It bounds memory: a node is
 * larger than the "1," it stands for.
 */
#define JSON_MAX_VALUES 1000000

/* Reject an object that has the same key twice (needed where it is signed). */
#define JSON_UNIQUE_KEYS 1u

/*
 * For text that is known to be valid, such as our own: arrays and objects
 * inside the root are skipped. They have their text but no members.
 */
#define JSON_SHALLOW 2u

/*
 * Parse len bytes. flags is 0 or a combination of those above. Returns the
 * root, or NULL with *error filled in. Rejected are syntax errors, bytes after
 * the value, NaN and Infinity, invalid UTF-8, nesting deeper than
 * JSON_MAX_DEPTH, a number longer than JSON_MAX_NUMBER, and more than
 * JSON_MAX_VALUES values. A lone surrogate escape is accepted (see json_str()).
 * Invalidates the nodes of an earlier parse of doc.
 */
const struct json *json_parse(struct json_doc *doc, const char *text,
    size_t len, unsigned flags, struct json_error *error);

/* Free all node memory; doc is then as {0}. */
void json_fini(struct json_doc *doc);

/* Returns the type of the value; NULL (an absent value) counts as JSON_NULL. */
enum json_type json_type(const struct json *v);

/* Whether v is present and has this type. */
bool json_is(const struct json *v, enum json_type type);

/*
 * Returns the exact text of the value as it stands in the document, *len bytes.
 */
const char *json_text(const struct json *v, size_t *len);

/* Returns the number of members of an array or object; 0 for anything else. */
size_t json_count(const struct json *v);

/*
 * Returns the member of an object with this key, or NULL. Of duplicate keys the
 * last one counts.
 */
const struct json *json_get(const struct json *object, const char *key);

/*
 * Append an object without the members of these names (NULL ends them); the
 * others have their order and exact text, without space between.
 */
void json_put_without(
    struct buf *out, const struct json *object, const char *const *names);

/* Returns the first member of an array or object, or NULL. */
const struct json *json_first(const struct json *v);

/* Returns the member after this one, or NULL. */
const struct json *json_next(const struct json *v);

/* Returns the key of an object's member, itself a JSON_STRING node. */
const struct json *json_key(const struct json *member);

/* Whether a JSON_STRING node un-escapes to exactly this C string. */
bool json_str_is(const struct json *v, const char *s);

/*
 * Returns the un-escaped bytes of a JSON_STRING, *len of them, not
 * NUL-terminated. Without escapes they point into the text; otherwise they are
 * appended to *scratch, which must then outlive them. A lone surrogate becomes
 * U+FFFD. Returns NULL if v is not a string.
 */
const char *json_str(const struct json *v, struct buf *scratch, size_t *len);

/*
 * Returns a copy of a JSON_STRING as a C string, to be freed with free(), or
 * NULL if v is not a string or contains a NUL.
 */
char *json_strdup(const struct json *v);

/* Whether v is an integer in int64_t (spelled without fraction or exponent). */
bool json_int(const struct json *v, int64_t *out);

/*
 * Whether v is a number; *out is then the nearest double (+-HUGE_VAL if out of
 * range).
 */
bool json_double(const struct json *v, double *out);

/* Whether v is true or false; *out is then its value. */
bool json_bool(const struct json *v, bool *out);

/*
 * The forms that json_canonical() can write: JSON_UTF8 plus any of the flags
 * below. Without flags, keys are sorted by character at every level, text is
 * UTF-8, numbers keep their spelling, and there are no spaces.
 */
#define JSON_UTF8 0u
#define JSON_ASCII 1u	/* escape non-ASCII and 0x7f, as Python does */
#define JSON_PYTHON 2u	/* numbers as Python prints what it read */
#define JSON_SCRIPT 4u	/* order keys as a JavaScript object does */
#define JSON_TOP 8u	/* sort only the root's keys; below, keep the order */
#define JSON_SPACED 16u /* ", " and ": " */

/*
 * Append v in canonical form. Of duplicate keys the last value counts (JSON_TOP
 * requires objects without them). Lone surrogates stay escapes; an absent value
 * is null. Returns false, with nothing appended, if JSON_PYTHON meets a number
 * that is not a finite double.
 */
bool json_canonical(struct buf *out, const struct json *v, unsigned form);

/* Traits of a value for which two canonical forms of it may differ. */
#define JSON_HAS_HIGH 1u       /* text that JSON_ASCII escapes */
#define JSON_HAS_ODD_NUMBER 2u /* a number that JSON_PYTHON may respell */
#define JSON_HAS_ODD_KEY 4u    /* a key that JSON_SCRIPT may put elsewhere */
#define JSON_HAS_NESTED 8u     /* an object below the root with several keys */

/* Returns the traits that v has; NULL has none. */
unsigned json_traits(const struct json *v);

#endif
