/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_MAP_H
#define BASE_MAP_H

/*
 * A map finds a pointer by a key of bytes. It copies keys and borrows values.
 * One thread at a time. Iteration order is not defined.
 */
#include <stddef.h>

struct map;

/* A new, empty map. Never NULL. */
struct map *map_new(void);

/* Free the map and null *m; the values are the caller's. */
void map_free(struct map **m);

/* The value under the key, or NULL. */
void *map_get(const struct map *m, const void *key, size_t len);

/*
 * Put a value (not NULL) under the key; returns the value it replaced, or NULL.
 */
void *map_put(struct map *m, const void *key, size_t len, void *value);

/* Take the key out; returns its value, or NULL when it was not there. */
void *map_remove(struct map *m, const void *key, size_t len);

/* How many keys there are. */
size_t map_count(const struct map *m);

/*
 * Call fn for each value, in no order, until fn returns non-zero, which is then
 * returned. fn may remove the key it is called for, and no other.
 */
int map_each(const struct map *m, int (*fn)(void *value, void *arg), void *arg);

#endif
