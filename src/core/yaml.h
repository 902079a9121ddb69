/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_YAML_H
#define CORE_YAML_H

/*
 * YAML is converted into JSON text, once and at the edge, so that all other
 * code uses base/json. Scalars become what PyYAML's safe_load makes of them: a
 * quoted scalar is a string, "yes" is true, "010" is 8, a date is a string as
 * written, "1e5" is a string. Keys become strings as they are written.
 *
 * Rejected: aliases and merge keys (so that no text grows beyond its size),
 * duplicate keys, keys that are not scalars, tags other than those of plain
 * data, .inf and .nan, a second document, more than YAML_MAX_SIZE bytes,
 * nesting deeper than YAML_MAX_DEPTH. An empty text is null.
 */
#include <stddef.h>

struct buf;
struct err;

#define YAML_MAX_SIZE ((size_t)1024 * 1024)
#define YAML_MAX_DEPTH 64

/*
 * Append the JSON of len bytes of YAML to out. name denotes the text in error
 * messages, such as its path. Returns 0, or -1 with ERR_CONFIG, "NAME line N:
 * why"; out may then contain a part of the result.
 */
int yaml_to_json(struct buf *out, const char *text, size_t len,
    const char *name, struct err *err);

/*
 * The same, and append to lines (of size_t) the line of each key of the root,
 * in order, for messages about its members. lines stays empty unless the root
 * is a mapping.
 */
int yaml_to_json_lines(struct buf *out, struct buf *lines, const char *text,
    size_t len, const char *name, struct err *err);

#endif
