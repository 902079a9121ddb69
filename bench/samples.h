/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

/*
 * What a load generator has measured: times in microseconds. One set of them
 * for the whole program.
 */
#include <stdbool.h>
#include <stdint.h>

/* Note a time. */
void samples_add(int64_t us);

/* Note the time since `since`, unless the warm-up still goes on. */
void samples_round(int64_t since);

/* Print n, p50, p99 and max; ends the program if there is no sample. */
void samples_print(void);

/*
 * Let all peers run for a fifth of so many seconds, then for so many seconds
 * with samples_round() counting, or until peers_stop(); print the rate, the
 * load (how much of one core the generator itself used, in percent), and what
 * samples_print() does.
 */
void samples_measure(double seconds);

#endif
