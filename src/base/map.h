/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_MAP_H
#define BASE_MAP_H

/*
 * A map finds a pointer by a key of bytes. It copies keys and borrows values.
 * Use it from one thread at a time. The iteration order is undefined.
 */
#include <stddef.h>

struct map;

/* A new, empty map. Never NULL. */
struct map *map_new(void);

/* Free the map and set *m to NULL; the caller keeps the values. */
void map_free(struct map **m);

/* Returns the value under the key, or NULL. */
void *map_get(const struct map *m, const void *key, size_t len);

/*
 * Store a value (not NULL) under the key. Returns the value it replaced, or
 * NULL.
 */
void *map_put(struct map *m, const void *key, size_t len, void *value);

/* Remove the key. Returns its value, or NULL if it was not there. */
void *map_remove(struct map *m, const void *key, size_t len);

/* Returns the number of keys. */
size_t map_count(const struct map *m);

/*
 * Call fn for each value, in undefined order, until fn returns non-zero, and
 * return that, else 0. fn may remove the key it is called for, but no other.
 */
int map_each(const struct map *m, int (*fn)(void *value, void *arg), void *arg);

#endif
