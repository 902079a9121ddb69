/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_WRITE_ALL_H
#define BASE_WRITE_ALL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Write all n bytes to a descriptor that blocks, continuing after short writes
 * and signals. Returns false with errno if that fails; some may be written then.
 */
bool write_all(int fd, const void *bytes, size_t n);

#endif
