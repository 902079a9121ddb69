/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

/*
 * The text of GET /openapi.json, made by scripts/describe and converted to C by
 * scripts/embed at build time.
 */
#include <stddef.h>

/* Its text, NUL-terminated. */
extern const char openapi_json[];

/* Its length in bytes, without the NUL. */
extern const size_t openapi_size;

#endif
