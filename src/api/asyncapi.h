/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef API_ASYNCAPI_H
#define API_ASYNCAPI_H

/*
 * The text of GET /asyncapi.json, made by scripts/describe and converted to C by
 * scripts/embed at build time.
 */
#include <stddef.h>

/* Its text, NUL-terminated. */
extern const char asyncapi_json[];

/* Its length in bytes, without the NUL. */
extern const size_t asyncapi_size;

#endif
