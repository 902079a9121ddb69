/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef CORE_YAML_SCALAR_H
#define CORE_YAML_SCALAR_H

/*
 * What a plain scalar of YAML 1.1 stands for, as PyYAML's safe_load resolves
 * it, and its spelling in JSON. Only core/yaml.c uses this.
 */
#include <stddef.h>

struct buf;

enum yaml_kind { YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT, YAML_STR };

/* Returns what the text is when it has neither quotes nor a tag. */
enum yaml_kind yaml_scalar_kind(const char *text);

/*
 * Append text, which is of this kind, as JSON. len matters only for YAML_STR,
 * which may contain NULs. Returns 0, or -1 for a number that JSON cannot
 * represent (out may then contain a part of it).
 */
int yaml_scalar_put(
    struct buf *out, enum yaml_kind kind, const char *text, size_t len);

#endif
