/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/num.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* This many digits distinguish any two doubles. */
#define MOST_DIGITS 17

/* A double keeps this many digits of any decimal, unless it is subnormal. */
#define SURE_DIGITS 15

/* A decimal, d.ddde+xx; its digits are a number of up to 17 digits. */
struct decimal {
	char digits[MOST_DIGITS + 1];
	int n_digits;
	int exponent; /* of the first digit */
};

/* Set *x to the decimal of n digits that is nearest to d > 0. */
static void nearest(struct decimal *x, double d, int n)
{
	char text[NUM_SIZE];

	(void)snprintf(text, sizeof text, "%.*e", n - 1, d);
	x->digits[0] = text[0];
	if (n > 1)
		memcpy(x->digits + 1, text + 2, (size_t)n - 1);
	x->digits[n] = '\0';
	x->n_digits = n;
	x->exponent = atoi(strchr(text, 'e') + 1);
}

/* Go to the next larger decimal with as many digits. */
static void increment(struct decimal *x)
{
	int i = x->n_digits - 1;

	while (i >= 0 && x->digits[i] == '9')
		x->digits[i--] = '0';
	if (i >= 0) {
		x->digits[i]++;
		return;
	}
	x->digits[0] = '1'; /* 999 has become 1000 and keeps three digits */
	x->exponent++;
}

static bool reads_back(const struct decimal *x, double d)
{
	char text[NUM_SIZE];

	(void)snprintf(text, sizeof text, "%c.%se%d", x->digits[0],
	    x->digits + 1, x->exponent);
	return strtod(text, NULL) == d;
}

/*
 * Set *x to the shortest decimal that reads back as d, and of these the
 * nearest. Below a power of two, doubles lie twice as close as above, so there
 * the nearest decimal may fail where the next larger one does not.
 */
static void shortest(struct decimal *x, double d)
{
	int unused;
	bool is_power = frexp(d, &unused) <= 0.5;
	int n = fpclassify(d) == FP_SUBNORMAL ? 1 : SURE_DIGITS;

	for (; n < MOST_DIGITS; n++) {
		nearest(x, d, n);
		if (reads_back(x, d))
			return;
		if (!is_power)
			continue;
		increment(x);
		if (reads_back(x, d))
			return;
	}
	nearest(x, d, MOST_DIGITS);
}

static void strip_zeros(struct decimal *x)
{
	while (x->n_digits > 1 && x->digits[x->n_digits - 1] == '0')
		x->digits[--x->n_digits] = '\0';
}

static size_t scientific(char *out, const struct decimal *x)
{
	const char *point = x->n_digits > 1 ? "." : "";

	return (size_t)sprintf(out, "%c%s%se%c%02d", x->digits[0], point,
	    x->digits + 1, x->exponent < 0 ? '-' : '+', abs(x->exponent));
}

static size_t positional(char *out, const struct decimal *x)
{
	int whole = x->exponent + 1; /* digits before the point */
	int zeros = whole - x->n_digits;

	if (whole <= 0)
		return (size_t)sprintf(
		    out, "0.%.*s%s", -whole, "000", x->digits);
	if (zeros >= 0)
		return (size_t)sprintf(
		    out, "%s%.*s.0", x->digits, zeros, "000000000000000");
	return (size_t)sprintf(
	    out, "%.*s.%s", whole, x->digits, x->digits + whole);
}

size_t num_repr(char out[NUM_SIZE], double d)
{
	struct decimal x;
	size_t sign = signbit(d) ? 1 : 0;

	out[0] = '-';
	if (fpclassify(d) == FP_ZERO) {
		memcpy(out + sign, "0.0", 4);
		return sign + 3;
	}
	shortest(&x, fabs(d));
	strip_zeros(&x);
	if (x.exponent < -4 || x.exponent >= 16)
		return sign + scientific(out + sign, &x);
	return sign + positional(out + sign, &x);
}
