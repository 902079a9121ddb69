/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BASE_NUM_H
#define BASE_NUM_H

/* Floating-point numbers as text. Pure functions; safe from any thread. */
#include <stddef.h>

/* Room for what num_repr() writes, with its NUL. */
#define NUM_SIZE 32

/*
 * Write a finite d as Python's repr() does: the shortest decimal that reads
 * back as d, with a fraction (1.0) or an exponent (1e+16, 1e-07). Returns its
 * length without the NUL.
 */
size_t num_repr(char out[NUM_SIZE], double d);

#endif
