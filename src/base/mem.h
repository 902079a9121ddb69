/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_MEM_H
#define BASE_MEM_H

/*
 * Allocation that does not fail: when memory runs out, these calls end the
 * process by fatal(). All results are freed with free().
 */
#include <stddef.h>

/* Returns n uninitialised bytes. */
void *mem_alloc(size_t n) __attribute__((malloc));

/* Returns n zeroed bytes. */
void *mem_zero(size_t n) __attribute__((malloc));

/* As realloc(), but never returns NULL. */
void *mem_realloc(void *p, size_t n);

/* Returns a NUL-terminated copy of n bytes. */
char *mem_strndup(const char *s, size_t n) __attribute__((malloc));

/* Returns a copy of a C string; NULL stays NULL. */
char *mem_strdup(const char *s);

#endif
