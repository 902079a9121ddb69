/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "base/log_ring.h"

#include "t/unit/tap.h"

#include <stdlib.h>
#include <string.h>

static uint64_t numbers[2 * LOG_RING_LINES];
static size_t n_numbers;
static struct log_ring_line last;

static bool note(const struct log_ring_line *line, void *arg)
{
	size_t most = *(const size_t *)arg;
	numbers[n_numbers++] = line->number;
	last = *line;
	return n_numbers < most;
}

static uint64_t read_all(const struct log_ring *r, uint64_t after, size_t most)
{
	n_numbers = 0;
	return log_ring_read(r, after, note, &most);
}

static void test_few(struct log_ring *r)
{
	is_int((int64_t)read_all(r, 0, 100), 0, "an empty ring has no line");
	is_int((int64_t)n_numbers, 0, "an empty ring calls no reader");
	log_ring_add(r, LOG_WARN, 5000, "worker[1]", "one=1: first");
	log_ring_add(r, LOG_INFO, 6000, "master", "second");
	is_int((int64_t)read_all(r, 0, 100), 2, "reading ends at the newest");
	is_int((int64_t)n_numbers, 2, "both lines are read");
	is_int(last.level, LOG_INFO, "a line has its level");
	is_int(last.time_ms, 6000, "a line has its time");
	is_int(last.len, 6, "a line has its length");
	ok(strcmp(last.speaker, "master") == 0, "a line has its speaker");
	ok(memcmp(last.text, "second", 6) == 0, "a line has its text");
	is_int((int64_t)read_all(r, 0, 1), 1, "a reader may stop early");
	is_int((int64_t)read_all(r, 1, 100), 2, "a reader goes on later");
	is_int(
	    (int64_t)numbers[0], 2, "a reader that goes on gets no line twice");
}

static void test_wrap(struct log_ring *r)
{
	char text[2 * LOG_RING_TEXT];
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (int i = 0; i < LOG_RING_LINES; i++)
		log_ring_add(
		    r, LOG_INFO, i, "a name that is much too long", text);
	(void)read_all(r, 0, SIZE_MAX);
	is_int((int64_t)n_numbers, LOG_RING_LINES,
	    "a full ring keeps as many lines as it has room for");
	is_int((int64_t)numbers[0], 3, "the oldest are replaced first");
	is_int(last.len, LOG_RING_TEXT, "a text that is too long is cut");
	is_int((int64_t)strlen(last.speaker), sizeof last.speaker - 1,
	    "a name that is too long is cut");
}

/* A writer died in the middle of a line, or the memory was overwritten. */
static void test_damage(struct log_ring *r)
{
	uint64_t newest = atomic_load(&r->newest);
	atomic_store(&r->lines[newest % LOG_RING_LINES].number, 0);
	r->lines[(newest - 1) % LOG_RING_LINES].len = UINT16_MAX;
	r->lines[(newest - 2) % LOG_RING_LINES].level = 77;
	(void)read_all(r, newest - 4, SIZE_MAX);
	is_int((int64_t)n_numbers, 1, "lines that cannot be true are skipped");
	is_int((int64_t)numbers[0], (int64_t)newest - 3, "sound ones are read");
}

int main(void)
{
	struct log_ring *r = calloc(1, sizeof *r);
	test_few(r);
	test_wrap(r);
	test_damage(r);
	free(r);
	return done();
}
