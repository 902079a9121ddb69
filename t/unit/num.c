/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <float.h>
#include <math.h>

#include "base/num.h"

#define N(a) (sizeof(a) / sizeof(*(a)))

static void test_repr(void)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
	    {0.0, "0.0"},
	    {-0.0, "-0.0"},
	    {1.0, "1.0"},
	    {-1.5, "-1.5"},
	    {0.1, "0.1"},
	    {0.1 + 0.2, "0.30000000000000004"},
	    {100.0, "100.0"},
	    {100000.0, "100000.0"},
	    {1702234567.0, "1702234567.0"},
	    {1702234567.123, "1702234567.123"},
	    {0.0001, "0.0001"},
	    {0.00012345678901234567, "0.00012345678901234567"},
	    {0.00001, "1e-05"},
	    {1e-7, "1e-07"},
	    {1e15, "1000000000000000.0"},
	    {9999999999999998.0, "9999999999999998.0"},
	    {9007199254740993.0, "9007199254740992.0"},
	    {1e16, "1e+16"},
	    {123456789012345678.0, "1.2345678901234568e+17"},
	    {1e21, "1e+21"},
	    {1e22, "1e+22"},
	    {1e23, "1e+23"},
	    {1.5e300, "1.5e+300"},
	    {DBL_MAX, "1.7976931348623157e+308"},
	    {-DBL_MAX, "-1.7976931348623157e+308"},
	    {DBL_MIN, "2.2250738585072014e-308"},
	    {2.225073858507201e-308, "2.225073858507201e-308"},
	    {5e-324, "5e-324"},
	    {1e-323, "1e-323"},
	    {1.5e-323, "1.5e-323"},
	    {-5e-324, "-5e-324"},
	    {5e-324 * 0x1p20, "5.180654e-318"},
	    /* Powers of two, where the nearest decimal does not read back. */
	    {0x1p-44, "5.684341886080802e-14"},
	    {0x1p+89, "6.189700196426902e+26"},
	    {0x1p-1017, "7.120236347223045e-307"},
	};

	for (size_t i = 0; i < N(cases); i++) {
		char text[NUM_SIZE];
		size_t len = num_repr(text, cases[i].value);
		is_str(text, cases[i].text, "%a is written", cases[i].value);
		is_int((int64_t)len, (int64_t)strlen(text),
		    "the length of %a is returned", cases[i].value);
	}
}

static double any_double(uint64_t *state)
{
	double d;

	*state = *state * 6364136223846793005u + 1442695040888963407u;
	uint64_t bits = *state ^ *state >> 29;
	memcpy(&d, &bits, sizeof(d));
	return isfinite(d) ? d : 1.0;
}

static void test_many(void)
{
	uint64_t state = 7;
	bool all = true, fit = true;

	for (int i = 0; i < 200000; i++) {
		char text[NUM_SIZE];
		double d = any_double(&state);
		size_t len = num_repr(text, d);
		double back = strtod(text, NULL);
		all = all && !memcmp(&back, &d, sizeof(d));
		fit = fit && len < 25;
	}
	ok(all, "any double reads back as what it was");
	ok(fit, "any double is written in at most 24 characters");
}

int main(void)
{
	test_repr();
	test_many();
	return done();
}
