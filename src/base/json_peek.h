/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_JSON_PEEK_H
#define BASE_JSON_PEEK_H

/*
 * The members of a JSON object of which only the beginning has come: so that
 * the rest of a large message can be refused without being received. Nothing is
 * validated, and keys and values are in the spelling of the text.
 */
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

struct json_peek {
	const char *at;
	const char *end;
	bool is_inside; /* the object */
};

struct json_peeked {
	struct span key;   /* without its quotes */
	struct span value; /* of a string: without its quotes */
	bool is_string;
	bool is_cut; /* the end of the value has not come */
};

/* Begin to read len bytes, which must outlive *p. */
void json_peek_begin(struct json_peek *p, const char *text, size_t len);

/* Get the next member; false if there is none whose key is complete. */
bool json_peek_next(struct json_peek *p, struct json_peeked *member);

#endif
