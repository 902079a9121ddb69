/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef DEMO_SUMS_H
#define DEMO_SUMS_H

/* The arithmetic of the demo agent. Pure functions; safe from any thread. */
#include <stdbool.h>
#include <stddef.h>

/* Room for a number as text, with its NUL. */
#define SUMS_TEXT_SIZE 40

/* The result of an evaluation. */
enum sums_outcome {
	SUMS_OK,
	SUMS_NOT_ONE,	  /* the text is not an expression */
	SUMS_NOT_DEFINED, /* a division by zero, or a result without bounds */
};

/*
 * Evaluate n bytes: numbers, + - * /, parentheses (at most 64 deep) and spaces.
 * *value is set when the outcome is SUMS_OK.
 */
enum sums_outcome sums_eval(const char *text, size_t n, double *value);

/* Write a value in the usual notation: 714, 2.5, -3. */
void sums_text(char out[SUMS_TEXT_SIZE], double value);

/* Find the last number in n bytes of text. Returns false if there is none. */
bool sums_last(const char *text, size_t n, double *value);

#endif
