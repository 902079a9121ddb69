/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_MEM_H
#define BASE_MEM_H

/*
 * Memory that is there: these calls end the
 * process (fatal()) instead of failing.
 */
#include <stddef.h>

/* n bytes, free() them. */
void *mem_alloc(size_t n) __attribute__((malloc));

/* n zero bytes, free() them. */
void *mem_zero(size_t n) __attribute__((malloc));

/* As realloc. */
void *mem_realloc(void *p, size_t n);

/* A NUL-terminated copy of n bytes, free() it. */
char *mem_strndup(const char *s, size_t n) __attribute__((malloc));

/* A copy of a C string, free() it; NULL stays NULL. */
char *mem_strdup(const char *s);

#endif
