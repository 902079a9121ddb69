/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "bench/samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench/peer.h"

#define SECOND 1000000LL

/* Before this share of the time nothing is counted. */
#define WARM_UP 5

static bool is_measuring;

static struct {
	uint32_t *us;
	size_t n, cap;
} samples;

void samples_add(int64_t us)
{
	if (samples.n == samples.cap) {
		samples.cap = samples.cap ? samples.cap * 2 : 65536;
		samples.us =
		    realloc(samples.us, samples.cap * sizeof *samples.us);
		if (!samples.us)
			die("out of memory");
	}
	samples.us[samples.n++] = us > 0 ? (uint32_t)us : 0;
}

void samples_round(int64_t since)
{
	if (is_measuring)
		samples_add(now_us() - since);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

void samples_print(void)
{
	size_t n = samples.n;
	if (!n)
		die("nothing was measured");
	qsort(samples.us, n, sizeof *samples.us, compare);
	printf("n=%zu p50=%u p99=%u max=%u\n", n, samples.us[n / 2],
	    samples.us[n - 1 - n / 100], samples.us[n - 1]);
}

/* Processor time that this process has used, in seconds. */
static double cpu_seconds(void)
{
	struct rusage u;
	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

void samples_measure(double seconds)
{
	int64_t us = (int64_t)(seconds * (double)SECOND);
	peers_run(us / WARM_UP);
	is_measuring = true;
	int64_t begin = now_us();
	double cpu = cpu_seconds();
	peers_run(us);
	double took = (double)(now_us() - begin) / (double)SECOND;
	printf("rate=%.1f load=%.0f ", (double)samples.n / took,
	    100 * (cpu_seconds() - cpu) / took);
	samples_print();
}
