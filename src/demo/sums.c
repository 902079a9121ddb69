/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "demo/sums.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64
#define MAX_DIGITS 32

/* A position in an expression; the first error determines the outcome. */
struct reader {
	const char *at;
	const char *end;
	int depth;
	enum sums_outcome outcome;
};

static double read_sum(struct reader *r);

static void skip_spaces(struct reader *r)
{
	while (r->at < r->end && *r->at == ' ')
		r->at++;
}

static double wrong(struct reader *r, enum sums_outcome why)
{
	if (r->outcome == SUMS_OK)
		r->outcome = why;
	return 0;
}

/* Whether the next character is c, which is then taken. */
static bool sums_take(struct reader *r, char c)
{
	skip_spaces(r);
	if (r->at == r->end || *r->at != c)
		return false;
	r->at++;
	return true;
}

static bool is_number_char(char c)
{
	return (c >= '0' && c <= '9') || c == '.';
}

/* strtod() alone would also accept "0x1p3", "inf" and "nan". */
static double read_number(struct reader *r)
{
	char digits[MAX_DIGITS + 1];
	size_t n = 0;

	skip_spaces(r);
	while (r->at < r->end && is_number_char(*r->at) && n < MAX_DIGITS)
		digits[n++] = *r->at++;
	digits[n] = '\0';
	char *end;
	double value = strtod(digits, &end);
	if (n == 0 || *end || (r->at < r->end && is_number_char(*r->at)))
		return wrong(r, SUMS_NOT_ONE);
	return value;
}

static double read_operand(struct reader *r)
{
	if (++r->depth > MAX_DEPTH)
		return wrong(r, SUMS_NOT_ONE);
	double value;
	if (sums_take(r, '-')) {
		value = -read_operand(r);
	} else if (sums_take(r, '(')) {
		value = read_sum(r);
		if (!sums_take(r, ')'))
			value = wrong(r, SUMS_NOT_ONE);
	} else {
		value = read_number(r);
	}
	r->depth--;
	return value;
}

static double read_product(struct reader *r)
{
	double value = read_operand(r);

	while (r->outcome == SUMS_OK) {
		if (sums_take(r, '*')) {
			value *= read_operand(r);
		} else if (sums_take(r, '/')) {
			double by = read_operand(r);
			if (by == 0)
				return wrong(r, SUMS_NOT_DEFINED);
			value /= by;
		} else {
			break;
		}
	}
	return value;
}

static double read_sum(struct reader *r)
{
	double value = read_product(r);

	while (r->outcome == SUMS_OK) {
		if (sums_take(r, '+'))
			value += read_product(r);
		else if (sums_take(r, '-'))
			value -= read_product(r);
		else
			break;
	}
	return value;
}

enum sums_outcome sums_eval(const char *text, size_t n, double *value)
{
	struct reader r = {.at = text, .end = text + n};
	double v = read_sum(&r);

	skip_spaces(&r);
	if (r.at != r.end)
		return SUMS_NOT_ONE;
	if (r.outcome == SUMS_OK && !isfinite(v))
		return SUMS_NOT_DEFINED;
	*value = v;
	return r.outcome;
}

void sums_text(char out[SUMS_TEXT_SIZE], double value)
{
	/* Adding zero turns -0 into 0. */
	(void)snprintf(out, SUMS_TEXT_SIZE, "%.15g", value + 0.0);
}

bool sums_last(const char *text, size_t n, double *value)
{
	while (n > 0 && !(text[n - 1] >= '0' && text[n - 1] <= '9'))
		n--;
	size_t at = n;
	while (at > 0 && n - at < MAX_DIGITS &&
	       (is_number_char(text[at - 1]) || text[at - 1] == '-'))
		at--;
	if (at == n)
		return false;
	return sums_eval(text + at, n - at, value) == SUMS_OK;
}
