/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "t/unit/tap.h"

#include <pthread.h>

#include "base/buf.h"
#include "core/stat.h"

#define N_THREADS 4
#define N_ADDS 20000

static void *add_many(void *arg)
{
	(void)arg;
	for (int i = 0; i < N_ADDS; i++)
		stat_add(events, 1);
	return NULL;
}

static void test_add(void)
{
	struct stat_set set = {0};
	pthread_t threads[N_THREADS];

	stat_add(requests, 5);
	is_int((int64_t)stat_mine()->requests, 5,
	    "a process without a set counts for itself");
	stat_use(&set);
	ok(stat_mine() == &set, "a set is used from then on");
	stat_add(connections, 3);
	stat_add(connections, -1);
	is_int((int64_t)set.connections, 2, "a gauge goes up and down");
	for (int i = 0; i < N_THREADS; i++)
		(void)pthread_create(&threads[i], NULL, add_many, NULL);
	for (int i = 0; i < N_THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	is_int((int64_t)set.events, (int64_t)N_THREADS * N_ADDS,
	    "threads lose no count");
	stat_clear_gauges(&set);
	is_int((int64_t)set.connections, 0, "clearing sets gauges to 0");
	is_int((int64_t)set.events, (int64_t)N_THREADS * N_ADDS,
	    "clearing gauges leaves counters as they were");
}

static void test_text(void)
{
	struct stat_set sets[3] = {
	    {.requests = 4, .connections = 7, .commit_us = 1500000},
	    {.requests = 5, .commit_us = 7},
	    {.connections = (uint64_t)-2},
	};
	struct buf out = {0};

	stat_text(&out, sets, 3);
	const char *text = buf_cstr(&out);
	ok(strstr(text, "# TYPE cohostd_http_requests_total counter\n"
			"cohostd_http_requests_total 9\n"),
	    "sets are added up");
	ok(strstr(text, "# TYPE cohostd_connections gauge\n"
			"cohostd_connections 5\n"),
	    "a gauge that went down in another set counts down");
	ok(strstr(text, "cohostd_commit_seconds_total 1.500007\n"),
	    "microseconds are shown in seconds");
	ok(strstr(text, "# HELP cohostd_events_total "),
	    "a counter that is 0 is shown");
	ok(text[strlen(text) - 1] == '\n', "the text ends its last line");
	buf_fini(&out);
}

/* Every line is a comment or "name value"; names come once. */
static void test_lines(void)
{
	struct stat_set set = {0};
	struct buf out = {0};
	int n_bad = 0, n_values = 0;

	stat_text(&out, &set, 1);
	for (char *rest, *line = strtok_r(out.data, "\n", &rest);
	     line && rest < out.data + out.len;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (*line == '#')
			continue;
		n_values++;
		if (strncmp(line, "cohostd_", 8) != 0 ||
		    strspn(line, "abcdefghijklmnopqrstuvwxyz_") !=
			strcspn(line, " "))
			n_bad++;
	}
	ok(n_values > 20, "there are many counters");
	is_int(n_bad, 0, "each counter has a proper name");
	buf_fini(&out);
}

static void test_digest(void)
{
	ok(stat_digest(STAT_COUNT) == stat_digest(STAT_COUNT),
	    "a program understands the counters of itself");
	ok(stat_digest(STAT_COUNT) != stat_digest(STAT_COUNT - 1),
	    "a program with a counter less is another one");
	ok(stat_digest(1) != stat_digest(2),
	    "each counter changes the digest of those before it");
}

int main(void)
{
	test_add();
	test_text();
	test_lines();
	test_digest();
	return done();
}
