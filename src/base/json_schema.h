/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_JSON_SCHEMA_H
#define BASE_JSON_SCHEMA_H

/*
 * What a JSON Schema says of the arguments of a tool. Debian has no library for
 * C that validates JSON Schema, so that only what schemas of tools use is
 * checked: type, enum, required, properties, additionalProperties (true or
 * false), items, minimum, maximum, minLength, maxLength, minItems and maxItems.
 * Other keywords are for the model alone. An argument that is not required may
 * be null, as models like to write it. Pure functions.
 */
#include <stdbool.h>
#include <stddef.h>

struct buf;
struct json;

/*
 * Whether the value fits the schema. If not, a sentence about the first fault,
 * which names the argument, is appended to why.
 */
bool json_schema_fits(
    const struct json *schema, const struct json *value, struct buf *why);

/*
 * Whether this is a schema of arguments: an object of type "object" whose
 * keywords have the types they must have. If not, the fault is appended to why.
 */
bool json_schema_is_valid(const struct json *schema, struct buf *why);

#endif
