/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_JSON_INT_H
#define BASE_JSON_INT_H

/*
 * Private to base/: what the JSON files share. json.c parses, json_doc.c
 * manages node memory, json_value.c reads nodes, json_canonical.c writes
 * canonical forms.
 */
#include "base/json.h"

/* What the text of a string contains besides plain ASCII. */
#define HAS_ESCAPE 1u
#define HAS_HIGH 2u   /* a byte above 0x7f */
#define HAS_DELETE 4u /* 0x7f, which Python escapes */

/* The order in which the keys of an object are linked (json_canonical.c). */
#define IN_ORDER 8u
#define IN_SCRIPT_ORDER 16u

/*
 * A node. The key of an object's member is a node as well. Links that keys do
 * not need for themselves hold the keys in sorted order, beginning with the key
 * to which the first member's key points; so sorting once serves all canonical
 * forms.
 */
struct json {
	const char *text;   /* a string's without the quotes */
	struct json *next;  /* the next member of the same parent; of a key:
			       the next key in order */
	struct json *child; /* the first member; of a key: its value */
	struct json *key;   /* of an object's member; of the key of the first
			       member: the first key in order */
	size_t len;
	uint32_t count;
	uint8_t type;
	uint8_t flags; /* the order: at the key of the first member */
};

/* Returns the next node of the document's memory, not cleared. */
struct json *json_doc_node(struct json_doc *doc);

/* Release all nodes but keep some of the memory. */
void json_doc_forget(struct json_doc *doc);

/*
 * Returns the next character of a string's text and moves *at past it. A lone
 * surrogate is returned as it is.
 */
uint32_t json_char(const char **at, const char *end);

/* Whether c is the first half of a surrogate pair. */
static inline bool json_is_high(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdbff;
}

/* Whether c is the second half of a surrogate pair. */
static inline bool json_is_low(uint32_t c)
{
	return c >= 0xdc00 && c <= 0xdfff;
}

/* Returns the first key of an object that repeats an earlier one, or NULL. */
const struct json *json_doubled_key(const struct json *object);

#endif
